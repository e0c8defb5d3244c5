"""APPEND up to its message, and what may follow that (RFC 9051 §6.3.12)."""

from __future__ import annotations

import re

from mailkit.errors import Malformed
from mailkit.formats import date
from mailkit.model.flags import Flags
from mailkit.protocols.imap.events import AppendBegins
from mailkit.protocols.imap.lexer import Lexer

_DATE_TIME = re.compile(rb'"[^"]{26}"')
_UTF8 = re.compile(rb"UTF8 \(", re.IGNORECASE)
_ANNOUNCED = re.compile(rb"(~?)\{([0-9]{1,19})\+?\}\r\n\Z")


def read_append(lexer: Lexer) -> AppendBegins:
    """
    ``APPEND mailbox [flags] [date-time] {size}``: the text ends with the size.

    :raises LiteralToCome: where the literal at the end is the name of the mailbox.
    """
    lexer.space("mailbox name")
    mailbox = lexer.mailbox()
    lexer.space("message")
    flags: Flags = frozenset()
    if lexer.next_is(b"("):
        flags = lexer.flag_list()
        lexer.space("message")
    internal_date: float | None = None
    if lexer.next_is(b'"'):
        internal_date = _read_date_time(lexer)
        lexer.space("message")
    utf8 = _UTF8.match(lexer.text, lexer.at)
    if utf8 is not None:
        lexer.at = utf8.end()
    announced = _ANNOUNCED.match(lexer.text, lexer.at)
    if announced is None:
        raise Malformed("APPEND ends with the message as a literal")
    if utf8 is not None and not announced[1]:
        raise Malformed("UTF8 takes a literal8, ~{size}")
    lexer.at = announced.end()
    return AppendBegins(
        mailbox,
        int(announced[2]),
        flags,
        internal_date,
        is_binary=bool(announced[1]),
        is_utf8=utf8 is not None,
    )


def read_tail(event: AppendBegins, line: bytes) -> str:
    """What is wrong with the line after the message; empty if nothing is."""
    if line == (b")" if event.is_utf8 else b""):
        return ""
    if event.is_utf8 and not line:
        return "Expected ) after the message"
    return "One APPEND takes one message, and nothing after it"


def _read_date_time(lexer: Lexer) -> float:
    match = _DATE_TIME.match(lexer.text, lexer.at)
    moment = None if match is None else date.parse_internal(match[0])
    if match is None or moment is None:
        raise Malformed('Not a date-time like "17-Jul-1996 02:44:25 -0700"')
    lexer.at = match.end()
    return moment.timestamp()
