"""Settings: general, labels, folders."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from mailkit.model.mailbox import MailboxName
from mailkit.model.preferences import DEFAULTS, Preferences, Theme
from mailkit.testing.at_once import at_once
from mailkit.web.webmail.general import ZONES
from tests.web.test_acting import Desk
from tests.web.world import ALICE, Heard

GENERAL = "/settings/general"
LABELS = "/settings/labels"
FOLDERS = "/settings/folders"

Form = dict[str, str]


def _send(desk: Desk, path: str, form: Form) -> Heard:
    return desk.world.post(path, form, action="settings")


def _labels(desk: Desk) -> list[tuple[str, int]]:
    found = at_once(desk.world.house.sorting.labels.labels(ALICE))
    return [(one.name, one.colour) for one in found]


def _folders(desk: Desk) -> list[str]:
    found = at_once(desk.world.house.sorting.folders.folders(ALICE))
    return [str(one.name) for one in found]


# --- general ---


def _form(chosen: Preferences) -> Form:
    """As the page sends it: what is not ticked is not there."""
    texts = chosen.to_texts()
    texts.pop("tips_dismissed")
    return {name: text for name, text in texts.items() if text != "false"}


def test_the_page_shows_what_is_chosen_and_keeps_what_is_sent() -> None:
    desk = Desk()
    page = desk.world.get(GENERAL).text
    assert re.search(r'<option value="auto" selected>', page)
    chosen = Preferences(
        language="en",
        time_zone="Europe/Oslo",
        density=44,
        theme=Theme.DARK,
        grouped=False,
        shortcuts=False,
        undo_seconds=20,
    )
    heard = _send(desk, GENERAL, _form(chosen))
    assert (heard.status, heard.location) == (303, f"{GENERAL}?saved=1")
    assert at_once(desk.world.personal.preferences(ALICE)) == chosen
    page = desk.world.get(heard.location).text
    assert "Saved." in page
    assert "<option selected>Europe/Oslo</option>" in page
    assert '<option value="dark" selected>' in page
    assert not re.search(r'name="grouped" value="1" checked', page)


def test_what_is_not_asked_for_stays() -> None:
    desk = Desk()
    at_once(desk.world.personal.change(ALICE, Preferences(tips_dismissed=True)))
    _send(desk, GENERAL, _form(DEFAULTS))
    assert at_once(desk.world.personal.preferences(ALICE)).tips_dismissed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("theme", "purple"),
        ("time_zone", "Mars/Olympus"),
        ("language", "tlh"),
        ("density", "48"),
        ("undo_seconds", "4000"),
    ],
)
def test_what_cannot_be_chosen_changes_nothing(name: str, value: str) -> None:
    desk = Desk()
    heard = _send(desk, GENERAL, {**_form(Preferences(density=44)), name: value})
    assert heard.status == 400
    assert at_once(desk.world.personal.preferences(ALICE)) == DEFAULTS


def test_zones_are_those_of_places() -> None:
    assert "Europe/Oslo" in ZONES
    assert not any(name.startswith(("Etc/", "posix", "right/")) for name in ZONES)


# --- labels ---


def test_labels_are_made_changed_and_put_in_order() -> None:
    desk = Desk()
    assert "There are no labels yet." in desk.world.get(LABELS).text
    _send(desk, LABELS, {"name": "Travel", "colour": "3"})
    _send(desk, LABELS, {"name": "Räum & <b>", "colour": "0"})
    assert _labels(desk) == [("Travel", 3), ("Räum & <b>", 2)]
    page = desk.world.get(LABELS).text
    assert "Räum &amp; &lt;b&gt;" in page
    heard = _send(desk, f"{LABELS}/one/travel", {"name": "Trips", "colour": "6"})
    assert heard.location == LABELS
    _send(desk, f"{LABELS}/one/travel", {"do": "down"})
    assert _labels(desk) == [("Räum & <b>", 2), ("Trips", 6)]
    _send(desk, f"{LABELS}/one/travel", {"do": "up"})
    assert _labels(desk)[0] == ("Trips", 6)
    assert _send(desk, f"{LABELS}/one/travel", {"do": "fly"}).status == 400
    assert _send(desk, LABELS, {"name": "x", "colour": "7"}).status == 400


def test_a_label_of_another_program_is_given_a_name() -> None:
    desk = Desk()
    desk.put("one", "Todo")
    desk.world.personal._keywords_of = lambda account: {"Todo"}
    assert "from a mail program" in desk.world.get(LABELS).text
    _send(desk, f"{LABELS}/one/{quote('~Todo')}", {"name": "To do", "colour": "1"})
    assert _labels(desk) == [("To do", 1)]
    assert "from a mail program" not in desk.world.get(LABELS).text


def test_a_label_is_deleted_and_comes_back() -> None:
    desk = Desk()
    _send(desk, LABELS, {"name": "Travel", "colour": "3"})
    desk.put("one", "$l_travel")
    heard = _send(desk, f"{LABELS}/one/travel", {"do": "delete"})
    assert desk.flags() == [set()]
    page = desk.world.get(heard.location).text
    assert "Label Travel deleted" in page
    desk.act(("back", LABELS), path=f"/undo/{desk.token_of(heard)}")
    assert desk.flags() == [{"$l_travel"}]
    assert _labels(desk) == [("Travel", 3)]


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [
        (LABELS, "travel", "label of that name already"),
        (LABELS, "", "1 to 100 letters"),
        (f"{LABELS}/one/work", "TRAVEL", "label of that name already"),
        (f"{LABELS}/one/work", "x" * 101, "1 to 100 letters"),
    ],
)
def test_what_no_label_can_be_called(path: str, name: str, words: str) -> None:
    desk = Desk()
    _send(desk, LABELS, {"name": "Travel", "colour": "1"})
    _send(desk, LABELS, {"name": "Work", "colour": "1"})
    heard = _send(desk, path, {"name": name, "colour": "1"})
    assert heard.status == 422
    assert words in heard.text
    assert 'aria-invalid="true"' in heard.text


def test_labels_have_an_end() -> None:
    desk = Desk()
    for number in range(500):
        at_once(desk.world.house.sorting.labels.create(ALICE, f"Label {number}"))
    heard = _send(desk, LABELS, {"name": "One more", "colour": "1"})
    assert "as many labels as there can be" in heard.text


# --- folders ---


def test_folders_are_made_nested_renamed() -> None:
    desk = Desk()
    assert "There are no folders yet." in desk.world.get(LABELS).text
    _send(desk, FOLDERS, {"name": "Work", "above": ""})
    _send(desk, FOLDERS, {"name": "Notes", "above": "Work"})
    assert _folders(desk) == ["Work", "Work/Notes"]
    page = desk.world.get(LABELS).text
    assert 'value="Work/Notes"' in page
    form = {"folder": "Work/Notes", "name": "Notizen", "above": ""}
    heard = _send(desk, f"{FOLDERS}/one", form)
    assert _folders(desk) == ["Notizen", "Work"]
    assert "Folder Notizen changed" in desk.world.get(heard.location).text
    desk.act(("back", LABELS), path=f"/undo/{desk.token_of(heard)}")
    assert _folders(desk) == ["Work", "Work/Notes"]


def test_a_folder_is_deleted_and_comes_back() -> None:
    desk = Desk()
    _send(desk, FOLDERS, {"name": "Work", "above": ""})
    desk.put("job", to=MailboxName("Work"))
    heard = _send(desk, f"{FOLDERS}/one", {"folder": "Work", "do": "delete"})
    assert _folders(desk) == ["Trash/Work"]
    navigation, _, page = desk.world.get(LABELS).text.partition("<main")
    assert "Trash/Work" not in navigation
    assert "Put folder Work back" in page
    form = {"folder": "Trash/Work", "name": "Work", "above": ""}
    back = _send(desk, f"{FOLDERS}/one", form)
    assert _folders(desk) == ["Work"]
    desk.act(("back", LABELS), path=f"/undo/{desk.token_of(back)}")
    assert _folders(desk) == ["Trash/Work"]
    desk.act(("back", LABELS), path=f"/undo/{desk.token_of(heard)}")
    assert desk.subjects(MailboxName("Work")) == ["job"]


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        (FOLDERS, {"name": "Inbox"}, "folder of that name already"),
        (FOLDERS, {"name": "a/b"}, "cannot be called that"),
        (
            f"{FOLDERS}/one",
            {"folder": "Work", "name": "Trash", "above": ""},
            "folder of that name already",
        ),
        (
            f"{FOLDERS}/one",
            {"folder": "Work", "name": "Work", "above": "Work"},
            "cannot be called that",
        ),
    ],
)
def test_what_no_folder_can_be_called(path: str, form: Form, words: str) -> None:
    desk = Desk()
    _send(desk, FOLDERS, {"name": "Work", "above": ""})
    heard = _send(desk, path, form)
    assert heard.status == 422
    assert words in heard.text


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"folder": "INBOX", "do": "delete"}, 403),
        ({"folder": "Nowhere", "do": "delete"}, 404),
        ({"folder": "Nowhere", "name": "x", "above": ""}, 404),
        ({"folder": "Work", "do": "fly"}, 400),
    ],
)
def test_what_cannot_be_done_to_a_folder(form: Form, status: int) -> None:
    assert _send(Desk(), f"{FOLDERS}/one", form).status == status
