"""What belongs to one person, in ``account.sqlite``; an older one is changed."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from twisted.trial.unittest import TestCase

from mailkit.errors import StorageBroken, TooMany
from mailkit.interfaces.personal import IPersonal
from mailkit.model.conversation import Person
from mailkit.model.label import Label
from mailkit.model.mailbox import INBOX
from mailkit.model.preferences import DEFAULTS, Preferences
from mailkit.model.snooze import Snooze
from mailkit.storage.maildir import aside
from mailkit.storage.maildir.personal import MaildirPersonal
from mailkit.storage.personal import choices, people
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.personal import PersonalContract
from mailkit.testing.lanes import DirectLanes
from tests.storage.maildir.conftest import MEMORY
from tests.storage.maildir.doubles import ALICE, BOB, Place


def _personal(place: Place) -> MaildirPersonal:
    """As another process, or the next one, opens it."""
    return MaildirPersonal(place.store(), DirectLanes(), place.data)


class MaildirPersonalTests(PersonalContract, TestCase):
    """All of it."""

    def make_personal(self) -> IPersonal:
        folder = tempfile.mkdtemp(dir=MEMORY if Path(MEMORY).is_dir() else None)
        self.addCleanup(shutil.rmtree, folder)
        return _personal(Place(Path(folder)))


def test_it_is_there_after_a_restart(folder: Path) -> None:
    place = Place(folder)
    before = _personal(place)
    label = Label("$l_work", "Work", 2, 0)
    at_once(before.put_labels(ALICE, [label]))
    at_once(before.snooze(ALICE, [Snooze("M1", NEW_YEAR + 10, INBOX)]))
    at_once(before.close())
    after = _personal(place)
    assert list(at_once(after.labels(ALICE))) == [label]
    assert at_once(after.next_due()) == NEW_YEAR + 10
    assert list(at_once(after.due(NEW_YEAR + 10, 5))) == [ALICE]


def test_an_older_file_is_changed(folder: Path) -> None:
    place = Place(folder)
    at_once(place.store().create_account(ALICE))
    path = folder / "mail/example.org/alice/account.sqlite"
    with closing(sqlite3.connect(path)) as database:
        for table in ("preference", "label", "identity", "trusted", "correspondent"):
            database.execute(f"DROP TABLE {table}")
        database.execute("DROP TABLE search")
        for table in ("correspondent_word", "snooze", "woken", "undo", "muted"):
            database.execute(f"DROP TABLE {table}")
        database.execute("PRAGMA user_version = 1")
        before = database.execute("SELECT count(*) FROM subscription").fetchone()
    personal = _personal(place)
    at_once(personal.change(ALICE, Preferences(density=44)))
    assert at_once(personal.preferences(ALICE)).density == 44
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (aside.VERSION,)
        after = database.execute("SELECT count(*) FROM subscription").fetchone()
    assert before == after


def test_a_newer_file_is_refused(folder: Path) -> None:
    place = Place(folder)
    at_once(place.store().create_account(ALICE))
    path = folder / "mail/example.org/alice/account.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {aside.VERSION + 1}")
    with pytest.raises(StorageBroken, match="newer version"):
        at_once(_personal(place).preferences(ALICE))


def test_two_processes_see_the_same(folder: Path) -> None:
    place = Place(folder)
    one, other = _personal(place), _personal(place)
    assert at_once(one.preferences(ALICE)) == DEFAULTS
    at_once(other.change(ALICE, Preferences(grouped=False)))
    assert not at_once(one.preferences(ALICE)).grouped


def test_a_message_is_never_put_off_without_a_time_to_look(folder: Path) -> None:
    place = Place(folder)
    personal = _personal(place)
    at_once(personal.snooze(BOB, [Snooze("M1", NEW_YEAR, INBOX)]))
    with closing(sqlite3.connect(folder / "waking.sqlite")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON waking BEGIN"
            " SELECT raise(ABORT, 'no room'); END"
        )
    with pytest.raises(StorageBroken):
        at_once(personal.snooze(ALICE, [Snooze("M1", NEW_YEAR, INBOX)]))
    assert not at_once(personal.snoozes(ALICE))


def test_a_lost_table_of_times_is_made_again(folder: Path) -> None:
    place = Place(folder)
    before = _personal(place)
    at_once(before.note_settled())
    at_once(before.snooze(ALICE, [Snooze("M1", NEW_YEAR, INBOX)]))
    at_once(before.close())
    for path in folder.glob("waking.sqlite*"):
        path.unlink()
    after = _personal(place)
    assert not at_once(after.is_settled())
    assert not at_once(after.due(NEW_YEAR, 5))
    at_once(after.settle(ALICE))
    assert list(at_once(after.due(NEW_YEAR, 5))) == [ALICE]


def test_the_least_known_are_forgotten(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "MOST", 10)
    monkeypatch.setattr(people, "_FORGOTTEN_AT_ONCE", 2)
    personal = _personal(Place(folder))
    at_once(personal.hide(ALICE, "hidden@example.net"))
    for number in range(10):
        person = Person(f"N{number}", f"n{number}@example.net")
        for _ in range(number + 1):
            at_once(personal.note(ALICE, [person], NEW_YEAR, is_sent=True))
    found = at_once(personal.suggest(ALICE, "", 50, NEW_YEAR))
    assert [one.name for one in found] == [f"N{n}" for n in range(9, 1, -1)]
    hidden = Person("Hidden", "hidden@example.net")
    at_once(personal.note(ALICE, [hidden], NEW_YEAR, is_sent=True))
    assert not at_once(personal.suggest(ALICE, "hid", 5, NEW_YEAR))


def test_trust_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MOST_TRUSTED", 2)
    personal = _personal(Place(folder))
    for number in (1, 2, 2):
        at_once(personal.trust(ALICE, f"{number}@example.net"))
    with pytest.raises(TooMany):
        at_once(personal.trust(ALICE, "3@example.net"))
    assert len(at_once(personal.trusted(ALICE))) == 2


@pytest.mark.parametrize("wide", [1, 1000])
def test_whom_letters_mean_that_many_begin_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, wide: int
) -> None:
    """Both ways to look give the same people."""
    monkeypatch.setattr(people, "_WIDE", wide)
    personal = _personal(Place(folder))
    met = [Person("Anna Berg", "a@x.example"), Person("Anton Carl", "b@x.example")]
    at_once(personal.note(ALICE, met, NEW_YEAR, True))
    at_once(personal.note(ALICE, met[1:], NEW_YEAR, True))
    at_once(personal.note(ALICE, [Person("Anja", "c@x.example")], NEW_YEAR, True))
    at_once(personal.hide(ALICE, "c@x.example"))
    found = {}
    for typed in ("an", "an be", "zz", ""):
        suggested = at_once(personal.suggest(ALICE, typed, 8, NEW_YEAR))
        found[typed] = [one.address[0] for one in suggested]
    assert found == {"an": ["b", "a"], "an be": ["a"], "zz": [], "": ["b", "a"]}
