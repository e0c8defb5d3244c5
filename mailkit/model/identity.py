"""As whom a person writes."""

from __future__ import annotations

from attrs import field, frozen


@frozen
class Identity:
    """A name and an address to write from, and what stands below the letter."""

    id: str
    """Unlike that of any other of the account; made by whoever makes the identity."""
    name: str
    """Shown before the address; may be empty."""
    address: str
    signature_text: str = ""
    signature_html: str = field(default="", repr=False)
    """Cleaned; empty: made of the text."""
    is_default: bool = False
    """One of the account's at most."""
