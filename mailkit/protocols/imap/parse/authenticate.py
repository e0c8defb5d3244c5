"""LOGIN and AUTHENTICATE (RFC 9051 §6.2)."""

from __future__ import annotations

import binascii
import re

from mailkit.errors import Malformed
from mailkit.protocols.imap.events import (
    AuthCancelled,
    Authenticate,
    AuthResponse,
    Login,
)
from mailkit.protocols.imap.lexer import Lexer

_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NOT_BASE64 = "The response is not base64"


def read_login(lexer: Lexer) -> Login:
    """``LOGIN name password`` (RFC 9051 §6.2.3)."""
    lexer.is_secret = True
    lexer.space("user name")
    name = lexer.decoded("user name")
    lexer.space("password")
    return Login(name, lexer.decoded("password"))


def read_authenticate(lexer: Lexer) -> Authenticate:
    """``AUTHENTICATE mechanism [initial-response]`` (RFC 9051 §6.2.2, RFC 4959 §3)."""
    lexer.is_secret = True
    lexer.space("mechanism")
    mechanism = lexer.word("mechanism").decode("ascii")
    if not lexer.try_space():
        return Authenticate(mechanism)
    rest = lexer.text[lexer.at :]
    lexer.at = len(lexer.text)
    if rest == b"=":
        return Authenticate(mechanism, b"")
    if not rest:
        raise Malformed("Missing initial response")
    return Authenticate(mechanism, _decode(rest))


def read_response(line: bytes) -> AuthResponse | AuthCancelled:
    """The client's line after a challenge."""
    if line == b"*":
        return AuthCancelled("Authentication cancelled")
    try:
        return AuthResponse(_decode(line))
    except Malformed as problem:
        return AuthCancelled(str(problem))


def _decode(base64: bytes) -> bytes:
    # Strict, as RFC 4959 §3 asks for: no pad in the middle, no other characters.
    if _BASE64.fullmatch(base64) is None:
        raise Malformed(_NOT_BASE64)
    return binascii.a2b_base64(base64)
