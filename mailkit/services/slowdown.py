"""Whoever guesses passwords is made to wait, longer after each wrong one.

What is counted: the wrong logins of a peer (an IPv4 address, an IPv6 /64) and those
for an account name, whether or not there is such an account. A peer from which an
account has logged in rightly before is not held up for that account, so that a
stranger's guesses do not lock its owner out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import Busy
from mailkit.services.authsettings import AuthSettings

Network = IPv4Network | IPv6Network

PATIENCE = 10.0
"""Seconds that an attempt is held at most; whoever has to wait longer is sent away."""

_MOST = 10_000  # peers, and accounts, that are kept in mind
_MOST_FRIENDS = 100_000


@define(eq=False)
class _Failures:
    count: int
    last: float
    """When the last one was."""
    next: float
    """When the next attempt is looked at."""
    wrong: bytes
    """What was tried last, hashed: trying that again is no guess."""


@define(eq=False)
class Slowdown:
    """Remembers failures for a while, in this process, of a bounded number of peers."""

    _clock: IReactorTime
    _settings: AuthSettings = field(factory=AuthSettings)
    _never_limit: Sequence[Network] = ()
    _peers: OrderedDict[str, _Failures] = field(init=False, factory=OrderedDict)
    _names: OrderedDict[str, _Failures] = field(init=False, factory=OrderedDict)
    _friends: OrderedDict[tuple[str, str], None] = field(
        init=False, factory=OrderedDict
    )
    _networks: dict[str, str] = field(init=False, factory=dict)

    def reserve(self, host: str, name: str) -> float:
        """
        How many seconds this attempt has to wait; those after it wait longer.

        :param name: the account's name, folded.
        :raises Busy: if it would have to wait too long.
        """
        if not self._peers and not self._names:
            return 0.0
        peer = self._peer(host)
        if not peer or (peer, name) in self._friends:
            return 0.0
        now = self._clock.seconds()
        found = [
            entry
            for entry in (
                self._entry(self._peers, peer),
                self._entry(self._names, name),
            )
            if entry and entry.count >= self._settings.free_failures
        ]
        begin = max([entry.next for entry in found], default=now)
        wait = max(begin - now, 0.0)
        if wait > PATIENCE:
            raise Busy("too many wrong logins; come back later")
        for entry in found:
            entry.next = now + wait + self._delay(entry.count)
        return wait

    def failed(self, host: str, name: str, tried: bytes) -> None:
        """
        Count a wrong attempt.

        :param tried: a keyed hash of the attempt: doing the same again, as clients
            with an old password do, counts once.
        """
        peer = self._peer(host)
        if not peer:
            return
        self._friends.pop((peer, name), None)
        self._count(self._peers, peer, tried)
        self._count(self._names, name, tried)

    def succeeded(self, host: str, name: str) -> None:
        """That peer is a friend of that account now; its failures stay."""
        peer = self._peer(host)
        if peer:
            self._friends[peer, name] = None
            self._friends.move_to_end((peer, name))
            if len(self._friends) > _MOST_FRIENDS:
                self._friends.popitem(last=False)

    def _count(
        self, entries: OrderedDict[str, _Failures], key: str, tried: bytes
    ) -> None:
        now = self._clock.seconds()
        entry = self._entry(entries, key)
        if entry is None:
            entry = entries[key] = _Failures(0, now, now, b"")
        if entry.wrong != tried:
            entry.count += 1
            entry.wrong = tried
        entry.last = now
        if entry.count >= self._settings.free_failures:
            entry.next = max(entry.next, now + self._delay(entry.count))
        entries.move_to_end(key)
        if len(entries) > _MOST:
            entries.popitem(last=False)

    def _entry(
        self, entries: OrderedDict[str, _Failures], key: str
    ) -> _Failures | None:
        entry = entries.get(key)
        if entry is None:
            return None
        if entry.last + self._settings.forget_failures <= self._clock.seconds():
            del entries[key]
            return None
        return entry

    def _delay(self, count: int) -> float:
        """Seconds after so many failures: 1, 2, 4 … once the free ones are used up."""
        doubled = min(count - self._settings.free_failures, 30)
        return min(2.0**doubled, self._settings.longest_delay)

    def _peer(self, host: str) -> str:
        """What of a peer is counted; empty: nothing."""
        peer = self._networks.get(host)
        if peer is None:
            if len(self._networks) >= _MOST:
                self._networks.clear()
            peer = self._networks[host] = self._network(host)
        return peer

    def _network(self, host: str) -> str:
        try:
            address = ip_address(host)
        except ValueError:
            return ""  # a Unix socket: it is somebody of this machine
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if any(address in network for network in self._never_limit):
            return ""
        if isinstance(address, IPv6Address):
            return str(IPv6Network((int(address) >> 64 << 64, 64)))
        return str(address)
