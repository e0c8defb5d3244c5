"""
The throw-away mail server for tests that have no Twisted reactor.

In a plain test::

    with MailServer() as server:
        anna = server.account("anna")
        smtplib.SMTP(server.host, server.ports["smtp"]).sendmail(...)
        assert server.wait("anna").subject == "Welcome"

with asyncio ``async with MailServer() as server`` and ``await`` before each call, as
a pytest fixture ``mail_server`` (`mailkit.testing.fixtures`), and within Twisted
`mailkit.testing.postoffice.PostOffice`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any, Self, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure

from mailkit.model.mailbox import INBOX
from mailkit.testing.postoffice import Letter, Person, PostOffice, Wanted

T = TypeVar("T")


class _OwnReactor(SelectReactor):
    """A reactor beside the global one, in a thread of its own."""

    _registerAsIOThread = False


@define(eq=False)
class _Running:
    """A post office in a thread."""

    office: PostOffice = field(init=False)
    _reactor: Any = field(factory=_OwnReactor, init=False)
    _thread: Thread = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.office = PostOffice(self._reactor)
        self._thread = Thread(
            target=self._reactor.run,
            kwargs={"installSignalHandlers": False},
            name="mailkit-test-server",
            daemon=True,
        )
        self._thread.start()

    def call(self, make: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        """Run a coroutine over there; the future is of here."""
        future: Future[T] = Future()

        def failed(failure: Failure) -> None:
            future.set_exception(failure.value)

        def start() -> None:
            Deferred.fromCoroutine(make()).addCallbacks(future.set_result, failed)

        self._reactor.callFromThread(start)
        return future

    def stop(self) -> None:
        """End the thread; the office is closed already."""
        self._reactor.callFromThread(self._reactor.stop)
        self._thread.join()


@define(eq=False)
class MailServer:
    """SMTP, submission, LMTP, IMAP and POP3 over a store in memory."""

    _running: _Running | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self._running = _Running()
        self._running.call(self._open).result()
        return self

    def __exit__(self, *error: object) -> None:
        running, self._running = self._here, None
        running.call(running.office.close).result()
        running.stop()

    async def __aenter__(self) -> AsyncMailServer:
        asyncio.get_running_loop()  # within Twisted: take a PostOffice
        self._running = _Running()
        await asyncio.wrap_future(self._running.call(self._open))
        return AsyncMailServer(self)

    async def __aexit__(self, *error: object) -> None:
        running, self._running = self._here, None
        await asyncio.wrap_future(running.call(running.office.close))
        running.stop()

    @property
    def host(self) -> str:
        """127.0.0.1."""
        return self._here.office.host

    @property
    def ports(self) -> dict[str, int]:
        """By service: smtp submission submissions lmtp imap imaps pop3 pop3s."""
        return self._here.office.ports

    @property
    def certificate(self) -> Path:
        """For clients that check: good for ``localhost`` and 127.0.0.1."""
        return self._here.office.certificate

    def account(self, address: str, password: str = "") -> Person:
        """See `PostOffice.account`."""
        return self._here.call(lambda: self._account(address, password)).result()

    def letters(self, address: str, mailbox: str = INBOX) -> list[Letter]:
        """See `PostOffice.letters`."""
        return self._here.call(lambda: self._letters(address, mailbox)).result()

    def wait(
        self,
        address: str,
        wanted: Wanted | None = None,
        *,
        mailbox: str = INBOX,
        timeout: float = 30.0,
    ) -> Letter:
        """See `PostOffice.wait`."""
        return self._here.call(
            lambda: self._wait(address, wanted, mailbox, timeout)
        ).result()

    @property
    def _here(self) -> _Running:
        if self._running is None:
            raise RuntimeError("the server runs within `with` only")
        return self._running

    async def _open(self) -> None:
        self._here.office.open()

    async def _account(self, address: str, password: str) -> Person:
        return await self._here.office.account(address, password)

    async def _letters(self, address: str, mailbox: str) -> list[Letter]:
        return await self._here.office.letters(address, mailbox)

    async def _wait(
        self, address: str, wanted: Wanted | None, mailbox: str, timeout: float
    ) -> Letter:
        return await self._here.office.wait(
            address, wanted, mailbox=mailbox, timeout=timeout
        )


@define(eq=False)
class AsyncMailServer:
    """The same for asyncio."""

    _server: MailServer

    @property
    def host(self) -> str:
        """127.0.0.1."""
        return self._server.host

    @property
    def ports(self) -> dict[str, int]:
        """As in `MailServer.ports`."""
        return self._server.ports

    @property
    def certificate(self) -> Path:
        """As in `MailServer.certificate`."""
        return self._server.certificate

    async def account(self, address: str, password: str = "") -> Person:
        """See `PostOffice.account`."""
        server = self._server
        return await asyncio.wrap_future(
            server._here.call(lambda: server._account(address, password))
        )

    async def letters(self, address: str, mailbox: str = INBOX) -> list[Letter]:
        """See `PostOffice.letters`."""
        server = self._server
        return await asyncio.wrap_future(
            server._here.call(lambda: server._letters(address, mailbox))
        )

    async def wait(
        self,
        address: str,
        wanted: Wanted | None = None,
        *,
        mailbox: str = INBOX,
        timeout: float = 30.0,
    ) -> Letter:
        """See `PostOffice.wait`."""
        server = self._server
        return await asyncio.wrap_future(
            server._here.call(lambda: server._wait(address, wanted, mailbox, timeout))
        )
