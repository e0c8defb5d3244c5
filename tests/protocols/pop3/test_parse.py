"""POP3 command lines: tables, both ways."""

from __future__ import annotations

import pytest

from mailkit.errors import Malformed
from mailkit.protocols.pop3.events import (
    AuthBegins,
    AuthCancelled,
    AuthList,
    AuthResponse,
    Capa,
    Dele,
    Event,
    Noop,
    Pass,
    Quit,
    Retr,
    Rset,
    Scan,
    StartTLS,
    Stat,
    Top,
    Uidl,
    User,
    Utf8,
)
from mailkit.protocols.pop3.parse import read_command, read_response

GOOD: list[tuple[bytes, Event]] = [
    (b"CAPA", Capa()),
    (b"capa ", Capa()),
    (b"STLS", StartTLS()),
    (b"USER mrose", User("mrose")),
    (b"User j\xc3\xbcrg@example.org ", User("jürg@example.org")),
    (b"PASS  two  spaces ", Pass(" two  spaces ")),
    (b"AUTH", AuthList()),
    (b"AUTH plain", AuthBegins("PLAIN", None)),
    (b"AUTH PLAIN =", AuthBegins("PLAIN", b"")),
    (b"AUTH PLAIN AGEAYg==", AuthBegins("PLAIN", b"\0a\0b")),
    (b"UTF8", Utf8()),
    (b"STAT", Stat()),
    (b"LIST", Scan(None)),
    (b"LIST 2", Scan(2)),
    (b"UIDL", Uidl(None)),
    (b"UIDL 17", Uidl(17)),
    (b"RETR 1", Retr(1)),
    (b"TOP 1 0", Top(1, 0)),
    (b"DELE 1", Dele(1)),
    (b"NOOP", Noop()),
    (b"RSET", Rset()),
    (b"QUIT", Quit()),
]

BAD = [
    (b"", "Unknown command"),
    (b"EHLO x", "Unknown command"),
    (b"STAT 1", "No argument belongs here"),
    (b"USER", "A name is missing"),
    (b"PASS \xff", "The password is not UTF-8"),
    (b"RETR", "A number is missing or is none"),
    (b"RETR -1", "A number is missing or is none"),
    (b"RETR 9999999999", "A number is missing or is none"),
    (b"RETR \xc2\xb2", "A number is missing or is none"),
    (b"LIST x", "A number is missing or is none"),
    (b"TOP 1", "TOP takes a message and a number of lines"),
    (b"AUTH \xff", "Not a mechanism"),
    (b"AUTH PLAIN !", "The response is not base64"),
]


@pytest.mark.parametrize(("line", "event"), GOOD)
def test_good(line: bytes, event: Event) -> None:
    assert read_command(line) == event


@pytest.mark.parametrize(("line", "text"), BAD)
def test_bad(line: bytes, text: str) -> None:
    with pytest.raises(Malformed, match=text):
        read_command(line)


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (b"AGEAYg==", AuthResponse(b"\0a\0b")),
        (b"", AuthResponse(b"")),
        (b"*", AuthCancelled("Cancelled")),
        (b"??", AuthCancelled("The response is not base64")),
    ],
)
def test_response(line: bytes, event: Event) -> None:
    assert read_response(line) == event


def test_secrets_do_not_show() -> None:
    """What the log shows of an event holds no secret."""
    for line in (b"PASS hunter2", b"AUTH PLAIN aHVudGVyMg=="):
        assert "hunter2" not in repr(read_command(line))
    assert "hunter2" not in repr(read_response(b"aHVudGVyMg=="))
