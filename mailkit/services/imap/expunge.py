"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9, RFC 4315 §2.1)."""

from __future__ import annotations

from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import Expunge, UidExpunge
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.services.imap.dialogue import Dialogue


async def expunge(talk: Dialogue, command: Expunge | UidExpunge) -> Response:
    r"""
    Remove what is ``\Deleted``; the news say what went.

    Only messages that the client knows, so that none goes that it never saw.
    """
    selected = talk.here
    if selected.is_read_only:
        return no("The mailbox is read-only", b"READ-ONLY")
    view = selected.view
    if isinstance(command, UidExpunge):
        runs = selected.runs(command.uids, True)
    else:
        runs = [(1, view.exists)] if view.exists else []
    uids: UIDSet = view.uids(runs)
    if uids:
        await selected.mailbox.expunge(uids)
    return ok("Expunged")
