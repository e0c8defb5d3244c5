"""A message as programs are told of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import routed
from tests.net.relay.world import item

MANY = (
    b"From: =?utf-8?q?J=C3=BCrgen?= <j@x.test>\r\nTo: a@x.test,\r\n b@x.test\r\n"
    b"Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nMessage-ID: <1@x.test>\r\n"
    b"Date: Sat, 21 Nov 2026 13:00:00 +0100\r\nReceived: one\r\nReceived: two\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    b"--b\r\nContent-Type: text/html\r\n\r\n<p>no</p>\r\n"
    b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nno\r\n"
    b"--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\nvon mir\r\n"
    b"--b--\r\n"
)


def facts(octets: bytes, size: int | None = None) -> routed.Facts:
    return routed.facts_of(item(), octets, len(octets) if size is None else size)


def test_everything() -> None:
    told = facts(MANY)
    assert told["message_id"] == "<1@x.test>"
    assert told["from"] == "Jürgen <j@x.test>"
    assert told["to"] == "a@x.test, b@x.test"
    assert told["subject"] == "Grüße"
    assert told["body"] == "Grüße\nvon mir"
    assert (told["body_type"], told["body_is_cut"]) == ("plain", False)
    assert told["date"] == "2026-11-21T13:00:00+01:00"
    assert told["envelope"] == {"from": "x@elsewhere.test", "to": ["a@sink.test"]}
    headers = told["headers"]
    assert isinstance(headers, list)
    assert [value for name, value in headers if name == "Received"] == ["one", "two"]
    assert told["size"] == len(MANY)
    assert told["queue_id"] == "5f3c.1"
    assert told["arrived"] == "1970-01-01T00:00:00.000+00:00"
    assert json.loads(routed.write(told)) == told


BODIES = [
    (b"\r\nHello\r\n", "Hello\n", "plain"),
    (b"Content-Type: text/html\r\n\r\n<p>x", "<p>x", "html"),
    (b"Content-Type: image/png\r\n\r\nx", "", ""),
    (b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n", "Hello", "plain"),
    (b"Content-Transfer-Encoding: x-odd\r\n\r\n\xff\r\n", "\ufffd\r\n", "plain"),
    (b"", "", "plain"),
]


@pytest.mark.parametrize(("octets", "text", "kind"), BODIES)
def test_bodies(octets: bytes, text: str, kind: str) -> None:
    told = facts(octets)
    assert (told["body"], told["body_type"]) == (text, kind)
    assert (told["date"], told["from"]) == (None, "")


def test_a_text_that_goes_on_is_cut() -> None:
    assert facts(b"\r\nHello", 1000)["body_is_cut"] is True
    assert facts(MANY, len(MANY) + 1000)["body_is_cut"] is False


@given(st.binary(max_size=200))
def test_garbage_is_told_as_well_as_it_goes(octets: bytes) -> None:
    assert json.loads(routed.write(facts(octets)))["size"] == len(octets)


@given(st.integers(0, len(MANY)))
def test_a_beginning_is_told_too(count: int) -> None:
    assert json.loads(routed.write(facts(MANY[:count], len(MANY))))
