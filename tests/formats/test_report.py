"""Delivery status notifications as they leave (RFC 3464, RFC 6522, RFC 6533)."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import os
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats import encodedword, header, mime, report, reported
from mailkit.formats.report import Notice, Told, compose
from mailkit.formats.validation import examine
from mailkit.model.notice import NoticeKind
from tests.formats.garbage import anything, message, octets

GOLDEN = Path(__file__).parent.parent / "golden" / "reports"
ORIGINAL = message(
    "From: Alice <alice@example.org>",
    "To: bob@example.net",
    "Subject: Lunch",
    "Date: Fri, 20 Nov 2026 10:59:57 +0100",
    "Message-ID: <1@example.org>",
    "References: <0@example.net>",
    "",
    "Today?",
)
BOB = Told(
    address="bob@example.net",
    status="5.1.1",
    words="550 5.1.1 <bob@example.net>: Recipient address rejected",
    host="mx.example.net",
)
NOTICE = Notice(
    kind=NoticeKind.FAILED,
    told=(BOB,),
    hostname="mail.example.org",
    author="postmaster@example.org",
    sender="alice@example.org",
    message_id="<5f3c09d1a2b4e687@mail.example.org>",
    written=datetime(2026, 11, 20, 10, 0, 5, tzinfo=UTC),
    arrived=datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC),
    attempted=datetime(2026, 11, 20, 10, 0, 4, tzinfo=UTC),
)
UNTIL = datetime(2026, 11, 25, 10, 0, 0, tzinfo=UTC)
DOWN = Told(address="carol@example.com", status="4.4.1", words="Connection timed out")
UTF8 = message(
    "From: Änne <änne@example.org>", "Subject: Mittag", "Message-ID: <1@ü>", "", "Ja"
)
CASES: dict[str, tuple[Notice, bytes, bool]] = {
    "failed": (NOTICE, ORIGINAL, True),
    "failed_header": (evolve(NOTICE, envid="QQ+314"), ORIGINAL, False),
    "failed_several": (
        evolve(
            NOTICE,
            told=(
                BOB,
                evolve(BOB, address="rob@example.net", original="rfc822;r@example.edu"),
                Told(
                    address="dave@example.com",
                    status="5.2.2",
                    words="552 5.2.2 No room\n552 5.2.2 for more",
                    host="192.0.2.7",
                ),
            ),
        ),
        ORIGINAL,
        False,
    ),
    "gave_up": (
        evolve(NOTICE, told=(DOWN,), written=UNTIL, until=UNTIL),
        ORIGINAL,
        True,
    ),
    "delayed": (
        evolve(NOTICE, kind=NoticeKind.DELAYED, told=(DOWN,), until=UNTIL),
        ORIGINAL,
        False,
    ),
    "delivered": (
        evolve(
            NOTICE,
            kind=NoticeKind.DELIVERED,
            told=(Told(address="bob@example.org", status="2.1.5"),),
        ),
        ORIGINAL,
        False,
    ),
    "relayed": (
        evolve(
            NOTICE,
            kind=NoticeKind.RELAYED,
            told=(evolve(BOB, status="2.0.0", words="250 OK"),),
        ),
        ORIGINAL,
        False,
    ),
    "expanded": (
        evolve(
            NOTICE,
            kind=NoticeKind.EXPANDED,
            told=(Told(address="team@example.org", status=""),),
        ),
        ORIGINAL,
        False,
    ),
    "utf8_sender": (
        evolve(
            NOTICE,
            sender="änne@example.org",
            told=(
                evolve(
                    BOB,
                    address="bøb@example.net",
                    original="utf-8;b\\x{F8}b@example.net",
                    status="5.6.7",
                    words="550 5.6.7 Ingen støtte",
                ),
            ),
        ),
        UTF8,
        True,
    ),
    "utf8_recipient": (
        evolve(NOTICE, told=(evolve(BOB, address="bøb@example.net"),)),
        UTF8,
        False,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_goldens(name: str) -> None:
    notice, original, whole = CASES[name]
    written = compose(notice, original, whole=whole)
    path = GOLDEN / f"{name}.eml"
    if os.environ.get("MAILKIT_ACCEPT"):
        path.write_bytes(written)
    assert written == path.read_bytes()


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_read(name: str) -> None:
    notice, original, whole = CASES[name]
    written = compose(notice, original, whole=whole)
    assert [
        finding.check.name
        for finding in examine(
            written[: header.find_end(written)], utf8=notice.needs_utf8
        )
    ] == []
    found = reported.parse(written)
    assert isinstance(found, reported.DeliveryReport)
    assert found.reporter == "mail.example.org"
    assert found.envid == notice.envid
    assert [one.address for one in found.recipients] == [
        told.address for told in notice.told
    ]
    assert {one.kind for one in found.recipients} == {notice.kind}
    assert found.message_id.encode() == header.first(original, b"Message-ID")
    if not notice.needs_utf8:
        assert written[: header.find_end(written)].isascii()


def read_text(written: bytes) -> str:
    """The first part as one line."""
    part = mime.scan(written).parts[0]
    return " ".join(reported._decoded(written, part).decode().split())


def test_the_first_paragraph_is_for_people() -> None:
    written = compose(NOTICE, ORIGINAL)
    assert read_text(written).startswith(
        'Your message "Lunch" of 20 Nov 2026 could not be delivered to bob@example.net:'
        " there is no such address. Check how the part before the @ is written."
    )
    assert (
        "mx.example.net said about bob@example.net: 550 5.1.1 <bob@example.net>:"
        " Recipient address rejected" in read_text(written)
    )


def test_how_long_it_was_tried() -> None:
    late = evolve(NOTICE, told=(DOWN, evolve(DOWN, address="x@example.com")))
    for hours, words in ((120, "5 days"), (24, "1 day"), (2, "2 hours"), (0, "1 hour")):
        written = datetime.fromtimestamp(
            NOTICE.arrived.timestamp() + 3600 * hours, tz=UTC
        )
        told = evolve(late, written=written, until=written)
        assert f"although it was tried for {words}, :" not in read_text(
            compose(told, ORIGINAL)
        )
        assert f"although it was tried for {words}" in read_text(
            compose(told, ORIGINAL)
        )
    told = evolve(late, told=(evolve(DOWN, status="4.4.7"),), until=UNTIL)
    assert "although" not in read_text(compose(told, ORIGINAL))
    soon = evolve(NOTICE, until=UNTIL)
    assert "although" not in read_text(compose(soon, ORIGINAL))


def test_without_subject_and_without_end() -> None:
    delayed = evolve(NOTICE, kind=NoticeKind.DELAYED, told=(DOWN,))
    text = read_text(compose(delayed, b"From: a@b\r\n\r\n"))
    assert text.startswith("Your message of 20 Nov 2026 has not reached")
    assert "We go on trying and tell you" in text
    assert header.first(compose(NOTICE, b""), b"Subject") == b"Not delivered"
    assert header.first(compose(NOTICE, b""), b"In-Reply-To") is None


def test_passed_on_to_nobody_in_particular() -> None:
    relayed = evolve(NOTICE, kind=NoticeKind.RELAYED, told=(evolve(BOB, host=""),))
    assert "was passed on. That server" in read_text(compose(relayed, ORIGINAL))
    both = evolve(relayed, told=(BOB, evolve(BOB, host="mx2.example.net")))
    assert "to mx.example.net and mx2.example.net." in read_text(
        compose(both, ORIGINAL)
    )


def test_it_says_that_nobody_wrote_it() -> None:
    """No automatic responder answers it (RFC 3834 §5)."""
    assert header.first(compose(NOTICE, ORIGINAL), b"Auto-Submitted") == b"auto-replied"


def test_a_long_subject_is_cut() -> None:
    written = compose(NOTICE, b"Subject: " + b"x" * 500 + b"\r\n\r\n")
    value = header.first(written, b"Subject")
    assert value is not None
    assert len(encodedword.decode(value)) < 150


def test_nothing_breaks_out_of_its_field() -> None:
    evil = "x\r\nBcc: eve@example.org\r\n\r\n--=_5f3c09d1"
    told = Told(
        address=f"{evil}@example.net",
        status=evil,
        words=evil,
        host=evil,
        original=f"rfc822;{evil}",
    )
    notice = evolve(NOTICE, told=(told,), envid=evil, sender=evil)
    written = compose(notice, b"Subject: x\r\nMessage-ID: <1@a>\r\n\r\n")
    assert header.first(written, b"Bcc") is None
    part = mime.scan(written).parts[1]
    assert b"\r\nBcc" not in written[part.start : part.end]
    found = reported.parse(written)
    assert isinstance(found, reported.DeliveryReport)
    assert len(found.recipients) == 1


def test_a_boundary_that_stands_in_the_message() -> None:
    first = compose(NOTICE, ORIGINAL, whole=True)
    boundary = mime.boundary(mime.scan(first).parameters)
    original = ORIGINAL + b"--" + boundary + b"--\r\n"
    second = compose(NOTICE, original, whole=True)
    assert mime.boundary(mime.scan(second).parameters) != boundary
    assert len(mime.scan(second).parts) == 3


@pytest.mark.parametrize(
    ("original", "whole", "kind", "encoding"),
    [
        (ORIGINAL, True, (b"message", b"rfc822"), b"7bit"),
        (ORIGINAL, False, (b"text", b"rfc822-headers"), b"7bit"),
        (ORIGINAL + b"\xff\r\n", True, (b"message", b"rfc822"), b"8bit"),
        (ORIGINAL + b"\0", True, (b"text", b"rfc822-headers"), b"7bit"),
        (ORIGINAL + b"\n", True, (b"text", b"rfc822-headers"), b"7bit"),
        (ORIGINAL + b"\rx", True, (b"text", b"rfc822-headers"), b"7bit"),
        (ORIGINAL + b"x" * 999, True, (b"text", b"rfc822-headers"), b"7bit"),
        (b"Subject: \xff\r\n\r\n", False, (b"text", b"rfc822-headers"), b"quoted-printable"),
        (b"X: " + b"x" * 999, False, (b"text", b"rfc822-headers"), b"quoted-printable"),
        (UTF8, True, (b"message", b"global"), b"quoted-printable"),
        (UTF8, False, (b"message", b"global-headers"), b"quoted-printable"),
    ],
)  # fmt: skip
def test_the_message_that_is_returned(
    original: bytes, whole: bool, kind: tuple[bytes, bytes], encoding: bytes
) -> None:
    written = compose(NOTICE, original, whole=whole)
    part = mime.scan(written).parts[2]
    assert ((part.type, part.subtype), part.encoding) == (kind, encoding)
    top = header.first(written, b"Content-Transfer-Encoding")
    assert top == (b"8bit" if encoding == b"8bit" else None)


def test_a_header_without_end_is_cut() -> None:
    lines = b"X: y\r\n" * 20_000
    part = mime.scan(compose(NOTICE, lines)).parts[2]
    assert report.LONGEST_HEADER - 6 <= part.end - part.body <= report.LONGEST_HEADER
    part = mime.scan(compose(NOTICE, b"X: " + b"y" * 100_000)).parts[2]
    assert part.end - part.body < 2 * report.LONGEST_HEADER


def test_an_id_that_needs_utf8_is_left_out() -> None:
    assert header.first(compose(NOTICE, UTF8), b"In-Reply-To") is None
    utf8 = evolve(NOTICE, sender="änne@example.org")
    assert header.first(compose(utf8, UTF8), b"In-Reply-To") == "<1@ü>".encode()
    broken = UTF8.replace("ü".encode(), b"\xff")
    assert header.first(compose(utf8, broken), b"In-Reply-To") is None


@pytest.mark.parametrize(
    ("original", "address"),
    [
        ("", "bob@example.net"),
        ("rfc822;r@example.edu", "r@example.edu"),
        ("RFC822; r@example.edu", "r@example.edu"),
        ("utf-8;b\\x{F8}b@example.edu", "bøb@example.edu"),
        ("utf-8;b\\x{D800}b\\x{110000}\\x{0A}", "b\\x{D800}b\\x{110000}\\x{0A}"),
        ("x400;/S=bob", "bob@example.net"),
        ("rfc822;", "bob@example.net"),
    ],
)
def test_the_address_that_the_sender_knows(original: str, address: str) -> None:
    assert evolve(BOB, original=original).known_as == address


def test_when_it_was_tried_may_be_unknown() -> None:
    written = compose(evolve(NOTICE, attempted=None), ORIGINAL)
    assert b"Last-Attempt-Date" not in written


def test_a_status_that_is_none() -> None:
    for kind, status in (
        (NoticeKind.FAILED, "5.0.0"),
        (NoticeKind.DELAYED, "4.0.0"),
        (NoticeKind.DELIVERED, "2.0.0"),
    ):
        notice = evolve(NOTICE, kind=kind, told=(evolve(BOB, status="?", words=""),))
        found = reported.parse(compose(notice, ORIGINAL))
        assert isinstance(found, reported.DeliveryReport)
        assert found.recipients[0].status == status


@anything
@given(
    octets,
    st.text(max_size=20),
    st.text(max_size=20),
    st.sampled_from(NoticeKind),
    st.booleans(),
)
def test_whatever_was_sent_a_notice_can_be_read(
    original: bytes, words: str, address: str, kind: NoticeKind, whole: bool
) -> None:
    told = Told(address=f"x{address}@b", status="5.0.0", words=words, host=words)
    notice = evolve(NOTICE, kind=kind, told=(told, BOB), envid=words)
    written = compose(notice, original, whole=whole)
    assert len(mime.scan(written).parts) == 3
    assert written[: header.find_end(written)].isascii()
    assert b"\n" not in written.replace(b"\r\n", b"")
    found = reported.parse(written)
    assert isinstance(found, reported.DeliveryReport)
    assert found.recipients[-1].address == "bob@example.net"


@pytest.mark.parametrize("name", CASES)
def test_somebody_else_reads_it_too(name: str) -> None:
    notice, _, whole = CASES[name]
    read = message_from_bytes(compose(*CASES[name][:2], whole=whole))
    assert read.get_content_type() == "multipart/report"
    assert read.get_param("report-type") == "delivery-status"
    fields = [part for part in read.walk() if "Reporting-MTA" in part]
    groups = [part for part in read.walk() if "Final-Recipient" in part]
    if b"global-delivery-status" not in read.as_bytes():
        assert [part["Reporting-MTA"] for part in fields] == ["dns; mail.example.org"]
        assert [part["Action"] for part in groups] == (
            [notice.kind.value] * len(notice.told)
        )
    for part in read.walk():
        assert part.defects == []
