"""Whom bulk mail leaves out."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zope.interface import Interface

from mailkit.model.address import Address, DomainName
from mailkit.model.suppression import Suppressed


class ISuppressionList(Interface):
    """
    Addresses that failed for good, or whose owners complained.

    Asked before a bulk sending; never applied to what a person writes.
    """

    async def add(entries: Sequence[Suppressed]) -> None:
        """
        Put addresses on the list, all or none; durable on return.

        Of an address that is there already the newer entry stays, by
        `Suppressed.since`.

        :raises StorageFull: :raises StorageBroken:
        """

    async def drop(addresses: Collection[Address]) -> list[Address]:
        """Take addresses off the list; those that were on it."""

    async def find(addresses: Collection[Address]) -> dict[Address, Suppressed]:
        """Those of ``addresses`` that are on the list; thousands may be asked."""

    async def entries(
        domain: DomainName | None = None,
        after: Address | None = None,
        most: int = 1000,
    ) -> Sequence[Suppressed]:
        """
        A page of the list, by domain and local part.

        :param domain: of that domain alone.
        :param after: the last of the page before.
        """

    async def close() -> None:
        """Let go of every file."""
