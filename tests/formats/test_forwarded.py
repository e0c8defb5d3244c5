"""``Forwarded`` (RFC 7239 §4, §7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.forwarded import Hop, believed, read_forwarded


@pytest.mark.parametrize(
    ("header", "hops"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", [Hop("192.0.2.60", "http")]),
        ('for="_gazonk"', [Hop("_gazonk")]),
        ('For="[2001:db8:cafe::17]:4711"', [Hop("2001:db8:cafe::17")]),
        ('for="192.0.2.43:47011"', [Hop("192.0.2.43")]),
        (
            "for=192.0.2.43, for=198.51.100.17",
            [Hop("192.0.2.43"), Hop("198.51.100.17")],
        ),
        (
            "for=192.0.2.43 ; PROTO=HTTPS ;host=mail.example.org",
            [Hop("192.0.2.43", "https", "mail.example.org")],
        ),
        ('host="a\\"b"', [Hop(asked='a"b')]),
        ('for="a b"', [Hop("")]),
        ("proto=https", [Hop("", "https")]),
        ("for=", [Hop("")]),
        ("for=unknown", [Hop("unknown")]),
    ],
)
def test_what_proxies_say(header: str, hops: list[Hop]) -> None:
    assert read_forwarded(header) == hops


@pytest.mark.parametrize(
    "header",
    [
        "",
        "for",
        "for=a;;",
        "for=a,",
        ",for=a",
        "for=a b",
        'for="a',
        "for=a;for=b",
        "for=a;For=b",
        'for="a"b',
        "for=a" + " " * 4000,
    ],
)
def test_what_cannot_be_read_is_worth_nothing(header: str) -> None:
    assert read_forwarded(header) is None


@given(st.text(max_size=200))
def test_anything_at_all(header: str) -> None:
    read_forwarded(header)


def test_the_first_stranger_from_our_side_is_believed() -> None:
    hops = [Hop("198.51.100.1"), Hop("192.0.2.1"), Hop("10.0.0.1")]
    assert believed(hops, lambda host: host.startswith("10.")) == hops[1]
    assert believed(hops, lambda host: True) == hops[0]
    assert believed([], lambda host: True) is None
