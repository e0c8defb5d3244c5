"""
Patterns of addresses, as routes and aliases have them.

``anna@example.org``
    One address, and what is below it after ``+`` (RFC 5233 §1).
``*-anna@example.org``, ``*@*.example.org``
    Each ``*`` stands for any run of characters, also for none; it never reaches over
    the ``@``. What follows ``+`` need not match.
``example.org``
    Every address of a domain.
``*.example.org``
    Every address of every domain below one, at any depth.
``*``
    Everybody.
``<>``
    The null reverse-path.

Patterns are compared in the folded form of addresses. A match takes time in proportion
to the address and the pattern, whatever is in them.
"""

from __future__ import annotations

from enum import IntEnum

from attrs import field, frozen

from mailkit.model.address import (
    Address,
    DomainName,
    a_labels,
    fold_domain,
    fold_local_part,
)

NULL = "<>"
ANY = "*"


class Kind(IntEnum):
    """How much a pattern says, most first."""

    ADDRESS = 0
    PATTERN = 1
    DOMAIN = 2
    BELOW = 3
    """Domains below one."""
    ANY = 4


Rank = tuple[int, int]
"""How exactly a pattern meant an address: less is more exact."""

UNASKED: Rank = (len(Kind), 0)
"""The rank of a condition that was not made."""


@frozen
class Glob:
    """A text with ``*`` in it."""

    pieces: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Glob:
        """Runs of ``*`` are one."""
        first, *rest = text.split("*")
        if not rest:
            return cls((first,))
        *middle, last = rest
        return cls((first, *filter(None, middle), last))

    def matches(self, text: str) -> bool:
        """Whether all of ``text`` is meant."""
        first, *rest = self.pieces
        if not rest:
            return text == first
        *middle, last = rest
        end = len(text) - len(last)
        at = len(first)
        if end < at or not (text.startswith(first) and text.endswith(last)):
            return False
        for piece in middle:
            # The first place that fits leaves most room for what follows.
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    @property
    def weight(self) -> int:
        """Characters that have to be there."""
        return sum(map(len, self.pieces))


@frozen
class Pattern:
    """One of them; `parse` makes it."""

    text: str
    """Folded."""
    kind: Kind
    domain: DomainName = field(default=DomainName(""), eq=False)
    """That of a DOMAIN or of what is BELOW; of a PATTERN only where it is certain."""
    local_glob: Glob = field(default=Glob(("",)), eq=False)
    domain_glob: Glob = field(default=Glob(("",)), eq=False)

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """:raises ValueError: if it is none."""
        text = text.strip()
        if text == ANY:
            return cls(ANY, Kind.ANY)
        if text == NULL:
            return cls(NULL, Kind.ADDRESS)
        local_part, at, domain = text.rpartition("@")
        if at:
            return _of_addresses(local_part, domain, text)
        if text.startswith("*."):
            name = _domain(text[2:], text)
            return cls(f"*.{name}", Kind.BELOW, name)
        name = _domain(text, text)
        return cls(name, Kind.DOMAIN, name)

    @property
    def names_domain(self) -> bool:
        """Whether what it means is of domains that somebody wrote down."""
        return self.text != NULL and (
            self.kind in (Kind.ADDRESS, Kind.DOMAIN, Kind.BELOW) or bool(self.domain)
        )

    def rank(self, address: Address) -> Rank | None:
        """How exactly ``address`` is meant; ``None``: not at all."""
        match self.kind:
            case Kind.ANY:
                return (Kind.ANY, 0)
            case Kind.DOMAIN:
                return (Kind.DOMAIN, 0) if address.domain == self.domain else None
            case Kind.BELOW:
                if address.domain.endswith("." + self.domain):
                    return (Kind.BELOW, -len(self.domain))
                return None
            case Kind.PATTERN:
                return self._rank_by_globs(address)
            case Kind.ADDRESS:
                return _rank_of_address(self.text, address)

    def _rank_by_globs(self, address: Address) -> Rank | None:
        if not self.domain_glob.matches(address.domain):
            return None
        base = address.local_part.partition("+")[0]
        matches = self.local_glob.matches
        if matches(address.local_part) or (base and matches(base)):
            weight = self.local_glob.weight + self.domain_glob.weight
            return (Kind.PATTERN, -weight)
        return None


def _of_addresses(local_part: str, domain: str, text: str) -> Pattern:
    local_part = fold_local_part(local_part)
    if not local_part:
        raise ValueError(f'"{text}" has nothing before its @')
    if "*" not in domain:
        name = _domain(domain, text)
        if "*" not in local_part:
            return Pattern(f"{local_part}@{name}", Kind.ADDRESS, name)
        globs = Glob.of(local_part), Glob.of(name)
        return Pattern(f"{local_part}@{name}", Kind.PATTERN, name, *globs)
    folded = fold_domain(domain)
    below = _below(folded)
    globs = Glob.of(local_part), Glob.of(folded)
    return Pattern(f"{local_part}@{folded}", Kind.PATTERN, below, *globs)


def _below(domain: DomainName) -> DomainName:
    """``example.org`` of ``*.example.org``; empty, where no domain is certain."""
    if domain.startswith("*.") and "*" not in domain[2:]:
        return _domain(domain[2:], domain)
    return DomainName("")


def _rank_of_address(text: str, address: Address) -> Rank | None:
    if text == NULL:
        return (Kind.ADDRESS, 0) if address == Address("", DomainName("")) else None
    if text == str(address):
        return (Kind.ADDRESS, 0)
    base, plus, _ = address.local_part.partition("+")
    if plus and base and text == f"{base}@{address.domain}":
        return (Kind.ADDRESS, 1)
    return None


def _domain(text: str, whole: str) -> DomainName:
    name = fold_domain(text)
    if "*" in name or any(one in name for one in " \t@<>,;") or a_labels(name) is None:
        raise ValueError(
            f'expects an address, a domain, "*.example.org", "*" or a pattern such as '
            f'"*-anna@example.org", not "{whole}"'
        )
    return name
