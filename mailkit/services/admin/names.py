"""Names of domains, accounts and aliases as people type them, checked and folded."""

from __future__ import annotations

import re
import unicodedata

from mailkit.errors import CannotName
from mailkit.model.address import AccountName, Address, DomainName, fold_domain

_LABEL = re.compile(r"(?!-)[a-z0-9_-]+(?<!-)")
_ATEXT = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+")
_LONGEST_LOCAL_PART = 64  # octets, RFC 5321 §4.5.3.1.1
_LONGEST_DOMAIN = 253
_LETTERS = ("L", "M", "N")


def domain_name(text: str) -> DomainName:
    """
    A domain in its folded form; A-labels become U-labels.

    :raises CannotName: if it cannot be one.
    """
    name = fold_domain(text.strip())
    labels = name.split(".")
    written = ".".join(_a_label(label) for label in labels)
    if not written or len(written) > _LONGEST_DOMAIN:
        raise CannotName(f"{text!r} is not the name of a domain")
    if labels[-1].isdecimal():
        raise CannotName(f"{text!r} is an IP address, not the name of a domain")
    return name


def address(text: str) -> Address:
    """
    An address in its folded form, a dot-string before the ``@`` (RFC 6531 §3.3).

    :raises CannotName: if it cannot be one.
    """
    found = Address.parse(text.strip())
    if found is None:
        raise CannotName(f"{text!r} is not an address such as alice@example.org")
    local_part = found.local_part
    if len(local_part.encode("utf-8", "replace")) > _LONGEST_LOCAL_PART or not all(
        _is_atom(atom) for atom in local_part.split(".")
    ):
        raise CannotName(f"{text!r} cannot be an address of ours")
    return Address(local_part, domain_name(found.domain))


def account_name(text: str) -> AccountName:
    """`address`, as the name of an account. :raises CannotName:"""
    return AccountName(str(address(text)))


def alias_address(text: str) -> Address:
    """`address`, or ``@domain`` for a catch-all. :raises CannotName:"""
    stripped = text.strip()
    if stripped.startswith("@"):
        return Address("", domain_name(stripped[1:]))
    return address(stripped)


def _a_label(label: str) -> str:
    """The label as DNS has it (RFC 5890 §2.3.2.1)."""
    if not label.isascii():
        if not all(
            char in "-_" or unicodedata.category(char)[0] in _LETTERS for char in label
        ):
            raise CannotName(f"{label!r} cannot be part of a domain")
        label = "xn--" + label.encode("punycode").decode("ascii")
    if len(label) > 63 or not _LABEL.fullmatch(label):
        raise CannotName(f"{label!r} cannot be part of a domain")
    return label


def _is_atom(atom: str) -> bool:
    ascii_part = "".join(char for char in atom if char.isascii())
    rest = [char for char in atom if not char.isascii()]
    if ascii_part and not _ATEXT.fullmatch(ascii_part):
        return False
    return bool(atom) and all(unicodedata.category(char)[0] in "LMNPS" for char in rest)
