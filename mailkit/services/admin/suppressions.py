"""The suppression list, as an administrator sees it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import CannotName, NoSuchAddress
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.model.address import Address
from mailkit.model.suppression import Cause, Suppressed
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import domain_name
from mailkit.services.admin.office import Office


@frozen(eq=False)
class Suppressions:
    """``mailkit suppression``; for administrators of the server alone."""

    _office: Office
    _list: ISuppressionList

    async def add(
        self, actor: Actor, texts: Sequence[str], reason: str = ""
    ) -> list[Suppressed]:
        """
        Leave addresses out of bulk mail from now on.

        :raises NotAllowed: :raises CannotName:
        """
        actor.check_server()
        now = self._office.clock.seconds()
        entries = [
            Suppressed(_address(text), Cause.BY_HAND, now, reason or f"by {actor.who}")
            for text in texts
        ]
        await self._list.add(entries)
        for entry in entries:
            await self._note(actor, "suppression add", entry.address, "", entry.reason)
        return entries

    async def drop(self, actor: Actor, texts: Sequence[str]) -> list[Address]:
        """
        Take addresses off the list, all or none.

        :raises NotAllowed: :raises CannotName:
        :raises NoSuchAddress: if one of them is not on it.
        """
        actor.check_server()
        addresses = list(map(_address, texts))
        known = await self._list.find(addresses)
        for address in addresses:
            if address not in known:
                raise NoSuchAddress(f"{address} is not on the suppression list")
        gone = await self._list.drop(addresses)
        for address in gone:
            before = known[address].reason
            await self._note(actor, "suppression drop", address, before, "")
        return gone

    async def list(
        self,
        actor: Actor,
        domain: str = "",
        after: Address | None = None,
        most: int = 1000,
    ) -> Sequence[Suppressed]:
        """
        A page of the list, by domain and local part.

        :param after: the last of the page before.
        :raises NotAllowed: :raises CannotName:
        """
        actor.check_server()
        name = domain_name(domain) if domain else None
        return await self._list.entries(name, after, most)

    async def _note(
        self, actor: Actor, action: str, address: Address, before: str, after: str
    ) -> None:
        line = self._office.line(actor, action, str(address), before, after)
        await self._office.audit.note(line)


def _address(text: str) -> Address:
    """Whatever may be the address of others; their local parts may have anything."""
    found = Address.parse(text.strip())
    if found is None:
        raise CannotName(f"{text!r} is not an address such as bob@example.net")
    return Address(found.local_part, domain_name(found.domain))
