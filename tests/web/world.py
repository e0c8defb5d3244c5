"""The whole web site over memory stores, asked without a network."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import unescape
from itertools import count
from typing import Any
from urllib.parse import urlencode

from attrs import define, field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from zope.interface import directlyProvides, implementer

from mailkit.errors import Refused
from mailkit.formats.unsubscribe import Unsubscription
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.pictures import IOneClick, IPictures, Picture
from mailkit.model.address import AccountName, DomainName
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.office import Office
from mailkit.services.authentication import Authentication
from mailkit.services.authsettings import AuthSettings
from mailkit.services.finding.finding import Finding
from mailkit.services.live.news import tell_sessions
from mailkit.services.live.rooms import Live
from mailkit.services.passwords.passwords import Passwords
from mailkit.services.reading.acquaintances import Acquaintances
from mailkit.services.reading.marking import Marking
from mailkit.services.reading.message import Reading
from mailkit.services.reading.pictures import ProxiedPictures
from mailkit.services.routing import Routing
from mailkit.services.signin.accounts import OwnAccount
from mailkit.services.signin.links import PasswordLinks
from mailkit.services.signin.registration import Mode, Registration
from mailkit.services.signin.settings import SessionSettings
from mailkit.services.signin.signin import SignIn
from mailkit.services.sorting.room import SortingRoom
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.storage.memory.rates import MemoryRates
from mailkit.storage.memory.search import PlainSearch
from mailkit.storage.memory.spool import MemorySpool
from mailkit.storage.memory.store import MemoryStore
from mailkit.storage.memory.suppression import MemorySuppressionList
from mailkit.storage.memory.websessions import MemorySpent, MemoryWebSessions
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from mailkit.web.cookies import Cookies
from mailkit.web.origin import Addresses, Network
from mailkit.web.rendering import Rendering
from mailkit.web.site import WebHouse, Webmail, WebSite, make_site, make_webmail
from mailkit.web.statics import Statics
from mailkit.web.webmail.acting import say_undone
from mailkit.web.webmail.house import WebmailHouse
from mailkit.web.webmail.pages import all_routes
from mailkit.web.wellknown import PolicyPage
from mailkit.web.words import Languages
from tests.storage.maildir.doubles import Board
from tests.web.conversations import FewConversations
from tests.web.writing import WritingRoom

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")
PASSWORD = "correct horse"
HOST = "mail.example.test"
ORIGIN = f"https://{HOST}"
ROOT = Actor.command("root")

STATICS = Statics.load()
LANGUAGES = Languages.load()
RENDERING = Rendering(STATICS)

Pairs = Mapping[str, str] | Sequence[tuple[str, str]]


@frozen
class Heard:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of several the last."""
    cookies: tuple[str, ...]
    octets: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The page."""
        return self.octets.decode()

    @property
    def location(self) -> str:
        """Where a redirection leads."""
        return self.headers.get("location", "")


@implementer(IPictures, IOneClick)
@define(eq=False)
class Elsewhere:
    """Other people's servers: what was asked of them, and what they give."""

    pictures: dict[str, Picture] = field(factory=dict)
    asked: list[str] = field(factory=list)

    async def fetch(self, url: str) -> Picture:
        self.asked.append(url)
        if url not in self.pictures:
            raise Refused(url)
        return self.pictures[url]

    async def unsubscribe(self, url: str) -> None:
        self.asked.append(url)


@define(eq=False)
class Predictable:
    """Octets of a test: no two alike, nor those of two worlds."""

    _world: int = field(factory=count().__next__)
    _count: int = 0

    def __call__(self, length: int) -> bytes:
        self._count += 1
        seed = f"{self._world} {self._count}".encode()
        return hashlib.shake_256(seed).digest(length)


@define(eq=False)
class WebWorld:
    """
    ``example.test`` and ``other.test``, Alice and Bob, and one browser of Alice's.

    What a test changes before its first request holds: ``registration``, ``origin``.
    """

    registration: Mode = "closed"
    aliases: int = 0
    origin: str = ""
    https: str = ORIGIN
    trusted: tuple[Network, ...] = ()
    is_whole: bool = False
    """Conversations are those of the store, and not what a test says they are."""
    cookies_of: Cookies = field(factory=Cookies)
    clock: TestClock = field(factory=TestClock)
    idle: Clock = field(factory=Clock, init=False)
    """By which connections are ended where nothing is said."""
    directory: MemoryDirectory = field(init=False)
    store: MemoryStore = field(init=False)
    conversations: FewConversations = field(factory=FewConversations, init=False)
    personal: MemoryPersonal = field(init=False)
    board: Board = field(factory=Board, init=False)
    spool: MemorySpool = field(factory=MemorySpool, init=False)
    sessions: MemoryWebSessions = field(factory=MemoryWebSessions, init=False)
    rates: MemoryRates = field(factory=MemoryRates, init=False)
    admin: Administration = field(init=False)
    links: PasswordLinks = field(init=False)
    house: WebmailHouse = field(init=False)
    writing: WritingRoom = field(init=False)
    webmail: Webmail = field(init=False)
    site: WebSite = field(init=False)
    cookies: dict[str, str] = field(factory=dict, init=False)
    """What the browser keeps."""
    random: Callable[[int], bytes] = field(factory=Predictable, init=False)
    elsewhere: Elsewhere = field(factory=Elsewhere, init=False)
    gone: list[Unsubscription] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        now = self.clock.seconds
        self.directory = MemoryDirectory(now)
        self.store = MemoryStore(now=now)
        self.personal = MemoryPersonal()
        conversations: IConversations = self.conversations
        if self.is_whole:
            conversations = self.store.conversations
        lanes = DirectLanes()
        auth = AuthSettings(scram="off")
        office = Office(
            self.directory,
            self.directory,
            self.directory,
            self.store,
            lanes,
            Passwords(auth),
            self.clock,
        )
        routing = Routing(self.directory, HOST, sends=False)
        self.admin = Administration(office, routing, MemorySuppressionList())
        authentication = Authentication.over(
            self.directory, self.directory, lanes, self.clock, auth
        )
        sign_in = SignIn(
            authentication.password_check,
            self.directory,
            self.sessions,
            SessionSettings(),
            now,
            self.random,
            partial(tell_sessions, self.board),
        )

        async def quota_of(name: AccountName) -> int:
            return 500_000_000

        self.writing = WritingRoom(
            "mail.example.test",
            self.clock,
            self.directory,
            self.store,
            self.store.conversations,
            self.personal,
        )

        async def scheduled(name: AccountName) -> int:
            return len(await self.writing.composing.waiting(name))

        search = PlainSearch(self.store)
        sorting = SortingRoom.over(
            self.store, self.personal, conversations, self.board, self.clock
        )
        self.links = PasswordLinks(self.directory, lambda: b"a secret", now)
        self.house = WebmailHouse(
            now=now,
            main_domain="example.test",
            secret=b"a secret",
            directory=self.directory,
            store=self.store,
            spool=self.spool,
            conversations=conversations,
            live=Live(conversations, self.store, self.board, self.clock),
            version=STATICS.version,
            personal=self.personal,
            search=search,
            finding=Finding(search, conversations, self.store, self.personal, now),
            quota_of=quota_of,
            scheduled=scheduled,
            composing=self.writing.composing,
            reading=Reading(self.store, conversations, lanes, self._pictures()),
            one_click=self.elsewhere,
            acquaintances=Acquaintances(self.personal, now),
            marking=Marking(self.store),
            sorting=sorting,
            undone=partial(say_undone, sorting),
            languages=[(one.tag, one.name) for one in LANGUAGES.all],
            sign_in=sign_in,
            own=OwnAccount(
                lambda: self.admin,
                self.directory,
                sign_in,
                self.links,
                lambda: self.aliases,
                self.rates,
                now,
            ),
            registration=Registration(
                lambda: self.registration,
                lambda: self.admin,
                self.directory,
                MemorySpent(),
                self.rates,
                lambda: b"a secret",
                now,
                self.random,
            ),
        )
        at_once(self._fill())
        self._serve()

    async def _fill(self) -> None:
        for domain in ("example.test", "other.test"):
            await self.admin.domains.add(ROOT, domain)
        for name in (ALICE, BOB):
            await self.admin.accounts.add(ROOT, name, PASSWORD)

    def _pictures(self) -> ProxiedPictures:
        return ProxiedPictures(self.elsewhere, lambda: [b"a secret"], self.clock)

    def _serve(self) -> None:
        addresses = Addresses(
            lambda: self.origin, lambda: HOST, self._is_ours, lambda: self.trusted
        )
        self.webmail = make_webmail(
            self.house,
            RENDERING,
            LANGUAGES,
            addresses,
            self.cookies_of,
            lambda host: self.https,
            self.random,
        )
        policy = PolicyPage(self._is_ours, HOST, lambda: "enforce")
        self.site = make_site(
            WebHouse(
                policy,
                lambda: None,
                lambda: [b"a key"],
                self,
                self.clock.seconds,
                STATICS,
                RENDERING,
                LANGUAGES,
                lambda: self.webmail,
                tuple(all_routes()),
            ),
            self.idle,
        )

    async def unsubscribe(self, what: Unsubscription) -> None:
        self.gone.append(what)

    async def _is_ours(self, domain: DomainName) -> bool:
        return await self.directory.domain(domain) is not None

    # -- the browser

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, **ways: Any
    ) -> Heard:
        """Follow a link of ours, or type an address."""
        return self.ask("GET", path, headers=headers, **ways)

    def post(
        self,
        path: str,
        form: Pairs = (),
        *,
        action: str = "",
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        **ways: Any,
    ) -> Heard:
        """Send a form of ours, with its token."""
        pairs = list(form.items() if isinstance(form, Mapping) else form)
        if action:
            pairs.append(("t", self.token(action)))
        more = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Sec-Fetch-Site": "same-origin",
            **(headers or {}),
        }
        return self.ask(method, path, urlencode(pairs).encode(), more, **ways)

    def token(self, action: str) -> str:
        """Of a page of ours."""
        if any(name.endswith("mailkit") for name in self.cookies):
            page = self.get("/settings/security").text
            found = re.search(f'<meta name="csrf-{action}" content="([^"]+)"', page)
        else:
            page = self.get("/login").text
            found = re.search(r'name="t" value="([^"]+)"', page)
        assert found is not None, page
        return unescape(found[1])

    def sign_in(self, name: str = ALICE, password: str = PASSWORD) -> Heard:
        """Through the form."""
        return self.post(
            "/login", {"username": name, "password": password}, action="session"
        )

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        is_secure: bool = True,
        peer: str = "192.0.2.7",
        host: str = HOST,
    ) -> Heard:
        """Anything at all."""
        lines = {"Host": host, **(headers or {})}
        if self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            lines.setdefault("Cookie", "; ".join(pairs))
        if body or method not in ("GET", "HEAD"):
            lines["Content-Length"] = str(len(body))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        octets = f"{method} {path} HTTP/1.0\r\n{head}\r\n".encode() + body
        heard = self.say(octets, is_secure=is_secure, peer=peer)
        for cookie in heard.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return heard

    def say(
        self, octets: bytes, *, is_secure: bool = True, peer: str = "192.0.2.7"
    ) -> Heard:
        """Octets as they are, in one connection."""
        address = IPv4Address("TCP", peer, 50000)
        channel: Any = self.site.buildProtocol(address)  # Twisted's, without types
        transport: Any = StringTransport(peerAddress=address)
        if is_secure:
            transport.setTcpNoDelay = lambda wish: None
            directlyProvides(transport, ISSLTransport)
        channel.makeConnection(transport)
        channel.dataReceived(octets)
        return heard_of(transport.value())


def heard_of(octets: bytes) -> Heard:
    """An answer as it was written; status 0: none yet."""
    if not octets:
        return Heard(0, {}, (), b"")
    top, _, body = octets.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    cookies = tuple(value for name, value in pairs if name.lower() == "set-cookie")
    if headers.get("content-encoding") == "gzip" and body:
        body = gzip.decompress(body)
    return Heard(int(first.split()[1]), headers, cookies, body)
