"""Messages as people read them: found, read from the store, taken apart in a thread."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import DeferredSemaphore

from mailkit.errors import (
    MailboxGone,
    NoSuchMailbox,
    NoSuchMessage,
    NoSuchPart,
    Unavailable,
)
from mailkit.formats import calendartext, header, mime
from mailkit.formats.calendartext import Speech, calendar_text
from mailkit.formats.displayed import (
    Displayed,
    FilePart,
    Kind,
    decoded,
    deletes_space,
    display,
    is_flowed,
    text_of,
)
from mailkit.formats.htmlclean import CleanHTML, Wishes, clean
from mailkit.formats.htmltext import words
from mailkit.formats.leaving import Leaving, read_leaving
from mailkit.formats.plainhtml import PlainHTML, render
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent, IMailStore
from mailkit.model.address import AccountName
from mailkit.model.conversation import Summary
from mailkit.model.uidset import UIDSet
from mailkit.services.reading.pictures import ProxiedPictures

T = TypeVar("T")


@frozen
class ReadingSettings:
    """What reading may cost."""

    kept: int = 48 * 1024 * 1024
    """Octets of messages that are kept at hand, for the pictures within them."""
    text: int = 8 * 1024 * 1024
    """Octets of one text, as it travels, that are looked at."""
    texts: int = 50
    """Parts of text that are shown of one message."""
    large: int = 1024 * 1024
    """Octets from which on a message is large."""
    large_at_once: int = 4
    """Large messages that are read and taken apart at the same time."""


@frozen(eq=False)
class OpenMessage:
    """A message at hand."""

    account: AccountName
    summary: Summary
    octets: bytes = field(repr=False)
    shown: Displayed
    leaving: Leaving
    """How to leave the list that it came by."""

    @property
    def has_html(self) -> bool:
        """Whether it needs a document of its own."""
        return any(one.kind is Kind.HTML for one in self.shown.texts)

    @property
    def has_calendar(self) -> bool:
        """Whether there is an invitation in it."""
        return any(one.kind is Kind.CALENDAR for one in self.shown.texts)


@frozen(eq=False)
class Text:
    """One part of the text, made safe."""

    kind: Kind
    plain: PlainHTML | None
    marked: CleanHTML | None

    @property
    def html(self) -> str:
        """What may be shown of it."""
        if self.marked is not None:
            return self.marked.html
        return "" if self.plain is None else self.plain.html


@frozen(eq=False)
class Body:
    """All of the text, made safe."""

    texts: tuple[Text, ...]
    css: str = field(repr=False)
    has_colours: bool
    pictures: int
    """On other servers, shown or not."""
    trackers: int
    hosts: frozenset[str]
    files: tuple[FilePart, ...]
    """Those that are not shown within the text."""
    is_cut: bool

    @property
    def has_html(self) -> bool:
        return any(one.marked is not None for one in self.texts)

    @property
    def size(self) -> int:
        """Characters of it."""
        return len(self.css) + sum(len(one.html) for one in self.texts)


@define(eq=False)
class AtHand(Generic[T]):
    """What was used last, up to a weight."""

    _most: int
    _kept: OrderedDict[object, tuple[T, int]] = field(factory=OrderedDict, init=False)
    _weight: int = field(default=0, init=False)

    def get(self, key: object) -> T | None:
        """What was put there, if it still is."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: object, value: T, weight: int) -> None:
        """Keep it, and forget what was not used for long, or it, if it is too heavy."""
        if key in self._kept:
            self._weight -= self._kept.pop(key)[1]
        self._kept[key] = (value, weight)
        self._weight += weight
        while self._weight > self._most:
            self._weight -= self._kept.popitem(last=False)[1][1]


@define(eq=False)
class Reading:
    """
    Opens messages for their owner.

    Whether an account still has a message is asked of the index each time; what was
    read is kept at hand, for a message never changes.
    """

    _store: IMailStore
    _conversations: IConversations
    _lanes: ILanes
    pictures: ProxiedPictures
    settings: ReadingSettings = field(factory=ReadingSettings)
    _at_hand: AtHand[OpenMessage] = field(init=False)
    _bodies: AtHand[Body] = field(init=False)
    _large: DeferredSemaphore = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._at_hand = AtHand(self.settings.kept)
        self._bodies = AtHand(self.settings.kept // 2)
        self._large = DeferredSemaphore(self.settings.large_at_once)

    async def open(self, account: AccountName, email_id: str) -> OpenMessage:
        """
        Open one message.

        :raises NoSuchMessage: if the account has none of that id.
        :raises Unavailable: if it cannot be read.
        """
        summary = await self._conversations.message(account, email_id)
        if summary is None:
            raise NoSuchMessage(email_id)
        return await self.open_known(account, summary)

    async def open_known(self, account: AccountName, summary: Summary) -> OpenMessage:
        """The same of one that was just looked up."""
        key = (account, summary.email_id)
        known = self._at_hand.get(key)
        if known is not None:
            return OpenMessage(
                account, summary, known.octets, known.shown, known.leaving
            )
        large = summary.size >= self.settings.large
        if large:
            await self._large.acquire()
        try:
            octets = await self._octets(account, summary)
            shown, leaving = await self._lanes.hash(partial(_take_apart, octets))
        finally:
            if large:
                self._large.release()
        message = OpenMessage(account, summary, octets, shown, leaving)
        self._at_hand.put(key, message, len(octets))
        return message

    async def body(
        self,
        message: OpenMessage,
        *,
        shows_pictures: bool,
        speech: Speech = calendartext.PLAIN,
    ) -> Body:
        """
        Its text, cleaned in a thread.

        :param shows_pictures: whether those on other servers are shown, through ours.
        :param speech: how invitations are written for whoever reads.
        """
        said = speech.key if message.has_calendar else ""
        key = (message.account, message.summary.email_id, shows_pictures, said)
        known = self._bodies.get(key)
        if known is None:
            picture_url: Callable[[str], str] | None = None
            if shows_pictures:
                picture_url = partial(self.pictures.path, message.account)
            known = await self._lanes.hash(
                partial(_make_body, message, picture_url, speech, self.settings)
            )
            weight = known.size + 1000
            self._bodies.put(key, known, weight)
        return known

    async def plain(
        self, message: OpenMessage, speech: Speech = calendartext.PLAIN
    ) -> str:
        """Its text alone, as the sender wrote it plain, or else without its tags."""
        work = partial(_plain_text, message, speech, self.settings)
        return await self._lanes.hash(work)

    def file(self, message: OpenMessage, number: str) -> FilePart:
        """:raises NoSuchPart: if none of its files has that number."""
        for one in message.shown.files:
            if one.number == number:
                return one
        raise NoSuchPart(number)

    async def octets_of(self, message: OpenMessage, one: FilePart) -> bytes:
        """A file as it was before it was sent."""
        return await self._lanes.hash(partial(decoded, message.octets, one.part))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Do more of the kind, such as packing files together."""
        return await self._lanes.hash(work)

    async def _octets(self, account: AccountName, summary: Summary) -> bytes:
        for place in summary.places:
            try:
                mailbox = await self._store.open(account, place.mailbox)
                found = await mailbox.contents(UIDSet.of((place.uid,)))
            except (NoSuchMailbox, MailboxGone):
                continue  # it moved meanwhile; there may be another place
            for _, content in found:
                return await _whole(content)
        raise NoSuchMessage(summary.email_id)


_PIECE = 256 * 1024


async def _whole(content: IContent) -> bytes:
    if content.octets is not None:
        return content.octets
    pieces: list[bytes] = []
    at = 0
    while at < content.size:
        piece = await content.read(at, _PIECE)
        if not piece:
            raise Unavailable("the message is shorter than it was")
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)


def _take_apart(octets: bytes) -> tuple[Displayed, Leaving]:
    shown = display(octets, mime.scan(octets))
    leaving = read_leaving(
        header.first(octets, b"List-Unsubscribe"),
        header.first(octets, b"List-Unsubscribe-Post"),
    )
    return shown, leaving


def _make_body(
    message: OpenMessage,
    picture_url: Callable[[str], str] | None,
    speech: Speech,
    settings: ReadingSettings,
) -> Body:
    email_id = message.summary.email_id
    wishes = Wishes(
        part_url=lambda number: f"/part/{email_id}/{number}",
        picture_url=picture_url,
        parts=message.shown.pictures(),
    )
    texts: list[Text] = []
    is_cut = len(message.shown.texts) > settings.texts
    for one in message.shown.texts[: settings.texts]:
        source, was_cut = text_of(message.octets, one.part, settings.text)
        is_cut = is_cut or was_cut
        if one.kind is Kind.HTML:
            marked = clean(source, wishes)
            is_cut = is_cut or marked.is_cut
            texts.append(Text(one.kind, None, marked))
        else:
            if one.kind is Kind.CALENDAR:
                source = calendar_text(source, speech)
            plain = render(
                source,
                flowed=is_flowed(one.part),
                delete_space=deletes_space(one.part),
            )
            is_cut = is_cut or plain.is_cut
            texts.append(Text(one.kind, plain, None))
    html = [one.marked for one in texts if one.marked is not None]
    shown = frozenset[str]().union(*(one.shown_parts for one in html))
    return Body(
        tuple(texts),
        "\n".join(one.css for one in html if one.css),
        any(one.has_colours for one in html),
        sum(one.pictures for one in html),
        sum(one.trackers for one in html),
        frozenset[str]().union(*(one.hosts for one in html)),
        tuple(one for one in message.shown.files if one.number not in shown),
        is_cut,
    )


def _plain_text(message: OpenMessage, speech: Speech, settings: ReadingSettings) -> str:
    if message.shown.plain is not None:
        return text_of(message.octets, message.shown.plain, settings.text)[0]
    found: list[str] = []
    for one in message.shown.texts[: settings.texts]:
        source, _ = text_of(message.octets, one.part, settings.text)
        match one.kind:
            case Kind.HTML:
                source = _lines_of(source)
            case Kind.CALENDAR:
                source = calendar_text(source, speech)
        found.append(source)
    return "\n\n".join(found)


_BREAKS = re.compile(r"<(?:br|/p|/div|/tr|/h[1-6]|/li|/blockquote)\b", re.IGNORECASE)


def _lines_of(source: str) -> str:
    """The words of a page, with a line for each that it has."""
    lines = words(_BREAKS.sub("\n\\g<0>", source)).split("\n")
    text = "\n".join(" ".join(line.split()) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", text).strip()
