"""When two addresses are the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.address import (
    Address,
    DomainName,
    a_labels,
    fold_domain,
    is_among,
)


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Example.ORG.", "example.org"),
        ("BÜCHER.example", "bücher.example"),
        ("bu\u0308cher.example", "bücher.example"),
        ("XN--BCHER-KVA.example", "bücher.example"),
        # Two names since IDNA2008 (RFC 5894 §7.2), whichever way they are written.
        ("Straße.example", "straße.example"),
        ("xn--strae-oqa.example", "straße.example"),
        ("STRASSE.example", "strasse.example"),
        # No U-label is written so: they equal nothing but themselves.
        ("xn--example-.org", "xn--example-.org"),
        ("xn--.org", "xn--.org"),
        ("xn--999999999.org", "xn--999999999.org"),
        ("xn--bcher-2pa.example", "xn--bcher-2pa.example"),  # bÜcher
        ("xn--bucher-xyd.example", "xn--bucher-xyd.example"),  # bu + diaeresis
        ("xn--bücher.example", "xn--bücher.example"),
    ],
)
def test_domains(written: str, folded: str) -> None:
    assert fold_domain(written) == folded
    assert fold_domain(folded) == folded


@given(st.text(max_size=20), st.text(max_size=20))
def test_folding_twice_is_folding_once(local_part: str, domain: str) -> None:
    once = Address.of(local_part, domain)
    assert Address.of(once.local_part, once.domain) == once


@given(st.text(st.characters(min_codepoint=97, max_codepoint=600), max_size=20))
def test_both_forms_of_a_label_are_one(label: str) -> None:
    folded = fold_domain(label)
    if not folded.isascii() and "." not in folded:
        written = "xn--" + folded.encode("punycode").decode("ascii")
        assert fold_domain(written.upper()) == folded


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("example.org", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("a." * 126 + "b", "a." * 126 + "b"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        ("", None),
        ("a..example", None),
        ("a" * 64 + ".example", None),
        ("ü" * 60 + ".example", None),
        ("a." * 127 + "b", None),
    ],
)
def test_the_name_in_dns(domain: str, name: str | None) -> None:
    assert a_labels(DomainName(domain)) == name


@given(st.text(max_size=80))
def test_the_name_in_dns_leads_back(domain: str) -> None:
    folded = fold_domain(domain)
    name = a_labels(folded)
    if name is not None:
        assert name.isascii()
        assert fold_domain(name) == folded


@pytest.mark.parametrize(
    ("domain", "names", "found"),
    [
        ("example.org", ["example.org"], True),
        ("example.org", [".org"], True),
        ("a.b.example.org", [".example.org"], True),
        ("example.org", [".example.org"], False),
        ("xexample.org", ["example.org", ".example.org"], False),
        ("org", [".org"], False),
        ("example.org", [], False),
        ("", [""], True),
    ],
)
def test_lists_of_domains(domain: str, names: list[str], found: bool) -> None:
    assert is_among(domain, names) is found
