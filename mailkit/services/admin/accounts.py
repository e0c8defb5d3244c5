"""Accounts: made, shown, given a password, suspended, removed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from attrs import evolve, field, frozen

from mailkit.errors import (
    AlreadyExists,
    ChangedMeanwhile,
    NoSuchAccount,
    NotAllowed,
    Refused,
)
from mailkit.model.account import Account, Alias, Role
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.sendinglimit import Freeze, Sent
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import account_name, alias_address
from mailkit.services.admin.office import Office, say_account, say_addresses
from mailkit.services.passwords.passwords import Kept
from mailkit.services.passwords.schemes import accept, has_scheme


@frozen
class Key:
    """One credential of an account, its secret left out."""

    kind: str
    label: str
    scheme: str
    """``argon2id``, or what it came from elsewhere as; empty: nobody can use it."""
    has_scram: bool
    made: float
    last_used: float | None
    last_peer: str


@frozen
class Sheet:
    """All that there is to say about an account."""

    account: Account
    used: int
    """Octets of mail."""
    keys: tuple[Key, ...]
    aliases: tuple[Address, ...]
    """Those that lead straight to it; ``@domain`` is a catch-all."""
    grants: tuple[Address, ...]
    """Whom it may send as beside itself."""
    sent: Sent = field(factory=Sent)
    """What it has used of its limits."""
    freeze: Freeze | None = None
    """Why it may not send; ``None``: it may."""


@frozen
class NewAccount:
    """An account to be made."""

    name: AccountName
    secret: str = field(repr=False)
    """A password, or a ``{SCHEME}hash`` where that is allowed."""
    role: Role = Role.USER
    quota: int | None = None
    """Octets; ``None``: as configured, 0: without limit."""


@frozen(eq=False)
class Accounts:
    """``mailkit account``."""

    _office: Office

    async def add(
        self,
        actor: Actor,
        text: str,
        password: str,
        role: Role = Role.USER,
        quota: int | None = None,
    ) -> Account:
        """
        Make an account with its mailboxes.

        The ``postmaster`` that came with the domain is given the password instead.

        :raises NotAllowed: :raises CannotName: :raises NoSuchDomain:
        :raises AlreadyExists: :raises UnfitPassword:
        """
        new = NewAccount(account_name(text), password, role, quota)
        await self.check_new(actor, new)
        make = partial(self._office.passwords.make, password)
        kept = await self._office.lanes.hash(make)
        return await self._add(actor, "account add", new, kept)

    async def keep(self, new: NewAccount) -> Kept:
        """
        What to keep of a password that may be a ``{SCHEME}hash`` of another server.

        :raises UnfitPassword:
        :raises UnknownScheme: if the hash could never be checked here.
        """
        office = self._office
        if not has_scheme(new.secret):
            return await office.lanes.hash(partial(office.passwords.make, new.secret))
        await office.lanes.hash(partial(accept, new.secret))
        return Kept(new.secret, None)

    async def add_imported(self, actor: Actor, new: NewAccount, kept: Kept) -> Account:
        """
        Make an account of what `keep` has made of its password.

        :raises NotAllowed: :raises NoSuchDomain: :raises AlreadyExists:
        """
        await self.check_new(actor, new)
        return await self._add(actor, "account import", new, kept)

    async def check_new(self, actor: Actor, new: NewAccount) -> None:
        """
        Whether `add` would go through, as far as that can be seen before.

        :raises NotAllowed: :raises NoSuchDomain: :raises AlreadyExists:
        """
        account = Account(new.name, new.role, new.quota)
        actor.check_domain(account.domain)
        actor.check_role(new.role)
        _check_quota(new.quota)
        await self._office.check_domain(account.domain)
        known = await self._office.directory.account(new.name)
        if known is not None:
            actor.check_role(known.role)
        # The postmaster that came with the domain is there to be taken over.
        if known is not None and await self._office.has_password(new.name):
            raise AlreadyExists(f"there is an account {new.name} already")
        if known is None and await self._office.directory.alias(account.address):
            raise AlreadyExists(f"there is an alias {new.name} already")

    async def list(self, actor: Actor, domain: str = "") -> Sequence[Account]:
        """
        Those that the actor has a say in, by name.

        :param domain: of that domain alone.
        :raises NoSuchDomain:
        """
        name = await self._office.domain(actor, domain)
        accounts = await self._office.directory.accounts(name)
        return [one for one in accounts if actor.may_change(one.domain)]

    async def frozen(self, actor: Actor) -> Sequence[Freeze]:
        """Those of them that may not send, as they had sent more than they may."""
        counts = self._office.sending
        found = () if counts is None else await counts.all_frozen()
        return [
            one
            for one in found
            if actor.may_change(DomainName(one.account.rpartition("@")[2]))
        ]

    async def show(self, actor: Actor, text: str) -> Sheet:
        """All about one. :raises NotAllowed: :raises NoSuchAccount:"""
        office = self._office
        account = await office.account(actor, account_name(text))
        credentials = await office.directory.credentials(account.name)
        return Sheet(
            account,
            await office.store.used(account.name),
            tuple(
                Key(
                    one.kind,
                    one.label,
                    _scheme_of(one.secret),
                    one.scram is not None,
                    one.made,
                    one.last_used,
                    one.last_peer,
                )
                for one in credentials
            ),
            tuple(alias.address for alias in await self._aliases_of(account)),
            tuple(await office.directory.grants(account.name)),
            *await self._sending(account),
        )

    async def _sending(self, account: Account) -> tuple[Sent, Freeze | None]:
        counts = self._office.sending
        if counts is None:
            return Sent(), None
        now = self._office.clock.seconds()
        return (
            await counts.sent(account.name, now),
            await counts.frozen(account.name),
        )

    async def passwd(
        self, actor: Actor, text: str, password: str, generation: int | None = None
    ) -> None:
        """
        Give a new password; the account's sessions end.

        An account may do that to itself.

        :param generation: do so only while the account has that one.
        :raises NotAllowed: :raises NoSuchAccount: :raises UnfitPassword:
        :raises ChangedMeanwhile: if it has another generation.
        """
        office = self._office
        name = account_name(text)
        if actor.account == name:
            if await office.directory.account(name) is None:
                raise NoSuchAccount(f"there is no account {name}")
        else:
            actor.check_role((await office.account(actor, name)).role)
        kept = await office.lanes.hash(partial(office.passwords.make, password))
        line = office.line(actor, "account passwd", name, "", "a new password")
        await office.changes.set_password(
            name, kept.secret, kept.scram, True, line, generation
        )

    async def suspend(self, actor: Actor, text: str) -> Account:
        """
        Let nobody in and no mail either; sessions end. Mail that is there stays, and
        what waits to leave is held.

        :raises NotAllowed: :raises NoSuchAccount:
        """
        account = await self._suspend(actor, "account suspend", text, wish=True)
        if self._office.waiting is not None:
            await self._office.waiting.hold(actor.who, account.name)
        return account

    async def resume(self, actor: Actor, text: str) -> Account:
        """Undo `suspend`. :raises NotAllowed: :raises NoSuchAccount:"""
        account = await self._suspend(actor, "account resume", text, wish=False)
        if self._office.waiting is not None:
            await self._office.waiting.release(actor.who, account.name)
        return account

    async def thaw(self, actor: Actor, text: str) -> Freeze:
        """
        Let an account send again that sent too much; its counts begin anew.

        :raises NotAllowed: :raises NoSuchAccount:
        :raises Refused: if it may send anyway.
        """
        office = self._office
        account = await office.account(actor, account_name(text))
        actor.check_role(account.role)
        if actor.account == account.name:
            raise NotAllowed("nobody thaws itself")
        thawed = None
        if office.sending is not None:
            thawed = await office.sending.thaw(account.name)
        if thawed is None:
            raise Refused(f"{account.name} may send anyway")
        line = office.line(
            actor, "account thaw", account.name, f"frozen: {thawed.reason}", "may send"
        )
        await office.audit.note(line)
        return thawed

    async def change(
        self, actor: Actor, text: str, role: Role, quota: int | None
    ) -> Account:
        """
        Give another role and quota; sessions end.

        :raises NotAllowed: :raises NoSuchAccount:
        """
        account = await self._office.account(actor, account_name(text))
        actor.check_role(account.role)
        actor.check_role(role)
        _check_quota(quota)
        changed = evolve(account, role=role, quota=quota)
        return await self._change(actor, "account change", account, changed)

    async def remove(self, actor: Actor, text: str, purge: bool) -> None:
        """
        Take the account away, its grants, and itself as a target of aliases.

        It is suspended first, and known until all else of it is gone: what stops half
        way is an account that nobody can use, and can be removed again. So its mail
        never comes into the hands of a later account of that name.

        :param purge: delete its mail; otherwise that is kept aside for 30 days.
        :raises NotAllowed: :raises NoSuchAccount:
        """
        office = self._office
        account = await office.account(actor, account_name(text))
        actor.check_role(account.role)
        if not account.is_suspended:
            suspended = evolve(account, is_suspended=True)
            account = await self._change(actor, "account suspend", account, suspended)
        await office.store.remove_account(account.name, purge)
        for alias in await self._aliases_of(account):
            await self._forget_target(actor, alias, account)
        for other in await office.directory.accounts():
            if account.address in await office.directory.grants(other.name):
                await self._say_grant(
                    actor, "account remove", other, account.address, wish=False
                )
        line = office.line(
            actor, "account remove", account.name, say_account(account), ""
        )
        await office.changes.remove_account(account.name, line)
        # A delivery or a session that had not ended may have begun it again.
        await office.store.remove_account(account.name, purge)

    async def grant(self, actor: Actor, text: str, as_text: str) -> None:
        """
        Let the account send as another address, or ``@domain`` for all of a domain.

        :raises NotAllowed: :raises NoSuchAccount: :raises NoSuchDomain:
        """
        await self._grant(actor, "account grant", text, as_text, wish=True)

    async def ungrant(self, actor: Actor, text: str, as_text: str) -> None:
        """
        Undo `grant`.

        :raises NotAllowed: :raises NoSuchAccount:
        :raises Refused: if it was not granted.
        """
        await self._grant(actor, "account ungrant", text, as_text, wish=False)

    async def _add(
        self, actor: Actor, action: str, new: NewAccount, kept: Kept
    ) -> Account:
        office = self._office
        await office.store.create_account(new.name)
        # While the password was hashed somebody else may have come first.
        await self.check_new(actor, new)
        known = await office.directory.account(new.name)
        before = "" if known is None else say_account(known)
        made = Account(new.name, new.role, new.quota)
        line = office.line(actor, action, new.name, before, say_account(made))
        is_new = known is None
        if known is None:
            known = await office.changes.add_account(
                new.name, new.role, new.quota, line
            )
        try:
            await office.changes.set_password(
                new.name, kept.secret, kept.scram, True, None, known.generation
            )
        except ChangedMeanwhile as error:
            raise AlreadyExists(f"{new.name} was made by somebody else") from error
        if not is_new:
            await office.changes.change_account(made, line)
        account = await office.directory.account(new.name)
        if account is None:
            raise NoSuchAccount(f"{new.name} was removed while it was made")
        return account

    async def _suspend(
        self, actor: Actor, action: str, text: str, *, wish: bool
    ) -> Account:
        account = await self._office.account(actor, account_name(text))
        actor.check_role(account.role)
        if wish and actor.account == account.name:
            raise NotAllowed("nobody suspends itself")
        if account.is_suspended == wish:
            return account
        changed = evolve(account, is_suspended=wish)
        return await self._change(actor, action, account, changed)

    async def _change(
        self, actor: Actor, action: str, before: Account, after: Account
    ) -> Account:
        office = self._office
        line = office.line(
            actor, action, before.name, say_account(before), say_account(after)
        )
        return await office.changes.change_account(after, line)

    async def _grant(
        self, actor: Actor, action: str, text: str, as_text: str, *, wish: bool
    ) -> None:
        office = self._office
        account = await office.account(actor, account_name(text))
        actor.check_role(account.role)
        address = alias_address(as_text)
        granted = tuple(await office.directory.grants(account.name))
        if wish:
            actor.check_domain(address.domain)
            await office.check_domain(address.domain)
        elif address not in granted:
            raise Refused(f"{account.name} may not send as {address} anyway")
        if wish and address in granted:
            return
        await self._say_grant(actor, action, account, address, wish=wish)

    async def _say_grant(
        self,
        actor: Actor,
        action: str,
        account: Account,
        address: Address,
        *,
        wish: bool,
    ) -> None:
        office = self._office
        granted = tuple(await office.directory.grants(account.name))
        after = tuple(one for one in granted if one != address)
        line = office.line(
            actor,
            action,
            account.name,
            f"as={say_addresses(granted)}",
            f"as={say_addresses((*after, address) if wish else after)}",
        )
        await office.changes.grant(account.name, address, wish, line)

    async def _aliases_of(self, account: Account) -> Sequence[Alias]:
        aliases = await self._office.directory.aliases()
        return [
            alias
            for alias in aliases
            if any([await self._is_of(target, account) for target in alias.targets])
        ]

    async def _is_of(self, target: Address, account: Account) -> bool:
        """Whether an address leads straight to it, with a detail or without."""
        if target == account.address:
            return True
        if _without_detail(target) != account.address:
            return False
        directory = self._office.directory
        return (
            await directory.account(AccountName(str(target))) is None
            and await directory.alias(target) is None
        )

    async def _forget_target(
        self, actor: Actor, alias: Alias, account: Account
    ) -> None:
        office = self._office
        left = tuple(
            [one for one in alias.targets if not await self._is_of(one, account)]
        )
        line = office.line(
            actor,
            "account remove",
            str(alias.address),
            say_addresses(alias.targets),
            say_addresses(left),
        )
        if left:
            await office.changes.set_alias(Alias(alias.address, left), line)
        else:
            await office.changes.remove_alias(alias.address, line)


def _without_detail(address: Address) -> Address:
    """The address without what stands behind a plus (RFC 5233 §1)."""
    local_part = address.local_part.partition("+")[0]
    return Address(local_part or address.local_part, address.domain)


def _check_quota(quota: int | None) -> None:
    if quota is not None and quota < 0:
        raise Refused("a quota is not below nothing; 0 is without limit")


def _scheme_of(secret: str) -> str:
    if secret.startswith("$"):
        return secret.split("$")[1]
    return secret[1:].partition("}")[0]
