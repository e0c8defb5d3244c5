"""What became, or would become, of a message for one recipient."""

from __future__ import annotations

from attrs import frozen

from mailkit.errors import MailkitError


@frozen
class Kept:
    """It will be kept; ``where`` tells the event record which mailboxes."""

    where: tuple[str, ...] = ()


@frozen
class Thrown:
    """It is taken and kept nowhere, because the recipient's rules say so."""


@frozen
class Failed:
    """It will not be kept, now or ever: the error's kind says which."""

    error: MailkitError


Outcome = Kept | Thrown | Failed
