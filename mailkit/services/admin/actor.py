"""Who asks for a change, and what its role lets it change."""

from __future__ import annotations

from attrs import frozen

from mailkit.errors import NotAllowed
from mailkit.model.account import Account, Role
from mailkit.model.address import AccountName, DomainName


@frozen
class Actor:
    """Somebody who acts; the audit calls it ``who``."""

    who: str
    role: Role
    domain: DomainName | None = None
    """The domain that a domain administrator has a say in."""
    account: AccountName | None = None
    """Its own account; it may change what is personal there."""

    @classmethod
    def of(cls, account: Account) -> Actor:
        """An account that is logged in."""
        return cls(account.name, account.role, account.domain, account.name)

    @classmethod
    def command(cls, user: str) -> Actor:
        """Whoever may run the ``mailkit`` command on this machine may do everything."""
        return cls(f"{user} (mailkit)", Role.ADMIN)

    def may_change(self, domain: DomainName) -> bool:
        """Whether it has a say in that domain."""
        if self.role is Role.DOMAIN_ADMIN:
            return self.domain == domain
        return self.role is Role.ADMIN

    def check_server(self) -> None:
        """:raises NotAllowed: unless it is a server administrator."""
        if self.role is not Role.ADMIN:
            raise NotAllowed("only a server administrator may do that")

    def check_domain(self, domain: DomainName) -> None:
        """:raises NotAllowed: unless it has a say in that domain."""
        if not self.may_change(domain):
            raise NotAllowed(f"{self.who} has no say in {domain}")

    def check_role(self, role: Role) -> None:
        """:raises NotAllowed: if it may not make somebody that."""
        if role is Role.ADMIN:
            self.check_server()
