"""Verifying a signature whose key is known (RFC 6376 §6)."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from mailkit.errors import Refused
from mailkit.formats.header import scan
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.trust.dkim.canonical import relaxed_field
from mailkit.trust.dkim.keys import Algorithm, PublicKey
from mailkit.trust.dkim.signing import FIELD

_NAME = FIELD.lower()
_SIGNATURE = re.compile(rb"(?<![^;])([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_BLANKS = re.compile(rb"[ \t\r\n]+")

FindKey = Callable[[str, str, str], PublicKey | None]
"""The public key of a domain, selector and ``a=``; ``None`` where that is not known."""


class BrokenSignature(Refused):
    """A signature does not hold; the text says in what."""


def verify_ours(
    header: bytes,
    body_hash: bytes,
    key_of: FindKey,
    now: float,
    limits: Limits = DEFAULT_LIMITS,
) -> int:
    """
    Check all signatures of a header whose keys are known.

    Only what `mailkit.trust.dkim.signing` writes is understood: relaxed/relaxed and
    whole bodies.

    :param body_hash: SHA-256 of the body in relaxed form.
    :returns: how many held; signatures by keys that are not known are not looked at.
    :raises BrokenSignature: if one of them does not hold.
    """
    fields = scan(header, limits=limits)
    held = 0
    chosen: dict[str, bytes] = {}
    for _, name, value in fields:
        if name.lower() != _NAME:
            continue
        tags = _tags(value)
        domain, selector = tags.get("d", ""), tags.get("s", "")
        key = key_of(domain, selector, tags.get("a", ""))
        if key is None:
            continue
        where = f"signature by {selector} of {domain}"
        if tags.get("c") != "relaxed/relaxed" or "l" in tags:
            raise BrokenSignature(f"{where}: not in the form that we write")
        if _decode(tags.get("bh", ""), where) != body_hash:
            raise BrokenSignature(f"{where}: the body is another one")
        if "x" in tags and not (tags["x"].isdigit() and now <= int(tags["x"])):
            raise BrokenSignature(f"{where}: its time is over")
        names = tags.get("h", "")
        if names not in chosen:  # ours have the same
            chosen[names] = _chosen(fields, names)
        without = _SIGNATURE.sub(rb"\1", value, count=1)
        signed = chosen[names] + relaxed_field(FIELD, without)[:-2]
        if not _holds(key, _decode(tags.get("b", ""), where), signed):
            raise BrokenSignature(f"{where}: the header is another one")
        held += 1
    return held


def algorithm_of(key: PublicKey) -> Algorithm:
    """Which ``a=`` a key is for."""
    return Algorithm.RSA if isinstance(key, rsa.RSAPublicKey) else Algorithm.ED25519


def _tags(value: bytes) -> dict[str, str]:
    """A tag list (RFC 6376 §3.2), blanks taken out."""
    plain = _BLANKS.sub(b"", value).decode("utf-8", "replace")
    pairs = (tag.partition("=") for tag in plain.split(";"))
    return {name: text for name, equals, text in pairs if equals}


def _chosen(fields: list[tuple[bytes, bytes, bytes]], names: str) -> bytes:
    """The fields that were signed (RFC 6376 §5.4.2): of some that repeat the last
    first."""
    left: dict[bytes, list[bytes]] = {}
    for _, name, value in fields:
        left.setdefault(name.lower(), []).append(value)
    pieces: list[bytes] = []
    for said in names.lower().split(":"):
        name = said.encode()
        if left.get(name):
            pieces.append(relaxed_field(name, left[name].pop()))
    return b"".join(pieces)


def _holds(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, sha256(signed).digest())
        else:
            key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _decode(text: str, where: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError) as error:
        raise BrokenSignature(f"{where}: not base64") from error
