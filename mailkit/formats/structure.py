"""
BODY and BODYSTRUCTURE rendered as the octets a FETCH sends (RFC 9051 §7.5.2).

Both come from one walk over the parts that `mime.scan` found.
"""

from __future__ import annotations

from typing import NamedTuple

from mailkit.formats import header, mime, overview
from mailkit.formats.fields import Parameters, disposition, languages
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.formats.overview import string

_NO_EXTENSION = b" NIL NIL NIL NIL)"

# A multipart has at least one part in the grammar (RFC 9051 §9: body-type-mpart).
_EMPTY = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0'
_NOTHING_INSIDE = (_EMPTY + b")", _EMPTY + _NO_EXTENSION)


class Structure(NamedTuple):
    """The two forms of a message's structure."""

    body: bytes  # without extension data
    bodystructure: bytes  # with


def render(
    octets: bytes, root: mime.Part, limits: Limits = DEFAULT_LIMITS
) -> Structure:
    """Render both forms of a scanned message."""
    if not root.parts:
        return Structure(*_render(octets, root, (), limits))
    # Children come before their parents when the tree is walked backwards, so that
    # no depth of nesting needs depth of stack.
    order = [root]
    for part in order:
        order.extend(part.parts)
    done: dict[int, tuple[bytes, bytes]] = {}
    for part in reversed(order):
        inside = [done.pop(id(child)) for child in part.parts]
        done[id(part)] = _render(octets, part, inside, limits)
    return Structure(*done[id(root)])


def _render(
    octets: bytes,
    part: mime.Part,
    inside: list[tuple[bytes, bytes]] | tuple[()],
    limits: Limits,
) -> tuple[bytes, bytes]:
    described = part.described
    if part.type == b"multipart":
        parts = inside or [_NOTHING_INSIDE]
        subtype = string(part.subtype)
        return (
            b"(%b %b)" % (b"".join([body for body, _ in parts]), subtype),
            b"(%b %b %b%b)"
            % (
                b"".join([structure for _, structure in parts]),
                subtype,
                _parameters(part.parameters),
                _placement(described, limits),
            ),
        )
    plain = b"(%b %b %b %b %b %b %d" % (
        string(part.type),
        string(part.subtype),
        _parameters(
            part.parameters, b'"charset" "us-ascii"' if part.type == b"text" else b""
        ),
        _field(described, b"content-id"),
        _field(described, b"content-description"),
        string(part.encoding),
        part.end - part.body,
    )
    if len(described) > 1 or b"content-type" not in described:
        md5 = _field(described, b"content-md5")
        extension = b" %b%b)" % (md5, _placement(described, limits))
    else:
        extension = _NO_EXTENSION
    if part.is_message:
        body, structure = inside[0] if inside else _NOTHING_INSIDE
        envelope = _envelope(octets, part, limits)
        return (
            b"%b %b %b %d)" % (plain, envelope, body, part.lines),
            b"%b %b %b %d%b" % (plain, envelope, structure, part.lines, extension),
        )
    if part.type == b"text":
        plain = b"%b %d" % (plain, part.lines)
    return plain + b")", plain + extension


def _envelope(octets: bytes, part: mime.Part, limits: Limits) -> bytes:
    body = (
        part.parts[0].body
        if part.parts
        else header.find_end(octets, part.body, part.end)
    )
    return overview.render(header.scan(octets, part.body, body, limits), limits)


def _parameters(parameters: Parameters, default_charset: bytes = b"") -> bytes:
    """Write a parameter list; text without charset gets the default one."""
    if not parameters:
        return b"(%b)" % default_charset if default_charset else b"NIL"
    pairs = [b"%b %b" % (string(name), string(value)) for name, value in parameters]
    if default_charset and not any(
        name.lower().rstrip(b"*") == b"charset" for name, _ in parameters
    ):
        pairs.append(default_charset)
    return b"(%b)" % b" ".join(pairs)


def _field(described: dict[bytes, bytes], name: bytes) -> bytes:
    value = described.get(name)
    return b"NIL" if value is None else string(header.unfold(value))


def _placement(described: dict[bytes, bytes], limits: Limits) -> bytes:
    """Write disposition, language and location, each with a space before."""
    value = described.get(b"content-disposition")
    found = None if value is None else disposition(value, limits)
    language = described.get(b"content-language")
    tags = [] if language is None else languages(language)
    return b" %b %b %b" % (
        b"NIL"
        if found is None
        else b"(%b %b)" % (string(found.value), _parameters(found.parameters)),
        b"NIL"
        if not tags
        else string(tags[0])
        if len(tags) == 1
        else b"(%b)" % b" ".join(map(string, tags)),
        _field(described, b"content-location"),
    )
