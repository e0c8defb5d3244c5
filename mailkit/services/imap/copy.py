"""COPY and MOVE (RFC 9051 §6.4.7, §6.4.8, RFC 6851 §3)."""

from __future__ import annotations

from mailkit.errors import NoSuchMailbox
from mailkit.model.mailbox import Copied
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import Copy, Move
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.protocols.imap.write import codes
from mailkit.protocols.imap.write import mailbox as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.news import has_vanished

_TRY_CREATE = no("No such mailbox; it may be created", b"TRYCREATE")
_ISSUED = no("Some of them are no more; nothing was done", b"EXPUNGEISSUED")
_NOTHING = ok("No such message")


async def copy(talk: Dialogue, command: Copy) -> Response:
    """All of the messages or none."""
    uids = _uids(talk, command)
    if not uids:
        return _NOTHING
    if not command.uid and await has_vanished(talk, uids):
        return _ISSUED
    try:
        copied = await talk.here.mailbox.copy(uids, command.mailbox)
    except NoSuchMailbox:
        return _TRY_CREATE
    if not copied.uids:
        return _NOTHING
    return ok("Copied", _code(copied))


async def move(talk: Dialogue, command: Move) -> Response:
    """
    All of the messages or none, never doubled.

    COPYUID comes before the EXPUNGEs of the news (RFC 6851 §4.3).
    """
    if talk.here.is_read_only:
        return no("The mailbox is read-only", b"READ-ONLY")
    uids = _uids(talk, command)
    if not uids:
        return _NOTHING
    if not command.uid and await has_vanished(talk, uids):
        return _ISSUED
    try:
        moved = await talk.here.mailbox.move(uids, command.mailbox)
    except NoSuchMailbox:
        return _TRY_CREATE
    if not moved.uids:
        return _NOTHING
    talk.say(write.untagged(ok("Moved", _code(moved))))
    return ok("Moved")


def _uids(talk: Dialogue, command: Copy | Move) -> UIDSet:
    selected = talk.here
    return selected.view.uids(selected.runs(command.numbers, command.uid))


def _code(copied: Copied) -> bytes:
    return codes.copy_uid(copied)
