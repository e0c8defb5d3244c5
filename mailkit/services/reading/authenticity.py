"""
"Is it really from them?", for people who have never heard of DMARC.

What the checks said at delivery is told in a word; what nobody checked is called so,
and never verified. Beside it stands what anybody can see in the address itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum

from attrs import frozen

from mailkit.formats.lookalike import has_mixed_scripts, looks_like, readable
from mailkit.model.conversation import Summary
from mailkit.model.correspondent import Correspondent

_ADDRESS_IN_NAME = re.compile(r"[^\s<>@\"']+@([^\s<>@\"',;]+\.[^\s<>@\"',;]+)")


class Trust(Enum):
    """In one word."""

    VERIFIED = "verified"
    """The domain in From has sent it."""
    UNPROVED = "unproved"
    """That could not be proved."""
    FORGED = "forged"
    """The domain in From says that it has not sent it, or it is another than it
    seems."""
    UNCHECKED = "unchecked"
    """Nobody has looked."""


class Doubt(Enum):
    """What can be seen in the address."""

    LOOKALIKE = "lookalike"
    """Its domain looks like one that the person knows."""
    MIXED_SCRIPTS = "mixed-scripts"
    """Its domain has letters of several scripts."""
    NAME_CLAIMS = "name-claims"
    """Its name is an address, another one."""


@frozen
class Authenticity:
    """What is known of who sent a message."""

    trust: Trust
    address: str
    """Of the author; empty if the message has none."""
    domain: str
    """Of the author, in the letters that people read."""
    signed_by: str = ""
    """The domain that is proved to have sent it."""
    tls: str = ""
    """How it travelled to us; empty: in the clear, or nobody knows."""
    doubts: tuple[Doubt, ...] = ()
    resembles: str = ""
    """The domain that it looks like."""
    words: str = ""
    """What an administrator may read about it."""
    is_mine: bool = False
    """Whether the person wrote it: there is nothing to check."""

    @property
    def may_be_trusted(self) -> bool:
        """Whether "always show pictures of this sender" means anything."""
        return self.trust is Trust.VERIFIED and not self.doubts


def judge(
    summary: Summary, known: Collection[str], own: Collection[str]
) -> Authenticity:
    """
    Say what is known.

    :param known: domains that the person writes to, and the person's own.
    :param own: addresses of the person.
    """
    author = summary.from_[0] if summary.from_ else None
    address = "" if author is None else author.address
    domain = address.rpartition("@")[2].lower()
    verdict = summary.verdict
    if address.lower() in {one.lower() for one in own} and verdict is None:
        return Authenticity(Trust.UNCHECKED, address, readable(domain), is_mine=True)
    resembles = looks_like(domain, known) or "" if domain else ""
    doubts: list[Doubt] = []
    if resembles:
        doubts.append(Doubt.LOOKALIKE)
    if domain and has_mixed_scripts(domain):
        doubts.append(Doubt.MIXED_SCRIPTS)
    if author is not None and _claims_another(author.name, domain):
        doubts.append(Doubt.NAME_CLAIMS)
    if verdict is None:
        trust = Trust.UNCHECKED
    elif verdict.is_forged:
        trust = Trust.FORGED
    else:
        trust = Trust.VERIFIED if verdict.is_verified else Trust.UNPROVED
    if Doubt.LOOKALIKE in doubts or Doubt.MIXED_SCRIPTS in doubts:
        trust = Trust.FORGED
    return Authenticity(
        trust,
        address,
        readable(domain),
        "" if verdict is None or not verdict.is_verified else verdict.aligned,
        "" if verdict is None else verdict.tls,
        tuple(doubts),
        resembles,
        "" if verdict is None else verdict.words,
    )


def is_known(person: Correspondent | None) -> bool:
    """Whether somebody was written to, so that pictures may be shown to "known"."""
    return person is not None and person.sent > 0


def _claims_another(name: str, domain: str) -> bool:
    match = _ADDRESS_IN_NAME.search(name)
    if match is None:
        return False
    said = match[1].rstrip(".").lower()
    return said != domain and not domain.endswith(f".{said}")
