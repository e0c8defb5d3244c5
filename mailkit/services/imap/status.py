"""STATUS (RFC 9051 §6.3.11, RFC 8438, RFC 8474 §4.3)."""

from __future__ import annotations

from mailkit.model.mailbox import MailboxName
from mailkit.protocols.imap.events import Status
from mailkit.protocols.imap.items import StatusItem
from mailkit.protocols.imap.response import Response, ok
from mailkit.protocols.imap.write import mailbox as write
from mailkit.services.imap.dialogue import Dialogue


async def status(talk: Dialogue, command: Status) -> Response:
    """:raises NoSuchMailbox:"""
    await tell_status(talk, command.mailbox, command.items)
    return ok("Told")


async def tell_status(
    talk: Dialogue, name: MailboxName, items: tuple[StatusItem, ...]
) -> None:
    """
    One STATUS response.

    :raises NoSuchMailbox:
    """
    found = await talk.store.status(talk.account, name)
    talk.say(write.status(name, found, items, is_utf8=talk.machine.is_utf8))
