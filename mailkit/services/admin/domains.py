"""Domains: made with somebody behind ``postmaster``, removed once they are empty."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import AlreadyExists, Refused
from mailkit.interfaces.keys import DomainKey, IDomainKeys
from mailkit.model.account import Account, Domain, Role
from mailkit.model.address import AccountName, DomainName
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import domain_name
from mailkit.services.admin.office import Office, say_account
from mailkit.services.routing import ROLES

ROTATED_AFTER = 2 * 86400.0
"""Seconds until new keys sign: DNS has to know them everywhere by then."""


@frozen(eq=False)
class Domains:
    """``mailkit domain``."""

    _office: Office

    async def add(self, actor: Actor, text: str) -> Domain:
        """
        Make the domain, and the account ``postmaster`` in it, without a password.

        :raises NotAllowed: :raises CannotName: :raises AlreadyExists:
        """
        actor.check_server()
        office = self._office
        name = domain_name(text)
        if await office.directory.domain(name) is not None:
            raise AlreadyExists(f"{name} is a domain of this server already")
        line = office.line(actor, "domain add", name, "", name)
        domain = await office.changes.add_domain(name, line)
        # Somebody has to answer for a domain from its beginning (RFC 5321 §4.5.1).
        account = Account(_postmaster(name))
        await office.store.create_account(account.name)
        line = office.line(actor, "domain add", account.name, "", say_account(account))
        await office.changes.add_account(account.name, Role.USER, None, line)
        if office.keys is not None:
            await office.keys.make(name)
        return domain

    async def list(self, actor: Actor) -> Sequence[Domain]:
        """Those that the actor has a say in, by name."""
        domains = await self._office.directory.domains()
        return [domain for domain in domains if actor.may_change(domain.name)]

    async def remove(self, actor: Actor, text: str) -> None:
        """
        Take away the domain and its aliases, and the account that came with it.

        :raises NotAllowed: :raises NoSuchDomain:
        :raises Refused: while it has accounts that were made in it.
        """
        actor.check_server()
        office = self._office
        name = domain_name(text)
        await office.check_domain(name)
        own = _postmaster(name)
        is_own = not await office.has_password(own)
        accounts = await office.directory.accounts(name)
        others = [one for one in accounts if not (is_own and one.name == own)]
        if others:
            names = ", ".join(one.name for one in others[:3])
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            raise Refused(f"{name} has accounts: {names}{more}")
        for account in accounts:
            line = office.line(
                actor, "domain remove", account.name, say_account(account), ""
            )
            await office.changes.remove_account(account.name, line)
            await office.store.remove_account(account.name, False)
        line = office.line(actor, "domain remove", name, name, "")
        await office.changes.remove_domain(name, line)
        if office.keys is not None:
            await office.keys.remove(name)

    async def keys(self, actor: Actor, text: str) -> Sequence[DomainKey]:
        """
        The keys of a domain whose records have to be in DNS; made if it has none.

        :raises NotAllowed: :raises NoSuchDomain:
        """
        name, keys = await self._keys(actor, text)
        await keys.make(name)
        return await keys.keys(name)

    async def rotate(
        self, actor: Actor, text: str, wait: float = ROTATED_AFTER
    ) -> Sequence[DomainKey]:
        """
        Give a domain new keys, which sign after ``wait`` seconds.

        :raises NotAllowed: :raises NoSuchDomain:
        :raises Refused: if the last rotation still waits.
        """
        name, keys = await self._keys(actor, text)
        before = ", ".join(key.selector for key in await keys.keys(name))
        rotated = await keys.rotate(name, wait)
        after = ", ".join(key.selector for key in rotated)
        line = self._office.line(actor, "domain keys rotate", name, before, after)
        await self._office.audit.note(line)
        return rotated

    async def _keys(self, actor: Actor, text: str) -> tuple[DomainName, IDomainKeys]:
        office = self._office
        name = domain_name(text)
        actor.check_domain(name)
        await office.check_domain(name)
        if office.keys is None:
            raise Refused("this server signs no mail")
        return name, office.keys


def _postmaster(domain: DomainName) -> AccountName:
    return AccountName(f"{ROLES[0]}@{domain}")
