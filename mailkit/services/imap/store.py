"""STORE and UID STORE (RFC 9051 §6.4.6)."""

from __future__ import annotations

from mailkit.model.flags import FlagChange
from mailkit.model.mailbox import FlagRecord, Want
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.events import Store
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.news import tell_flags, tell_news
from mailkit.services.imap.view import News, Run, batches, count

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
    if command.is_silent:
        await tell_news(talk, False, command.uid, lambda told: told.uid not in uids)
    else:
        news = await tell_news(talk, False, command.uid)
        await _tell_unchanged(talk, runs, uids, news, command.uid)
    if not command.uid and selected.view.pending & uids:
        return no("Some of them are no more", b"EXPUNGEISSUED")
    return ok("Stored")


async def _tell_unchanged(
    talk: Dialogue, runs: list[Run], uids: UIDSet, news: News, uid: bool
) -> None:
    """The client asked for all of them, also for those that were so already."""
    told = {record.uid for _, record in news.flagged}
    if len(told) >= count(runs) and all(known in uids for known in told):
        return
    selected = talk.here
    for batch in batches(runs, talk.settings.batch):
        rows = await selected.mailbox.fetch(selected.view.uids(batch), Want.FLAGS)
        pairs = zip(
            selected.view.numbers_in(batch, [row.uid for row in rows]),
            (FlagRecord(row.uid, row.flags, row.mod_seq) for row in rows),
            strict=True,
        )
        untold = [pair for pair in pairs if pair[1].uid not in told]
        await tell_flags(talk, selected, untold, uid)
