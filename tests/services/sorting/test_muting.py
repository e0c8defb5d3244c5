"""Answers to what was muted stay out of the inbox."""

from __future__ import annotations

from collections.abc import Collection

import pytest
from attrs import define
from zope.interface import implementer

from mailkit.errors import StorageBroken
from mailkit.interfaces.delivery import Arriving, Filed, IFiling
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.envelope import Envelope
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.path import NULL_PATH
from mailkit.services.sorting import muting
from mailkit.services.sorting.actions import Op
from mailkit.services.sorting.muting import MUTED, MutedFiling
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.testing.at_once import at_once
from tests.services.sorting.world import ALICE, ANYWHERE, ARCHIVE, JUNK, World

BOB = AccountName("bob@example.org")


@implementer(IFiling)
@define(eq=False)
class _Always:
    """Files all mail in the same way."""

    filed: Filed

    async def file(self, arriving: Arriving) -> Filed:
        return self.filed


def _filing(world: World, inner: Filed | None = None) -> MutedFiling:
    return MutedFiling(
        _Always(inner or Filed()), world.store, world.personal, world.board
    )


def _arriving(header: str, account: AccountName = ALICE) -> Arriving:
    octets = f"From: c@d\r\n{header}\r\n".encode()
    return Arriving(Account(account), Envelope(NULL_PATH), (), "", octets, len(octets))


def _answer(to: str, name: str = "answer") -> Arriving:
    return _arriving(f"Message-ID: <{name}@x>\r\nIn-Reply-To: <{to}@x>\r\n")


def _muted_world() -> tuple[World, str]:
    world = World()
    one = at_once(world.put("one"))
    done = at_once(world.act(Op.MUTE, one))
    assert at_once(world.subjects(ARCHIVE)) == ["one"]
    return world, done.token


def test_an_answer_and_answers_to_that_go_to_the_archive() -> None:
    world, _ = _muted_world()
    filing = _filing(world)
    archived = Filed((ARCHIVE,), frozenset({MUTED}))
    assert at_once(filing.file(_answer("one"))) == archived
    assert at_once(filing.file(_answer("answer", "next"))) == archived
    references = "References: <zero@x>\r\n <one@x>\r\n"
    assert at_once(filing.file(_arriving(references))) == archived


def test_other_mail_and_that_of_others_does_not() -> None:
    world, _ = _muted_world()
    filing = _filing(world)
    assert at_once(filing.file(_answer("other"))) == Filed()
    assert at_once(filing.file(_arriving("Subject: new\r\n"))) == Filed()
    answer = _arriving("In-Reply-To: <one@x>\r\n", BOB)
    assert at_once(filing.file(answer)) == Filed()


def test_what_is_filed_elsewhere_stays_so() -> None:
    world, _ = _muted_world()
    junk = Filed((JUNK,))
    assert at_once(_filing(world, junk).file(_answer("one"))) == junk
    both = Filed((INBOX, MailboxName("Work"), ARCHIVE), frozenset({"$x"}))
    filed = at_once(_filing(world, both).file(_answer("one")))
    assert filed.mailboxes == (ARCHIVE, MailboxName("Work"))
    assert filed.flags == {"$x", MUTED}


def test_no_longer_muted_is_heard() -> None:
    world, _ = _muted_world()
    filing = _filing(world)
    assert at_once(filing.file(_answer("one"))).mailboxes == (ARCHIVE,)
    [archived] = at_once(world.state())["Archive"]
    assert archived == ("one", (MUTED,))
    one = at_once(world.store.open(ALICE, ARCHIVE))
    assert one is not None
    thread = at_once(world.conversations.places(ALICE, ANYWHERE))
    assert len(thread) == 1
    at_once(world.act(Op.UNMUTE, view=ANYWHERE))
    assert at_once(filing.file(_answer("one"))) == Filed()
    filing.close()


def test_undoing_is_heard_too() -> None:
    world, token = _muted_world()
    filing = _filing(world)
    assert at_once(filing.file(_answer("one"))).mailboxes == (ARCHIVE,)
    at_once(world.undoing.undo(ALICE, token))
    assert at_once(filing.file(_answer("one"))) == Filed()
    assert at_once(world.subjects()) == ["one"]


def test_unmuting_is_undone() -> None:
    world, _ = _muted_world()
    filing = _filing(world)
    done = at_once(world.act(Op.UNMUTE, view=ANYWHERE))
    assert at_once(filing.file(_answer("one"))) == Filed()
    at_once(world.undoing.undo(ALICE, done.token))
    assert at_once(filing.file(_answer("one"))).mailboxes == (ARCHIVE,)


class _Broken(MemoryPersonal):
    """What belongs to people cannot be read."""

    asked = 0
    is_broken = False

    async def muted(self, account: AccountName) -> Collection[str]:
        self.asked += 1
        if self.is_broken:
            raise StorageBroken("the disk")
        return await super().muted(account)


def test_what_cannot_be_looked_up_goes_to_the_inbox() -> None:
    world = World()
    personal = _Broken()
    personal.is_broken = True
    filing = MutedFiling(_Always(Filed()), world.store, personal, world.board)
    assert at_once(filing.file(_answer("one"))) == Filed()
    personal.is_broken = False
    assert at_once(filing.file(_answer("one"))) == Filed()
    assert at_once(filing.file(_answer("one"))) == Filed()
    assert personal.asked == 2  # what is known is not asked again


class _Late(MemoryPersonal):
    """Something is muted while it is read what is."""

    world: World
    asked = 0

    async def muted(self, account: AccountName) -> Collection[str]:
        known = await super().muted(account)
        self.asked += 1
        if self.asked == 1:
            await self.mute(account, ["<one@x>"])
            self.world.board.publish(muting.MUTING, account)
        return known


def test_what_changes_while_it_is_read_is_read_again() -> None:
    world = World()
    personal = _Late()
    personal.world = world
    at_once(world.store.create_account(ALICE))
    filing = MutedFiling(_Always(Filed()), world.store, personal, world.board)
    assert at_once(filing.file(_answer("one"))) == Filed()
    assert at_once(filing.file(_answer("one"))).mailboxes == (ARCHIVE,)


def test_few_accounts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(muting, "_MOST_ACCOUNTS", 1)
    world = World()
    personal = _Broken()
    filing = MutedFiling(_Always(Filed()), world.store, personal, world.board)
    for account in (ALICE, ALICE, BOB, ALICE):
        at_once(filing.file(_arriving("Subject: x\r\n", account)))
    assert personal.asked == 3
