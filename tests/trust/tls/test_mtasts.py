"""Records and policies of MTA-STS (RFC 8461)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import Malformed
from mailkit.trust.tls.mtasts import (
    LONGEST,
    LONGEST_AGE,
    Mode,
    Policy,
    read_policy,
    read_record,
)

RECORDS = [
    ((b"v=STSv1; id=20160831085700Z;",), "20160831085700Z"),  # RFC 8461 §3.1
    ((b"v=STSv1;id=1",), "1"),
    ((b"v=STSv1; x=y; id=abc",), "abc"),
    ((b"something else", b"v=STSv1; id=1;"), "1"),
    ((), None),
    ((b"v=STSv1; id=1;", b"v=STSv1; id=2;"), None),
    ((b"v=STSv1",), None),
    ((b"v=STSv1; id=",), None),
    ((b"v=STSv1; id=a-b;",), None),
    ((b"v=STSv1; id=" + b"a" * 33 + b";",), None),
    ((b"v=STSv2; id=1;",), None),
]


@pytest.mark.parametrize(("records", "number"), RECORDS)
def test_records(records: tuple[bytes, ...], number: str | None) -> None:
    assert read_record(records) == number


# RFC 8461 §3.2.
EXAMPLE = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
    b"mx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n"
)


def test_the_example() -> None:
    policy = read_policy(EXAMPLE)
    assert policy == Policy(
        mode=Mode.ENFORCE,
        max_age=604800.0,
        mx=("mail.example.com", "*.example.net", "backupmx.example.com"),
    )
    assert read_policy(EXAMPLE.replace(b"\r\n", b"\n").rstrip()) == policy


HOSTS = [
    ("mail.example.com", True),
    ("Mail.Example.COM.", True),
    ("mx.example.net", True),
    ("example.net", False),
    ("a.mx.example.net", False),
    ("mail.example.org", False),
    ("", False),
]


@pytest.mark.parametrize(("host", "allowed"), HOSTS)
def test_hosts(host: str, allowed: bool) -> None:
    assert read_policy(EXAMPLE).allows(host) is allowed


def test_what_is_beyond_is_no_harm() -> None:
    octets = (
        EXAMPLE.replace(b"604800", b"9999999999") + b"later: more\r\nmode: none\r\n"
    )
    policy = read_policy(octets)
    assert policy.max_age == LONGEST_AGE
    assert policy.mode is Mode.ENFORCE


def test_none_needs_no_hosts() -> None:
    policy = read_policy(b"version: STSv1\nmode: none\nmax_age: 86400\n")
    assert policy == Policy(mode=Mode.NONE, max_age=86400.0)


BAD = [
    (b"", "version"),
    (EXAMPLE.replace(b"STSv1", b"STSv2"), "version"),
    (EXAMPLE.replace(b"enforce", b"enforced"), "mode"),
    (EXAMPLE.replace(b"mode: enforce\r\n", b""), "mode"),
    (EXAMPLE.replace(b"604800", b""), "max_age"),
    (EXAMPLE.replace(b"604800", b"-1"), "max_age"),
    (EXAMPLE.replace(b"604800", b"1" * 11), "max_age"),
    (b"version: STSv1\nmode: testing\nmax_age: 1\n", "names no host"),
    (EXAMPLE.replace(b"mail.example", b"mail..example"), "no host"),
    (EXAMPLE.replace(b"*.example", b"a*.example"), "no host"),
    (EXAMPLE + b"mx: x.example\r\n" * 100, "too many"),
    (EXAMPLE + b"<html>\r\n", "no field"),
    (EXAMPLE + b"x: \xff\r\n", "ASCII"),
    (EXAMPLE + b"\r\n" * LONGEST, "too long"),
]


@pytest.mark.parametrize(("octets", "words"), BAD)
def test_bad_policies(octets: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read_policy(octets)


@given(st.one_of(st.binary(), st.binary().map(lambda more: EXAMPLE + more)))
def test_garbage_is_refused_by_name(octets: bytes) -> None:
    try:
        policy = read_policy(octets)
    except Malformed:
        return
    assert policy.mx or policy.mode is Mode.NONE


@given(st.lists(st.binary(max_size=50)))
def test_garbage_is_no_record(records: list[bytes]) -> None:
    number = read_record(tuple(records))
    assert number is None or number.isalnum()
