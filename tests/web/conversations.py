"""Conversations of a test: what it says, in the order in which it says it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.conversations import IConversations
from mailkit.model.address import AccountName
from mailkit.model.conversation import (
    ConversationChange,
    Counts,
    Cursor,
    Everything,
    InMailbox,
    Page,
    Person,
    Place,
    Row,
    Summary,
    View,
)
from mailkit.model.flags import SEEN
from mailkit.model.mailbox import INBOX, MailboxName


def summary(
    number: int,
    subject: str = "Kitchen drawings",
    *,
    mailbox: MailboxName = INBOX,
    when: float = 1767225600.0,
    sender: Person | None = None,
    flags: Collection[str] = (),
    keywords: Collection[str] = (),
    preview: str = "I moved the sink.",
    has_attachments: bool = False,
    to: Sequence[Person] = (),
) -> Summary:
    """One message; its ids are made of its number."""
    return Summary(
        email_id=f"m{number}",
        thread_id=f"t{number}",
        places=(Place(mailbox, number),),
        flags=frozenset(flags) | frozenset(keywords),
        keywords=frozenset(keywords),
        size=1000,
        internal_date=when,
        sent=when,
        from_=(sender or Person("Ingrid Solheim", "ingrid@far.example"),),
        to=tuple(to),
        subject=subject,
        preview=preview,
        has_attachments=has_attachments,
    )


@implementer(IConversations)
@define(eq=False)
class FewConversations:
    """Each summary is a conversation, newest first."""

    all: list[Summary] = field(factory=list)

    async def page(
        self,
        account: AccountName,
        view: View,
        after: Cursor | None = None,
        most: int = 50,
        *,
        grouped: bool = True,
    ) -> Page:
        found = self._of(view)
        begin = 0
        if after is not None:
            begin = next(
                (n for n, one in enumerate(found) if _cursor(one) < after), len(found)
            )
        chosen = found[begin : begin + most]
        has_more = begin + most < len(found)
        previous = begin - most
        return Page(
            tuple(_row(one) for one in chosen),
            _cursor(chosen[-1]) if has_more else None,
            _cursor(found[previous - 1]) if previous > 0 else None,
            begin > 0,
        )

    async def neighbours(
        self, account: AccountName, view: View, thread_id: str
    ) -> tuple[str | None, str | None]:
        ids = [one.thread_id for one in self._of(view)]
        if thread_id not in ids:
            return None, None
        at = ids.index(thread_id)
        newer = ids[at - 1] if at else None
        return newer, ids[at + 1] if at + 1 < len(ids) else None

    async def conversation(
        self, account: AccountName, thread_id: str
    ) -> Sequence[Summary]:
        return [one for one in self.all if one.thread_id == thread_id]

    async def message(self, account: AccountName, email_id: str) -> Summary | None:
        return next((one for one in self.all if one.email_id == email_id), None)

    async def messages(
        self, account: AccountName, email_ids: Sequence[str]
    ) -> Sequence[Summary]:
        return [one for one in self.all if one.email_id in email_ids]

    async def summaries(
        self, account: AccountName, places: Sequence[Place]
    ) -> Sequence[Summary]:
        return [one for one in self.all if one.places[0] in places]

    async def rows(
        self, account: AccountName, places: Sequence[Place], *, grouped: bool = True
    ) -> Sequence[Row]:
        raise NotImplementedError("no test of pages asks for rows of places here")

    async def places(
        self,
        account: AccountName,
        view: View,
        thread_ids: Collection[str] | None = None,
        after: Place | None = None,
        most: int = 1000,
    ) -> Sequence[Place]:
        return [
            one.places[0]
            for one in self._of(view)
            if thread_ids is None or one.thread_id in thread_ids
        ]

    async def count(self, account: AccountName, view: View) -> Counts:
        found = self._of(view)
        return Counts(len(found), sum(SEEN not in one.flags for one in found))

    async def counts(
        self, account: AccountName, views: Sequence[View]
    ) -> Sequence[Counts | None]:
        return [await self.count(account, view) for view in views]

    async def mod_seq(self, account: AccountName) -> int:
        return len(self.all)

    async def changes(
        self, account: AccountName, mod_seq: int, most: int = 500
    ) -> ConversationChange:
        return ConversationChange(len(self.all))

    def _of(self, view: View) -> list[Summary]:
        found = [
            one
            for one in self.all
            if isinstance(view, Everything)
            or (isinstance(view, InMailbox) and one.places[0].mailbox == view.name)
        ]
        return sorted(found, key=_cursor, reverse=True)


def _cursor(one: Summary) -> Cursor:
    return Cursor(int(one.internal_date), one.places[0].uid)


def _row(one: Summary) -> Row:
    return Row(
        one.thread_id,
        one,
        _cursor(one),
        unread=int(one.is_unread),
        is_flagged=one.is_flagged,
        keywords=one.keywords,
        people=one.from_,
        has_attachments=one.has_attachments,
    )
