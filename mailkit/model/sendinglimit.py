"""How much an account may send, and what is known of one that sent more."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from mailkit.model.address import AccountName


class Reached(Enum):
    """Which limit stands in the way of one more recipient."""

    FROZEN = "frozen"
    """The account reached one of its own before."""
    HOUR = "hour"
    DAY = "day"
    NEW = "new"
    DOMAIN_HOUR = "domain-hour"
    DOMAIN_DAY = "domain-day"

    @property
    def is_of_domain(self) -> bool:
        """Whether all of a domain have reached it together."""
        return self in (Reached.DOMAIN_HOUR, Reached.DOMAIN_DAY)


@frozen(kw_only=True)
class Most:
    """Recipients elsewhere that there may be; 0: without limit."""

    hour: int = 0
    """Of one account within an hour."""
    day: int = 0
    """Of one account within a day."""
    new: int = 0
    """To whom the account has never sent before, within a day."""
    domain_hour: int = 0
    """Of all accounts of a domain within an hour."""
    domain_day: int = 0


@frozen(kw_only=True)
class Sent:
    """What an account has used of its limits."""

    hour: int = 0
    day: int = 0
    new: int = 0


@frozen
class Freeze:
    """An account that may not send until an administrator has looked."""

    account: AccountName
    since: float
    """Seconds since 1970."""
    reason: str
    """In words."""
