"""COPY and MOVE (RFC 9051 §6.4.7, §6.4.8, RFC 6851 §3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from mailkit.errors import NoSuchMailbox
from mailkit.model.mailbox import Copied, MailboxName
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import Copy, Move
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.protocols.imap.write import codes
from mailkit.protocols.imap.write import mailbox as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.news import has_vanished
from mailkit.services.imap.selected import is_by_number

_TRY_CREATE = no("No such mailbox; it may be created", b"TRYCREATE")
_ISSUED = no("Some of them are no more; nothing was done", b"EXPUNGEISSUED")
_NOTHING = ok("No such message")


async def copy(talk: Dialogue, command: Copy) -> Response:
    """All of the messages or none."""
    copied = await _put(talk, command, talk.here.mailbox.copy)
    if isinstance(copied, Response):
        return copied
    return ok("Copied", codes.copy_uid(copied))


async def move(talk: Dialogue, command: Move) -> Response:
    """
    All of the messages or none, never doubled.

    COPYUID comes before the EXPUNGEs of the news (RFC 6851 §4.3).
    """
    if talk.here.is_read_only:
        return no("The mailbox is read-only", b"READ-ONLY")
    moved = await _put(talk, command, talk.here.mailbox.move)
    if isinstance(moved, Response):
        return moved
    talk.say(write.untagged(ok("Moved", codes.copy_uid(moved))))
    return ok("Moved")


async def _put(
    talk: Dialogue,
    command: Copy | Move,
    put: Callable[[UIDSet, MailboxName], Awaitable[Copied]],
) -> Copied | Response:
    """What was copied or moved, or why nothing was."""
    selected = talk.here
    uids = selected.view.uids(selected.runs(command.numbers, command.uid))
    if not uids:
        return _NOTHING
    by_number = is_by_number(command.numbers, command.uid)
    if by_number and await has_vanished(talk, uids):
        return _ISSUED
    try:
        copied = await put(uids, command.mailbox)
    except NoSuchMailbox:
        return _TRY_CREATE
    return copied if copied.uids else _NOTHING
