"""IMAP and POP3 clients that look for the end of a response and parse nothing else."""

from __future__ import annotations

import asyncio
import socket
from datetime import datetime
from functools import partial

from tests.bench.senders import AnswerError, at_once


class Wire:
    """A blocking connection."""

    def __init__(self, port: int, limit: float) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), limit)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def more(self) -> bytes:
        octets = self.socket.recv(1 << 18)
        if not octets:
            raise AnswerError("closed too early")
        return octets

    def line(self) -> bytes:
        """All that came, up to the end of a line."""
        octets = b""
        while not octets.endswith(b"\n"):
            octets += self.more()
        return octets

    def close(self) -> None:
        self.socket.close()


class IMAP(Wire):
    """One session, logged in."""

    def __init__(
        self, port: int, login: str, password: str, limit: float = 120.0
    ) -> None:
        super().__init__(port, limit)
        self._number = 0
        self.line()
        self.ask(f"LOGIN {login} {password}")

    def ask(self, command: str) -> bytes:
        """One command; all that came back, up to its tagged line."""
        tag = self._tag()
        self.socket.sendall(tag + b" " + command.encode() + b"\r\n")
        return self._answer(tag)

    def append(self, mailbox: str, octets: bytes, date: datetime) -> None:
        """By a non-synchronizing literal if the server may have them, as clients do."""
        tag = self._tag()
        head = (
            f' APPEND {mailbox} () "{date:%d-%b-%Y %H:%M:%S} +0000" {{{len(octets)}+}}'
        )
        self.socket.sendall(tag + head.encode() + b"\r\n" + octets + b"\r\n")
        self._answer(tag)

    def idle(self) -> None:
        self._idle_tag = self._tag()
        self.socket.sendall(self._idle_tag + b" IDLE\r\n")
        while b"+ " not in self.line():
            pass

    def done(self) -> None:
        self.socket.sendall(b"DONE\r\n")
        self._answer(self._idle_tag)

    def logout(self) -> None:
        self.ask("LOGOUT")
        self.close()

    def _tag(self) -> bytes:
        self._number += 1
        return b"zq%dz" % self._number

    def _answer(self, tag: bytes) -> bytes:
        pieces: list[bytes] = []
        wanted = tag + b" "
        while True:
            pieces.append(self.more())
            tail = pieces[-1]
            if not tail.endswith(b"\n"):
                continue
            if len(tail) < 600 and len(pieces) > 1:
                tail = b"".join(pieces[-4:])
            last = tail[tail.rfind(b"\n", 0, -1) + 1 :]
            if last.startswith(wanted):
                if not last.startswith(wanted + b"OK"):
                    raise AnswerError(f"IMAP: {last!r}")
                return b"".join(pieces)


class POP3(Wire):
    """One session, logged in."""

    def __init__(
        self, port: int, login: str, password: str, limit: float = 120.0
    ) -> None:
        super().__init__(port, limit)
        self.line()
        self.ask(f"USER {login}")
        self.ask(f"PASS {password}")

    def ask(self, command: str) -> bytes:
        """A command with a response of one line."""
        self.socket.sendall(command.encode() + b"\r\n")
        octets = self.line()
        if not octets.startswith(b"+OK"):
            raise AnswerError(f"POP3: {octets[:100]!r}")
        return octets

    def ask_much(self, command: str) -> bytes:
        """A command with a response that a dot ends."""
        self.socket.sendall(command.encode() + b"\r\n")
        octets = self.more()
        while not octets.endswith(b"\r\n.\r\n"):
            if octets.startswith(b"-ERR"):
                raise AnswerError(f"POP3: {octets[:100]!r}")
            octets += self.more()
        return octets

    def quit(self) -> None:
        self.ask("QUIT")
        self.close()


class _Login(asyncio.Protocol):
    """Connects, logs in and out, and is done with the last word."""

    def __init__(self, login: str, password: str, done: asyncio.Future[None]) -> None:
        self._command = f"a LOGIN {login} {password}\r\n".encode()
        self._done = done
        self._octets = b""
        self._step = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = at_once(transport)

    def data_received(self, data: bytes) -> None:
        self._octets += data
        if self._step == 0 and self._octets.endswith(b"\n"):
            self._step, self._octets = 1, b""
            self._transport.write(self._command)
        elif self._step == 1 and b"a OK" in self._octets:
            self._step, self._octets = 2, b""
            self._transport.write(b"b LOGOUT\r\n")
        elif self._step == 2 and b"b OK" in self._octets:
            self._done.set_result(None)
            self._step = 3
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(AnswerError(f"IMAP: {self._octets!r}"))


def log_in_all(
    port: int, logins: list[str], password: str, at_once: int, limit: float
) -> None:
    """
    Every login by a connection of its own, so many at a time.

    :raises AnswerError: if one was refused.
    """
    waiting = iter(logins)

    async def work() -> None:
        loop = asyncio.get_running_loop()
        for login in waiting:
            done: asyncio.Future[None] = loop.create_future()
            session = partial(_Login, login, password, done)
            await loop.create_connection(session, "127.0.0.1", port)
            await done

    async def main() -> None:
        crew = asyncio.gather(*(work() for _ in range(at_once)))
        await asyncio.wait_for(crew, limit)

    asyncio.run(main())
