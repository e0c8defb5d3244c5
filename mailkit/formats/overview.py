"""
What IMAP calls ENVELOPE, rendered as the octets a FETCH sends (RFC 9051 §7.5.2).

Strings with octets above 127, CR or LF go as literals, which every client may read
whatever it has enabled; encoded words go as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mailkit.formats import addresslist, header
from mailkit.formats.limits import DEFAULT_LIMITS, Limits

_AS_IT_IS = re.compile(rb"[\x01-\x09\x0b\x0c\x0e-!#-\[\]-\x7f]*+\Z")

FIELDS = frozenset(
    (
        b"date",
        b"subject",
        b"from",
        b"sender",
        b"reply-to",
        b"to",
        b"cc",
        b"bcc",
        b"in-reply-to",
        b"message-id",
    )
)
"""Lower-case names of the fields that an ENVELOPE is made of."""


def string(octets: bytes) -> bytes:
    """
    Write a string: quoted, or as a literal where quotes cannot (RFC 9051 §4.3).

    NUL, which neither may carry, becomes a question mark.
    """
    if _AS_IT_IS.match(octets):
        return b'"%b"' % octets
    if b"\0" in octets:
        octets = octets.replace(b"\0", b"?")
    if not octets.isascii() or b"\n" in octets or b"\r" in octets:
        return b"{%d}\r\n%b" % (len(octets), octets)
    return b'"%b"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def nstring(octets: bytes | None) -> bytes:
    """Write a string, or NIL for nothing (RFC 9051 §4.5)."""
    return b"NIL" if octets is None else string(octets)


def render(
    fields: Sequence[header.FieldOctets], limits: Limits = DEFAULT_LIMITS
) -> bytes:
    """Render the ENVELOPE of a message from its scanned fields."""
    found: dict[bytes, list[bytes]] = {}
    for _, name, value in fields:
        name = name.lower()
        if name in FIELDS:
            found.setdefault(name, []).append(value)
    return render_found(found, limits)


def render_found(
    found: Mapping[bytes, list[bytes]], limits: Limits = DEFAULT_LIMITS
) -> bytes:
    """
    Render the ENVELOPE from raw values by lower-case name, topmost first.

    Of several fields of one name strings take the topmost, address lists all (RFC
    5322 §4.5.3). Sender and Reply-To that are absent or empty are the same as From.
    """
    author = _addresses(found.get(b"from"), limits)
    sender = found.get(b"sender")
    reply_to = found.get(b"reply-to")
    to = found.get(b"to")
    cc = found.get(b"cc")
    bcc = found.get(b"bcc")
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        _text(found.get(b"date")),
        _text(found.get(b"subject")),
        author,
        author if sender is None else _addresses(sender, limits, author),
        author if reply_to is None else _addresses(reply_to, limits, author),
        b"NIL" if to is None else _addresses(to, limits),
        b"NIL" if cc is None else _addresses(cc, limits),
        b"NIL" if bcc is None else _addresses(bcc, limits),
        _text(found.get(b"in-reply-to")),
        _text(found.get(b"message-id")),
    )


def _text(values: list[bytes] | None) -> bytes:
    return b"NIL" if values is None else string(header.unfold(values[0]))


def _addresses(
    values: list[bytes] | None, limits: Limits, otherwise: bytes = b"NIL"
) -> bytes:
    if values is None:
        return otherwise
    rendered: list[bytes] = []
    for value in values:
        for entry in addresslist.parse(value, limits):
            if isinstance(entry, addresslist.NamedAddress):
                rendered.append(_address(entry))
            else:
                rendered.append(b"(NIL NIL %b NIL)" % string(entry.name))
                rendered.extend(map(_address, entry.members))
                rendered.append(b"(NIL NIL NIL NIL)")
    return b"(%b)" % b"".join(rendered) if rendered else otherwise


def _address(address: addresslist.NamedAddress) -> bytes:
    # The host is never NIL here: that would say "group".
    name, route, local_part, domain = address
    if route is None and _AS_IT_IS.match(b"%b%b%b" % (name or b"", local_part, domain)):
        if name is None:
            return b'(NIL NIL "%b" "%b")' % (local_part, domain)
        return b'("%b" NIL "%b" "%b")' % (name, local_part, domain)
    return b"(%b %b %b %b)" % (
        nstring(name),
        nstring(route),
        string(local_part),
        string(domain),
    )
