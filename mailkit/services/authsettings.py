"""How people prove who they are: ``[auth]`` of ``mailkit.toml``."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, le

from mailkit.config.units import MIB, MINUTE, Octets, Seconds


@frozen
class AuthSettings:
    """How people prove who they are."""

    plaintext: Literal["tls", "tls-or-loopback", "always"] = "tls-or-loopback"
    """Where a password may be sent: under TLS only, also from this machine, or
    anywhere (for test beds)."""

    scram: Literal["auto", "on", "off"] = "auto"
    """Whether SCRAM-SHA-256 (RFC 7677) is offered; `"auto"` offers it while every
    active account has the keys for it, so that imported accounts are not locked
    out. With `"off"` no keys are made either."""

    scram_iterations: int = field(default=10_000, validator=[ge(4096), le(1_000_000)])
    """What SCRAM costs the client, and whoever guesses passwords from a stolen
    directory (RFC 7677 §4 asks for 4096 at least)."""

    argon2_memory: Octets = field(default=19 * MIB, validator=ge(19 * MIB))
    """Memory of one password hash (argon2id)."""

    argon2_passes: int = field(default=2, validator=[ge(2), le(100)])
    """Passes over that memory."""

    argon2_lanes: int = field(default=1, validator=[ge(1), le(16)])
    """Lanes of one password hash."""

    remember: Seconds = field(default=MINUTE, validator=le(3600.0))
    """How long a successful login is remembered, by a keyed hash in memory, so that
    clients that log in for every look do not cost a password hash each time."""

    free_failures: int = field(default=5, validator=ge(0))
    """Wrong logins of one peer (IPv4 address, IPv6 /64), or for one account, that
    cost nobody time. Each further one doubles the time until the next is looked at,
    beginning with one second. All workers count together."""

    longest_delay: Seconds = field(default=MINUTE, validator=le(3600.0))
    """The longest such time; whoever would have to wait more than ten seconds is
    turned away instead."""

    forget_failures: Seconds = field(default=15 * MINUTE, validator=le(86400.0))
    """After how long without a wrong login a peer or account begins anew."""
