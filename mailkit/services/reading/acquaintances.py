"""Whom a person knows, as far as it helps to tell who only seems to be one of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from attrs import define, field

from mailkit.interfaces.personal import IPersonal
from mailkit.model.address import AccountName
from mailkit.model.conversation import Person, Summary
from mailkit.model.correspondent import Correspondent

FRESH = 600.0
"""Seconds for which the domains of an account are not asked for again."""

_MOST_PEOPLE = 300
_MOST_ACCOUNTS = 2_000


@define(eq=False)
class Acquaintances:
    """Asks what is kept of a person's correspondents, and adds to it."""

    _personal: IPersonal
    _now: Callable[[], float]
    _domains: OrderedDict[AccountName, tuple[float, frozenset[str]]] = field(
        factory=OrderedDict, init=False
    )

    async def addresses(self, account: AccountName) -> frozenset[str]:
        """Those that the person writes from, in lower case."""
        identities = await self._personal.identities(account)
        return frozenset((str(account), *(one.address for one in identities)))

    async def domains(self, account: AccountName) -> frozenset[str]:
        """The person's own, and those of people that were written to."""
        kept = self._domains.get(account)
        if kept is not None and kept[0] > self._now():
            return kept[1]
        people = await self._personal.suggest(account, "", _MOST_PEOPLE, self._now())
        found = frozenset(
            (
                _domain(str(account)),
                *(_domain(one.address) for one in people if one.sent),
            )
        ) - {""}
        self._domains[account] = (self._now() + FRESH, found)
        while len(self._domains) > _MOST_ACCOUNTS:
            self._domains.popitem(last=False)
        return found

    async def known(self, account: AccountName, address: str) -> Correspondent | None:
        """What is known of somebody; ``None`` for a stranger."""
        found = await self._personal.known(account, [address])
        return found.get(address)

    async def note_read(
        self, account: AccountName, summaries: Sequence[Summary]
    ) -> None:
        """Remember who wrote messages that the person reads for the first time."""
        for one in summaries:
            people = [person for person in one.from_[:1] if _is_address(person)]
            if people:
                await self._personal.note(
                    account, people, one.internal_date, is_sent=False
                )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _is_address(person: Person) -> bool:
    return "@" in person.address.strip("@")
