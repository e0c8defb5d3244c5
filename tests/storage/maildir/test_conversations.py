"""Conversations of a store on disk: after a rebuild, much at once, other processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.conversation import (
    Counts,
    Everything,
    InMailbox,
    Labelled,
    Page,
)
from mailkit.model.conversation import (
    Place as Spot,
)
from mailkit.model.flags import DELETED, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.query import HasThreadId
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.storage.index import joining
from mailkit.storage.maildir import conversations, listing
from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.letters import at, ids, letter
from tests.storage.maildir.doubles import ALICE, Place

IN_INBOX = InMailbox(INBOX)
SENT = MailboxName("Sent")


@pytest.fixture
def place(folder: Path) -> Place:
    return Place(folder)


def put(store: MaildirStore, *messages: NewMessage, to: MailboxName = INBOX) -> None:
    at_once(store.append(ALICE, to, messages))


def page(store: MaildirStore, view: InMailbox | Everything = IN_INBOX) -> Page:
    return at_once(store.conversations.page(ALICE, view))


def threads(store: MaildirStore) -> dict[str, str]:
    """Message-ID → THREADID, of all mail."""
    rows = at_once(store.conversations.page(ALICE, Everything(), grouped=False)).rows
    return {row.newest.message_id: row.thread_id for row in rows}


def begin(place: Place, count: int = 3) -> MaildirStore:
    """Conversations of two messages each, of which the second names only its parent."""
    store = place.store()
    for number in range(count):
        put(store, at(number, letter(number, f"{number}"), "x"))
    answers = [
        at(100 + number, letter(100 + number, in_reply_to=f"<{number}@a>"))
        for number in range(count)
    ]
    put(store, *answers, to=SENT)
    later = [
        at(200 + number, letter(200 + number, in_reply_to=f"<{100 + number}@a>"))
        for number in range(count)
    ]
    put(store, *later)
    return store


def test_a_rebuild_finds_the_same_conversations(place: Place) -> None:
    store = begin(place)
    before = threads(store)
    assert len(set(before.values())) == 3
    at_once(store.rebuild(ALICE))
    assert threads(store) == before
    label = Labelled("x")
    assert at_once(store.conversations.count(ALICE, label)) == Counts(3, 3)
    at_once(store.close())


def test_before_all_is_rendered_the_newest_are_shown(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = begin(place, 4)
    before = threads(store)
    known = at_once(store.conversations.messages(ALICE, [])), page(store)
    at_once(store.close())
    monkeypatch.setattr(listing, "RENDER_AT_ONCE", 0)
    (place.maildir().parent / "index.sqlite").unlink()
    store = place.store()
    first = at_once(store.conversations.page(ALICE, IN_INBOX, None, 2))
    assert ids(first) == ["203", "202"]
    second = at_once(store.conversations.page(ALICE, IN_INBOX, first.next, 4))
    assert {*ids(second)} >= {"201", "200"}
    # By its EMAILID a message is found that nobody rendered.
    email_id = known[1].rows[-1].newest.email_id
    found = at_once(store.conversations.message(ALICE, email_id))
    assert found is not None
    assert found.message_id == known[1].rows[-1].newest.message_id
    [summary] = at_once(store.conversations.summaries(ALICE, [Spot(SENT, 4)]))
    assert summary.message_id == "<103@a>"
    while store.home(ALICE).may_be_unrendered:
        place.clock.advance(2)
    assert threads(store).keys() == before.keys()
    at_once(store.close())


def test_what_imap_tells_is_what_people_see(place: Place) -> None:
    store = begin(place)
    box = at_once(store.open(ALICE, INBOX))
    told = [record.thread_id for record in at_once(box.fetch(ALL_UIDS, Want.IDS))]
    assert told[:3] == told[3:]
    assert set(told) == {row.thread_id for row in page(store).rows}
    other = at_once(place.store().open(ALICE, INBOX))
    found = at_once(other.search(HasThreadId(told[1])))
    assert found == UIDSet.of([2, 5])


def test_a_search_for_a_conversation_joins_first(place: Place) -> None:
    store = begin(place)
    box = at_once(store.open(ALICE, INBOX))
    [one] = at_once(box.fetch(UIDSet.of([1]), Want.IDS))
    put(store, at(500, letter(500, in_reply_to="<200@a>")))
    assert at_once(box.search(HasThreadId(one.thread_id))) == UIDSet.of([1, 4, 7])


def test_a_fetch_joins_what_it_tells(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "AT_A_TIME", 2)
    monkeypatch.setattr(joining, "_A_MOMENT", 0.0)
    store = begin(place)
    box = at_once(store.open(ALICE, SENT))
    told = [one.thread_id for one in at_once(box.fetch(ALL_UIDS, Want.IDS))]
    again = [one.thread_id for one in at_once(box.fetch(ALL_UIDS, Want.IDS))]
    assert told == again
    assert {row.thread_id for row in page(store, InMailbox(SENT)).rows} == set(told)


def test_those_that_wait_join_when_all_is_quiet(place: Place) -> None:
    store = begin(place)
    index = store.home(ALICE)

    def waiting() -> int:
        with index.used() as opened:
            [[count]] = opened.database.all(
                "SELECT count(*) FROM message WHERE joined <> 1"
            )
        return int(count)

    assert waiting() == 9
    place.clock.advance(1)
    assert waiting() == 9
    for _ in range(4):
        place.clock.advance(2)
    assert waiting() == 0
    at_once(store.close())


def test_much_joins_piece_by_piece(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "AT_A_TIME", 2)
    monkeypatch.setattr(conversations, "PIECE", 0.0)
    store = begin(place, 5)
    assert len({*threads(store).values()}) == 5


def test_what_could_not_join_in_time_is_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "AT_A_TIME", 2)
    monkeypatch.setattr(conversations, "PIECE", 0.0)
    monkeypatch.setattr(conversations, "PIECES", 1)
    store = begin(place)
    rows = page(store).rows
    assert len(rows) > 3
    assert rows[0].messages == 1
    assert rows[0].people


def test_a_message_that_others_put_there_is_seen(place: Place) -> None:
    store = begin(place)
    page(store)
    (place.maildir("new") / "1.stranger").write_bytes(letter(7, in_reply_to="<1@a>"))
    assert at_once(store.conversations.count(ALICE, IN_INBOX)) == Counts(7, 7)
    [newest, *_] = page(store).rows
    assert newest.newest.message_id == "<7@a>"
    assert newest.messages == 4


def test_a_mailbox_that_vanished_is_passed_over(place: Place) -> None:
    store = begin(place)
    before = len(threads(store))
    os.rename(place.maildir(".Sent"), place.maildir().parent / "aside")
    store.home(ALICE).distrusted.update(range(1, 10))
    left = threads(store)
    assert len(left) < before
    assert len(page(store).rows) == 3


def test_another_process_joins_the_same(place: Place) -> None:
    one, other = begin(place), place.store()
    put(other, at(900, letter(900, in_reply_to="<202@a>")))
    assert threads(one) == threads(other)
    assert len(set(threads(one).values())) == 3


def test_what_departed_is_forgotten_after_a_while(place: Place) -> None:
    place.settings = MaildirSettings(expunge_log=2)
    store = begin(place, 4)
    state = at_once(store.conversations.mod_seq(ALICE))
    box = at_once(store.open(ALICE, INBOX))
    for uid in (1, 2, 3, 4):
        change = FlagChange(FlagAction.ADD, frozenset({DELETED}))
        at_once(box.store(UIDSet.of([uid]), change))
        at_once(box.expunge(UIDSet.of([uid])))
    change_ = at_once(store.conversations.changes(ALICE, state))
    assert change_.is_whole
    assert len(change_.threads) == 4
    for _ in range(30):
        place.clock.advance(2)  # closed, and tidied before
    change_ = at_once(store.conversations.changes(ALICE, state))
    assert not change_.is_whole
    assert at_once(store.conversations.changes(ALICE, change_.mod_seq)).is_whole


def test_a_state_of_an_index_that_was_lost_is_not_known(place: Place) -> None:
    store = begin(place)
    state = at_once(store.conversations.mod_seq(ALICE))
    at_once(store.rebuild(ALICE))
    change = at_once(store.conversations.changes(ALICE, state))
    assert not change.is_whole
    assert change.mod_seq > state


def test_deliveries_at_once_to_two_mailboxes_are_one_message(place: Place) -> None:
    store = place.store()
    to = [Placement(ALICE, INBOX), Placement(ALICE, MailboxName("Archive"))]
    at_once(store.deliver(OctetsContent(letter(1)), to))
    [row] = page(store, Everything()).rows
    assert row.messages == 1
    [one] = at_once(store.conversations.conversation(ALICE, row.thread_id))
    assert len(one.places) == 2
