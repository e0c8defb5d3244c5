"""What all administrative work needs at hand."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import NoSuchAccount, NoSuchDomain
from mailkit.interfaces.directory import IAudit, IDirectory, IDirectoryChanges
from mailkit.interfaces.keys import IDomainKeys
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.interfaces.storage import IMailStore
from mailkit.model.account import Account
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import domain_name
from mailkit.services.passwords.passwords import Passwords


class WaitingMail(Protocol):
    """The mail of accounts that has not left yet."""

    async def hold(self, who: str, account: AccountName) -> int:
        """An account is suspended: try its mail no more; how many items those are."""

    async def release(self, who: str, account: AccountName) -> int:
        """It is not any more: try what was held for that reason, and only that."""


@frozen(eq=False)
class Office:
    """The collaborators of every administrative service, and what all of them ask."""

    directory: IDirectory
    changes: IDirectoryChanges
    audit: IAudit
    store: IMailStore
    lanes: ILanes
    passwords: Passwords
    clock: IReactorTime
    keys: IDomainKeys | None = None
    """``None``: nobody signs what domains of ours send."""
    waiting: WaitingMail | None = None
    """``None``: there is no queue."""
    sending: ISendingCounts | None = None
    """``None``: nobody counts what accounts send."""

    def line(
        self, actor: Actor, action: str, subject: str, before: str, after: str
    ) -> AuditLine:
        """What is kept about a change that is made now."""
        now = self.clock.seconds()
        return AuditLine(now, actor.who, action, subject, before, after)

    async def account(self, actor: Actor, name: AccountName) -> Account:
        """
        An account that the actor has a say in.

        :raises NotAllowed: :raises NoSuchAccount:
        """
        actor.check_domain(Account(name).domain)
        account = await self.directory.account(name)
        if account is None:
            raise NoSuchAccount(f"there is no account {name}")
        return account

    async def check_domain(self, domain: DomainName) -> None:
        """:raises NoSuchDomain: unless it is ours."""
        if await self.directory.domain(domain) is None:
            raise NoSuchDomain(f"{domain} is not a domain of this server")

    async def domain(self, actor: Actor, text: str) -> DomainName | None:
        """
        A domain that the actor asks about; ``None`` for an empty ``text``: all.

        :raises NotAllowed: :raises NoSuchDomain:
        """
        if not text:
            return None
        name = domain_name(text)
        actor.check_domain(name)
        await self.check_domain(name)
        return name

    async def has_password(self, name: AccountName) -> bool:
        """Whether anybody can log in to the account."""
        return any(one.secret for one in await self.directory.credentials(name))


def say_account(account: Account) -> str:
    """An account in the words of the audit."""
    quota = "default" if account.quota is None else account.quota
    state = "suspended" if account.is_suspended else "active"
    return f"role={account.role.value} quota={quota} {state}"


def say_addresses(addresses: tuple[Address, ...]) -> str:
    """Addresses in the words of the audit."""
    return " ".join(str(address) for address in addresses)
