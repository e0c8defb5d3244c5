"""
Structured fields: Content-Type, Content-Disposition, message identifications.

Reading is tolerant; what cannot be understood is left out, never raised.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from mailkit.formats import charset
from mailkit.formats.header import unfold
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

Parameters = tuple[tuple[bytes, bytes], ...]
"""Names as they stand and values without quotes, in order."""


class Parameterised(NamedTuple):
    """A value and its parameters, as in Content-Disposition (RFC 2183 §2)."""

    value: bytes  # lower case
    parameters: Parameters


class ContentType(NamedTuple):
    """A media type and its parameters (RFC 2045 §5.1)."""

    type: bytes  # lower case
    subtype: bytes  # lower case
    parameters: Parameters


_TYPE = re.compile(rb'\s*+([^\s/;"=]++)\s*+/\s*+([^\s/;"=]++)')
_TOKEN = re.compile(rb'\s*+"?([^\s;"=]++)')
_PARAMETER = re.compile(
    rb';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]++|\\.)*+)(?:"|\\?\Z)|([^;"]*+))', re.S
)
_ESCAPED = re.compile(rb"\\(.)", re.S)
_OUTSIDE_COMMENT = re.compile(rb'[^"()\\]++|\\.|"(?:[^"\\]++|\\.)*+"?|.', re.S)
_IN_COMMENT = re.compile(rb"[^()\\]++|\\.|.", re.S)
_SECTION = re.compile(rb"([^*]++)(?:\*([0-9]{1,4}))?(\*)?\Z")
_MESSAGE_ID = re.compile(rb"<[^<>\s]++(?:\s++[^<>\s]++)*+>")
_LANGUAGE = re.compile(rb"[^\s,]++")


def content_type(value: bytes, limits: Limits = DEFAULT_LIMITS) -> ContentType | None:
    """Read a Content-Type (RFC 2045 §5.1); nothing if it names no type."""
    value = _plain(value)
    match = _TYPE.match(value)
    if match is None:
        return None
    return ContentType(
        match[1].lower(), match[2].lower(), _parameters(value, match.end(), limits)
    )


def disposition(value: bytes, limits: Limits = DEFAULT_LIMITS) -> Parameterised | None:
    """Read a Content-Disposition (RFC 2183 §2); nothing if it names no type."""
    value = _plain(value)
    match = _TOKEN.match(value)
    if match is None:
        return None
    return Parameterised(match[1].lower(), _parameters(value, match.end(), limits))


def parameter(parameters: Parameters, name: bytes) -> bytes | None:
    """
    Give a parameter's value, in UTF-8 where RFC 2231 §4 was used to write it.

    :param name: in lower case, without asterisk.
    """
    extended = name + b"*"
    found = None
    for each, value in parameters:
        each = each.lower()
        if each == extended:
            return value
        if each == name and found is None:
            found = value
    return found


def message_ids(value: bytes, limits: Limits = DEFAULT_LIMITS) -> list[bytes]:
    """List the ``<…>`` of Message-ID, In-Reply-To or References (RFC 5322 §3.6.4)."""
    found = islice(_MESSAGE_ID.finditer(value), limits.message_ids)
    return [b"".join(match[0].split()) for match in found]


def languages(value: bytes) -> list[bytes]:
    """List the tags of a Content-Language (RFC 3282 §2)."""
    return _LANGUAGE.findall(_plain(value))


def without_comments(value: bytes) -> bytes:
    """Put a space in the place of each comment (RFC 5322 §3.2.2)."""
    if b"(" not in value:
        return value
    kept: list[bytes] = []
    depth = 0
    at = 0
    while at < len(value):
        match = (_IN_COMMENT if depth else _OUTSIDE_COMMENT).match(value, at)
        assert match is not None  # both take any octet
        token = match[0]
        at = match.end()
        if token == b"(":
            depth += 1
        elif token == b")":
            depth = max(0, depth - 1)
            if not depth:
                kept.append(b" ")
        elif not depth:
            kept.append(token)
    return b"".join(kept)


def unquoted(value: bytes) -> bytes:
    """Give the content of a quoted-string without its escapes (RFC 5322 §3.2.4)."""
    return _ESCAPED.sub(rb"\1", value) if b"\\" in value else value


def _plain(value: bytes) -> bytes:
    return without_comments(unfold(value))


def _parameters(value: bytes, start: int, limits: Limits) -> Parameters:
    if start == len(value):
        return ()
    found: list[tuple[bytes, bytes]] = []
    divided = False
    for match in islice(_PARAMETER.finditer(value, start), limits.parameters):
        name, quoted, plain = match.groups()
        divided = divided or b"*" in name
        found.append((name, unquoted(quoted) if plain is None else plain.rstrip()))
    return _assembled(found) if divided else tuple(found)


def _assembled(found: list[tuple[bytes, bytes]]) -> Parameters:
    """
    Join the sections of RFC 2231 §3 and decode its extended values (§4).

    As RFC 9051 §7.5.2 wants: ``foo*0`` and ``foo*1`` become ``foo``, extended ones
    become ``foo*`` in UTF-8.
    """
    plain: dict[bytes, tuple[bytes, bytes]] = {}
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    spelled: dict[bytes, bytes] = {}
    order: dict[bytes, None] = {}
    for name, value in found:
        match = _SECTION.match(name)
        if match is None or (match[2] is None and match[3] is None):
            order[b" " + name] = None
            plain.setdefault(b" " + name, (name, value))
            continue
        key = match[1].lower()
        order[key] = None
        spelled.setdefault(key, match[1])
        number = int(match[2] or 0)
        sections.setdefault(key, {}).setdefault(number, (value, match[3] is not None))
    return tuple(
        plain[key] if key in plain else _joined(spelled[key], sections[key])
        for key in order
    )


def _joined(
    name: bytes, sections: dict[int, tuple[bytes, bool]]
) -> tuple[bytes, bytes]:
    if not any(extended for _, extended in sections.values()):
        return name, b"".join(sections[number][0] for number in sorted(sections))
    charset_name = b""
    joined: list[bytes] = []
    for position, number in enumerate(sorted(sections)):
        value, extended = sections[number]
        if extended:
            if position == 0 and value.count(b"'") >= 2:
                charset_name, _, value = value.split(b"'", 2)
            value = unquote_to_bytes(value)
        joined.append(value)
    text = charset.decode(b"".join(joined), charset_name)
    return name + b"*", text.encode("utf-8", "replace")
