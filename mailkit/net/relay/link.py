"""Connections that have come as far as taking a sender, and those kept for later."""

from __future__ import annotations

from collections import deque

from attrs import define, field, frozen

from mailkit.interfaces.queue import NextHost
from mailkit.model.tlspolicy import TLSPolicy
from mailkit.net.relay.conversation import Conversation
from mailkit.net.relay.settings import RelaySettings


@frozen
class Key:
    """What has to be the same for a connection to be used again."""

    address: str
    port: int
    policy: TLSPolicy
    is_lmtp: bool
    tls_first: bool
    username: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, host: NextHost) -> Key:
        """The name does not matter: what it has to prove is in the policy."""
        return cls(
            host.address,
            host.port,
            host.policy,
            host.is_lmtp,
            host.tls_first,
            host.username,
            host.password,
        )


@frozen
class Bounds:
    """What a host takes, by its own word (RFC 9422 §5)."""

    messages: int
    recipients: int
    domains: int | None
    """Of the recipients of one transaction; ``None``: any number."""


@define(eq=False)
class Link:
    """A connection and what is known of it."""

    talk: Conversation
    key: Key
    tls: str
    """As `Attempt.tls`."""
    is_checked: bool
    """Under TLS, with a certificate that a policy asked for and found good."""
    bounds: Bounds
    messages: int = 0
    """Transactions begun."""
    needs_reset: bool = False
    """One was left open: RSET goes before the next."""
    is_reused: bool = False

    @property
    def is_worn(self) -> bool:
        return self.messages >= self.bounds.messages


@define(eq=False)
class Pool:
    """Idle connections; the one that was used last is taken first."""

    settings: RelaySettings
    _idle: dict[Key, deque[Link]] = field(factory=dict, init=False)
    _count: int = field(default=0, init=False)

    def __len__(self) -> int:
        return self._count

    def take(self, key: Key) -> Link | None:
        """One that is there, from now on the caller's alone."""
        links = self._idle.get(key)
        while links:
            link = links.pop()
            self._count -= 1
            if not links:
                del self._idle[key]
            if link.talk.is_usable:
                link.is_reused = True
                return link
        return None

    def give(self, link: Link) -> None:
        """Keep it for a while, or say QUIT."""
        if not link.talk.is_usable:
            link.talk.cut("given up")
        elif link.is_worn or self._count >= self.settings.idle_connections:
            link.talk.leave()
        else:
            self._idle.setdefault(link.key, deque()).append(link)
            self._count += 1
            link.talk.rest()

    def forget(self, talk: Conversation, key: Key) -> None:
        """A connection has ended; it may have been here."""
        links = self._idle.get(key, deque())
        kept = deque(link for link in links if link.talk is not talk)
        self._count -= len(links) - len(kept)
        if kept:
            self._idle[key] = kept
        else:
            self._idle.pop(key, None)

    def empty(self) -> None:
        """Say QUIT to all."""
        everybody = [link for links in self._idle.values() for link in links]
        self._idle.clear()
        self._count = 0
        for link in everybody:
            link.talk.leave()


def bounds_of(offered: str, settings: RelaySettings) -> Bounds:
    """Read the parameters of LIMITS (RFC 9422 §3); nonsense is left out."""
    said: dict[str, int] = {}
    for word in offered.split():
        name, _, number = word.partition("=")
        if number.isascii() and number.isdigit() and 0 < len(number) <= 6:
            said[name.upper()] = max(int(number), 1)
    return Bounds(
        min(settings.messages, said.get("MAILMAX", settings.messages)),
        min(settings.recipients, said.get("RCPTMAX", settings.recipients)),
        said.get("RCPTDOMAINMAX"),
    )
