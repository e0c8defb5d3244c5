"""Who there is, and who may come in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zope.interface import Interface

from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Account, Alias, Credential, Domain, Role, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.model.routeentry import RouteEntry


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

    async def patterns(domain: DomainName) -> Sequence[Alias]:
        """Aliases of a domain that have a ``*`` in their local part; in no order."""

    async def routes() -> Sequence[RouteEntry]:
        """Routes that were made by the command, by name."""

    async def may_send_as(account: AccountName, address: Address) -> bool:
        """By a grant; whether it is the account's own is for the caller to see."""

    async def grants(account: AccountName) -> Sequence[Address]:
        """All that the account was granted."""

    async def credentials(account: AccountName) -> Sequence[Credential]:
        """Every way in, those without a secret included."""

    def all_have_scram_keys() -> bool:
        """
        Whether SCRAM locks nobody out: no active account has a password without keys.

        Cheap: asked at each greeting and CAPABILITY.
        """

    async def server_secret() -> bytes:
        """
        32 random octets, made once with the directory and the same in all processes.

        What strangers are told about accounts that do not exist is derived from it.
        """

    def generation(name: AccountName) -> int:
        """
        `Account.generation` as last seen by this process, -1 for no such account.

        Cheap: sessions compare it with the one they logged in under. It only rises,
        and an account that is removed and made again begins above where it ended.
        """

    def watch(hear: Callable[[], None]) -> IWatch:
        """Have ``hear`` called, in the reactor thread, after each change was seen."""


class IDirectoryChanges(Interface):
    """
    The writing side; ``services.admin`` is its one caller.

    The line that comes with a change is kept with it, in one step or not at all. When
    a method returns, this process's `IDirectory` answers by the change already.
    """

    async def add_domain(name: DomainName, line: AuditLine | None = None) -> Domain:
        """:raises AlreadyExists:"""

    async def remove_domain(name: DomainName, line: AuditLine | None = None) -> None:
        """With its aliases. :raises NoSuchDomain: :raises Refused: with accounts."""

    async def add_account(
        name: AccountName, role: Role, quota: int | None, line: AuditLine | None = None
    ) -> Account:
        """:raises AlreadyExists: :raises NoSuchDomain:"""

    async def change_account(
        account: Account, line: AuditLine | None = None
    ) -> Account:
        """Role, quota, suspension; raises the generation. :raises NoSuchAccount:"""

    async def remove_account(name: AccountName, line: AuditLine | None = None) -> None:
        """With its credentials and grants. :raises NoSuchAccount:"""

    async def set_password(
        name: AccountName,
        secret: str,
        scram: ScramKeys | None,
        ends_sessions: bool,
        line: AuditLine | None = None,
        generation: int | None = None,
    ) -> None:
        """
        Replace the credential of kind ``password``; an empty secret is none.

        :param generation: do so only while the account has that one; of several who
            try at once, in whichever process, one alone does.
        :raises NoSuchAccount:
        :raises ChangedMeanwhile: if it has another generation.
        """

    async def renew_credential(
        credential: Credential, secret: str, scram: ScramKeys | None
    ) -> bool:
        """
        Keep the same password in another form; ends no session.

        :returns: whether it was done: not if somebody changed the secret meanwhile.
        """

    async def used_credential(id: int, when: float, peer: str) -> None:
        """Note a login; may be written late and together with others."""

    async def set_alias(
        alias: Alias, line: AuditLine | None = None, most: int | None = None
    ) -> None:
        """
        Make it or replace its targets.

        :param most: only make it, where nobody has the address, and where fewer than
            so many lead to the same targets; whoever tries at the same time, in
            whichever process.

        It may stand beside an account without password: that of ``postmaster``, which
        comes with the domain, then gets its mail no more.

        :raises NoSuchDomain:
        :raises AlreadyExists: if an account with a password has the address.
        :raises TooMany: if ``most`` lead there.
        """

    async def remove_alias(address: Address, line: AuditLine | None = None) -> None:
        """:raises NoSuchAddress:"""

    async def set_route(entry: RouteEntry, line: AuditLine | None = None) -> None:
        """Make a route, or put it in place of the one of that name."""

    async def remove_route(name: str, line: AuditLine | None = None) -> None:
        """:raises Refused: if there is none."""

    async def grant(
        account: AccountName,
        address: Address,
        wish: bool,
        line: AuditLine | None = None,
    ) -> None:
        """Allow or forbid to send as somebody. :raises NoSuchAccount:"""


class IAudit(Interface):
    """Who changed what, and when."""

    async def note(line: AuditLine) -> None:
        """Keep a line about something that is not kept in the directory itself."""

    async def lines(subject: str = "", limit: int = 1000) -> Sequence[AuditLine]:
        """
        The newest ``limit``, oldest first.

        :param subject: an address, or a domain for all that is in it; empty: all.
        """


class IPasswordCheck(Interface):
    """Is this secret right."""

    async def check(name: str, password: str, service: str, peer: str) -> Account:
        """
        The account that logs in, in equal time whoever it is.

        :raises NotAuthenticated: :raises Busy: after too many failures.
        """
