"""
Which routes mean a recipient, most exact first.

Routes are found by what they say of the recipient: exact addresses and domains in
tables, so that thousands of them cost no more than ten; patterns one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

from mailkit.model.address import AccountName, Address
from mailkit.services.routes.pattern import (
    UNASKED,
    Kind,
    Pattern,
    Rank,
)
from mailkit.services.routes.route import Route


@frozen
class Mailing:
    """What a route may ask about a message, but for its recipient."""

    sender: Address | None = None
    """The reverse-path, folded, its parts empty for the null one; ``None``: nobody
    knows yet, and no condition on it holds."""
    account: AccountName | None = None
    """Who submitted it."""


NOBODYS = Mailing()


@frozen
class Match:
    """One route that means a recipient, and how exactly."""

    route: Route
    ranks: tuple[Rank, Rank, Rank]
    """Of recipient, sender and account."""
    patterns: tuple[Pattern | None, Pattern | None, Pattern | None]
    """Those that matched; ``None`` where nothing is asked."""

    @property
    def names_recipient(self) -> bool:
        """Whether it asks for less than everybody."""
        return self.ranks[0][0] < Kind.ANY

    @property
    def opens(self) -> bool:
        """Whether strangers may use it to reach a domain that is not ours."""
        recipient = self.patterns[0]
        return (
            self.route.is_for_strangers
            and self.names_recipient
            and recipient is not None
            and recipient.names_domain
        )

    @property
    def why(self) -> str:
        """``recipient *.example.org, sender <>``."""
        names = ("recipient", "sender", "account")
        found = zip(names, self.patterns, strict=True)
        return ", ".join(
            f"{name} {pattern.text}" for name, pattern in found if pattern is not None
        )


@define(eq=False)
class Matcher:
    """Routes, ready to be asked."""

    _routes: Sequence[Route]
    _exact: dict[str, list[int]] = field(init=False, factory=dict)
    _domains: dict[str, list[int]] = field(init=False, factory=dict)
    _below: dict[str, list[int]] = field(init=False, factory=dict)
    _others: list[int] = field(init=False, factory=list)
    """Places of routes that have to be tried by each recipient."""

    def __attrs_post_init__(self) -> None:
        for place, route in enumerate(self._routes):
            tables = list(map(self._table, route.recipients))
            if not tables or None in tables:
                self._others.append(place)
                continue
            for table, pattern in zip(tables, route.recipients, strict=True):
                assert table is not None
                key = pattern.domain if table is not self._exact else pattern.text
                table.setdefault(key, []).append(place)

    def __bool__(self) -> bool:
        return bool(self._routes)

    def matches(self, recipient: Address, mailing: Mailing) -> list[Match]:
        """All that mean the recipient of that message, most exact first."""
        found: list[tuple[tuple[Rank, Rank, Rank], int, Match]] = []
        for place in self._candidates(recipient):
            match = _match(self._routes[place], recipient, mailing)
            if match is not None:
                found.append((match.ranks, place, match))
        found.sort(key=lambda one: one[:2])
        return [match for _, _, match in found]

    def _table(self, pattern: Pattern) -> dict[str, list[int]] | None:
        match pattern.kind:
            case Kind.ADDRESS:
                return self._exact
            case Kind.DOMAIN:
                return self._domains
            case Kind.BELOW:
                return self._below
        return None

    def _candidates(self, recipient: Address) -> set[int]:
        found = set(self._others)
        found.update(self._exact.get(str(recipient), ()))
        base, plus, _ = recipient.local_part.partition("+")
        if plus:
            found.update(self._exact.get(f"{base}@{recipient.domain}", ()))
        domain: str = recipient.domain
        found.update(self._domains.get(domain, ()))
        while self._below and domain:
            domain = domain.partition(".")[2]
            found.update(self._below.get(domain, ()))
        return found


def best(patterns: Iterable[Pattern], address: Address) -> tuple[Rank, Pattern] | None:
    """The most exact of some patterns that mean an address."""
    found = ((pattern.rank(address), pattern) for pattern in patterns)
    ranked = [(rank, pattern) for rank, pattern in found if rank is not None]
    return min(ranked, key=_rank, default=None)


def _rank(pair: tuple[Rank, Pattern]) -> Rank:
    return pair[0]


def _match(route: Route, recipient: Address, mailing: Mailing) -> Match | None:
    ranks: list[Rank] = []
    patterns: list[Pattern | None] = []
    account = None if mailing.account is None else Address.parse(mailing.account)
    for conditions, address in (
        (route.recipients, recipient),
        (route.senders, mailing.sender),
        (route.accounts, account),
    ):
        if not conditions:
            ranks.append(UNASKED)
            patterns.append(None)
            continue
        found = None if address is None else best(conditions, address)
        if found is None:
            return None
        ranks.append(found[0])
        patterns.append(found[1])
    first, second, third = ranks
    return Match(route, (first, second, third), (patterns[0], patterns[1], patterns[2]))
