"""Signing what leaves (RFC 6376 §5, RFC 8463, RFC 8301)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256

from attrs import frozen
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from mailkit.formats.header import scan
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.trust.dkim.canonical import relaxed_field
from mailkit.trust.dkim.keys import SigningKey

FIELD = b"DKIM-Signature"

OVERSIGNED = (
    b"from",
    b"sender",
    b"reply-to",
    b"subject",
    b"date",
    b"message-id",
    b"to",
    b"cc",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
"""Fields that nobody may add afterwards: named once more than they are there."""

SIGNED = (
    *OVERSIGNED,
    b"in-reply-to",
    b"references",
    b"auto-submitted",
    b"list-id",
    b"list-help",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-subscribe",
    b"list-post",
    b"list-owner",
    b"list-archive",
    b"resent-date",
    b"resent-from",
    b"resent-sender",
    b"resent-to",
    b"resent-cc",
    b"resent-message-id",
)
"""Fields that are signed where they are (RFC 6376 §5.4.1, RFC 8058 §4)."""

_LINE = 76
_PADDING = PKCS1v15()
_SHA256 = SHA256()


@frozen
class Chosen:
    """The fields of a message that are signed."""

    names: bytes
    """The ``h=`` of all signatures."""
    octets: bytes
    """The same in the relaxed form, in the order of `names`."""


def choose(header: bytes, limits: Limits = DEFAULT_LIMITS) -> Chosen:
    """Pick what is signed of a header; of fields that repeat the last comes first."""
    found: dict[bytes, list[bytes]] = {}
    for _, name, value in scan(header, limits=limits):
        name = name.lower()
        if name in _SIGNED_SET:
            found.setdefault(name, []).append(relaxed_field(name, value))
    names: list[bytes] = []
    octets: list[bytes] = []
    for name in SIGNED:
        fields = found.get(name, ())
        names += [name] * len(fields)
        octets += reversed(fields)
        if name in _OVERSIGNED_SET:
            names.append(name)
    return Chosen(b":".join(names), b"".join(octets))


def sign(
    header: bytes,
    body_hash: bytes,
    keys: Sequence[SigningKey],
    now: float,
    lasts: float,
    limits: Limits = DEFAULT_LIMITS,
) -> bytes:
    """
    The signatures of a message, one a key: whole fields to go on top.

    :param header: with all fields that will leave, its last empty line or not.
    :param body_hash: SHA-256 of the body in relaxed form, see `BodyHash`.
    :param now: seconds since 1970, for ``t=``.
    :param lasts: seconds after which the signature means nothing more, for ``x=``.
    """
    chosen = choose(header, limits)
    hashed = b64encode(body_hash)
    return b"".join(_sign(chosen, hashed, key, int(now), int(lasts)) for key in keys)


def _sign(
    chosen: Chosen, body_hash: bytes, key: SigningKey, now: int, lasts: int
) -> bytes:
    tags = (
        f" v=1; a={key.algorithm.value}; c=relaxed/relaxed;\r\n"
        f"\td={key.domain}; s={key.selector}; t={now}; x={now + lasts};\r\n"
    ).encode()
    value = b"%b\th=%b;\r\n\tbh=%b;\r\n\tb=" % (tags, _fold(chosen.names), body_hash)
    # The field itself comes last, without its CRLF (RFC 6376 §3.7).
    signed = chosen.octets + relaxed_field(FIELD, value)[:-2]
    signature = b64encode(_signature(key, signed))
    lines = [signature[at : at + _LINE] for at in range(0, len(signature), _LINE)]
    return b"%b:%b%b\r\n" % (FIELD, value, b"\r\n\t".join(lines))


def _signature(key: SigningKey, octets: bytes) -> bytes:
    private = key.private
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private.sign(sha256(octets).digest())  # RFC 8463 §3
    return private.sign(octets, _PADDING, _SHA256)


def _fold(names: bytes) -> bytes:
    """Break a list of names into lines; white space may stand beside a colon."""
    lines: list[bytes] = []
    line = b""
    for name in names.split(b":"):
        if len(line) + len(name) >= _LINE:
            lines.append(line)
            line = b""
        line += name + b":"
    lines.append(line[:-1])
    return b"\r\n\t ".join(lines)


_SIGNED_SET = frozenset(SIGNED)
_OVERSIGNED_SET = frozenset(OVERSIGNED)
