"""The record of what happened to messages."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from mailkit.model.event import MailEvent


class IEvents(Interface):
    """Kept for a month, read out by ``mailkit trace``."""

    def record(event: MailEvent) -> None:
        """Note one step; written soon, together with others. Never raises."""

    async def find(what: str) -> Sequence[MailEvent]:
        """All steps of a Message-ID, an address or a transaction id, oldest first."""

    async def close() -> None:
        """Write what waits."""
