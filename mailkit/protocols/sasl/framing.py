"""How protocols of lines carry SASL: base64, ``=`` and ``*`` (RFC 4422 §3.5).

The same in SMTP (RFC 4954 §4), IMAP (RFC 9051 §6.2.2) and POP3 (RFC 5034 §4).
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from attrs import frozen

from mailkit.errors import Cancelled, Malformed


@frozen
class Limits:
    """What one message of an exchange may take."""

    line: int = 12288
    """Octets of base64 in a line without its end (RFC 4954 §4 asks for as many)."""


LIMITS = Limits()


def encode_challenge(octets: bytes) -> bytes:
    """What follows ``334`` or ``+`` and a space; empty for an empty challenge."""
    return b2a_base64(octets, newline=False)


def decode_base64(text: bytes) -> bytes:
    """
    Undo base64 as strictly as RFC 4954 §4 and RFC 4959 §3 want it.

    :raises Malformed: at any other character, and at pads that belong elsewhere.
    """
    # Python takes any number of pads after whole groups.
    if len(text) % 4 == 0 and not text.endswith(b"==="):
        try:
            return a2b_base64(text, strict_mode=True)
        except Error:
            pass
    raise Malformed("The response is not base64")


def decode_response(line: bytes, limits: Limits = LIMITS) -> bytes:
    """
    The octets of a client's response line, its end taken off.

    :raises Cancelled: if the line is ``*``.
    :raises Malformed: if it is not base64 to the letter, or too long.
    """
    if line == b"*":
        raise Cancelled("the client cancelled the authentication")
    if len(line) > limits.line:
        raise Malformed("The response is too long")
    return decode_base64(line)


def decode_initial(argument: bytes, limits: Limits = LIMITS) -> bytes:
    """
    The octets of an initial response, where ``=`` stands for none (RFC 4954 §4).

    :raises Malformed: if it is not base64 to the letter, or too long.
    """
    return b"" if argument == b"=" else decode_response(argument, limits)
