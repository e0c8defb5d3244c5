"""
Authentication-Results fields: whose they are, taking out forged ones, writing ours.

RFC 8601. What the results mean is for those who judge mail to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from attrs import frozen

from mailkit.formats import header
from mailkit.formats.fields import unquoted, without_comments

FIELD = b"authentication-results"
"""The field's name in lower case."""

_OWNER = re.compile(
    rb'\s*+(?:"((?:[^"\\]++|\\.)*+)"|([^\s;"=]++))\s*+(?:[0-9]++\s*+)?(?:;|\Z)'
)
_TOKEN = re.compile(r"[^\s()<>@,;:\\\"/\[\]?=\x00-\x1f\x7f]+\Z")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f]")
_LINE = 78
_LOOKED_AT = 65_536  # octets of all fields of a message together


@frozen
class Result:
    """What one method found (RFC 8601 §2.2, ``resinfo``)."""

    method: str  # "spf", "dkim", "auth" …
    result: str  # "pass", "fail", "none" …
    reason: str = ""
    properties: tuple[tuple[str, str], ...] = ()  # ("smtp.mailfrom", "example.org") …


def authserv_id(value: bytes) -> str | None:
    """
    Say whose a field is: its authserv-id in lower case (RFC 8601 §2.5).

    Nothing if the text begins with none.
    """
    match = _OWNER.match(without_comments(header.unfold(value)))
    if match is None:
        return None
    owner = match[2] if match[1] is None else unquoted(match[1])
    return owner.decode("utf-8", "replace").lower()


def remove_claims(
    octets: bytes, ours: Collection[str], also: Collection[bytes] = ()
) -> bytes:
    """
    Take out what a stranger said in our name (RFC 8601 §5).

    Fields that do not tell whose they are go too: somebody behind us might read a
    name in them. So do those behind the first 64 KiB of them, which nobody needs.

    :param ours: authserv-ids that only we may use, in lower case.
    :param also: beginnings of lower-case names that only we may use, as "x-spam-".
    """
    prefixes = tuple(also)
    left = _LOOKED_AT

    def is_claim(name: bytes, value: bytes) -> bool:
        nonlocal left
        if name == FIELD:
            left -= len(value)
            owner = authserv_id(value) if left >= 0 else None
            return owner is None or owner.rstrip(".") in ours
        return bool(prefixes) and name.startswith(prefixes)

    return header.remove_where(octets, is_claim)


def write(owner: str, results: Sequence[Result]) -> bytes:
    """
    Write a field with its CRLF, one line a result; without results ``none``.

    :param owner: our authserv-id.
    """
    clauses = [_resinfo(result) for result in results] or ["none"]
    text = ";\r\n\t".join((_value(owner), *clauses))
    return f"Authentication-Results: {text}\r\n".encode("utf-8", "replace")


def _resinfo(result: Result) -> str:
    words = [f"{_value(result.method)}={_value(result.result)}"]
    if result.reason:
        words.append(f"reason={_value(result.reason)}")
    words += [f"{name}={_property(value)}" for name, value in result.properties]
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) > _LINE - 4:
            lines.append(word)
        else:
            lines[-1] += " " + word
    return "\r\n\t ".join(lines)


def _property(value: str) -> str:
    """Write a ``pvalue``: an address or a domain may stand as it is."""
    local_part, at, domain = value.rpartition("@")
    if at and _TOKEN.match(domain) and (not local_part or _TOKEN.match(local_part)):
        return value
    return _value(value)


def _value(text: str) -> str:
    """Write a token, or a quoted-string of what is none (RFC 2045 §5.1)."""
    if _TOKEN.match(text):
        return text
    escaped = _NO_TEXT.sub("?", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
