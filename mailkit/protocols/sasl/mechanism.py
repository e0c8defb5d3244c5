"""What every SASL mechanism looks like from outside (RFC 4422 §3).

A mechanism knows its messages and their order. It asks with the values below for
whatever it cannot know: whether a password is right, what keys an account has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from attrs import field, frozen

from mailkit.model.account import ScramKeys


@frozen
class Challenge:
    """Send this, then call `Mechanism.next` with the client's answer."""

    octets: bytes = field(repr=False)


@frozen
class Password:
    """Check this name and password; the mechanism has no more to say."""

    authorization: str
    """Whom the client wants to act as; empty: as itself."""
    name: str
    password: str = field(repr=False)


@frozen
class WantKeys:
    """
    Look up this account's keys and pass them to ``answer``: it makes the challenge.

    For an account without keys pass some that nobody knows the password of, so that
    strangers see no difference.
    """

    authorization: str
    """Whom the client wants to act as; empty: as itself."""
    name: str
    answer: Callable[[ScramKeys], Challenge] = field(repr=False, eq=False)


@frozen
class Proven:
    """The client has proved to be that account; the mechanism has no more to say."""

    authorization: str
    """Whom the client wants to act as; empty: as itself."""
    name: str
    final: bytes = field(repr=False)
    """The server's last word: to be sent with the success, or as one more challenge
    to which the client answers with nothing (RFC 4422 §5)."""


Step = Challenge | Password | WantKeys | Proven


class Mechanism(Protocol):
    """The server's side of one exchange; of no use for a second one."""

    def next(self, response: bytes | None) -> Step:
        """
        Take what the client sent.

        :param response: ``None`` only at first, where no initial response came.
        :raises Malformed: if it is not what the mechanism expects here.
        :raises NotAuthenticated: if it proves that the secret is wrong.
        """


def text_of(octets: bytes, limit: int) -> str | None:
    """Text that a client sent: UTF-8 without NUL, not empty; otherwise ``None``."""
    if not octets or len(octets) > limit or b"\0" in octets:
        return None
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return None
