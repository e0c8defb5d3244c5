"""Telling the client what happened in its mailbox (RFC 9051 §5.2, §7.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailkit.errors import MailboxGone
from mailkit.model.mailbox import FlagRecord
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.write import fetch as write_fetch
from mailkit.protocols.imap.write import mailbox as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.selected import Selected
from mailkit.services.imap.view import NOTHING_NEW, News, count

OWN = 1_024
"""Numbers that a view may keep of its own before it looks for a shared array."""


def _everything(record: FlagRecord) -> bool:
    return True


async def tell_news(
    talk: Dialogue,
    may_expunge: bool,
    uid: bool = False,
    is_told: Callable[[FlagRecord], bool] = _everything,
) -> News:
    """
    Say what happened since the client was last told.

    :param may_expunge: whether the command allows numbers to change (§7.5.1).
    :param uid: whether flags are told with their UID, as UID commands have to.
    :param is_told: which changes of flags the client does not know already.
    :raises MailboxGone: if the mailbox is no more.
    """
    selected = talk.here
    view = selected.view
    selected.looked = talk.house.clock.seconds()
    change = await selected.mailbox.changes_since(view.mod_seq)
    if change.is_gone:
        raise MailboxGone
    if not change and not (may_expunge and view.pending):
        view.mod_seq = max(view.mod_seq, change.mod_seq)
        return NOTHING_NEW
    news = view.tell(change, may_expunge)
    if news.expunged:
        talk.say(write.expunged(news.expunged))
    if news.exists is not None:
        talk.say(write.exists(news.exists))
        if selected.takes_recent and not talk.is_rev2:
            await _tell_recent(talk, selected)
    if news.flagged:
        flagged = [pair for pair in news.flagged if is_told(pair[1])]
        await tell_flags(talk, selected, flagged, uid)
    if view.difference > OWN and not view.pending:
        view.rebase((await selected.mailbox.snapshot(False)).uids)
    return news


async def tell_flags(
    talk: Dialogue,
    selected: Selected,
    flagged: Sequence[tuple[int, FlagRecord]],
    uid: bool,
) -> None:
    """Say which flags messages have; in pieces, so that others get their turn."""
    size = talk.settings.batch
    for start in range(0, len(flagged), size):
        piece = flagged[start : start + size]
        talk.say(write_fetch.flag_lines(piece, selected.view.recent, uid))
        if len(piece) == size:
            await talk.flush()


async def has_vanished(talk: Dialogue, uids: UIDSet) -> bool:
    """
    Whether some of these messages are no more; other news are told by the way.

    For commands that name sequence numbers: a number whose message has gone stays
    in use until the client hears of it (RFC 2180 §4).
    """
    await tell_news(talk, may_expunge=False)
    return bool(talk.here.view.pending & uids)


async def _tell_recent(talk: Dialogue, selected: Selected) -> None:
    r"""New messages are ``\Recent`` for the first session that is told of them."""
    view = selected.view
    taken = (await selected.mailbox.snapshot(True)).recent
    view.recent = view.recent | taken
    known = view.numbers_of_uids(view.recent.ranges)
    talk.say(write.recent(count(known)))
