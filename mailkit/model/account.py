"""Who there is: domains, accounts, aliases and credentials, as values."""

from __future__ import annotations

from enum import Enum

from attrs import field, frozen

from mailkit.model.address import AccountName, Address, DomainName


class Role(Enum):
    """What an account may change."""

    USER = "user"
    DOMAIN_ADMIN = "domain-admin"
    """The accounts and aliases of its own domain."""
    ADMIN = "admin"
    """Everything on this server."""


@frozen
class Domain:
    """A domain whose mail is ours."""

    name: DomainName
    made: float
    """Seconds since 1970."""


@frozen
class Account:
    """Somebody, or something, with mailboxes."""

    name: AccountName
    role: Role = Role.USER
    quota: int | None = None
    """Octets; ``None`` is the configured default, 0 is without limit."""
    is_suspended: bool = False
    made: float = 0.0
    """Seconds since 1970."""
    generation: int = 0
    """Raised by everything that ends sessions: passwd, suspend, remove."""

    @property
    def address(self) -> Address:
        local_part, _, domain = self.name.rpartition("@")
        return Address(local_part, DomainName(domain))

    @property
    def domain(self) -> DomainName:
        return DomainName(self.name.rpartition("@")[2])


@frozen
class Alias:
    """Another address, or with an empty local part all others of a domain."""

    address: Address
    targets: tuple[Address, ...]

    @property
    def is_catch_all(self) -> bool:
        return not self.address.local_part


@frozen
class ScramKeys:
    """What SCRAM-SHA-256 keeps instead of a password (RFC 5802 §5.1)."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@frozen
class Credential:
    """One way to prove to be an account."""

    id: int
    account: AccountName
    kind: str
    """``password``; later also application passwords and keys."""
    label: str
    scopes: frozenset[str]
    """Services it is good for (``smtp``, ``imap`` …); empty: all of them."""
    secret: str = field(repr=False)
    """A ``{SCHEME}hash`` or a PHC string; empty: nobody can log in with it."""
    scram: ScramKeys | None = field(default=None, repr=False)
    made: float = 0.0
    last_used: float | None = None
    last_peer: str = ""
