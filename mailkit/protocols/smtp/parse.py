"""Reading the arguments of SMTP commands: paths, parameters, xtext."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from mailkit.errors import Malformed
from mailkit.model.envelope import (
    BodyType,
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.reply import Reply
from mailkit.protocols.sasl.framing import decode_base64
from mailkit.protocols.smtp.limits import Limits


class BadArgument(Malformed):
    """An argument that cannot be read; the machine answers with `reply`."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


def bad_syntax(text: str) -> BadArgument:
    """A command that is not in the grammar."""
    return BadArgument(Reply(501, "5.2", text))


def bad_parameter(text: str) -> BadArgument:
    """A parameter that is not in the grammar."""
    return BadArgument(Reply(501, "5.4", text))


# -- paths

# Characters that are allowed are written as those of ASCII that are not: all beyond it
# are (RFC 6531 §3.3), and a range of a million takes 5 ms to compile, each time.
# A dot at the wrong place is taken: some telephone companies hand out such addresses.
_ATEXT = r'[^\x00- "(),:;<>@\[\\\]\x7f]'
_QUOTED = r'"(?:[^\x00-\x1f"\\\x7f]|\\[ -~])*"'
_LETTER = r"[^\x00-/:-@\[-^`{-\x7f]"  # and a digit, and _
_LABEL = rf"{_LETTER}(?:[^\x00-,./:-@\[-^`{{-\x7f]*{_LETTER})?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[!-Z^-~]+\])"
_ROUTE = rf"@{_DOMAIN}(?:,@{_DOMAIN})*:"
_PATH = re.compile(rf" *<(?:(?:{_ROUTE})?({_ATEXT}+|{_QUOTED})@({_DOMAIN}))?>")
_POSTMASTER = re.compile(r" *<(postmaster)>", re.I)
_HELLO = re.compile(r"[!-~]+")
_ESCAPED = re.compile(r"\\(.)", re.S)


def read_path(text: str, limits: Limits) -> tuple[Path, str]:
    """
    Read a path (RFC 5321 §4.1.2); a source route is dropped (appendix C).

    Blanks before it are borne with. An empty path is `NULL_PATH`.

    :returns: the path, and what follows it.
    :raises BadArgument:
    """
    match = _PATH.match(text)
    if match is None:
        raise bad_path("Not an address in angle brackets")
    rest = text[match.end() :]
    if rest and not rest.startswith(" "):
        raise bad_path("Something follows the address")
    local_part, domain = match.groups()
    if local_part is None:
        return NULL_PATH, rest
    if local_part.startswith('"'):
        local_part = _ESCAPED.sub(r"\1", local_part[1:-1])
        if not local_part:
            raise bad_path("The part before @ is empty")
    if not (local_part.isascii() and domain.isascii()) and not (
        local_part.isprintable() and domain.isprintable()
    ):
        raise bad_path("A control character in an address")
    if _octets(local_part) > limits.local_part:
        raise bad_path("The part before @ is too long")
    if _octets(domain) > limits.domain:
        raise bad_path("The domain is too long")
    return Path(local_part, domain), rest


def read_sender(text: str, limits: Limits) -> tuple[Path, SenderParameters]:
    """
    Read what follows ``MAIL FROM:``.

    :raises BadArgument:
    """
    path, rest = read_path(text, limits)
    parameters = SenderParameters(**_read_all(rest, _SENDER)) if rest else _NO_SENDER
    if parameters.hold_for is not None and parameters.hold_until is not None:
        raise bad_parameter("HOLDFOR and HOLDUNTIL at once")  # RFC 4865 §5
    if not (parameters.smtputf8 or path.is_ascii):
        raise _needs_smtputf8()
    return path, parameters


def read_recipient(
    text: str, limits: Limits, smtputf8: bool
) -> tuple[Path, RecipientParameters]:
    """
    Read what follows ``RCPT TO:``.

    :param smtputf8: whether MAIL said so (RFC 6531 §3.4).
    :raises BadArgument:
    """
    postmaster = _POSTMASTER.match(text)
    if postmaster is not None:
        path, rest = Path(postmaster[1], ""), text[postmaster.end() :]
        if rest and not rest.startswith(" "):
            raise bad_path("Something follows the address")
    else:
        path, rest = read_path(text, limits)
    if path.is_null:
        raise bad_path("Nobody to deliver to")
    parameters = (
        RecipientParameters(**_read_all(rest, _RECIPIENT)) if rest else _NO_RECIPIENT
    )
    if not (smtputf8 or path.is_ascii):
        raise _needs_smtputf8()
    return path, parameters


def read_hello(text: str, limits: Limits) -> str:
    """
    Read the argument of EHLO, HELO or LHLO; any visible ASCII word will do.

    What clients say here is often no domain, and refusing it serves nobody.

    :raises BadArgument:
    """
    text = text.strip(" ")
    if _HELLO.fullmatch(text) is None or len(text) > limits.domain:
        raise BadArgument(Reply(501, "", "Say your domain, or your address in []"))
    return text


def bad_path(text: str) -> BadArgument:
    """A path that is not in the grammar (RFC 3463 §3.2)."""
    return BadArgument(Reply(501, "1.3", text))


def _needs_smtputf8() -> BadArgument:
    # RFC 6531 §3.5.
    return BadArgument(Reply(553, "6.7", "Such an address needs MAIL with SMTPUTF8"))


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


# -- parameters

_PARAMETER = re.compile(r" +([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([!-<>-~]+))?")
# RFC 6531 §3.3 lets UTF-8 into values.
_UTF8_PARAMETER = re.compile(r" +([A-Za-z0-9][A-Za-z0-9\-]*)(?:=([^\x00- =\x7f]+))?")
_XTEXT = re.compile(r"(?:[^\x00- +=\x7f]|\+[0-9A-F]{2})*")
_HEX = re.compile(rb"\+([0-9A-F]{2})")
_ORCPT = re.compile(r"([A-Za-z0-9\-]{1,60});(.+)")
_SIZE = re.compile(r"[0-9]{1,20}")
_SECONDS = re.compile(r"[1-9][0-9]{0,8}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


_Readers = dict[str, tuple[str, Callable[[str | None], Any]]]
"""By keyword: what the parameter is called here, and how its value is read."""

_NO_SENDER = SenderParameters()
_NO_RECIPIENT = RecipientParameters()


def _read_all(text: str, readers: _Readers) -> dict[str, Any]:
    """Read all parameters; any types, for each reader makes what its field holds."""
    found: dict[str, Any] = {}
    for keyword, value in _split(text):
        known = readers.get(keyword)
        if known is None:
            # RFC 5321 §4.1.1.11. What the peer said is not said again.
            raise BadArgument(Reply(555, "5.4", "A parameter that was not offered"))
        name, read = known
        found[name] = read(value)
    return found


def _split(text: str) -> list[tuple[str, str | None]]:
    """Split ``SP keyword[=value]…``; each keyword once at most."""
    text = text.rstrip(" ")
    found: list[tuple[str, str | None]] = []
    names: set[str] = set()
    pattern = _PARAMETER if text.isascii() else _UTF8_PARAMETER
    at = 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise bad_parameter("Not a parameter")
        keyword = match[1].upper()
        if keyword in names:
            raise bad_parameter("A parameter is said twice")
        names.add(keyword)
        found.append((keyword, match[2]))
        at = match.end()
    return found


def read_xtext(text: str) -> str:
    """
    Undo xtext (RFC 3461 §4).

    :raises BadArgument: also where what comes out is not UTF-8, or not to be shown.
    """
    if _XTEXT.fullmatch(text) is None:
        raise bad_parameter("Not xtext")
    if "+" not in text:
        return text
    octets = _HEX.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode())
    try:
        plain = octets.decode()
    except UnicodeDecodeError:
        raise bad_parameter("Not UTF-8 within xtext") from None
    if not plain.isprintable():
        raise bad_parameter("A control character within xtext")
    return plain


def write_xtext(text: str) -> str:
    """Write xtext (RFC 3461 §4); UTF-8 is written octet by octet."""
    return "".join(
        chr(octet) if 33 <= octet <= 126 and octet not in b"+=" else f"+{octet:02X}"
        for octet in text.encode()
    )


def read_base64(text: bytes) -> bytes:
    """
    Undo base64 (RFC 4954 §4).

    :raises BadArgument:
    """
    try:
        return decode_base64(text)
    except Malformed:
        raise bad_syntax("Not base64") from None


def _size(value: str | None) -> int:
    if value is None or _SIZE.fullmatch(value) is None:
        raise bad_parameter("SIZE is a number of octets")
    return int(value)


def _body(value: str | None) -> BodyType:
    try:
        return BodyType((value or "").upper())
    except ValueError:
        raise bad_parameter("BODY is 7BIT, 8BITMIME or BINARYMIME") from None


def _smtputf8(value: str | None) -> bool:
    if value is not None:
        raise bad_parameter("SMTPUTF8 takes no value")
    return True


def _ret(value: str | None) -> str:
    word = (value or "").upper()
    if word not in ("FULL", "HDRS"):
        raise bad_parameter("RET is FULL or HDRS")
    return word


def _envid(value: str | None) -> str:
    # RFC 3461 §4.4: at most 100 characters as they are written.
    if value is None or len(value) > 100:
        raise bad_parameter("ENVID is an xtext of up to 100 characters")
    return read_xtext(value)


def _auth(value: str | None) -> str:
    if value is None or len(value) > 500:
        raise bad_parameter("AUTH is a mailbox or <>")
    return read_xtext(value)


def _hold_for(value: str | None) -> int:
    # RFC 4865 §5: one to nine digits.
    if value is None or _SECONDS.fullmatch(value) is None:
        raise bad_parameter("HOLDFOR is a number of seconds")
    return int(value)


def _hold_until(value: str | None) -> float:
    # RFC 4865 §5: a date-time of RFC 3339 §5.6.
    try:
        if value is None or _DATE_TIME.fullmatch(value) is None:
            raise ValueError
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        raise bad_parameter("HOLDUNTIL is a time such as 2026-12-31T09:30Z") from None


def _require_tls(value: str | None) -> bool:
    if value is not None:
        raise bad_parameter("REQUIRETLS takes no value")
    return True


_SENDER: _Readers = {
    "SIZE": ("size", _size),  # RFC 1870 §3
    "BODY": ("body", _body),  # RFC 6152 §2, RFC 3030 §3
    "SMTPUTF8": ("smtputf8", _smtputf8),  # RFC 6531 §3.4
    "RET": ("ret", _ret),  # RFC 3461 §4.3
    "ENVID": ("envid", _envid),  # RFC 3461 §4.4
    "AUTH": ("auth", _auth),  # RFC 4954 §5
    "HOLDFOR": ("hold_for", _hold_for),  # RFC 4865 §4
    "HOLDUNTIL": ("hold_until", _hold_until),  # RFC 4865 §4
    "REQUIRETLS": ("require_tls", _require_tls),  # RFC 8689 §3
}


def _notify(value: str | None) -> frozenset[Notify]:
    words = (value or "").upper().split(",")
    try:
        wishes = frozenset(Notify[word] for word in words)
    except KeyError:
        raise bad_parameter(
            "NOTIFY is NEVER, or some of SUCCESS, FAILURE, DELAY"
        ) from None
    if len(wishes) != len(words) or (Notify.NEVER in wishes and len(wishes) > 1):
        raise bad_parameter("NOTIFY contradicts itself")
    return wishes


def _orcpt(value: str | None) -> str:
    # RFC 3461 §4.2: at most 500 characters. RFC 6533 §3 lets UTF-8 in.
    match = _ORCPT.fullmatch(value or "")
    if match is None or len(match[0]) > 500:
        raise bad_parameter("ORCPT is type;address")
    return f"{match[1].lower()};{read_xtext(match[2])}"


_RECIPIENT: _Readers = {
    "NOTIFY": ("notify", _notify),  # RFC 3461 §4.1
    "ORCPT": ("orcpt", _orcpt),  # RFC 3461 §4.2
}
