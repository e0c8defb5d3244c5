"""Delivery to people of ours who could not be given their mail at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from attrs import define, evolve
from zope.interface import implementer

from mailkit.errors import MailkitError, Refused, Unavailable
from mailkit.interfaces.delivery import IDestination, ITransaction, Origin
from mailkit.interfaces.queue import Carried, ICarrier
from mailkit.interfaces.storage import IContent
from mailkit.model.envelope import Envelope
from mailkit.model.outcome import Failed, Outcome
from mailkit.model.path import Path
from mailkit.model.queueitem import Fate, QueueItem, Report
from mailkit.model.verdict import Verdict
from mailkit.services.smtp.replies import reply_for

_PIECE = 64 * 1024


@implementer(ICarrier)
@define(eq=False)
class LocalCarrier:
    """
    The route of items that end in mailboxes of ours: those that had to wait, and
    notices to our own people.

    What is tried once more because nobody knows whether it came to its end, as after a
    kill, is done once: mailboxes know it by the item, the queue by the transaction.

    :param destination: asked for each item; with the rules of mail from a server of
        our own, and a fate of its own for each recipient.
    """

    _destination: Callable[[], IDestination]
    is_final: bool = True

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        origin = Origin(
            "unix",
            protocol="LMTP",
            item=item.id,
            verdict=Verdict.from_text(item.verdict),
            transaction=_transaction_of(item),
        )
        transaction = await self._destination().begin(_envelope_of(item), origin)
        reports: list[Report] = []
        taken: list[Path] = []
        try:
            for waiting in item.waiting:
                try:
                    await transaction.add_recipient(waiting.recipient)
                except (Refused, Unavailable) as error:
                    reports.append(_report(waiting.path, error))
                else:
                    taken.append(waiting.path)
            if taken:
                reports += await _keep(transaction, taken, content)
        finally:
            await transaction.abort()
        return Carried(reports=tuple(reports))


def _transaction_of(item: QueueItem) -> str:
    """The same until an attempt of the item is recorded."""
    return hashlib.sha256(f"{item.id} {item.attempts}".encode()).hexdigest()[:16]


def _envelope_of(item: QueueItem) -> Envelope:
    """Without a hold, which is over: what leaves from here is not held once more."""
    parameters = item.envelope.parameters
    parameters = evolve(parameters, hold_for=None, hold_until=None)
    return evolve(item.envelope, parameters=parameters)


async def _keep(
    transaction: ITransaction, paths: list[Path], content: IContent
) -> list[Report]:
    """Hand the message over, and say what became of it for each path."""
    at = 0
    try:
        while piece := await content.read(at, _PIECE):
            await transaction.write(piece)
            at += len(piece)
        outcomes = await transaction.prepare()
        if not all(isinstance(outcomes[path], Failed) for path in paths):
            await transaction.commit()
    except (Refused, Unavailable) as error:
        return [_report(path, error) for path in paths]
    return [_outcome(path, outcomes[path]) for path in paths]


def _outcome(path: Path, outcome: Outcome) -> Report:
    if isinstance(outcome, Failed):
        return _report(path, outcome.error)
    return Report(path, Fate.SENT, "2.1.5", "delivered")


def _report(path: Path, error: MailkitError) -> Report:
    reply = reply_for(error)
    fate = Fate.WAITING if reply.is_transient else Fate.FAILED
    return Report(path, fate, reply.status, reply.text)
