"""Errors of the system, in its own words and once."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError

from mailkit.net.failures import words_of


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
        (ConnectionRefusedError(), "connection was refused by other side"),
        (ConnectError(osError=OSError(113, "Nobody home.")), "nobody home"),
        (OSError(2, "whatever"), "no such file or directory"),
        (OSError(-2, "Name or service not known"), "name or service not known"),
        (OSError("Plain words."), "plain words"),
        (OSError(), "oSError"),
        (DNSLookupError("x"), "DNS lookup failed: x"),
    ],
)  # fmt: skip
def test_words(error: Exception, words: str) -> None:
    assert words_of(error).lower() == words.lower()
