"""What may be set about mail that leaves."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt

from mailkit.config.units import DAY, HOUR, MINUTE, Seconds


@frozen
class RetrySettings:
    """How long mail that cannot go out is tried."""

    attempts: int = field(default=0, validator=ge(0))
    """How often at most; 0: only `give_up_after` counts. Whichever comes first."""

    give_up_after: Seconds = field(default=5 * DAY, validator=gt(0))
    """When undelivered mail is returned (RFC 5321 §4.5.4.1)."""

    delay_notice: Seconds = field(default=4 * HOUR, validator=gt(0))
    """When its sender is told that it is late."""


@frozen
class QueueSettings:
    """How many messages are on their way out at a time, in one process."""

    connections: int = field(default=100, validator=ge(1))
    """To all domains together; those that hang for half a minute do not count."""

    per_domain: int = field(default=20, validator=ge(1))
    """To one domain; begins with 2 and grows while its hosts take mail."""

    per_host: int = field(default=20, validator=ge(1))
    """To one host, which may be that of many domains."""

    leave_alone: Seconds = field(default=MINUTE, validator=gt(0))
    """How long a host is not tried again that nobody could reach; longer each time,
    up to ten times as long."""
