"""
How well a host of another domain has to be protected before it gets mail.

The first of these that has something to say:

1. DANE, where DNSSEC vouches for the exchangers, the host and its TLSA records
   (RFC 7672 §2);
2. MTA-STS (RFC 8461), from a policy that is kept over restarts: one that was known
   and cannot be fetched again holds until it expires;
3. otherwise TLS is taken where it is offered, or demanded where the config says so
   (``[tls] required_to``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from mailkit.errors import DNSTrouble, Malformed, Unavailable
from mailkit.interfaces.policies import IPolicyFetch, IPolicyStore, KeptPolicy
from mailkit.interfaces.resolver import Answer, IResolver, MXRecord
from mailkit.model.address import DomainName, a_labels, is_among
from mailkit.model.tlspolicy import (
    OPPORTUNISTIC,
    REQUIRED,
    TLSARecord,
    TLSLevel,
    TLSPolicy,
)
from mailkit.trust.tls.mtasts import Mode, Policy, read_policy, read_record

ASKED_AGAIN = 300.0
"""Seconds for which a policy that could not be fetched is not asked for again."""

FETCHED_AGAIN = 86_400.0
"""Seconds after which a policy is fetched anew though its id is the same, so that it
does not expire (RFC 8461 §3.3)."""

PAGE = 1000
"""Domains that are read at a time to be looked at."""

MANY = 10
"""How many of them are looked at beside each other."""

_USAGES = (2, 3)  # RFC 7672 §3.1
_MOST_REMEMBERED = 10_000


def is_usable(record: TLSARecord) -> bool:
    """Whether a TLSA record says something about SMTP (RFC 7672 §3.1.3)."""
    return (
        record.usage in _USAGES
        and record.selector in (0, 1)
        and record.matching_type in (0, 1, 2)
        and bool(record.association)
    )


@define(eq=False)
class TLSPolicies:
    """
    Finds policies; `of` is what the queue asks.

    :param required: domains, in folded form, that get no mail in the clear; one that
        begins with a full stop stands for all below it.
    """

    log = Logger()

    _resolver: IResolver
    _store: IPolicyStore
    _fetch: IPolicyFetch
    _now: Callable[[], float]
    required: Collection[str] = ()
    port: int = 25
    _failed: dict[DomainName, float] = field(factory=dict, init=False)
    """When a policy could not be fetched."""
    _fetching: dict[DomainName, list[Deferred[None]]] = field(factory=dict, init=False)

    async def of(
        self, domain: DomainName, answer: Answer[MXRecord], host: str
    ) -> TLSPolicy:
        """
        What one host of a domain has to show.

        :raises DNSTrouble: if that cannot be known at present.
        """
        policy = await self._dane(domain, answer, host)
        policy = policy or await self._by_sts(domain, host)
        if not is_among(domain, self.required):
            return policy
        is_enforced = policy.level is not TLSLevel.OPPORTUNISTIC
        if policy.is_testing or not is_enforced:
            return REQUIRED
        return evolve(policy, is_required=True)

    async def refresh(self) -> int:
        """
        Fetch all anew that will be old soon (RFC 8461 §3.3); how many were looked at.

        Those whose web server is silent hold up few others, and none for good.
        """
        count = 0
        before, after = self._now() - FETCHED_AGAIN, DomainName("")
        while names := await self._store.old(before, after, PAGE):
            waiting = iter(names)
            looking = [Deferred.fromCoroutine(self._each(waiting)) for _ in range(MANY)]
            await gatherResults(looking, consumeErrors=True)
            count += len(names)
            after = names[-1]
        return count

    async def _each(self, domains: Iterator[DomainName]) -> None:
        """Look at domains that nobody else looks at yet."""
        for domain in domains:
            try:
                await self._sts(domain)
            except Unavailable as error:  # of our own disk
                self.log.warn(
                    "{domain}: its MTA-STS policy is not renewed: {reason}",
                    domain=domain,
                    reason=str(error),
                )
                return

    # -- DANE

    async def _dane(
        self, domain: DomainName, answer: Answer[MXRecord], host: str
    ) -> TLSPolicy | None:
        """RFC 7672 §2.2: without DNSSEC for all of it there is no DANE."""
        if not answer.authentic or ":" in host or host.startswith("["):
            return None
        addresses = await self._resolver.addresses(host)
        if not addresses.authentic:
            return None
        # Where aliases led to is asked first (RFC 7672 §2.2.2).
        for name in dict.fromkeys((addresses.name, host)):
            found = await self._resolver.tlsa(f"_{self.port}._tcp.{name}")
            if not found.authentic or not found.records:
                continue
            usable = tuple(filter(is_usable, found.records))
            if not usable:  # RFC 7672 §2.2: TLS all the same, by any certificate
                return TLSPolicy(level=TLSLevel.ENCRYPT, origin="dane")
            # A certificate may be for the domain, too (RFC 7672 §3.2.2).
            names = (name, host, a_labels(domain) or host, answer.name)
            return TLSPolicy(
                level=TLSLevel.DANE,
                names=tuple(dict.fromkeys(names)),
                tlsa=usable,
                origin="dane",
            )
        return None

    # -- MTA-STS

    async def _by_sts(self, domain: DomainName, host: str) -> TLSPolicy:
        policy = await self._sts(domain)
        if policy is None or policy.mode is Mode.NONE:
            return OPPORTUNISTIC
        is_testing = policy.mode is Mode.TESTING
        mismatch = ""
        if not policy.allows(host):
            mismatch = f"{host} is not in the MTA-STS policy of {domain}"
        return TLSPolicy(
            level=TLSLevel.PKIX,
            names=(host,),
            origin="mta-sts",
            is_testing=is_testing,
            mismatch=mismatch,
        )

    async def _sts(self, domain: DomainName) -> Policy | None:
        """The policy of a domain that holds now."""
        kept = await self._store.policy(domain)
        now = self._now()
        holds = kept is not None and now < kept.expires
        name = a_labels(domain)
        if name is None or domain.startswith("["):
            return None
        try:
            record = read_record((await self._resolver.txt(f"_mta-sts.{name}")).records)
        except DNSTrouble:
            record = None  # what is known holds on
        is_new = record is not None and (
            not holds
            or kept is None
            or kept.id != record
            or now - kept.fetched > FETCHED_AGAIN
        )
        if is_new and record is not None:
            await self._renew(domain, name, record)
            kept = await self._store.policy(domain)
        if kept is None or now >= kept.expires:
            return None
        return read_policy(kept.octets)

    async def _renew(self, domain: DomainName, name: str, record: str) -> None:
        """Fetch a policy, once for all who wait for it."""
        failed = self._failed.get(domain)
        if failed is not None and 0 <= self._now() - failed < ASKED_AGAIN:
            return
        waiting = self._fetching.get(domain)
        if waiting is not None:
            done: Deferred[None] = Deferred()
            waiting.append(done)
            await done
            return
        self._fetching[domain] = []
        try:
            octets = await self._fetch.fetch(name)
            policy = read_policy(octets)
        except (Unavailable, Malformed) as error:
            if len(self._failed) >= _MOST_REMEMBERED:
                self._failed.clear()
            self._failed[domain] = self._now()
            self.log.warn(
                "{domain}: its MTA-STS policy cannot be had: {reason}",
                domain=domain,
                reason=str(error),
            )
        else:
            now = self._now()
            self._failed.pop(domain, None)
            await self._store.keep(
                domain,
                KeptPolicy(
                    id=record,
                    octets=octets,
                    fetched=now,
                    expires=now + policy.max_age,
                ),
            )
            self.log.info(
                "{domain}: its MTA-STS policy says {mode}",
                domain=domain,
                mode=policy.mode.value,
            )
        finally:
            for done in self._fetching.pop(domain):
                done.callback(None)
