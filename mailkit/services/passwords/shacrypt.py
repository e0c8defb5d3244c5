"""SHA-crypt and MD5-crypt, as other systems keep passwords.

Python 3.13 has no ``crypt`` any more, and these are what passwords come in from
elsewhere. They are checked once an account and then replaced, so plain Python is fast
enough: 5,000 rounds take some milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import md5, sha256, sha512

_ALPHABET = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# Which octets of the digest go together into four characters, first to last.
_ORDER_256 = (
    *((0, 10, 20), (21, 1, 11), (12, 22, 2), (3, 13, 23), (24, 4, 14)),
    *((15, 25, 5), (6, 16, 26), (27, 7, 17), (18, 28, 8), (9, 19, 29)),
)
_ORDER_512 = (
    *((0, 21, 42), (22, 43, 1), (44, 2, 23), (3, 24, 45), (25, 46, 4), (47, 5, 26)),
    *((6, 27, 48), (28, 49, 7), (50, 8, 29), (9, 30, 51), (31, 52, 10), (53, 11, 32)),
    *((12, 33, 54), (34, 55, 13), (56, 14, 35), (15, 36, 57), (37, 58, 16)),
    *((59, 17, 38), (18, 39, 60), (40, 61, 19), (62, 20, 41)),
)
_ORDER_MD5 = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))

SHA_CRYPT = re.compile(
    r"\$([56])\$(?:rounds=([0-9]{1,9})\$)?([^$\n:]{0,16})[^$\n:]*\$([./0-9A-Za-z]+)"
)
MD5_CRYPT = re.compile(r"\$1\$([^$\n:]{0,8})[^$\n:]*\$([./0-9A-Za-z]{22})")

_LEAST, _USUAL, _MOST = 1000, 5000, 999_999_999


def sha_crypt(password: bytes, kept: str) -> str:
    """
    The last field that ``$5$…`` or ``$6$…`` has if that is the password.

    :raises ValueError: if ``kept`` is no such text.
    """
    match = SHA_CRYPT.fullmatch(kept)
    if not match:
        raise ValueError("not a SHA-crypt hash")
    salt = match[3].encode()
    rounds = min(max(int(match[2] or _USUAL), _LEAST), _MOST)
    is_256 = match[1] == "5"
    digest = sha256 if is_256 else sha512
    size = 32 if is_256 else 64

    alternate = digest(password + salt + password).digest()
    first = password + salt + _repeat(alternate, len(password))
    length = len(password)
    while length:
        first += alternate if length & 1 else password
        length >>= 1
    mixed = digest(first).digest()
    p = _repeat(digest(password * len(password)).digest(), len(password))
    s = _repeat(digest(salt * (16 + mixed[0])).digest(), len(salt))
    for number in range(rounds):
        mixed = digest(_turn(number, mixed, p, s)).digest()
    order = _ORDER_256 if is_256 else _ORDER_512
    rest = (mixed[31] << 8 | mixed[30], 3) if is_256 else (mixed[size - 1], 2)
    return _write(mixed, order, *rest)


def md5_crypt(password: bytes, kept: str) -> str:
    """
    The last field that ``$1$…`` has if that is the password.

    :raises ValueError: if ``kept`` is no such text.
    """
    match = MD5_CRYPT.fullmatch(kept)
    if not match:
        raise ValueError("not an MD5-crypt hash")
    salt = match[1].encode()
    alternate = md5(password + salt + password).digest()
    first = password + b"$1$" + salt + _repeat(alternate, len(password))
    length = len(password)
    while length:
        first += b"\0" if length & 1 else password[:1]
        length >>= 1
    mixed = md5(first).digest()
    for number in range(1000):
        mixed = md5(_turn(number, mixed, password, salt)).digest()
    return _write(mixed, _ORDER_MD5, mixed[11], 2)


def _turn(number: int, mixed: bytes, password: bytes, salt: bytes) -> bytes:
    octets = password if number & 1 else mixed
    if number % 3:
        octets += salt
    if number % 7:
        octets += password
    return octets + (mixed if number & 1 else password)


def _repeat(octets: bytes, length: int) -> bytes:
    return (octets * (length // len(octets) + 1))[:length]


def _write(
    digest: bytes, order: Iterable[tuple[int, int, int]], rest: int, length: int
) -> str:
    written = bytearray()
    for a, b, c in order:
        _write_number(written, digest[a] << 16 | digest[b] << 8 | digest[c], 4)
    _write_number(written, rest, length)
    return written.decode()


def _write_number(written: bytearray, number: int, length: int) -> None:
    for _ in range(length):
        written.append(_ALPHABET[number & 63])
        number >>= 6
