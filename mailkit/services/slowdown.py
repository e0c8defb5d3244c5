"""Whoever guesses passwords is made to wait, longer after each wrong one.

What is counted: the wrong logins of a peer (an IPv4 address, an IPv6 /64) and those
for an account name, whether or not there is such an account. A peer from which an
account has logged in rightly before is not held up for that account, so that a
stranger's guesses do not lock its owner out.

All processes of a server count together: each tells the others of wrong logins, and of
those that it lets wait. A notice that is lost makes nobody wait longer.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import Busy
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch
from mailkit.services.authsettings import AuthSettings

Network = IPv4Network | IPv6Network

PATIENCE = 10.0
"""Seconds that an attempt is held at most; whoever has to wait longer is sent away."""

TOPIC = "logins"

_LOCAL = frozenset(("", "unix"))

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
    """
    Remembers failures for a while, of a bounded number of peers and accounts.

    :param board: carries notices between processes; ``None``: there is but one.
    """

    _clock: IReactorTime
    _settings: AuthSettings = field(factory=AuthSettings)
    _never_limit: Sequence[Network] = ()
    _board: INoticeBoard | None = None
    _peers: OrderedDict[str, _Failures] = field(init=False, factory=OrderedDict)
    _names: OrderedDict[str, _Failures] = field(init=False, factory=OrderedDict)
    _friends: OrderedDict[tuple[str, str], None] = field(
        init=False, factory=OrderedDict
    )
    _networks: dict[str, str] = field(init=False, factory=dict)
    _me: str = field(init=False, factory=lambda: secrets.token_hex(8))
    _told: int = field(init=False, default=0)
    _hearing: IWatch | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        if self._board is not None:
            self._hearing = self._board.hear(TOPIC, self._hear)

    def configure(self, settings: AuthSettings, never_limit: Sequence[Network]) -> None:
        """Other settings from now on; what was counted stays."""
        self._settings = settings
        self._never_limit = never_limit
        self._networks.clear()

    def close(self) -> None:
        """Hear nothing from others any more. Safe to call twice."""
        if self._hearing is not None:
            self._hearing.stop()
            self._hearing = None

    def counted(self, host: str, name: str) -> tuple[str, ...]:
        """What of an attempt is counted: its peer and its account, or nothing."""
        peer, name = self._peer(host), _short(name)
        if not peer or (peer, name) in self._friends:
            return ()
        return f"peer {peer}", f"account {name}"

    @property
    def at_once(self) -> int:
        """How many attempts of one peer or account are looked at at once."""
        return max(1, self._settings.free_failures)

    def reserve(self, host: str, name: str) -> float:
        """
        How many seconds this attempt has to wait; those after it wait longer.

        :param name: the account's name, folded.
        :raises Busy: if it would have to wait too long.
        """
        if not self._peers and not self._names:
            return 0.0
        peer, name = self._peer(host), _short(name)
        if not peer or (peer, name) in self._friends:
            return 0.0
        now = self._clock.seconds()
        found = self._slow(peer, name)
        begin = max([entry.next for entry in found], default=now)
        wait = max(begin - now, 0.0)
        if wait > PATIENCE:
            raise Busy("too many wrong logins; come back later")
        for entry in found:
            entry.next = now + wait + self._delay(entry.count)
        if found:
            self._tell("waits", f"{wait:.3f}", peer, name)
        return wait

    def _slow(self, peer: str, name: str) -> list[_Failures]:
        """Of a peer and a name those that have used up what is free."""
        return [
            entry
            for entry in (
                self._entry(self._peers, peer),
                self._entry(self._names, name),
            )
            if entry and entry.count >= self._settings.free_failures
        ]

    def failed(self, host: str, name: str, tried: bytes) -> None:
        """
        Count a wrong attempt.

        :param tried: a keyed hash of the attempt: doing the same again, as clients
            with an old password do, counts once.
        """
        peer, name = self._peer(host), _short(name)
        if not peer:
            return
        tried = blake2b(tried, digest_size=8).digest()
        self._friends.pop((peer, name), None)
        self._count(self._peers, peer, tried)
        self._count(self._names, name, tried)
        self._tell("failed", tried.hex(), peer, name)

    def succeeded(self, host: str, name: str) -> None:
        """That peer is a friend of that account now; its failures stay."""
        peer, name = self._peer(host), _short(name)
        if peer:
            self._friends[peer, name] = None
            self._friends.move_to_end((peer, name))
            if len(self._friends) > _MOST_FRIENDS:
                self._friends.popitem(last=False)

    def _tell(self, what: str, fact: str, peer: str, name: str) -> None:
        if self._board is None:
            return
        # The same notice twice would be heard once: each has a number.
        self._told += 1
        self._board.publish(
            TOPIC, f"{self._me} {self._told} {what} {fact} {peer} {name}"
        )

    def _hear(self, text: str) -> None:
        me, _number, what, fact, peer, name = text.split(" ", 5)
        if me == self._me:
            return
        if what == "failed":
            tried = bytes.fromhex(fact)
            # A friend of that account here was wrong there.
            self._friends.pop((peer, name), None)
            self._count(self._peers, peer, tried)
            self._count(self._names, name, tried)
            return
        now = self._clock.seconds()
        for entry in self._slow(peer, name):
            entry.next = max(entry.next, now + float(fact) + self._delay(entry.count))

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
            # A Unix socket: it is somebody of this machine. All whom a proxy has no
            # address of (RFC 7239 §6.2, §6.3) are one peer, though.
            return "" if host in _LOCAL else _short(host.replace(" ", ""))
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if any(address in network for network in self._never_limit):
            return ""
        if isinstance(address, IPv6Address):
            return str(IPv6Network((int(address) >> 64 << 64, 64)))
        return str(address)


def _short(name: str) -> str:
    """A name that fits into a notice; people may have typed anything."""
    octets = name.encode("utf-8", "surrogatepass")
    if len(octets) <= 320 and name.isprintable():
        return name
    return blake2b(octets, digest_size=16).hexdigest()
