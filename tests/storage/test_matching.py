"""Search keys against facts and octets."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.flags import Flags
from mailkit.model.query import (
    AllOf,
    AnyOf,
    BodyContains,
    Everything,
    HasFlag,
    HeaderContains,
    Larger,
    Not,
    Query,
    Sent,
    Smaller,
    TextContains,
    Uids,
)
from mailkit.model.uidset import UIDSet
from mailkit.storage.matching import Matcher, fold


class Row(NamedTuple):
    """What a store would know."""

    uid: int = 1
    mod_seq: int = 1
    flags: Flags = frozenset()
    size: int = 100
    internal_date: int = 0
    save_date: int = 0
    email_id: str = "M1"
    thread_id: str = "T1"


ROW = Row()


def found(query: Query, octets: bytes) -> bool:
    return Matcher(query).by_octets(ROW, octets)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ABC", "abc"),
        ("Straße", "STRASSE"),
        ("Ä", "A\u0308"),
        ("ﬁne", "FINE"),
        ("ＡＢＣ", "abc"),
        ("ΣΑΣ", "σας"),
        ("Ｉ", "i"),
    ],
)
def test_texts_that_are_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        (Everything(), True),
        (Larger(50), True),
        (TextContains("x"), None),
        (Not(TextContains("x")), None),
        (AllOf((TextContains("x"), Larger(200))), False),
        (AllOf((TextContains("x"), Larger(50))), None),
        (AnyOf((TextContains("x"), Larger(50))), True),
        (AnyOf((TextContains("x"), Larger(200))), None),
        (AnyOf(()), False),
        (AllOf(()), True),
        (Not(AllOf((HasFlag("\\Seen"), BodyContains("x")))), True),
    ],
)
def test_facts_decide_where_they_can(query: Query, answer: bool | None) -> None:
    assert Matcher(query).by_facts(ROW) is answer


def test_octets_are_read_only_if_they_decide() -> None:
    def read() -> bytes:
        raise AssertionError("read")

    assert Matcher(AnyOf((Larger(50), TextContains("x")))).matches(ROW, read)
    assert not Matcher(AllOf((Larger(500), TextContains("x")))).matches(ROW, read)
    assert Matcher(TextContains("x")).matches(ROW, lambda: b"\r\nx")


MESSAGE_INSIDE = (
    b"Content-Type: message/rfc822\r\n\r\nSubject: =?utf-8?B?w4Q=?= inside\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=96l\r\n"
)


@pytest.mark.parametrize(
    ("query", "octets"),
    [
        (HeaderContains("subject", "a  b"), b"Subject: a\r\n  b\r\n\r\n"),
        (HeaderContains("X", "2"), b"X: 1\r\nX: 2\r\n\r\n"),
        (HeaderContains("Subject", "ä"), b"Subject: \xc3\x84\r\n\r\n"),
        (TextContains("subject: hallo"), b"Subject: Hallo\r\n\r\n"),
        (TextContains("ä\nto"), b"Subject: =?utf-8?Q?=C3=84?=\r\nTo: x\r\n\r\n"),
        (TextContains("long line"), b"X: long\r\n line\r\n\r\n"),
        (BodyContains("ä inside"), MESSAGE_INSIDE),
        (BodyContains("öl"), MESSAGE_INSIDE),
        (BodyContains("geheim"), b"Content-Type: text/x-y\r\n\r\nGeheim"),
        (
            BodyContains("final"),
            b"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: x\r\n",
        ),
        (
            BodyContains("kept"),
            b"Content-Transfer-Encoding: x-uuencode\r\n\r\nkept as it is",
        ),
        (BodyContains("日本"), "Subject: x\r\n\r\n日本語".encode()),
        (Sent(), b"Date: 1 Jan 2026 00:00:00 +0000\r\n\r\n"),
    ],
)
def test_what_is_found(query: Query, octets: bytes) -> None:
    assert found(query, octets)


@pytest.mark.parametrize(
    ("query", "octets"),
    [
        (HeaderContains("X", "text"), b"Y: text\r\n\r\nX: text"),
        (BodyContains("text"), b"Subject: text\r\n\r\n"),
        (BodyContains("secret"), b"Content-Type: image/png\r\n\r\nsecret"),
        (Sent(), b"Subject: no date\r\n\r\n"),
        (Sent(), b"Date: some day\r\n\r\n"),
    ],
)
def test_what_is_not_found(query: Query, octets: bytes) -> None:
    assert not found(query, octets)


_LEAVES: list[Query] = [
    Everything(),
    HasFlag("\\Seen"),
    Larger(50),
    Smaller(50),
    Uids(UIDSet.of([1])),
    TextContains("a"),
    BodyContains("a"),
    HeaderContains("a", "a"),
    Sent(),
]
_QUERIES = st.recursive(
    st.sampled_from(_LEAVES),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(AllOf, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=3).map(tuple)),
    ),
    max_leaves=8,
)


def told(query: Query, octets: bytes) -> bool:
    """What a query means, one leaf at a time."""
    match query:
        case Not(inner):
            return not told(inner, octets)
        case AllOf(queries):
            return all([told(inner, octets) for inner in queries])
        case AnyOf(queries):
            return any([told(inner, octets) for inner in queries])
        case _:
            return found(query, octets)


@given(
    _QUERIES, st.sampled_from([b"\r\n", b"\r\na", b"a: a\r\n\r\n", b"b: a\r\n\r\nb"])
)
def test_what_facts_say_is_never_taken_back(query: Query, octets: bytes) -> None:
    whole = Matcher(query).by_octets(ROW, octets)
    assert whole is told(query, octets)
    assert Matcher(query).by_facts(ROW) in (None, whole)


@given(st.binary(), st.sampled_from(_LEAVES))
def test_garbage_never_raises(octets: bytes, query: Query) -> None:
    assert found(query, octets) in (True, False)
