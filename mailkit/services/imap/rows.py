"""FETCH of what the store keeps ready: no message is read (RFC 9051 §6.4.5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailkit.errors import MailkitError
from mailkit.model.mailbox import Want
from mailkit.protocols.imap.items import FetchItem
from mailkit.protocols.imap.write import fetch as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.view import Run, batches, before, count

SMALL = 4
"""So many times more are read at once where flags, sizes and dates are all."""

AHEAD = 1
"""Batches that are read while one is sent."""

RAGGED = 16
"""Messages that must follow each other, on average, to be laid out by the store."""

_SMALL = Want.FLAGS | Want.FACTS | Want.IDS


@frozen
class _Part:
    """What can be sent of a batch."""

    octets: Sequence[bytes]
    is_whole: bool
    """Whether all messages were there."""
    rest: list[Run]
    """What is still to be read, because it is too much for once."""


@define(eq=False)
class Rows:
    """One FETCH; what is next is read while something is sent."""

    _talk: Dialogue
    _template: write.Template
    _todo: Iterator[list[Run]]
    _coming: deque[Deferred[_Part]] = field(factory=deque, init=False)

    @classmethod
    def of(
        cls, talk: Dialogue, items: tuple[FetchItem, ...], runs: Sequence[Run]
    ) -> Rows:
        template = write.template_of(items)
        size = talk.settings.batch
        if not template.want & ~_SMALL:
            size *= SMALL
        return cls(talk, template, batches(runs, size))

    async def send(self) -> bool:
        """Send all; whether every message was there."""
        talk, coming = self._talk, self._coming
        is_whole = True
        # What was said before goes first, so that what follows is one write.
        await talk.peer.flush()
        try:
            self._ask_ahead()
            while coming:
                part = await coming.popleft()
                if part.rest:
                    coming.appendleft(Deferred.fromCoroutine(self._read(part.rest)))
                self._ask_ahead()
                talk.say(*part.octets)
                is_whole = is_whole and part.is_whole
                if coming:
                    await talk.flush()
        finally:
            for reading in coming:
                reading.addErrback(not_asked_for)
        return is_whole

    def _ask_ahead(self) -> None:
        while len(self._coming) <= AHEAD:
            batch = next(self._todo, None)
            if batch is None:
                return
            self._coming.append(Deferred.fromCoroutine(self._read(batch)))

    async def _read(self, runs: list[Run]) -> _Part:
        part = await self._lay_out(runs)
        if part is not None:
            return part
        view, most = self._talk.here.view, self._talk.settings.rows_octets
        want = self._template.want or Want.FLAGS  # the least that a store has ready
        rows = await self._talk.here.mailbox.fetch(view.uids(runs), want, most)
        rest = view.numbers_of_uids(rows.rest.ranges)
        if rest:
            runs = before(runs, rest[0][0])
        numbers = view.numbers_in(runs, rows.column("uid"))
        lines = self._template.lines(rows, numbers, view.recent)
        return _Part((lines,), len(rows) == count(runs), rest)

    async def _lay_out(self, runs: list[Run]) -> _Part | None:
        """The same by the store alone, where it can."""
        layout, view = self._template.layout, self._talk.here.view
        if layout is None or layout.want is Want.FLAGS:
            return None  # flags alone are in memory
        wanted = count(runs)
        if wanted < RAGGED or view.recent & view.uids(runs):
            return None
        stretches = view.stretches(runs)
        if len(stretches) * RAGGED > wanted:
            return None
        most = self._talk.settings.rows_octets
        laid = await self._talk.here.mailbox.lay_out(stretches, layout, most)
        if laid is None:
            return None
        rest = [(one.number, one.number + one.messages - 1) for one in laid.rest]
        return _Part(laid.octets, laid.count == wanted - count(rest), rest)


def not_asked_for(failure: Failure) -> None:
    """What failed would not have been sent: the client is gone already."""
    failure.trap(MailkitError)
