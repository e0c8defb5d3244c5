"""Folders and labels: made, changed, thrown away, and back again."""

from __future__ import annotations

import pytest

from mailkit.errors import (
    AlreadyExists,
    CannotName,
    MailboxExists,
    NoSuchMailbox,
    NotAllowed,
)
from mailkit.model.label import Label, unnamed
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.services.sorting.actions import Kind
from mailkit.testing.at_once import at_once
from tests.services.sorting.world import ALICE, ARCHIVE, SENT, TRASH, World

WORK = MailboxName("Work")
NOTES = MailboxName("Work/Notes")
KEPT = MailboxName("Kept")


async def _world() -> World:
    world = World()
    await world.put("first")
    return world


async def _names(world: World) -> list[str]:
    return [folder.name for folder in await world.folders.folders(ALICE)]


def test_folders_are_made_and_nested() -> None:
    async def run() -> None:
        world = await _world()
        assert await world.folders.create(ALICE, " Work ") == WORK
        assert await world.folders.create(ALICE, "Notes", "Work") == NOTES
        await world.folders.create(ALICE, "Äpfel")
        assert await _names(world) == ["Work", "Work/Notes", "Äpfel"]
        folder = (await world.folders.folders(ALICE))[1]
        assert (folder.leaf, folder.above, folder.depth) == ("Notes", "Work", 1)
        assert folder.is_selectable
        assert not folder.is_thrown_away
        entries = {one.name: one for one in await world.store.mailboxes(ALICE)}
        assert entries[NOTES].is_subscribed

    at_once(run())


@pytest.mark.parametrize("name", ["", "  ", "a/b"])
def test_what_is_no_name(name: str) -> None:
    async def run() -> None:
        world = await _world()
        with pytest.raises(CannotName):
            await world.folders.create(ALICE, name)

    at_once(run())


@pytest.mark.parametrize("name", ["inbox", "TRASH", "snoozed", "Work"])
def test_what_is_there_is_not_made_again(name: str) -> None:
    async def run() -> None:
        world = await _world()
        await world.folders.create(ALICE, "Work")
        with pytest.raises(MailboxExists):
            await world.folders.create(ALICE, name)

    at_once(run())


def test_nothing_is_made_in_the_trash() -> None:
    async def run() -> None:
        world = await _world()
        with pytest.raises(CannotName):
            await world.folders.create(ALICE, "x", "Trash")

    at_once(run())


def test_another_name_and_another_place_with_all_below() -> None:
    async def run() -> None:
        world = await _world()
        await world.folders.create(ALICE, "Work")
        await world.folders.create(ALICE, "Notes", "Work")
        await world.folders.create(ALICE, "Kept")
        await world.put("note", to=NOTES)
        done = await world.folders.change(ALICE, WORK, "Job", "Kept")
        assert (done.kind, done.name) == (Kind.FOLDER_RENAMED, "Job")
        assert await _names(world) == ["Kept", "Kept/Job", "Kept/Job/Notes"]
        assert await world.subjects(MailboxName("Kept/Job/Notes")) == ["note"]
        entries = {one.name: one for one in await world.store.mailboxes(ALICE)}
        assert entries[MailboxName("Kept/Job/Notes")].is_subscribed
        assert NOTES not in entries
        undone = await world.undoing.undo(ALICE, done.token)
        assert undone == done
        assert await _names(world) == ["Kept", "Work", "Work/Notes"]
        same = await world.folders.change(ALICE, WORK, "Work", "")
        assert not same.token
        with pytest.raises(CannotName):
            await world.folders.change(ALICE, WORK, "Work", "Work/Notes")
        with pytest.raises(MailboxExists):
            await world.folders.change(ALICE, WORK, "Kept", "")

    at_once(run())


@pytest.mark.parametrize("name", [INBOX, ARCHIVE, SENT, TRASH])
def test_what_has_a_purpose_stays(name: MailboxName) -> None:
    async def run() -> None:
        world = await _world()
        with pytest.raises(NotAllowed):
            await world.folders.change(ALICE, name, "x", "")
        with pytest.raises(NotAllowed):
            await world.folders.delete(ALICE, name)

    at_once(run())


def test_a_folder_goes_into_the_trash_with_all_below_and_back() -> None:
    async def run() -> None:
        world = await _world()
        await world.put("job", to=await world.folders.create(ALICE, "Work"))
        await world.folders.create(ALICE, "Notes", "Work")
        before = await world.state()
        done = await world.folders.delete(ALICE, WORK)
        assert (done.kind, done.name) == (Kind.FOLDER_DELETED, "Work")
        assert await _names(world) == ["Trash/Work", "Trash/Work/Notes"]
        assert (await world.folders.folders(ALICE))[0].is_thrown_away
        with pytest.raises(NotAllowed):
            await world.folders.delete(ALICE, MailboxName("Trash/Work"))
        await world.put("again", to=await world.folders.create(ALICE, "Work"))
        other = await world.folders.delete(ALICE, WORK)
        assert "Trash/Work (2)" in await _names(world)
        await world.undoing.undo(ALICE, other.token)
        await world.folders.change(ALICE, WORK, "Other", "")
        await world.undoing.undo(ALICE, done.token)
        after = await world.state()
        assert after.pop("Other") == [("again", ())]
        assert after == before

    at_once(run())


def test_an_empty_folder_is_no_more_and_comes_back() -> None:
    async def run() -> None:
        world = await _world()
        await world.folders.create(ALICE, "Work")
        done = await world.folders.delete(ALICE, WORK)
        assert await _names(world) == []
        await world.undoing.undo(ALICE, done.token)
        assert await _names(world) == ["Work"]
        with pytest.raises(NoSuchMailbox):
            await world.folders.delete(ALICE, NOTES)
        # Somebody has made it anew meanwhile: nothing is lost.
        done = await world.folders.delete(ALICE, WORK)
        await world.folders.create(ALICE, "Work")
        await world.undoing.undo(ALICE, done.token)
        assert await _names(world) == ["Work"]

    at_once(run())


# --- labels ---


def test_labels_are_made_with_one_colour_after_the_other() -> None:
    async def run() -> None:
        world = await _world()
        await world.put("old", "$l_word")
        made = [await world.labels.create(ALICE, "Work")]
        made.append(await world.labels.create(ALICE, "  Two   words ", 5))
        assert made == [
            Label("$l_work", "Work", 1, 0),
            Label("$l_two-words", "Two words", 5, 1),
        ]
        with pytest.raises(AlreadyExists):
            await world.labels.create(ALICE, "work")
        for name in ("", " ", "x" * 101, "a\u202eb"):
            with pytest.raises(CannotName):
                await world.labels.create(ALICE, name)

    at_once(run())


@pytest.mark.parametrize(
    ("keyword", "name"),
    [("$l_book", "Book"), ("Book", "book"), ("$l_my-cafe", "My Café")],
)
def test_a_name_takes_the_keyword_that_a_program_uses(keyword: str, name: str) -> None:
    async def run() -> None:
        world = await _world()
        await world.put("one", keyword)
        assert list(await world.labels.labels(ALICE)) == [unnamed(keyword)]
        made = await world.labels.create(ALICE, name, 4)
        assert made == Label(keyword, name, 4, 0)
        assert list(await world.labels.labels(ALICE)) == [made]
        # One that has a name is not taken, whatever its keyword is.
        renamed = await world.labels.change(ALICE, keyword, "Other", 4)
        again = await world.labels.create(ALICE, name)
        assert again.keyword != keyword
        assert list(await world.labels.labels(ALICE)) == [renamed, again]

    at_once(run())


def test_keywords_of_other_programs_are_labels_of_their_own_name() -> None:
    async def run() -> None:
        world = await _world()
        await world.put("one", "Todo", "$Forwarded", "$l_lost")
        world.keywords |= {"Gone", "TODO"}
        [todo] = [one for one in await world.labels.labels(ALICE) if one.slug[0] == "~"]
        assert todo.name.lower() == "todo"
        assert unnamed("$l_lost") in await world.labels.labels(ALICE)
        named = await world.labels.change(ALICE, "Todo", "To do", 4)
        assert (named.keyword, named.colour) == ("Todo", 4)
        assert list(await world.labels.labels(ALICE)) == [named, unnamed("$l_lost")]

    at_once(run())


def test_labels_are_changed_and_put_in_order() -> None:
    async def run() -> None:
        world = await _world()
        one, _, three = [
            (await world.labels.create(ALICE, name)).keyword for name in "abc"
        ]
        await world.labels.change(ALICE, one, "z", 6)
        await world.labels.step(ALICE, three, -1)
        await world.labels.step(ALICE, three, -1)
        await world.labels.step(ALICE, three, -1)
        await world.labels.step(ALICE, one, 1)
        await world.labels.step(ALICE, one, 1)
        await world.labels.step(ALICE, "unknown", 1)
        found = await world.labels.labels(ALICE)
        assert [one.name for one in found] == ["c", "b", "z"]

    at_once(run())


def test_a_label_is_taken_from_all_messages_and_given_back() -> None:
    async def run() -> None:
        world = await _world()
        label = await world.labels.create(ALICE, "Work")
        await world.put("one", label.keyword)
        await world.put("two", label.keyword, "\\Seen", to=TRASH)
        await world.folders.create(ALICE, "Notes", "Above")
        before = await world.state()
        done = await world.labels.delete(ALICE, label.keyword)
        assert (done.kind, done.name, done.messages) == (Kind.LABEL_DELETED, "Work", 2)
        assert (await world.state())["Trash"] == [("two", ("\\Seen",))]
        assert not await world.labels.labels(ALICE)
        await world.undoing.undo(ALICE, done.token)
        assert await world.state() == before
        assert list(await world.labels.labels(ALICE)) == [label]

    at_once(run())


def test_a_keyword_that_nobody_named_is_taken_away_too() -> None:
    async def run() -> None:
        world = await _world()
        await world.put("one", "Todo")
        done = await world.labels.delete(ALICE, "todo")
        assert (done.name, done.messages) == ("todo", 1)
        assert not await world.labels.labels(ALICE)
        assert not (await world.labels.delete(ALICE, "todo")).token

    at_once(run())
