"""From a domain to hosts."""

from __future__ import annotations

from ipaddress import ip_network
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import (
    DNSTrouble,
    MailkitError,
    NoSuchHost,
    Refused,
    Unavailable,
    Unreachable,
)
from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.model.address import DomainName, fold_domain
from mailkit.model.tlspolicy import OPPORTUNISTIC, TLSLevel, TLSPolicy
from mailkit.services.queue.hosts import Hosts, Limits, read_literal
from mailkit.testing.at_once import at_once
from mailkit.testing.dns import DictResolver

US = "mail.example.org"
ZONE = """
    plain.test. A 192.0.2.1
    plain.test. AAAA 2001:db8::1
    ordered.test. MX 20 b.ordered.test.
    ordered.test. MX 10 a.ordered.test.
    ordered.test. MX 30 c.ordered.test.
    a.ordered.test. A 192.0.2.11
    b.ordered.test. A 192.0.2.12
    b.ordered.test. AAAA 2001:db8::12
    b.ordered.test. A 192.0.2.13
    c.ordered.test. A 192.0.2.14
    null.test. MX 0 .
    null.test. A 192.0.2.1
    halfnull.test. MX 0 .
    halfnull.test. MX 10 a.ordered.test.
    empty.test. TXT "nothing"
    gone.test. MX 10 mx.gone.test.
    partly.test. MX 10 mx.gone.test.
    partly.test. MX 20 a.ordered.test.
    backup.test. MX 10 a.ordered.test.
    backup.test. MX 20 mail.example.org.
    backup.test. MX 20 b.ordered.test.
    backup.test. MX 30 c.ordered.test.
    best.test. MX 10 MAIL.example.org.
    best.test. MX 20 a.ordered.test.
    listening.test. MX 10 a.ordered.test.
    listening.test. MX 20 us.test.
    listening.test. MX 30 c.ordered.test.
    us.test. A 192.0.2.99
    inside.test. MX 10 inner.test.
    inner.test. A 10.0.0.1
    inner.test. AAAA ::1
    mixed.test. MX 10 inner.test.
    mixed.test. MX 20 a.ordered.test.
    alias.test. CNAME plain.test.
    xn--bcher-kva.test. MX 10 a.ordered.test.
"""


def hosts(zone: str = ZONE, **more: Any) -> Hosts:
    # Any: what Hosts is given, whichever the test is about
    return Hosts(DictResolver(zone), US, **{"shuffle": list.sort, **more})


def found(domain: str, **more: Any) -> list[str]:
    # Any: see `hosts`
    of = at_once(hosts(**more).of(fold_domain(domain)))
    return [f"{one.name} {one.address}" for one in of]


@pytest.mark.parametrize(
    ("domain", "addresses"),
    [
        ("plain.test", ["plain.test 2001:db8::1", "plain.test 192.0.2.1"]),
        ("alias.test", ["alias.test 2001:db8::1", "alias.test 192.0.2.1"]),
        (
            "Ordered.Test.",
            [
                "a.ordered.test 192.0.2.11",
                "b.ordered.test 2001:db8::12",
                "b.ordered.test 192.0.2.12",
                "b.ordered.test 192.0.2.13",
                "c.ordered.test 192.0.2.14",
            ],
        ),
        ("halfnull.test", ["a.ordered.test 192.0.2.11"]),
        ("partly.test", ["a.ordered.test 192.0.2.11"]),
        # We are one of two at 20: neither the other nor any after (RFC 5321 §5.1).
        ("backup.test", ["a.ordered.test 192.0.2.11"]),
        ("mixed.test", ["a.ordered.test 192.0.2.11"]),
        ("bücher.test", ["a.ordered.test 192.0.2.11"]),
        ("[192.0.2.7]", ["192.0.2.7 192.0.2.7"]),
        ("[IPv6:2001:DB8:0::7]", ["2001:db8::7 2001:db8::7"]),
    ],
)
def test_hosts_in_order(domain: str, addresses: list[str]) -> None:
    assert found(domain) == addresses


@pytest.mark.parametrize(
    ("domain", "status"),
    [
        ("no.such.test", "5.1.2"),
        ("empty.test", "5.1.2"),
        ("null.test", "5.1.10"),
        ("gone.test", "5.4.4"),
        ("best.test", "5.4.6"),
        ("inside.test", "5.4.4"),
        ("a..test", "5.1.2"),
        ("", "5.1.2"),
        ("[192.0.2.256]", "5.1.2"),
        ("[2001:db8::1]", "5.1.2"),
        ("[IPv6:192.0.2.1]", "5.1.2"),
        ("[IPv6:fe80::1%eth0]", "5.1.2"),
        ("[x400:c=gb]", "5.1.2"),
        ("[127.0.0.1]", "5.4.4"),
    ],
)
def test_domains_that_take_no_mail(domain: str, status: str) -> None:
    with pytest.raises(NoSuchHost) as caught:
        found(domain)
    assert caught.value.status == status
    assert str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.9.8.7",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.31.0.1",
        "192.168.1.1",
        "224.0.0.5",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "fd00::1",
        "fe80::1",
        "ff02::1",
    ],
)
def test_addresses_that_no_mail_is_sent_to(address: str) -> None:
    kind = "AAAA" if ":" in address else "A"
    with pytest.raises(NoSuchHost, match="leads to addresses") as caught:
        found("evil.test", zone=f"evil.test. {kind} {address}")
    assert caught.value.status == "5.4.4"


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_addresses_that_mail_is_sent_to(address: str) -> None:
    kind = "AAAA" if ":" in address else "A"
    [one] = found("good.test", zone=f"good.test. {kind} {address}")
    assert one.startswith("good.test ")


def test_networks_that_are_allowed_although_private() -> None:
    allow = (ip_network("10.0.0.0/8"),)
    assert found("inside.test", allow=allow) == ["inner.test 10.0.0.1"]


def is_own(address: str, port: int) -> bool:
    return (address, port) == ("192.0.2.99", 25)


def test_an_address_where_we_listen_is_our_own_host() -> None:
    listed = ["a.ordered.test 192.0.2.11"]
    assert found("listening.test", is_own=is_own) == listed
    assert len(found("listening.test", is_own=is_own, port=26)) == 3
    with pytest.raises(NoSuchHost) as caught:
        found("us.test", is_own=is_own)
    assert caught.value.status == "5.4.6"


def test_equals_of_ourselves_by_address_are_not_tried_either() -> None:
    zone = """
        e.test. MX 10 a.test.
        e.test. MX 10 us.test.
        a.test. A 192.0.2.1
        us.test. A 192.0.2.99
    """
    with pytest.raises(NoSuchHost) as caught:
        found("e.test", zone=zone, is_own=is_own)
    assert caught.value.status == "5.4.6"


def test_equals_come_in_random_order() -> None:
    zone = "".join(f"e.test. MX 10 {n}.test.\n{n}.test. A 192.0.2.{n}\n" for n in "123")
    first: set[str] = set()
    for seed in range(20):
        first.add(found("e.test", zone=zone, shuffle=Random(seed).shuffle)[0])
    assert len(first) == 3


def test_limits() -> None:
    zone = "".join(
        f"many.test. MX {n} mx{n}.many.test.\n"
        + "".join(f"mx{n}.many.test. A 192.0.2.{n * 10 + m}\n" for m in range(5))
        for n in range(1, 20)
    )
    resolver = DictResolver(zone)
    of = Hosts(resolver, US, list.sort, limits=Limits(hosts=3, addresses=2))
    tried = at_once(of.of(DomainName("many.test")))
    assert [one.name for one in tried] == [
        f"mx{n}.many.test" for n in (1, 1, 2, 2, 3, 3)
    ]
    assert len(resolver.asked) == 1 + 3 * 2


def test_lookups_of_hosts_without_addresses_are_limited_too() -> None:
    zone = "".join(f"many.test. MX {n} mx{n}.many.test.\n" for n in range(50))
    resolver = DictResolver(zone)
    with pytest.raises(NoSuchHost):
        at_once(Hosts(resolver, US, list.sort).of(DomainName("many.test")))
    assert len(resolver.asked) == 1 + 12 * 2


def test_both_families_in_turn() -> None:
    zone = "".join(
        f"d.test. A 192.0.2.{n}\nd.test. AAAA 2001:db8::{n}\n" for n in range(1, 6)
    )
    families = [":" in one for one in found("d.test", zone=zone)]
    assert families == [True, False, True, False]


@pytest.mark.parametrize("name", ["ordered.test", "plain.test"])
def test_no_name_server_answers(name: str) -> None:
    resolver = DictResolver(ZONE)
    resolver.fail()
    with pytest.raises(DNSTrouble):
        at_once(Hosts(resolver, US, list.sort).of(DomainName(name)))


def test_no_answer_about_one_host_leaves_the_others() -> None:
    resolver = DictResolver(ZONE)
    resolver.fail("a.ordered.test")
    of = Hosts(resolver, US, list.sort)
    names = [one.name for one in at_once(of.of(DomainName("ordered.test")))]
    assert names[0] == "b.ordered.test"
    # Where nobody else is left, it is waited for; nobody is sent away for it.
    with pytest.raises(DNSTrouble):
        at_once(of.of(DomainName("backup.test")))


def test_each_host_has_its_policy() -> None:
    asked: list[tuple[str, int, str]] = []
    strict = TLSPolicy(level=TLSLevel.PKIX, origin="mta-sts")

    async def policy_of(
        domain: DomainName, answer: Answer[MXRecord], host: str
    ) -> TLSPolicy:
        asked.append((domain, len(answer.records), host))
        if host == "b.ordered.test":
            raise Unavailable("its policy is out of reach")
        return strict if host == "a.ordered.test" else OPPORTUNISTIC

    of = at_once(hosts(policy_of=policy_of).of(DomainName("ordered.test")))
    assert [(one.name, one.policy) for one in of] == [
        ("a.ordered.test", strict),
        ("c.ordered.test", OPPORTUNISTIC),
    ]
    assert asked[0] == ("ordered.test", 3, "a.ordered.test")


def test_hosts_that_a_policy_does_not_name_come_last() -> None:
    """They are for mail that says TLS-Required: No (RFC 8689 §4.2.2)."""

    async def policy_of(
        domain: DomainName, answer: Answer[MXRecord], host: str
    ) -> TLSPolicy:
        is_named = host == "c.ordered.test"
        return TLSPolicy(origin="mta-sts", mismatch="" if is_named else "not there")

    search = hosts(policy_of=policy_of, limits=Limits(hosts=1))
    of = at_once(search.of(DomainName("ordered.test")))
    assert list(dict.fromkeys(one.name[0] for one in of)) == ["c", "a", "b"]


@pytest.mark.parametrize("error", [Unavailable("dark"), Refused("not in the policy")])
def test_hosts_that_no_policy_lets_us_use_are_waited_for(error: MailkitError) -> None:
    async def policy_of(
        domain: DomainName, answer: Answer[MXRecord], host: str
    ) -> TLSPolicy:
        raise error

    with pytest.raises(Unreachable, match=f"a.ordered.test: {error}"):
        at_once(hosts(policy_of=policy_of).of(DomainName("halfnull.test")))


@given(st.text(max_size=60))
def test_whatever_is_asked_for_there_are_hosts_or_an_error(domain: str) -> None:
    try:
        at_once(hosts("plain.test. A 192.0.2.1").of(fold_domain(domain)))
    except NoSuchHost as error:
        assert error.status.startswith("5.")


@given(st.text(max_size=40))
def test_literals_of_any_kind(text: str) -> None:
    address = read_literal(f"[{text}]")
    assert address is None or address.replace(":", "").replace(".", "").isalnum()
