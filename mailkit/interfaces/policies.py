"""What is remembered of how other domains want to be reached."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen
from zope.interface import Interface

from mailkit.model.address import DomainName
from mailkit.model.tlsresult import TLSResult


@frozen(kw_only=True)
class KeptPolicy:
    """A policy of MTA-STS as it was fetched (RFC 8461 §3.3)."""

    id: str
    """Of the record that announced it."""
    octets: bytes
    fetched: float
    """Seconds since 1970."""
    expires: float


class IPolicyStore(Interface):
    """Keeps policies over restarts: a policy forgotten is one that an attacker beat."""

    async def policy(domain: DomainName) -> KeptPolicy | None:
        """What was last fetched for a domain, expired or not."""

    async def keep(domain: DomainName, policy: KeptPolicy) -> None:
        """Remember a policy in place of the one before."""

    async def old(before: float, after: DomainName, most: int) -> Sequence[DomainName]:
        """
        Domains whose policies were fetched before then and still hold, by name.

        :param after: the last of the page before; empty for the first.
        """


class IPolicyFetch(Interface):
    """Gets policies from other people's web servers."""

    async def fetch(domain: str) -> bytes:
        """
        The octets of ``https://mta-sts.DOMAIN/.well-known/mta-sts.txt``.

        :param domain: A-labels.
        :raises Unavailable: with what is wrong: no host, no good certificate, a
            redirection, too long, too slow.
        """


class IReportPost(Interface):
    """Hands reports to other people's web servers."""

    async def post(url: str, octets: bytes, kind: str) -> None:
        """
        POST a report of a media type to an ``https:`` address (RFC 8460 §5.4).

        :raises Unavailable: unless it was taken.
        """


@frozen(kw_only=True)
class TLSCount:
    """Connections of one day that went the same way (RFC 8460 §4.3)."""

    domain: DomainName
    policy: str
    """``sts``, ``tlsa`` or ``no-policy-found``."""
    details: str
    """The policy itself, its lines; empty where there is none."""
    host: str
    problem: str
    """The result type; empty: they were successful."""
    local_address: str
    address: str
    words: str
    count: int


class ITLSCounts(Interface):
    """Counts how TLS went, for reports to those who ask for them (RFC 8460)."""

    def count(result: TLSResult) -> None:
        """Count one connection; written soon, together with others. Never raises."""

    async def domains(day: str) -> Sequence[DomainName]:
        """Whose mail was carried on a day (UTC) that was not reported yet."""

    async def counts(domain: DomainName, day: str) -> Sequence[TLSCount]:
        """What was counted for a domain."""

    async def reported(domain: DomainName, day: str) -> None:
        """Forget what was counted: the report is on its way, or nobody wants one."""

    async def close() -> None:
        """Write what waits."""
