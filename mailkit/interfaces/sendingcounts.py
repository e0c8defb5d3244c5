"""What accounts have sent, counted, and who may send no more."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Interface

from mailkit.model.address import AccountName, Address
from mailkit.model.sendinglimit import Freeze, Most, Reached, Sent


class ISendingCounts(Interface):
    """
    Counts recipients by account and domain, for all processes of a server together.

    A count lives as long as its hour or day, within ten minutes. What was counted
    outlives the process; of a machine that stops at once the last moments may be lost.
    """

    async def take(
        account: AccountName, recipient: Address, most: Most, now: float
    ) -> Reached | None:
        """
        Count one more recipient, unless that would be more than ``most``.

        :returns: ``None``: it was counted; else what stands in the way.
        :raises StorageFull: :raises StorageBroken:
        """

    async def frozen(account: AccountName) -> Freeze | None:
        """Why the account may not send; ``None``: it may."""

    async def all_frozen() -> Sequence[Freeze]:
        """Everybody who may not send, by name."""

    async def freeze(freeze: Freeze) -> bool:
        """
        Let an account send no more; durable on return.

        :returns: whether that is new; who was frozen before stays so.
        """

    async def thaw(account: AccountName) -> Freeze | None:
        """
        Let it send again, and count from nothing; what it was frozen for.

        Whom it has sent to by now is not new to it any more.
        """

    async def untold() -> Sequence[Freeze]:
        """Those that no administrator has heard of yet."""

    async def told(freeze: Freeze) -> None:
        """An administrator has heard of it."""

    async def sent(account: AccountName, now: float) -> Sent:
        """What it has used of its limits."""

    async def close() -> None:
        """Let go of every file."""
