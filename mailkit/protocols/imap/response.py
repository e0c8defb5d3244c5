"""Status responses as values (RFC 9051 §7.1)."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Condition(Enum):
    """How a command, or a connection, fares."""

    OK = b"OK"
    NO = b"NO"
    BAD = b"BAD"
    BYE = b"BYE"
    PREAUTH = b"PREAUTH"


@frozen
class Response:
    """
    A status response, tagged or not.

    ``code`` is what stands in the square brackets, ready to send (see
    `mailkit.protocols.imap.write.codes`), or empty. ``text`` is for people.
    """

    condition: Condition
    text: str
    code: bytes = b""

    @property
    def is_ok(self) -> bool:
        return self.condition is Condition.OK

    def __bytes__(self) -> bytes:
        """
        Without tag and CRLF.

        CR, LF and NUL in the text become spaces, and what is not ASCII ``?``: not all
        clients have said that they take it (RFC 9051 §9, text).
        """
        text = self.text.translate(_LINE_ENDS).encode("ascii", "replace")
        code = b"[%b] " % self.code if self.code else b""
        return b"%b %b%b" % (self.condition.value, code, text or b"Done")


_LINE_ENDS = dict.fromkeys(map(ord, "\r\n\0"), " ")


def ok(text: str, code: bytes = b"") -> Response:
    """Done."""
    return Response(Condition.OK, text, code)


def no(text: str, code: bytes = b"") -> Response:
    """Understood and not done."""
    return Response(Condition.NO, text, code)


def bad(text: str, code: bytes = b"") -> Response:
    """Not understood, or not now."""
    return Response(Condition.BAD, text, code)
