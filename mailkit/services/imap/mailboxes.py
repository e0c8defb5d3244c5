"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4 to §6.3.8)."""

from __future__ import annotations

from mailkit.errors import NoSuchMailbox
from mailkit.model.mailbox import MailboxName
from mailkit.protocols.imap.events import Create, Delete, Rename
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.pattern import SEPARATOR


async def create(talk: Dialogue, command: Create) -> Response:
    """
    Make a mailbox; a separator at the end announces others below it (§6.3.4).

    :raises MailboxExists: :raises CannotName: :raises TooMany:
    """
    if command.uses:
        # RFC 6154 §3: who cannot give the use makes no mailbox.
        return no("The special mailboxes are made with the account", b"USEATTR")
    name = MailboxName(command.mailbox.removesuffix(SEPARATOR))
    await talk.store.create(talk.account, name)
    return ok("Created")


async def delete(talk: Dialogue, command: Delete) -> Response:
    """
    Remove a mailbox and all that is in it.

    :raises NoSuchMailbox: :raises CannotName: for INBOX.
    """
    try:
        await talk.store.delete(talk.account, command.mailbox)
    except NoSuchMailbox:
        below = command.mailbox + SEPARATOR
        for entry in await talk.store.mailboxes(talk.account):
            if entry.is_selectable and entry.name.startswith(below):
                return no("Only a name, and others are below it", b"HASCHILDREN")
        raise
    return ok("Deleted")


async def rename(talk: Dialogue, command: Rename) -> Response:
    """
    Give a mailbox and all below it another name; of INBOX, move what is in it.

    :raises NoSuchMailbox: :raises MailboxExists: :raises CannotName:
    """
    new = MailboxName(command.new.removesuffix(SEPARATOR))
    await talk.store.rename(talk.account, command.mailbox, new)
    return ok("Renamed")


async def subscribe(talk: Dialogue, name: MailboxName, wish: bool) -> Response:
    """
    Remember a name, or forget it; it need not exist (§6.3.7).

    :raises CannotName:
    """
    await talk.store.subscribe(talk.account, name, wish)
    return ok("Subscribed" if wish else "Unsubscribed")
