"""Who there is, and who may come in."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from mailkit.model.account import Account, Alias, Credential, Domain, Role, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName


class IDirectory(Interface):
    """
    Domains, accounts and aliases. Answers come from memory where they can.

    A change by any process is seen by all within a second.
    """

    async def domain(name: DomainName) -> Domain | None:
        """One of our domains."""

    async def domains() -> Sequence[Domain]:
        """All of them, by name."""

    async def account(name: AccountName) -> Account | None:
        """An account by its main address, suspended ones included."""

    async def accounts(domain: DomainName | None = None) -> Sequence[Account]:
        """Those of a domain, or all; by name."""

    async def alias(address: Address) -> Alias | None:
        """Exactly this address; ``Address("", domain)`` asks for the catch-all."""

    async def aliases(domain: DomainName | None = None) -> Sequence[Alias]:
        """Those of a domain, or all; by address."""

    async def may_send_as(account: AccountName, address: Address) -> bool:
        """By a grant; whether it is the account's own is for the caller to see."""

    async def grants(account: AccountName) -> Sequence[Address]:
        """All that the account was granted."""

    async def credentials(account: AccountName) -> Sequence[Credential]:
        """Every way in, those without a secret included."""

    async def all_have_scram_keys() -> bool:
        """Whether SCRAM locks no active account out."""

    def generation(name: AccountName) -> int:
        """
        `Account.generation` as last seen by this process, -1 for no such account.

        Cheap: sessions compare it with the one they logged in under.
        """


class IDirectoryChanges(Interface):
    """The writing side; ``services.admin`` is its one caller."""

    async def add_domain(name: DomainName) -> Domain:
        """:raises AlreadyExists:"""

    async def remove_domain(name: DomainName) -> None:
        """:raises NoSuchDomain: :raises Refused: while it has accounts."""

    async def add_account(name: AccountName, role: Role, quota: int | None) -> Account:
        """:raises AlreadyExists: :raises NoSuchDomain:"""

    async def change_account(account: Account) -> Account:
        """Role, quota, suspension; raises the generation. :raises NoSuchAccount:"""

    async def remove_account(name: AccountName) -> None:
        """With its credentials and grants. :raises NoSuchAccount:"""

    async def set_password(
        name: AccountName, secret: str, scram: ScramKeys | None, ends_sessions: bool
    ) -> None:
        """Replace the credential of kind ``password``. :raises NoSuchAccount:"""

    async def used_credential(id: int, when: float, peer: str) -> None:
        """Note a login; may be written late and together with others."""

    async def set_alias(alias: Alias) -> None:
        """Make it or replace its targets. :raises NoSuchDomain:"""

    async def remove_alias(address: Address) -> None:
        """:raises NoSuchAddress:"""

    async def grant(account: AccountName, address: Address, wish: bool) -> None:
        """Allow or forbid to send as somebody. :raises NoSuchAccount:"""


class IPasswordCheck(Interface):
    """Is this secret right."""

    async def check(name: str, password: str, service: str, peer: str) -> Account:
        """
        The account that logs in, in equal time whoever it is.

        :raises NotAuthenticated: :raises Busy: after too many failures.
        """
