"""Who there is, as long as the process lives."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from itertools import count

from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import (
    AlreadyExists,
    NoSuchAccount,
    NoSuchAddress,
    NoSuchDomain,
    Refused,
)
from mailkit.interfaces.directory import IAudit, IDirectory, IDirectoryChanges
from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Account, Alias, Credential, Domain, Role, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.storage.watch import Watch

PASSWORD = "password"  # a kind of credential, not a secret


@implementer(IAudit, IDirectory, IDirectoryChanges)
@define(eq=False)
class MemoryDirectory:
    """Both sides of the directory, and the audit, over dictionaries."""

    now: Callable[[], float] = time.time
    _domains: dict[DomainName, Domain] = field(init=False, factory=dict)
    _accounts: dict[AccountName, Account] = field(init=False, factory=dict)
    _aliases: dict[Address, Alias] = field(init=False, factory=dict)
    _grants: dict[AccountName, set[Address]] = field(init=False, factory=dict)
    _credentials: dict[int, Credential] = field(init=False, factory=dict)
    # The generation of an account that is gone: one of that name begins above it.
    _gone: dict[AccountName, int] = field(init=False, factory=dict)
    _lines: list[AuditLine] = field(init=False, factory=list)
    _watches: list[Watch] = field(init=False, factory=list)
    _server_secret: bytes = field(
        init=False, repr=False, factory=lambda: secrets.token_bytes(32)
    )
    _ids: count[int] = field(init=False, factory=lambda: count(1))

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

    async def may_send_as(self, account: AccountName, address: Address) -> bool:
        return address in self._grants.get(account, ())

    async def grants(self, account: AccountName) -> Sequence[Address]:
        return sorted(self._grants.get(account, ()), key=str)

    async def credentials(self, account: AccountName) -> Sequence[Credential]:
        return [one for one in self._credentials.values() if one.account == account]

    def all_have_scram_keys(self) -> bool:
        return all(
            credential.scram is not None
            for credential in self._credentials.values()
            if credential.secret and not self._accounts[credential.account].is_suspended
        )

    async def server_secret(self) -> bytes:
        return self._server_secret

    def generation(self, name: AccountName) -> int:
        account = self._accounts.get(name)
        return -1 if account is None else account.generation

    def watch(self, hear: Callable[[], None]) -> IWatch:
        return Watch(self._watches, hear)

    async def add_domain(
        self, name: DomainName, line: AuditLine | None = None
    ) -> Domain:
        if name in self._domains:
            raise AlreadyExists(name)
        domain = self._domains[name] = Domain(name, self.now())
        self._done(line)
        return domain

    async def remove_domain(
        self, name: DomainName, line: AuditLine | None = None
    ) -> None:
        if name not in self._domains:
            raise NoSuchDomain(name)
        if any(account.domain == name for account in self._accounts.values()):
            raise Refused("the domain has accounts")
        for address in [one for one in self._aliases if one.domain == name]:
            del self._aliases[address]
        del self._domains[name]
        self._done(line)

    async def add_account(
        self,
        name: AccountName,
        role: Role,
        quota: int | None,
        line: AuditLine | None = None,
    ) -> Account:
        account = Account(name, role, quota, made=self.now())
        if account.domain not in self._domains:
            raise NoSuchDomain(account.domain)
        if name in self._accounts or account.address in self._aliases:
            raise AlreadyExists(name)
        account = evolve(account, generation=self._gone.pop(name, -1) + 1)
        self._accounts[name] = account
        self._done(line)
        return account

    async def change_account(
        self, account: Account, line: AuditLine | None = None
    ) -> Account:
        known = self._account(account.name)
        changed = evolve(
            known,
            role=account.role,
            quota=account.quota,
            is_suspended=account.is_suspended,
            generation=known.generation + 1,
        )
        self._accounts[account.name] = changed
        self._done(line)
        return changed

    async def remove_account(
        self, name: AccountName, line: AuditLine | None = None
    ) -> None:
        self._gone[name] = self._account(name).generation
        del self._accounts[name]
        self._grants.pop(name, None)
        for credential in await self.credentials(name):
            del self._credentials[credential.id]
        self._done(line)

    async def set_password(
        self,
        name: AccountName,
        secret: str,
        scram: ScramKeys | None,
        ends_sessions: bool,
        line: AuditLine | None = None,
    ) -> None:
        account = self._account(name)
        for credential in await self.credentials(name):
            if credential.kind == PASSWORD:
                del self._credentials[credential.id]
        if secret:
            self._add_password(name, secret, scram)
        if ends_sessions:
            changed = evolve(account, generation=account.generation + 1)
            self._accounts[name] = changed
        self._done(line)

    def _add_password(
        self, name: AccountName, secret: str, scram: ScramKeys | None
    ) -> None:
        new = Credential(
            next(self._ids),
            name,
            PASSWORD,
            PASSWORD,
            frozenset(),
            secret,
            scram,
            self.now(),
        )
        self._credentials[new.id] = new

    async def renew_credential(
        self, credential: Credential, secret: str, scram: ScramKeys | None
    ) -> bool:
        known = self._credentials.get(credential.id)
        if known is None or known.secret != credential.secret:
            return False
        self._credentials[known.id] = evolve(known, secret=secret, scram=scram)
        self._done(None)
        return True

    async def used_credential(self, id: int, when: float, peer: str) -> None:
        known = self._credentials.get(id)
        if known is not None:
            self._credentials[id] = evolve(known, last_used=when, last_peer=peer)

    async def set_alias(self, alias: Alias, line: AuditLine | None = None) -> None:
        address = alias.address
        if address.domain not in self._domains:
            raise NoSuchDomain(address.domain)
        credentials = await self.credentials(AccountName(str(address)))
        if any(credential.secret for credential in credentials):
            raise AlreadyExists(str(address))
        self._aliases[address] = alias
        self._done(line)

    async def remove_alias(
        self, address: Address, line: AuditLine | None = None
    ) -> None:
        if self._aliases.pop(address, None) is None:
            raise NoSuchAddress(str(address))
        self._done(line)

    async def grant(
        self,
        account: AccountName,
        address: Address,
        wish: bool,
        line: AuditLine | None = None,
    ) -> None:
        self._account(account)
        granted = self._grants.setdefault(account, set())
        if wish:
            granted.add(address)
        else:
            granted.discard(address)
        self._done(line)

    async def note(self, line: AuditLine) -> None:
        self._lines.append(line)

    async def lines(self, subject: str = "", limit: int = 1000) -> Sequence[AuditLine]:
        about = [
            line
            for line in self._lines
            if not subject
            or line.subject == subject
            or line.subject.endswith("@" + subject)
        ]
        return about[-limit:]

    def _account(self, name: AccountName) -> Account:
        account = self._accounts.get(name)
        if account is None:
            raise NoSuchAccount(name)
        return account

    def _done(self, line: AuditLine | None) -> None:
        if line is not None:
            self._lines.append(line)
        for watch in tuple(self._watches):
            watch.hear()
