"""What a picture is by its first octets, and the signed addresses it is shown at."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from mailkit.formats.signedaddress import Keys, is_signed, sign

_PURPOSE = b"picture"
_SIGNATURE = 32  # 160 bits
LONGEST_URL = 16 * 1024
"""Characters of an address that is signed or read."""

_AVIF_BRANDS = (b"avif", b"avis")


def picture_type(octets: bytes) -> str | None:
    """
    The media type of a picture that browsers show; ``None`` for all else.

    SVG is a document with scripts, so it is none of them.
    """
    if octets.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if octets.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if octets.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP":
        return "image/webp"
    if octets[4:8] == b"ftyp":
        size = min(int.from_bytes(octets[:4], "big"), 64)
        brands = (octets[8:12], *(octets[n : n + 4] for n in range(16, size, 4)))
        if any(brand in _AVIF_BRANDS for brand in brands):
            return "image/avif"
    return None


def picture_path(account: str, url: str, keys: Keys) -> str:
    """
    Where our server shows a picture of another, to one account alone.

    Without a signature, the proxy would fetch for anybody whatever they want.
    """
    text = urlsafe_b64encode(url.encode("utf-8", "replace")).decode().rstrip("=")
    signature = sign(_PURPOSE, keys, f"{account}\n{text}", _SIGNATURE)
    return f"/img/{signature}/{text}"


def read_picture_path(
    account: str, signature: str, text: str, keys: Keys
) -> str | None:
    """The address that was signed for this account; ``None`` if none was."""
    if len(signature) != _SIGNATURE or len(text) > 2 * LONGEST_URL:
        return None
    if not is_signed(_PURPOSE, keys, f"{account}\n{text}", signature):
        return None
    try:
        octets = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return octets.decode()
    except (binascii.Error, ValueError):
        return None
