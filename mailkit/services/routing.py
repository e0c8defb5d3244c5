"""Whose address it is, and who may write as whom.

In this order: an account, an alias, the same without what follows ``+`` (RFC 5233
§1), the people behind ``postmaster`` and ``abuse`` (RFC 5321 §4.5.1, RFC 2142 §5),
the catch-all of the domain.

``postmaster@`` and ``abuse@`` go to the account or alias of that name, else to the
domain's administrators, else to the account without a password that came with the
domain, else to the administrators of the server.

An address elsewhere is where somebody's alias leads, or what one of our own people
names; it becomes mail that leaves, if there is a queue.
"""

from __future__ import annotations

from attrs import define, field, frozen

from mailkit.errors import NoSuchAddress, NotOurs, Suspended
from mailkit.interfaces.delivery import ForeignRecipient, LocalRecipient, Routed
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Account, Alias, Role
from mailkit.model.address import AccountName, Address, DomainName, fold_domain
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop

ROLES = ("postmaster", "abuse")
"""Local parts that somebody has to answer for in each domain."""


@frozen
class Limits:
    """How far aliases lead."""

    addresses: int = 1000
    """Addresses that one recipient may become, those on the way included."""


LIMITS = Limits()


@define(eq=False)
class Routing:
    """
    Looks addresses up in the directory.

    :param hostname: what this server is called: ``<postmaster>`` without a domain is
        that of the domain which it is, or is in.
    :param sends: whether there is a queue for mail to other servers.
    """

    _directory: IDirectory
    _hostname: str
    _limits: Limits = LIMITS
    sends: bool = False
    _administrators: dict[DomainName | None, list[Account]] = field(
        init=False, factory=dict
    )
    _watch: IWatch = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._watch = self._directory.watch(self._administrators.clear)

    async def route(self, path: Path, may_send: bool = False) -> Routed:
        """
        All that a forward-path leads to, each once.

        :param may_send: whether who asks is one of our own people, who may name
            addresses elsewhere.
        :raises NotOurs: if the domain is not ours, and is not sent to.
        :raises NoSuchAddress: if nobody has the address.
        :raises Suspended: if only accounts have it that are suspended.
        """
        address = path.address
        if not address.domain and address.local_part in ROLES:
            address = Address(address.local_part, await self._own_domain())
        if await self._directory.domain(address.domain) is None:
            if may_send and self.sends and address.domain:
                return Routed((), (ForeignRecipient(path, NextHop(address.domain)),))
            raise NotOurs(str(address))
        accounts, elsewhere = await self._ends(address)
        if not accounts and not elsewhere:
            raise NoSuchAddress(str(address))
        said = str(address)
        local = tuple(
            LocalRecipient(account.name, said, detail)
            for account, detail in accounts
            if not account.is_suspended
        )
        foreign = tuple(
            ForeignRecipient(
                Path(target.local_part, target.domain), NextHop(target.domain), said
            )
            for target in elsewhere
        )
        if not local and not foreign:
            raise Suspended(said)
        return Routed(local, foreign)

    async def is_known(self, path: Path) -> bool:
        """Whether somebody of ours has the address, suspended or not."""
        return any(await self._ends(path.address))

    async def may_send_as(self, account: Account, address: Address) -> bool:
        """
        Whether the account has that address, or was granted it.

        By its own name, a sub-address, an alias or catch-all that leads to it, or as
        one of those behind ``postmaster``; a grant of ``@domain`` is one of all.
        """
        if str(address) == account.name:
            return True
        base, _ = _split(address)
        catch_all = Address("", address.domain)
        for granted in {address, base, catch_all}:
            if await self._directory.may_send_as(account.name, granted):
                return True
        return any(
            owner.name == account.name for owner, _ in (await self._ends(address))[0]
        )

    def close(self) -> None:
        """Hear of no more changes."""
        self._watch.stop()

    async def _ends(
        self, address: Address
    ) -> tuple[list[tuple[Account, str]], list[Address]]:
        """
        What is behind an address of ours.

        :returns: accounts, the suspended ones too, each with a detail; and addresses
            elsewhere.
        """
        owner, detail = await self._owner(address)
        if isinstance(owner, Account):  # nearly always
            return [(owner, detail)], []
        elsewhere: list[Address] = []
        found: dict[AccountName, tuple[Account, str]] = {}
        seen = {address}
        waiting: list[tuple[Account | Alias | list[Account], str]] = [(owner, detail)]
        while waiting:
            owner, detail = waiting.pop()
            match owner:
                case Account(name):
                    found.setdefault(name, (owner, detail))
                case Alias(_, targets):
                    for target in targets:
                        if target in seen or len(seen) >= self._limits.addresses:
                            continue
                        seen.add(target)
                        if await self._directory.domain(target.domain) is None:
                            if self.sends:
                                elsewhere.append(target)
                            continue
                        next_owner, own_detail = await self._owner(target)
                        waiting.append((next_owner, detail or own_detail))
                case list(accounts):
                    waiting += [(account, detail) for account in accounts]
        ends = sorted(found.values(), key=lambda pair: pair[0].name)
        return ends, sorted(elsewhere, key=str)

    async def _owner(
        self, address: Address
    ) -> tuple[Account | Alias | list[Account], str]:
        """What stands in the directory for one address, and the detail in it."""
        directory = self._directory
        name = AccountName(str(address))
        account = await directory.account(name)
        if account is not None and address.local_part not in ROLES:
            return account, ""
        alias = await directory.alias(address) if address.local_part else None
        if alias is not None and account is None:
            return alias, ""
        if address.local_part in ROLES:
            return await self._role(address, account, alias), ""
        base, detail = _split(address)
        if base is not address:
            owner, _ = await self._owner(base)
            if owner:
                return owner, detail
            return [], ""
        return await directory.alias(Address("", address.domain)) or [], ""

    async def _role(
        self, address: Address, account: Account | None, alias: Alias | None
    ) -> Account | Alias | list[Account]:
        if await self._directory.domain(address.domain) is None:
            return []
        if account is not None and await self._has_password(account):
            return account
        if alias is not None:
            return alias
        administrators = await self._administrators_of(address.domain)
        if administrators:
            return administrators
        if account is not None:
            return account
        if address.local_part != ROLES[0]:
            owner, _ = await self._owner(Address(ROLES[0], address.domain))
            return owner
        # Nobody is left in the domain: those who run the server answer for it.
        return await self._administrators_of(None)

    async def _has_password(self, account: Account) -> bool:
        credentials = await self._directory.credentials(account.name)
        return any(credential.secret for credential in credentials)

    async def _administrators_of(self, domain: DomainName | None) -> list[Account]:
        """Those of a domain, or those of the whole server."""
        known = self._administrators.get(domain)
        if known is None:
            roles = (Role.ADMIN, Role.DOMAIN_ADMIN) if domain else (Role.ADMIN,)
            known = self._administrators[domain] = [
                account
                for account in await self._directory.accounts(domain)
                if account.role in roles and not account.is_suspended
            ]
        return known

    async def _own_domain(self) -> DomainName:
        """The domain that this server is, or is in; else the oldest of ours."""
        name = fold_domain(self._hostname)
        while name:
            if await self._directory.domain(name) is not None:
                return name
            name = DomainName(name.partition(".")[2])
        domains = await self._directory.domains()
        if not domains:
            return DomainName("")
        return min(domains, key=lambda domain: domain.made).name


def _split(address: Address) -> tuple[Address, str]:
    """The address without its detail, and the detail (RFC 5233 §1)."""
    local_part, plus, detail = address.local_part.partition("+")
    if not plus or not local_part:
        return address, ""
    return Address(local_part, address.domain), detail
