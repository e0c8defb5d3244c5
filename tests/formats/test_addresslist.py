"""Address lists, plain and odd (RFC 5322 §3.4, RFC 6532 §3.2)."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import email.utils
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import addresslist
from mailkit.formats.addresslist import AddressGroup, AddressList, NamedAddress
from mailkit.formats.limits import Limits
from tests.formats.garbage import anything, octets


def one(
    local_part: bytes,
    domain: bytes,
    name: bytes | None = None,
    route: bytes | None = None,
) -> NamedAddress:
    return NamedAddress(name, route, local_part, domain)


JOE = one(b"joe", b"example.org")
NAMED_JOE = one(b"joe", b"example.org", b"Joe")
JANE = one(b"jane", b"example.net")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", []),
        (b" \r\n\t", []),
        (b"joe@example.org", [JOE]),
        (b"<joe@example.org>", [JOE]),
        (b"Joe <joe@example.org>", [NAMED_JOE]),
        (b"Joe<joe@example.org>", [NAMED_JOE]),
        (b'"Joe"<joe@example.org>', [NAMED_JOE]),
        (b'"" <joe@example.org>', [JOE]),
        (b'"a, \\"b\\" \\\\" <joe@example.org>', [one(b"joe", b"example.org", b'a, "b" \\')]),
        (b"joe@example.org, jane@example.net", [JOE, JANE]),
        (b"joe@example.org,\r\n jane@example.net,", [JOE, JANE]),
        (b",, joe@example.org ,,jane@example.net,", [JOE, JANE]),
        (b"joe@example.org; jane@example.net", [JOE, JANE]),
        (b"J. Doe <joe@example.org>", [one(b"joe", b"example.org", b"J. Doe")]),
        (b"Doe  J\t. <joe@example.org>", [one(b"joe", b"example.org", b"Doe J .")]),
        (b'"A" B "C" <joe@example.org>', [one(b"joe", b"example.org", b"A B C")]),
        # A comment is the name of last resort, as before RFC 822.
        (b"joe@example.org (Joe)", [NAMED_JOE]),
        (b"(x) joe (y) @ (z) example.org (Joe)", [NAMED_JOE]),
        (b"Joe (the one) <joe@example.org> (again)", [NAMED_JOE]),
        (b"joe@example.org (a (nested) \\) one)", [one(b"joe", b"example.org", b"a (nested) ) one")]),
        (b"joe@example.org ()", [JOE]),
        (b"joe@example.org (open", [JOE]),
        # Groups.
        (b"undisclosed-recipients:;", [AddressGroup(b"undisclosed-recipients", ())]),
        (b"A Group: joe@example.org, Joe <joe@example.org>; jane@example.net", [AddressGroup(b"A Group", (JOE, NAMED_JOE)), JANE]),
        (b'"A, B":joe@example.org', [AddressGroup(b"A, B", (JOE,))]),
        (b"joe@example.org, g: ;, h:jane@example.net;", [JOE, AddressGroup(b"g", ()), AddressGroup(b"h", (JANE,))]),
        (b"g: h: joe@example.org;", [AddressGroup(b"g", (one(b"h:joe", b"example.org"),))]),
        # RFC 5322 §4.4.
        (b"<@a.example,@b.example:joe@example.org>", [one(b"joe", b"example.org", None, b"@a.example,@b.example")]),
        (b"Joe <@a.example:joe@example.org>", [one(b"joe", b"example.org", b"Joe", b"@a.example")]),
        (b"<@a.example, , @b.example:joe@example.org>", [one(b"joe", b"example.org", None, b"@a.example,@b.example")]),
        (b"joe . doe @ example . org", [one(b"joe.doe", b"example.org")]),
        # Local parts and domains of other kinds.
        (b'"joe doe"@example.org', [one(b"joe doe", b"example.org")]),
        (b'"joe\\"doe"@example.org', [one(b'joe"doe', b"example.org")]),
        (b"joe@[192.0.2.1]", [one(b"joe", b"[192.0.2.1]")]),
        (b"<joe@[IPv6:2001:db8::1]>", [one(b"joe", b"[IPv6:2001:db8::1]")]),
        ("Zoë <zoë@exämple.org>".encode(), [one("zoë".encode(), "exämple.org".encode(), "Zoë".encode())]),
        # Broken in ways that are seen.
        (b"joe", [one(b"joe", b"")]),
        (b"Joe Doe", [one(b"Joe Doe", b"")]),
        (b"Joe <>", [one(b"", b"", b"Joe")]),
        (b"Joe <joe>", [one(b"joe", b"", b"Joe")]),
        (b"joe@example.org <joe@example.org>", [one(b"joe", b"example.org", b"joe@example.org")]),
        (b"<joe@example.org> trailing", [JOE]),
        (b"<joe@example.org> @ x", [JOE]),
        (b"<joe@example.org", [JOE]),
        (b"<joe@example.org, jane@example.net>", [JOE, JANE]),
        (b"<<joe@example.org>>", [JOE]),
        (b"joe@a@b", [one(b"joe@a", b"b")]),
        (b"@example.org", [one(b"", b"example.org")]),
        (b"joe@", [one(b"joe", b"")]),
        (b'"Joe <joe@example.org>', [one(b"Joe <joe@example.org>", b"")]),
        (b"joe@example.org:25", [one(b"joe", b"example.org:25")]),
        (b"<joe:x@example.org>", [one(b"joex", b"example.org")]),
        (b"joe@example.org)", [one(b"joe", b"example.org)")]),
        (b"<@a.example>", [one(b"", b"a.example")]),
        (b"<@a.example,@b>", [one(b"", b"b", None, b"@a.example")]),
        (b"<@a.example,>", [one(b"", b"", None, b"@a.example")]),
    ],
)  # fmt: skip
def test_lists(value: bytes, expected: AddressList) -> None:
    assert addresslist.parse(value) == expected


@pytest.mark.parametrize(
    ("value", "is_certain"),
    [
        (b"", True),
        (b"joe@example.org", True),
        (b"Joe <joe@example.org>, jane@example.net", True),
        (b'"Joe, \\"the <man>\\"" <joe@example.org> (at (12") work)', True),
        (b"joe@example.org <joe@example.org>", True),
        (b"friends: joe@example.org, <jane@example.net>; , ann@example.org", True),
        (b"joe@[192.0.2.1]", True),
        (b"(\\)) joe@example.org\r\n (folded)", True),
        (b"joe@example.org (", False),
        (b"joe@example.org )", False),
        (b'"joe@example.org', False),
        (b'"joe\\" <joe@example.org>', False),
        (b"<joe@example.org", False),
        (b"joe@example.org>", False),
        (b"<joe@example.org> <jane@example.net>", False),
        (b"<joe@example.org> jane@example.net", False),
        (b"<joe@example.org> @", False),
        (b"<joe@example.org>: jane@example.net", False),
        (b"<joe@example.org, jane@example.net>", False),
        (b"<@a.example:joe@example.org>", False),
        (b"joe@example.org@example.net", False),
        (b"joe\\@example.org", False),
        (b"joe@[192.0.2.1", False),
    ],
)
def test_certainty(value: bytes, is_certain: bool) -> None:
    assert addresslist.is_certain(value) is is_certain


def test_flattened() -> None:
    found = addresslist.parse(b"joe@example.org, g: jane@example.net;, h:;")
    assert addresslist.flatten(found) == [JOE, JANE]


@pytest.mark.parametrize("text", [b"a@b,", b"<a@b> (c),", b"g:a@b;"])
def test_the_number_of_addresses_is_limited(text: bytes) -> None:
    found = addresslist.parse(text * 100, Limits(addresses=7))
    assert len(addresslist.flatten(found)) == 7


def test_endless_lists_take_linear_time() -> None:
    size = 1 << 15
    for text in (
        b"(",
        b"()",
        b"<",
        b"@",
        b"a ",
        b'"',
        b"\\",
        b":",
        b"a:;",
        b"[",
        b"<@a,",
    ):
        addresslist.parse(text * size)


@anything
@given(octets)
def test_garbage_never_raises(value: bytes) -> None:
    for address in addresslist.flatten(addresslist.parse(value)):
        assert isinstance(address.local_part, bytes)


@anything
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"", b"Joe ", b'"Joe, Doe" ', b"J Doe ", b'"" ']),
            st.sampled_from([b"joe", b"j.d+x", "zoë".encode()]),
            st.sampled_from([b"example.org", b"[192.0.2.1]", b"b"]),
        ),
        max_size=5,
    )
)
def test_both_readers_agree(parts: list[tuple[bytes, bytes, bytes]]) -> None:
    plain = [
        name + b"<" + local + b"@" + domain + b">" for name, local, domain in parts
    ]
    # A comment makes the reader of tokens take over; here it adds nothing.
    assert addresslist.parse(b", ".join(plain)) == addresslist.parse(
        b"() " + b", ".join(plain)
    )


@anything
@given(st.text('ab ,."\\()<>@:;é李', max_size=12))
def test_what_the_standard_library_writes_is_read(name: str) -> None:
    name = re.sub(" +", " ", name).strip()
    quoted = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    text = f"{quoted} <joe@example.org>"
    assert email.utils.parseaddr(text)[1] == "joe@example.org"
    assert addresslist.parse(text.encode()) == [
        one(b"joe", b"example.org", name.encode() or None)
    ]
