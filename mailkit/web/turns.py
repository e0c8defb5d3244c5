"""
Whose turn it is among the answers that share one connection of HTTP/2.

Browsers may say in which order they want them, by a tree of streams. One that somebody
else grows is costly to climb, and nobody has to any more (RFC 9113 §5.3.2): each stream
has its turn, and what is said of the order is let go.
"""

from __future__ import annotations

from typing import Any

from attrs import define

from mailkit.errors import Malformed

MOST_SIGNALS = 1000
"""How often a connection may speak of the order, beside what its requests say."""

_OF_A_REQUEST = 10


class TooManySignals(Malformed):
    """A browser does little but speak of the order of its streams."""


@define(eq=False)
class Turns:
    """
    Stands for the tree that Twisted asks; called as that is.

    :param tree: Twisted's, in which all streams lie beside each other.
    """

    _tree: Any  # a `priority.PriorityTree`, which is there with HTTP/2 only
    _left: int = MOST_SIGNALS

    def insert_stream(self, stream_id: int) -> None:
        """A request was begun."""
        self._left = min(self._left + _OF_A_REQUEST, MOST_SIGNALS)
        self._tree.insert_stream(stream_id)

    def reprioritize(self, **said: object) -> None:
        """
        Something is said of the order.

        :raises TooManySignals:
        """
        self._left -= 1
        if self._left < 0:
            raise TooManySignals

    def block(self, stream_id: int) -> None:
        """It has nothing to send."""
        self._tree.block(stream_id)

    def unblock(self, stream_id: int) -> None:
        """It has something to send."""
        self._tree.unblock(stream_id)

    def remove_stream(self, stream_id: int) -> None:
        """It has ended."""
        self._tree.remove_stream(stream_id)

    def __next__(self) -> int:
        """Whose turn it is; raises what the tree raises where nobody has any."""
        return int(next(self._tree))
