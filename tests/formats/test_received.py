"""Trace fields."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import header, received
from mailkit.formats.received import Arrival
from tests.formats.garbage import anything, message, octets

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def test_everything_that_can_be_told() -> None:
    assert received.write_received(
        Arrival(
            helo="mail.example.net",
            peer_name="out.example.net",
            peer_address="192.0.2.1",
            tls_version="TLSv1.3",
            tls_cipher="TLS_AES_256_GCM_SHA384",
            by="mx.example.org",
            protocol="ESMTPS",
            id="abc123",
            recipient="bob@example.org",
            at=NOON,
        )
    ) == (
        b"Received: from mail.example.net (out.example.net [192.0.2.1])\r\n"
        b"\t(TLSv1.3 TLS_AES_256_GCM_SHA384) by mx.example.org with ESMTPS "
        b"id abc123\r\n"
        b"\tfor <bob@example.org>; Fri, 20 Nov 2026 12:00:00 +0000\r\n"
    )


def test_the_least_that_can_be_told() -> None:
    assert received.write_received(
        Arrival(by="mx.example.org", protocol="ESMTPSA", at=NOON)
    ) == (
        b"Received: by mx.example.org with ESMTPSA; Fri, 20 Nov 2026 12:00:00 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("helo", "address", "clause"),
    [
        ("a.example", "2001:db8::1", "from a.example ([IPv6:2001:db8::1]) by"),
        ("[192.0.2.1]", "192.0.2.1", "from [192.0.2.1] ([192.0.2.1]) by"),
        ("a.example", None, "from a.example by"),
        ("", "192.0.2.1", "from ? ([192.0.2.1]) by"),
        ("a b\r\nX: y(", "192.0.2.1", "from a?b??X:?y? ([192.0.2.1]) by"),
        ("exämple.org", "192.0.2.1", "from exämple.org ([192.0.2.1]) by"),
    ],
)
def test_peers(helo: str, address: str | None, clause: str) -> None:
    field = received.write_received(
        Arrival(helo=helo, peer_address=address, by="b", protocol="SMTP", at=NOON)
    )
    assert clause.encode() in field


def test_tls_without_a_cipher() -> None:
    field = received.write_received(
        Arrival(by="b", protocol="ESMTPS", tls_version="TLSv1.3", at=NOON)
    )
    assert field.startswith(b"Received: by b with ESMTPS (TLSv1.3);")


@pytest.mark.parametrize(
    ("extended", "tls", "authenticated", "utf8", "lmtp", "word"),
    [
        # RFC 3848.
        (False, False, False, False, False, "SMTP"),
        (False, True, False, False, False, "SMTP"),
        (True, False, False, False, False, "ESMTP"),
        (True, False, True, False, False, "ESMTPA"),
        (True, True, False, False, False, "ESMTPS"),
        (True, True, True, False, False, "ESMTPSA"),
        (True, False, False, False, True, "LMTP"),
        (True, False, True, False, True, "LMTPA"),
        (True, True, False, False, True, "LMTPS"),
        (True, True, True, False, True, "LMTPSA"),
        # RFC 6531 §4.3.
        (True, False, False, True, False, "UTF8SMTP"),
        (True, True, True, True, False, "UTF8SMTPSA"),
        (True, True, False, True, True, "UTF8LMTPS"),
    ],
)
def test_words_behind_with(
    extended: bool, tls: bool, authenticated: bool, utf8: bool, lmtp: bool, word: str
) -> None:
    assert word == received.with_keyword(
        extended=extended, tls=tls, authenticated=authenticated, utf8=utf8, lmtp=lmtp
    )


def test_return_path_and_delivered_to() -> None:
    assert received.write_return_path("") == b"Return-Path: <>\r\n"
    assert received.write_return_path("a@b") == b"Return-Path: <a@b>\r\n"
    assert received.write_delivered_to("é@b\r\nX: y") == (
        "Delivered-To: é@b??X:?y\r\n".encode()
    )


def test_counting_and_knowing_again() -> None:
    text = message(
        "Received: x",
        "RECEIVED: y",
        "Delivered-To: <Bob@Example.org>",
        "",
        "Received: z",
    )
    assert received.count(text) == 2
    assert received.was_delivered_to(text, "bob@example.org")
    assert not received.was_delivered_to(text, "ob@example.org")
    assert not received.was_delivered_to(b"", "bob@example.org")
    quoted = received.write_delivered_to("bob <b>@example.org")
    assert received.was_delivered_to(quoted, "bob <b>@example.org")


@anything
@given(st.text(), st.text())
def test_nobody_writes_a_line_of_his_own(helo: str, path: str) -> None:
    field = received.write_received(
        Arrival(
            helo=helo,
            peer_name=path,
            peer_address="192.0.2.1",
            tls_version="TLSv1.3",
            tls_cipher=helo,
            by="b",
            protocol="ESMTP",
            id=helo,
            recipient=path,
            at=NOON,
        )
    )
    fields = (
        field,
        received.write_return_path(path),
        received.write_delivered_to(path),
    )
    for each in fields:
        assert len(header.scan(each)) == 1
        assert header.scan(each)[0][0] == each
        assert b"\r" not in each.replace(b"\r\n", b"")


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    received.count(text)
    received.was_delivered_to(text, "a@b")
