"""Bulk sendings: one template, many recipients, and how far it has got."""

from __future__ import annotations

import hashlib
import re

from attrs import frozen

from mailkit.model.address import Address

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = re.compile(r"([0-9]{1,9})\s*/\s*(s|min|h|d)", re.ASCII)
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)


@frozen
class Rate:
    """So many messages in a second, minute, hour or day."""

    number: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Rate | None:
        """Read ``300/h``; ``None`` where it is no rate."""
        match = _RATE.fullmatch(text.strip())
        if match is None or not int(match[1]):
            return None
        return cls(int(match[1]), match[2])

    @property
    def per_second(self) -> float:
        return self.number / _UNITS[self.unit]

    def __str__(self) -> str:
        return f"{self.number}/{self.unit}"


def rate_name(sending: str, rate: Rate | None) -> str:
    """What items of a sending have as `QueueItem.rate`: it tells the pace itself."""
    return f"{sending}@{rate or ''}"


def rate_of(name: str) -> Rate | None:
    """The pace that `rate_name` wrote down; ``None``: as fast as it goes."""
    return Rate.parse(name.rpartition("@")[2])


def is_sending_name(name: str) -> bool:
    """Whether a sending may have that name: it stands in List-Id and addresses."""
    return _NAME.fullmatch(name) is not None


@frozen(kw_only=True)
class Sending:
    """One bulk sending."""

    name: str
    digest: str
    """Of what all of its messages share: whoever goes on with another text is told."""
    begun: float
    """Seconds since 1970."""

    def message(self, address: Address) -> str:
        """
        The id of the transaction of one recipient's message.

        It is the same whenever it is asked for, so that a message that was put is
        known again.
        """
        text = f"{self.name}\0{self.begun!r}\0{address}"
        digest = hashlib.sha256(text.encode("utf-8", "replace"))
        return digest.hexdigest()[:16]
