"""Aliases: other addresses of accounts, many targets each, and catch-alls."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import AlreadyExists, NoSuchAddress, Refused
from mailkit.model.account import Alias
from mailkit.model.address import AccountName, Address
from mailkit.model.path import Path
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import address, alias_address
from mailkit.services.admin.office import Office, say_addresses
from mailkit.services.routing import Routing


@frozen(eq=False)
class Aliases:
    """``mailkit alias``."""

    _office: Office
    _routing: Routing

    async def add(
        self,
        actor: Actor,
        text: str,
        targets: Sequence[str],
        most: int | None = None,
    ) -> Alias:
        """
        Make an alias, or give one that is there more targets.

        :param text: an address, or ``@domain`` for all that nobody else has.
        :param most: only make one, while fewer than so many lead to the same targets.
        :raises NotAllowed: :raises CannotName: :raises NoSuchDomain:
        :raises AlreadyExists: if an account has the address.
        :raises NoSuchAddress: if nobody has a target.
        :raises Refused: if a target is elsewhere, and no queue takes mail there.
        :raises TooMany: if ``most`` lead there.
        """
        office = self._office
        alias = alias_address(text)
        actor.check_domain(alias.domain)
        await office.check_domain(alias.domain)
        if not targets:
            raise Refused("an alias needs a target")
        name = AccountName(str(alias))
        if await office.directory.account(name) and await office.has_password(name):
            raise AlreadyExists(f"there is an account {name} already")
        known = await office.directory.alias(alias)
        if known is not None and most is not None:
            raise AlreadyExists(f"there is an alias {alias} already")
        before = known.targets if known else ()
        after = dict.fromkeys(before)
        for target in targets:
            after[await self._target(alias, target)] = None
        made = Alias(alias, tuple(after))
        if known == made:
            return made
        line = office.line(
            actor, "alias add", name, say_addresses(before), say_addresses(made.targets)
        )
        await office.changes.set_alias(made, line, most)
        return made

    async def list(self, actor: Actor, domain: str = "") -> Sequence[Alias]:
        """
        Those that the actor has a say in, by address.

        :param domain: of that domain alone.
        :raises NoSuchDomain:
        """
        name = await self._office.domain(actor, domain)
        aliases = await self._office.directory.aliases(name)
        return [alias for alias in aliases if actor.may_change(alias.address.domain)]

    async def remove(
        self, actor: Actor, text: str, targets: Sequence[str] = ()
    ) -> Alias | None:
        """
        Take an alias away, or some of its targets; what is left of it.

        :raises NotAllowed:
        :raises NoSuchAddress: if there is no such alias, or it has no such target.
        """
        office = self._office
        alias = alias_address(text)
        actor.check_domain(alias.domain)
        known = await office.directory.alias(alias)
        if known is None:
            raise NoSuchAddress(f"there is no alias {alias}")
        gone = {address(target) for target in targets} or set(known.targets)
        strange = gone.difference(known.targets)
        if strange:
            raise NoSuchAddress(f"{alias} does not lead to {min(map(str, strange))}")
        left = tuple(one for one in known.targets if one not in gone)
        line = office.line(
            actor,
            "alias remove",
            str(alias),
            say_addresses(known.targets),
            say_addresses(left),
        )
        if not left:
            await office.changes.remove_alias(alias, line)
            return None
        await office.changes.set_alias(Alias(alias, left), line)
        return Alias(alias, left)

    async def _target(self, alias: Address, text: str) -> Address:
        target = address(text)
        if target == alias:
            raise Refused(f"{alias} cannot lead to itself")
        if await self._office.directory.domain(target.domain) is None:
            if self._routing.sends:
                return target
            raise Refused(
                f"{target} is not in a domain of this server, which sends no mail"
                " elsewhere"
            )
        if not await self._routing.is_known(Path(target.local_part, target.domain)):
            raise NoSuchAddress(f"nobody has the address {target}")
        return target
