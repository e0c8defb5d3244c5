"""Domains: made with somebody behind ``postmaster``, removed once they are empty."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import AlreadyExists, Refused
from mailkit.model.account import Account, Domain, Role
from mailkit.model.address import AccountName, DomainName
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import domain_name
from mailkit.services.admin.office import Office, say_account
from mailkit.services.routing import ROLES


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


def _postmaster(domain: DomainName) -> AccountName:
    return AccountName(f"{ROLES[0]}@{domain}")
