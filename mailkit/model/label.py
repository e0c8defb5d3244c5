"""Labels: keywords of IMAP that have a name and a colour (RFC 9051 §2.3.2)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from attrs import evolve, field, frozen
from attrs.validators import ge, le

PREFIX = "$l_"
"""How the keyword of a label of ours begins; an ASCII slug follows."""

COLOURS = 6
"""How many colours there are to choose from, 1 the first."""

LONGEST_NAME = 100
"""Characters of a label's name."""

_FOREIGN = "~"  # how the slug of a keyword begins that is not one of ours
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_LONGEST_SLUG = 40
_NOT_LABELS = frozenset(
    {"forwarded", "junk", "nonjunk", "notjunk", "redirected", "mdnsent", "recent"}
)
"""Keywords by which programs talk to each other, without a dollar sign."""


@frozen
class Label:
    """
    One label of an account.

    A keyword that a client set and nobody named is a label of its own name, with
    ``position`` behind all others.
    """

    keyword: str
    name: str
    colour: int = field(default=1, validator=[ge(1), le(COLOURS)])
    position: int = 0
    """Labels are shown in the order of this number, then of their names."""

    @property
    def slug(self) -> str:
        """What stands for it in addresses of pages; `keyword_of` is the way back."""
        slug = self.keyword.removeprefix(PREFIX)
        is_ours = slug != self.keyword and _SLUG.fullmatch(slug)
        return slug if is_ours else _FOREIGN + self.keyword

    def named(self, name: str) -> Label:
        """The same under another name; its keyword stays."""
        return evolve(self, name=name)


def keyword_of(slug: str) -> str:
    """The keyword that a slug of `Label.slug` stands for."""
    if slug.startswith(_FOREIGN):
        return slug.removeprefix(_FOREIGN)
    return PREFIX + slug


def is_label(keyword: str) -> bool:
    """
    Whether a keyword is shown as a label.

    Not those that begin with a dollar sign, which are registered for programs
    (RFC 9051 §2.3.2), but for ours.
    """
    if keyword.startswith(PREFIX):
        return True
    folded = keyword.lower()
    return not folded.startswith(("$", "\\")) and folded not in _NOT_LABELS


def unnamed(keyword: str) -> Label:
    """The label of a keyword that nobody gave a name."""
    name = keyword.removeprefix(PREFIX) or keyword
    # The same colour in every process and at every time.
    colour = sum(keyword.encode()) % COLOURS + 1
    return Label(keyword, name, colour, position=1 << 30)


def stands_for(keyword: str, name: str) -> bool:
    """
    Whether a keyword that nobody gave a name is what somebody means by this name.

    Case, accents and what parts words make no difference: those a keyword cannot have.
    """
    return _folded(unnamed(keyword).name) == _folded(name)


def _folded(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(one for one in plain if not unicodedata.combining(one))
    return re.findall(r"[^\s_-]+", plain)


def new_keyword(name: str, taken: Collection[str]) -> str:
    """
    A keyword for a new label, not among ``taken``.

    Letters lose their accents; what is no ASCII letter or digit then parts words. A
    name that has nothing left is just ``label``.
    """
    plain = (
        unicodedata.normalize("NFKD", name.casefold())
        .encode("ascii", "ignore")
        .decode()
    )
    words = re.findall(r"[a-z0-9]+", plain)
    slug = "-".join(words)[:_LONGEST_SLUG].rstrip("-") or "label"
    folded = {keyword.lower() for keyword in taken}
    keyword = PREFIX + slug
    number = 1
    while keyword in folded:
        number += 1
        keyword = f"{PREFIX}{slug}-{number}"
    return keyword
