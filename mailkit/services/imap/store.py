"""STORE and UID STORE (RFC 9051 §6.4.6)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import FlagRecord, Want
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import Store
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.news import tell_flags, tell_news
from mailkit.services.imap.select import tell_keywords
from mailkit.services.imap.selected import is_by_number
from mailkit.services.imap.view import News, Run, batches

RECENT = "\\recent"


async def store(talk: Dialogue, command: Store) -> Response:
    r"""
    Change flags, and say what they are now unless the client asked for silence.

    What others did before is told first, so that what comes after is ours; in
    silence, only what is ours is left out (RFC 9051 §6.4.6). ``\Recent`` is not
    the client's to change.
    """
    selected = talk.here
    if selected.is_read_only:
        return no("The mailbox is read-only", b"READ-ONLY")
    runs = selected.runs(command.numbers, command.uid)
    if not runs:
        return ok("No such message")
    uids = selected.view.uids(runs)
    await tell_news(talk, False, command.uid)
    flags = frozenset(flag for flag in command.flags if flag.lower() != RECENT)
    await selected.mailbox.store(uids, FlagChange(command.action, flags))
    if command.action is not FlagAction.REMOVE:
        await tell_keywords(talk, flags)
    is_foreign = _outside(uids)
    news = await tell_news(talk, False, command.uid, is_foreign)
    if not command.is_silent:
        await _tell_own(talk, runs, news, command.uid)
    by_number = is_by_number(command.numbers, command.uid)
    if by_number and selected.view.pending & uids:
        return no("Some of them are no more", b"EXPUNGEISSUED")
    return ok("Stored")


def _outside(uids: UIDSet) -> Callable[[FlagRecord], bool]:
    if len(uids.ranges) > 1:
        return lambda record: record.uid not in uids
    [(first, last)] = uids.ranges
    return lambda record: not first <= record.uid <= last


async def _tell_own(talk: Dialogue, runs: list[Run], news: News, uid: bool) -> None:
    """The client asked for all of them, also for those that were so already."""
    numbers = chain.from_iterable(range(first, last + 1) for first, last in runs)
    if [number for number, _ in news.flagged] == list(numbers):
        await tell_flags(talk, talk.here, news.flagged, uid)
        return
    mailbox, view = talk.here.mailbox, talk.here.view
    for batch in batches(runs, talk.settings.batch):
        rows = await mailbox.fetch(view.uids(batch), Want.FLAGS | Want.MOD_SEQ)
        records = [FlagRecord(row.uid, row.flags, row.mod_seq) for row in rows]
        numbers_here = view.numbers_in(batch, [row.uid for row in rows])
        pairs = list(zip(numbers_here, records, strict=True))
        await tell_flags(talk, talk.here, pairs, uid)
