"""Finding messages by reading all of them: for small stores, and as the measure."""

from __future__ import annotations

import re
from typing import NamedTuple

from attrs import define
from zope.interface import implementer

from mailkit.formats.searchable import (
    ATTACHED,
    Searchable,
    message_token,
    searchable,
    wanted,
)
from mailkit.interfaces.search import Found, Hit, ISearch
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.conversation import Place
from mailkit.model.finding import (
    AllOf,
    AnyOf,
    Came,
    Field,
    HasKeyword,
    HasMessageId,
    InMailboxes,
    Mark,
    Marked,
    Not,
    Sized,
    Sought,
    Words,
)
from mailkit.model.flags import FLAGGED, SEEN
from mailkit.model.mailbox import MessageRecord, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.content import all_octets

_WANT = Want.FLAGS | Want.FACTS | Want.IDS
_TOKEN = re.compile(r"[^\W_]+")


class _Message(NamedTuple):
    place: Place
    record: MessageRecord
    text: Searchable


@implementer(ISearch)
@define(eq=False)
class PlainSearch:
    """
    Every promise of `ISearch` over any store, without an index.

    Each search reads the whole account.
    """

    _store: IMailStore

    async def find(
        self,
        account: AccountName,
        sought: Sought,
        after: int | None = None,
        most: int = 50,
        *,
        grouped: bool = False,
    ) -> Found:
        messages = await self._messages(account)
        # The order of time, and a number for each message wherever it lies.
        order = sorted({(m.record.internal_date, m.record.email_id) for m in messages})
        ranks = {email_id: rank for rank, (_, email_id) in enumerate(order)}
        hits: dict[str, Hit] = {}
        for one in messages:
            if _matches(one, sought):
                email_id, thread_id = one.record.email_id, one.record.thread_id
                hit = Hit(one.place, email_id, thread_id, ranks[email_id])
                hits.setdefault(email_id, hit)
        found = sorted(hits.values(), key=lambda hit: -hit.rank)
        if grouped:
            newest: dict[str, Hit] = {}
            for hit in found:
                newest.setdefault(hit.thread_id, hit)
            found = list(newest.values())
        found = [hit for hit in found if after is None or hit.rank < after]
        if len(found) <= most:
            return Found(tuple(found))
        return Found(tuple(found[:most]), found[most - 1].rank)

    def begin(self, account: AccountName) -> None:
        """There is nothing to be looked into."""

    async def catch_up(self, account: AccountName, most: int = 1000) -> int:
        return 0

    async def rebuild(self, account: AccountName) -> None:
        """There is nothing to throw away."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _messages(self, account: AccountName) -> list[_Message]:
        found: list[_Message] = []
        for entry in await self._store.mailboxes(account):
            if not entry.is_selectable:
                continue
            mailbox = await self._store.open(account, entry.name)
            records = {r.uid: r for r in await mailbox.fetch(ALL_UIDS, _WANT)}
            for uid, content in await mailbox.contents(ALL_UIDS):
                octets = await all_octets(content)
                place = Place(entry.name, uid)
                found.append(_Message(place, records[uid], searchable(octets)))
        return found


def _matches(one: _Message, sought: Sought) -> bool:
    match sought:
        case Words(text, where, is_phrase):
            return _has_words(one.text, text, where, is_phrase)
        case HasMessageId(message_id):
            return message_token(message_id) in one.text.marks.split()
        case Marked(mark):
            return _is_marked(one, mark)
        case InMailboxes(names):
            return one.place.mailbox in names
        case HasKeyword(keyword):
            return keyword.lower() in {flag.lower() for flag in one.record.flags}
        case Came(since, before):
            came = one.record.internal_date
            return (since is None or came >= since) and (
                before is None or came < before
            )
        case Sized(octets, is_larger):
            size = one.record.size
            return size > octets if is_larger else size < octets
        case Not(inner):
            return not _matches(one, inner)
        case AllOf(inner):
            return all(_matches(one, part) for part in inner)
        case AnyOf(inner):
            return any(_matches(one, part) for part in inner)
    raise ValueError(f"{type(sought).__name__} is not made out")


def _is_marked(one: _Message, mark: Mark) -> bool:
    match mark:
        case Mark.ATTACHMENT:
            return ATTACHED in one.text.marks.split()
        case Mark.STARRED:
            return FLAGGED in one.record.flags
        case Mark.READ:
            return SEEN in one.record.flags


def _has_words(text: Searchable, words: str, where: Field, is_phrase: bool) -> bool:
    found, is_beginning = wanted(words, is_phrase=is_phrase)
    if not found:
        return True
    fields = text[:-1] if where is Field.ANYWHERE else (_field(text, where),)
    return any(_follow(_TOKEN.findall(one), found, is_beginning) for one in fields)


def _field(text: Searchable, where: Field) -> str:
    names = {Field.FROM: "sender"}
    value: str = getattr(text, names.get(where, where.value))
    return value


def _follow(words: list[str], found: tuple[str, ...], is_beginning: bool) -> bool:
    """Whether words follow each other; the last may only begin so."""
    count = len(found)
    for at in range(len(words) - count + 1):
        here = tuple(words[at : at + count])
        if here[:-1] == found[:-1] and (
            here[-1] == found[-1] or (is_beginning and here[-1].startswith(found[-1]))
        ):
            return True
    return False
