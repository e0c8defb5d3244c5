"""How a store lays out what it keeps of many messages, in one piece, ready to send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from attrs import frozen

from mailkit.model.mailbox import Want


class Stretch(NamedTuple):
    """Messages whose UIDs and numbers both follow one after the other."""

    number: int
    """Of the message with the lowest UID, whether it is there or not."""
    low: int
    high: int

    @property
    def messages(self) -> int:
        """How many messages there are, if all are."""
        return self.high - self.low + 1


@frozen
class Layout:
    """
    What is said of each message: texts, and columns between them.

    That is ``begin``, the message's number, each text with its column behind it, and
    ``end``. Columns are named as in `MessageRecord`; numbers are written in decimal,
    flags as a list in parentheses, dates as RFC 9051 §9 has its date-time.
    """

    begin: bytes
    columns: tuple[tuple[bytes, str], ...]
    end: bytes
    want: Want
    """What the columns are of."""


@frozen
class Laid:
    """What was laid out."""

    octets: Sequence[bytes]
    """In pieces that may end anywhere."""
    count: int
    """How many messages they tell of."""
    rest: tuple[Stretch, ...] = ()
    """What was not looked at, because there was enough already."""
