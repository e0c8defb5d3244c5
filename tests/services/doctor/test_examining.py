"""A domain as DNS has it, asked about as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import define, evolve
from zope.interface import implementer

from mailkit.errors import Unavailable
from mailkit.formats.dnsrecords import MailHost, mail_records, zone_file
from mailkit.interfaces.policies import IPolicyFetch
from mailkit.model.dnsrecord import DNSRecord
from mailkit.model.tlspolicy import TLSARecord
from mailkit.services.doctor.examining import Doctor, listing_name, text_of
from mailkit.services.doctor.finding import Finding, State
from mailkit.testing.at_once import at_once
from mailkit.testing.dns import DictResolver
from mailkit.trust.dkim.keys import Algorithm, SigningKey, make_key

US, ADDRESS = "a.test", "203.0.113.5"
KEYS = [
    SigningKey(US, name, make_key(algorithm))
    for name, algorithm in (("r1", Algorithm.RSA), ("e1", Algorithm.ED25519))
]
HOST = MailHost(
    hostname="mail.a.test",
    addresses=(ADDRESS,),
    ports={"imaps": 993, "submissions": 465},
    tlsa=(TLSARecord(3, 1, 1, b"\1" * 32),),
    sts="abc",
    has_web=True,
)
OURS = mail_records(US, HOST, [(key.selector, key.record) for key in KEYS])
AROUND = """
5.113.0.203.in-addr.arpa. PTR mail.a.test.
org. NS a.org.
"""
POLICY = b"version: STSv1\nmode: enforce\nmx: mail.a.test\nmax_age: 604800\n"


@implementer(IPolicyFetch)
@define
class Page:
    """The policy as it is served."""

    octets: bytes | None = POLICY

    async def fetch(self, domain: str) -> bytes:
        if self.octets is None:
            raise Unavailable("https://mta-sts.a.test answers 404")
        return self.octets


def world(
    records: Sequence[DNSRecord] = OURS, host: MailHost = HOST, page: Page | None = None
) -> tuple[Doctor, DictResolver]:
    resolver = DictResolver(zone_file(records) + AROUND, authentic=True)
    return Doctor(resolver, page or Page(), host), resolver


def examine(doctor: Doctor, ours: Sequence[DNSRecord] = OURS) -> dict[str, Finding]:
    found = [*at_once(doctor.domain(US, ours)), *at_once(doctor.host())]
    return {finding.subject: finding for finding in found}


def changed(kind: str, name: str = "", value: str | None = None) -> list[DNSRecord]:
    """Our records, without those of a kind at a name, or with another value."""
    kept: list[DNSRecord] = []
    for record in OURS:
        if record.kind == kind and record.name.startswith(name):
            if value is not None:
                kept.append(evolve(record, value=value))
        else:
            kept.append(record)
    return kept


def test_what_we_print_is_as_it_should_be() -> None:
    found = examine(world()[0])
    assert {finding.state for finding in found.values()} == {State.GOOD}
    assert list(found) == [
        "MX", "SPF", "DKIM r1", "DKIM e1", "DMARC", "MTA-STS", "TLS-RPT", "SRV",
        "address", "PTR 203.0.113.5", "TLSA", "DNSSEC",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "subject", "state", "words"),
    [
        (changed("MX"), "MX", State.WRONG, "there is none"),
        (changed("TXT", US), "SPF", State.WRONG, "nobody"),
        (changed("TXT", "e1."), "DKIM e1", State.WRONG, "not in DNS"),
        (changed("TXT", "_dmarc"), "DMARC", State.WRONG, "there is none"),
        (changed("TXT", "_mta-sts"), "MTA-STS", State.WRONG, "not announced"),
        (
            changed("TXT", "_mta-sts", '"v=STSv1; id=old;"'),
            "MTA-STS", State.NOTE, "the id in DNS (old)",
        ),
        (changed("TXT", "_smtp._tls"), "TLS-RPT", State.NOTE, "nobody"),
        (changed("SRV", "_imaps"), "SRV _imaps", State.NOTE, "do not find it"),
        (changed("A"), "address", State.WRONG, "no address"),
        (changed("TLSA"), "TLSA", State.NOTE, "not offered"),
    ],
)  # fmt: skip
def test_what_is_missing(
    records: list[DNSRecord], subject: str, state: State, words: str
) -> None:
    finding = examine(world(records)[0])[subject]
    assert (finding.state, words in finding.words) == (state, True), finding
    assert finding.next_step


@pytest.mark.parametrize(
    ("octets", "state", "words"),
    [
        (None, State.WRONG, "cannot be had: https://mta-sts.a.test answers 404"),
        (b"rubbish\n", State.WRONG, "cannot be had: a line of the policy"),
        (POLICY.replace(b"mail", b"b"), State.WRONG, "names b.a.test"),
        (POLICY.replace(b"enforce", b"testing"), State.NOTE, "mode: testing"),
        (POLICY.replace(b"enforce", b"none"), State.NOTE, "mode: none"),
    ],
)
def test_the_policy_itself(octets: bytes | None, state: State, words: str) -> None:
    finding = examine(world(page=Page(octets))[0])["MTA-STS"]
    assert (finding.state, words in finding.words) == (state, True), finding


def test_a_server_without_web_pages() -> None:
    host = evolve(HOST, sts="")
    ours = mail_records(US, host)
    finding = examine(world(ours, host)[0], ours)["MTA-STS"]
    assert (finding.state, finding.words) == (
        State.NOTE,
        "others need not use TLS to us",
    )
    finding = examine(world(OURS, host)[0], ours)["MTA-STS"]
    assert (finding.state, finding.words) == (
        State.WRONG,
        "it is announced, and we serve none",
    )


def test_the_policy_of_the_domain_above() -> None:
    doctor, resolver = world()
    ours = mail_records("sub.a.test", HOST)
    found = {one.subject: one for one in at_once(doctor.domain("sub.a.test", ours))}
    assert found["DMARC"].words == "p=quarantine, by a.test"
    resolver.drop("_dmarc.a.test")
    found = {one.subject: one for one in at_once(doctor.domain("sub.a.test", ours))}
    assert found["DMARC"].state is State.WRONG
    assert ("_dmarc.test", "TXT") not in resolver.asked


def test_names_that_do_not_lead_back() -> None:
    doctor, resolver = world()
    resolver.drop("5.113.0.203.in-addr.arpa")
    assert examine(doctor)["PTR 203.0.113.5"].words == "it has no name"
    resolver.add("5.113.0.203.in-addr.arpa. PTR x.test.\nx.test. A 192.0.2.1")
    said = examine(doctor)["PTR 203.0.113.5"].words
    assert said == "x.test does not lead back to it"


def test_our_addresses_are_those_of_dns_where_the_config_names_none() -> None:
    host = evolve(HOST, addresses=())
    doctor, resolver = world(OURS, host)
    assert at_once(doctor.public()) == [ADDRESS]
    resolver.drop("mail.a.test")
    assert examine(doctor)["PTR"].state is State.UNKNOWN
    resolver.fail("mail.a.test")
    assert at_once(doctor.public()) == []


def test_without_dns_nothing_is_known() -> None:
    doctor, resolver = world()
    resolver.fail()
    found = examine(doctor)
    assert {finding.state for finding in found.values()} == {State.UNKNOWN}
    assert "PTR" in found
    assert at_once(doctor.exchangers(["b.test"])) == []


def test_blocklists() -> None:
    doctor, resolver = world()
    resolver.add(
        """
        5.113.0.203.bad.test. A 127.0.0.2
        5.113.0.203.bad.test. TXT "open relay"
        *.gone.test. A 127.0.0.2
        """
    )
    found = at_once(doctor.blocklists(["good.test", "bad.test", "gone.test"]))
    assert [(finding.state, finding.words) for finding in found] == [
        (State.GOOD, "203.0.113.5 is not on it"),
        (State.WRONG, "203.0.113.5 is on it (127.0.0.2): open relay"),
        (State.NOTE, "it lists everybody: it is a list no more"),
    ]


def test_where_lists_have_addresses() -> None:
    """RFC 5782 §2.1, §2.4."""
    assert listing_name("192.0.2.99", "l.test") == "99.2.0.192.l.test"
    name = listing_name("2001:db8::1", "l.test")
    assert name.startswith("1.0.0.0.0.0")
    assert name.endswith("8.b.d.0.1.0.0.2.l.test")


def test_mail_servers_to_be_tried() -> None:
    doctor, resolver = world()
    resolver.add(
        """
        b.test. MX 20 two.b.test.
        b.test. MX 10 one.b.test.
        b.test. MX 30 three.b.test.
        one.b.test. A 198.51.100.1
        one.b.test. A 198.51.100.9
        three.b.test. A 198.51.100.3
        """
    )
    found = at_once(doctor.exchangers(["b.test", "c.test"]))
    assert [name for name, _ in found] == ["one.b.test"]


def test_texts() -> None:
    assert text_of(DNSRecord("a", "TXT", '"a\\"b" "c"')) == 'a"bc'
