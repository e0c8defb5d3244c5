"""Pages that other programs look for: health, and the policy of MTA-STS."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from attrs import define

from mailkit.model.address import DomainName, fold_domain

Mode = Literal["enforce", "testing", "none"]

POLICY_LASTS = 7 * 86400
"""Seconds for which others remember our policy (RFC 8461 §3.2)."""

_HOST = "mta-sts."


@define(eq=False)
class PolicyPage:
    """``https://mta-sts.DOMAIN/.well-known/mta-sts.txt`` (RFC 8461 §3.2)."""

    is_ours: Callable[[DomainName], Awaitable[bool]]
    """Whether a domain is one of this server."""
    hostname: str
    """The one mail exchanger of our domains."""
    mode: Callable[[], Mode]

    async def text(self, host: str) -> str | None:
        """
        The policy of the domain whose policy host was asked for.

        :param host: of the request, without a port.
        :returns: ``None`` where that is no policy host of a domain of ours.
        """
        if not host.lower().startswith(_HOST):
            return None
        domain = fold_domain(host[len(_HOST) :])
        if not await self.is_ours(domain):
            return None
        return (
            "version: STSv1\r\n"
            f"mode: {self.mode()}\r\n"
            f"mx: {self.hostname}\r\n"
            f"max_age: {POLICY_LASTS}\r\n"
        )
