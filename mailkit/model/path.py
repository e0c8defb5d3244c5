"""Reverse and forward paths of an envelope (RFC 5321 §4.1.2)."""

from __future__ import annotations

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
        if not _is_dot_string(local_part):
            escaped = local_part.replace("\\", "\\\\").replace('"', '\\"')
            local_part = f'"{escaped}"'
        return f"{local_part}@{self.domain}" if self.domain else local_part


NULL_PATH = Path("", "")

_SPECIALS = set(' ()<>[]:;@\\,"') | {chr(n) for n in range(33)} | {"\x7f"}


def _is_dot_string(local_part: str) -> bool:
    return (
        not _SPECIALS.intersection(local_part)
        and bool(local_part)
        and not local_part.startswith(".")
        and not local_part.endswith(".")
        and ".." not in local_part
    )
