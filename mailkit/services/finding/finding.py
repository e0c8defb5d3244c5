"""A search as the webmail asks it, and what it answers with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo

from attrs import define, frozen

from mailkit.formats.finding import Note, read
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.search import ISearch
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.conversation import Place, Row
from mailkit.model.finding import Sought
from mailkit.services.finding.marks import words_of
from mailkit.services.finding.meaning import MadeOut, Meaning, make_out

AT_ONCE = 500
"""Hits that are asked for together, where all are wanted."""


@frozen
class Results:
    """One page of what was found."""

    rows: tuple[Row, ...]
    next: int | None
    """For the rows below; ``None``: that was all."""
    words: tuple[str, ...]
    """What `mailkit.services.finding.marks.marked` marks."""
    notes: tuple[Note, ...]
    """What was taken as a plain word although it looks like an operator."""
    leaves_out: bool
    """Whether Spam and Trash were left out."""
    is_cut: bool
    """Whether more was typed than is looked at."""
    unread: int
    """Messages that nobody has looked into yet."""


@define(eq=False)
class Finding:
    """Asks the index of words for people."""

    _search: ISearch
    _conversations: IConversations
    _store: IMailStore
    _personal: IPersonal
    _now: Callable[[], float]

    async def find(
        self,
        account: AccountName,
        text: str,
        zone: tzinfo,
        after: int | None = None,
        most: int = 50,
        *,
        grouped: bool = True,
    ) -> Results:
        """
        Rows for what somebody typed, the newest first.

        :param zone: in which days begin.
        :param after: `Results.next` of the page before.
        """
        understood = read(text)
        made = await self._make_out(account, understood.sought, zone)
        found = await self._search.find(
            account, made.sought, after, most, grouped=grouped
        )
        places = [hit.place for hit in found.hits]
        rows = await self._conversations.rows(account, places, grouped=grouped)
        return Results(
            tuple(rows),
            found.next,
            words_of(understood.sought),
            understood.notes,
            made.leaves_out,
            understood.is_cut,
            found.unread,
        )

    async def places(
        self, account: AccountName, text: str, zone: tzinfo, most: int
    ) -> list[Place]:
        """
        Where the messages lie that match, at most so many, for actions on all of them.

        A message in several mailboxes is named once.
        """
        made = await self._make_out(account, read(text).sought, zone)
        places: list[Place] = []
        after = None
        while len(places) < most:
            wanted = min(AT_ONCE, most - len(places))
            found = await self._search.find(account, made.sought, after, wanted)
            places += (hit.place for hit in found.hits)
            after = found.next
            if after is None:
                break
        return places

    async def _make_out(
        self, account: AccountName, sought: Sought, zone: tzinfo
    ) -> MadeOut:
        mailboxes = await self._store.mailboxes(account)
        labels = await self._personal.labels(account)
        return make_out(sought, Meaning(self._now(), zone, mailboxes, labels))
