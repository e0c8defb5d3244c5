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
    ChangedMeanwhile,
    NoSuchAccount,
    NoSuchAddress,
    NoSuchDomain,
    Refused,
    TooMany,
)
from mailkit.interfaces.directory import IAudit, IDirectoryChanges
from mailkit.model.account import Account, Alias, Credential, Domain, Role, ScramKeys
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.model.routeentry import RouteEntry
from mailkit.storage.directory.known import KnownDirectory, News

PASSWORD = "password"  # a kind of credential, not a secret


@implementer(IAudit, IDirectoryChanges)
@define(eq=False)
class MemoryDirectory(KnownDirectory):
    """Both sides of the directory, and the audit, over dictionaries."""

    now: Callable[[], float] = time.time
    # The generation of an account that is gone: one of that name begins above it.
    _gone: dict[AccountName, int] = field(init=False, factory=dict)
    _lines: list[AuditLine] = field(init=False, factory=list)
    _ids: count[int] = field(init=False, factory=lambda: count(1))
    _owners: dict[int, AccountName] = field(init=False, factory=dict)
    """Credential → whose it is."""

    def __attrs_post_init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    async def add_domain(
        self, name: DomainName, line: AuditLine | None = None
    ) -> Domain:
        if name in self._domains:
            raise AlreadyExists(name)
        domain = Domain(name, self.now())
        self._tell(News(self._seq + 1, False, domains={name: domain}), line)
        return domain

    async def remove_domain(
        self, name: DomainName, line: AuditLine | None = None
    ) -> None:
        if name not in self._domains:
            raise NoSuchDomain(name)
        if any(account.domain == name for account in self._accounts.values()):
            raise Refused("the domain has accounts")
        news = News(self._seq + 1, False, domains={name: None})
        news.aliases.update((one, None) for one in self._aliases if one.domain == name)
        self._tell(news, line)

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
        self._put(account, (), frozenset(), line)
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
        name = account.name
        self._put(changed, self._credentials[name], self._grants[name], line)
        return changed

    async def remove_account(
        self, name: AccountName, line: AuditLine | None = None
    ) -> None:
        self._gone[name] = self._account(name).generation
        for credential in self._credentials[name]:
            del self._owners[credential.id]
        self._tell(News(self._seq + 1, False, accounts={name: None}), line)

    async def set_password(
        self,
        name: AccountName,
        secret: str,
        scram: ScramKeys | None,
        ends_sessions: bool,
        line: AuditLine | None = None,
        generation: int | None = None,
    ) -> None:
        account = self._account(name)
        if generation is not None and account.generation != generation:
            raise ChangedMeanwhile(name)
        credentials = [one for one in self._credentials[name] if one.kind != PASSWORD]
        if secret:
            id = next(self._ids)
            self._owners[id] = name
            scopes: frozenset[str] = frozenset()
            now = self.now()
            credentials.append(
                Credential(id, name, PASSWORD, PASSWORD, scopes, secret, scram, now)
            )
        if ends_sessions:
            account = evolve(account, generation=account.generation + 1)
        self._put(account, tuple(credentials), self._grants[name], line)

    async def renew_credential(
        self, credential: Credential, secret: str, scram: ScramKeys | None
    ) -> bool:
        known = self._credential(credential.id)
        if known is None or known.secret != credential.secret:
            return False
        name = known.account
        credentials = self._with(evolve(known, secret=secret, scram=scram))
        self._put(self._accounts[name], credentials, self._grants[name], None)
        return True

    async def used_credential(self, id: int, when: float, peer: str) -> None:
        known = self._credential(id)
        if known is not None:
            used = evolve(known, last_used=when, last_peer=peer)
            self._credentials[known.account] = self._with(used)

    async def set_alias(
        self, alias: Alias, line: AuditLine | None = None, most: int | None = None
    ) -> None:
        address = alias.address
        if address.domain not in self._domains:
            raise NoSuchDomain(address.domain)
        credentials = await self.credentials(AccountName(str(address)))
        if any(credential.secret for credential in credentials):
            raise AlreadyExists(str(address))
        if most is not None:
            self._check_new(alias, most)
        self._tell(News(self._seq + 1, False, aliases={address: alias}), line)

    def _check_new(self, alias: Alias, most: int) -> None:
        name = AccountName(str(alias.address))
        if alias.address in self._aliases or name in self._accounts:
            raise AlreadyExists(name)
        same = [one for one in self._aliases.values() if one.targets == alias.targets]
        if len(same) >= most:
            raise TooMany(f"{most} addresses lead there already")

    async def remove_alias(
        self, address: Address, line: AuditLine | None = None
    ) -> None:
        if address not in self._aliases:
            raise NoSuchAddress(str(address))
        self._tell(News(self._seq + 1, False, aliases={address: None}), line)

    async def set_route(self, entry: RouteEntry, line: AuditLine | None = None) -> None:
        self._tell(News(self._seq + 1, False, routes={entry.name: entry}), line)

    async def remove_route(self, name: str, line: AuditLine | None = None) -> None:
        if name not in self._routes:
            raise Refused(f"there is no route {name} in the directory")
        self._tell(News(self._seq + 1, False, routes={name: None}), line)

    async def grant(
        self,
        account: AccountName,
        address: Address,
        wish: bool,
        line: AuditLine | None = None,
    ) -> None:
        known = self._account(account)
        granted = self._grants[account]
        granted = granted | {address} if wish else granted - {address}
        self._put(known, self._credentials[account], granted, line)

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

    def _credential(self, id: int) -> Credential | None:
        owner = self._owners.get(id)
        if owner is None:
            return None
        return next((one for one in self._credentials[owner] if one.id == id), None)

    def _with(self, changed: Credential) -> tuple[Credential, ...]:
        """An account's credentials, one of them as it is now."""
        return tuple(
            changed if one.id == changed.id else one
            for one in self._credentials[changed.account]
        )

    def _put(
        self,
        account: Account,
        credentials: tuple[Credential, ...],
        grants: frozenset[Address],
        line: AuditLine | None,
    ) -> None:
        """That is what an account has from now on."""
        name = account.name
        news = News(
            self._seq + 1,
            False,
            accounts={name: account},
            credentials={name: credentials},
            grants={name: grants},
        )
        self._tell(news, line)

    def _tell(self, news: News, line: AuditLine | None) -> None:
        if line is not None:
            self._lines.append(line)
        self._take(news)
