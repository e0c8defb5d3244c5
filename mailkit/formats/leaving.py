"""How one leaves a list, as its messages say (RFC 2369 §3.2, RFC 8058 §3.1)."""

from __future__ import annotations

import re

from attrs import frozen

from mailkit.formats.header import unfold

_ADDRESS = re.compile(rb"<([^<>\s]{1,4000})>")
_MOST = 5


@frozen
class Leaving:
    """The ways to leave; each may be empty."""

    one_click: str = ""
    """An https address that our server asks by one POST."""
    page: str = ""
    """A page to open."""
    mailto: str = ""
    """Where to write to, as a ``mailto:`` address (RFC 6068)."""

    def __bool__(self) -> bool:
        return bool(self.one_click or self.page or self.mailto)


def read_leaving(unsubscribe: bytes | None, post: bytes | None) -> Leaving:
    """
    Read List-Unsubscribe and List-Unsubscribe-Post; what is missing is ``None``.

    One click is offered only where the sender says that it wants it so, and over TLS.
    """
    if unsubscribe is None:
        return Leaving()
    page = mailto = https = ""
    for match in _ADDRESS.findall(unfold(unsubscribe))[:_MOST]:
        address = match.decode("utf-8", "replace")
        scheme = address.partition(":")[0].lower()
        if scheme == "mailto":
            mailto = mailto or address
        elif scheme in ("http", "https"):
            page = page or address
            if scheme == "https":
                https = https or address
    says = post is not None and (
        unfold(post).replace(b" ", b"").lower() == b"list-unsubscribe=one-click"
    )
    return Leaving(https if says else "", page, mailto)
