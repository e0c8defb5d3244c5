"""The words of the search box."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.finding import OPERATORS, Limits, Note, read
from mailkit.model.finding import (
    Aged,
    AllOf,
    AnyOf,
    Dated,
    Field,
    HasMessageId,
    Labelled,
    Mark,
    Marked,
    Not,
    Sized,
    Sought,
    Unit,
    Within,
    Words,
)

READ = Marked(Mark.READ)


@pytest.mark.parametrize(
    ("text", "sought"),
    [
        ("", AllOf()),
        ("  ", AllOf()),
        ("tea", Words("tea")),
        ("green tea", AllOf((Words("green"), Words("tea")))),
        ('"green  tea"', Words("green tea", is_phrase=True)),
        ('"green tea', Words("green tea", is_phrase=True)),
        ('""', AllOf()),
        ("from:ann", Words("ann", Field.FROM)),
        ("FROM:Ann", Words("Ann", Field.FROM)),
        ('from:"Ann Lee"', Words("Ann Lee", Field.FROM, is_phrase=True)),
        ("to:a@b.example", Words("a@b.example", Field.TO)),
        ("cc:bo", Words("bo", Field.CC)),
        ("bcc:bo", Words("bo", Field.BCC)),
        ("subject:tea", Words("tea", Field.SUBJECT)),
        ("body:tea", Words("tea", Field.BODY)),
        ("filename:plan.pdf", Words("plan.pdf", Field.FILENAME)),
        ("list:garden", Words("garden", Field.LIST)),
        ("has:attachment", Marked(Mark.ATTACHMENT)),
        ("has:star", Marked(Mark.STARRED)),
        ("is:unread", Not(READ)),
        ("is:read", READ),
        ("is:starred", Marked(Mark.STARRED)),
        ("in:spam", Within("spam")),
        ('in:"Work/Old things"', Within("Work/Old things")),
        ("label:studio", Labelled("studio")),
        ("before:2026-03-01", Dated(before=date(2026, 3, 1))),
        ("after:2026/3/1", Dated(since=date(2026, 3, 1))),
        ("older_than:7d", Aged(7, Unit.DAY, is_older=True)),
        ("newer_than:2M", Aged(2, Unit.MONTH, is_older=False)),
        ("older_than:1y", Aged(1, Unit.YEAR, is_older=True)),
        ("larger:5M", Sized(5 << 20, is_larger=True)),
        ("larger:5MB", Sized(5 << 20, is_larger=True)),
        ("smaller:100k", Sized(100 << 10, is_larger=False)),
        ("larger:1g", Sized(1 << 30, is_larger=True)),
        ("larger:300", Sized(300, is_larger=True)),
        ("rfc822msgid:<a:b@c.example>", HasMessageId("a:b@c.example")),
        ("rfc822msgid:a:b@c.example", HasMessageId("a:b@c.example")),
        ("rfc822msgid:a-b@c.example", HasMessageId("a-b@c.example")),
        ("rfc822msgid:-b@c.example", HasMessageId("-b@c.example")),
        ("-tea", Not(Words("tea"))),
        ('-"green tea"', Not(Words("green tea", is_phrase=True))),
        ("-is:unread", Not(Not(READ))),
        ("-(a b)", Not(AllOf((Words("a"), Words("b"))))),
        ("re-use", Words("re-use")),
        ("https://a.example/b?c", Words("https://a.example/b?c")),
        ("- a", AllOf((Words("-"), Words("a")))),
        ("a OR b", AnyOf((Words("a"), Words("b")))),
        ("a OR b OR c", AnyOf((Words("a"), Words("b"), Words("c")))),
        ("a b OR c", AllOf((Words("a"), AnyOf((Words("b"), Words("c")))))),
        ("(a b) OR c", AnyOf((AllOf((Words("a"), Words("b"))), Words("c")))),
        ("a or b", AllOf((Words("a"), Words("or"), Words("b")))),
        ("OR a", Words("a")),
        ("a OR", Words("a")),
        ("(a)", Words("a")),
        ("()", AllOf()),
        ("((a)", Words("a")),
        ("a) b", AllOf((Words("a"), Words("b")))),
        (
            "from:(ann OR bo)",
            AnyOf((Words("ann", Field.FROM), Words("bo", Field.FROM))),
        ),
        ('from:(-"bo")', Not(Words("bo", Field.FROM, is_phrase=True))),
        ("from: ann", Words("ann")),
        ("from:", AllOf()),
        ("(from:)", AllOf()),
        ('from:""', AllOf()),
        ("-from:", AllOf()),
        ('-"" a', Words("a")),
    ],
)
def test_what_is_typed_is_understood(text: str, sought: Sought) -> None:
    understood = read(text)
    assert understood.sought == sought
    assert understood.notes == ()
    assert not understood.is_cut


@pytest.mark.parametrize(
    ("text", "sought", "note"),
    [
        ("colour:red", Words("colour:red"), Note("colour", "red")),
        ("has:wings", Words("has:wings"), Note("has", "wings")),
        ("is:odd", Words("is:odd"), Note("is", "odd")),
        ("in:", Words("in:"), Note("in", "")),
        ("label: x", AllOf((Words("label:"), Words("x"))), Note("label", "")),
        ("before:soon", Words("before:soon"), Note("before", "soon")),
        ("after:2026-02-30", Words("after:2026-02-30"), Note("after", "2026-02-30")),
        ("older_than:7w", Words("older_than:7w"), Note("older_than", "7w")),
        ("larger:big", Words("larger:big"), Note("larger", "big")),
        ("rfc822msgid:<>", Words("rfc822msgid:<>"), Note("rfc822msgid", "<>")),
        ("odd:(a)", AllOf((Words("odd:"), Words("a"))), Note("odd", "")),
    ],
)
def test_what_is_no_operator_is_a_word(text: str, sought: Sought, note: Note) -> None:
    understood = read(text)
    assert understood.sought == sought
    assert understood.notes == (note,)


def test_too_much_is_cut_and_said() -> None:
    assert read("a b c", Limits(terms=2)).sought == AllOf((Words("a"), Words("b")))
    assert read("a b c", Limits(terms=2)).is_cut
    assert read("abc", Limits(characters=2)).sought == Words("ab")
    assert read("abc", Limits(characters=2)).is_cut


def test_brackets_nest_so_deep_and_no_deeper() -> None:
    assert read("(" * 1000 + "a").sought == Words("a")
    assert read("(((a) b) c)", Limits(depth=1)).sought == AllOf(
        (Words("a"), Words("b"), Words("c"))
    )


def test_every_operator_is_told() -> None:
    assert "from" in OPERATORS
    assert "older_than" in OPERATORS


@given(st.text(alphabet='ab:-()" ORfromin', max_size=60))
def test_anything_means_something(text: str) -> None:
    read(text)


@given(st.text(max_size=200))
def test_any_text_means_something(text: str) -> None:
    read(text)
