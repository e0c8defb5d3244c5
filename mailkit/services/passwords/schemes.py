"""Hashes that other servers kept: ``{SCHEME}text``, each good for one more login.

Names are Dovecot's and RFC 2307's; ``.HEX`` and ``.B64`` after a name say how the
octets are written.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from binascii import a2b_base64, unhexlify
from collections.abc import Callable

import bcrypt
from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, verify_secret

from mailkit.errors import Refused
from mailkit.protocols.sasl.scram import make_keys
from mailkit.services.passwords.shacrypt import md5_crypt, sha_crypt
from mailkit.services.passwords.systemcrypt import SystemCrypt

Check = Callable[[str, bytes], bool]
"""Whether a kept text, its scheme taken off, is of this password."""


class UnknownScheme(Refused):
    """A hash of a kind that cannot be checked here, or one that is damaged."""


_WRITTEN = re.compile(r"\{([A-Za-z0-9-]{1,32})(\.[A-Za-z0-9]{1,8})?\}(.*)", re.DOTALL)
_BCRYPT = re.compile(r"\$2[abxy]?\$(0[4-9]|1[0-9])\$[./0-9A-Za-z]{53}")
_PBKDF2 = re.compile(r"\$1\$([^$]*)\$([0-9]{1,7})\$([0-9a-f]{40})")
_SCRAM = re.compile(r"([0-9]{1,7}),([^,]+),([^,]+),([^,]+)")
_MOST_MEMORY = 1024 * 1024  # KiB: a hash that wants more is not checked
_MOST_ROUNDS = 1_000_000


def has_scheme(text: str) -> bool:
    """Whether it is meant as a hash: it begins with ``{SCHEME}`` or is a PHC string."""
    return bool(_WRITTEN.match(text)) or text.startswith("$argon2")


def check(kept: str, password: bytes) -> bool:
    """
    Whether ``kept`` is of that password. Takes up to a second; for a thread.

    :raises UnknownScheme: if nobody here can tell.
    """
    match = _WRITTEN.fullmatch(
        "{ARGON2}" + kept if kept.startswith("$argon2") else kept
    )
    known = match and _SCHEMES.get(match[1].upper())
    if not match or not known:
        name = match[1] if match else "no"
        raise UnknownScheme(f"{name} is not a scheme that is known here")
    text = match[3]
    if match[2]:
        text = _ENCODINGS.get(match[2].upper(), "") + text
    try:
        return known(text, password)
    except ValueError as error:
        raise UnknownScheme(f"the hash is damaged: {error}") from error


def accept(kept: str) -> None:
    """
    See whether a hash can be checked once its owner comes. For a thread.

    :raises UnknownScheme: if not.
    """
    check(kept, b"probe")


_ENCODINGS = {".HEX": "hex:", ".B64": "b64:", ".BASE64": "b64:"}
_CRYPT = SystemCrypt()


def _plain(text: str, password: bytes) -> bool:
    if not text:
        raise ValueError("it is empty")
    return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), password)


def _octets(text: str, size: int) -> bytes:
    """Of hexadecimal or base64: whichever makes sense for so many octets and a salt."""
    if text.startswith("b64:"):
        return a2b_base64(text[4:])
    if text.startswith("hex:"):
        return unhexlify(text[4:])
    is_hex = len(text) == 2 * size and re.fullmatch(r"[0-9A-Fa-f]+", text)
    return unhexlify(text) if is_hex else a2b_base64(text)


def _digest(name: str, is_salted: bool) -> Check:
    size = hashlib.new(name).digest_size

    def check(text: str, password: bytes) -> bool:
        octets = _octets(text, size)
        digest, salt = octets[:size], octets[size:]
        if len(digest) < size or bool(salt) > is_salted:
            raise ValueError("it has not the right length")
        return hmac.compare_digest(hashlib.new(name, password + salt).digest(), digest)

    return check


def _sha_crypt(text: str, password: bytes) -> bool:
    rounds = re.match(r"\$[56]\$rounds=([0-9]+)\$", text)
    if rounds and int(rounds[1]) > _MOST_ROUNDS:
        raise ValueError("it wants too many rounds")
    return hmac.compare_digest(sha_crypt(password, text), text.rpartition("$")[2])


def _md5_crypt(text: str, password: bytes) -> bool:
    return hmac.compare_digest(md5_crypt(password, text), text.rpartition("$")[2])


def _blowfish(text: str, password: bytes) -> bool:
    if not _BCRYPT.fullmatch(text):
        raise ValueError("it is not a bcrypt hash")
    # $2x$ and $2$ are old names; only the first 72 octets ever counted.
    kept = re.sub(r"^\$2[xy]?\$", "$2b$", text).encode()
    return bcrypt.checkpw(password.split(b"\0")[0][:72], kept)


def _argon2(text: str, password: bytes) -> bool:
    try:
        parameters = extract_parameters(text)
        kind = Type.ID if text.startswith("$argon2id$") else Type.I
        if parameters.memory_cost > _MOST_MEMORY or parameters.time_cost > 100:
            raise ValueError("it wants too much memory or time")
        return verify_secret(text.encode(), password, kind)
    except InvalidHashError as error:
        raise ValueError("it is not an argon2 hash") from error
    except VerificationError:
        return False


def _pbkdf2(text: str, password: bytes) -> bool:
    match = _PBKDF2.fullmatch(text)
    if not match or not 1 <= int(match[2]) <= _MOST_ROUNDS:
        raise ValueError("it is not a PBKDF2 hash")
    made = hashlib.pbkdf2_hmac("sha1", password, match[1].encode(), int(match[2]))
    return hmac.compare_digest(made, unhexlify(match[3]))


def _scram_sha_256(text: str, password: bytes) -> bool:
    match = _SCRAM.fullmatch(text)
    if not match or not 1 <= int(match[1]) <= _MOST_ROUNDS:
        raise ValueError("it is not a set of SCRAM keys")
    keys = make_keys(password, a2b_base64(match[2]), int(match[1]))
    return hmac.compare_digest(keys.stored_key, a2b_base64(match[3]))


_BY_PREFIX: tuple[tuple[str, Check], ...] = (
    ("$5$", _sha_crypt),
    ("$6$", _sha_crypt),
    ("$1$", _md5_crypt),
    ("$2", _blowfish),
    ("$argon2", _argon2),
)


def _any_crypt(text: str, password: bytes) -> bool:
    for prefix, known in _BY_PREFIX:
        if text.startswith(prefix):
            return known(text, password)
    made = _CRYPT.crypt(password, text)
    if made is None:
        raise ValueError("this system's crypt does not know it")
    return hmac.compare_digest(made, text)


_SCHEMES: dict[str, Check] = {
    "PLAIN": _plain,
    "CLEAR": _plain,
    "CLEARTEXT": _plain,
    "MD5": _digest("md5", is_salted=False),
    "LDAP-MD5": _digest("md5", is_salted=False),
    "PLAIN-MD5": _digest("md5", is_salted=False),
    "SMD5": _digest("md5", is_salted=True),
    "SHA": _digest("sha1", is_salted=False),
    "SHA1": _digest("sha1", is_salted=False),
    "SSHA": _digest("sha1", is_salted=True),
    "SHA256": _digest("sha256", is_salted=False),
    "SSHA256": _digest("sha256", is_salted=True),
    "SHA512": _digest("sha512", is_salted=False),
    "SSHA512": _digest("sha512", is_salted=True),
    "SHA256-CRYPT": _sha_crypt,
    "SHA512-CRYPT": _sha_crypt,
    "MD5-CRYPT": _md5_crypt,
    "BLF-CRYPT": _blowfish,
    "BCRYPT": _blowfish,
    "DES-CRYPT": _any_crypt,
    "CRYPT": _any_crypt,
    "PBKDF2": _pbkdf2,
    "SCRAM-SHA-256": _scram_sha_256,
    "ARGON2": _argon2,
    "ARGON2I": _argon2,
    "ARGON2ID": _argon2,
}

SCHEMES = tuple(sorted(_SCHEMES))
"""The names that are accepted, in whatever case."""
