"""
A throw-away mail server: all five services on free ports, and nothing left behind.

For tests that run in a Twisted reactor::

    async with PostOffice(reactor) as office:
        anna = await office.account("anna")
        ...  # something sends to anna.address at office.ports["smtp"]
        letter = await office.wait("anna")

Tests of any other kind take `mailkit.testing.server.MailServer`.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self, cast

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from mailkit.errors import NoSuchAccount
from mailkit.factories import (
    IMAP4Factory,
    LMTPFactory,
    POP3Factory,
    Services,
    SMTPFactory,
    SubmissionFactory,
)
from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Role
from mailkit.model.address import AccountName, Address
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import UIDSet
from mailkit.net.listeners import PumpFactory
from mailkit.net.selfsigned import make_self_signed
from mailkit.net.tls import ServerTLS
from mailkit.storage.content import all_octets
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.store import MemoryStore

DOMAIN = "example.test"
"""Of addresses that are given without one."""

_SERVICES: tuple[tuple[str, type[PumpFactory], bool], ...] = (
    ("smtp", SMTPFactory, False),
    ("submission", SubmissionFactory, False),
    ("submissions", SubmissionFactory, True),
    ("lmtp", LMTPFactory, False),
    ("imap", IMAP4Factory, False),
    ("imaps", IMAP4Factory, True),
    ("pop3", POP3Factory, False),
    ("pop3s", POP3Factory, True),
)


@frozen
class Person:
    """An account to log in with."""

    address: str
    password: str


@frozen
class Letter:
    """A message that arrived."""

    mailbox: str
    uid: int
    octets: bytes = field(repr=False)
    """As it was kept: trace fields on top, lines ended by CRLF."""

    @property
    def message(self) -> EmailMessage:
        """As the standard library reads it."""
        return message_from_bytes(self.octets, policy=policy.default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])


Wanted = Callable[[Letter], bool]


@define(eq=False)
class PostOffice:
    """
    SMTP, submission, LMTP, IMAP and POP3 over a store in memory.

    Used in the reactor's thread; `open` before anything else, `close` at the end.
    """

    _reactor: Any  # Twisted's, which has no type of its own
    host: str = "127.0.0.1"
    ports: dict[str, int] = field(factory=dict, init=False)
    """By service: smtp submission submissions lmtp imap imaps pop3 pop3s."""
    store: MemoryStore = field(factory=MemoryStore, init=False)
    directory: MemoryDirectory = field(factory=MemoryDirectory, init=False)
    services: Services = field(init=False)
    _folder: Path = field(init=False)
    _listening: list[IListeningPort] = field(factory=list, init=False)
    _factories: list[PumpFactory] = field(factory=list, init=False)
    _taken: set[tuple[AccountName, str, int]] = field(factory=set, init=False)

    @property
    def certificate(self) -> Path:
        """For clients that check: good for ``localhost`` and 127.0.0.1."""
        return self._folder / "certificate.pem"

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    def open(self) -> None:
        """Listen on free ports of loopback."""
        self._folder = Path(tempfile.mkdtemp(prefix="mailkit-test-"))
        names = ["localhost", "127.0.0.1"]
        pair = make_self_signed(self._folder, names, datetime.now(UTC))
        tls = ServerTLS((pair,))
        self.services = Services(self.store, self.directory, self._reactor)
        for name, kind, tls_first in _SERVICES:
            make = cast(Callable[..., PumpFactory], kind)
            factory = make(self.services, tls=tls, tls_first=tls_first)
            port = self._reactor.listenTCP(0, factory, interface=self.host)
            self._listening.append(port)
            self._factories.append(factory)
            self.ports[name] = port.getHost().port

    async def close(self) -> None:
        """End every connection and every thread, and remove every file."""
        for port in self._listening:
            stopping = port.stopListening()
            if stopping is not None:
                await stopping
        for factory in self._factories:
            await factory.drain(self._reactor, 1.0)
        await self.services.close()
        await self.store.close()
        shutil.rmtree(self._folder)

    async def account(self, address: str, password: str = "") -> Person:
        """
        An account; made, with its domain, if it is not there.

        :param address: without a domain it is one of `DOMAIN`.
        :param password: if empty, one is made up.
        """
        name = _name(address)
        password = password or secrets.token_urlsafe(12)
        account = AccountName(str(name))
        if await self.directory.domain(name.domain) is None:
            await self.directory.add_domain(name.domain)
        if await self.directory.account(account) is None:
            await self.directory.add_account(account, Role.USER, None)
        await self.store.create_account(account)
        secret = "{PLAIN}" + password
        await self.directory.set_password(account, secret, None, True)
        return Person(str(name), password)

    async def letters(self, address: str, mailbox: str = INBOX) -> list[Letter]:
        """All that is in a mailbox, oldest first."""
        account = await self._account(address)
        opened = await self.store.open(account, MailboxName(mailbox))
        snapshot = await opened.snapshot(False)
        contents = await opened.contents(UIDSet.of(snapshot.uids))
        return [
            Letter(mailbox, uid, await all_octets(content)) for uid, content in contents
        ]

    async def wait(
        self,
        address: str,
        wanted: Wanted | None = None,
        *,
        mailbox: str = INBOX,
        timeout: float = 30.0,
    ) -> Letter:
        """
        The next message, or the next that is ``wanted``; each is handed out once.

        :param timeout: seconds to wait for it.
        :raises TimeoutError: naming what came instead.
        """
        account = await self._account(address)
        opened = await self.store.open(account, MailboxName(mailbox))
        news = _News()
        watch: IWatch = opened.watch(news.hear)
        timer = self._reactor.callLater(timeout, news.end)
        try:
            while True:
                current = news.coming
                for letter in await self.letters(address, mailbox):
                    key = account, mailbox, letter.uid
                    if key not in self._taken and (wanted is None or wanted(letter)):
                        self._taken.add(key)
                        return letter
                if news.is_over:
                    raise TimeoutError(await self._what_came(address, mailbox))
                await current
        finally:
            watch.stop()
            if timer.active():
                timer.cancel()

    async def _what_came(self, address: str, mailbox: str) -> str:
        came = [letter.subject for letter in await self.letters(address, mailbox)]
        return f"nothing of that kind came for {address}; in {mailbox}: {came}"

    async def _account(self, address: str) -> AccountName:
        account = AccountName(str(_name(address)))
        if await self.directory.account(account) is None:
            raise NoSuchAccount(account)
        return account


@define(eq=False)
class _News:
    """Fires once for each time that something was heard."""

    coming: Deferred[None] = field(factory=Deferred, init=False)
    is_over: bool = field(default=False, init=False)

    def hear(self) -> None:
        told, self.coming = self.coming, Deferred()
        told.callback(None)

    def end(self) -> None:
        self.is_over = True
        self.hear()


def _name(address: str) -> Address:
    parsed = Address.parse(address if "@" in address else f"{address}@{DOMAIN}")
    if parsed is None:
        raise NoSuchAccount(address)
    return parsed
