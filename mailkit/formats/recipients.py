"""Recipients as people type and paste them, and what of it is an address."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from attrs import evolve, frozen

from mailkit.formats import addresslist, encodedword
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.model.address import Address, a_labels, fold_domain

_SEPARATORS = re.compile(r"[\r\n\t\u2028\u2029]+")
_WORDS_ALONE = re.compile(r"(?<!\S)[^\s@<>\"(),;:]++@[^\s@<>\"(),;:]++(?:\s+|\Z)")
_LITERAL = re.compile(r"\[[0-9A-Fa-f:.]+\]|\[IPv6:[0-9A-Fa-f:.]+\]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?", re.I)
_UNSEEN = re.compile(r"[\x00-\x20\x7f\u2028\u2029\ud800-\udfff]")
_LONGEST_LOCAL_PART = 64  # octets, RFC 5321 §4.5.3.1.1


@frozen
class Typed:
    """One entry of a list of recipients."""

    name: str
    address: str
    """As it was typed; with `is_good` what an envelope takes."""
    is_good: bool
    """Whether it is an address at all; that somebody has it nobody knows."""

    def __str__(self) -> str:
        """As it may be typed again."""
        if not self.name:
            return self.address
        escaped = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{self.address}>'

    @property
    def words(self) -> str:
        """What to call it by."""
        return self.name or self.address


def parse(
    text: str,
    ours: Collection[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> list[Typed]:
    """
    What stands in a field of recipients, in order, each address once.

    Commas, semicolons and ends of lines divide, and spaces do where there is nothing
    but addresses.

    :param ours: folded domains that are good without a full stop in them.
    """
    text = _SEPARATORS.sub(", ", text).strip()
    if " " in text and len(_WORDS_ALONE.findall(text)) > 1:
        left = _WORDS_ALONE.sub("", text)
        if not left:
            text = ", ".join(text.split())
    octets = text.encode("utf-8", "replace")
    found: dict[str, Typed] = {}
    for entry in addresslist.flatten(addresslist.parse(octets, limits)):
        typed = _typed(entry, ours)
        if typed.is_good and typed.address not in text:
            # Words that do not belong together: "bob@example.org anna".
            typed = evolve(typed, is_good=False)
        found.setdefault(str(Address.parse(typed.address) or typed.address), typed)
    return list(found.values())


def good(typed: Sequence[Typed]) -> tuple[tuple[str, str], ...]:
    """Names and addresses of those entries that are addresses."""
    return tuple((each.name, each.address) for each in typed if each.is_good)


def write(people: Sequence[tuple[str, str]]) -> str:
    """Names and addresses as they may be typed."""
    return ", ".join(str(Typed(name, address, True)) for name, address in people)


def is_address(local_part: str, domain: str, ours: Collection[str] = ()) -> bool:
    """Whether an envelope takes it: not whether it leads anywhere."""
    if not local_part or _UNSEEN.search(local_part):
        return False
    if len(local_part.encode("utf-8", "replace")) > _LONGEST_LOCAL_PART:
        return False
    if local_part.startswith(".") or local_part.endswith(".") or ".." in local_part:
        return False
    if _LITERAL.fullmatch(domain):
        return True
    folded = fold_domain(domain)
    labels = a_labels(folded)
    if labels is None or not ("." in labels or folded in ours):
        return False
    return all(_LABEL.fullmatch(label) for label in labels.split("."))


def _typed(entry: addresslist.NamedAddress, ours: Collection[str]) -> Typed:
    name = "" if entry.name is None else encodedword.decode(entry.name)
    name = " ".join(_UNSEEN.sub(" ", name).split())
    local_part = entry.local_part.decode("utf-8", "replace")
    domain = entry.domain.decode("utf-8", "replace")
    address = f"{local_part}@{domain}" if domain else local_part
    return Typed(name, address, is_address(local_part, domain, ours))
