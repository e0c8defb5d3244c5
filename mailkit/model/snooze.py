"""Messages that are put off until a time."""

from __future__ import annotations

from attrs import frozen

from mailkit.model.mailbox import MailboxName

SNOOZED = MailboxName("Snoozed")
"""Where a message lies until then; made when the first one is put off."""


@frozen
class Snooze:
    """One message that is away, and comes back by itself."""

    email_id: str
    until: float
    """When it comes back, in seconds since 1970."""
    back_to: MailboxName
    """Where to; the inbox if that is no more."""


@frozen
class Woken:
    """One message that came back."""

    email_id: str
    thread_id: str
    since: float
    """When it came back, in seconds since 1970."""
