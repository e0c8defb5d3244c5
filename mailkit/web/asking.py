"""What a page is asked with, and how it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

from attrs import define, field

from mailkit.errors import LocalMisuse
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.preferences import DEFAULTS, Preferences
from mailkit.model.websession import WebSession
from mailkit.web.answers import (
    EVENTS,
    JSON,
    PLAIN,
    Answer,
    Kind,
    Stream,
    Swap,
    Template,
)
from mailkit.web.cookies import Cookies
from mailkit.web.dates import Dates, zone
from mailkit.web.fields import Fields
from mailkit.web.multipart import FormFile
from mailkit.web.webmail.house import WebmailHouse
from mailkit.web.words import Language


@define(eq=False)
class Asked:
    """
    One request that was looked at: whose it is, and that it came from our own pages.

    The methods make the answers; nothing is sent before a page has returned one.
    """

    house: WebmailHouse
    """Every service that pages use."""
    method: str
    path: str
    query: Fields
    language: Language
    """The person's choice, or the browser's; of those there is a catalogue of."""
    form: Fields = field(factory=Fields)
    """Of a POST, PUT or DELETE; its token was checked."""
    files: tuple[FormFile, ...] = ()
    """Files of a form whose route takes them (`Body.files`)."""
    octets: bytes = b""
    """The body as it came, where it is no form."""
    headers: Mapping[str, str] = field(factory=dict)
    """Of the request, their names in lower case."""
    peer: str = ""
    """Address of the browser, behind proxies that are trusted."""
    is_secure: bool = True
    is_loopback: bool = False
    origin: str = ""
    """What all addresses of ours begin with, such as ``https://mail.example.org``."""
    swap: Swap | None = None
    """The element that is wanted alone; a page need not care."""
    is_navigation: bool = True
    """
    Whether a person opens this now: not prefetched (``Sec-Purpose``), not from another
    site. What marks mail as read looks here.
    """
    session: WebSession | None = None
    preferences: Preferences = DEFAULTS
    cookies: Cookies = field(factory=Cookies)
    _account: Account | None = None
    _token: Callable[[str], str] = field(default=lambda action: "")

    @property
    def account(self) -> Account:
        """Who is signed in; for pages of `Room` that need somebody."""
        if self._account is None:
            raise LocalMisuse("nobody is signed in here")
        return self._account

    @property
    def name(self) -> AccountName:
        """The account's name, which services ask for."""
        return self.account.name

    @property
    def is_signed_in(self) -> bool:
        """Whether there is an `account`."""
        return self._account is not None

    @property
    def dates(self) -> Dates:
        """Writes times in the person's zone and language."""
        return Dates(self.language, zone(self.zone_name), self.house.now())

    @property
    def zone_name(self) -> str:
        """Of the person's zone: chosen, the browser's, or the server's."""
        chosen = self.preferences
        return chosen.time_zone or chosen.browser_zone or self.house.time_zone

    def say(self, text: str) -> str:
        """Words of ours in the person's language; `_` marks them where they stand."""
        return self.language.words.gettext(text)

    def csrf(self, action: str) -> str:
        """
        A token that lets this browser send forms of that class of actions.

        In templates: ``{{ ui.token(csrf, "act") }}`` within the form.
        """
        return self._token(action)

    # -- answers

    def page(
        self,
        template: str,
        facts: Mapping[str, object] | None = None,
        *,
        status: int = 200,
    ) -> Answer:
        """
        A whole page, or only the element that `swap` asks for: the template's block of
        that name (``list``, ``conv``, ``main``).
        """
        return Answer(Template(template, facts or {}), status)

    def redirect(
        self, path: str, *, undo: str = "", cookies: tuple[str, ...] = ()
    ) -> Answer:
        """
        Go on with another page of ours (303: by GET).

        :param undo: a token; that page then offers the way back (``?done=``), and says
            it in the header ``X-Mailkit-Undo``.
        """
        if undo:
            path += ("&" if "?" in path else "?") + urlencode({"done": undo})
        return Answer(b"", 303, PLAIN, headers={"Location": path}, cookies=cookies)

    def text(self, text: str, *, status: int = 200) -> Answer:
        """Plain text."""
        return Answer(text.encode(), status, PLAIN)

    def json(self, value: object, *, status: int = 200) -> Answer:
        """JSON, for the few places where HTML would be wrong."""
        octets = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return Answer(octets, status, JSON)

    def empty(self, *, status: int = 204, undo: str = "") -> Answer:
        """Nothing but that it is done."""
        headers = {"X-Mailkit-Undo": undo} if undo else {}
        return Answer(b"", status, PLAIN, headers=headers)

    def file(
        self,
        content_type: str,
        body: bytes | Stream,
        name: str = "",
        *,
        is_download: bool = True,
        length: int | None = None,
        etag: str = "",
    ) -> Answer:
        """
        Octets out of a message, which nothing may run in.

        :param name: what it is called when it is saved (RFC 6266 §4.3).
        :param length: octets of a stream, where that is known.
        """
        how = "attachment" if is_download else "inline"
        if name:
            how += f"; filename*=UTF-8''{quote(name, safe='')}"
        headers = {"Content-Disposition": how}
        if length is not None:
            headers["Content-Length"] = str(length)
        return Answer(body, 200, content_type, Kind.FILE, headers, etag)

    def document(self, html: bytes | Stream) -> Answer:
        """Somebody's HTML, cleaned, for the frame without scripts."""
        return Answer(html, kind=Kind.MESSAGE)

    def events(self, stream: Stream) -> Answer:
        """Events as they happen (``text/event-stream``)."""
        headers = {"X-Accel-Buffering": "no"}
        return Answer(stream, 200, EVENTS, headers=headers)
