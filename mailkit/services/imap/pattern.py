"""Which mailbox names a LIST pattern means (RFC 9051 §6.3.9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from mailkit.model.mailbox import INBOX, MailboxName

SEPARATOR = "/"
"""Between the levels of a name."""

Match = Callable[[str], bool]


@frozen(eq=False)
class Pattern:
    """Several patterns; a name matches if one of them does."""

    _matches: tuple[Match, ...]
    _matches_inbox: bool

    @classmethod
    def of(cls, reference: str, patterns: Iterable[str]) -> Pattern:
        """
        Put the reference before each pattern and read ``*`` and ``%``.

        Every name is looked at in time that grows with its length times that of
        the pattern, whatever the pattern: no backtracking.
        """
        whole = [_below_inbox(reference + pattern) for pattern in patterns]
        # INBOX is one mailbox in whatever case it is asked for (RFC 9051 §5.1).
        return cls(
            tuple(matcher(text) for text in whole),
            any(matcher(text.upper())(INBOX) for text in whole),
        )

    def matches(self, name: MailboxName) -> bool:
        """Whether one of the patterns means this name."""
        if name == INBOX:
            return self._matches_inbox
        return any(matches(name) for matches in self._matches)


def _below_inbox(pattern: str) -> str:
    """What hangs below INBOX does so in whatever case, too."""
    top = INBOX + SEPARATOR
    return top + pattern[6:] if pattern[:6].upper() == top else pattern


def above(name: str) -> Iterator[MailboxName]:
    """The names that a name hangs below, topmost first."""
    at = name.find(SEPARATOR)
    while at >= 0:
        yield MailboxName(name[:at])
        at = name.find(SEPARATOR, at + 1)


def matcher(pattern: str) -> Match:
    """One pattern; the simple ones, which is what clients send, at little cost."""
    pattern = _WILDCARDS.sub(lambda run: "*" if "*" in run[0] else "%", pattern)
    found = list(_WILDCARDS.finditer(pattern))
    if not found:
        return pattern.__eq__
    if len(found) == 1 and found[0].end() == len(pattern):
        start = pattern[:-1]
        if pattern[-1] == "*":
            return lambda name: name.startswith(start)
        skip = len(start)
        return lambda name: name.startswith(start) and SEPARATOR not in name[skip:]
    return _Automaton.of(pattern).matches


@frozen(eq=False)
class _Automaton:
    """
    A pattern as bits: bit ``n`` is set while its first ``n`` parts have matched.

    No two wildcards stand side by side.
    """

    _at: dict[str, int]
    """For each character the parts that are this character."""
    _stars: int
    _wildcards: int
    _last: int

    @classmethod
    def of(cls, pattern: str) -> _Automaton:
        at: dict[str, int] = {}
        stars = wildcards = 0
        for index, character in enumerate(pattern):
            bit = 1 << index
            if character in "*%":
                wildcards |= bit
                stars |= bit if character == "*" else 0
            else:
                at[character] = at.get(character, 0) | bit
        return cls(at, stars, wildcards, 1 << len(pattern))

    def matches(self, name: str) -> bool:
        at, stars, wildcards = self._at, self._stars, self._wildcards
        state = 1 | (1 & wildcards) << 1
        for character in name:
            loops = stars if character == SEPARATOR else wildcards
            state = (state & at.get(character, 0)) << 1 | (state & loops)
            if not state:
                return False
            state |= (state & wildcards) << 1
        return bool(state & self._last)


_WILDCARDS = re.compile(r"[*%]+")
