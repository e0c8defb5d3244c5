"""PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login): the password as it is."""

from __future__ import annotations

from attrs import define, field, frozen

from mailkit.errors import LocalMisuse, Malformed
from mailkit.protocols.sasl.mechanism import Challenge, Password, Step, text_of


@frozen
class Limits:
    """What the parts of a message may take."""

    name: int = 1024
    """Octets of a name; an address has 320 at most (RFC 5321 §4.5.3.1)."""
    password: int = 4096
    """Octets of a password."""


LIMITS = Limits()


def read_plain(message: bytes, limits: Limits = LIMITS) -> Password:
    """
    ``[authzid] NUL authcid NUL passwd`` (RFC 4616 §2).

    :raises Malformed: if it is not.
    """
    parts = message.split(b"\0")
    if len(parts) != 3:
        raise Malformed("PLAIN has three parts with NUL between them")
    authorization = text_of(parts[0], limits.name) if parts[0] else ""
    name = text_of(parts[1], limits.name)
    password = text_of(parts[2], limits.password)
    if authorization is None or name is None or password is None:
        raise Malformed("PLAIN has a part that is empty, too long or not UTF-8")
    return Password(authorization, name, password)


@define(eq=False)
class Plain:
    """One message of the client: who it acts as, its name, its password."""

    _limits: Limits = LIMITS
    _is_over: bool = field(default=False, init=False)

    def next(self, response: bytes | None) -> Step:
        """The password to check, or the empty challenge that asks for it."""
        if self._is_over:
            raise LocalMisuse("this exchange is over")
        if response is None:
            return Challenge(b"")
        self._is_over = True
        return read_plain(response, self._limits)


@define(eq=False)
class Login:
    """
    Two questions and two answers; never standardised, still what old clients know.

    An initial response is taken for the name, as other servers do.
    """

    _limits: Limits = LIMITS
    _name: str | None = field(default=None, init=False)
    _is_over: bool = field(default=False, init=False)

    def next(self, response: bytes | None) -> Step:
        """The next question, or the password to check."""
        if self._is_over:
            raise LocalMisuse("this exchange is over")
        if response is None:
            return Challenge(b"Username:")
        if self._name is None:
            self._name = text_of(response, self._limits.name)
            if self._name is not None:
                return Challenge(b"Password:")
            self._is_over = True
            raise Malformed("the name is empty, too long or not UTF-8")
        self._is_over = True
        password = text_of(response, self._limits.password)
        if password is None:
            raise Malformed("the password is empty, too long or not UTF-8")
        return Password("", self._name, password)
