"""SMTP clients that cost little, so that they do not become what is measured."""

from __future__ import annotations

import asyncio
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from attrs import define, field, frozen


class AnswerError(Exception):
    """A server did not do what the work asks for."""


@frozen
class Letter:
    """One message on its way to one recipient."""

    recipient: bytes
    stuffed: bytes
    """With its dots doubled and the final dot (RFC 5321 §4.5.2)."""


def stuff(octets: bytes) -> bytes:
    """What follows 354, the final dot included."""
    if octets.startswith(b"."):
        octets = b"." + octets
    return octets.replace(b"\r\n.", b"\r\n..") + b".\r\n"


@define(eq=False)
class _Pile:
    """Letters that wait for a session."""

    letters: Sequence[Letter]
    sender: bytes = b"sender@example.com"
    login: bytes = b""
    """What AUTH PLAIN says; empty: nobody logs in."""
    taken: int = 0
    seconds: list[float] = field(factory=list)

    @property
    def has_more(self) -> bool:
        return self.taken < len(self.letters)

    def take(self) -> Letter:
        self.taken += 1
        return self.letters[self.taken - 1]


def at_once(transport: asyncio.BaseTransport) -> asyncio.Transport:
    """What is written goes out without waiting for more."""
    assert isinstance(transport, asyncio.Transport)
    connection: socket.socket = transport.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return transport


class _Session(asyncio.Protocol):
    """Sends one letter after the other, each command once the last was answered."""

    def __init__(self, pile: _Pile, limit: int, done: asyncio.Future[None]) -> None:
        self._pile, self._limit, self._done = pile, limit, done
        self._octets = b""
        self._next: Callable[[], None] = self._greet
        self._sent = 0
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = at_once(transport)

    def data_received(self, data: bytes) -> None:
        self._octets += data
        if not self._octets.endswith(b"\n"):
            return
        last = self._octets[self._octets.rfind(b"\n", 0, -1) + 1 :]
        if last[3:4] == b"-":
            return
        if last[:1] not in b"23":
            self._fail(AnswerError(f"SMTP: {last!r}"))
            return
        self._octets = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(exc or AnswerError("SMTP: closed too early"))

    def _fail(self, problem: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(problem)
        self._transport.abort()

    def _say(self, octets: bytes, then: Callable[[], None]) -> None:
        self._next = then
        self._transport.write(octets)

    def _greet(self) -> None:
        then = self._log_in if self._pile.login else self._mail
        self._say(b"EHLO client.example.net\r\n", then)

    def _log_in(self) -> None:
        self._say(b"AUTH PLAIN " + self._pile.login + b"\r\n", self._mail)

    def _mail(self) -> None:
        if self._sent >= self._limit or not self._pile.has_more:
            # As Postfix's own client, it does not wait for the 221.
            self._say(b"QUIT\r\n", self._transport.close)
            if not self._done.done():
                self._done.set_result(None)
            return
        self._sent += 1
        self._began = time.perf_counter()
        self._letter = self._pile.take()
        self._say(b"MAIL FROM:<" + self._pile.sender + b">\r\n", self._rcpt)

    def _rcpt(self) -> None:
        self._say(b"RCPT TO:<" + self._letter.recipient + b">\r\n", self._data)

    def _data(self) -> None:
        self._say(b"DATA\r\n", self._content)

    def _content(self) -> None:
        self._say(self._letter.stuffed, self._accepted)

    def _accepted(self) -> None:
        self._pile.seconds.append(time.perf_counter() - self._began)
        self._mail()


def send_all(
    port: int,
    letters: Sequence[Letter],
    sessions: int,
    a_session: int,
    limit: float,
    sender: str = "sender@example.com",
    password: str = "",
) -> list[float]:
    """
    Hand over every letter; the seconds that each took until its 250.

    :param a_session: letters over one connection before the next is opened.
    :param limit: seconds for all.
    :param password: the sender's, who logs in with it; empty: nobody does.
    :raises AnswerError: if one was refused.
    """
    login = b64encode(f"\0{sender}\0{password}".encode()) if password else b""
    pile = _Pile(letters, sender.encode(), login)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        while pile.has_more:
            done: asyncio.Future[None] = loop.create_future()
            session = partial(_Session, pile, a_session, done)
            await loop.create_connection(session, "127.0.0.1", port)
            await done

    async def main() -> None:
        crew = asyncio.gather(*(work() for _ in range(sessions)))
        await asyncio.wait_for(crew, limit)

    asyncio.run(main())
    return pile.seconds


@define(eq=False)
class Courier:
    """A connection for single messages, with a look at the moment of the 250."""

    port: int
    connection: socket.socket = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.connection = socket.create_connection(("127.0.0.1", self.port), 30)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._hear()
        self._ask(b"EHLO client.example.net\r\n")

    def prepare(self, recipient: bytes) -> None:
        """Up to the 354."""
        self._ask(b"MAIL FROM:<sender@example.com>\r\n")
        self._ask(b"RCPT TO:<" + recipient + b">\r\n")
        self._ask(b"DATA\r\n")

    def send(self, stuffed: bytes) -> None:
        """The message; `answer` tells what became of it."""
        self.connection.sendall(stuffed)

    def answer(self) -> None:
        """:raises AnswerError: unless it was a 250."""
        self._hear()

    def close(self) -> None:
        self._ask(b"QUIT\r\n")
        self.connection.close()

    def _ask(self, octets: bytes) -> None:
        self.connection.sendall(octets)
        self._hear()

    def _hear(self) -> None:
        octets = b""
        while not octets.endswith(b"\n") or _is_not_last(octets):
            piece = self.connection.recv(4096)
            if not piece:
                raise AnswerError("SMTP: closed too early")
            octets += piece
        if octets[:1] not in b"23":
            raise AnswerError(f"SMTP: {octets!r}")


def _is_not_last(octets: bytes) -> bool:
    return octets[octets.rfind(b"\n", 0, -1) + 1 :][3:4] == b"-"


def letters_for(
    recipients: Sequence[str], count: int, octets: Callable[[int, str], bytes]
) -> Iterator[Letter]:
    """So many letters, each recipient in turn."""
    for number in range(count):
        recipient = recipients[number % len(recipients)]
        yield Letter(recipient.encode(), stuff(octets(number, recipient)))
