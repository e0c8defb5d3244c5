"""Name servers: who they are, and what each of them turned out to be like."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from attrs import define, field, frozen

PORT = 53
MOST_SERVERS = 8
RESOLV_CONF = "/etc/resolv.conf"
LONGEST_FILE = 1 << 16

REST = 30.0
"""Seconds for which a server that was silent is asked after the others."""
PLAIN = 3600.0
"""Seconds for which a server that cannot do something is not asked to again."""


@frozen
class Server:
    """An address that answers questions."""

    host: str
    port: int = PORT

    @property
    def is_local(self) -> bool:
        """On this machine, so that nobody can change what it says on the way."""
        return ip_address(self.host.partition("%")[0]).is_loopback

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_server(text: str) -> Server:
    """
    ``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``.

    :raises ValueError: if it is none of these.
    """
    host, port = text, ""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        if rest and not rest.startswith(":"):
            raise ValueError(f'expects a server such as "[::1]:53", not "{text}"')
        port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    number = 0
    with suppress(ValueError):
        host = str(ip_address(host))
        number = int(port) if port else PORT
    if not 0 < number < 1 << 16:
        raise ValueError(f'expects a server such as "127.0.0.1:53", not "{text}"')
    return Server(host, number)


@define(eq=False)
class SystemServers:
    """Those of ``resolv.conf``, which is read again when it was changed."""

    path: str = RESOLV_CONF
    _seen: tuple[int, int, int] | None = field(default=None, init=False)
    _servers: tuple[Server, ...] = field(default=(), init=False)

    def __call__(self) -> tuple[Server, ...]:
        """In order; this machine if the file names none, as resolv.conf(5) has it."""
        try:
            status = os.stat(self.path)
            seen = (status.st_mtime_ns, status.st_ino, status.st_size)
            if seen != self._seen:
                with open(self.path, encoding="utf-8", errors="replace") as file:
                    self._servers = read_resolv_conf(file.read(LONGEST_FILE))
                self._seen = seen
        except OSError:
            self._seen, self._servers = None, ()
        return self._servers or (Server("127.0.0.1"),)


def read_resolv_conf(text: str) -> tuple[Server, ...]:
    """The ``nameserver`` lines; what is not an address is passed over."""
    servers: list[Server] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "nameserver":
            continue
        with suppress(ValueError):
            servers.append(Server(str(ip_address(words[1]))))
    return tuple(servers[:MOST_SERVERS])


@define(eq=False)
class Habits:
    """What servers were found to do, until when that is remembered."""

    _seconds: Callable[[], float]
    _silent: dict[Server, float] = field(factory=dict, init=False)
    _plain: dict[Server, float] = field(factory=dict, init=False)
    _caseless: dict[Server, float] = field(factory=dict, init=False)

    def ordered(self, servers: tuple[Server, ...]) -> list[Server]:
        """As given, but those that were silent lately come last."""
        now = self._seconds()
        return sorted(servers, key=lambda server: self._silent.get(server, 0.0) > now)

    def was_silent(self, server: Server) -> None:
        """It did not answer in time, or not at all."""
        self._note(self._silent, server, REST)

    def answered(self, server: Server) -> None:
        """It did."""
        self._silent.pop(server, None)

    def has_no_edns(self, server: Server) -> None:
        """It fails for EDNS (RFC 6891 §7)."""
        self._note(self._plain, server, PLAIN)

    def keeps_no_case(self, server: Server) -> None:
        """It does not repeat the question letter by letter."""
        self._note(self._caseless, server, PLAIN)

    def knows_edns(self, server: Server) -> bool:
        """Whether to ask with EDNS."""
        return self._plain.get(server, 0.0) <= self._seconds()

    def keeps_case(self, server: Server) -> bool:
        """Whether to ask in mixed case."""
        return self._caseless.get(server, 0.0) <= self._seconds()

    def _note(self, table: dict[Server, float], server: Server, lasts: float) -> None:
        if len(table) >= 4 * MOST_SERVERS:  # of other times, mostly
            table.clear()
        table[server] = self._seconds() + lasts
