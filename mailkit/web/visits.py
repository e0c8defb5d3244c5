"""
A line of the log for each request.

What an address says in confidence stays out of it: a link to choose a password, an
invitation, what was searched for. Nor is it noted where somebody came from.
"""

from __future__ import annotations

from attrs import define
from twisted.logger import Logger
from twisted.web.http import Request

_LONGEST = 200  # characters of an address, and of what a browser calls itself

_CONFIDENTIAL = frozenset(("password", "u", "img", "undo"))
"""First parts of addresses whose other parts are tokens."""


@define(eq=False)
class Visits:
    """Notes who asked for what, and how that went."""

    log = Logger()

    def note(self, request: Request) -> None:
        """An answer was sent."""
        self.log.info(
            '{peer} "{method} {path}" {reply} {octets} "{agent}"',
            peer=_plain(getattr(request.getClientAddress(), "host", "unix")),
            method=_plain(request.method.decode("latin-1")),
            path=shown(request.uri),
            reply=request.code,
            octets=request.sentLength,
            agent=_plain(request.getHeader("user-agent") or "-"),
        )


def shown(uri: bytes) -> str:
    """Of an address what may be read by whoever reads the log."""
    path, _, query = uri.decode("latin-1").partition("?")
    parts = path.split("/")
    if len(parts) > 2 and parts[1] in _CONFIDENTIAL:
        path = f"/{parts[1]}/..."
    return _plain(path) + ("?..." if query else "")


def _plain(text: str) -> str:
    """On one line, and not for long."""
    found = text[:_LONGEST].encode("ascii", "backslashreplace").decode()
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in found)
