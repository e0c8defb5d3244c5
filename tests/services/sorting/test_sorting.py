"""Every action does what it says, and is undone exactly."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from twisted.logger import capturedLogs

from mailkit.errors import NoSuchMailbox, NotAllowed, StorageFull
from mailkit.interfaces.storage import IMailbox
from mailkit.model.address import AccountName
from mailkit.model.conversation import Flagged, InMailbox, Labelled, Place, View
from mailkit.model.mailbox import INBOX, Copied, MailboxName
from mailkit.model.snooze import SNOOZED, Snooze, Woken
from mailkit.model.uidset import UIDSet
from mailkit.services.sorting.actions import Action, Op, Targets
from mailkit.services.sorting.places import Special
from mailkit.storage.memory.mailbox import MemoryMailbox
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.services.sorting.world import (
    ALICE,
    ANYWHERE,
    ARCHIVE,
    HERE,
    JUNK,
    SENT,
    TRASH,
    World,
)

SEEN, STAR = "\\Seen", "\\Flagged"
WORK = MailboxName("Work")
SOON = NEW_YEAR + 3600


async def _filled() -> tuple[World, list[str]]:
    """A conversation over three mailboxes, and two messages that stand alone."""
    world = World()
    one = await world.put("one", thread="root", age=300)
    two = await world.put("two", SEEN, "$l_work", thread="root", age=200)
    reply = await world.put("reply", SEEN, to=SENT, thread="root", age=100)
    other = await world.put("other", SEEN, STAR, age=50)
    spam = await world.put("spam", to=JUNK)
    return world, [one, two, reply, other, spam]


@pytest.mark.parametrize(
    ("op", "more", "inbox", "elsewhere"),
    [
        (Op.ARCHIVE, {}, ["other"], {ARCHIVE: ["one", "two"], SENT: ["reply"]}),
        (Op.DELETE, {}, ["other"], {TRASH: ["one", "two"], SENT: ["reply"]}),
        (Op.SPAM, {}, ["other"], {JUNK: ["one", "spam", "two"]}),
        (Op.SNOOZE, {"until": SOON}, ["other"], {SNOOZED: ["one", "two"]}),
        (Op.MUTE, {}, ["other"], {ARCHIVE: ["one", "two"], SENT: ["reply"]}),
        (Op.MOVE, {"to": JUNK}, ["other"], {JUNK: ["one", "spam", "two"]}),
    ],
)
def test_a_conversation_leaves_the_inbox(
    op: Op,
    more: dict[str, object],
    inbox: list[str],
    elsewhere: dict[MailboxName, list[str]],
) -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        before = await world.state()
        done = await world.act(op, one, **more)  # type: ignore[arg-type]  # a table of arguments
        assert done.conversations == 1
        assert await world.subjects() == inbox
        for name, subjects in elsewhere.items():
            assert await world.subjects(name) == subjects
        assert await world.undoing.undo(ALICE, done.token) == done
        after = await world.state()
        assert {k: v for k, v in after.items() if v} == {
            k: v for k, v in before.items() if v
        }

    at_once(run())


@pytest.mark.parametrize(
    ("op", "label", "expected"),
    [
        (Op.STAR, "", {"two": {SEEN, STAR, "$l_work"}}),
        (Op.READ, "", {"one": {SEEN}}),
        (Op.UNREAD, "", {"two": {"$l_work"}}),
        (Op.LABEL, "$l_x", {"one": {"$l_x"}, "reply": {SEEN, "$l_x"}}),
        (Op.UNLABEL, "$L_WORK", {"two": {SEEN}}),
        (Op.UNLABEL, "$l_none", {}),
        (Op.UNSTAR, "", {}),
        (Op.UNMUTE, "", {}),
    ],
)
def test_flags_change_where_they_were_not_so(
    op: Op, label: str, expected: dict[str, set[str]]
) -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        before = await world.state()
        done = await world.act(op, one, label=label)
        flags = {
            subject: set(flags)
            for rows in (await world.state()).values()
            for subject, flags in rows
        }
        for subject, those in expected.items():
            assert flags[subject] == those
        if not expected:
            assert not done.token
            assert not done.messages
        else:
            await world.undoing.undo(ALICE, done.token)
        assert await world.state() == before

    at_once(run())


@pytest.mark.parametrize("view", [Flagged(), ANYWHERE])
def test_across_mailboxes_archiving_is_out_of_the_inbox(view: View) -> None:
    async def run() -> None:
        world, [one, _, _, other, _] = await _filled()
        await world.act(Op.ARCHIVE, other if view == Flagged() else one, view=view)
        assert await world.subjects(SENT) == ["reply"]
        assert len(await world.subjects(ARCHIVE)) == (1 if view == Flagged() else 2)

    at_once(run())


def test_across_mailboxes_deleting_is_of_all() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        done = await world.act(Op.DELETE, one, view=ANYWHERE)
        assert done.messages == 3
        assert await world.subjects(TRASH) == ["one", "reply", "two"]
        await world.undoing.undo(ALICE, done.token)
        assert await world.subjects(SENT) == ["reply"]

    at_once(run())


def test_all_of_a_label() -> None:
    async def run() -> None:
        world, _ = await _filled()
        done = await world.act(Op.DELETE, view=Labelled("$l_work"))
        assert done.messages == 1
        assert await world.subjects(TRASH) == ["two"]

    at_once(run())


def test_no_spam_goes_to_the_inbox() -> None:
    async def run() -> None:
        world, [*_, spam] = await _filled()
        done = await world.act(Op.NOT_SPAM, spam, view=InMailbox(JUNK))
        state = await world.state()
        assert ("spam", ("$NotJunk",)) in state["INBOX"]
        await world.undoing.undo(ALICE, done.token)
        assert (await world.state())["Junk"] == [("spam", ())]

    at_once(run())


def test_single_messages() -> None:
    async def run() -> None:
        world, [one, two, reply, *_] = await _filled()
        targets = Targets(HERE, email_ids=[two, reply])
        done = await world.sorting.act(ALICE, Action(Op.ARCHIVE), targets)
        assert done.messages == 1
        assert await world.subjects(ARCHIVE) == ["two"]
        targets = Targets(HERE, email_ids=[one])
        done = await world.sorting.act(ALICE, Action(Op.STAR), targets)
        assert ("one", (STAR,)) in (await world.state())["INBOX"]

    at_once(run())


def test_what_a_search_found() -> None:
    async def run() -> None:
        world, _ = await _filled()
        found = [Place(INBOX, 1), Place(SENT, 1), Place(JUNK, 1)]
        targets = Targets(ANYWHERE, found=found)
        done = await world.sorting.act(ALICE, Action(Op.STAR), targets)
        assert done.messages == 2  # the newest of each conversation
        done = await world.sorting.act(ALICE, Action(Op.DELETE), targets)
        assert done.messages == 3
        assert await world.subjects(TRASH) == ["one", "reply", "spam"]
        await world.undoing.undo(ALICE, done.token)
        assert await world.subjects(JUNK) == ["spam"]

    at_once(run())


def test_for_good() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        assert not (await world.act(Op.FOREVER, one)).messages
        await world.act(Op.DELETE, one)
        done = await world.act(Op.FOREVER, one, view=InMailbox(TRASH))
        assert (done.messages, done.token) == (2, "")
        assert await world.subjects(TRASH) == []

    at_once(run())


def test_trash_is_emptied_with_the_folders_in_it() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        await world.act(Op.DELETE, one)
        await world.store.create(ALICE, WORK)
        await world.put("old", to=WORK)
        await world.folders.delete(ALICE, WORK)
        assert await world.sorting.empty(ALICE, TRASH) == 3
        state = await world.state()
        assert not any("Work" in name for name in state)
        assert state["Trash"] == []
        assert await world.sorting.empty(ALICE, JUNK) == 1
        with pytest.raises(NoSuchMailbox):
            await world.sorting.empty(ALICE, INBOX)

    at_once(run())


def test_no_more_than_the_limit_is_taken() -> None:
    async def run() -> None:
        world = World(most=3)
        for number in range(5):
            await world.put(f"n{number}")
        done = await world.act(Op.ARCHIVE)
        assert (done.messages, done.is_whole) == (3, False)
        assert len(await world.subjects()) == 2
        await world.undoing.undo(ALICE, done.token)
        assert len(await world.subjects()) == 5

    at_once(run())


def test_many_are_done_in_batches_and_undone_as_a_whole() -> None:
    async def run() -> None:
        world = World()
        mailbox: IMailbox
        for number in range(1100):
            await world.put(f"n{number}")
        done = await world.act(Op.ARCHIVE)
        assert (done.messages, done.is_whole) == (1100, True)
        mailbox = await world.store.open(ALICE, INBOX)
        assert (await mailbox.status()).exists == 0
        await world.undoing.undo(ALICE, done.token)
        assert (await mailbox.status()).exists == 1100

    at_once(run())


def test_an_action_is_undone_once_and_for_ten_minutes() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        done = await world.act(Op.ARCHIVE, one)
        assert await world.undoing.done(ALICE, done.token) == done
        await world.undoing.undo(ALICE, done.token)
        # Whoever has not heard of it asks again; nothing is done twice.
        assert await world.undoing.undo(ALICE, done.token) == done
        assert await world.undoing.done(ALICE, done.token) is None
        done = await world.act(Op.ARCHIVE, one)
        world.clock.advance(601)
        assert await world.undoing.done(ALICE, done.token) is None
        assert await world.undoing.undo(ALICE, done.token) is None
        assert await world.undoing.undo(AccountName("eve@x.y"), done.token) is None

    at_once(run())


def test_steps_of_another_version_are_no_way_back() -> None:
    async def run() -> None:
        world, _ = await _filled()
        for text in ("[]", "{", '{"steps": [["unknown", {}]]}', '{"steps": []}'):
            keep = world.personal.keep_undo
            await keep(ALICE, "old", text, NEW_YEAR + 99, NEW_YEAR)
            assert await world.undoing.undo(ALICE, "old") is None

    at_once(run())


def test_actions_are_undone_one_after_the_other() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        before = await world.state()
        tokens = [
            (await world.act(Op.STAR, one)).token,
            (await world.act(Op.MOVE, one, to=ARCHIVE)).token,
        ]
        work = InMailbox(ARCHIVE)
        tokens.append((await world.act(Op.DELETE, one, view=work)).token)
        for token in reversed(tokens):
            await world.undoing.undo(ALICE, token)
        assert await world.state() == before

    at_once(run())


def test_an_earlier_action_is_undone_where_the_message_is_now() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        starred = await world.act(Op.STAR, one)
        moved = await world.act(Op.ARCHIVE, one)
        await world.undoing.undo(ALICE, starred.token)
        rows = (await world.state())["Archive"]
        assert rows == [("one", ()), ("two", ("$l_work", SEEN))]
        await world.act(Op.DELETE, one, view=InMailbox(ARCHIVE))
        await world.undoing.undo(ALICE, moved.token)
        assert await world.subjects(TRASH) == ["one", "two"]

    at_once(run())


def test_what_was_there_is_made_again() -> None:
    async def run() -> None:
        world, _ = await _filled()
        await world.store.create(ALICE, WORK)
        job = await world.put("job", to=WORK)
        done = await world.act(Op.ARCHIVE, job, view=InMailbox(WORK))
        await world.store.delete(ALICE, WORK)
        await world.undoing.undo(ALICE, done.token)
        assert await world.subjects(WORK) == ["job"]

    at_once(run())


def test_a_mailbox_with_a_purpose_is_made_when_it_is_needed() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        await world.store.delete(ALICE, ARCHIVE)
        await world.act(Op.ARCHIVE, one)
        assert await world.subjects(ARCHIVE) == ["one", "two"]
        special = await Special.of(world.store, ALICE)
        assert not special.has(SNOOZED)
        with pytest.raises(NoSuchMailbox):
            await world.act(Op.MOVE, one, to=WORK)
        with pytest.raises(NoSuchMailbox):
            await world.act(Op.READ, one, view=InMailbox(WORK))
        await world.store.create(ALICE, SNOOZED)
        with pytest.raises(NotAllowed):
            await world.act(Op.MOVE, one, to=SNOOZED)

    at_once(run())


class _Failing(MemoryStore):
    """A store for which some moves are too much, counted from 1."""

    moves = 0
    fails: frozenset[int] = frozenset()

    async def open(self, account: AccountName, name: MailboxName) -> IMailbox:
        box = self._account(account)
        mailbox = _Limited(box, box.folder(name), account, name)
        mailbox.failing = self
        return mailbox


class _Limited(MemoryMailbox):
    """A mailbox of it."""

    failing: _Failing

    async def move(self, uids: UIDSet, to: MailboxName) -> Copied:
        self.failing.moves += 1
        if self.failing.moves in self.failing.fails:
            raise StorageFull
        return await super().move(uids, to)


async def _failing() -> tuple[World, _Failing, str]:
    store = _Failing()
    world = World(store=store)
    one = await world.put("one", thread="t")
    await world.put("two", to=SENT, thread="t")
    return world, store, one


def test_what_fails_halfway_is_not_done_at_all() -> None:
    async def run() -> None:
        world, store, one = await _failing()
        before = await world.state()
        store.fails = frozenset({2})
        with pytest.raises(StorageFull):
            await world.act(Op.DELETE, one, view=ANYWHERE)
        assert store.moves == 3
        assert await world.state() == before

    at_once(run())


def test_what_can_be_neither_done_nor_undone_is_told() -> None:
    async def run() -> None:
        world, store, one = await _failing()
        store.fails = frozenset({2, 3})
        with pytest.raises(StorageFull), capturedLogs() as told:
            await world.act(Op.DELETE, one, view=ANYWHERE)
        assert "is half done" in told[0]["log_format"]
        assert len(await world.subjects(TRASH)) == 1

    at_once(run())


def test_an_undo_that_fails_may_be_tried_again() -> None:
    async def run() -> None:
        world, store, one = await _failing()
        before = await world.state()
        done = await world.act(Op.DELETE, one, view=ANYWHERE)
        store.fails = frozenset({4})
        with pytest.raises(StorageFull):
            await world.undoing.undo(ALICE, done.token)
        assert len(await world.subjects(TRASH)) == 1
        await world.undoing.undo(ALICE, done.token)
        assert await world.state() == before

    at_once(run())


# --- messages that are put off ---


def test_a_message_is_put_off() -> None:
    async def run() -> None:
        world, [one, two, *_] = await _filled()
        done = await world.act(Op.SNOOZE, one, until=SOON)
        assert {s.email_id for s in await world.personal.snoozes(ALICE)} == {one, two}
        assert {s.until for s in await world.personal.snoozes(ALICE)} == {SOON}
        assert ("waking", "") in world.board.told
        entries = {e.name: e for e in await world.store.mailboxes(ALICE)}
        assert entries[SNOOZED].is_subscribed
        await world.undoing.undo(ALICE, done.token)
        assert not await world.personal.snoozes(ALICE)
        assert await world.subjects(SNOOZED) == []

    at_once(run())


def test_another_time_and_back_to_the_first() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        await world.act(Op.SNOOZE, one, until=SOON)
        view = InMailbox(SNOOZED)
        done = await world.act(Op.SNOOZE, one, view=view, until=SOON + 60)
        assert done.messages == 2
        assert {s.until for s in await world.personal.snoozes(ALICE)} == {SOON + 60}
        await world.undoing.undo(ALICE, done.token)
        assert {s.until for s in await world.personal.snoozes(ALICE)} == {SOON}
        assert await world.subjects(SNOOZED) == ["one", "two"]

    at_once(run())


@pytest.mark.parametrize("op", [Op.UNSNOOZE, Op.ARCHIVE, Op.DELETE, Op.MOVE])
def test_what_leaves_does_not_come_back_unless_that_is_undone(op: Op) -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        await world.act(Op.SNOOZE, one, until=SOON)
        done = await world.act(op, one, view=InMailbox(SNOOZED))
        assert not await world.personal.snoozes(ALICE)
        assert await world.subjects(SNOOZED) == []
        world.clock.advance(120)
        await world.undoing.undo(ALICE, done.token)
        assert len(await world.personal.snoozes(ALICE)) == 2
        assert await world.subjects(SNOOZED) == ["one", "two"]

    at_once(run())


def test_what_should_have_come_back_meanwhile_comes_back_a_little_later() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        await world.act(Op.SNOOZE, one, until=NEW_YEAR + 90)
        done = await world.act(Op.UNSNOOZE, one, view=InMailbox(SNOOZED))
        world.clock.advance(100)
        await world.undoing.undo(ALICE, done.token)
        times = {s.until for s in await world.personal.snoozes(ALICE)}
        assert times == {NEW_YEAR + 160}

    at_once(run())


def test_nothing_is_put_off_into_the_past() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        await world.act(Op.SNOOZE, one, until=NEW_YEAR - 5)
        times = [s.until for s in await world.personal.snoozes(ALICE)]
        assert times
        assert all(NEW_YEAR + 5 < at < NEW_YEAR + 6 for at in times)

    at_once(run())


def test_what_came_back_is_forgotten_when_it_is_put_away() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        woken = Woken(one, await world.thread(one), NEW_YEAR)
        await world.personal.woke(ALICE, [woken])
        await world.act(Op.READ, one)
        assert list(await world.personal.woken(ALICE)) == [woken]
        done = await world.act(Op.ARCHIVE, one)
        assert not await world.personal.woken(ALICE)
        await world.undoing.undo(ALICE, done.token)
        assert list(await world.personal.woken(ALICE)) == [woken]

    at_once(run())


def test_muting_marks_what_lies_elsewhere_and_leaves_it_there() -> None:
    async def run() -> None:
        world, [one, *_] = await _filled()
        await world.personal.snooze(ALICE, [Snooze("M0", SOON, INBOX)])
        await world.act(Op.MUTE, one)
        state = await world.state()
        assert state["Sent"] == [("reply", ("$muted", SEEN))]
        assert ("one", ("$muted",)) in state["Archive"]
        await world.act(Op.UNMUTE, one, view=ANYWHERE)
        assert (await world.state())["Sent"] == [("reply", (SEEN,))]

    at_once(run())


def test_nothing_chosen_is_nothing_done() -> None:
    async def run() -> None:
        world, _ = await _filled()
        before = await world.state()
        empty: Sequence[str] = []
        done = await world.sorting.act(ALICE, Action(Op.ARCHIVE), Targets(HERE, empty))
        assert (done.messages, done.token) == (0, "")
        assert await world.state() == before

    at_once(run())
