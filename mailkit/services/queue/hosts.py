"""
From a domain to the hosts that take its mail, in the order in which they are tried.

RFC 5321 §5.1: mail exchangers by preference and at random among equals, the domain
itself where it has none; never ourselves, nor anybody of equal or less preference. An
address literal is its own host. Addresses that no server in public has are left out:
else whoever writes DNS records would reach into our network.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv6Address, ip_address
from itertools import chain, groupby, islice, zip_longest

from attrs import define, field, frozen

from mailkit.errors import DNSTrouble, NoSuchHost, Refused, Unavailable, Unreachable
from mailkit.interfaces.queue import NextHost
from mailkit.interfaces.resolver import Answer, IResolver, MXRecord
from mailkit.model.address import DomainName, a_labels
from mailkit.model.inward import Network, may_be_reached
from mailkit.model.tlspolicy import OPPORTUNISTIC, TLSPolicy

PolicyOf = Callable[[DomainName, Answer[MXRecord], str], Awaitable[TLSPolicy]]
"""How a host of a domain has to be protected, with the answer that named it: `NextHost`
names are given. May raise `Unavailable`, so that the host is passed over for now."""

Shuffle = Callable[[list[MXRecord]], object]
"""Puts a list into random order."""


@frozen
class Limits:
    """How far one search goes."""

    lookups: int = 12
    """Mail exchangers whose addresses are asked for."""
    hosts: int = 5
    """Hosts that are tried in one attempt."""
    addresses: int = 4
    """Addresses that are tried of one host."""


async def opportunistic(
    domain: DomainName, answer: Answer[MXRecord], host: str
) -> TLSPolicy:
    """The policy of everybody, where nobody knows better."""
    return OPPORTUNISTIC


def nobody(address: str, port: int) -> bool:
    """Where we listen, if we do not listen."""
    return False


@define(eq=False)
class Hosts:
    """
    Finds hosts; keeps nothing, as the resolver does.

    :param hostname: what we are called, as mail exchangers are.
    :param shuffle: puts a list into random order.
    :param allow: networks that DNS may name although they are private.
    :param is_own: whether an address and a port are where we listen ourselves.
    """

    _resolver: IResolver
    _hostname: str
    _shuffle: Shuffle
    _policy_of: PolicyOf = opportunistic
    _allow: Sequence[Network] = ()
    _port: int = 25
    _is_own: Callable[[str, int], bool] = nobody
    _limits: Limits = Limits()

    async def of(self, domain: DomainName) -> Sequence[NextHost]:
        """
        The hosts of a domain, at least one, each at one address.

        :raises NoSuchHost: if the domain will not take mail, or only by way of us.
        :raises DNSTrouble: if that cannot be known at present.
        :raises Unreachable: if there are hosts that may not be used at present.
        """
        if domain.startswith("["):
            return await self._literal(domain)
        name = a_labels(domain)
        if name is None:
            raise NoSuchHost(f"{domain} is not the name of a domain")
        answer: Answer[MXRecord] = await self._resolver.mx(name)
        records = list(answer.records)
        if not records:
            if not answer.exists:
                raise NoSuchHost(f"there is no domain {domain}")
            return await self._implicit(domain, name, answer)
        if all(not record.host for record in records):
            raise NoSuchHost(f"{domain} takes no mail (null MX)", "5.1.10")
        exchangers = [record for record in records if record.host]
        return await self._exchangers(domain, exchangers, answer)

    async def _literal(self, domain: DomainName) -> Sequence[NextHost]:
        """An address instead of a name (RFC 5321 §4.1.3)."""
        address = read_literal(domain)
        if address is None:
            raise NoSuchHost(f"{domain} is not an address")
        answer: Answer[MXRecord] = Answer(records=(), name=domain)
        search = _Search(domain, answer)
        await self._take(search, address, [address])
        return search.ended()

    async def _implicit(
        self, domain: DomainName, name: str, answer: Answer[MXRecord]
    ) -> Sequence[NextHost]:
        """No mail exchangers: the domain is a host (RFC 5321 §5.1)."""
        addresses: Answer[str] = await self._resolver.addresses(name)
        if not addresses.records:
            raise NoSuchHost(f"{domain} has neither mail exchanger nor address")
        search = _Search(domain, answer)
        await self._take(search, name, addresses.records)
        return search.ended()

    async def _exchangers(
        self, domain: DomainName, records: list[MXRecord], answer: Answer[MXRecord]
    ) -> Sequence[NextHost]:
        search = _Search(domain, answer)
        left = self._limits.lookups
        for _, group in groupby(sorted(records), key=_preference):
            equals = list(group)
            if any(_is_same(record.host, self._hostname) for record in equals):
                search.is_loop = True
                break
            self._shuffle(equals)
            before = len(search.found)
            for record in equals[:left]:
                if len(search.names) < self._limits.hosts:
                    left -= 1
                    await self._look_up(search, record.host)
            if search.is_loop:
                del search.found[before:]
                break
        return search.ended()

    async def _look_up(self, search: _Search, host: str) -> None:
        try:
            answer: Answer[str] = await self._resolver.addresses(host)
        except DNSTrouble as error:
            search.trouble = error
            return
        await self._take(search, host, answer.records)

    async def _take(self, search: _Search, host: str, addresses: Sequence[str]) -> None:
        """Add what of a host may be tried."""
        if any(self._is_own(address, self._port) for address in addresses):
            search.is_loop = True
            return
        usable = [one for one in addresses if may_be_reached(one, self._allow)]
        if len(usable) < len(addresses):
            search.inward.update(set(addresses).difference(usable))
        if not usable:
            return
        try:
            policy = await self._policy_of(search.domain, search.answer, host)
        except (Unavailable, Refused) as error:
            search.passed_over = f"{host}: {error}"
            return
        if not policy.is_barred:
            search.names.add(host)
        search.found += [
            NextHost(name=host, address=address, port=self._port, policy=policy)
            for address in islice(_alternating(usable), self._limits.addresses)
        ]


@define(eq=False)
class _Search:
    """What was found so far, and why not more."""

    domain: DomainName
    answer: Answer[MXRecord]
    found: list[NextHost] = field(factory=list)
    names: set[str] = field(factory=set)
    inward: set[str] = field(factory=set)
    is_loop: bool = False
    trouble: DNSTrouble | None = None
    passed_over: str = ""

    def ended(self) -> Sequence[NextHost]:
        """
        The hosts; where there are none, the reason that leaves most hope is told.

        Those that a policy bars come last: they are for mail that does not mind
        (RFC 8689 §4.2.2).

        :raises NoSuchHost: :raises DNSTrouble: :raises Unreachable:
        """
        if self.found:
            return sorted(self.found, key=_is_barred)
        if self.trouble is not None:
            raise self.trouble
        if self.passed_over:
            raise Unreachable(self.passed_over)
        if self.is_loop:
            raise NoSuchHost(f"mail for {self.domain} leads back to us", "5.4.6")
        if self.inward:
            listed = ", ".join(sorted(self.inward))
            raise NoSuchHost(
                f"{self.domain} leads to addresses that no mail is sent to: {listed}",
                "5.4.4",
            )
        raise NoSuchHost(f"no mail exchanger of {self.domain} has an address", "5.4.4")


def read_literal(domain: str) -> str | None:
    """The address in an address literal (RFC 5321 §4.1.3); ``None`` if it is none."""
    text = domain.removeprefix("[").removesuffix("]")
    is_ipv6 = text[:5].lower() == "ipv6:"
    try:
        address = ip_address(text[5:] if is_ipv6 else text)
    except ValueError:
        return None
    if is_ipv6 != isinstance(address, IPv6Address) or "%" in text:
        return None
    return str(address)


def _alternating(addresses: Sequence[str]) -> Iterable[str]:
    """IPv6 and IPv4 in turn, so that one of them may be missing here."""
    newer = [address for address in addresses if ":" in address]
    older = [address for address in addresses if ":" not in address]
    pairs = zip_longest(newer, older)
    return (one for one in chain.from_iterable(pairs) if one is not None)


def _is_barred(host: NextHost) -> bool:
    return host.policy.is_barred


def _preference(record: MXRecord) -> int:
    return record.preference


def _is_same(host: str, other: str) -> bool:
    return host.rstrip(".").lower() == other.lower()
