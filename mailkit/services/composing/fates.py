"""What became of a message that somebody sent, for each recipient."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from mailkit.interfaces.events import IEvents
from mailkit.model.address import AccountName
from mailkit.model.event import MailEvent, Step


class Fate(Enum):
    """As pages name it."""

    QUEUED = "queued"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"


@frozen
class Delivery:
    """One recipient of a message."""

    recipient: str
    fate: Fate
    when: float
    """Seconds since 1970, of the last that is known."""
    words: str
    """What the other side, or this one, said last; for people who like to know."""


FATES = {
    Step.QUEUED: Fate.QUEUED,
    Step.HELD: Fate.QUEUED,
    Step.RELEASED: Fate.QUEUED,
    Step.DEFERRED: Fate.DEFERRED,
    Step.SENT: Fate.SENT,
    Step.DELIVERED: Fate.SENT,
    Step.DISCARDED: Fate.SENT,
    Step.BOUNCED: Fate.FAILED,
    Step.DROPPED: Fate.FAILED,
    Step.RETURNED: Fate.FAILED,
}
"""What a step makes of a recipient."""


async def fates(
    events: IEvents, account: AccountName, message_id: str
) -> tuple[Delivery, ...]:
    """
    By recipient, as far as it is remembered; nothing of messages of others.

    :param message_id: with its angle brackets.
    """
    found = await events.find(message_id) if message_id else ()
    own = {
        event.transaction
        for event in found
        if event.step is Step.ACCEPTED and event.account == account
    }
    latest: dict[str, MailEvent] = {}
    for event in found:
        if event.transaction in own and event.step in FATES:
            for recipient in event.recipient.split(", "):
                latest[recipient] = event
    return tuple(
        Delivery(recipient, FATES[event.step], event.when, event.detail)
        for recipient, event in latest.items()
        if recipient
    )


def together(deliveries: tuple[Delivery, ...]) -> Fate | None:
    """The one word for all of them: the worst; ``None`` where nothing is known."""
    known = {delivery.fate for delivery in deliveries}
    for fate in (Fate.FAILED, Fate.DEFERRED, Fate.QUEUED, Fate.SENT):
        if fate in known:
            return fate
    return None
