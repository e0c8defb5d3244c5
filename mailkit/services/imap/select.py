"""SELECT, EXAMINE, CLOSE and UNSELECT (RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2)."""

from __future__ import annotations

from mailkit.model.flags import SYSTEM_FLAGS
from mailkit.model.mailbox import MailboxName, Snapshot
from mailkit.model.uidset import ALL_UIDS
from mailkit.protocols.imap.response import Response, ok
from mailkit.protocols.imap.write import codes
from mailkit.protocols.imap.write import mailbox as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.list import line_of
from mailkit.services.imap.selected import Selected
from mailkit.services.imap.view import View, count


async def select(talk: Dialogue, name: MailboxName, is_read_only: bool) -> Response:
    """
    Look at another mailbox; the one before is closed, whatever comes of it.

    :raises NoSuchMailbox:
    """
    if talk.selected is not None:
        talk.selected = None
        talk.say(write.untagged(ok("The mailbox before is closed", b"CLOSED")))
    takes_recent = not (is_read_only or talk.is_rev2)
    mailbox = await talk.store.open(talk.account, name)
    snapshot = await mailbox.snapshot(takes_recent)
    status = snapshot.status
    view = View(snapshot.uids, status.highest_mod_seq, snapshot.recent)
    entry = await line_of(talk, name) if talk.is_rev2 else b""
    talk.selected = Selected(mailbox, view, is_read_only, takes_recent)
    _tell_state(talk, snapshot, view, is_read_only, entry)
    if is_read_only:
        return ok("To be looked at", b"READ-ONLY")
    return ok("Selected", b"READ-WRITE")


def _tell_state(
    talk: Dialogue, snapshot: Snapshot, view: View, is_read_only: bool, entry: bytes
) -> None:
    status = snapshot.status
    flags = [*sorted(SYSTEM_FLAGS), *snapshot.keywords]
    permanent = [] if is_read_only else [*flags, "\\*"]
    talk.say(
        write.flags(flags),
        write.untagged(ok("Kept", codes.permanent_flags(permanent))),
        write.exists(view.exists),
    )
    if not talk.is_rev2:
        talk.say(write.recent(count(view.numbers_of_uids(view.recent.ranges))))
        unseen = view.number_of(snapshot.first_unseen) if snapshot.first_unseen else 0
        if unseen:
            talk.say(write.untagged(ok("First unseen", codes.unseen(unseen))))
    talk.say(
        write.untagged(ok("UIDs are good", codes.uid_validity(status.uid_validity))),
        write.untagged(ok("The next UID", codes.uid_next(status.uid_next))),
        entry,
    )


async def close(talk: Dialogue) -> Response:
    r"""Remove what is ``\Deleted``, saying nothing, and look at no mailbox."""
    if not talk.here.is_read_only:
        await talk.here.mailbox.expunge(ALL_UIDS)
    talk.selected = None
    return ok("Closed")


async def unselect(talk: Dialogue) -> Response:
    """Look at no mailbox, and remove nothing (RFC 3691 §2)."""
    talk.selected = None
    return ok("Closed, nothing removed")
