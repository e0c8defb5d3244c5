"""A store on a disk, what its clients do, and what they were told."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from itertools import count
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.flags import Flags
from mailkit.model.mailbox import MailboxName, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Files, Observer
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.messages import ALICE
from mailkit.testing.lanes import DirectLanes


@define
class Clock:
    """The time of day; it moves a little whenever somebody looks."""

    seconds: float

    def now(self) -> float:
        self.seconds += 0.000_01
        return self.seconds


@frozen
class Seen:
    """One message as a client sees it."""

    octets: bytes = field(repr=lambda octets: f"{len(octets)} {octets[56:92]!r}")
    flags: Flags


@frozen
class Box:
    """One mailbox as a client sees it."""

    mailbox_id: str
    uid_validity: int
    uid_next: int
    mod_seq: int
    messages: Mapping[int, Seen]


@frozen
class State:
    """All of an account, as somebody saw it at one moment."""

    boxes: Mapping[MailboxName, Box]
    subscribed: frozenset[MailboxName] = frozenset()


class Whole(Enum):
    """What may be left of a change that was stopped and never answered."""

    ALL_OR_NONE = auto()
    SOME = auto()
    """Each message by itself: deliveries and APPENDs."""


@frozen(eq=False)
class Step:
    """One thing that a client asks for."""

    name: str
    run: Callable[[IMailStore], Coroutine[Any, Any, object]]
    whole: Whole = Whole.ALL_OR_NONE
    new: tuple[bytes, ...] = ()
    """Messages that it brings."""
    made: tuple[str, ...] = ()
    """Mailboxes that may be made although the rest is not done."""
    is_told_by_look: bool = False
    """Somebody else's doing: it is known of once somebody looks."""


_boots = count(1)


def new_boot() -> str:
    """As after each start of the machine."""
    return f"boot-{next(_boots)}"


@contextmanager
def opened(
    data: Path,
    clock: Clock,
    boot: str,
    observer: Observer | None = None,
    settings: MaildirSettings | None = None,
) -> Iterator[MaildirStore]:
    """A store of its own process over a data folder; it ends as by a kill."""
    store = open_store(data, clock, boot, observer, settings)
    try:
        yield store
    finally:
        abandon(store)


def open_store(
    data: Path,
    clock: Clock,
    boot: str,
    observer: Observer | None = None,
    settings: MaildirSettings | None = None,
) -> MaildirStore:
    time = TestClock(clock.seconds)
    store = MaildirStore(
        data,
        DirectLanes(),
        LocalBoard(time),
        time,
        settings=settings or MaildirSettings(),
        now=clock.now,
        files=Files(observer),
    )
    store.house.boot = boot
    return store


def abandon(store: MaildirStore) -> None:
    """Let go of what the kernel lets go of when a process is killed."""
    home = store.home(ALICE)
    home.close()


async def look(store: IMailStore, account: AccountName = ALICE) -> State:
    """See everything."""
    boxes: dict[MailboxName, Box] = {}
    entries = await store.mailboxes(account)
    for entry in entries:
        if not entry.is_selectable:
            continue
        mailbox = await store.open(account, entry.name)
        snapshot = await mailbox.snapshot(False)
        records = await mailbox.fetch(ALL_UIDS, Want.FLAGS)
        octets = {
            uid: await content.read(0, content.size)
            for uid, content in await mailbox.contents(ALL_UIDS)
        }
        status = await mailbox.status()
        if list(snapshot.uids) != sorted(octets):
            raise AssertionError(f"{list(snapshot.uids)} against {sorted(octets)}")
        boxes[entry.name] = Box(
            mailbox.mailbox_id,
            mailbox.uid_validity,
            status.uid_next,
            status.highest_mod_seq,
            {r.uid: Seen(octets[r.uid], r.flags) for r in records},
        )
    subscribed = frozenset(entry.name for entry in entries if entry.is_subscribed)
    return State(boxes, subscribed)
