"""Verdicts as rows keep them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.verdict import Verdict

texts = st.text(max_size=20)


@given(st.builds(Verdict, *[texts] * 6))
def test_read_as_it_was_written(verdict: Verdict) -> None:
    assert Verdict.from_text(verdict.to_text()) == verdict


def test_it_is_compact() -> None:
    assert Verdict().to_text() == "{}"
    assert Verdict(spf="pass", words="ö").to_text() == '{"spf":"pass","words":"ö"}'


@pytest.mark.parametrize("text", ["", "x", "[]", "1", "null", "[" * 100_000])
def test_what_is_none(text: str) -> None:
    assert Verdict.from_text(text) is None


def test_what_is_unknown_or_too_long_is_passed_over() -> None:
    assert Verdict.from_text('{"spf":1,"later":"x"}') == Verdict()
    long = Verdict.from_text('{"words":"' + "x" * 5000 + '"}')
    assert long is not None
    assert len(long.words) == 1000


@given(st.text(max_size=50))
def test_any_text(text: str) -> None:
    found = Verdict.from_text(text)
    assert found is None or isinstance(found, Verdict)


VERDICTS = [
    (Verdict(), False, False),
    (Verdict(dmarc="pass", aligned="example.org"), True, False),
    (Verdict(dmarc="pass"), False, False),
    (Verdict(spf="pass", dkim="pass", aligned="example.org"), False, False),
    (Verdict(dmarc="fail", aligned="example.org"), False, True),
    (Verdict(dmarc="none"), False, False),
]


@pytest.mark.parametrize(("verdict", "is_verified", "is_forged"), VERDICTS)
def test_what_it_means(verdict: Verdict, is_verified: bool, is_forged: bool) -> None:
    assert verdict.is_verified is is_verified
    assert verdict.is_forged is is_forged
