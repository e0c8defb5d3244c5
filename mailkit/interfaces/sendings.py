"""How far bulk sendings have got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zope.interface import Interface

from mailkit.model.address import Address
from mailkit.model.sending import Sending


class ISendings(Interface):
    """Remembers for each recipient of a sending whether its message was put."""

    async def find(name: str) -> Sending | None:
        """A sending that was begun."""

    async def begin(sending: Sending) -> Sending:
        """
        Note a sending; the one that has the name already, if there is one.

        Until `close` no other process may work at it.

        :raises Busy: if another process does.
        :raises StorageFull: :raises StorageBroken:
        """

    async def rows(name: str) -> Mapping[Address, bool]:
        """Its recipients, and whether they were `put`, or are `putting` only."""

    async def next_time(name: str) -> float:
        """When the next message may leave by the pace; 0: at once."""

    async def putting(
        name: str, addresses: Sequence[Address], next_time: float
    ) -> None:
        """
        Messages for these are about to be put; durable on return.

        :param next_time: as of `next_time` from now on.
        """

    async def put(name: str, addresses: Sequence[Address]) -> None:
        """Messages for these have been put; durable on return."""

    async def close() -> None:
        """Let go of every file."""
