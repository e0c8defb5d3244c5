"""Who changed what, and when."""

from __future__ import annotations

from attrs import frozen


@frozen
class AuditLine:
    """One administrative change as it is remembered; never with a secret in it."""

    when: float
    """Seconds since 1970."""
    who: str
    """An account, or ``root (mailkit)`` for the command."""
    action: str
    """What was asked for, in the command's own words: ``account suspend``."""
    subject: str
    """The address or domain that was changed."""
    before: str = ""
    """What was there, ``role=user quota=-``; empty: nothing was."""
    after: str = ""
    """What is there now; empty: nothing is."""
