"""The client's side of PLAIN (RFC 4616) and SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from binascii import Error, a2b_base64
from hashlib import pbkdf2_hmac, sha256

from attrs import define, field, frozen

from mailkit.errors import LocalMisuse, Malformed, NotAuthenticated
from mailkit.protocols.sasl.prepare import scram_form


@frozen
class Limits:
    """What a server may ask of us."""

    iterations: int = 1_000_000
    """Rounds of hashing; a server that wants more is out to keep us busy."""


LIMITS = Limits()

_FIRST = re.compile(
    rb"r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,9})(?:,.*)?"
)
_FINAL = re.compile(rb"v=([A-Za-z0-9+/=]+)(?:,.*)?")


def plain_message(name: str, password: str, authorization: str = "") -> bytes:
    """
    The only message of PLAIN (RFC 4616 §2).

    :raises LocalMisuse: if a part has a NUL in it.
    """
    message = "\0".join((authorization, name, password)).encode()
    if message.count(b"\0") != 2:
        raise LocalMisuse("a part of PLAIN has a NUL in it")
    return message


@define(eq=False)
class ScramSHA256Client:
    """
    One exchange: `first`, `final`, and `check` whether the server knew the keys.

    :param nonce: printable ASCII without comma, never used twice.
    """

    _name: str
    _password: str = field(repr=False)
    _nonce: bytes
    _limits: Limits = LIMITS
    _bare: bytes = field(default=b"", init=False)
    _expected: bytes = field(default=b"", init=False, repr=False)

    def first(self) -> bytes:
        """The first message, which may go as initial response."""
        name = self._name.replace("=", "=3D").replace(",", "=2C").encode()
        self._bare = b"n=%b,r=%b" % (name, self._nonce)
        return b"n,," + self._bare

    def final(self, challenge: bytes) -> bytes:
        """
        The answer to the server's first message. Hashes for milliseconds.

        :raises Malformed: if it is none, or asks for too little or too much.
        """
        match = _FIRST.fullmatch(challenge)
        if not match:
            raise Malformed("not the first message of a SCRAM server")
        nonce, salt, iterations = match[1], match[2], int(match[3])
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise Malformed("the server did not add to the nonce")
        if not 4096 <= iterations <= self._limits.iterations:  # RFC 7677 §4
            raise Malformed("the server asks for too few or too many iterations")
        password = scram_form(self._password).encode()
        salted = pbkdf2_hmac("sha256", password, _octets(salt), iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        bare = b"c=biws,r=" + nonce
        said = b"%b,%b,%b" % (self._bare, challenge, bare)
        signature = hmac.digest(sha256(client_key).digest(), said, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._expected = hmac.digest(server_key, said, "sha256")
        return b"%b,p=%b" % (bare, b64encode(proof))

    def check(self, challenge: bytes) -> bytes:
        """
        The empty answer to the server's last message, if that is genuine.

        :raises Malformed: :raises NotAuthenticated: if the server is an impostor.
        """
        match = _FINAL.fullmatch(challenge)
        if not match:
            raise Malformed("not the last message of a SCRAM server")
        verifier = _octets(match[1])
        if not (self._expected and hmac.compare_digest(verifier, self._expected)):
            raise NotAuthenticated("the server does not know the account")
        return b""


def _octets(written: bytes) -> bytes:
    try:
        return a2b_base64(written, strict_mode=True)
    except Error as error:
        raise Malformed("the server's message is not base64") from error
