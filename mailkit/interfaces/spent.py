"""What may be used once: the seam to where it is kept that it was."""

from __future__ import annotations

from zope.interface import Interface


class ISpent(Interface):
    """Tickets that were used, in one place for all processes."""

    async def spend(ticket: str, until: float) -> bool:
        """
        Use a ticket.

        :param until: when it is worth nothing anyway, in seconds since 1970.
        :returns: whether it had not been used before; of several at once one alone is
            told so.
        :raises Unavailable:
        """

    async def give_back(ticket: str) -> None:
        """It was not used after all."""
