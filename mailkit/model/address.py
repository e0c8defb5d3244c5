"""Addresses, and the names that are compared as addresses are."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from typing import NewType

from attrs import frozen

AccountName = NewType("AccountName", str)
"""The main address of an account in its folded form, ``alice@example.org``."""

DomainName = NewType("DomainName", str)
"""A domain in its folded form: lower case, NFC, U-labels."""


def fold_local_part(local_part: str) -> str:
    """The form in which local parts are compared: NFC, case folded, NFC."""
    if local_part.isascii():
        return local_part.lower()
    folded = unicodedata.normalize("NFC", local_part).casefold()
    return unicodedata.normalize("NFC", folded)


def fold_domain(domain: str) -> DomainName:
    """
    The form in which domains are compared: lower case, NFC, U-labels (RFC 5890 §2.3).

    An A-label that stands for no U-label stays as it is: it then equals only itself.
    """
    name = domain.lower().rstrip(".")
    if name.isascii() and "xn--" not in name:
        return DomainName(name)
    return DomainName(".".join(_u_label(label) for label in name.split(".")))


def is_among(domain: str, names: Collection[str]) -> bool:
    """Whether a folded domain is listed; a name with a full stop in front stands for
    all below it."""
    if not names:
        return False
    labels = domain.split(".")
    above = ("." + ".".join(labels[at:]) for at in range(1, len(labels)))
    return domain in names or any(name in names for name in above)


def a_labels(domain: DomainName) -> str | None:
    """
    A folded domain as DNS has it: A-labels (RFC 5890 §2.3.2.1); the way back.

    ``None`` where no such name can be: a label that is empty, or one that is, or all
    that are together, too long (RFC 1035 §2.3.4).
    """
    labels = domain.split(".") if domain.isascii() else _a_labels(domain)
    name = ".".join(labels)
    if len(name) > 253 or not all(0 < len(label) < 64 for label in labels):
        return None
    return name


def _a_labels(domain: str) -> list[str]:
    return [
        label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"
        for label in domain.split(".")
    ]


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return _folded_label(label)
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    # Any label can be dressed up as an A-label; one alone is its U-label's.
    is_proper = not decoded.isascii() and _folded_label(decoded) == decoded
    return decoded if is_proper else label


def _folded_label(label: str) -> str:
    # Not `str.casefold`: the sharp s is a letter of its own in names (RFC 5894 §7.2).
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", label).lower())


@frozen
class Address:
    """``local_part@domain`` in the form in which it is compared (RFC 5321 §2.3.11)."""

    local_part: str
    domain: DomainName

    @classmethod
    def of(cls, local_part: str, domain: str) -> Address:
        """Fold both parts."""
        return cls(fold_local_part(local_part), fold_domain(domain))

    @classmethod
    def parse(cls, text: str) -> Address | None:
        """Read ``local@domain``; ``None`` where a part is missing."""
        local_part, at, domain = text.rpartition("@")
        if not (at and local_part and domain):
            return None
        return cls.of(local_part, domain)

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"
