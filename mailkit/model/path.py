"""Reverse and forward paths of an envelope (RFC 5321 §4.1.2)."""

from __future__ import annotations

import re

from attrs import frozen

from mailkit.model.address import Address


@frozen
class Path:
    """
    An envelope address as the peer wrote it, quotes taken off.

    The null reverse-path has both parts empty; ``<postmaster>`` has no domain.
    """

    local_part: str
    domain: str

    @property
    def is_null(self) -> bool:
        return not self.local_part and not self.domain

    @property
    def is_ascii(self) -> bool:
        return self.local_part.isascii() and self.domain.isascii()

    @property
    def address(self) -> Address:
        """The folded form, to compare and to look up."""
        return Address.of(self.local_part, self.domain)

    def __str__(self) -> str:
        """Without angle brackets, quoted where the local part needs it."""
        if self.is_null:
            return ""
        local_part = self.local_part
        if _DOT_STRING.fullmatch(local_part) is None:
            escaped = local_part.replace("\\", "\\\\").replace('"', '\\"')
            local_part = f'"{escaped}"'
        return f"{local_part}@{self.domain}" if self.domain else local_part


NULL_PATH = Path("", "")

# Dots where the grammar has them, and none of its specials (RFC 5321 §4.1.2).
_DOT_STRING = re.compile(
    r"""[^\x00-\x20()<>\[\]:;@\\,".\x7f]+(?:\.[^\x00-\x20()<>\[\]:;@\\,".\x7f]+)*"""
)
