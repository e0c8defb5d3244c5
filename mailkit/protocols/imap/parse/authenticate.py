"""LOGIN and AUTHENTICATE (RFC 9051 §6.2)."""

from __future__ import annotations

from mailkit.errors import Malformed
from mailkit.protocols.imap.events import (
    AuthCancelled,
    Authenticate,
    AuthResponse,
    Login,
)
from mailkit.protocols.imap.lexer import Lexer
from mailkit.protocols.sasl.framing import decode_base64


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
    return Authenticate(mechanism, decode_base64(rest))


def read_response(line: bytes) -> AuthResponse | AuthCancelled:
    """The client's line after a challenge."""
    if line == b"*":
        return AuthCancelled("Authentication cancelled")
    try:
        return AuthResponse(decode_base64(line))
    except Malformed as problem:
        return AuthCancelled(str(problem))
