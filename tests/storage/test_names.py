"""Names of mailboxes, and the folders they live in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import CannotName
from mailkit.model.mailbox import MailboxName
from mailkit.storage import names


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Sent", ".Sent"),
        ("Work/2026", ".Work.2026"),
        ("a.b/c", ".a%2Eb.c"),
        ("100%", ".100%25"),
        ("%2E", ".%252E"),
        ("..", ".%2E%2E"),
        ("Entwürfe", ".Entwürfe"),
    ],
)
def test_folders(name: str, folder: str) -> None:
    assert names.folder(name) == folder
    assert names.unfolder(folder) == name


@given(st.text(min_size=1))
def test_every_name_comes_back_from_its_folder(text: str) -> None:
    try:
        name = names.checked(text)
    except CannotName:
        return
    folder = names.folder(name)
    assert "/" not in folder
    assert len(folder.encode()) <= names.MOST_OCTETS
    assert names.unfolder(folder) == name
    assert names.checked(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "/", "a/", "/a", "a//b", "a\x00b", "a\x7f", "\u2028", "\ud800", "é" * 125],
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(CannotName):
        names.checked(name)


def test_the_inbox_has_one_name() -> None:
    assert names.checked("inbox") == "INBOX"
    assert names.checked("Inbox/Below") == "INBOX/Below"
    assert names.checked("Inboxes/Below") == "Inboxes/Below"


def test_how_names_hang_together() -> None:
    name = MailboxName("a/b/c")
    assert list(names.above(name)) == ["a", "a/b"]
    assert names.is_below(name, MailboxName("a/b"))
    assert not names.is_below(MailboxName("a/bc"), MailboxName("a/b"))
    listed = sorted(map(MailboxName, ["Z", "A", "INBOX"]), key=names.in_order)
    assert listed == ["INBOX", "A", "Z"]
