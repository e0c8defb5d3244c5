"""What a page gives back, as a value: nothing is written before it is whole."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Protocol

from attrs import evolve, field, frozen

HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"


class Swap(Enum):
    """Which element of a page is wanted alone (header ``X-Mailkit-Swap``)."""

    LIST = "list"
    CONV = "conv"
    MAIN = "main"


class Kind(Enum):
    """What an answer is, which says what its readers are kept safe with."""

    PAGE = "page"
    """A page of ours."""
    MESSAGE = "message"
    """Somebody's HTML, in its own document within a page."""
    FILE = "file"
    """Octets out of a message."""
    STATIC = "static"
    """A file of ours that never changes under its address."""


class Outlet(Protocol):
    """Where an answer is written that is made bit by bit."""

    async def write(self, octets: bytes) -> None:
        """
        Send it, and return when the reader has room for more.

        :raises PeerGone: if the reader has left.
        """

    async def gone(self) -> None:
        """Return when the reader has left."""


Stream = Callable[[Outlet], Awaitable[None]]
"""Writes an answer bit by bit; `PeerGone` may leave it."""


@frozen
class Template:
    """A template and what it says."""

    name: str
    facts: Mapping[str, object]


@frozen
class Answer:
    """One response."""

    body: bytes | Template | Stream
    status: int = 200
    content_type: str = HTML
    kind: Kind = Kind.PAGE
    headers: Mapping[str, str] = field(factory=dict)
    """Beside those that every answer of its kind has, or in their place."""
    etag: str = ""
    """What changes with the octets (RFC 9110 §8.8.3), without quotes; may be empty."""
    cookies: tuple[str, ...] = ()
    """Values of ``Set-Cookie`` (RFC 6265 §4.1)."""

    def with_headers(self, headers: Mapping[str, str]) -> Answer:
        """The same with more headers."""
        return evolve(self, headers={**self.headers, **headers})
