"""What happened to a message: the lines that ``mailkit trace`` tells."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Step(Enum):
    """The kinds of step, in the order in which a message takes them."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    QUEUED = "queued"
    """It waits for its next hop."""
    SIGNED = "signed"
    HELD = "held"
    RELEASED = "released"
    TRIED = "tried"
    """A host was tried, and more is to be known than what became of the recipients."""
    DEFERRED = "deferred"
    """It was tried, and will be again."""
    SENT = "sent"
    BOUNCED = "bounced"
    DROPPED = "dropped"
    """An administrator took it out of the queue."""
    DELIVERED = "delivered"
    DISCARDED = "discarded"
    TOLD = "told"
    """A notice about it was written to its sender."""
    RETURNED = "returned"
    """Another server told that it cannot be delivered."""
    REPORTED = "reported"
    """Another server told more about it: late, delivered, passed on."""
    COMPLAINED = "complained"
    """A recipient called it unwanted (RFC 5965)."""


@frozen
class MailEvent:
    """One step of one message for one recipient."""

    when: float
    """Seconds since 1970."""
    step: Step
    transaction: str
    """The id that the 250 told the peer; the same in every step of a message."""
    message_id: str
    """The Message-ID field with its angle brackets; empty where unknown."""
    sender: str
    recipient: str
    """Empty where the step is about all of them."""
    peer: str
    """Who handed it in: an IP address, or ``unix``."""
    account: str = ""
    """The account it was submitted by or delivered to."""
    detail: str = ""
    """Mailbox, reply or reason, in words."""
    size: int = 0
