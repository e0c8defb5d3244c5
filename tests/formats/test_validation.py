"""Header checks: what they find, and what is done about it."""

# ruff: noqa: E501 (a row a line)

from __future__ import annotations

import pytest
from hypothesis import given

from mailkit.formats import validation
from mailkit.formats.limits import Limits
from mailkit.formats.validation import Action
from tests.formats.garbage import anything, message, octets

GOOD = [
    "Date: Fri, 20 Nov 2026 10:59:57 +0100",
    "From: Joe <joe@example.org>",
    "Message-ID: <1@example.org>",
]


def found(
    text: bytes, *, utf8: bool = False, limits: Limits | None = None
) -> list[str]:
    findings = validation.examine(text, utf8=utf8, limits=limits or Limits())
    return [finding.check.name for finding in findings]


def changed(old: str, *new: str) -> bytes:
    lines = [line for line in GOOD if not line.startswith(old + ":")]
    return message(*lines, *new, "", "body")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (changed("-"), []),
        (message(*GOOD), []),
        (message(*GOOD, "").replace(b"\r\n", b"\n"), []),
        (changed("From"), ["from-missing"]),
        (changed("-", "From: other@example.org"), ["from-several"]),
        (changed("From", "From: joe"), ["from-unreadable"]),
        (changed("From", "From:"), ["from-unreadable"]),
        (changed("From", "From: g:;"), ["from-unreadable"]),
        (changed("From", "From: @example.org"), ["from-unreadable"]),
        (changed("-", "Resent-From: a@b", "Resent-From:"), []),
        (changed("-", "Resent-From:", "Resent-From: a@b"), ["resent-from-unreadable"]),
        (changed("-", "Resent-From: (a@b)"), ["resent-from-unreadable"]),
        (changed("-", "Resent-From: " + "a@b," * 9000), ["long-lines", "resent-from-unreadable"]),
        (changed("-", "Resent-From: a@b <c@d> e@f"), ["from-ambiguous"]),
        (changed("From", "From: <a@b> c"), ["from-ambiguous"]),
        (changed("From", "From: " + "a@b," * 9000), ["long-lines", "from-unreadable"]),
        (changed("From", *["From: " + "," * 900] * 40), ["from-several", "from-unreadable"]),
        (changed("From", "From: a@b, c@d"), ["sender-missing"]),
        (message(" folded", *GOOD, ""), ["begins-folded", "stray-lines"]),
        (message("\tfolded", *GOOD, ""), ["begins-folded", "stray-lines"]),
        (changed("From", "From: a@b, c@d", "Sender: a@b"), []),
        (changed("Date"), ["date-missing"]),
        (changed("Date", "Date: yesterday"), ["date-unreadable"]),
        (changed("Message-ID"), ["message-id-missing"]),
        (changed("Message-ID", "Message-ID: <1@a> <2@a>"), ["message-id-unreadable"]),
        (changed("-", "Bcc: a@b"), ["blind-copies"]),
        (changed("-", "Resent-Bcc: a@b"), ["blind-copies"]),
        (changed("-", "To: a@b", "TO: c@d"), ["duplicates"]),
        (changed("-", "Subject: a\x01"), ["control-octets"]),
        (changed("-", "Subject: a\x7f"), ["control-octets"]),
        (changed("-", "Subject: a\tb"), []),
        (changed("-", "Subject: a\0"), ["nul"]),
        (changed("-", "Subject: a\rb"), ["nul"]),
        (changed("-", "Subject: é"), ["eight-bit"]),
        (changed("-", "no field"), ["stray-lines"]),
        (message("From joe Fri Nov 20", *GOOD, "", ""), ["stray-lines"]),
        (message(*GOOD, "no field").replace(b"\r\n", b"\n") + b"\n", ["stray-lines"]),
        (changed("-", "Subject: " + "x" * 990), ["long-lines"]),
        (changed("-", "Subject: " + "x" * 989), []),
        (b"", ["from-missing", "date-missing", "message-id-missing"]),
        (b"\r\n", ["from-missing", "date-missing", "message-id-missing"]),
    ],
)  # fmt: skip
def test_findings(text: bytes, names: list[str]) -> None:
    assert found(text) == names


def test_utf8_headers_need_smtputf8() -> None:
    text = changed("-", "Subject: é")
    assert found(text, utf8=True) == []
    assert found(text.replace(b"\xc3", b"\xff"), utf8=True) == ["no-utf8"]


def test_headers_beyond_the_limits() -> None:
    text = message(*GOOD, "", "")
    assert "header-too-large" in found(text, limits=Limits(header_size=40))
    assert "header-too-large" in found(text, limits=Limits(fields=2))


def test_a_finding_tells_what_is_wrong() -> None:
    findings = validation.examine(changed("From"), utf8=False)
    assert [(each.text, each.code) for each in findings] == [
        ("The From field is missing", "5.6.0")
    ]


@pytest.mark.parametrize(
    ("text", "submission", "arrival"),
    [
        (changed("-"), None, None),
        (changed("Date"), None, None),
        (changed("From"), "from-missing", None),
        (changed("-", "From: a@b"), "from-several", "from-several"),
        (changed("-", "Subject: \0"), "nul", "nul"),
        (changed("From", "Subject: é"), "eight-bit", None),
    ],
)
def test_who_refuses_what(
    text: bytes, submission: str | None, arrival: str | None
) -> None:
    findings = validation.examine(text, utf8=False)
    refused = validation.refused_on_submission(findings)
    assert (refused and refused.check.name) == submission
    refused = validation.refused_on_arrival(findings)
    assert (refused and refused.check.name) == arrival


def test_the_table_is_sound() -> None:
    # All codes speak of the content of the message (RFC 3463 §3.7).
    names = [check.name for check in validation.CHECKS]
    assert len(set(names)) == len(names)
    for check in validation.CHECKS:
        assert check.code.startswith("5.6.")
        assert check.arrival is not Action.REPAIR
        assert check.text[0].isupper()
        assert check.text.isascii()


@pytest.mark.parametrize(
    ("text", "is_text"),
    [
        (b"", False),
        (b"\r\nbody", False),
        (b"\nbody", False),
        (b"hello", True),
        (b"hello\r\n\r\nFrom: a@b", True),
        (b"hello\r\nFrom: a@b", False),
    ],
)
def test_text_alone(text: bytes, is_text: bool) -> None:
    assert validation.is_text_alone(text) is is_text


def test_repairing() -> None:
    text = message("Bcc: a@b", "From: a@b", "Resent-Bcc:", " c@d", "", "Bcc: body")
    assert validation.repair(
        text, date_text=b"Fri, 20 Nov 2026 12:00:00 +0000", message_id=b"<1@a>"
    ) == message(
        "Date: Fri, 20 Nov 2026 12:00:00 +0000",
        "Message-ID: <1@a>",
        "From: a@b",
        "",
        "Bcc: body",
    )


def test_what_needs_no_repair_stays() -> None:
    text = changed("-")
    assert validation.repair(text, date_text=b"x", message_id=b"y") is text


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        (b"\r\nbody", b"Date: D\r\nMessage-ID: M\r\n\r\nbody"),
        (b"just text", b"Date: D\r\nMessage-ID: M\r\n\r\njust text"),
        (b"", b"Date: D\r\nMessage-ID: M\r\n\r\n"),
        (b"Bcc: a@b\r\n\r\nbody", b"Date: D\r\nMessage-ID: M\r\n\r\nbody"),
    ],
)
def test_repairing_what_has_no_header(text: bytes, repaired: bytes) -> None:
    assert validation.repair(text, date_text=b"D", message_id=b"M") == repaired


@pytest.mark.parametrize(
    ("lines", "authors"),
    [
        (["From: a@b, Joe <c@d>, g: e@f;"], ["a@b", "c@d", "e@f"]),
        (["From: a@b", "From: c@d"], ["a@b", "c@d"]),
        (["Resent-From: new@b", "Resent-To: x@y", "Resent-From: old@b", "From: a@b"], ["new@b"]),
        ([], []),
    ],
)  # fmt: skip
def test_authors(lines: list[str], authors: list[str]) -> None:
    found = validation.authors(message(*lines, "", "From: body@b"))
    assert [f"{a.local_part.decode()}@{a.domain.decode()}" for a in found] == authors


@anything
@given(octets)
def test_garbage_never_raises(text: bytes) -> None:
    for utf8 in (False, True):
        validation.examine(text, utf8=utf8)
        validation.examine(b"From: " + text, utf8=utf8)
    validation.authors(b"From: " + text)


@anything
@given(octets)
def test_what_is_repaired_needs_no_repair(text: bytes) -> None:
    repaired = validation.repair(
        text, date_text=b"Fri, 20 Nov 2026 12:00:00 +0000", message_id=b"<1@a>"
    )
    left = [
        finding.check.name
        for finding in validation.examine(repaired, utf8=True)
        if finding.check.submission is Action.REPAIR
    ]
    assert left == []


def test_a_from_field_without_end_is_not_read() -> None:
    octets = b"From: " + b'"\\' * 300_000 + b"\r\n\r\n"
    names = [finding.check.name for finding in validation.examine(octets, utf8=False)]
    assert "from-unreadable" in names
    assert "sender-missing" not in names
