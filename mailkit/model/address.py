"""Addresses, and the names that are compared as addresses are."""

from __future__ import annotations

import unicodedata
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

    An A-label that does not decode stays as it is: it then equals only itself.
    """
    name = domain.lower().rstrip(".")
    if name.isascii() and "xn--" not in name:
        return DomainName(name)
    labels = [_u_label(label) for label in name.split(".")]
    return DomainName(unicodedata.normalize("NFC", ".".join(labels)))


def _u_label(label: str) -> str:
    if label.startswith("xn--"):
        try:
            return label[4:].encode("ascii").decode("punycode")
        except UnicodeError:
            return label
    return unicodedata.normalize("NFC", label.casefold())


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
