"""
The MIME structure of a message as offsets into its octets (RFC 2045, RFC 2046).

Nothing is copied but the few fields that describe a part. Delimiter lines are looked
for by ``find``, never line by line; an outer delimiter ends whatever is open inside
(RFC 2046 §5.1.2).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailkit.formats import header
from mailkit.formats.fields import Parameters, content_type
from mailkit.formats.limits import DEFAULT_LIMITS, Limits


class Part(NamedTuple):
    """
    One part, or the whole message.

    A multipart has its parts in ``parts``; a message/rfc822 has exactly one, the
    message inside; all others have none.
    """

    start: int  # where the header begins
    body: int  # where the header ends and the body begins
    end: int  # where the body ends
    lines: int  # line ends in the body of text and message, 0 for all others
    type: bytes  # lower case
    subtype: bytes  # lower case
    parameters: Parameters  # of the Content-Type
    described: dict[bytes, bytes]  # raw Content-* fields by lower-case name
    parts: list[Part]

    @property
    def is_multipart(self) -> bool:
        """Whether it is made of parts (RFC 2046 §5.1)."""
        return self.type == b"multipart"

    @property
    def is_message(self) -> bool:
        """Whether a message is inside (RFC 2046 §5.2.1, RFC 6532 §3.7)."""
        return self.type == b"message" and self.subtype in _MESSAGE_SUBTYPES

    @property
    def encoding(self) -> bytes:
        """The Content-Transfer-Encoding in lower case (RFC 2045 §6.1)."""
        value = self.described.get(b"content-transfer-encoding")
        return b"7bit" if value is None else encoding_name(value)


_PLAIN_TEXT = (b"text", b"plain", ())
_MESSAGE = (b"message", b"rfc822", ())
_MESSAGE_SUBTYPES = frozenset((b"rfc822", b"global"))
_ENCODING = re.compile(rb'[^\s;"(]++')
_MISS = 256  # what a line that only begins like a delimiter counts in octets
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*+\r?(?:\n|\Z)")


def encoding_name(value: bytes) -> bytes:
    """Give the token of a Content-Transfer-Encoding field in lower case."""
    match = _ENCODING.search(value)
    return b"7bit" if match is None else match[0].lower()


def scan(
    octets: bytes,
    limits: Limits = DEFAULT_LIMITS,
    described: dict[bytes, bytes] | None = None,
    body: int | None = None,
) -> Part:
    """
    Find the parts of a message.

    :param described: what `describe` gives for the message, if that is known.
    :param body: where the body begins, if that is known.
    """
    end = len(octets)
    if body is None:
        body = header.find_end(octets)
    if described is None:
        described = describe(header.scan(octets, 0, body, limits))
    root = _part(octets, 0, body, end, described, _PLAIN_TEXT, limits)
    if not _holds_parts(root):
        return root
    room = limits.parts - 1
    search = _Search(octets, limits.searched)
    waiting = [root]
    depths = [0]
    for part, depth in zip(waiting, depths, strict=True):
        if depth >= limits.depth or room <= 0 or search.left <= 0:
            break  # parts come level by level: all that follow are as deep
        if part.type == b"message":
            spans = [(part.body, part.end, part.end)]
            search.left -= part.end - part.body
            default = _PLAIN_TEXT
        else:
            spans = search.spans(part, room)
            default = _MESSAGE if part.subtype == b"digest" else _PLAIN_TEXT
        for start, line, end in spans:
            body = header.find_end(octets, start, line)
            child = _part(
                octets,
                start,
                body,
                end if end > body else body,
                describe(header.scan(octets, start, body, limits)),
                default,
                limits,
            )
            part.parts.append(child)
            if _holds_parts(child):
                waiting.append(child)
                depths.append(depth + 1)
        room -= len(spans)
    return root


def describe(fields: list[header.FieldOctets]) -> dict[bytes, bytes]:
    """Give the topmost Content-* fields' raw values by lower-case name."""
    described: dict[bytes, bytes] = {}
    for _, name, value in fields:
        if name[:1] in b"Cc":  # most names are out before `lower` costs a copy
            name = name.lower()
            if name.startswith(b"content-"):
                described.setdefault(name, value)
    return described


def boundary(parameters: Parameters) -> bytes:
    """Give the boundary of a multipart, b"" if there is none (RFC 2046 §5.1.1)."""
    for name, value in parameters:
        if name.lower() == b"boundary":
            return value.rstrip()
    return b""


def _part(
    octets: bytes,
    start: int,
    body: int,
    end: int,
    described: dict[bytes, bytes],
    default: tuple[bytes, bytes, Parameters],
    limits: Limits,
) -> Part:
    value = described.get(b"content-type", b"")
    kind = (content_type(value, limits) if value else None) or default
    type_, subtype, parameters = kind
    if type_ == b"multipart" and not boundary(parameters):
        type_, subtype, parameters = _PLAIN_TEXT  # nothing tells its parts apart
    counted = type_ == b"text" or (type_ == b"message" and subtype in _MESSAGE_SUBTYPES)
    lines = octets.count(b"\n", body, end) if counted else 0
    return Part(start, body, end, lines, type_, subtype, parameters, described, [])


def _holds_parts(part: Part) -> bool:
    return part.type == b"multipart" or (
        part.type == b"message" and part.subtype in _MESSAGE_SUBTYPES
    )


class _Search:
    """Looks for delimiter lines, and for no more than it was told to."""

    def __init__(self, octets: bytes, left: int) -> None:
        self._octets = octets
        self.left = left

    def spans(self, part: Part, most: int) -> list[tuple[int, int, int]]:
        """
        List where the parts of a multipart are: begin, next delimiter line, body end.

        The line end before a delimiter belongs to the delimiter (RFC 2046 §5.1.1).
        """
        octets = self._octets
        delimiter = b"\n--" + boundary(part.parameters)
        length = len(delimiter)
        limit = part.end
        self.left -= limit - part.body
        found: list[tuple[int, int, int]] = []
        start = -1
        at = octets.find(delimiter, part.body - 1, limit)
        while at >= 0 and self.left > 0:
            match = _AFTER_BOUNDARY.match(octets, at + length, limit)
            if match is not None:
                if start >= 0:
                    bare = octets[at - 1 : at] != b"\r"
                    found.append((start, at + 1, at if bare else at - 1))
                start = match.end()
                if match[1] is not None:
                    return found
                if len(found) + 1 >= most:
                    break
            else:
                self.left -= _MISS
            at = octets.find(delimiter, at + length, limit)
        if start >= 0:
            found.append((start, limit, limit))
        return found
