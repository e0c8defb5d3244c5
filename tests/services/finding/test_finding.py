"""A search as a person asks it, over the store in memory."""

from __future__ import annotations

from datetime import UTC

from attrs import define

from mailkit.formats.finding import Note
from mailkit.model.label import Label
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.services.finding.finding import Finding
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.storage.memory.search import PlainSearch
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.finding import kept, letter
from mailkit.testing.contracts.messages import ALICE

JUNK = MailboxName("Junk")


@define(eq=False)
class World:
    """An account, and who finds in it."""

    store: MemoryStore
    finding: Finding

    @classmethod
    def of(cls, *subjects: str) -> World:
        store = MemoryStore()
        personal = MemoryPersonal()
        at_once(store.create_account(ALICE))
        at_once(personal.put_labels(ALICE, [Label("$l_fun", "Great fun")]))
        world = cls(
            store,
            Finding(
                PlainSearch(store), store.conversations, store, personal, lambda: 1000.0
            ),
        )
        for number, subject in enumerate(subjects):
            world.keep(number + 1, subject)
        return world

    def keep(
        self, number: int, subject: str, *flags: str, to: MailboxName = INBOX
    ) -> None:
        message = kept(letter(number, subject), 60.0 * number, *flags)
        at_once(self.store.append(ALICE, to, [message]))

    def subjects(self, text: str) -> list[str]:
        results = at_once(self.finding.find(ALICE, text, UTC))
        assert results.next is None
        return [row.newest.subject for row in results.rows]


def test_rows_newest_first_with_words_to_mark() -> None:
    world = World.of("Green tea", "Coffee", "Tea time")
    results = at_once(world.finding.find(ALICE, "tea colour:red", UTC))
    assert results.rows == ()
    results = at_once(world.finding.find(ALICE, "tea -colour:red", UTC))
    assert [row.newest.subject for row in results.rows] == ["Tea time", "Green tea"]
    assert results.words == ("tea",)
    assert results.notes == (Note("colour", "red"),)
    assert not results.is_cut
    assert results.unread == 0


def test_spam_is_found_where_it_is_asked_for() -> None:
    world = World.of("Tea")
    world.keep(9, "Tea for nothing", to=JUNK)
    results = at_once(world.finding.find(ALICE, "tea", UTC))
    assert results.leaves_out
    assert [row.newest.subject for row in results.rows] == ["Tea"]
    assert world.subjects("tea in:spam") == ["Tea for nothing"]
    assert world.subjects("tea in:anywhere") == ["Tea for nothing", "Tea"]


def test_labels_are_named_by_their_names() -> None:
    world = World.of("Tea")
    world.keep(9, "Party", "$l_fun")
    assert world.subjects('label:"great fun"') == ["Party"]
    assert world.subjects("-label:fun") == ["Tea"]


def test_pages_follow_each_other() -> None:
    world = World.of(*[f"Tea {number}" for number in range(5)])
    first = at_once(world.finding.find(ALICE, "tea", UTC, most=3))
    assert first.next is not None
    rest = at_once(world.finding.find(ALICE, "tea", UTC, first.next, most=3))
    subjects = [row.newest.subject for row in (*first.rows, *rest.rows)]
    assert subjects == [f"Tea {number}" for number in (4, 3, 2, 1, 0)]


def test_all_places_for_an_action_on_all() -> None:
    world = World.of(*["Tea"] * 5, "Coffee")
    places = at_once(world.finding.places(ALICE, "tea", UTC, 1000))
    assert [place.uid for place in places] == [5, 4, 3, 2, 1]
    assert len(at_once(world.finding.places(ALICE, "tea", UTC, 3))) == 3
