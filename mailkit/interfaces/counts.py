"""What several processes count together."""

from __future__ import annotations

from zope.interface import Interface


class ICounts(Interface):
    """
    How many of something there are in all processes of one server.

    Each counts for itself and sees what the others have counted; the same key may be
    counted twice over at one moment, so a limit is kept to within a few. What a
    process counted is forgotten when it ends.
    """

    def count(key: str, change: int) -> None:
        """This process has so many more, or fewer; never blocks."""

    def elsewhere(key: str) -> int:
        """How many the other processes have; never fewer than there are."""
