"""How those who changed something tell those who look at it."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import Interface

from mailkit.interfaces.storage import IWatch


class INoticeBoard(Interface):
    """
    Publish and hear, within this process and across the processes of one data folder.

    Topics are short text: ``mail:<account>``, ``directory``. A notice is a hint; what
    was missed while nobody listened is found by looking (SQLite's data_version).
    """

    def publish(topic: str, text: str = "") -> None:
        """Tell everybody, this process first; never blocks and never raises."""

    def hear(topic: str, hear: Callable[[str], None]) -> IWatch:
        """Have ``hear(text)`` called in the reactor thread after each `publish`."""
