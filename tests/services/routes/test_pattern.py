"""Patterns of addresses: whom they mean, and how exactly."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.address import Address
from mailkit.services.routes.pattern import Glob, Kind, Pattern

MEANT = [
    ("anna@example.org", "anna@example.org", (Kind.ADDRESS, 0)),
    ("Anna@EXAMPLE.org", "anna@example.org", (Kind.ADDRESS, 0)),
    ("anna@example.org", "anna+news@example.org", (Kind.ADDRESS, 1)),
    ("anna+news@example.org", "anna+news@example.org", (Kind.ADDRESS, 0)),
    ("*-anna@example.org", "shop-anna@example.org", (Kind.PATTERN, -16)),
    ("*-anna@example.org", "-anna@example.org", (Kind.PATTERN, -16)),
    ("*@anna.example.org", "x@anna.example.org", (Kind.PATTERN, -16)),
    ("a*b*c@example.org", "aXbbYc@example.org", (Kind.PATTERN, -14)),
    ("a**c@example.org", "ac@example.org", (Kind.PATTERN, -13)),
    ("info@*.example.org", "info@a.b.example.org", (Kind.PATTERN, -16)),
    ("*@*", "x@example.org", (Kind.PATTERN, 0)),
    ("example.org", "x@example.org", (Kind.DOMAIN, 0)),
    ("xn--bcher-kva.example", "x@bücher.example", (Kind.DOMAIN, 0)),
    ("*.example.org", "x@a.example.org", (Kind.BELOW, -11)),
    ("*.example.org", "x@a.b.example.org", (Kind.BELOW, -11)),
    ("*", "x@example.org", (Kind.ANY, 0)),
    ("*", "@", (Kind.ANY, 0)),
    ("<>", "@", (Kind.ADDRESS, 0)),
]


def address(text: str) -> Address:
    local_part, _, domain = text.rpartition("@")
    return Address.of(local_part, domain)


@pytest.mark.parametrize(("pattern", "text", "rank"), MEANT)
def test_meant(pattern: str, text: str, rank: tuple[int, int]) -> None:
    assert Pattern.parse(pattern).rank(address(text)) == rank


NOT_MEANT = [
    ("anna@example.org", "bob@example.org"),
    ("anna@example.org", "anna@example.net"),
    ("anna+news@example.org", "anna@example.org"),
    ("anna@example.org", "+anna@example.org"),
    ("*-anna@example.org", "anna@example.org"),
    ("*-anna@example.org", "x-anna@a.example.org"),
    ("ab*ba@example.org", "aba@example.org"),
    ("a*b*c@example.org", "acb@example.org"),
    ("a*b*b*c@example.org", "abc@example.org"),
    ("example.org", "x@a.example.org"),
    ("*.example.org", "x@example.org"),
    ("*.example.org", "x@badexample.org"),
    ("info@*.example.org", "info@example.org"),
    ("<>", "x@example.org"),
    ("example.org", "@"),
    ("*@*.org", "@"),
]


@pytest.mark.parametrize(("pattern", "text"), NOT_MEANT)
def test_not_meant(pattern: str, text: str) -> None:
    assert Pattern.parse(pattern).rank(address(text)) is None


NONE = [
    *("", "@", "@example.org", "a@", "a,b.org", "exa*mple.org", "a..b", "**", "*."),
    *("x@a..b", "*.*", "*.a*b", "a b.org"),
]


@pytest.mark.parametrize("text", NONE)
def test_no_pattern(text: str) -> None:
    with pytest.raises(ValueError, match=r"expects|nothing before"):
        Pattern.parse(text)


NAMED = [
    ("a@example.org", True),
    ("*@example.org", True),
    ("example.org", True),
    ("*.example.org", True),
    ("*@*.example.org", True),
    ("*@*", False),
    ("a@*.org*", False),
    ("*", False),
    ("<>", False),
]


@pytest.mark.parametrize(("text", "names"), NAMED)
def test_who_names_a_domain(text: str, names: bool) -> None:
    assert Pattern.parse(text).names_domain is names


_LETTERS = st.text("ab*", max_size=8)


@given(_LETTERS, st.text("ab", max_size=12))
def test_a_glob_is_what_a_regular_expression_would_be(glob: str, text: str) -> None:
    wanted = re.fullmatch(glob.replace("*", ".*"), text) is not None
    assert Glob.of(glob).matches(text) is wanted


@given(st.text(max_size=30), st.text(max_size=10), st.text(max_size=10))
def test_anything_is_a_pattern_or_none(text: str, local_part: str, domain: str) -> None:
    try:
        pattern = Pattern.parse(text)
    except ValueError:
        return
    where = Address.of(local_part, domain)
    rank = pattern.rank(where)
    assert rank is None or rank[0] == pattern.kind
    assert Pattern.parse(pattern.text) == pattern


def test_many_stars_cost_no_more_than_few() -> None:
    pattern = Pattern.parse("*a" * 200 + "b@example.org")
    assert pattern.rank(address("a" * 5000 + "@example.org")) is None
