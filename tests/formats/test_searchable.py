"""What of a message is found by its words."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.htmltext import words
from mailkit.formats.searchable import (
    ATTACHED,
    Limits,
    Searchable,
    cut,
    fold,
    is_single,
    message_token,
    searchable,
    tokens,
    wanted,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("Green TEA", ["green", "tea"]),
        ("plan-v2.pdf", ["plan", "v2", "pdf"]),
        ("snake_case", ["snake", "case"]),
        ("Straße", ["strasse"]),
        ("CAFÉ cafe\u0301", ["cafe", "cafe"]),
        ("ﬁne №", ["fine", "no"]),
        ("２０２６", ["2026"]),
        ("Ελλάδα", ["ελλαδα"]),
        ("שָׁלוֹם", ["שלום"]),
        ("東京都", ["東京", "京都", "都"]),
        ("a東b", ["a", "東", "b"]),
        ("カフェ", ["カフ", "フェ", "ェ"]),
        ("한국어", ["한국", "국어", "어"]),
        ("\U00020000\U00020001", ["\U00020000\U00020001", "\U00020001"]),
    ],
)
def test_words_are_compared_in_one_form(text: str, found: list[str]) -> None:
    assert tokens(text) == found


def test_one_character_of_a_script_without_spaces() -> None:
    assert is_single("東")
    assert not is_single("a")
    assert not is_single("東京")


@given(st.text(max_size=50))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    cut(fold(text))


def of(message: EmailMessage) -> Searchable:
    return searchable(message.as_bytes())


def test_each_field_has_its_words() -> None:
    message = EmailMessage()
    message["From"] = '"Jürgen, Köln" <juergen@far.example>'
    message["Reply-To"] = "office@far.example"
    message["To"] = '"Anna (home)" <anna@example.test>, bo@example.test'
    message["Cc"] = "Club: cy@example.test;"
    message["Bcc"] = "di@example.test"
    message["Subject"] = "Grüße"
    message["List-Id"] = "Garden <garden.example>"
    message["Message-ID"] = "<A1@far.example>"
    message.set_content("Words.")
    found = of(message)
    assert {"jurgen", "koln", "juergen", "far", "office"} <= set(tokens(found.sender))
    assert {"anna", "home", "bo"} <= set(tokens(found.to))
    assert {"club", "cy"} <= set(tokens(found.cc))
    assert "di" in tokens(found.bcc)
    assert tokens(found.subject) == ["grusse"]
    assert "garden" in tokens(found.list)
    assert found.marks == message_token("a1@FAR.example")
    assert tokens(found.body) == ["words"]
    assert found.filename == ""


def test_files_are_found_by_name_and_messages_inside_by_subject() -> None:
    message = EmailMessage()
    message.set_content("Words.")
    message.add_attachment(b"x", "application", "pdf", filename="Überblick.pdf")
    inner = EmailMessage()
    inner["Subject"] = "Inner matter"
    inner.set_content("Deep words.")
    message.add_attachment(inner)
    found = of(message)
    assert tokens(found.filename) == ["uberblick", "pdf"]
    assert found.marks.endswith(f" {ATTACHED}")
    assert tokens(found.body) == ["words", "inner", "matter", "deep", "words"]
    assert found.subject == ""


def test_a_name_may_be_in_the_type() -> None:
    found = searchable(
        b'Content-Type: application/pdf; name="=?utf-8?Q?Gr=C3=BC=C3=9Fe?=.pdf"\n\nx'
    )
    assert tokens(found.filename) == ["grusse", "pdf"]


def test_parts_are_decoded() -> None:
    message = EmailMessage()
    message.set_content("Grüße aus Oslo.", cte="base64")
    assert tokens(of(message).body) == ["grusse", "aus", "oslo"]


def test_what_is_said_twice_is_kept_once() -> None:
    message = EmailMessage()
    message.set_content("Frost is coming on Tuesday night.")
    message.add_alternative("<p>Frost is coming on Tuesday night.</p>", subtype="html")
    assert of(message).body.count("frost") == 1


def test_what_only_one_form_says_is_found_in_both() -> None:
    message = EmailMessage()
    message.set_content("Look at it in your browser.")
    message.add_alternative("<p>Frost is coming.</p>", subtype="html")
    assert {"browser", "frost"} <= set(tokens(of(message).body))


def test_other_alternatives_are_all_read() -> None:
    message = EmailMessage()
    message.set_content("Plain.")
    message.add_alternative("<p>Page.</p>", subtype="html")
    message.add_alternative("BEGIN:VCALENDAR", subtype="calendar")
    assert {"plain", "page", "vcalendar"} <= set(tokens(of(message).body))


def test_text_has_a_limit_and_encoded_runs_are_no_words() -> None:
    message = EmailMessage()
    message.set_content("one two three")
    message.add_attachment("four", subtype="plain")
    found = searchable(message.as_bytes(), Limits(text=8))
    assert tokens(found.body) == ["one", "two"]
    assert tokens(searchable(b"\n" + b"QUJD" * 30 + b" end").body) == ["end"]


def test_a_list_of_people_has_a_limit() -> None:
    octets = b"To: " + b", ".join(b"p%d@a.example" % n for n in range(2000)) + b"\n\n"
    assert len(searchable(octets, Limits(people=100)).to) <= 100


def test_words_of_a_page() -> None:
    assert words("<p>Fro<b>st</b> &amp; ice<br>now</p>").split() == [
        "Frost",
        "&",
        "ice",
        "now",
    ]


@given(st.binary(max_size=300))
def test_garbage_has_words_too(octets: bytes) -> None:
    searchable(octets)


@pytest.mark.parametrize(
    ("text", "is_phrase", "found", "is_beginning"),
    [
        ("", False, (), False),
        ("!*", False, (), False),
        ("te", False, ("te",), False),
        ("tea", False, ("tea",), True),
        ("tea", True, ("tea",), False),
        ("green te*", True, ("green", "te"), True),
        ("京", False, ("京",), True),
        ("東京", True, ("東京",), False),
        ("東京*", False, ("東京", "京"), True),
    ],
)
def test_words_that_are_looked_for(
    text: str, is_phrase: bool, found: tuple[str, ...], is_beginning: bool
) -> None:
    assert wanted(text, is_phrase=is_phrase) == (found, is_beginning)
