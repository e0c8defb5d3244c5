"""SASLprep (RFC 4013) and OpaqueString (RFC 8265)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis.strategies import text

from mailkit.errors import Malformed
from mailkit.protocols.sasl.prepare import (
    opaque_string,
    password_forms,
    saslprep,
    scram_form,
)

SASLPREP = [  # RFC 4013 §3
    ("I\u00adX", "IX"),
    ("user", "user"),
    ("USER", "USER"),
    ("\u00aa", "a"),
    ("\u2168", "IX"),
    ("\u0007", None),
    ("\u0627\u0031", None),
    ("\u0627\u0031\u0628", "\u0627\u0031\u0628"),
    ("\u0627a\u0628", None),
    ("1\u0627", None),
    ("a\u00a0b", "a b"),
    ("\u3000", " "),
    ("", ""),
    ("\ue000", None),
    ("\ud800", None),
    ("\U0001f600", "\U0001f600"),
]

OPAQUE = [  # RFC 8265 §4.3, and rules of RFC 8264 §8
    ("correct horse battery staple", "correct horse battery staple"),
    ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
    ("\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"),
    ("Jack of \u2666s", "Jack of \u2666s"),
    ("foo\u1680bar", "foo bar"),
    ("", None),
    ("my cat is a \u0009by", None),
    ("a\u0308", "\u00e4"),
    ("\u2168", "\u2168"),
    ("\U0001f600", "\U0001f600"),
    ("\u00ad", None),
    ("\u1100\u1161", "\uac00"),
    ("\u1100", None),
    ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
    ("a\u200db", None),
    ("\u200d", None),
    ("\ue000", None),
    ("\ud800", None),
    ("\uffff", None),
    ("\u0378", None),
]


def check(prepare: Callable[[str], str], given_text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Malformed):
            prepare(given_text)
    else:
        assert prepare(given_text) == expected


@pytest.mark.parametrize(("given_text", "expected"), SASLPREP)
def test_saslprep(given_text: str, expected: str | None) -> None:
    check(saslprep, given_text, expected)


@pytest.mark.parametrize(("given_text", "expected"), OPAQUE)
def test_opaque_string(given_text: str, expected: str | None) -> None:
    check(opaque_string, given_text, expected)


def test_stored_strings_have_no_unassigned_characters() -> None:
    """RFC 3454 §7: what Unicode 3.2 did not know."""
    assert saslprep("\u00e4", allow_unassigned=False) == "\u00e4"
    with pytest.raises(Malformed):
        saslprep("\U0001f600", allow_unassigned=False)


FORMS = [
    ("secret", ("secret",)),
    ("\u00e4", ("\u00e4",)),
    ("a\u0308", ("\u00e4", "a\u0308")),
    ("\u2168", ("\u2168", "IX")),
    ("a\u0308\u2168", ("\u00e4\u2168", "\u00e4IX", "a\u0308\u2168")),
    ("\u0007", ("\u0007",)),
    ("\ud800", ()),
]


@pytest.mark.parametrize(("password", "forms"), FORMS)
def test_forms(password: str, forms: tuple[str, ...]) -> None:
    assert password_forms(password) == forms


def test_scram_takes_what_saslprep_prohibits_as_it_is() -> None:
    assert scram_form("\u2168") == "IX"
    assert scram_form("\u0007") == "\u0007"


@given(text())
def test_anything_is_prepared_or_malformed(password: str) -> None:
    for prepare in (saslprep, opaque_string):
        try:
            form = prepare(password)
        except Malformed:
            continue
        assert prepare(form) == form or prepare is saslprep
    assert len(password_forms(password)) <= 3
