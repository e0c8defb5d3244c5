"""The records that make a domain a mail domain: pure, from facts handed in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import field, frozen

from mailkit.model.dnsrecord import DNSRecord
from mailkit.model.tlspolicy import TLSARecord

TTL = 3600
TLSA_TTL = 300
"""Short: who still has the old one when a certificate is renewed cannot send to us."""
LONGEST_STRING = 255
"""Octets of one string of a TXT record (RFC 1035 §3.3.14)."""

SRV = (
    ("submission", "_submission", "sending, STARTTLS (RFC 6186 §3.1)"),
    ("submissions", "_submissions", "sending, TLS (RFC 8314 §5.1)"),
    ("imap", "_imap", "reading by IMAP, STARTTLS (RFC 6186 §3.2)"),
    ("imaps", "_imaps", "reading by IMAP, TLS (RFC 6186 §3.2)"),
    ("pop3", "_pop3", "reading by POP3, STARTTLS (RFC 6186 §3.3)"),
    ("pop3s", "_pop3s", "reading by POP3, TLS (RFC 6186 §3.3)"),
)
"""Services as in ``[listen]``, and how clients look for them."""


@frozen(kw_only=True)
class MailHost:
    """The server that all our domains have in common."""

    hostname: str
    """An A-label name, without the last full stop."""
    addresses: tuple[str, ...] = ()
    """IPv4 and IPv6, in text; published in the domain that the host name is in."""
    ports: Mapping[str, int] = field(factory=dict)
    """Where people find services, by their names in ``[listen]``."""
    tlsa: tuple[TLSARecord, ...] = ()
    """What the certificate on port 25 is known by."""
    sts: str = ""
    """The id of the policy of MTA-STS (RFC 8461 §3.1); empty: there is none."""
    dmarc: str = "quarantine"
    """What others do with mail that is not ours (RFC 7489 §6.3): none, quarantine,
    reject."""
    reports: str = "postmaster"
    """Who gets reports about mail and TLS: a local part of each domain."""
    has_web: bool = False
    """Whether the web server answers for names of the domains."""


def mail_records(
    domain: str, host: MailHost, keys: Sequence[tuple[str, str]] = ()
) -> list[DNSRecord]:
    """
    All but SOA and NS.

    :param domain: A-labels, without the last full stop.
    :param keys: of DKIM: selector and text of each.
    """
    return [*_mail(domain, host, keys), *_services(domain, host), *_host(domain, host)]


def _mail(
    domain: str, host: MailHost, keys: Sequence[tuple[str, str]]
) -> Iterator[DNSRecord]:
    target = f"{host.hostname}."
    rua = f"rua=mailto:{host.reports}@{domain}"
    yield DNSRecord(domain, "MX", f"10 {target}", TTL, "where mail goes")
    yield _text(domain, "v=spf1 mx -all", "who may send (SPF, RFC 7208)")
    for selector, text in keys:
        name = f"{selector}._domainkey.{domain}"
        yield _text(name, text, "what signatures are checked with (RFC 6376)")
    policy = f"v=DMARC1; p={host.dmarc}; {rua}"
    yield _text(f"_dmarc.{domain}", policy, "what becomes of forgeries (RFC 7489)")
    report = f"v=TLSRPTv1; {rua}"
    yield _text(f"_smtp._tls.{domain}", report, "who hears of TLS (RFC 8460 §3)")
    if host.sts:
        policy = f"v=STSv1; id={host.sts};"
        yield _text(f"_mta-sts.{domain}", policy, "TLS is demanded (RFC 8461 §3.1)")
        yield _alias(f"mta-sts.{domain}", host, "where the policy is (RFC 8461 §3.3)")


def _services(domain: str, host: MailHost) -> Iterator[DNSRecord]:
    for service, label, purpose in SRV:
        port = host.ports.get(service)
        # A full stop says that there is no such service (RFC 6186 §3.4).
        value = "0 0 0 ." if port is None else f"0 1 {port} {host.hostname}."
        yield DNSRecord(f"{label}._tcp.{domain}", "SRV", value, TTL, purpose)
    if host.has_web:
        yield _alias(f"autoconfig.{domain}", host, "settings of mail clients")


def _host(domain: str, host: MailHost) -> Iterator[DNSRecord]:
    """What is said of the host, in the domain that it is in."""
    name = host.hostname
    if name != domain and not name.endswith(f".{domain}"):
        return
    for address in host.addresses:
        kind = "AAAA" if ":" in address else "A"
        yield DNSRecord(name, kind, address, TTL, "the server")
    if name != domain:
        yield _text(name, "v=spf1 a -all", "who may say EHLO so (RFC 7208 §2.3)")
    for tlsa in host.tlsa:
        value = (
            f"{tlsa.usage} {tlsa.selector} {tlsa.matching_type} "
            f"{tlsa.association.hex()}"
        )
        purpose = "its certificate (DANE, RFC 7672)"
        yield DNSRecord(f"_25._tcp.{name}", "TLSA", value, TLSA_TTL, purpose)


def _text(name: str, text: str, purpose: str) -> DNSRecord:
    return DNSRecord(name, "TXT", quote(text), TTL, purpose)


def _alias(name: str, host: MailHost, purpose: str) -> DNSRecord:
    return DNSRecord(name, "CNAME", f"{host.hostname}.", TTL, purpose)


def quote(text: str) -> str:
    """A text of any length as strings of a TXT record, in quotes."""
    octets = text.encode()
    strings = [
        octets[start : start + LONGEST_STRING]
        for start in range(0, len(octets), LONGEST_STRING)
    ]
    return " ".join(f'"{_escape(string)}"' for string in strings or [b""])


def _escape(string: bytes) -> str:
    return "".join(
        f"\\{chr(octet)}"
        if octet in b'"\\'
        else chr(octet)
        if 0x20 <= octet < 0x7F
        else f"\\{octet:03d}"
        for octet in string
    )


def zone_file(records: Sequence[DNSRecord]) -> str:
    """Records as the text of a zone file (RFC 1035 §5), each with its purpose."""
    width = max((len(record.name) for record in records), default=0) + 1
    lines: list[str] = []
    purpose = ""
    for record in records:
        if record.purpose != purpose:
            purpose = record.purpose
            lines.append(f"; {purpose}")
        lines.append(
            f"{record.name + '.':<{width}} {record.ttl} IN {record.kind:<5} "
            f"{record.value}"
        )
    return "".join(f"{line}\n" for line in lines)
