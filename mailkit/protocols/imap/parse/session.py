"""Commands of the connection itself: ENABLE, ID and those without arguments."""

from __future__ import annotations

from collections.abc import Callable

from mailkit.errors import Malformed
from mailkit.protocols.imap.events import Enable, Event, Id
from mailkit.protocols.imap.lexer import Lexer

_KEY = 30
_VALUE = 1024
_PAIRS = 30  # RFC 2971 §3.3, all three


def bare(event: Event) -> Callable[[Lexer], Event]:
    """The reader of a command without arguments."""
    return lambda lexer: event


def read_enable(lexer: Lexer) -> Enable:
    """``ENABLE name …`` (RFC 9051 §6.3.1, RFC 5161 §3.1)."""
    names: list[str] = []
    lexer.space("capability")
    while True:
        names.append(lexer.word("capability").decode("ascii"))
        if len(names) > lexer.limits.items:
            raise Malformed(f"More than {lexer.limits.items} capabilities")
        if lexer.is_at_end:
            return Enable(tuple(names))
        lexer.space("capability")


def read_id(lexer: Lexer) -> Id:
    """``ID NIL`` or ``ID ("name" "value" …)`` (RFC 2971 §3.1)."""
    lexer.space("ID parameters")
    if not lexer.skip(b"("):
        if lexer.word("ID parameters") != b"NIL":
            raise Malformed("The ID parameters are a list in parentheses, or NIL")
        return Id(None)
    pairs: list[tuple[str, str | None]] = []
    while not lexer.skip(b")"):
        if pairs:
            lexer.space("ID field")
        if len(pairs) == _PAIRS:
            raise Malformed(f"More than {_PAIRS} ID fields")
        name = lexer.string("ID field")
        lexer.space("ID value")
        value = None if _skip_nil(lexer) else lexer.string("ID value")
        if len(name) > _KEY or len(value or b"") > _VALUE:
            raise Malformed("An ID field or value is too long")
        pairs.append((_text(name), None if value is None else _text(value)))
    return Id(tuple(pairs))


def _skip_nil(lexer: Lexer) -> bool:
    if lexer.text[lexer.at : lexer.at + 3].upper() != b"NIL":
        return False
    lexer.at += 3
    return True


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
