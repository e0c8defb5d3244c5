"""
Sections of a message, as FETCH names them (RFC 9051 §6.4.5, RFC 3516 §4).

A section is found in the tree that `mime.scan` gives; the answer is a range of the
message's octets wherever it is one, so that nothing is copied.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Sequence

from mailkit.formats import body, header, mime
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

_BARE_LF = re.compile(rb"(?<!\r)\n")


class Text(enum.Enum):
    """What of a part is asked for: RFC 9051's ``section-text``."""

    WHOLE = b""
    HEADER = b"HEADER"
    TEXT = b"TEXT"
    MIME = b"MIME"


Span = tuple[int, int]
"""Where octets begin and end in the message."""


def locate(root: mime.Part, numbers: Sequence[int]) -> mime.Part | None:
    """
    Find the part with these numbers; none if there is no such part.

    Part 1 of what is no multipart is its body. Numbers behind a message/rfc822 part
    count the parts of the message inside.
    """
    part = root
    holder: mime.Part | None = root
    for number in numbers:
        if holder is None:
            return None
        if holder.is_multipart:
            if 1 <= number <= len(holder.parts):
                part = holder.parts[number - 1]
            elif number == 1:
                part = _nothing(holder)  # what BODYSTRUCTURE shows of it
            else:
                return None
        elif number == 1:
            part = holder
        else:
            return None
        inside = part.parts[0] if part.parts else None
        holder = part if part.is_multipart else inside
    return part


def span(
    octets: bytes, root: mime.Part, numbers: Sequence[int], text: Text
) -> Span | None:
    """
    Say where a section's octets are; none if the message has no such section.

    HEADER and TEXT after part numbers are those of the message inside that part; of
    any other part there are none. MIME needs part numbers.
    """
    if not numbers:
        return _of_message(text, 0, root.body, len(octets))
    part = locate(root, numbers)
    if part is None:
        return None
    if text is Text.WHOLE:
        return part.body, part.end
    if text is Text.MIME:
        return part.start, part.body
    if not part.is_message:
        return None
    return _of_message(
        text, part.body, header.find_end(octets, part.body, part.end), part.end
    )


def header_fields(
    octets: bytes,
    root: mime.Part,
    numbers: Sequence[int],
    names: Collection[bytes],
    limits: Limits = DEFAULT_LIMITS,
) -> bytes | None:
    """Give HEADER.FIELDS with these lower-case names, and its empty line."""
    where = span(octets, root, numbers, Text.HEADER)
    return None if where is None else header.select(octets, names, *where, limits)


def header_fields_not(
    octets: bytes,
    root: mime.Part,
    numbers: Sequence[int],
    names: Collection[bytes],
    limits: Limits = DEFAULT_LIMITS,
) -> bytes | None:
    """Give HEADER.FIELDS.NOT without these lower-case names, and its empty line."""
    where = span(octets, root, numbers, Text.HEADER)
    return None if where is None else header.leave_out(octets, names, *where, limits)


def binary(octets: bytes, root: mime.Part, numbers: Sequence[int]) -> bytes | None:
    """
    Give a part's octets without transfer encoding (RFC 9051 §6.4.5, BINARY).

    Text comes with CRLF whatever was encoded. Without numbers it is the message.

    :raises body.UnknownEncoding: if the encoding is not known (UNKNOWN-CTE).
    """
    if not numbers:
        return octets
    part = locate(root, numbers)
    if part is None:
        return None
    if part.is_multipart or part.is_message:
        return octets[part.body : part.end]  # RFC 2045 §6.4: never encoded
    decoded = body.decode(octets[part.body : part.end], part.encoding)
    if part.type == b"text" and part.encoding in body.ENCODED:
        decoded = _BARE_LF.sub(b"\r\n", decoded)
    return decoded


def binary_size(octets: bytes, root: mime.Part, numbers: Sequence[int]) -> int | None:
    """
    Count the octets that `binary` gives.

    :raises body.UnknownEncoding: if the encoding is not known (UNKNOWN-CTE).
    """
    part = locate(root, numbers)
    if not numbers or part is None or part.type == b"text":
        whole = binary(octets, root, numbers)
        return None if whole is None else len(whole)
    if part.is_multipart or part.is_message:
        return part.end - part.body
    return body.decoded_size(octets, part.encoding, part.body, part.end)


def _of_message(text: Text, start: int, body_start: int, end: int) -> Span | None:
    if text is Text.WHOLE:
        return start, end
    if text is Text.HEADER:
        return start, body_start
    return (body_start, end) if text is Text.TEXT else None


def _nothing(part: mime.Part) -> mime.Part:
    end = part.end
    return mime.Part(end, end, end, 0, b"text", b"plain", (), {}, [])
