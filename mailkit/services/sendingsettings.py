"""How much people may send: ``[sending]`` of ``mailkit.toml``."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge


@frozen
class SendingSettings:
    """
    How many recipients at other servers people may write to, counted one by one; 0 is
    without limit. An account that reaches a limit of its own sends no more until
    `mailkit account thaw`.
    """

    hour: int = field(default=300, validator=ge(0))
    """Of one account within an hour."""

    day: int = field(default=1000, validator=ge(0))
    """Of one account within a day."""

    new: int = field(default=200, validator=ge(0))
    """Of one account within a day, of those to whom it has never written: what whoever
    stole a password needs, and hardly anybody else."""

    domain_hour: int = field(default=3000, validator=ge(0))
    """Of all accounts of one domain within an hour. Whoever exceeds it is asked to try
    again later; nobody is frozen."""

    domain_day: int = field(default=10_000, validator=ge(0))
    """The same within a day."""

    without_limit: tuple[str, ...] = ()
    """Accounts that are not counted, such as that of a shop's software."""
