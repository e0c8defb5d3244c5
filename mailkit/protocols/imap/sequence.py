"""Sequence sets as they were written, nothing resolved (RFC 9051 §4.1.1)."""

from __future__ import annotations

from attrs import frozen

from mailkit.model.uidset import UIDSet

STAR = 0
"""``*`` in a range: the largest number in use. No message has the number 0."""


@frozen
class SequenceSet:
    """
    Numbers of messages, or UIDs, as the client wrote them.

    ``ranges`` are in the order and direction of the peer, a single number being
    a range of one; `STAR` stands for ``*``.
    """

    ranges: tuple[tuple[int, int], ...]
    is_saved: bool = False
    """``$`` is in it: the result that SEARCH saved (RFC 5182 §2.1)."""

    @property
    def has_star(self) -> bool:
        """Whether ``*`` is in it."""
        return any(STAR in pair for pair in self.ranges)

    @property
    def largest(self) -> int:
        """The largest number that was written; 0 where there is none."""
        return max((max(pair) for pair in self.ranges), default=0)

    def resolve(self, largest: int) -> UIDSet:
        """
        As ascending closed ranges, ``*`` being ``largest``; ``$`` is left out.

        ``9:*`` in a mailbox whose largest UID is 7 is ``7:9`` (RFC 9051 §9,
        seq-range): the order of the two ends does not matter.
        """
        return UIDSet.of_ranges(
            (first or largest, last or largest) for first, last in self.ranges
        )
