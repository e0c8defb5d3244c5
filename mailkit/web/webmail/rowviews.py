"""Rows of a list as a template writes them: of mailboxes, labels and searches alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from attrs import define, field, frozen

from mailkit.model.conversation import InMailbox, Person, Row
from mailkit.model.label import Label, is_label, unnamed
from mailkit.model.mailbox import MailboxEntry, MailboxName, SpecialUse
from mailkit.model.snooze import SNOOZED
from mailkit.web.asking import Asked
from mailkit.web.dates import Dates
from mailkit.web.webmail.boxes import Box, name_of
from mailkit.web.webmail.people import colour_of, initials, shown, together

_OF_OURS = frozenset({SpecialUse.SENT, SpecialUse.DRAFTS})
"""Mailboxes whose rows say to whom, not from whom."""


@frozen
class Chip:
    """A label, or where a message lies."""

    text: str
    colour: int


@frozen
class RowView:
    """One row."""

    field: str
    """``c`` for a conversation, ``m`` for a message: the name of its checkbox."""
    id: str
    thread_id: str
    href: str
    swap: str
    """Which element the link changes; empty: it leads to another kind of page."""
    subject: str
    preview: str
    people: str
    count: int
    initials: str
    colour: int
    time: str
    time_long: str
    iso: str
    is_unread: bool
    is_flagged: bool
    has_files: bool
    chips: tuple[Chip, ...]
    note: str
    """Such as when it comes back."""


@frozen
class Group:
    """Rows of one day, or of more."""

    name: str
    rows: Sequence[RowView]


@define(eq=False)
class RowViews:
    """
    Makes rows for one page.

    :param box: the list that they are in; ``None``: what a search found.
    :param labels: those that have a name.
    :param until: when messages come back, by email id.
    :param since: when conversations came back, by thread id.
    """

    _asked: Asked
    _box: Box | None
    _entries: Sequence[MailboxEntry]
    _labels: Sequence[Label]
    _until: Mapping[str, float] = field(factory=dict)
    _since: Mapping[str, float] = field(factory=dict)
    _dates: Dates = field(init=False)
    _uses: dict[MailboxName, SpecialUse | None] = field(init=False)
    _by_keyword: dict[str, Label] = field(init=False)
    _base: str = field(init=False)
    _me: str = field(init=False)
    _my_word: str = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._dates = self._asked.dates
        self._uses = {one.name: one.special_use for one in self._entries}
        self._by_keyword = {one.keyword.lower(): one for one in self._labels}
        self._base = self._box.href if self._box else "/mail/all"
        self._me = self._asked.name.lower()
        self._my_word = self._asked.say("me")

    def groups(self, rows: Sequence[Row]) -> list[Group]:
        """All of them, by their days."""
        found: list[tuple[str, list[RowView]]] = []
        for row in rows:
            name = self._dates.group(row.newest.internal_date)
            if not found or found[-1][0] != name:
                found.append((name, []))
            found[-1][1].append(self.view(row))
        return [Group(name, views) for name, views in found]

    def view(self, row: Row) -> RowView:
        """One of them."""
        newest = row.newest
        is_grouped = self._asked.preferences.grouped
        people, lead = self._people(row)
        place = newest.places[0].mailbox
        is_draft = self._uses.get(place) is SpecialUse.DRAFTS and newest.is_draft
        # What is not yet sent is not read, but written on.
        href = f"/compose?draft={_quoted(newest.email_id)}"
        if not is_draft:
            href = f"{self._base}/c/{_quoted(row.thread_id)}"
            if not is_grouped:
                href += f"?m={_quoted(newest.email_id)}"
        return RowView(
            "c" if is_grouped else "m",
            row.thread_id if is_grouped else newest.email_id,
            row.thread_id,
            href,
            "" if is_draft else "main",
            newest.subject or self._asked.say("(no subject)"),
            newest.preview,
            people,
            row.messages if is_grouped else 1,
            initials(lead.name, lead.address),
            colour_of(lead.address or lead.name),
            self._dates.short(newest.internal_date),
            self._dates.long(newest.internal_date),
            self._dates.iso(newest.internal_date),
            row.unread > 0,
            row.is_flagged,
            row.has_attachments,
            self._chips(row),
            self._note(row),
        )

    def _people(self, row: Row) -> tuple[str, Person]:
        """Who, in words, and the one whose initials are shown."""
        me = self._me
        newest = row.newest
        nobody = Person("", "")
        if self._is_ours(newest.places[0].mailbox):
            to = (*newest.to, *newest.cc, *newest.bcc)
            if not to:
                return self._asked.say("Nobody yet"), nobody
            words = ", ".join(shown(one) for one in to[:4])
            return self._asked.say("To: %(people)s") % {"people": words}, to[0]
        people = row.people or newest.from_ or (nobody,)
        others = [one for one in people if one.address.lower() != me]
        lead = others[-1] if others else people[-1]
        return together(people, me, self._my_word), lead

    def _is_ours(self, mailbox: MailboxName) -> bool:
        is_own_list = self._box is not None and self._box.slug in ("sent", "drafts")
        return is_own_list and self._uses.get(mailbox) in _OF_OURS

    def _chips(self, row: Row) -> tuple[Chip, ...]:
        chips: list[Chip] = []
        own = ""
        if self._box is not None and self._box.slug.startswith("label/"):
            own = self._box.slug
        for keyword in sorted(row.keywords):
            if not is_label(keyword):
                continue
            label = self._by_keyword.get(keyword.lower()) or unnamed(keyword)
            if f"label/{label.slug}" != own:
                chips.append(Chip(label.name, label.colour))
        if self._box is None or not isinstance(self._box.view, InMailbox):
            places = dict.fromkeys(one.mailbox for one in row.newest.places)
            for mailbox in places:
                if mailbox != "INBOX":
                    name = name_of(mailbox, self._uses.get(mailbox), self._asked.say)
                    chips.append(Chip(name, 6))
        return tuple(chips)

    def _note(self, row: Row) -> str:
        say = self._asked.say
        until = self._until.get(row.newest.email_id)
        if until is not None and any(
            one.mailbox == SNOOZED for one in row.newest.places
        ):
            when = self._dates.medium(until)
            return say("Back %(when)s") % {"when": when}
        since = self._since.get(row.thread_id)
        if since is not None:
            when = self._dates.medium(since)
            return say("Snoozed, back since %(when)s") % {"when": when}
        return ""


def _quoted(id: str) -> str:
    # Ids of ours are letters and digits; a page has a hundred of them.
    return id if id.isascii() and id.isalnum() else quote(id)
