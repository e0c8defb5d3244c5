"""The index of words on disk: filled behind, made anew, and never in the way."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailkit.errors import StorageBroken
from mailkit.formats.finding import read
from mailkit.interfaces.search import Hit
from mailkit.interfaces.storage import Placement
from mailkit.model.finding import AllOf, Came, Sought, Words
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.content import OctetsContent
from mailkit.storage.index import database
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.memory.search import PlainSearch
from mailkit.storage.safefile import Files
from mailkit.storage.search import filling, opening
from mailkit.storage.search.asking import Asking
from mailkit.storage.search.index import SearchIndex, SearchSettings
from mailkit.storage.search.schema import PER_HOUR, VERSION
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.finding import kept, letter
from mailkit.testing.lanes import DirectLanes
from tests.storage.maildir.conftest import MEMORY
from tests.storage.maildir.doubles import ALICE, BOB, Place


def index_of(store: MaildirStore, **settings: float) -> SearchIndex:
    chosen = SearchSettings(**settings)  # type: ignore[arg-type]  # whole ones among them
    lanes = DirectLanes()
    return SearchIndex(
        store.data, store, store.conversations, lanes, store.clock, chosen
    )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[MaildirStore]:
    store = place.store()
    at_once(store.create_account(ALICE))
    yield store
    at_once(store.close())


def count(search: SearchIndex, sought: Sought | str) -> int:
    if isinstance(sought, str):
        sought = read(sought).sought
    found = at_once(search.find(ALICE, sought, most=1000))
    return len(found.hits)


def append(store: MaildirStore, *subjects: str, came: float = 60.0) -> None:
    letters = [
        kept(letter(number, subject), came + number)
        for number, subject in enumerate(subjects)
    ]
    at_once(store.append(ALICE, INBOX, letters))


def path_of(store: MaildirStore) -> Path:
    return Path(store.house.path_of(ALICE)) / "search.sqlite"


def documents(store: MaildirStore) -> int:
    connection = sqlite3.connect(path_of(store))
    [[number]] = connection.execute("SELECT count(*) FROM document").fetchall()
    connection.close()
    return int(number)


def test_what_comes_is_looked_into_behind(place: Place, store: MaildirStore) -> None:
    search = index_of(store)
    append(store, "one", "two")
    search.changed(ALICE)
    search.changed(ALICE)
    place.clock.advance(2.0)
    # Nobody searches in it.
    assert not path_of(store).exists()
    search.begin(ALICE)
    assert not path_of(store).exists()
    place.clock.advance(2.0)
    assert documents(store) == 2
    assert path_of(store).stat().st_mode & 0o077 == 0


def test_what_comes_meanwhile_is_looked_into_later(
    place: Place, store: MaildirStore
) -> None:
    search = index_of(store)
    at_once(store.create_account(BOB))
    search.begin(ALICE)
    search.changed(BOB)
    append(store, "one")
    search.changed(ALICE)
    place.clock.advance(2.0)
    assert documents(store) == 1
    append(store, "two")
    search.changed(ALICE)
    place.clock.advance(2.0)
    assert documents(store) == 2


def test_a_search_waits_for_so_many_and_tells_of_the_others(
    store: MaildirStore,
) -> None:
    search = index_of(store, before_asking=3, batch=2)
    append(store, *["tea"] * 5)
    found = at_once(search.find(ALICE, Words("tea")))
    assert (len(found.hits), found.unread) == (3, 2)
    found = at_once(search.find(ALICE, Words("tea")))
    assert (len(found.hits), found.unread) == (5, 0)


def test_of_very_many_some_are_listed_and_all_are_looked_into(
    store: MaildirStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "MOST_LISTED", 2)
    search = index_of(store)
    append(store, *["tea"] * 5)
    rounds = 0
    while at_once(search.catch_up(ALICE, 2)):
        rounds += 1
    assert rounds == 2
    assert documents(store) == 5


def test_what_changed_is_listed_once(store: MaildirStore) -> None:
    search = index_of(store)
    append(store, "one", "two")
    assert at_once(search.catch_up(ALICE)) == 0

    def is_known() -> bool:
        return at_once(search._with(ALICE, filling.listed)).is_known

    assert is_known()
    inbox = at_once(store.open(ALICE, INBOX))
    starred = FlagChange(FlagAction.ADD, frozenset(["\\Flagged"]))
    at_once(inbox.store(ALL_UIDS, starred))
    assert not is_known()
    assert count(search, "one") == 1
    assert is_known()


def test_closing_ends_the_work(place: Place, store: MaildirStore) -> None:
    search = index_of(store)
    append(store, "one")
    search.changed(ALICE)
    at_once(search.close())
    search.changed(ALICE)
    place.clock.advance(60.0)
    assert not path_of(store).exists()
    assert at_once(search.catch_up(ALICE)) == 1


def test_a_damaged_index_is_made_anew(store: MaildirStore) -> None:
    search = index_of(store)
    append(store, "one")
    assert count(search, "one") == 1
    for suffix in ("-wal", "-shm"):
        Path(f"{path_of(store)}{suffix}").unlink(missing_ok=True)
    path_of(store).write_bytes(b"no database at all" * 100)
    assert count(search, "one") == 1


def test_an_index_that_cannot_be_opened_is_told(store: MaildirStore) -> None:
    search = index_of(store)
    path_of(store).mkdir()
    with pytest.raises(StorageBroken):
        count(search, "one")


@pytest.mark.parametrize("name", ["search.sqlite", "index.sqlite"])
@pytest.mark.parametrize(
    ("within", "step"),
    [
        (database, "_keep_to_owner"),
        (database, "use_wal"),
        (opening, "_open"),
        (filling, "listed"),
        (filling, "put"),
        (filling, "mark"),
        (filling, "give_back"),
        (Asking, "hits"),
    ],
)
@pytest.mark.parametrize("is_before", [True, False])
def test_an_index_that_is_taken_away_is_made_anew(
    store: MaildirStore,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    within: object,
    step: str,
    is_before: bool,
) -> None:
    search = index_of(store)
    append(store, "one", "two")
    do = getattr(within, step)
    path = path_of(store).with_name(name)

    def rob(*arguments: object, **named: object) -> object:
        monkeypatch.setattr(within, step, do)
        if is_before:
            path.unlink(missing_ok=True)
        answer = do(*arguments, **named)
        if not is_before:
            path.unlink()
        return answer

    monkeypatch.setattr(within, step, rob)
    assert count(search, "one") == 1
    assert getattr(within, step) is do
    assert count(search, "two") == 1
    append(store, "three", came=600.0)
    assert count(search, "three") == 1
    assert documents(store) == 3


def test_an_index_of_mail_that_is_being_made_is_waited_for(
    store: MaildirStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = index_of(store)
    append(store, "one")
    index = path_of(store).with_name("index.sqlite")
    begin = opening._open

    def empty(path: str, files: Files) -> database.Database:
        monkeypatch.setattr(opening, "_open", begin)
        # Another process has taken it away and made the file, not yet what is in it.
        at_once(store.close())
        index.write_bytes(b"")
        return begin(path, files)

    monkeypatch.setattr(opening, "_open", empty)
    assert count(search, "one") == 1


@pytest.mark.parametrize("version", [2, VERSION + 1])
def test_an_index_of_another_version_is_made_anew(
    store: MaildirStore, version: int
) -> None:
    search = index_of(store)
    append(store, "one")
    assert count(search, "one") == 1
    connection = sqlite3.connect(path_of(store))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("DELETE FROM document")
    connection.commit()
    connection.close()
    assert count(search, "one") == 1
    assert pragma(store, "user_version") == VERSION


def pragma(store: MaildirStore, name: str) -> int:
    with closing(sqlite3.connect(path_of(store))) as connection:
        [[value]] = connection.execute(f"PRAGMA {name}").fetchall()
        return int(value)


def test_room_that_is_of_no_use_is_given_back(store: MaildirStore) -> None:
    search = index_of(store)
    append(store, "one")
    assert count(search, "one") == 1
    with closing(sqlite3.connect(path_of(store))) as connection:
        connection.execute("CREATE TABLE more AS SELECT zeroblob(1 << 20)")
        connection.execute("DROP TABLE more")
        connection.commit()
    assert pragma(store, "freelist_count") > 200
    append(store, "two", came=600.0)
    assert count(search, "two") == 1
    assert pragma(store, "freelist_count") == 0
    assert path_of(store).stat().st_size < 1 << 19


def test_a_conversation_is_on_one_page(store: MaildirStore) -> None:
    search = index_of(store)
    subjects = ["tea", "other", "tea", "Re: other", "Re: tea", "cup"] * 4
    append(store, *subjects)
    for text in ("tea", "te*", "-cup", "is:unread"):
        sought = read(text).sought
        hits = at_once(search.find(ALICE, sought, most=100, grouped=True)).hits
        found: list[Hit] = []
        after = None
        while True:
            page = at_once(search.find(ALICE, sought, after, 1, grouped=True))
            found += page.hits
            after = page.next
            if after is None:
                break
        assert found == list(hits), text


def test_a_rebuilt_index_of_mail_is_read_from_the_start(store: MaildirStore) -> None:
    search = index_of(store)
    append(store, "one", "two")
    assert count(search, "one") == 1
    at_once(store.rebuild(ALICE))
    append(store, "three", came=600.0)
    assert count(search, "three") == 1
    assert count(search, "two") == 1
    assert documents(store) == 3


def test_an_index_that_is_mostly_of_what_is_gone_is_made_anew(
    place: Place, store: MaildirStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "SMALL", 10)
    search = index_of(store)
    append(store, *["tea"] * 12)
    assert count(search, "tea") == 12
    inbox = at_once(store.open(ALICE, INBOX))
    deleted = FlagChange(FlagAction.ADD, frozenset(["\\Deleted"]))
    at_once(inbox.store(ALL_UIDS, deleted))
    at_once(inbox.expunge(ALL_UIDS))
    append(store, "last", came=7200.0)
    search.changed(ALICE)
    place.clock.advance(2.0)
    place.clock.advance(2.0)
    assert documents(store) == 1
    assert count(search, "last") == 1


def test_more_in_an_hour_than_it_has_numbers(store: MaildirStore) -> None:
    search = index_of(store)
    append(store, *["tea"] * (PER_HOUR + 9), came=7200.0)
    assert count(search, "tea") == PER_HOUR + 9
    # Older mail that comes later finds room between, and order stays.
    append(store, "old", "old", came=7200.0)
    append(store, "older", came=60.0)
    found = at_once(search.find(ALICE, Words("old")))
    assert len(found.hits) == 3
    before = AllOf((Words("tea"), Came(before=7205.0)))
    assert count(search, before) == 5
    assert count(search, AllOf((Words("tea"), Came(since=7205.0)))) == PER_HOUR + 4


def test_delivered_mail_is_noticed(place: Place) -> None:
    store = place.store()
    search = index_of(store)
    store.changed = search.changed
    at_once(store.create_account(ALICE))
    search.begin(ALICE)
    content = OctetsContent(letter(1, "Delivered").as_bytes())
    at_once(store.deliver(content, [Placement(ALICE, INBOX)]))
    place.clock.advance(2.0)
    assert documents(store) == 1
    at_once(store.close())


words = st.text(alphabet='ab é東京*"', max_size=7)


@settings(max_examples=25, deadline=None)
@given(st.lists(words, min_size=1, max_size=5), st.lists(words, max_size=4))
def test_an_index_finds_what_reading_finds(texts: list[str], asked: list[str]) -> None:
    folder = tempfile.mkdtemp(dir=MEMORY if os.path.isdir(MEMORY) else None)
    store = Place(Path(folder)).store()
    at_once(store.create_account(ALICE))
    letters = [
        kept(letter(number, "s", text), number) for number, text in enumerate(texts)
    ]
    at_once(store.append(ALICE, INBOX, letters))
    index, plain = index_of(store), PlainSearch(store)
    for text in asked:
        for sought in (Words(text), Words(text, is_phrase=True), read(text).sought):
            one = at_once(index.find(ALICE, sought))
            other = at_once(plain.find(ALICE, sought))
            assert {hit.email_id for hit in one.hits} == {
                hit.email_id for hit in other.hits
            }, (texts, sought)
    at_once(store.close())
    shutil.rmtree(folder)
