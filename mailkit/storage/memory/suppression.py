"""The suppression list, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.suppression import ISuppressionList
from mailkit.model.address import Address, DomainName
from mailkit.model.suppression import Suppressed


@implementer(ISuppressionList)
@define(eq=False)
class MemorySuppressionList:
    """What is suppressed, by address."""

    listed: dict[Address, Suppressed] = field(init=False, factory=dict)

    async def add(self, entries: Sequence[Suppressed]) -> None:
        for entry in entries:
            known = self.listed.get(entry.address)
            if known is None or known.since <= entry.since:
                self.listed[entry.address] = entry

    async def drop(self, addresses: Collection[Address]) -> list[Address]:
        return [one for one in addresses if self.listed.pop(one, None) is not None]

    async def find(self, addresses: Collection[Address]) -> dict[Address, Suppressed]:
        return {one: self.listed[one] for one in addresses if one in self.listed}

    async def entries(
        self,
        domain: DomainName | None = None,
        after: Address | None = None,
        most: int = 1000,
    ) -> Sequence[Suppressed]:
        behind = None if after is None else _place(after)
        return [
            self.listed[address]
            for address in sorted(self.listed, key=_place)
            if (domain is None or address.domain == domain)
            and (behind is None or _place(address) > behind)
        ][:most]

    async def close(self) -> None:
        """There is no file."""


def _place(address: Address) -> tuple[bytes, bytes]:
    return address.domain.encode("utf-8", "replace"), address.local_part.encode(
        "utf-8", "replace"
    )
