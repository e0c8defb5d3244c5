"""SCRAM-SHA-256 (RFC 5802, RFC 7677): the server's side, and the keys it keeps.

Without channel binding: a client that demands it is told so, one that only could
(``y``) is welcome, because SCRAM-SHA-256-PLUS is never announced.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from hashlib import pbkdf2_hmac, sha256
from typing import NoReturn

from attrs import define, field, frozen

from mailkit.errors import LocalMisuse, Malformed, NotAuthenticated
from mailkit.model.account import ScramKeys
from mailkit.protocols.sasl.framing import decode_base64
from mailkit.protocols.sasl.mechanism import (
    Challenge,
    Proven,
    Step,
    WantKeys,
    text_of,
)


@frozen
class Limits:
    """What a message of the client may take."""

    message: int = 4096
    """Octets of one message."""
    name: int = 1024
    """Octets of a name, written as SCRAM writes it."""
    nonce: int = 512
    """Characters of the client's nonce."""


LIMITS = Limits()

_NAME = rb"((?:[^\0=,]|=2C|=3D)*)"
_FIRST = re.compile(
    rb"((?:([ny])|p=[A-Za-z0-9.-]+),(?:a=" + _NAME + rb")?,)"  # RFC 5802 §7 gs2-header
    rb"(n=" + _NAME + rb",r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^\0,]+)*)"
)
_FINAL = re.compile(
    rb"(c=([A-Za-z0-9+/=]*),r=([\x21-\x2b\x2d-\x7e]+)(?:,[A-Za-z]=[^\0,]+)*)"
    rb",p=([A-Za-z0-9+/=]+)"
)


def make_keys(password: bytes, salt: bytes, iterations: int) -> ScramKeys:
    """
    What to keep of a password that SASLprep has prepared (RFC 5802 §3).

    Takes milliseconds; the GIL is released meanwhile.
    """
    salted = pbkdf2_hmac("sha256", password, salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return ScramKeys(salt, iterations, sha256(client_key).digest(), server_key)


@define(eq=False)
class ScramSHA256:
    """
    The server's side of one exchange.

    :param nonce: the server's part of the nonce: printable ASCII without comma, from
        a good source of randomness, never used twice (RFC 5802 §5.1).
    """

    _nonce: bytes
    _limits: Limits = LIMITS
    _state: str = field(default="first", init=False)
    _header: bytes = field(default=b"", init=False)
    _bare: bytes = field(default=b"", init=False)
    _first: bytes = field(default=b"", init=False)
    _keys: ScramKeys | None = field(default=None, init=False)
    _authorization: str = field(default="", init=False)
    _name: str = field(default="", init=False)

    def next(self, response: bytes | None) -> Step:
        """`WantKeys` for the first message, `Proven` for the second."""
        if self._state == "first":
            if response is None:
                return Challenge(b"")
            return self._read_first(response)
        if self._state == "final" and self._keys is not None and response is not None:
            return self._read_final(response, self._keys)
        raise LocalMisuse("this exchange is over, or waits for keys")

    def _read_first(self, message: bytes) -> WantKeys:
        self._state = "over"
        match = self._is_short(message) and _FIRST.fullmatch(message)
        if not match:
            raise Malformed("not the first message of a SCRAM client")
        self._header, flag, authorization, self._bare, name, nonce = match.groups()
        if flag is None:
            raise Malformed("channel binding is not offered")
        if len(nonce) > self._limits.nonce:
            raise Malformed("the nonce is too long")
        if authorization:
            self._authorization = self._name_of(authorization)
        self._name = self._name_of(name)
        self._first = nonce + self._nonce
        self._state = "keys"
        return WantKeys(self._authorization, self._name, self._challenge)

    def _challenge(self, keys: ScramKeys) -> Challenge:
        if self._state != "keys":
            raise LocalMisuse("nobody asked for keys")
        self._state = "final"
        self._keys = keys
        salt = b64encode(keys.salt)
        self._first = b"r=%b,s=%b,i=%d" % (self._first, salt, keys.iterations)
        return Challenge(self._first)

    def _read_final(self, message: bytes, keys: ScramKeys) -> Proven:
        self._state = "over"
        match = self._is_short(message) and _FINAL.fullmatch(message)
        if not match:
            raise Malformed("not the last message of a SCRAM client")
        bare, binding, nonce, written = match.groups()
        bound = decode_base64(binding)
        proof = decode_base64(written)
        if len(proof) != 32:
            raise Malformed("the proof has not the length of a SHA-256")
        said = b"%b,%b,%b" % (self._bare, self._first, bare)  # RFC 5802 §3 AuthMessage
        signature = hmac.digest(keys.stored_key, said, "sha256")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        ours = self._first[2 : self._first.index(b",")]
        is_right = hmac.compare_digest(sha256(client_key).digest(), keys.stored_key)
        if not (is_right and bound == self._header and nonce == ours):
            raise NotAuthenticated("the proof is wrong")
        verifier = b64encode(hmac.digest(keys.server_key, said, "sha256"))
        return Proven(self._authorization, self._name, b"v=" + verifier)

    def _is_short(self, message: bytes) -> bool:
        return len(message) <= self._limits.message

    def _name_of(self, written: bytes) -> str:
        plain = written.replace(b"=2C", b",").replace(b"=3D", b"=")
        name = text_of(plain, self._limits.name)
        return _bad_name() if name is None else name


def _bad_name() -> NoReturn:
    raise Malformed("the name is empty, too long or not UTF-8")
