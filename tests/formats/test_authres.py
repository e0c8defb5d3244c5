"""Authentication-Results: whose they are, and ours."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import authres, header
from mailkit.formats.authres import Result
from tests.formats.garbage import anything, message, octets


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        # RFC 8601 appendix B.
        (b" example.org 1; none", "example.org"),
        (b" example.com;\r\n spf=pass smtp.mailfrom=example.net", "example.com"),
        (b" foo.example.net (foobar) 1 (baz);\r\n dkim (Because I like it) / 1 (One yay) = (wait for it) fail", "foo.example.net"),
        (b"(a comment) Example.COM ; none", "example.com"),
        (b'"example.com"; none', "example.com"),
        (b'"exa\\mple.com";none', "example.com"),
        ("exämple.org; none".encode(), "exämple.org"),
        (b"example.com", "example.com"),
        (b"spf=pass smtp.mailfrom=example.net", None),
        (b"example.com x; none", None),
        (b"; none", None),
        (b"", None),
    ],
)  # fmt: skip
def test_owners(value: bytes, owner: str | None) -> None:
    assert authres.authserv_id(value) == owner


def test_what_strangers_say_in_our_name_goes() -> None:
    text = message(
        "Authentication-Results: mx.example.org; spf=pass",
        "X-Spam-Status: No",
        "authentication-results: (x) MX.Example.Org. 1; dkim=pass",
        "Authentication-Results: elsewhere.example; spf=pass",
        "Authentication-Results: spf=pass",
        "From: a@b",
        "",
        "Authentication-Results: mx.example.org; spf=pass",
    )
    kept = authres.remove_claims(text, {"mx.example.org"}, [b"x-spam-"])
    assert kept == message(
        "Authentication-Results: elsewhere.example; spf=pass",
        "From: a@b",
        "",
        "Authentication-Results: mx.example.org; spf=pass",
    )
    assert b"X-Spam-Status" in authres.remove_claims(text, {"mx.example.org"})


def test_writing() -> None:
    assert authres.write("example.org", []) == (
        b"Authentication-Results: example.org;\r\n\tnone\r\n"
    )
    assert authres.write(
        "example.org",
        [
            Result("spf", "pass", properties=(("smtp.mailfrom", "joe@example.net"),)),
            Result("auth", "pass", 'a "good" one', (("smtp.auth", "odd name@b"),)),
        ],
    ) == (
        b"Authentication-Results: example.org;\r\n"
        b"\tspf=pass smtp.mailfrom=joe@example.net;\r\n"
        b'\tauth=pass reason="a \\"good\\" one" smtp.auth="odd name@b"\r\n'
    )


def test_long_results_are_folded() -> None:
    field = authres.write(
        "example.org",
        [
            Result(
                "dkim", "pass", "x" * 40, (("header.d", "y" * 40), ("header.i", "@z"))
            )
        ],
    )
    assert field == (
        b"Authentication-Results: example.org;\r\n\tdkim=pass reason=%b\r\n"
        b"\t header.d=%b header.i=@z\r\n" % (b"x" * 40, b"y" * 40)
    )


@anything
@given(st.text(), st.text())
def test_nobody_writes_a_line_of_his_own(owner: str, value: str) -> None:
    field = authres.write(owner, [Result("spf", "fail", value, (("a.b", value),))])
    assert [raw for raw, _, _ in header.scan(field)] == [field]
    assert b"\r" not in field.replace(b"\r\n", b"")
    if owner.isprintable() and owner:
        assert authres.authserv_id(header.scan(field)[0][2]) == owner.lower()


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    authres.authserv_id(text)
    field = b"Authentication-Results: " + text
    authres.remove_claims(field, {"example.org"})


def test_fields_without_end_are_not_looked_at() -> None:
    """A few dozen are enough for anybody; whose the rest are, nobody needs to know."""
    kind = b"Authentication-Results: mx.example.net; spf=none\r\n"
    endless = b"Authentication-Results: " + b"()" * 300_000 + b"mx.example.org;\r\n"
    kept = authres.remove_claims(kind + endless + kind, ["mx.example.org"])
    assert kept == kind
