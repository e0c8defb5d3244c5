"""
Header fields as octets: where they are, finding some, taking out and putting in.

A field ends at a line end that no white space follows (RFC 5322 §2.2.3). CRLF is
what we write; a bare LF ends a line here too, a bare CR does not. A line that is no
field is skipped by readers and kept by editors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from mailkit.formats.limits import DEFAULT_LIMITS, Limits

FieldOctets = tuple[bytes, bytes, bytes]
"""A field as it stands (line end included), its name, and what follows the colon."""

_FIELD = re.compile(rb"^(([^\s:]++)[ \t]*+:(.*+(?:\n[ \t].*+)*+)\n?)", re.M)


def find_end(octets: bytes, start: int = 0, end: int | None = None) -> int:
    """
    Say where the body begins: behind the first empty line, or at ``end``.

    The empty line belongs to the header (RFC 5322 §2.1).
    """
    if end is None:
        end = len(octets)
    if octets.startswith(b"\r\n", start, end):
        return start + 2
    if octets.startswith(b"\n", start, end):
        return start + 1
    crlf = octets.find(b"\n\r\n", start, end)
    bare = octets.find(b"\n\n", start, end if crlf < 0 else crlf + 1)
    if bare >= 0:
        return bare + 2
    return end if crlf < 0 else crlf + 3


def scan(
    octets: bytes,
    start: int = 0,
    end: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> list[FieldOctets]:
    """List the fields between ``start`` and ``end``, which must begin a line."""
    if end is None:
        end = len(octets)
    end = min(end, start + limits.header_size)
    found: list[FieldOctets] = _FIELD.findall(octets, start, end)
    return found if len(found) <= limits.fields else found[: limits.fields]


def unfold(value: bytes) -> bytes:
    """Give a field's text without line ends and outer white space."""
    if b"\n" in value:
        value = value.replace(b"\r\n", b"").replace(b"\n", b"")
    return value.strip()


def every(octets: bytes, name: bytes, limits: Limits = DEFAULT_LIMITS) -> list[bytes]:
    """List the unfolded texts of all fields ``name`` of a message, topmost first."""
    wanted = name.lower()
    fields = scan(octets, 0, find_end(octets), limits)
    return [unfold(value) for _, name, value in fields if name.lower() == wanted]


def first(octets: bytes, name: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """Give the unfolded text of the topmost field ``name`` of a message."""
    wanted = name.lower()
    for _, name, value in scan(octets, 0, find_end(octets), limits):
        if name.lower() == wanted:
            return unfold(value)
    return None


def select(
    octets: bytes,
    names: Collection[bytes],
    start: int = 0,
    end: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """
    Give only the fields with one of these lower-case names, then an empty line.

    What ``BODY[HEADER.FIELDS (…)]`` answers (RFC 9051 §6.4.5).
    """
    fields = scan(octets, start, end, limits)
    return _joined([raw for raw, name, _ in fields if name.lower() in names])


def leave_out(
    octets: bytes,
    names: Collection[bytes],
    start: int = 0,
    end: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """
    Give the fields with none of these lower-case names, then an empty line.

    What ``BODY[HEADER.FIELDS.NOT (…)]`` answers (RFC 9051 §6.4.5).
    """
    fields = scan(octets, start, end, limits)
    return _joined([raw for raw, name, _ in fields if name.lower() not in names])


def add_on_top(octets: bytes, *fields: bytes) -> bytes:
    """Put whole fields, each with its CRLF, above all others."""
    return b"".join((*fields, octets))


def remove(octets: bytes, names: Collection[bytes]) -> bytes:
    """Take all fields with one of these lower-case names out of a message."""
    return remove_where(octets, lambda name, _: name in names)


def remove_where(octets: bytes, unwanted: Callable[[bytes, bytes], bool]) -> bytes:
    """Take out the fields for whose lower-case name and raw value this is true."""
    kept: list[bytes] = []
    at = 0
    for match in _FIELD.finditer(octets, 0, find_end(octets)):
        if unwanted(match[2].lower(), match[3]):
            kept.append(octets[at : match.start()])
            at = match.end()
    return b"".join((*kept, octets[at:])) if kept else octets


def replace(octets: bytes, name: bytes, field: bytes) -> bytes:
    """
    Put ``field``, with its CRLF, where the topmost ``name`` stood; drop the others.

    Without a field of that name it goes on top.
    """
    wanted = name.lower()
    kept: list[bytes] = []
    at = 0
    for match in _FIELD.finditer(octets, 0, find_end(octets)):
        if match[2].lower() == wanted:
            kept += (octets[at : match.start()], b"" if kept else field)
            at = match.end()
    return b"".join((*kept, octets[at:])) if kept else field + octets


def _joined(fields: list[bytes]) -> bytes:
    if fields and not fields[-1].endswith(b"\n"):
        fields.append(b"\r\n")
    fields.append(b"\r\n")
    return b"".join(fields)
