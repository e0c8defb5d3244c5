"""Domains that look like others."""

from __future__ import annotations

import pytest

from mailkit.formats.lookalike import (
    has_mixed_scripts,
    looks_like,
    readable,
    skeleton,
)

KNOWN = ["paypal.com", "solheim-studio.example", "bank.example", ""]
ROWS = [
    ("paypal.com", None),
    ("mail.paypal.com", None),
    ("paypa1.com", "paypal.com"),
    ("PAYPAI.com", "paypal.com"),
    ("p\u0430ypal.com", "paypal.com"),
    ("xn--pypal-4ve.com", "paypal.com"),
    ("solheirn-studio.example", "solheim-studio.example"),
    ("solheimstudio.example", "solheim-studio.example"),
    ("solheim-studios.example", "solheim-studio.example"),
    ("solhiem-studio.example", "solheim-studio.example"),
    ("solheim-studix.example", "solheim-studio.example"),
    ("solheim-studixy.example", None),
    ("solhxxm-studio.example", None),
    ("bonk.example", None),
    ("solheim-studioxyz.example", None),
    ("", None),
    ("shop.example", None),
    ("else-entirely.example", None),
]


@pytest.mark.parametrize("domain,other", ROWS)
def test_looks_like(domain: str, other: str | None) -> None:
    assert looks_like(domain, KNOWN) == other


def test_scripts() -> None:
    assert has_mixed_scripts("p\u0430ypal.com")
    assert has_mixed_scripts("xn--pypal-4ve.com")
    assert not has_mixed_scripts("b\u00fccher-24.example")
    assert not has_mixed_scripts("\u0431\u0430\u043d\u043a.example")
    assert not has_mixed_scripts("\u65e5\u672c\u8a9e\u30c6\u30b9\u30c8abc.example")


def test_readable() -> None:
    assert readable("XN--BCHER-KVA.example") == "b\u00fccher.example"
    assert readable("xn--\u00fc.example") == "xn--\u00fc.example"
    assert skeleton("b\u00fccher.example") == skeleton("bucher.example")
