"""Something that an administrator has to hear of at once."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Alarm:
    """What happened, to whom, and what to do about it."""

    kind: str
    """One word for programs: ``sending-frozen``."""
    subject: str
    """Whom it is about: an account, ``@domain``, or an item of the queue."""
    when: float
    """Seconds since 1970."""
    words: str
    """What happened, in a sentence or two."""
    advice: str = ""
    """What to do."""
