"""Reports that others send, of servers that keep to RFC 3464 and RFC 5965 or not."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import reported
from mailkit.formats.limits import Limits
from mailkit.formats.reported import Complaint, DeliveryReport, ReportedRecipient
from mailkit.model.notice import NoticeKind
from tests.formats.garbage import anything, message, octets

TOP = [
    "From: MAILER-DAEMON@mx.example.net",
    "Subject: failure notice",
    "In-Reply-To: <answered@example.org>",
    "MIME-Version: 1.0",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    "",
    "--b",
    "",
    "Sorry.",
    "--b",
]
STATUS = "Content-Type: message/delivery-status"
RETURNED = [
    "--b",
    "Content-Type: message/rfc822",
    "",
    "Subject: Lunch",
    "Message-ID: <1@example.org>",
    "",
    "Today?",
    "--b--",
]
BOB = ReportedRecipient(
    kind=NoticeKind.FAILED,
    address="bob@example.net",
    status="5.1.1",
    diagnostic="550 5.1.1 No such user",
    host="mx.example.net",
)


def dsn(*lines: str, head: str = STATUS, returned: list[str] | None = None) -> bytes:
    tail = RETURNED if returned is None else returned
    return message(*TOP, head, "", *lines, *tail)


def read(text: bytes) -> DeliveryReport:
    found = reported.parse(text)
    assert isinstance(found, DeliveryReport)
    return found


def test_to_the_letter() -> None:
    found = read(
        dsn(
            "Reporting-MTA: dns; mx.example.net",
            "Original-Envelope-Id: QQ314159",
            "Arrival-Date: Fri, 20 Nov 2026 10:00:00 +0000",
            "",
            "Original-Recipient: rfc822;b@example.com",
            "Final-Recipient: rfc822; bob@example.net",
            "Action: failed",
            "Status: 5.1.1",
            "Remote-MTA: dns; mx.example.net",
            "Diagnostic-Code: smtp; 550 5.1.1 No such",
            " user",
            "",
            "Final-Recipient: rfc822; carol@example.net",
            "Action: delayed",
            "Status: 4.4.1",
        )
    )
    assert found.envid == "QQ314159"
    assert found.reporter == "mx.example.net"
    assert found.message_id == "<1@example.org>"
    bob, carol = found.recipients
    assert bob.original == "b@example.com"
    assert bob == ReportedRecipient(
        kind=BOB.kind,
        address=BOB.address,
        original="b@example.com",
        status=BOB.status,
        diagnostic=BOB.diagnostic,
        host=BOB.host,
    )
    assert (carol.kind, carol.address, carol.status) == (
        NoticeKind.DELAYED,
        "carol@example.net",
        "4.4.1",
    )


@pytest.mark.parametrize(
    ("lines", "recipients"),
    [
        # Exchange: no space, capitals, no empty line before the recipients.
        (
            ["Reporting-MTA: dns;ex.example.net", "Final-recipient: RFC822;bob@example.net", "Action: failed", "Status: 5.1.1"],
            [("bob@example.net", "failed", "5.1.1")],
        ),
        # Empty lines too many, and none between two recipients.
        (
            ["", "Reporting-MTA: dns; a", "", "", "Final-Recipient: rfc822; a@b", "Action: failed", "Status: 5.0.0", "Final-Recipient: rfc822; c@d", "Action: relayed", "Status: 2.0.0", ""],
            [("a@b", "failed", "5.0.0"), ("c@d", "relayed", "2.0.0")],
        ),
        (
            ["Original-Recipient: rfc822;x@y", "Final-Recipient: rfc822; a@b", "Action: failed", "Original-Recipient: rfc822;z@y", "Final-Recipient: rfc822; c@d", "Action: expanded"],
            [("a@b", "failed", "5.0.0"), ("c@d", "expanded", "2.0.0")],
        ),
        # Exim: the action comes before the recipient.
        (
            ["Action: delayed", "Final-Recipient: rfc822;a@b", "Status: 5.0.0", "Action: expanded", "Final-Recipient: rfc822;c@d"],
            [("a@b", "delayed", "5.0.0"), ("c@d", "expanded", "2.0.0")],
        ),
        # No action, no status, no type, angle brackets, comments.
        (["Final-Recipient: rfc822; <a@b>", "Status: 5.2.2 (mailbox full)"], [("a@b", "failed", "5.2.2")]),
        (["Final-Recipient: a@b (Bob)", "Diagnostic-Code: smtp; 452 full"], [("a@b", "delayed", "4.0.0")]),
        (["Final-Recipient: rfc822; a@b", "Action: Failed (gone)", "Diagnostic-Code: smtp; 550-5.1.1 gone"], [("a@b", "failed", "5.1.1")]),
        (["Final-Recipient: rfc822; a@b", "Action: delay"], [("a@b", "delayed", "4.0.0")]),
        (["Final-Recipient: rfc822; a@b", "Action: delivered"], [("a@b", "delivered", "2.0.0")]),
        (["Final-Recipient: rfc822; a@b", "Action: ???", "Status: 2.1.5"], [("a@b", "delivered", "2.1.5")]),
        (["Final-Recipient: utf-8; b\\x{F8}b@b", "Action: failed"], [("bøb@b", "failed", "5.0.0")]),
        (["Final-Recipient: utf-8; bøb@b", "Action: failed"], [("bøb@b", "failed", "5.0.0")]),
        (["Original-Recipient: rfc822;a@b", "Action: failed", "Status: 5.1.1"], [("a@b", "failed", "5.1.1")]),
        # An address of another world, and words with a semicolon.
        (["Final-Recipient: X-Notes: a; b", "Action: failed"], [("X-Notes: a; b", "failed", "5.0.0")]),
        # Nothing that can be told apart.
        (["Final-Recipient: rfc822; a@b", "Action: failed", "", "Final-Recipient: rfc822;", "Action: failed"], [("a@b", "failed", "5.0.0")]),
        (["Final-Recipient: rfc822; a@b", "Action: failed", "", "Final-Recipient: rfc822; c@d", "Status: gone"], [("a@b", "failed", "5.0.0")]),
    ],
)  # fmt: skip
def test_liberties(lines: list[str], recipients: list[tuple[str, str, str]]) -> None:
    found = read(dsn(*lines))
    assert [
        (one.address, one.kind.value, one.status) for one in found.recipients
    ] == recipients


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"Subject: hello\r\n\r\nHi.",
        dsn(),
        dsn("Final-Recipient: rfc822; a@b"),
        dsn("Final-Recipient: ", "Action: failed"),
        dsn("Reporting-MTA: dns; a"),
        dsn("x", head="Content-Type: text/plain"),
        dsn("User-Agent: x", head="Content-Type: message/feedback-report"),
        message(*TOP[3:5], "", "--b", *RETURNED),
    ],
)
def test_no_report(text: bytes) -> None:
    assert reported.parse(text) is None


FAILED = ("Final-Recipient: rfc822; bob@example.net", "Action: failed")


@pytest.mark.parametrize(
    ("returned", "message_id"),
    [
        (RETURNED, "<1@example.org>"),
        (["--b", "Content-Type: text/rfc822-headers", "", "Message-ID: <2@a>", "--b--"], "<2@a>"),
        (["--b", "Content-Type: message/global-headers", "", "Message-ID: <2@ü>", "--b--"], "<2@ü>"),
        (["--b", "Content-Type: message/rfc822", "", "", "Message-ID: <2@a>", "", "--b--"], "<2@a>"),
        (["--b", "Content-Type: text/rfc822-headers", "Content-Transfer-Encoding: base64", "", "TWVzc2FnZS1JRDogPDJAYT4K", "--b--"], "<2@a>"),
        (["--b", "Content-Type: text/rfc822-headers", "Content-Transfer-Encoding: x-odd", "", "Message-ID: <2@a>", "--b--"], "<2@a>"),
        (["--b", "Content-Type: text/rfc822-headers", "", "Subject: x", "--b--"], "<answered@example.org>"),
        (["--b", "Content-Type: text/plain", "", "Message-ID: <2@a>", "--b--"], "<answered@example.org>"),
        (["--b--"], "<answered@example.org>"),
    ],
)  # fmt: skip
def test_which_message_it_is_about(returned: list[str], message_id: str) -> None:
    assert read(dsn(*FAILED, returned=returned)).message_id == message_id


def test_references_are_asked_last() -> None:
    text = dsn(*FAILED, returned=["--b--"])
    text = text.replace(b"In-Reply-To: <answered", b"References: <0@a> <last")
    assert read(text).message_id == "<last@example.org>"
    assert read(text.replace(b"References", b"X-Other")).message_id == ""


def test_a_report_in_a_multipart() -> None:
    inner = dsn(*FAILED).partition(b"\r\n\r\n")[2]
    text = (
        message(
            "Content-Type: multipart/mixed; boundary=a",
            "",
            "--a",
            "",
            "list footer",
            "--a",
            "Content-Type: multipart/report; boundary=b",
            "",
        )
        + inner
        + b"--a--\r\n"
    )
    assert read(text).message_id == "<1@example.org>"


def test_encoded_status() -> None:
    encoded = "RmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGFAYg0KQWN0aW9uOiBmYWlsZWQNCg=="
    text = dsn(encoded, head=STATUS + "\r\nContent-Transfer-Encoding: base64")
    assert read(text).recipients[0].address == "a@b"


def test_more_recipients_than_are_read() -> None:
    lines = [line for _ in range(5) for line in (*FAILED, "")]
    found = reported.parse(
        dsn("Reporting-MTA: dns; a", "", *lines), Limits(addresses=2)
    )
    assert isinstance(found, DeliveryReport)
    assert len(found.recipients) == 2
    together = [line for _ in range(5) for line in FAILED]
    found = reported.parse(dsn(*together), Limits(addresses=2))
    assert isinstance(found, DeliveryReport)
    assert len(found.recipients) == 2


QMAIL = message(
    "From: MAILER-DAEMON@mx.example.net",
    "Subject: failure notice",
    "",
    "Hi. This is the qmail-send program at mx.example.net.",
    "I'm afraid I wasn't able to deliver your message.",
    "",
    "<bob@example.net>:",
    "192.0.2.1 does not like recipient.",
    "Remote host said: 550 User unknown",
    "",
    "<carol@example.net>:",
    "Sorry, no mailbox here by that name. (#5.1.1)",
    "",
    "<dave@example.net>:",
    "Gone.",
    "",
    "Nothing to be read.",
    "",
    "--- Below this line is a copy of the message.",
    "",
    "Return-Path: <alice@example.org>",
    "Message-ID: <1@example.org>",
    "Subject: Lunch",
    "",
    "<x@example.net>: Today?",
)


def test_qmail() -> None:
    found = read(QMAIL)
    assert found.message_id == "<1@example.org>"
    assert [(one.address, one.status) for one in found.recipients] == [
        ("bob@example.net", "5.0.0"),
        ("carol@example.net", "5.1.1"),
        ("dave@example.net", "5.0.0"),
    ]
    assert found.recipients[0].diagnostic == (
        "192.0.2.1 does not like recipient. Remote host said: 550 User unknown"
    )


def test_qmail_without_a_copy_or_recipients() -> None:
    text = QMAIL.partition(b"--- Below")[0]
    assert read(text).message_id == ""
    assert len(read(text).recipients) == 3
    found = reported.parse(text.rstrip(), Limits(addresses=1))
    assert isinstance(found, DeliveryReport)
    assert len(found.recipients) == 1
    assert reported.parse(text.partition(b"<bob")[0]) is None


def complaint(*lines: str) -> Complaint:
    text = message(
        "From: feedback@isp.example",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
        "",
        "--b",
        "",
        "This is a complaint.",
        "--b",
        "Content-Type: message/feedback-report",
        "",
        *lines,
        "--b",
        "Content-Type: message/rfc822",
        "",
        "Return-Path: <bounce+1@example.org>",
        "Message-ID: <1@example.org>",
        "",
        "Buy!",
        "--b--",
    )
    found = reported.parse(text, Limits(addresses=2))
    assert isinstance(found, Complaint)
    return found


def test_complaints() -> None:
    assert complaint(
        "Feedback-Type: Abuse",
        "User-Agent: SomeGenerator/1.0",
        "Version: 1",
        "Original-Mail-From: <bounce+2@example.org>",
        "Original-Rcpt-To: <bob@example.net>",
        "Original-Rcpt-To: ",
        "Original-Rcpt-To: c@example.net",
        "Original-Envelope-Id: QQ1",
    ) == Complaint(
        kind="abuse",
        recipients=("bob@example.net",),
        sender="bounce+2@example.org",
        envid="QQ1",
        agent="SomeGenerator/1.0",
        message_id="<1@example.org>",
    )
    short = complaint("Feedback-Type: not-spam")
    assert (short.kind, short.sender) == ("not-spam", "bounce+1@example.org")


SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "data" / "mime" / "messages"


@pytest.mark.parametrize(
    ("name", "recipient"),
    [
        ("delivery-status.txt", ("newsletter-request@imusic.com", "5.0.0")),
        ("delivery-status-no-blank-line.txt", ("newsletter-request@imusic.com", "5.0.0")),
        ("delivery-status2.txt", ("source@domain.com", "5.0.0")),
        ("delivery-status-multiple-blank-lines.txt", ("orig_recip@customer.com", "5.5.0")),
    ],
)  # fmt: skip
def test_those_that_somebody_met(name: str, recipient: tuple[str, str]) -> None:
    if not SAMPLES.exists():
        pytest.skip("../shared/data is missing")
    [found] = read((SAMPLES / name).read_bytes()).recipients
    assert (found.address, found.status) == recipient
    assert found.kind is NoticeKind.FAILED


def test_a_quick_look() -> None:
    assert reported.is_likely(dsn(*FAILED))
    assert reported.is_likely(QMAIL)
    assert not reported.is_likely(b"Subject: Lunch\r\n\r\n")


_LINES = [
    "Final-Recipient: rfc822; a@b",
    "Original-Recipient: ;",
    "Action: failed",
    "Status: 5.1.1",
    "Diagnostic-Code: smtp; 550 x",
    "Feedback-Type: abuse",
    "Original-Mail-From: <(",
    "",
    " ",
    "--b",
    "\\x{0}",
    "<a@b>:",
]


@anything
@given(
    octets,
    st.lists(st.sampled_from(_LINES) | st.text(max_size=10), max_size=12),
    st.sampled_from([STATUS, "Content-Type: message/feedback-report"]),
)
def test_garbage_never_raises(garbage: bytes, lines: list[str], head: str) -> None:
    reported.parse(garbage)
    reported.parse(dsn(*lines, head=head).replace(b"Sorry.", garbage))
    reported.parse(dsn(head=head) + garbage)
    qmail = b"\r\nHi. This is the " + "\r\n".join(lines).encode("utf-8", "replace")
    reported.parse(qmail + garbage)
