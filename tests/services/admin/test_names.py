"""Names as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import text

from mailkit.errors import CannotName
from mailkit.services.admin.names import (
    account_name,
    address,
    alias_address,
    domain_name,
)

DOMAINS = [
    ("example.org", "example.org"),
    (" EXAMPLE.org. ", "example.org"),
    ("xn--bcher-kva.example", "bücher.example"),
    ("BÜCHER.example", "bücher.example"),
    ("localhost", "localhost"),
    ("例え.テスト", "例え.テスト"),
    ("", None),
    (".", None),
    ("a..b", None),
    (".example.org", None),
    ("-a.example", None),
    ("a-.example", None),
    ("a b.example", None),
    ("a/b.example", None),
    ("a@b.example", None),
    ("bü cher.example", None),
    ("bü\u200bcher.example", None),
    ("192.0.2.1", None),
    ("[192.0.2.1]", None),
    ("a" * 64 + ".example", None),
    ("ü" * 50 + ".example", "ü" * 50 + ".example"),
    ("äöü" * 20 + ".example", None),
    (".".join(["a" * 60] * 5), None),
]


@pytest.mark.parametrize(("typed", "name"), DOMAINS)
def test_domains(typed: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(CannotName):
            domain_name(typed)
    else:
        assert domain_name(typed) == name


ADDRESSES = [
    ("alice@example.org", "alice@example.org"),
    (" Alice@EXAMPLE.org ", "alice@example.org"),
    ("a.b-c_d+e@example.org", "a.b-c_d+e@example.org"),
    ("o'neil@example.org", "o'neil@example.org"),
    ("Jörg@bücher.example", "jörg@bücher.example"),
    ("用户@例え.テスト", "用户@例え.テスト"),
    ("alice", None),
    ("@example.org", None),
    ("alice@", None),
    ("a b@example.org", None),
    ("a..b@example.org", None),
    (".a@example.org", None),
    ("a.@example.org", None),
    ('"a b"@example.org', None),
    ("a@b@example.org", None),
    ("a\n@example.org", None),
    ("a\u200bb@example.org", None),
    ("a,b@example.org", None),
    ("a" * 65 + "@example.org", None),
    ("ü" * 33 + "@example.org", None),
    ("alice@-.org", None),
]


@pytest.mark.parametrize(("typed", "name"), ADDRESSES)
def test_addresses(typed: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(CannotName):
            account_name(typed)
    else:
        assert account_name(typed) == name
        assert str(alias_address(typed)) == name


def test_a_catch_all() -> None:
    assert str(alias_address(" @Example.org ")) == "@example.org"
    with pytest.raises(CannotName):
        alias_address("@")


@given(text())
def test_anything_is_a_name_or_none(typed: str) -> None:
    for read in (domain_name, address, alias_address):
        try:
            found = read(typed)
        except CannotName:
            continue
        assert read(str(found)) == found
