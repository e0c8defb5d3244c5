"""The rest of the world, in a thread of the test: names, and hosts that take mail."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from attrs import define, field, frozen

from mailkit.testing.dns import LittleServer
from tests.interop.server import PATIENCE

T = TypeVar("T")

HANG = "hang"
"""Say nothing for `Hosts.patience`, then close."""

CUT = "cut"
"""Close without a word."""

KEPT = "kept"
"""Keep the message, and close without a word: nobody hears the 250."""

SLOW = "slow"
"""Say yes, after `Hosts.slowness`."""

HELLO = "250-{name}\n250-PIPELINING\n250-8BITMIME\n250-SIZE 52428800\n250 DSN"

GOOD = {
    "greeting": "220 {name} ESMTP",
    "EHLO": HELLO,
    "HELO": "250 {name}",
    "MAIL": "250 2.1.0 Sender ok",
    "RCPT": "250 2.1.5 Recipient ok",
    "DATA": "354 Go on",
    "text": "250 2.0.0 Taken",
    "RSET": "250 2.0.0 Forgotten",
    "NOOP": "250 2.0.0 Here",
    "QUIT": "221 2.0.0 Bye",
}
"""What is said, by verb, ``greeting`` and ``text``; ``\\n`` between lines."""

Script = Callable[[str, str, str], str]
"""Chooses an answer: from the address of the host, the verb, and the whole line. Empty:
what is in `GOOD`. ``break 421 …`` says it and closes."""

_LARGEST = 64 << 20


def always_good(address: str, verb: str, line: str) -> str:
    """Everybody is kind."""
    return ""


@frozen
class Kept:
    """A message that a host kept."""

    address: str
    """Of the host."""
    mail: str
    """The line, parameters and all."""
    rcpt: tuple[str, ...]
    octets: bytes = field(repr=False)
    """As they came, stuffed dots and all, without the last dot."""
    is_told: bool
    """Whether a 250 was said."""
    at: float
    """`time.monotonic` of that."""

    @property
    def recipients(self) -> list[str]:
        """Their addresses."""
        return [line.partition("<")[2].partition(">")[0] for line in self.rcpt]

    @property
    def text(self) -> bytes:
        """The message, dots taken off (RFC 5321 §4.5.2)."""
        octets = b"\r\n" + self.octets
        return octets.replace(b"\r\n.", b"\r\n")[2:]


@define(eq=False)
class Outside:
    """A thread in which servers of asyncio run, until `close`."""

    loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop)
    _thread: threading.Thread = field(init=False)
    _servers: list[asyncio.Server] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for something that is done there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def names(
        self,
        records: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        vouches: bool = False,
    ) -> Names:
        """A name server that knows what it was told."""
        return self.names_of(LittleServer(records, vouches=vouches), host, port)

    def names_of(self, server: LittleServer, host: str, port: int) -> Names:
        """One more place at which it answers."""
        names = Names(server)

        async def open_port() -> str:
            transport, _ = await self.loop.create_datagram_endpoint(
                lambda: names, local_addr=(host, port)
            )
            name, number = transport.get_extra_info("sockname")[:2]
            return f"{name}:{number}"

        names.place = self.do(open_port())
        return names

    def names_at_53(self, server: LittleServer) -> str:
        """
        The same where /etc/resolv.conf can say that it is; the address. Needs root.

        It is another one each time: other processes of tests want one, too.
        """
        while True:
            address = f"127.53.{random.randrange(256)}.{random.randrange(1, 255)}"
            try:
                self.names_of(server, address, 53)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return address

    def hosts(self, port: int, addresses: Sequence[str], **about: Any) -> Hosts:
        """Hosts that take mail, all at one port. ``about`` is of `Hosts`."""
        hosts = Hosts(**about)

        async def listen() -> asyncio.Server:
            return await asyncio.start_server(
                hosts.serve, list(addresses), port, limit=_LARGEST, backlog=500
            )

        self._servers.append(self.do(listen()))
        return hosts

    def close(self) -> None:
        """End all of it."""

        async def end() -> None:
            for server in self._servers:
                server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.do(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@contextmanager
def outside() -> Iterator[Outside]:
    """The rest of the world, for as long as a test lasts."""
    world = Outside()
    try:
        yield world
    finally:
        world.close()


class Names(asyncio.DatagramProtocol):
    """Answers by UDP; what it is asked by TCP instead is not small enough."""

    def __init__(self, server: LittleServer) -> None:
        self.server = server
        self.place = ""
        """As in ``[dns] servers``."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport  # of datagrams, which Python 3.11 does not say

    def datagram_received(self, data: bytes, addr: Any) -> None:
        octets = self.server.answer(data)
        if octets is not None:
            self._transport.sendto(octets, addr)


@define(eq=False)
class Hosts:
    """What hosts do with those who connect, and what they kept."""

    script: Script = always_good
    name: str = "mx.outside.test"
    patience: float = 3.0
    slowness: float = 0.3
    kept: list[Kept] = field(factory=list)
    connections: int = 0
    heard: list[str] = field(factory=list)
    """Every command, in order."""
    keeps_commands: bool = False
    _open: set[asyncio.StreamWriter] = field(factory=set)

    async def hang_up(self) -> None:
        """Close all connections."""
        for writer in self._open:
            writer.close()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection."""
        self.connections += 1
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = writer.get_extra_info("sockname")[0]
        self._open.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            await _Dialogue(self, reader, writer, address).run()
        self._open.discard(writer)
        writer.close()


@define(eq=False)
class _Dialogue:
    hosts: Hosts
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    address: str
    mail: str = ""
    rcpt: list[str] = field(factory=list)

    async def run(self) -> None:
        is_on = await self.say("greeting", "")
        while is_on:
            octets = await self.reader.readuntil(b"\r\n")
            line = octets[:-2].decode("utf-8", "replace")
            verb = line.partition(" ")[0].upper()
            if self.hosts.keeps_commands:
                self.hosts.heard.append(line)
            is_on = await self.obey(verb, line)

    async def obey(self, verb: str, line: str) -> bool:
        if verb == "DATA" and not self.rcpt:
            return await self.write("554 5.5.1 Nobody")
        if verb == "RCPT" and not self.mail:
            return await self.write("503 5.5.1 From whom?")
        if verb in ("RSET", "EHLO", "HELO", "MAIL"):
            self.mail, self.rcpt = "", []
        said = self.chosen(verb, line)
        is_on = await self.act(said, verb)
        if not said.startswith(("2", "3", SLOW)):
            return is_on
        if verb == "MAIL":
            self.mail = line
        elif verb == "RCPT":
            self.rcpt.append(line)
        elif verb == "DATA":
            return await self.take()
        return is_on and verb != "QUIT"

    async def take(self) -> bool:
        octets = await self.reader.readexactly(3)
        if octets == b".\r\n":
            return await self.act("554 5.6.0 There is nothing in it", "text")
        octets += await self.reader.readuntil(b"\r\n.\r\n")
        said = self.chosen("text", "")
        if said == SLOW:
            await asyncio.sleep(self.hosts.slowness)
            said = self.good("text")
        if said == KEPT or said.startswith("2"):
            kept = Kept(
                self.address, self.mail, tuple(self.rcpt), octets[:-3],
                said != KEPT, time.monotonic(),
            )  # fmt: skip
            self.hosts.kept.append(kept)
        self.mail, self.rcpt = "", []
        return await self.act(CUT if said == KEPT else said, "text")

    def chosen(self, verb: str, line: str) -> str:
        said = self.hosts.script(self.address, verb, line)
        return said or self.good(verb)

    def good(self, verb: str) -> str:
        return GOOD.get(verb, "500 5.5.1 What?")

    async def say(self, verb: str, line: str) -> bool:
        return await self.act(self.chosen(verb, line), verb)

    async def act(self, said: str, verb: str) -> bool:
        """Whether the connection goes on."""
        if said == SLOW:
            await asyncio.sleep(self.hosts.slowness)
            said = self.good(verb)
        if said == HANG:
            await asyncio.sleep(self.hosts.patience)
            return False
        if said == CUT:
            return False
        kind, _, text = said.partition(" ")
        if kind == "break":
            await self.write(text)
            return False
        return await self.write(said)

    async def write(self, said: str) -> bool:
        said = said.replace("{name}", self.hosts.name).replace("\n", "\r\n")
        self.writer.write(said.encode() + b"\r\n")
        await self.writer.drain()
        return True
