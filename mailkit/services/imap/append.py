"""APPEND (RFC 9051 §6.3.12): a message on its way into a mailbox, piece by piece."""

from __future__ import annotations

from mailkit.errors import (
    NoSuchMailbox,
    OverQuota,
    TooLarge,
)
from mailkit.interfaces.storage import NewMessage
from mailkit.protocols.imap.events import AppendBegins
from mailkit.protocols.imap.response import Response, bad, no, ok
from mailkit.protocols.imap.write import codes
from mailkit.services.imap.answers import answer_for
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.incoming import Incoming

SMALL = 128 * 1024
"""Octets of a message that is sooner taken than asked about."""

_TRY_CREATE = no("No such mailbox; it may be created", b"TRYCREATE")


async def begin(talk: Dialogue, command: AppendBegins) -> Response | None:
    """
    Let the message come, unless it is clear already that it will not be kept.

    :raises TooLarge: :raises OverQuota: :raises StorageFull:
    """
    # Who has just put a message there is told at the end, should it be gone.
    if command.mailbox != talk.appended_to or command.size > SMALL:
        try:
            await talk.store.status(talk.account, command.mailbox)
        except NoSuchMailbox:
            return _TRY_CREATE
    if not command.size:
        return no("An empty message is not kept", b"CANNOT")
    if command.size > talk.settings.message_size:
        raise TooLarge
    if command.size > talk.room:
        quota = await talk.house.quota_of(talk.account)
        if quota:
            talk.room = quota - await talk.store.used(talk.account)
            if command.size > talk.room:
                raise OverQuota
    talk.incoming = Incoming(command, talk.house.spool.begin())
    talk.machine.accept_literal()
    return None


async def end(talk: Dialogue) -> Response:
    """
    Keep the message.

    :raises OverQuota: :raises StorageFull: :raises StorageBroken: :raises TooMany:
    """
    incoming, talk.incoming = talk.incoming, None
    assert incoming is not None
    if incoming.problem is not None:
        return answer_for(incoming.problem)
    command = incoming.command
    room, talk.room = talk.room, 0
    try:
        content = await incoming.spooled.finish()
        new = NewMessage(content, command.flags, command.internal_date)
        kept = await talk.store.append(talk.account, command.mailbox, [new])
    except NoSuchMailbox:
        talk.appended_to = None
        return _TRY_CREATE
    finally:
        incoming.spooled.discard()
    talk.appended_to = command.mailbox
    talk.room = room - command.size
    return ok("Kept", codes.append_uid(kept.uid_validity, kept.uids))


def abort(talk: Dialogue, problem: str) -> Response:
    """The command went wrong after all."""
    forget(talk)
    return bad(problem)


def forget(talk: Dialogue) -> None:
    """Let go of what came so far."""
    incoming, talk.incoming = talk.incoming, None
    if incoming is not None:
        incoming.spooled.discard()
