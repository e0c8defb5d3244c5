"""What one session knows of its selected mailbox: which number is which UID.

A number means the same message until the client was told otherwise (RFC 9051 §2.3.1.2),
so this is not what the mailbox holds but what the session has said about it. The
UIDs come from an immutable array that all sessions share; a view owns only what
differs from it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from attrs import frozen

from mailkit.errors import Malformed
from mailkit.model.layout import Stretch
from mailkit.model.mailbox import FlagRecord, MailboxChange
from mailkit.model.uidset import NO_UIDS, UIDSet

Run = tuple[int, int]
"""Sequence numbers from the first to the second, both included."""

STAR = 0
"""``*`` in a sequence set: no message has this number."""

_NOTHING: array[int] = array("I")  # never changed: shared by all views without change


@frozen
class News:
    """What the client is to be told, in this order."""

    expunged: Sequence[int] = ()
    """Each number as it is after the ones before were taken away (§7.5.1)."""
    exists: int | None = None
    """How many there are now, if that is news other than by ``expunged``."""
    flagged: Sequence[tuple[int, FlagRecord]] = ()
    """Number and flags of messages that the client knew already."""
    arrived: UIDSet = NO_UIDS

    def __bool__(self) -> bool:
        return bool(self.expunged or self.exists is not None or self.flagged)


NOTHING_NEW = News()


class View:
    """Numbers and UIDs of one selected mailbox, as the client was told them."""

    __slots__ = ("_base", "_gone", "_own", "_pending", "_tail", "mod_seq", "recent")

    def __init__(
        self, uids: array[int], mod_seq: int, recent: UIDSet = NO_UIDS
    ) -> None:
        self._base = uids
        self._own = 0  # UIDs of _base, where it is not shared any more
        self._gone = _NOTHING  # positions in _base, ascending
        self._tail = _NOTHING  # UIDs above all of _base
        self._pending = NO_UIDS  # gone from the mailbox, and not told yet
        self.mod_seq = mod_seq
        self.recent = recent

    @property
    def exists(self) -> int:
        """How many messages the client believes to be there."""
        return len(self._base) - len(self._gone) + len(self._tail)

    @property
    def difference(self) -> int:
        """How many numbers of its own the view keeps."""
        return len(self._gone) + len(self._tail) + self._own

    @property
    def pending(self) -> UIDSet:
        """Messages that are gone, and that the client was not told about."""
        return self._pending

    def uid_at(self, number: int) -> int:
        """The UID of one message; the number must be from 1 to `exists`."""
        left = len(self._base) - len(self._gone)
        if number > left:
            return self._tail[number - left - 1]
        return self._base[self._position(number)]

    def number_of(self, uid: int) -> int:
        """The number of one message, or 0 if the client does not know it."""
        number = self._below(uid) + 1
        return number if number <= self.exists and self.uid_at(number) == uid else 0

    def numbers(self, ranges: Iterable[Run]) -> list[Run]:
        """
        Runs of a set of numbers, ascending and apart; `STAR` is the last message.

        :raises Malformed: if one of them has no message (RFC 9051 §9, ``seq-number``).
        """
        exists = self.exists
        runs = []
        for first, last in ranges:
            low, high = sorted((first or exists, last or exists))
            if not low or high > exists:
                raise Malformed("No message has that number")
            runs.append((low, high))
        return merged(runs)

    def numbers_of_uids(self, ranges: Iterable[Run]) -> list[Run]:
        """Runs of numbers of those UIDs that the client knows; `STAR` is the last."""
        exists = self.exists
        if not exists:
            return []
        top = self.uid_at(exists)
        runs = []
        for first, last in ranges:
            low, high = sorted((first or top, last or top))
            start, end = self._below(low) + 1, self._below(high + 1)
            if start <= end:
                runs.append((start, end))
        return merged(runs)

    def uids(self, runs: Iterable[Run]) -> UIDSet:
        """
        UIDs of runs, as few ranges that hold no other message of the mailbox.

        They may hold UIDs that were given to a message once: of those there is none.
        """
        return UIDSet(
            tuple((self.uid_at(first), self.uid_at(last)) for first, last in runs)
        )

    def numbers_in(self, runs: Sequence[Run], uids: Sequence[int]) -> Iterable[int]:
        """
        The number of each of ``uids``: ascending, and all within ``runs``.

        Costs nothing where every message of the runs is there.
        """
        if len(uids) == count(runs):
            return chain.from_iterable(range(a, b + 1) for a, b in runs)
        known = dict(
            zip(
                chain.from_iterable(self._slice(a, b) for a, b in runs),
                chain.from_iterable(range(a, b + 1) for a, b in runs),
                strict=True,
            )
        )
        return [known[uid] for uid in uids]

    def stretches(self, runs: Iterable[Run]) -> list[Stretch]:
        """The same as UIDs, wherever these follow each other as the numbers do."""
        found = []
        for number, last in runs:
            for low, high in _ranges(self._slice(number, last)):
                found.append(Stretch(number, low, high))
                number += high - low + 1
        return found

    def exactly(self, runs: Iterable[Run]) -> UIDSet:
        """UIDs of runs, each range full: to be shown to the client."""
        return UIDSet.of_ranges(
            chain.from_iterable(_ranges(self._slice(a, b)) for a, b in runs)
        )

    def tell(self, change: MailboxChange, may_expunge: bool) -> News:
        """
        Take in what happened, and say what the client is to be told now.

        Without ``may_expunge`` what vanished keeps its numbers until later.
        """
        pending = self._pending | change.vanished if change.vanished else self._pending
        expunged: Sequence[int] = ()
        if may_expunge and pending:
            expunged = self._remove(pending)
            pending = NO_UIDS
        elif change.vanished:
            known = self.numbers_of_uids(pending.ranges)
            pending = self.uids(known)
        self._pending = pending
        arrived = self._append(record.uid for record in change.arrived)
        if self.recent and change.vanished:
            self.recent = self.recent - change.vanished
        self.mod_seq = max(self.mod_seq, change.mod_seq)
        return News(
            expunged,
            self.exists if arrived else None,
            self._known(change.flagged),
            UIDSet.of_ranges(_ranges(arrived)),
        )

    def rebase(self, uids: array[int]) -> bool:
        """Share ``uids`` and own nothing, if that is what the client knows."""
        if self._pending or len(uids) != self.exists:
            return False
        if self._slice(1, self.exists) != uids:
            return False
        self._base, self._own = uids, 0
        self._gone = self._tail = _NOTHING
        return True

    def _position(self, number: int) -> int:
        """Where in ``_base`` the message of that number is."""
        gone = self._gone
        # gone[i] - i messages that are still there come before the i-th that is not.
        skipped = bisect_right(
            range(len(gone)), number - 1, key=lambda index: gone[index] - index
        )
        return number - 1 + skipped

    def _below(self, uid: int) -> int:
        """How many messages have a smaller UID."""
        position = bisect_left(self._base, uid)
        below = position - bisect_left(self._gone, position)
        if position == len(self._base):
            below += bisect_left(self._tail, uid)
        return below

    def _slice(self, first: int, last: int) -> array[int]:
        """UIDs of a run; a copy."""
        left = len(self._base) - len(self._gone)
        tail = self._tail[max(first - left - 1, 0) : max(last - left, 0)]
        if first > left:
            return tail
        start, end = self._position(first), self._position(min(last, left)) + 1
        gone = self._gone[bisect_left(self._gone, start) : bisect_left(self._gone, end)]
        if not gone:
            return self._base[start:end] + tail
        uids = array("I")
        for position in gone:
            uids.extend(self._base[start:position])
            start = position + 1
        return uids + self._base[start:end] + tail

    def _known(
        self, records: tuple[FlagRecord, ...]
    ) -> Sequence[tuple[int, FlagRecord]]:
        """Those that have a number, with it."""
        if len(records) < 32:
            pairs = [(self.number_of(record.uid), record) for record in records]
            return [pair for pair in pairs if pair[0]]
        first, last = self._below(records[0].uid) + 1, self._below(records[-1].uid + 1)
        known = self._slice(first, last) if first <= last else _NOTHING
        if known == array("I", [record.uid for record in records]):
            return list(zip(range(first, last + 1), records, strict=True))
        numbers = dict(zip(known, range(first, last + 1), strict=True))
        return [
            (numbers[record.uid], record) for record in records if record.uid in numbers
        ]

    def _append(self, uids: Iterable[int]) -> array[int]:
        top = self.uid_at(self.exists) if self.exists else 0
        arrived = array("I", [uid for uid in uids if uid > top])
        if arrived:
            self._tail = self._tail + arrived
        return arrived

    def _remove(self, uids: UIDSet) -> list[int]:
        """Take messages away; the numbers to tell, in ascending order of messages."""
        runs = self.numbers_of_uids(uids.ranges)
        told: list[int] = []
        for first, last in runs:
            told.extend([first - len(told)] * (last - first + 1))
        left = len(self._base) - len(self._gone)
        self._remove_from_tail([(a - left, b - left) for a, b in runs if b > left])
        self._remove_from_base([(a, min(b, left)) for a, b in runs if a <= left])
        return told

    def _remove_from_tail(self, runs: list[Run]) -> None:
        if not runs:
            return
        tail, kept = self._tail, array("I")
        start = 0
        for first, last in runs:
            kept.extend(tail[start : max(first - 1, 0)])
            start = last
        self._tail = kept + tail[start:]

    def _remove_from_base(self, runs: list[Run]) -> None:
        if not runs:
            return
        gone, more = self._gone, array("I")
        start = 0
        for first, last in runs:
            low, high = self._position(first), self._position(last)
            until = bisect_left(gone, low, start)
            more.extend(gone[start:until])
            more.extend(range(low, high + 1))
            start = bisect_right(gone, high, until)
        self._gone = more + gone[start:]
        if len(self._gone) * 2 > len(self._base):
            uids = self._slice(1, self.exists) if self.exists else array("I")
            self._base, self._own = uids, len(uids)
            self._gone = self._tail = _NOTHING


def merged(runs: list[Run]) -> list[Run]:
    """Ascending, and no two of them touch."""
    if len(runs) < 2:
        return runs
    runs.sort()
    apart = [runs[0]]
    for low, high in runs:
        if low > apart[-1][1] + 1:
            apart.append((low, high))
        elif high > apart[-1][1]:
            apart[-1] = (apart[-1][0], high)
    return apart


def count(runs: Iterable[Run]) -> int:
    """How many messages the runs name."""
    return sum(last - first + 1 for first, last in runs)


def before(runs: Iterable[Run], number: int) -> list[Run]:
    """Those below a number."""
    return [(low, min(high, number - 1)) for low, high in runs if low < number]


def batches(runs: Iterable[Run], size: int) -> Iterator[list[Run]]:
    """The same messages in the same order, at most ``size`` at a time."""
    batch: list[Run] = []
    room = size
    for first, last in runs:
        while last - first + 1 > room:
            if room:
                batch.append((first, first + room - 1))
            yield batch
            first += room
            batch, room = [], size
        batch.append((first, last))
        room -= last - first + 1
    if batch:
        yield batch


def _ranges(uids: Sequence[int]) -> Iterator[Run]:
    """Ascending UIDs as closed ranges."""
    if not uids:
        return
    if uids[-1] - uids[0] == len(uids) - 1:
        yield uids[0], uids[-1]
        return
    first = last = uids[0]
    for uid in uids:
        if uid > last + 1:
            yield first, last
            first = uid
        last = uid
    yield first, last
