"""Why a message is not sent, or not kept, as facts; pages say it in words."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from mailkit.errors import MailkitError, Refused, TooLarge


class Lack(Enum):
    """What is wrong with what was written."""

    NOBODY = "nobody"
    """There is no recipient."""
    NO_ADDRESS = "address"
    """Some recipients are no addresses."""
    SENDER = "from"
    """It is from somebody else's address."""
    TOO_MANY = "many"
    """There are more recipients than a message may have."""
    TIME = "time"
    """It is to leave in the past, or too far ahead."""
    TOO_LARGE = "large"
    """With its files it is larger than a message may be."""
    CANNOT = "cannot"
    """Something cannot be written as mail."""


class CannotSend(Refused):
    """The message cannot be sent as it stands; it stays a draft."""

    def __init__(self, lack: Lack, what: Sequence[str] = ()) -> None:
        super().__init__(f"{lack.value}: {', '.join(what)}")
        self.lack = lack
        self.what = tuple(what)


@frozen
class Turned:
    """A recipient who does not get it, and why."""

    address: str
    error: MailkitError


class RecipientsRefused(Refused):
    """Some recipients are not taken; nothing was sent to anybody."""

    def __init__(self, turned: Sequence[Turned]) -> None:
        super().__init__(", ".join(each.address for each in turned))
        self.turned = tuple(turned)


class FilesTooLarge(TooLarge):
    """The files of a message would be larger than its size allows."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} octets are left")
        self.left = left
