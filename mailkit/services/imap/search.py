"""SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 5182)."""

from __future__ import annotations

from mailkit.errors import MailkitError
from mailkit.model.query import AllOf, AnyOf, Not, Query, Uids
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.protocols.imap.events import Search
from mailkit.protocols.imap.keys import (
    AllKeys,
    AnyKeys,
    NotKey,
    NumberKey,
    RecentKey,
    SearchKey,
    SearchReturn,
    UidKey,
)
from mailkit.protocols.imap.parse.search import CHARSETS
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.protocols.imap.write import codes
from mailkit.protocols.imap.write import search as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.selected import Selected
from mailkit.services.imap.view import Run, count

_BAD_CHARSET = codes.bad_charset(CHARSETS)
_ALL = frozenset({SearchReturn.ALL})
_EXTREMES = frozenset({SearchReturn.MIN, SearchReturn.MAX})


async def search(talk: Dialogue, command: Search) -> Response:
    """
    Find messages among those that the client knows.

    A search that is answered NO leaves nothing saved (RFC 5182 §2.1).
    """
    selected = talk.here
    saves = command.returns is not None and SearchReturn.SAVE in command.returns
    if command.unknown_charset:
        if saves:
            selected.saved = NO_UIDS
        return no(f"Unknown charset {command.unknown_charset}", _BAD_CHARSET)
    query = query_of(selected, command.key)
    try:
        found = await selected.mailbox.search(query)
    except MailkitError:
        if saves:
            selected.saved = NO_UIDS
        raise
    runs = selected.view.numbers_of_uids(found.ranges)
    if saves:
        assert command.returns is not None
        selected.saved = selected.view.exactly(_kept(runs, command.returns))
    _tell(talk, selected, command, runs)
    return ok("Searched, and saved" if saves else "Searched")


def _tell(talk: Dialogue, selected: Selected, command: Search, runs: list[Run]) -> None:
    view = selected.view
    if command.returns is None and not talk.is_rev2:
        shown = view.exactly(runs) if command.uid else UIDSet(tuple(runs))
        talk.say(write.search(shown))
        return
    returns = _ALL if command.returns is None else command.returns
    if returns == {SearchReturn.SAVE}:
        return  # RFC 5182 §2.1: nothing but the result was asked for
    least = most = 0
    if runs:
        least, most = runs[0][0], runs[-1][1]
        if command.uid:
            least, most = view.uid_at(least), view.uid_at(most)
    shown = NO_UIDS
    if SearchReturn.ALL in returns:
        shown = view.exactly(runs) if command.uid else UIDSet(tuple(runs))
    talk.say(
        write.esearch(
            talk.machine.tag,
            command.uid,
            least=least if SearchReturn.MIN in returns else 0,
            most=most if SearchReturn.MAX in returns else 0,
            every=shown,
            count=count(runs) if SearchReturn.COUNT in returns else None,
        )
    )


def _kept(runs: list[Run], returns: frozenset[SearchReturn]) -> list[Run]:
    """What SAVE keeps: all, unless only extremes were asked for (RFC 5182 §2.4)."""
    if not runs or not returns & _EXTREMES:
        return runs
    if returns & {SearchReturn.ALL, SearchReturn.COUNT}:
        return runs
    least, most = runs[0][0], runs[-1][1]
    kept = [(least, least)] if SearchReturn.MIN in returns else []
    if SearchReturn.MAX in returns and (most != least or not kept):
        kept.append((most, most))
    return kept


def query_of(selected: Selected, key: SearchKey) -> Query:
    """
    A key in terms of UIDs.

    :raises Malformed: if it names a sequence number that no message has.
    """
    match key:
        case NumberKey(numbers) if numbers.has_star and not selected.view.exists:
            # BAD by RFC 9051 §9, but clients look for 1:* before they know better.
            return Uids(NO_UIDS)
        case NumberKey(numbers):
            return Uids(selected.view.uids(selected.runs(numbers, False)))
        case UidKey(uids):
            return Uids(selected.view.uids(selected.runs(uids, True)))
        case RecentKey():
            return Uids(selected.view.recent)
        case NotKey(inner):
            return Not(query_of(selected, inner))
        case AllKeys(keys):
            return AllOf(tuple(query_of(selected, inner) for inner in keys))
        case AnyKeys(keys):
            return AnyOf(tuple(query_of(selected, inner) for inner in keys))
        case _:
            return key
