"""Recipients as they are typed and pasted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import recipients
from mailkit.formats.recipients import Typed
from tests.formats.garbage import anything

PASTED = [
    ("", []),
    (" , ;; ", []),
    (
        "A <a@x.example>, b@y.example; c@z.example",
        [("A", "a@x.example"), ("", "b@y.example"), ("", "c@z.example")],
    ),
    ("a@x.example\r\nb@x.example\n", [("", "a@x.example"), ("", "b@x.example")]),
    ("a@x.example b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
    ('"Doe, Jane" <jane@x.example>', [("Doe, Jane", "jane@x.example")]),
    ("Jane (home) <jane@x.example>", [("Jane", "jane@x.example")]),
    ("jane@x.example (Jane)", [("Jane", "jane@x.example")]),
    ("a@x.example, A <A@X.example>", [("", "a@x.example")]),
    ("Team: a@x.example, b@x.example;", [("", "a@x.example"), ("", "b@x.example")]),
    ("ä@bücher.example", [("", "ä@bücher.example")]),
    ("a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
    ("=?utf-8?Q?J=C3=B6rg?= <j@x.example>", [("Jörg", "j@x.example")]),
    ("a@home", [("", "a@home")]),
]


@pytest.mark.parametrize(("text", "people"), PASTED)
def test_pasted(text: str, people: list[tuple[str, str]]) -> None:
    typed = recipients.parse(text, ours={"home"})
    assert [(each.name, each.address) for each in typed] == people
    assert all(each.is_good for each in typed)


BAD = [
    "bob",
    "bob@",
    "@example.org",
    "bob@example",
    "bob@.example.org",
    "bob@exam ple.org",
    "bob@example.org anna",
    "bob anna@example.org",
    "bob anna@example.org carl@example.org",
    ".bob@example.org",
    "bob.@example.org",
    "b..b@example.org",
    '"b b"@example.org',
    "bob@-x.example",
    "bob@ex_ample!.org",
    "bob@[nowhere]",
    "x" * 65 + "@example.org",
    f"bob@{'x' * 64}.example",
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_address(text: str) -> None:
    assert not any(each.is_good for each in recipients.parse(text))


def test_good_ones_are_kept() -> None:
    typed = recipients.parse("a@x.example, bob")
    assert recipients.good(typed) == (("", "a@x.example"),)
    assert [each.words for each in typed] == ["a@x.example", "bob"]
    assert Typed("A", "a@x.example", True).words == "A"


def test_endless_words_take_linear_time() -> None:
    """With quadratic work this would run for minutes."""
    assert len(recipients.parse("b " + "a" * 500_000)) == 1


def test_written_as_it_may_be_typed() -> None:
    people = (('A "b" \\ c, d', "a@x.example"), ("", "b@x.example"))
    written = recipients.write(people)
    assert written == '"A \\"b\\" \\\\ c, d" <a@x.example>, b@x.example'
    assert recipients.good(recipients.parse(written)) == people


@anything
@given(st.text())
def test_anything_is_read(text: str) -> None:
    typed = recipients.parse(text)
    again = recipients.parse(recipients.write(recipients.good(typed)))
    assert [each.address for each in again] == [
        each.address for each in typed if each.is_good
    ]
