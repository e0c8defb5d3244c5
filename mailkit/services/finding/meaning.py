"""What names and days mean to the person who asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from attrs import define, field, frozen

from mailkit.formats.searchable import fold
from mailkit.model.finding import (
    Aged,
    AllOf,
    AnyOf,
    Came,
    Dated,
    HasKeyword,
    InMailboxes,
    Labelled,
    Mark,
    Marked,
    Not,
    Sought,
    Unit,
    Within,
)
from mailkit.model.label import Label, keyword_of
from mailkit.model.mailbox import INBOX, MailboxEntry, MailboxName, SpecialUse

ANYWHERE = "anywhere"
"""``in:`` with this leaves nothing out."""

_USES = {
    "archive": SpecialUse.ARCHIVE,
    "drafts": SpecialUse.DRAFTS,
    "junk": SpecialUse.JUNK,
    "sent": SpecialUse.SENT,
    "spam": SpecialUse.JUNK,
    "trash": SpecialUse.TRASH,
}
_LEFT_OUT = (SpecialUse.JUNK, SpecialUse.TRASH)


@frozen
class Meaning:
    """All that a search needs to know besides its words."""

    now: float
    """Seconds since 1970."""
    zone: tzinfo
    mailboxes: Sequence[MailboxEntry]
    labels: Sequence[Label]


@frozen
class MadeOut:
    """A search that a store understands."""

    sought: Sought
    leaves_out: bool
    """Whether Spam and Trash are left out, because nothing was said of places."""


def make_out(sought: Sought, meaning: Meaning) -> MadeOut:
    """
    Put mailboxes, keywords and seconds where names and days are.

    What names nothing is nowhere. Spam and Trash are left out unless some place is
    named.
    """
    maker = _Maker(meaning)
    made = maker.one(sought)
    if maker.is_placed:
        return MadeOut(made, leaves_out=False)
    thrown = tuple(
        f"{entry.name}/"
        for entry in meaning.mailboxes
        if entry.special_use is SpecialUse.TRASH
    )
    names = frozenset(
        entry.name
        for entry in meaning.mailboxes
        if entry.special_use in _LEFT_OUT or entry.name.startswith(thrown)
    )
    parts = made.sought if isinstance(made, AllOf) else (made,)
    return MadeOut(AllOf((*parts, Not(InMailboxes(names)))), leaves_out=True)


@define
class _Maker:
    _meaning: Meaning
    is_placed: bool = field(init=False, default=False)

    def one(self, sought: Sought) -> Sought:
        match sought:
            case Within(box):
                self.is_placed = True
                return self._within(box)
            case Labelled(label):
                return self._labelled(label)
            case Dated(since, before):
                return Came(
                    None if since is None else self._begin(since),
                    None if before is None else self._begin(before),
                )
            case Aged(count, unit, is_older):
                at = self._ago(count, unit)
                return Came(before=at) if is_older else Came(since=at)
            case Not(inner):
                return Not(self.one(inner))
            case AllOf(inner):
                return AllOf(tuple(map(self.one, inner)))
            case AnyOf(inner):
                return AnyOf(tuple(map(self.one, inner)))
        return sought

    def _within(self, box: str) -> Sought:
        folded = box.lower()
        if folded == ANYWHERE:
            return AllOf()
        if folded == "inbox":
            return InMailboxes(frozenset([INBOX]))
        if folded == "starred":
            return Marked(Mark.STARRED)
        entries = self._meaning.mailboxes
        names = [one.name for one in entries if one.name == box]
        if not names and folded in _USES:
            use = _USES[folded]
            names = [one.name for one in entries if one.special_use is use]
        if not names:
            names = [one.name for one in entries if _is_called(one.name, box)]
        return InMailboxes(frozenset(names))

    def _labelled(self, label: str) -> Sought:
        folded = fold(label)
        labels = self._meaning.labels
        found = [one for one in labels if folded in (fold(one.name), one.slug.lower())]
        keywords: tuple[Sought, ...] = tuple(HasKeyword(one.keyword) for one in found)
        if not keywords:
            # One that a client set, and nobody named.
            keywords = (HasKeyword(label), HasKeyword(keyword_of(folded)))
        return keywords[0] if len(keywords) == 1 else AnyOf(keywords)

    def _begin(self, day: date) -> float:
        """The first moment of a day where the person is."""
        return datetime.combine(day, time(), self._meaning.zone).timestamp()

    def _ago(self, count: int, unit: Unit) -> float:
        now = datetime.fromtimestamp(self._meaning.now, self._meaning.zone)
        if unit is Unit.DAY:
            # Before the calendar begins there was no mail.
            days = min(count, now.toordinal() - 1)
            return (now - timedelta(days=days)).timestamp()
        months = count * (12 if unit is Unit.YEAR else 1)
        year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
        if year < 1:
            return 0.0
        day = min(now.day, _length(year, month + 1))
        return now.replace(year=year, month=month + 1, day=day).timestamp()


def _length(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _is_called(name: MailboxName, words: str) -> bool:
    """``work/old`` and ``old`` are both good for ``Work/Old``."""
    folded, wanted = fold(name), fold(words)
    return folded == wanted or folded.rpartition("/")[2] == wanted
