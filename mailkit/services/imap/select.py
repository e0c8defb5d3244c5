"""SELECT, EXAMINE, CLOSE and UNSELECT (RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2)."""

from __future__ import annotations

from collections.abc import Iterable

from mailkit.model.flags import SYSTEM_FLAGS, Flags
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
    talk.selected = Selected(
        mailbox, view, is_read_only, takes_recent, folded(snapshot.keywords)
    )
    _tell_state(talk, snapshot, view, is_read_only, entry)
    if is_read_only:
        return ok("To be looked at", b"READ-ONLY")
    return ok("Selected", b"READ-WRITE")


def _tell_state(
    talk: Dialogue, snapshot: Snapshot, view: View, is_read_only: bool, entry: bytes
) -> None:
    status = snapshot.status
    talk.say(*flags_in(snapshot, is_read_only), write.exists(view.exists))
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


def flags_in(snapshot: Snapshot, is_read_only: bool) -> tuple[bytes, ...]:
    r"""FLAGS and PERMANENTFLAGS, with ``\*`` while there may be more of them."""
    flags = [*sorted(SYSTEM_FLAGS), *snapshot.keywords]
    permanent = [] if is_read_only else [*flags]
    if permanent and snapshot.takes_keywords:
        permanent.append("\\*")
    kept = ok("Kept", codes.permanent_flags(permanent))
    return write.flags(flags), write.untagged(kept)


async def tell_keywords(talk: Dialogue, flags: Flags) -> None:
    r"""
    Say once that there may be no more keywords than those (RFC 9051 §7.1).

    :param flags: that messages have now; asked is only if one of them is new.
    """
    selected = talk.here
    if folded(flags - SYSTEM_FLAGS) <= selected.keywords:
        return
    snapshot = await selected.mailbox.snapshot(False)
    selected.keywords = folded(snapshot.keywords)
    if not snapshot.takes_keywords:
        talk.say(*flags_in(snapshot, selected.is_read_only))


def folded(keywords: Iterable[str]) -> frozenset[str]:
    """As keywords are compared (RFC 9051 §2.3.2)."""
    return frozenset([keyword.lower() for keyword in keywords])


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
