"""
The flags of a whole mailbox in memory, an octet a message.

What clients ask for most often after a SELECT, and for all messages, is UIDs and
flags. They are read by one query when they are first asked for, and again after the
mailbox changed.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from functools import partial

from attrs import frozen

from mailkit.model.flags import Flags
from mailkit.model.mailbox import Records, Want
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.index import reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow

WORTH = 256
"""So many messages at once are worth reading the flags of all."""

MOST_KINDS = 256
"""Different sets of flags in one mailbox; where there are more, nothing is kept."""


@frozen(eq=False)
class FlagColumn:
    """UIDs and flags of a mailbox as they were at one MODSEQ, or later."""

    mod_seq: int
    uids: array[int]
    _kinds: tuple[Flags, ...]
    _codes: bytes
    """For each message which of the kinds it has."""

    @classmethod
    def read(
        cls, index: Index, row: MailboxRow, shared: array[int] | None
    ) -> FlagColumn | None:
        """
        All flags as they are now; ``None`` where there are too many kinds.

        :param shared: UIDs that are taken instead of others that are the same.
        """
        found = reading.records(index, row, ALL_UIDS, Want.FLAGS)
        flags = found.column("flags")
        codes: dict[Flags, int] = {}
        for one in set(flags):
            codes[one] = len(codes)
        if len(codes) > MOST_KINDS:
            return None
        uids = array("I", found.column("uid"))
        if shared == uids:
            uids = shared
        octets = bytes(map(codes.__getitem__, flags))
        return cls(row.mod_seq, uids, tuple(codes), octets)

    def records(self, low: int, high: int) -> Records:
        """Of those messages that have a UID from ``low`` to ``high``."""
        start, end = bisect_left(self.uids, low), bisect_right(self.uids, high)
        uids, codes, kinds = self.uids[start:end], self._codes[start:end], self._kinds
        return Records(
            len(uids),
            {
                "uid": lambda: uids,
                "flags": partial(list, map(kinds.__getitem__, codes)),
            },
        )


def records(
    columns: dict[int, FlagColumn],
    index: Index,
    row: MailboxRow,
    uids: UIDSet,
    shared: array[int] | None,
) -> Records:
    """UIDs and flags, out of memory where they are there, or where it pays."""
    if len(uids.ranges) != 1:
        return reading.records(index, row, uids, Want.FLAGS)
    [(low, high)] = uids.ranges
    column = columns.get(row.id)
    if column is None or column.mod_seq != row.mod_seq:
        if high - low < WORTH:
            return reading.records(index, row, uids, Want.FLAGS)
        column = FlagColumn.read(index, row, shared)
        if column is None:
            return reading.records(index, row, uids, Want.FLAGS)
        columns[row.id] = column
    return column.records(low, high)
