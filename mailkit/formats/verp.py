"""
Reverse-paths that say which message comes back: ``bounce+<id>-<signature>@domain``.

Bulk mail goes out with such a sender, so that whatever returns, in whatever form, tells
what it is about; nobody else can make one up.
"""

from __future__ import annotations

import re

from mailkit.errors import CannotName
from mailkit.formats.signedaddress import Keys, is_signed, sign
from mailkit.model.path import Path

LOCAL_PART = "bounce"
"""The address that all of them are sub-addresses of (RFC 5233 §1)."""

LONGEST_ID = 46
"""What a local part of 64 octets has room for (RFC 5321 §4.5.3.1.1)."""

_SIGNATURE = 10  # characters: 50 bits
_PURPOSE = b"verp"
_ID = re.compile(rf"[a-z0-9.]{{1,{LONGEST_ID}}}", re.ASCII)
_LOCAL_PART = re.compile(
    rf"{LOCAL_PART}\+([a-z0-9.]{{1,{LONGEST_ID}}})-([a-z2-7]{{{_SIGNATURE}}})",
    re.ASCII | re.IGNORECASE,
)


def write(id: str, domain: str, keys: Keys) -> Path:
    """
    The reverse-path for a message.

    :param id: lower-case letters, digits and full stops.
    :raises CannotName: if it has others, or is too long.
    """
    if not _ID.fullmatch(id):
        raise CannotName(f"{id!r} cannot stand in an address")
    signature = sign(_PURPOSE, keys, _signed(id, domain), _SIGNATURE)
    return Path(f"{LOCAL_PART}+{id}-{signature}", domain)


def read(path: Path, keys: Keys) -> str | None:
    """The id, if we wrote that path, in any case; ``None``: we did not."""
    match = _LOCAL_PART.fullmatch(path.local_part)
    if match is None:
        return None
    id = match[1].lower()
    is_ours = is_signed(_PURPOSE, keys, _signed(id, path.domain), match[2])
    return id if is_ours else None


def _signed(id: str, domain: str) -> str:
    return f"{id}@{domain.lower()}"
