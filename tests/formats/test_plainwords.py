"""Why mail does not arrive, in words (RFC 3463 §3, RFC 7505 §4.2)."""

from __future__ import annotations

import pytest

from mailkit.formats import plainwords
from mailkit.formats.plainwords import REASONS, Reason, is_for_good, reason_for


@pytest.mark.parametrize(
    ("status", "words", "name"),
    [
        ("5.1.1", "", "no-such-address"),
        ("5.1.2", "", "no-such-domain"),
        ("5.4.4", "", "no-such-domain"),
        ("5.1.10", "", "takes-no-mail"),
        ("5.1.3", "", "bad-address"),
        ("5.1.6", "", "moved"),
        ("5.1.8", "", "bad-sender"),
        ("5.2.1", "", "disabled"),
        ("4.2.2", "", "mailbox-full"),
        ("5.2.2", "", "mailbox-full"),
        ("5.2.3", "", "too-large"),
        ("5.3.4", "", "too-large"),
        ("4.3.1", "", "system-full"),
        ("4.4.1", "", "no-answer"),
        ("4.4.2", "", "connection-lost"),
        ("4.4.3", "", "name-server"),
        ("5.4.6", "", "loop"),
        ("4.4.7", "", "too-late"),
        ("4.5.3", "", "too-many-recipients"),
        ("5.6.3", "", "needs-8bit"),
        ("5.6.7", "", "needs-utf8"),
        ("5.6.1", "", "bad-content"),
        ("5.7.1", "", "policy"),
        ("5.7.1", "554 5.7.1 Message looks like SPAM", "spam"),
        ("5.7.1", "550 5.7.1 192.0.2.1 is listed by zen.example", "spam"),
        ("5.7.999", "", "policy"),
        ("5.7.26", "", "not-verified"),
        ("5.7.26", "unsolicited mail without DKIM", "not-verified"),
        ("5.7.10", "", "needs-tls"),
        ("5.7.30", "", "needs-tls"),
        ("5.7.28", "", "spam"),
        # What may pass is not told as if it were the end.
        ("4.1.1", "450 4.1.1 unverified address", "not-now"),
        ("4.2.1", "450 4.2.1 receives mail too quickly", "not-now"),
        ("4.1.2", "", "name-server"),
        ("4.4.4", "", "name-server"),
        ("4.7.1", "451 4.7.1 Greylisted", "busy"),
        ("4.7.1", "450 4.7.1 listed by zen.example", "spam"),
        ("4.0.0", "450 user unknown", "not-now"),
        ("4.7.5", "", "needs-tls"),
        ("5.0.0", "", "no-reason"),
        ("", "", "no-reason"),
        ("garbage", "550 User unknown", "no-such-address"),
        ("5.0.0", "550 No such user here", "no-such-address"),
        ("5.5.0", "550 Requested action not taken: mailbox unavailable", "no-reason"),
        ("5.0.0", "550 The recipient does not exist", "no-such-address"),
        ("5.0.0", "550 blocked, see our blocklist", "spam"),
        ("5.7.1", "550 5.7.1 recipient not found", "policy"),
        ("5.4.0", "550 no such user", "no-reason"),
        ("٥.1.1", "", "no-reason"),
    ],
)  # fmt: skip
def test_reasons(status: str, words: str, name: str) -> None:
    assert reason_for(status, words).name == name


@pytest.mark.parametrize(
    ("status", "words", "expected"),
    [
        ("5.1.1", "", True),
        ("5.1.10", "", True),
        ("5.0.0", "550 unknown user", True),
        ("4.1.1", "", False),
        ("5.2.2", "", False),
        ("5.7.1", "550 5.7.1 spam", False),
        ("", "550 unknown user", False),
    ],
)
def test_what_is_for_good(status: str, words: str, expected: bool) -> None:
    assert is_for_good(status, words) is expected


def test_every_reason_reads_well() -> None:
    every = [value for value in vars(plainwords).values() if isinstance(value, Reason)]
    assert set(REASONS.values()) <= set(every)
    assert len({reason.name for reason in every}) == len(every)
    for reason in every:
        assert not reason.because.endswith(".")
        assert reason.advice.endswith(".")
