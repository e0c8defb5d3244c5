"""What a mail domain has in DNS."""

from __future__ import annotations

import dns.rdata
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.dnsrecords import MailHost, mail_records, quote, zone_file
from mailkit.model.dnsrecord import DNSRecord
from mailkit.model.tlspolicy import TLSARecord

HOST = MailHost(
    hostname="mail.example.org",
    addresses=("192.0.2.1", "2001:db8::1"),
    ports={"submission": 587, "submissions": 465, "imaps": 993},
    tlsa=(TLSARecord(3, 1, 1, b"\xab" * 32),),
    sts="20260101",
    has_web=True,
)


def said(records: list[DNSRecord]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for record in records:
        found.setdefault((record.name, record.kind), []).append(record.value)
    return found


def test_all_of_a_domain() -> None:
    """
    RFC 7208, RFC 6376, RFC 7489, RFC 8460, RFC 8461, RFC 6186, RFC 8314, RFC 7672.
    """
    keys = [("k1", "v=DKIM1; k=ed25519; p=AAAA"), ("k2", "v=DKIM1; k=rsa; p=BBBB")]
    reports = "rua=mailto:postmaster@example.org"
    nothing = ["0 0 0 ."]
    assert said(mail_records("example.org", HOST, keys)) == {
        ("example.org", "MX"): ["10 mail.example.org."],
        ("example.org", "TXT"): ['"v=spf1 mx -all"'],
        ("k1._domainkey.example.org", "TXT"): ['"v=DKIM1; k=ed25519; p=AAAA"'],
        ("k2._domainkey.example.org", "TXT"): ['"v=DKIM1; k=rsa; p=BBBB"'],
        ("_dmarc.example.org", "TXT"): [f'"v=DMARC1; p=quarantine; {reports}"'],
        ("_smtp._tls.example.org", "TXT"): [f'"v=TLSRPTv1; {reports}"'],
        ("_mta-sts.example.org", "TXT"): ['"v=STSv1; id=20260101;"'],
        ("mta-sts.example.org", "CNAME"): ["mail.example.org."],
        ("_submission._tcp.example.org", "SRV"): ["0 1 587 mail.example.org."],
        ("_submissions._tcp.example.org", "SRV"): ["0 1 465 mail.example.org."],
        ("_imap._tcp.example.org", "SRV"): nothing,
        ("_imaps._tcp.example.org", "SRV"): ["0 1 993 mail.example.org."],
        ("_pop3._tcp.example.org", "SRV"): nothing,
        ("_pop3s._tcp.example.org", "SRV"): nothing,
        ("autoconfig.example.org", "CNAME"): ["mail.example.org."],
        ("mail.example.org", "A"): ["192.0.2.1"],
        ("mail.example.org", "AAAA"): ["2001:db8::1"],
        ("mail.example.org", "TXT"): ['"v=spf1 a -all"'],
        ("_25._tcp.mail.example.org", "TLSA"): ["3 1 1 " + "ab" * 32],
    }


def test_another_domain_does_not_speak_for_the_host() -> None:
    found = said(mail_records("other.example", HOST))
    assert found["other.example", "MX"] == ["10 mail.example.org."]
    assert not any(name.endswith("example.org") for name, _ in found)


def test_only_what_there_is() -> None:
    host = evolve(HOST, sts="", has_web=False, tlsa=(), hostname="example.org")
    found = said(mail_records("example.org", host))
    assert ("_mta-sts.example.org", "TXT") not in found
    assert ("mta-sts.example.org", "CNAME") not in found
    assert ("autoconfig.example.org", "CNAME") not in found
    assert found["example.org", "TXT"] == ['"v=spf1 mx -all"']
    assert found["example.org", "A"] == ["192.0.2.1"]


def test_the_zone_file() -> None:
    text = zone_file(mail_records("example.org", HOST))
    assert text.startswith("; where mail goes\nexample.org. ")
    lines = [line for line in text.splitlines() if not line.startswith(";")]
    assert len(lines) == len(mail_records("example.org", HOST))
    assert text.count("; who may say EHLO so") == 1
    assert zone_file([]) == ""


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", '""'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("ü", '"\\195\\188"'),
        ("x" * 256, f'"{"x" * 255}" "x"'),
    ],
)
def test_texts(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@given(st.text(max_size=600))
def test_every_text_comes_back(text: str) -> None:
    record = dns.rdata.from_text("IN", "TXT", quote(text))
    strings: tuple[bytes, ...] = record.strings  # type: ignore[attr-defined]  # of TXT, as dnspython has it
    assert b"".join(strings) == text.encode()
