"""How hosts have to be protected: DANE (RFC 7672), MTA-STS (RFC 8461), the config."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailkit.errors import DNSTrouble, StorageFull, Unavailable
from mailkit.interfaces.policies import IPolicyFetch, IPolicyStore, KeptPolicy
from mailkit.model.address import DomainName
from mailkit.model.tlspolicy import OPPORTUNISTIC, TLSLevel, TLSPolicy
from mailkit.services.tlspolicies import (
    ASKED_AGAIN,
    FETCHED_AGAIN,
    MANY,
    PAGE,
    TLSPolicies,
)
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.dns import DictResolver

DOMAIN = DomainName("example.net")
POLICY = b"version: STSv1\nmode: enforce\nmx: mx.example.net\nmax_age: 604800\n"
WEEK = 604_800.0
RECORDS = """
    example.net.          MX  10 mx.example.net.
    mx.example.net.       A   192.0.2.1
"""
STS = '_mta-sts.example.net. TXT "v=STSv1; id=1;"'
TLSA = "_25._tcp.mx.example.net. TLSA 3 1 1 " + "ab" * 32
PKIX = TLSPolicy(level=TLSLevel.PKIX, names=("mx.example.net",), origin="mta-sts")


@implementer(IPolicyStore, IPolicyFetch)
class World:
    """Others' DNS and web servers, and what we remember of them."""

    def __init__(self, *, authentic: bool = False) -> None:
        self.clock = TestClock()
        self.resolver = DictResolver(RECORDS, authentic)
        self.kept: dict[DomainName, KeptPolicy] = {}
        self.served: bytes | None = POLICY
        self.fetched: list[str] = []
        self.held: list[Deferred[None]] | None = None
        self.is_full = False
        self.silent: set[str] = set()
        """Whose web servers are waited for, if any are; empty: all."""
        self.policies = TLSPolicies(self.resolver, self, self, self.clock.seconds)

    async def policy(self, domain: DomainName) -> KeptPolicy | None:
        return self.kept.get(domain)

    async def keep(self, domain: DomainName, policy: KeptPolicy) -> None:
        if self.is_full:
            raise StorageFull("the disk")
        self.kept[domain] = policy

    async def old(
        self, before: float, after: DomainName, most: int
    ) -> Sequence[DomainName]:
        old = [name for name, kept in self.kept.items() if kept.fetched < before]
        return sorted(name for name in old if name > after)[:most]

    async def fetch(self, domain: str) -> bytes:
        self.fetched.append(domain)
        if self.held is not None and (not self.silent or domain in self.silent):
            self.held.append(Deferred())
            await self.held[-1]
        if self.served is None:
            raise Unavailable("404")
        return self.served

    async def ask(self, host: str = "mx.example.net") -> TLSPolicy:
        answer = await self.resolver.mx(DOMAIN)
        return await self.policies.of(DOMAIN, answer, host)

    def of(self, host: str = "mx.example.net") -> TLSPolicy:
        return at_once(self.ask(host))


@pytest.fixture
def world() -> World:
    return World()


def test_where_nobody_asks_for_anything(world: World) -> None:
    assert world.of() is OPPORTUNISTIC
    assert world.fetched == []


# -- the config


@pytest.mark.parametrize("name", ["example.net", ".net"])
def test_the_config_asks_for_tls(world: World, name: str) -> None:
    world.policies.required = {name}
    assert world.of() == TLSPolicy(level=TLSLevel.ENCRYPT, origin="config")


@pytest.mark.parametrize("name", ["net", "xample.net", ".example.net", "other.net"])
def test_of_others_it_does_not(world: World, name: str) -> None:
    world.policies.required = {name}
    assert world.of() is OPPORTUNISTIC


def test_a_stricter_policy_stays(world: World) -> None:
    world.policies.required = {DOMAIN}
    world.resolver.add(STS)
    assert world.of() == evolve(PKIX, is_required=True)
    world.clock.advance(FETCHED_AGAIN + 1)
    world.served = POLICY.replace(b"enforce", b"testing")
    assert world.of() == TLSPolicy(level=TLSLevel.ENCRYPT, origin="config")


def test_what_is_left_for_mail_that_minds_no_domain() -> None:
    """RFC 8689 §4.2.2: but for what our own config demands."""
    assert PKIX.of_ours() is OPPORTUNISTIC
    assert evolve(PKIX, mismatch="not it").of_ours() is OPPORTUNISTIC
    required = TLSPolicy(level=TLSLevel.ENCRYPT, origin="config")
    assert evolve(PKIX, is_required=True).of_ours() == required
    assert required.of_ours() is required
    route = TLSPolicy(level=TLSLevel.PKIX, names=("a",), origin="route")
    assert route.of_ours() is route


# -- MTA-STS


def test_a_policy_is_fetched_once(world: World) -> None:
    world.resolver.add(STS)
    assert world.of() == PKIX
    assert world.of() == PKIX
    assert world.fetched == ["example.net"]
    assert world.kept[DOMAIN] == KeptPolicy(
        id="1",
        octets=POLICY,
        fetched=world.clock.seconds(),
        expires=world.clock.seconds() + WEEK,
    )


def test_a_host_that_is_not_in_it(world: World) -> None:
    """RFC 8461 §5: nothing goes there; while that is tried out, it is counted."""
    world.resolver.add(STS)
    policy = world.of("mx.evil.example")
    words = "mx.evil.example is not in the MTA-STS policy of example.net"
    assert (policy.origin, policy.mismatch) == ("mta-sts", words)
    assert policy.is_barred
    world.policies.required = {DOMAIN}
    assert world.of("mx.evil.example").is_barred
    world.policies.required = ()
    world.served = POLICY.replace(b"enforce", b"testing")
    world.clock.advance(FETCHED_AGAIN + 1)
    policy = world.of("mx.evil.example")
    assert (policy.is_testing, policy.mismatch) == (True, words)
    assert not policy.is_barred
    assert world.of().is_testing
    assert not world.of().mismatch


def test_a_policy_that_ends_the_policy(world: World) -> None:
    world.resolver.add(STS)
    assert world.of() == PKIX
    world.resolver.drop("_mta-sts.example.net")
    world.resolver.add(STS.replace("id=1", "id=2"))
    world.served = b"version: STSv1\nmode: none\nmax_age: 86400\n"
    assert world.of() is OPPORTUNISTIC
    assert len(world.fetched) == 2


@pytest.mark.parametrize("trouble", ["no record", "no DNS", "no page", "a bad page"])
def test_what_was_known_holds_until_it_expires(world: World, trouble: str) -> None:
    world.resolver.add(STS)
    assert world.of() == PKIX
    match trouble:
        case "no record":
            world.resolver.drop("_mta-sts.example.net")
        case "no DNS":
            world.resolver.fail("_mta-sts.example.net")
        case "no page":
            world.served = None
        case _:
            world.served = b"<html>"
    world.clock.advance(WEEK - 1)
    assert world.of() == PKIX
    world.clock.advance(ASKED_AGAIN)
    assert world.of() is OPPORTUNISTIC


def test_a_page_that_is_not_there_is_not_asked_for_again_and_again(
    world: World,
) -> None:
    world.resolver.add(STS)
    world.served = None
    for _ in range(3):
        assert world.of() is OPPORTUNISTIC
    assert len(world.fetched) == 1
    world.clock.advance(ASKED_AGAIN)
    world.served = POLICY
    assert world.of() == PKIX


def test_many_who_ask_wait_for_one(world: World) -> None:
    world.resolver.add(STS)
    world.held = []
    asked = [Deferred.fromCoroutine(world.ask()) for _ in range(3)]
    [held] = world.held
    held.callback(None)
    assert [at_once(_result(one)) for one in asked] == [PKIX] * 3
    assert len(world.fetched) == 1


async def _result(asked: Deferred[TLSPolicy]) -> TLSPolicy:
    return await asked


def test_policies_are_fetched_before_they_expire(world: World) -> None:
    world.resolver.add(STS)
    world.of()
    assert at_once(world.policies.refresh()) == 0
    world.clock.advance(FETCHED_AGAIN + 1)
    assert at_once(world.policies.refresh()) == 1
    assert len(world.fetched) == 2
    assert at_once(world.policies.refresh()) == 0


def many_old(world: World, count: int) -> None:
    """Policies of many domains that are due to be fetched anew."""
    for number in range(count):
        name = f"d{number:04}.example"
        world.resolver.add(f'_mta-sts.{name}. TXT "v=STSv1; id=1;"')
        kept = KeptPolicy(id="1", octets=POLICY, fetched=0.0, expires=WEEK * 99_999)
        world.kept[DomainName(name)] = kept


def test_all_that_are_due_are_fetched(world: World) -> None:
    many_old(world, PAGE + 5)
    assert at_once(world.policies.refresh()) == PAGE + 5
    assert len(set(world.fetched)) == len(world.fetched) == PAGE + 5
    assert at_once(world.policies.refresh()) == 0


def test_those_that_fail_hold_up_nobody_for_good(world: World) -> None:
    many_old(world, PAGE + 5)
    world.served = None
    assert at_once(world.policies.refresh()) == PAGE + 5
    assert len(world.fetched) == PAGE + 5


def test_a_silent_web_server_holds_up_none_of_the_others(world: World) -> None:
    many_old(world, 50)
    world.silent = {"d0000.example", "d0001.example"}
    world.held = []
    refreshing = Deferred.fromCoroutine(world.policies.refresh())
    assert len(world.fetched) == 50
    assert not refreshing.called
    for held in world.held:
        held.callback(None)
    assert refreshing.called


def test_a_full_disk_is_not_asked_for_each(world: World) -> None:
    many_old(world, 50)
    world.is_full = True
    assert at_once(world.policies.refresh()) == 50
    assert len(world.fetched) == MANY


def test_literals_have_no_policies(world: World) -> None:
    answer = at_once(world.resolver.mx("example.org"))
    literal = DomainName("[192.0.2.1]")
    asked = world.policies.of(literal, answer, "192.0.2.1")
    assert at_once(asked) is OPPORTUNISTIC


# -- DANE


@pytest.fixture
def secure() -> World:
    made = World(authentic=True)
    made.resolver.add(TLSA)
    made.resolver.add(STS)
    return made


def test_dane_comes_first(secure: World) -> None:
    policy = secure.of()
    assert (policy.level, policy.origin) == (TLSLevel.DANE, "dane")
    assert policy.names == ("mx.example.net", "example.net")
    [record] = policy.tlsa
    assert (record.usage, record.selector, record.matching_type) == (3, 1, 1)
    assert record.association == b"\xab" * 32
    assert secure.fetched == []


@pytest.mark.parametrize(
    "name", ["example.net", "mx.example.net", "_25._tcp.mx.example.net"]
)
def test_without_dnssec_for_all_of_it_there_is_no_dane(
    secure: World, name: str
) -> None:
    secure.resolver.distrust(name)
    assert secure.of() == PKIX


def test_no_records(secure: World) -> None:
    secure.resolver.drop("_25._tcp.mx.example.net")
    assert secure.of() == PKIX


def test_records_of_no_use(secure: World) -> None:
    secure.resolver.drop("_25._tcp.mx.example.net")
    secure.resolver.add(TLSA.replace("3 1 1", "1 1 1"))
    assert secure.of() == TLSPolicy(level=TLSLevel.ENCRYPT, origin="dane")
    secure.resolver.add(TLSA)
    assert len(secure.of().tlsa) == 1


def test_trouble_with_tlsa_is_no_licence(secure: World) -> None:
    # RFC 7672 §2.2: else whoever stops the answer stops DANE.
    secure.resolver.fail("_25._tcp.mx.example.net")
    with pytest.raises(DNSTrouble):
        secure.of()


def test_where_an_alias_leads(secure: World) -> None:
    secure.resolver.drop("mx.example.net")
    secure.resolver.add(
        """
        mx.example.net.   CNAME real.example.net.
        real.example.net. A     192.0.2.2
        """
    )
    assert secure.of().names == ("mx.example.net", "example.net")
    secure.resolver.add(TLSA.replace("mx.", "real."))
    names = secure.of().names
    assert names == ("real.example.net", "mx.example.net", "example.net")


def test_the_domain_itself_may_be_an_alias(secure: World) -> None:
    """RFC 7672 §3.2.2: the next hop, as it was asked for and where that led."""
    secure.resolver.drop("example.net")
    secure.resolver.add(
        """
        example.net.  CNAME other.example.
        other.example. MX   10 mx.example.net.
        """
    )
    names = ("mx.example.net", "example.net", "other.example")
    assert secure.of().names == names
