"""Reports of TLS (RFC 8460)."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.trust.tls.tlsrpt import (
    Failure,
    PolicyResult,
    TLSReport,
    mailbox_of,
    read_targets,
)

RECORDS = [
    # RFC 8460 §3.1.
    (
        (b"v=TLSRPTv1;rua=mailto:reports@example.com",),
        ["mailto:reports@example.com"],
    ),
    (
        (b"v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",),
        ["https://reporting.example.com/v1/tlsrpt"],
    ),
    (
        (b"other", b"v=TLSRPTv1; x=y; rua=mailto:a@b , https://c/;"),
        ["mailto:a@b", "https://c/"],
    ),
    ((b"v=TLSRPTv1; rua=http://a/,ftp://b",), []),
    ((b"v=TLSRPTv1; rua=" + b"mailto:a@b," * 9,), ["mailto:a@b"] * 5),
    ((b"v=TLSRPTv1; rua=https://" + b"a" * 1000,), []),
    ((b"v=TLSRPTv1; rua=mailto:\xff@b",), []),
    ((b"v=TLSRPTv1",), []),
    ((b"v=TLSRPTv1; x=y",), []),
    ((b"v=TLSRPTv1; rua=mailto:a@b",) * 2, []),
    ((), []),
]


@pytest.mark.parametrize(("records", "targets"), RECORDS)
def test_who_wants_reports(records: tuple[bytes, ...], targets: list[str]) -> None:
    assert read_targets(records) == targets


@given(st.lists(st.binary(max_size=80)))
def test_garbage_asks_for_nothing_strange(records: list[bytes]) -> None:
    for target in read_targets((*records,)):
        assert target.isprintable()


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("mailto:a@b.example", "a@b.example"),
        ("mailto:a%2Bc@b.example?subject=x", "a+c@b.example"),
        ("mailto:a%0D%0A@b.example", None),
        ("mailto:a", None),
        ("mailto:a@b@c", None),
        ("mailto:a b@c", None),
        ("https://a@b.example/", None),
        ("mailto:A.b_c@Sub-1.B.example", "A.b_c@Sub-1.B.example"),
        ("mailto:%C3%A9@b.example", None),
        ("mailto:a@b%C3%A9.example", None),
        ("mailto:a>,<c@b.example", None),
        ("mailto:a@b.example>", None),
        ("mailto:a@[192.0.2.1]", None),
        ("mailto:" + "a" * 65 + "@b.example", None),
        ("https://[b", None),
        ("mailto:[b", None),
    ],
)
def test_mailboxes(target: str, address: str | None) -> None:
    assert mailbox_of(target) == address


@given(st.text(max_size=80))
def test_whatever_a_target_is(text: str) -> None:
    address = mailbox_of("mailto:" + text)
    assert address is None or address.isascii()


def test_a_report() -> None:
    report = TLSReport(
        organization="mail.example.org",
        contact="postmaster@example.org",
        id="2026-11-20T00:00:00Z_example.net",
        domain="example.net",
        day="2026-11-20",
        results=[
            PolicyResult(
                kind="sts",
                lines=["version: STSv1", "mode: testing"],
                hosts=["*.mail.example.net"],
                successes=5326,
                failures=[
                    Failure(
                        problem="certificate-expired",
                        count=100,
                        host="mx1.mail.example.net",
                        local_address="2001:db8:abcd:12::1",
                        address="192.0.2.1",
                        words="it ended in May",
                    ),
                    Failure(
                        problem="starttls-not-supported",
                        count=200,
                        host="mx2.mail.example.net",
                    ),
                ],
            ),
            PolicyResult(kind="no-policy-found", successes=1),
        ],
    )
    assert report.filename == (
        "mail.example.org!example.net!1795132800!1795219199!"
        "2026-11-20T00:00:00Z_example.net.json.gz"
    )
    octets = report.to_json()
    assert gzip.decompress(report.compressed()) == octets
    told = json.loads(octets)
    # The shape of RFC 8460 appendix B.
    assert told["organization-name"] == "mail.example.org"
    assert told["date-range"] == {
        "start-datetime": "2026-11-20T00:00:00Z",
        "end-datetime": "2026-11-20T23:59:59Z",
    }
    assert told["contact-info"] == "postmaster@example.org"
    assert told["report-id"] == "2026-11-20T00:00:00Z_example.net"
    first, second = told["policies"]
    assert first == {
        "policy": {
            "policy-type": "sts",
            "policy-string": ["version: STSv1", "mode: testing"],
            "policy-domain": "example.net",
            "mx-host": ["*.mail.example.net"],
        },
        "summary": {
            "total-successful-session-count": 5326,
            "total-failure-session-count": 300,
        },
        "failure-details": [
            {
                "result-type": "certificate-expired",
                "sending-mta-ip": "2001:db8:abcd:12::1",
                "receiving-mx-hostname": "mx1.mail.example.net",
                "receiving-ip": "192.0.2.1",
                "failed-session-count": 100,
                "failure-reason-code": "it ended in May",
            },
            {
                "result-type": "starttls-not-supported",
                "receiving-mx-hostname": "mx2.mail.example.net",
                "failed-session-count": 200,
            },
        ],
    }
    assert second == {
        "policy": {"policy-type": "no-policy-found", "policy-domain": "example.net"},
        "summary": {
            "total-successful-session-count": 1,
            "total-failure-session-count": 0,
        },
    }
