"""STORE, COPY, MOVE and UID EXPUNGE (RFC 9051 §6.4.6 to §6.4.9)."""

from __future__ import annotations

import re

from mailkit.errors import Malformed
from mailkit.model.flags import FlagAction
from mailkit.protocols.imap.events import Copy, Move, Store, UidExpunge
from mailkit.protocols.imap.lexer import Lexer, shown

_ITEM = re.compile(rb"[^ ]+")

_ITEMS: dict[bytes, tuple[FlagAction, bool]] = {
    b"FLAGS": (FlagAction.REPLACE, False),
    b"FLAGS.SILENT": (FlagAction.REPLACE, True),
    b"+FLAGS": (FlagAction.ADD, False),
    b"+FLAGS.SILENT": (FlagAction.ADD, True),
    b"-FLAGS": (FlagAction.REMOVE, False),
    b"-FLAGS.SILENT": (FlagAction.REMOVE, True),
}


def read_store(lexer: Lexer, *, uid: bool = False) -> Store:
    """``STORE set [+|-]FLAGS[.SILENT] flags``, with parentheses or without."""
    lexer.space("message set")
    numbers = lexer.sequence_set()
    lexer.space("what to store")
    match = _ITEM.match(lexer.text, lexer.at)
    found = None if match is None else _ITEMS.get(match[0].upper())
    if match is None or found is None:
        word = shown(match[0]) if match is not None else "nothing"
        raise Malformed(f"STORE takes [+|-]FLAGS[.SILENT], not {word}")
    lexer.at = match.end()
    action, is_silent = found
    lexer.space("flags")
    if lexer.next_is(b"("):
        flags = lexer.flag_list()
    else:
        flags = lexer.flags_of(lexer.text[lexer.at :].split(b" "))
        lexer.at = len(lexer.text)
    return Store(numbers, action, flags, is_silent, uid)


def read_copy(lexer: Lexer, *, uid: bool = False) -> Copy:
    """``COPY set mailbox`` (RFC 9051 §6.4.7)."""
    lexer.space("message set")
    numbers = lexer.sequence_set()
    lexer.space("mailbox name")
    return Copy(numbers, lexer.mailbox(), uid)


def read_move(lexer: Lexer, *, uid: bool = False) -> Move:
    """``MOVE set mailbox`` (RFC 9051 §6.4.8)."""
    lexer.space("message set")
    numbers = lexer.sequence_set()
    lexer.space("mailbox name")
    return Move(numbers, lexer.mailbox(), uid)


def read_uid_expunge(lexer: Lexer) -> UidExpunge:
    """``UID EXPUNGE set`` (RFC 9051 §6.4.9)."""
    lexer.space("message set")
    return UidExpunge(lexer.sequence_set())
