"""Response rate limiting: forged questions make no flood of answers by us."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from enum import Enum

from attrs import define, field

from mailkit.net.door import Network, is_within

WINDOW = 15
"""Seconds of credit that are kept at most, in both directions."""
MOST_KEYS = 50_000
"""Networks and answers that are counted; those not seen longest are forgotten."""
SLIP = 2
"""Of so many answers above the rate one goes out, short and with TC."""


class Verdict(Enum):
    """What becomes of an answer."""

    SEND = "send"
    SLIP = "slip"
    """Say only: come back by TCP, which nobody can forge."""
    DROP = "drop"


@define(eq=False)
class RateLimit:
    """
    So many equal answers a second to one network (IPv4 /24, IPv6 /56).

    :param rate: 0 means without limit.
    :param never: networks that are not counted.
    """

    rate: int
    never: Sequence[Network]
    _seconds: Callable[[], float]
    _accounts: OrderedDict[Hashable, list[float]] = field(
        factory=OrderedDict, init=False
    )
    """Credit, when it was counted, and how many were held back since."""

    def judge(self, host: str, answer: Hashable) -> Verdict:
        """:param answer: what makes answers equal."""
        if not self.rate or is_within(host, self.never):
            return Verdict.SEND
        now = self._seconds()
        key = (network_of(host), answer)
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = [float(self.rate), now, 0]
            if len(self._accounts) > MOST_KEYS:
                self._accounts.popitem(last=False)
        else:
            self._accounts.move_to_end(key)
        credit = min(account[0] + (now - account[1]) * self.rate, float(self.rate))
        account[1] = now
        account[0] = max(credit - 1, -float(WINDOW * self.rate))
        if credit >= 1:
            account[2] = 0
            return Verdict.SEND
        account[2] += 1
        return Verdict.SLIP if account[2] % SLIP == 0 else Verdict.DROP


def network_of(host: str) -> str:
    """Whoever is counted together."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    length = 24 if address.version == 4 else 56
    return str(ipaddress.ip_network((address, length), strict=False))
