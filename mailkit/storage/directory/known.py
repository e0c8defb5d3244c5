"""Who there is, in memory: what each of our directories answers from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import define, field, frozen
from zope.interface import implementer

from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Account, Alias, Credential, Domain
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.routeentry import RouteEntry
from mailkit.storage.watch import Watch


@frozen
class News:
    """What to know from now on; ``None`` as a value: it is gone."""

    seq: int
    """The last change that this has."""
    is_whole: bool
    """Whatever is not in here is gone."""
    domains: dict[DomainName, Domain | None] = field(factory=dict)
    accounts: dict[AccountName, Account | None] = field(factory=dict)
    """Each comes with its credentials and its grants, or is gone with them."""
    credentials: dict[AccountName, tuple[Credential, ...]] = field(factory=dict)
    grants: dict[AccountName, frozenset[Address]] = field(factory=dict)
    aliases: dict[Address, Alias | None] = field(factory=dict)
    routes: dict[str, RouteEntry | None] = field(factory=dict)


@implementer(IDirectory)
@define(eq=False)
class KnownDirectory:
    """
    A directory that knows what it was told by `News`.

    A kind of it is told by whoever it lets change things, or by a file.
    """

    _seq: int = field(init=False, default=-1)
    """The last change that it was told."""
    _domains: dict[DomainName, Domain] = field(init=False, factory=dict)
    _accounts: dict[AccountName, Account] = field(init=False, factory=dict)
    _credentials: dict[AccountName, tuple[Credential, ...]] = field(
        init=False, factory=dict
    )
    _grants: dict[AccountName, frozenset[Address]] = field(init=False, factory=dict)
    _aliases: dict[Address, Alias] = field(init=False, factory=dict)
    _patterns: dict[DomainName, dict[Address, Alias]] = field(init=False, factory=dict)
    """Those of the aliases that have a ``*``."""
    _routes: dict[str, RouteEntry] = field(init=False, factory=dict)
    _without_keys: set[AccountName] = field(init=False, factory=set)
    """Active accounts with a password that SCRAM cannot check."""
    _secret: bytes = field(init=False, default=b"", repr=False)
    _watches: list[Watch] = field(init=False, factory=list)

    async def domain(self, name: DomainName) -> Domain | None:
        return self._domains.get(name)

    async def domains(self) -> Sequence[Domain]:
        return [domain for _, domain in sorted(self._domains.items())]

    async def account(self, name: AccountName) -> Account | None:
        return self._accounts.get(name)

    async def accounts(self, domain: DomainName | None = None) -> Sequence[Account]:
        return [
            account
            for _, account in sorted(self._accounts.items())
            if domain is None or account.domain == domain
        ]

    async def alias(self, address: Address) -> Alias | None:
        return self._aliases.get(address)

    async def aliases(self, domain: DomainName | None = None) -> Sequence[Alias]:
        return [
            self._aliases[address]
            for address in sorted(self._aliases, key=str)
            if domain is None or address.domain == domain
        ]

    async def patterns(self, domain: DomainName) -> Sequence[Alias]:
        return list(self._patterns.get(domain, {}).values())

    async def routes(self) -> Sequence[RouteEntry]:
        return [entry for _, entry in sorted(self._routes.items())]

    async def may_send_as(self, account: AccountName, address: Address) -> bool:
        return address in self._grants.get(account, ())

    async def grants(self, account: AccountName) -> Sequence[Address]:
        return sorted(self._grants.get(account, ()), key=str)

    async def credentials(self, account: AccountName) -> Sequence[Credential]:
        return list(self._credentials.get(account, ()))

    def all_have_scram_keys(self) -> bool:
        return not self._without_keys

    async def server_secret(self) -> bytes:
        return self._secret

    def generation(self, name: AccountName) -> int:
        account = self._accounts.get(name)
        return -1 if account is None else account.generation

    def watch(self, hear: Callable[[], None]) -> IWatch:
        return Watch(self._watches, hear)

    def _take(self, news: News) -> None:
        """Take over what is new, and tell whoever watches."""
        if news.is_whole:
            for known in (self._domains, self._accounts, self._aliases, self._routes):
                known.clear()
            self._patterns.clear()
            self._credentials.clear()
            self._grants.clear()
            self._without_keys.clear()
        _update(self._domains, news.domains)
        _update(self._accounts, news.accounts)
        _update(self._aliases, news.aliases)
        _update(self._routes, news.routes)
        for address, alias in news.aliases.items():
            if "*" in address.local_part:
                _update(self._patterns.setdefault(address.domain, {}), {address: alias})
        self._credentials.update(news.credentials)
        self._grants.update(news.grants)
        for name, account in news.accounts.items():
            if account is None:
                del self._credentials[name], self._grants[name]
            if account is not None and self._lacks_keys(account):
                self._without_keys.add(name)
            else:
                self._without_keys.discard(name)
        self._seq = news.seq
        for watch in tuple(self._watches):
            watch.hear()

    def _lacks_keys(self, account: Account) -> bool:
        return not account.is_suspended and any(
            credential.secret and credential.scram is None
            for credential in self._credentials.get(account.name, ())
        )


K = TypeVar("K")
V = TypeVar("V")


def _update(known: dict[K, V], news: dict[K, V | None]) -> None:
    for key, value in news.items():
        if value is None:
            known.pop(key, None)
        else:
            known[key] = value
