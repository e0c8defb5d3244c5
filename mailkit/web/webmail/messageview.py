"""One message of a conversation, as its template shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

from attrs import define, field, frozen
from markupsafe import Markup

from mailkit.formats.displayed import FilePart
from mailkit.formats.htmlclean import link_address
from mailkit.model.conversation import Person, Summary
from mailkit.model.preferences import Images
from mailkit.services.reading.authenticity import Authenticity, Trust, judge
from mailkit.services.reading.message import Body, OpenMessage
from mailkit.web.asking import Asked
from mailkit.web.rendering import trusted_html
from mailkit.web.webmail.documents import file_href, view_href
from mailkit.web.webmail.invitations import speech_of
from mailkit.web.webmail.people import colour_of, initials, shown

MOST_NAMED = 3
"""Recipients that stand in the head of a message."""

MOST_INLINE = 200_000
"""Characters of plain text that are part of the page; longer ones have a frame."""

MOST_LISTED = 200
"""Recipients that its details list."""


@frozen
class File:
    """One attachment."""

    name: str
    size: int
    href: str
    view: str
    """Where it is looked at; empty: it is saved."""
    picture: str
    """Where a small picture of it is; empty: there is none."""
    icon: str
    kind: str
    """``picture`` or ``text`` can be looked at within the page; ``other``."""


@frozen
class Recipients:
    """One field of recipients."""

    label: str
    people: tuple[Person, ...]
    more: int
    """How many are not listed."""


@define(eq=False, kw_only=True)
class MessageView:
    """What a template is told of one message."""

    summary: Summary
    author: Person
    author_name: str
    initials: str
    colour: int
    is_mine: bool
    to_line: str
    recipients: tuple[Recipients, ...]
    others: int
    """Recipients that `to_line` does not name."""
    is_open: bool = False
    is_loaded: bool = False
    is_focused: bool = False
    """Whether this is where reading begins."""
    stub_href: str = ""
    authenticity: Authenticity | None = None
    texts: Sequence[Markup] = ()
    """Where it is all plain text; else ``frame`` has its document."""
    frame: str = ""
    height: int = 4
    """How high the frame is before a script has measured it: from 1 to 4."""
    is_paper: bool = False
    is_dark: bool = False
    dark_href: str = ""
    pictures: int = 0
    """Pictures on other servers that are not shown."""
    trackers: int = 0
    can_always: bool = False
    is_cut: bool = False
    is_encrypted: bool = False
    files: Sequence[File] = ()
    files_size: int = 0
    leaving: str = ""
    """How to leave its list: ``click``, a page's or ``/compose``'s address; or not."""
    error: str = ""
    """Why it cannot be shown, in words for people."""

    @property
    def mid(self) -> str:
        """Its id in addresses."""
        return self.summary.email_id


@define(eq=False)
class Views:
    """Makes views of the messages of one conversation, for one person."""

    _asked: Asked
    _here: str
    """The address of the conversation's page."""
    _own: frozenset[str]
    _known: frozenset[str]
    _shown_pictures: frozenset[str] = field(factory=frozenset)
    """Ids of messages whose pictures were asked for."""
    _dark: frozenset[str] = field(factory=frozenset)

    def head(self, summary: Summary) -> MessageView:
        """What is known without its file."""
        author = summary.from_[0] if summary.from_ else Person("", "")
        is_mine = author.address.lower() in self._own
        return MessageView(
            summary=summary,
            author=author,
            author_name=self._asked.say("Me") if is_mine else shown(author),
            initials=initials(author.name, author.address),
            colour=colour_of(author.address),
            is_mine=is_mine,
            to_line=self._to_line(summary),
            recipients=self._recipients(summary),
            others=_count(summary) - MOST_NAMED,
            stub_href=f"{self._here}?{urlencode({'m': summary.email_id})}"
            f"#m-{summary.email_id}",
        )

    async def load(self, view: MessageView, message: OpenMessage) -> None:
        """Fill in what its file says."""
        summary = view.summary
        body, shows = await self.body(view, message)
        assert view.authenticity is not None  # it was just looked at
        view.is_loaded = True
        view.pictures = 0 if shows else body.pictures
        view.trackers = body.trackers
        view.can_always = view.authenticity.may_be_trusted
        view.is_cut = body.is_cut
        view.is_encrypted = message.shown.is_encrypted
        view.files = [_file(summary.email_id, one) for one in body.files]
        view.files_size = sum(one.size for one in body.files)
        view.leaving = _leaving(message, view.authenticity)
        length = sum(len(one.plain.html) for one in body.texts if one.plain)
        if body.has_html or length > MOST_INLINE:
            self._frame(view, body, shows)
        else:
            view.texts = [
                trusted_html(one.plain.html)
                for one in body.texts
                if one.plain is not None and one.plain.html
            ]

    async def body(self, view: MessageView, message: OpenMessage) -> tuple[Body, bool]:
        """What it says, and whether pictures of other servers are shown with it."""
        view.authenticity = judge(view.summary, self._known, self._own)
        wanted = view.mid in self._shown_pictures
        shows = wanted or await self._shows(view.authenticity)
        asked = self._asked
        body = await asked.house.reading.body(
            message, shows_pictures=shows, speech=speech_of(asked)
        )
        return body, shows

    def _frame(self, view: MessageView, body: Body, shows: bool) -> None:
        view.height = _height(body)
        view.is_paper = body.has_colours
        view.is_dark = view.mid in self._dark
        query: dict[str, str] = {}
        if shows:
            query["pictures"] = "1"
        if view.is_dark:
            query["dark"] = "1"
        view.frame = f"/m/{view.mid}/html" + (f"?{urlencode(query)}" if query else "")
        turned = {"m": view.mid}
        if not view.is_dark:
            turned["dark"] = view.mid
        if view.mid in self._shown_pictures:
            turned["pictures"] = view.mid
        view.dark_href = f"{self._here}?{urlencode(turned)}#m-{view.mid}"

    async def _shows(self, authenticity: Authenticity) -> bool:
        """Whether pictures of other servers are shown without being asked for."""
        asked = self._asked
        match asked.preferences.images:
            case Images.ALWAYS:
                return authenticity.trust is not Trust.FORGED
            case Images.ASK | Images.KNOWN if authenticity.may_be_trusted:
                address = authenticity.address
                if await asked.house.personal.is_trusted(asked.name, address):
                    return True
                if asked.preferences.images is Images.ASK:
                    return False
                acquaintances = asked.house.acquaintances
                person = await acquaintances.known(asked.name, address)
                return person is not None and person.sent > 0
            case _:
                return False

    def _to_line(self, summary: Summary) -> str:
        say = self._asked.say
        people = (*summary.to, *summary.cc, *summary.bcc)
        names = [
            say("me") if one.address.lower() in self._own else shown(one)
            for one in people[:MOST_NAMED]
        ]
        return ", ".join(names)

    def _recipients(self, summary: Summary) -> tuple[Recipients, ...]:
        say = self._asked.say
        found: list[Recipients] = []
        room = MOST_LISTED
        reply_to = () if summary.reply_to == summary.from_ else summary.reply_to
        for label, people in (
            (say("From"), summary.from_),
            (say("Reply to"), reply_to),
            (say("To"), summary.to),
            (say("Cc"), summary.cc),
            (say("Bcc"), summary.bcc),
        ):
            if people:
                listed = people[:room]
                room = max(0, room - len(listed))
                found.append(Recipients(label, listed, len(people) - len(listed)))
        return tuple(found)


def _count(summary: Summary) -> int:
    return len(summary.to) + len(summary.cc) + len(summary.bcc)


def _leaving(message: OpenMessage, authenticity: Authenticity) -> str:
    leaving = message.leaving
    if authenticity.trust is Trust.FORGED:
        return ""  # whoever forges a list wants to know who reads
    if leaving.one_click:
        return "click"
    if leaving.page:
        return leaving.page
    if leaving.mailto:
        return link_address(leaving.mailto) or ""
    return ""


def _file(mid: str, one: FilePart) -> File:
    view = view_href(mid, one)
    is_picture = one.media_type.startswith("image/") and bool(view)
    return File(
        one.name,
        one.size,
        file_href(mid, one),
        view,
        view if is_picture and one.size <= LARGEST_PREVIEW else "",
        "picture" if one.media_type.startswith("image/") else "file",
        _KINDS.get(one.media_type.partition("/")[0], "other"),
    )


_KINDS = {"image": "picture", "text": "text"}


LARGEST_PREVIEW = 3 * 1024 * 1024
"""Octets of a picture that is shown small beside its name."""


_LINE_ENDS = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6])\b")
_TAGS = re.compile(r"<[^>]*>")


def _height(body: Body) -> int:
    """A guess, from short to long, for browsers that run no script."""
    lines = 0
    for one in body.texts:
        html = one.marked.html if one.marked is not None else ""
        if len(html) > 20_000 or one.marked is None:
            return 4
        pictures = html.count("<img")
        words = len(_TAGS.sub("", html))
        lines += len(_LINE_ENDS.findall(html)) + words // 70 + 8 * pictures
    for height, most in ((1, 4), (2, 9), (3, 16)):
        if lines <= most:
            return height
    return 4
