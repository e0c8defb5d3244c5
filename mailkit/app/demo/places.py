"""Where the two servers of the demo listen."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

from attrs import frozen

from mailkit.errors import Refused

SERVICES = ("smtp", "submission", "imap", "https", "dns")
ADDRESSES = ("127.0.0.1", "127.0.0.2")
_TRIES = 50


@frozen
class Place:
    """An address of this machine, and a port of it for each service."""

    address: str
    ports: dict[str, int]

    def at(self, service: str) -> tuple[str, int]:
        """What to connect to."""
        return self.address, self.ports[service]


def find_places(addresses: Sequence[str] = ADDRESSES) -> tuple[Place, Place]:
    """
    Two places: the same ports of two addresses, or other ports of one.

    :raises Refused: if there are none.
    """
    here, there = addresses
    are_two = here != there and _can_bind(there)
    with ExitStack() as held:
        numbers = _numbers((here, there) if are_two else (here,), held)
        first = dict(zip(SERVICES, numbers, strict=False))
        second = dict(first) if are_two else dict(zip(SERVICES, numbers, strict=False))
    return Place(here, first), Place(there if are_two else here, second)


def _numbers(addresses: Sequence[str], held: ExitStack) -> Iterator[int]:
    """Ports that are free on all addresses, by TCP and by UDP."""
    for _ in range(_TRIES):
        first = held.enter_context(socket.socket())
        first.bind((addresses[0], 0))
        number = int(first.getsockname()[1])
        if _hold(addresses[0], number, held, (socket.SOCK_DGRAM,)) and all(
            _hold(address, number, held, (socket.SOCK_STREAM, socket.SOCK_DGRAM))
            for address in addresses[1:]
        ):
            yield number
    raise Refused("there are no free ports on this machine")


def _hold(
    address: str, number: int, held: ExitStack, kinds: Sequence[socket.SocketKind]
) -> bool:
    for kind in kinds:
        one = held.enter_context(socket.socket(socket.AF_INET, kind))
        try:
            one.bind((address, number))
        except OSError:
            return False
    return True


def _can_bind(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
