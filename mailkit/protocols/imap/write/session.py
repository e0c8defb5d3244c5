"""The answer to ID (RFC 2971 §3.2)."""

from __future__ import annotations

from collections.abc import Mapping

from mailkit.protocols.imap.write.strings import string


def identification(parameters: Mapping[str, str]) -> bytes:
    """Who the server says it is; NIL where it says nothing."""
    if not parameters:
        return b"* ID NIL\r\n"
    words = [string(word.encode()) for pair in parameters.items() for word in pair]
    return b"* ID (%b)\r\n" % b" ".join(words)
