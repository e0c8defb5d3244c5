"""What the contracts of the store are written with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from mailkit.errors import MailkitError
from mailkit.interfaces.storage import IMailbox, IMailStore, NewMessage
from mailkit.model.address import AccountName
from mailkit.model.flags import Flags
from mailkit.model.mailbox import MailboxName, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.content import OctetsContent

T = TypeVar("T")

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")
WORK = MailboxName("Work")
NOTES = MailboxName("Work/Notes")


def coroutine(
    test: Callable[[Any], Coroutine[Deferred[Any], Any, T]],
) -> Callable[[Any], Deferred[T]]:
    """Let trial run a test that is a coroutine."""

    @wraps(test)
    def run(case: Any) -> Deferred[T]:  # Any: trial's case and the contract in one
        return Deferred.fromCoroutine(test(case))

    return run


def message(number: int = 1, text: str = "Hello") -> bytes:
    """A small message; each number makes another one."""
    return (
        f"From: Carol <carol@example.net>\r\nTo: alice@example.test\r\n"
        f"Subject: Number {number}\r\nDate: Thu, 1 Jan 2026 12:00:00 +0000\r\n"
        f"Message-ID: <{number}@example.net>\r\n\r\n{text}\r\n"
    ).encode()


def new(octets: bytes, *flags: str, internal_date: float | None = None) -> NewMessage:
    """A message for `IMailbox.append`."""
    return NewMessage(OctetsContent(octets), frozenset(flags), internal_date)


async def flags_of(mailbox: IMailbox) -> dict[int, Flags]:
    """Every message's flags by UID."""
    return {r.uid: r.flags for r in await mailbox.fetch(ALL_UIDS, Want.FLAGS)}


async def octets_of(mailbox: IMailbox) -> dict[int, bytes]:
    """Every message's octets by UID."""
    return {
        uid: await content.read(0, content.size)
        for uid, content in await mailbox.contents(ALL_UIDS)
    }


async def raises(kind: type[MailkitError], asked: Awaitable[object]) -> None:
    """Hold that what was asked for is refused by name."""
    try:
        await asked
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised")


class StoreCase:
    """A store for each test, closed after it."""

    store: IMailStore

    def make_store(self, quota: int = 0) -> IMailStore:
        """A new, empty store, whose accounts may keep ``quota`` octets (0: all)."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Wait until what was published has been heard; nothing to do in memory."""

    def setUp(self) -> None:
        self.store = self.make_store()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.store.close())
