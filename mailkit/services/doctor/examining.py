"""Asks about a domain and about our addresses, and judges what is said."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Sequence
from ipaddress import ip_address
from typing import Any

from attrs import define
from twisted.internet.defer import Deferred, gatherResults

from mailkit.errors import DNSTrouble, Malformed, Unavailable
from mailkit.formats.dnsrecords import MailHost
from mailkit.interfaces.policies import IPolicyFetch
from mailkit.interfaces.resolver import IResolver
from mailkit.model.dnsrecord import DNSRecord
from mailkit.model.inward import may_be_reached
from mailkit.services.doctor import records
from mailkit.services.doctor.finding import Finding, good, note, unknown, wrong
from mailkit.services.together import each
from mailkit.trust.tls.mtasts import Mode, read_policy, read_record

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
Asked = Coroutine[Any, Any, list[Finding]]
Check = tuple[str, Asked]
"""What it is about, and what finds it out."""

ASK_AGAIN = "see whether DNS works: [dns] servers, then try again"
MOST_EXCHANGERS = 2


@define(eq=False)
class Doctor:
    """
    Examines domains of ours.

    :param host: the server, as its records are made.
    """

    _resolver: IResolver
    _fetch: IPolicyFetch
    _host: MailHost

    async def domain(self, name: str, ours: Sequence[DNSRecord]) -> list[Finding]:
        """
        :param name: A-labels.
        :param ours: its records as ``mailkit domain dns`` prints them.
        """
        checks: list[Check] = [
            ("MX", self._mx(name)),
            ("SPF", self._spf(name)),
            *(
                (f"DKIM {record.name.partition('.')[0]}", self._dkim(record))
                for record in ours
                if "._domainkey." in record.name
            ),
            ("DMARC", self._dmarc(name, ours)),
            ("MTA-STS", self._sts(name, ours)),
            ("TLS-RPT", self._tlsrpt(name, ours)),
            ("SRV", self._srv(ours)),
        ]
        return await _together(checks)

    async def host(self) -> list[Finding]:
        """What all of our domains have in common."""
        host = self._host.hostname
        checks: list[Check] = [
            ("address", self._addresses()),
            ("PTR", self._reverse()),
            ("TLSA", self._tlsa(host)),
            ("DNSSEC", self._validation()),
        ]
        return await _together(checks)

    async def blocklists(self, zones: Sequence[str]) -> list[Finding]:
        """Whether our public addresses stand on lists (RFC 5782)."""
        return await _together(
            [
                (f"blocklist {zone}", self._listing(address, zone))
                for address in await self.public()
                for zone in zones
            ]
        )

    async def exchangers(self, domains: Sequence[str]) -> list[tuple[str, str]]:
        """Mail servers of others, to be tried: names and addresses."""
        found = await each(self._exchangers_of(domain) for domain in domains)
        return [one for several in found for one in several]

    async def _exchangers_of(self, domain: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        try:
            exchangers = sorted((await self._resolver.mx(domain)).records)
            for one in exchangers[:MOST_EXCHANGERS]:
                addresses = (await self._resolver.ipv4(one.host)).records
                found += [(one.host, address) for address in addresses[:1]]
        except DNSTrouble:
            pass  # the others will do
        return found

    async def public(self) -> list[str]:
        """Our addresses that others see; none if DNS does not tell."""
        addresses = self._host.addresses
        if not addresses:
            try:
                answer = await self._resolver.addresses(self._host.hostname)
            except DNSTrouble:
                return []
            addresses = answer.records
        return [each for each in addresses if may_be_reached(each)]

    # -- records of a domain

    async def _mx(self, domain: str) -> list[Finding]:
        answer = await self._resolver.mx(domain)
        return [records.judge_mx(domain, self._host.hostname, answer)]

    async def _spf(self, domain: str) -> list[Finding]:
        answer = await self._resolver.txt(domain)
        public = await self.public()
        return [records.judge_spf(domain, self._host.hostname, public, answer)]

    async def _dkim(self, record: DNSRecord) -> list[Finding]:
        answer = await self._resolver.txt(record.name)
        return [records.judge_dkim(record.name, text_of(record), answer)]

    async def _dmarc(self, domain: str, ours: Sequence[DNSRecord]) -> list[Finding]:
        where = domain
        text = _find(ours, f"_dmarc.{domain}")
        answer = await self._resolver.txt(f"_dmarc.{domain}")
        while not answer.records and where.count(".") > 1:  # RFC 7489 §6.6.3
            where = where.partition(".")[2]
            answer = await self._resolver.txt(f"_dmarc.{where}")
        return [records.judge_dmarc(domain, where, answer, text)]

    async def _sts(self, domain: str, ours: Sequence[DNSRecord]) -> list[Finding]:
        """RFC 8461 §3: the record, then the policy itself."""
        subject, name = "MTA-STS", f"_mta-sts.{domain}"
        answer = await self._resolver.txt(name)
        id = read_record(answer.records)
        text = _find(ours, name)
        if not text:
            if id is None:
                step = 'serve the policy: [listen] https = ["tcp:443"]'
                return [note(subject, "others need not use TLS to us", step)]
            step = "turn on [listen] https and [web] mta_sts, or withdraw the record"
            return [wrong(subject, "it is announced, and we serve none", step)]
        step = records.publish(name, "TXT", f'"{text}"')
        if id is None:
            return [wrong(subject, "it is not announced in DNS", step)]
        try:
            policy = read_policy(await self._fetch.fetch(domain))
        except (Unavailable, Malformed) as error:
            words = f"the policy cannot be had: {error}"
            step = (
                f"point mta-sts.{domain} here, with a certificate for that name, and"
                " let port 443 through"
            )
            return [wrong(subject, words, step)]
        host = self._host.hostname
        if policy.mode is not Mode.NONE and not policy.allows(host):
            words = f"the policy names {', '.join(policy.mx)}, not {host}"
            return [wrong(subject, words, f"let mta-sts.{domain} lead to this server")]
        if policy.mode is not Mode.ENFORCE:
            words = f"the policy demands nothing yet (mode: {policy.mode.value})"
            step = 'a certificate that others can check, and [web] mta_sts = "enforce"'
            return [note(subject, words, step)]
        if id != read_record((text.encode(),)):
            words = f"the id in DNS ({id}) is not that of the policy"
            return [note(subject, words, step)]
        return [good(subject, f"enforced, for {', '.join(policy.mx)}")]

    async def _tlsrpt(self, domain: str, ours: Sequence[DNSRecord]) -> list[Finding]:
        name = f"_smtp._tls.{domain}"
        answer = await self._resolver.txt(name)
        return [records.judge_tlsrpt(domain, _find(ours, name), answer)]

    async def _srv(self, ours: Sequence[DNSRecord]) -> list[Finding]:
        found: list[Finding] = []
        for record in ours:
            if record.kind == "SRV":
                answer = await self._resolver.records(record.name, "SRV")
                finding = records.judge_srv(record.name, record.value, answer)
                found += [] if finding is None else [finding]
        return found or [good("SRV", "mail programs find our services")]

    # -- the host

    async def _addresses(self) -> list[Finding]:
        host = self._host
        answer = await self._resolver.addresses(host.hostname)
        return records.judge_host(host.hostname, answer, host.addresses)

    async def _reverse(self) -> list[Finding]:
        public = await self.public()
        if not public:
            words = "no public address of ours is known"
            return [unknown("PTR", words, "put it into [nameserver] addresses")]
        return [await self._reverse_of(address) for address in public]

    async def _reverse_of(self, address: str) -> Finding:
        names = await self._resolver.names_of(address)
        plain = ip_address(address)
        confirmed = [
            name
            for name in names.records
            if plain in map(ip_address, (await self._resolver.addresses(name)).records)
        ]
        return records.judge_reverse(address, self._host.hostname, names, confirmed)

    async def _tlsa(self, host: str) -> list[Finding]:
        name = f"_25._tcp.{host}"
        answer = await self._resolver.tlsa(name)
        return [records.judge_tlsa(name, self._host.tlsa, answer)]

    async def _validation(self) -> list[Finding]:
        answer = await self._resolver.records("org", "NS")
        return [records.judge_validation(answer.authentic)]

    async def _listing(self, address: str, zone: str) -> list[Finding]:
        name = listing_name(address, zone)
        answer = await self._resolver.ipv4(name)
        reasons: Sequence[bytes] = ()
        if answer.records:
            test = await self._resolver.ipv4(listing_name("127.0.0.1", zone))
            if test.records:  # RFC 5782 §5: it would have everybody on it
                words = "it lists everybody: it is a list no more"
                step = "take it out of [doctor] blocklists"
                return [note(f"blocklist {zone}", words, step)]
            reasons = (await self._resolver.txt(name)).records
        return [records.judge_listing(address, zone, answer, reasons)]


async def _together(checks: Sequence[Check]) -> list[Finding]:
    """All at once: where DNS is silent, each of them takes long."""
    started = [Deferred.fromCoroutine(_asked(*check)) for check in checks]
    return [finding for each in await gatherResults(started) for finding in each]


async def _asked(subject: str, asked: Asked) -> list[Finding]:
    try:
        return await asked
    except DNSTrouble as error:
        return [unknown(subject, str(error), ASK_AGAIN)]


def listing_name(address: str, zone: str) -> str:
    """Where a list has an address (RFC 5782 §2.1, §2.4)."""
    labels = ip_address(address).reverse_pointer
    return f"{labels.removesuffix('.in-addr.arpa').removesuffix('.ip6.arpa')}.{zone}"


def text_of(record: DNSRecord) -> str:
    """The text of a TXT record, its strings joined."""
    joined = "".join(_STRING.findall(record.value))
    return re.sub(r"\\(.)", r"\1", joined)


def _find(ours: Sequence[DNSRecord], name: str) -> str:
    for record in ours:
        if record.name == name and record.kind == "TXT":
            return text_of(record)
    return ""
