"""What the pump drives, and what a session may ask of its connection."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import Attribute, Interface

from mailkit.protocols.machine import Machine


class ISession(Interface):
    """What one connected peer may do."""

    is_over: bool = Attribute("True: what waits is sent and the connection closed.")
    timeout: float = Attribute(
        "Seconds of silence allowed now; may change with each event."
    )
    is_idle: bool = Attribute(
        "Nothing is half done: a shutdown may say farewell without waiting."
    )
    account: str = Attribute("Who is logged in, for the log; empty before that.")

    async def greet() -> None:
        """Say the first word, where the protocol has one."""

    async def handle(event: object) -> None:
        """Act on one event and answer it through the machine."""

    def farewell(reason: str) -> None:
        """
        Say the protocol's last word (421, BYE, -ERR) because ``reason``, and be over.

        Called by the pump on time-out, shutdown and internal errors, and only
        between events; it must not raise.
        """

    async def close() -> None:
        """Let go of whatever is half done. Called once, however the peer left."""


class IPeer(Interface):
    """The other end of one connection."""

    host: str = Attribute("IP address, or ``unix``; the PROXY protocol's where used.")
    port: int = Attribute("Port, or 0.")
    local_host: str = Attribute("The address of ours that it came to.")
    local_port: int = Attribute("The port of ours that it came to, or 0.")
    is_secure: bool = Attribute(
        "TLS is on, or the connection never leaves the machine's kernel (unix)."
    )
    is_loopback: bool = Attribute("The peer is on this machine.")
    tls: str = Attribute("``TLSv1.3 TLS_AES_256_GCM_SHA384``; empty in the clear.")
    can_start_tls: bool = Attribute("A certificate is there, and TLS is not on yet.")

    async def start_tls() -> None:
        """Send what waits, then upgrade; the machine forgets what it had buffered."""

    async def flush() -> None:
        """
        Send what waits, and return when the peer has room for more.

        :raises PeerGone: if the peer has left, so that nobody works for nobody.
        """

    def speak() -> None:
        """Send what waits, now: for words that no event asked for (IDLE)."""

    def interrupt() -> None:
        """Have `farewell` called as soon as no event is at work."""


Build = Callable[[IPeer], tuple[Machine, ISession]]
"""Makes the two halves of one conversation."""
