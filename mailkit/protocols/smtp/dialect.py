"""What SMTP and LMTP say differently."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen(eq=False)
class Dialect:
    """One of the two ways to speak (RFC 2033 §4)."""

    hellos: Mapping[bytes, bool]
    """The verbs that open a session, and whether extensions come with them."""
    answers_each: bool
    """After the message each accepted recipient has a reply of its own."""


SMTP = Dialect({b"EHLO": True, b"HELO": False}, answers_each=False)
"""RFC 5321."""

LMTP = Dialect({b"LHLO": True}, answers_each=True)
"""RFC 2033."""
