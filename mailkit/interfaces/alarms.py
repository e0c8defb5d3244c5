"""How administrators hear of what cannot wait."""

from __future__ import annotations

from zope.interface import Interface

from mailkit.model.alarm import Alarm


class IAlarmChannel(Interface):
    """One way to reach somebody, beside mail."""

    async def tell(alarm: Alarm) -> None:
        """
        Hand it on; within seconds.

        :raises Unavailable: if nobody took it.
        """
