"""One line of a POP3 client turned into an event (RFC 1939 §3, RFC 2449 §4)."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from mailkit.errors import Cancelled, Malformed
from mailkit.protocols.pop3.events import (
    AuthBegins,
    AuthCancelled,
    AuthList,
    AuthResponse,
    Capa,
    Dele,
    Event,
    Noop,
    Pass,
    Quit,
    Retr,
    Rset,
    Scan,
    StartTLS,
    Stat,
    Top,
    Uidl,
    User,
    Utf8,
)
from mailkit.protocols.sasl.framing import decode_initial, decode_response


@frozen
class Limits:
    """How much of anything a client may send."""

    line: int = 255
    """Octets of a command with its CRLF (RFC 2449 §4)."""

    response: int = 16_384
    """Octets of a line with SASL in it, with its CRLF (RFC 4954 §4 has 12,288)."""

    errors: int = 10
    """Commands in a row that mean nothing, before the client is sent away."""


def read_command(line: bytes) -> Event:
    """
    Read one command.

    :raises Malformed: naming what is wrong with it.
    """
    verb, _, rest = line.partition(b" ")
    read = _READERS.get(verb.upper())
    if read is None:
        raise Malformed("Unknown command")
    return read(rest)


def read_response(line: bytes) -> Event:
    """Read the answer to a challenge (RFC 5034 §4)."""
    try:
        return AuthResponse(decode_response(line))
    except Cancelled:
        return AuthCancelled("Cancelled")
    except Malformed as problem:
        return AuthCancelled(str(problem))


def _nothing(event: Event) -> Callable[[bytes], Event]:
    def read(rest: bytes) -> Event:
        if rest.strip():
            raise Malformed("No argument belongs here")
        return event

    return read


def _text(rest: bytes, what: str) -> str:
    if not rest:
        raise Malformed(f"A {what} is missing")
    try:
        return rest.decode()
    except UnicodeDecodeError:
        raise Malformed(f"The {what} is not UTF-8") from None


def _number(word: bytes) -> int:
    if not word.isdigit() or len(word) > 9:
        raise Malformed("A number is missing or is none")
    return int(word)


def _maybe_number(rest: bytes) -> int | None:
    word = rest.strip()
    return _number(word) if word else None


def _auth(rest: bytes) -> Event:
    mechanism, space, response = rest.strip().partition(b" ")
    if not mechanism:
        return AuthList()
    if not mechanism.isascii():
        raise Malformed("Not a mechanism")
    name = mechanism.decode("ascii").upper()
    return AuthBegins(name, decode_initial(response) if space else None)


def _top(rest: bytes) -> Event:
    words = rest.split()
    if len(words) != 2:
        raise Malformed("TOP takes a message and a number of lines")
    return Top(_number(words[0]), _number(words[1]))


_READERS: dict[bytes, Callable[[bytes], Event]] = {
    b"CAPA": _nothing(Capa()),
    b"STLS": _nothing(StartTLS()),
    b"USER": lambda rest: User(_text(rest.strip(), "name")),
    b"PASS": lambda rest: Pass(_text(rest, "password")),
    b"AUTH": _auth,
    b"UTF8": _nothing(Utf8()),
    b"STAT": _nothing(Stat()),
    b"LIST": lambda rest: Scan(_maybe_number(rest)),
    b"UIDL": lambda rest: Uidl(_maybe_number(rest)),
    b"RETR": lambda rest: Retr(_number(rest.strip())),
    b"TOP": _top,
    b"DELE": lambda rest: Dele(_number(rest.strip())),
    b"NOOP": _nothing(Noop()),
    b"RSET": _nothing(Rset()),
    b"QUIT": _nothing(Quit()),
}
