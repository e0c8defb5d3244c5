"""How far bulk sendings have got, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.sendings import ISendings
from mailkit.model.address import Address
from mailkit.model.sending import Sending


@implementer(ISendings)
@define(eq=False)
class MemorySendings:
    """Sendings and their rows, by name."""

    _begun: dict[str, Sending] = field(init=False, factory=dict)
    _rows: dict[str, dict[Address, bool]] = field(init=False, factory=dict)
    _next: dict[str, float] = field(init=False, factory=dict)

    async def find(self, name: str) -> Sending | None:
        return self._begun.get(name)

    async def begin(self, sending: Sending) -> Sending:
        return self._begun.setdefault(sending.name, sending)

    async def rows(self, name: str) -> Mapping[Address, bool]:
        return dict(self._rows.get(name, {}))

    async def next_time(self, name: str) -> float:
        return self._next.get(name, 0.0)

    async def putting(
        self, name: str, addresses: Sequence[Address], next_time: float
    ) -> None:
        rows = self._rows.setdefault(name, {})
        for address in addresses:
            rows.setdefault(address, False)
        self._next[name] = next_time

    async def put(self, name: str, addresses: Sequence[Address]) -> None:
        self._rows.setdefault(name, {}).update(dict.fromkeys(addresses, True))

    async def close(self) -> None:
        """There is no file."""
