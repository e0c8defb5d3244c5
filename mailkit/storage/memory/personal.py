"""What belongs to one person, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import AlreadyExists, TooMany
from mailkit.interfaces.personal import IPersonal
from mailkit.model import correspondent as people
from mailkit.model.address import AccountName, Address
from mailkit.model.conversation import Person
from mailkit.model.correspondent import SENT_WEIGHT, Correspondent
from mailkit.model.identity import Identity
from mailkit.model.label import Label
from mailkit.model.preferences import DEFAULTS, Preferences
from mailkit.model.savedsearch import MOST_SEARCHES, SavedSearch
from mailkit.model.snooze import Snooze, Woken

_MOST_LABELS = 500
_MOST_IDENTITIES = 100
_MOST_TRUSTED = 10_000
_MOST_MUTED = 5_000
_WOKEN_FOR = 14 * 86400.0
_LONGEST = 320


@define(eq=False)
class _Known:
    """One person."""

    correspondent: Correspondent
    weights: dict[int, float] = field(factory=dict)


@define(eq=False)
class _Own:
    """What one account has."""

    preferences: Preferences = DEFAULTS
    labels: dict[str, Label] = field(factory=dict)
    searches: dict[str, SavedSearch] = field(factory=dict)
    identities: dict[str, Identity] = field(factory=dict)
    trusted: set[str] = field(factory=set)
    people: dict[str, _Known] = field(factory=dict)
    hidden: set[str] = field(factory=set)
    snoozes: dict[str, Snooze] = field(factory=dict)
    woken: dict[str, Woken] = field(factory=dict)
    muted: dict[str, None] = field(factory=dict)
    undo: dict[str, tuple[float, str]] = field(factory=dict)


@implementer(IPersonal)
@define(eq=False)
class MemoryPersonal:
    """
    Every promise of `IPersonal` but that of outliving the process.

    :param keywords_of: those that messages of an account have.
    """

    _keywords_of: Callable[[AccountName], Collection[str]] = lambda account: ()
    _own: defaultdict[AccountName, _Own] = field(
        init=False, factory=lambda: defaultdict(_Own)
    )

    async def preferences(self, account: AccountName) -> Preferences:
        return self._own[account].preferences

    async def change(self, account: AccountName, preferences: Preferences) -> None:
        self._own[account].preferences = preferences

    async def labels(self, account: AccountName) -> Sequence[Label]:
        labels = self._own[account].labels.values()
        return sorted(labels, key=lambda one: (one.position, one.name.casefold()))

    async def put_labels(self, account: AccountName, labels: Sequence[Label]) -> None:
        own = self._own[account]
        all_labels = own.labels | {label.keyword.lower(): label for label in labels}
        if len({one.name.casefold() for one in all_labels.values()}) < len(all_labels):
            raise AlreadyExists("label")
        if len(all_labels) > _MOST_LABELS:
            raise TooMany("label")
        own.labels = all_labels

    async def drop_label(self, account: AccountName, keyword: str) -> None:
        self._own[account].labels.pop(keyword.lower(), None)

    async def keywords(self, account: AccountName) -> Collection[str]:
        return self._keywords_of(account)

    async def searches(self, account: AccountName) -> Sequence[SavedSearch]:
        searches = self._own[account].searches.values()
        return sorted(searches, key=lambda one: one.name.casefold())

    async def put_search(self, account: AccountName, search: SavedSearch) -> None:
        own = self._own[account]
        searches = own.searches | {search.id: search}
        if len({one.name.casefold() for one in searches.values()}) < len(searches):
            raise AlreadyExists("search")
        if len(searches) > MOST_SEARCHES:
            raise TooMany("search")
        own.searches = searches

    async def drop_search(self, account: AccountName, id: str) -> None:
        self._own[account].searches.pop(id, None)

    async def identities(self, account: AccountName) -> Sequence[Identity]:
        identities = self._own[account].identities.values()
        return sorted(
            identities,
            key=lambda one: (not one.is_default, one.name, one.address, one.id),
        )

    async def put_identity(self, account: AccountName, identity: Identity) -> None:
        own = self._own[account]
        if identity.id not in own.identities and (
            len(own.identities) >= _MOST_IDENTITIES
        ):
            raise TooMany("identity")
        if identity.is_default:
            own.identities = {
                id: evolve(one, is_default=False) for id, one in own.identities.items()
            }
        own.identities[identity.id] = identity

    async def drop_identity(self, account: AccountName, id: str) -> None:
        self._own[account].identities.pop(id, None)

    async def trusted(self, account: AccountName) -> Sequence[str]:
        return sorted(self._own[account].trusted)

    async def is_trusted(self, account: AccountName, address: str) -> bool:
        return _folded(address) in self._own[account].trusted

    async def trust(self, account: AccountName, address: str) -> None:
        trusted = self._own[account].trusted
        if len(trusted | {_folded(address)}) > _MOST_TRUSTED:
            raise TooMany("trusted")
        trusted.add(_folded(address))

    async def distrust(self, account: AccountName, address: str) -> None:
        self._own[account].trusted.discard(_folded(address))

    async def note(
        self, account: AccountName, people: Sequence[Person], when: float, is_sent: bool
    ) -> None:
        own = self._own[account]
        for person in people:
            if person.address and len(person.address) <= _LONGEST:
                _note(own, person, when, is_sent=is_sent)

    async def suggest(
        self, account: AccountName, prefix: str, most: int, now: float
    ) -> Sequence[Correspondent]:
        own = self._own[account]
        words = people.typed_words(prefix)
        found = []
        for folded, known in own.people.items():
            one = known.correspondent
            theirs = people.words_of(one.name, one.address)
            if folded not in own.hidden and all(
                any(word.startswith(begin) for word in theirs) for begin in words
            ):
                found.append(evolve(one, score=people.score(known.weights, now)))
        return sorted(found, key=lambda one: (-one.score, one.address))[:most]

    async def known(
        self, account: AccountName, addresses: Collection[str]
    ) -> Mapping[str, Correspondent]:
        own = self._own[account].people
        return {
            address: own[_folded(address)].correspondent
            for address in addresses
            if _folded(address) in own
        }

    async def hide(self, account: AccountName, address: str) -> None:
        self._own[account].hidden.add(_folded(address))

    async def snoozes(self, account: AccountName) -> Sequence[Snooze]:
        snoozes = self._own[account].snoozes.values()
        return sorted(snoozes, key=lambda one: (one.until, one.email_id))

    async def snooze(self, account: AccountName, snoozes: Sequence[Snooze]) -> None:
        own = self._own[account]
        for one in snoozes:
            own.snoozes[one.email_id] = one
            own.woken.pop(one.email_id, None)

    async def unsnooze(self, account: AccountName, email_ids: Collection[str]) -> None:
        for email_id in email_ids:
            self._own[account].snoozes.pop(email_id, None)

    async def woke(self, account: AccountName, woken: Sequence[Woken]) -> None:
        own = self._own[account]
        latest = max((one.since for one in woken), default=0.0)
        all_woken = own.woken | {one.email_id: one for one in woken}
        own.woken = {
            email_id: one
            for email_id, one in all_woken.items()
            if one.since >= latest - _WOKEN_FOR
        }

    async def woken(self, account: AccountName) -> Sequence[Woken]:
        woken = self._own[account].woken.values()
        return sorted(woken, key=lambda one: (-one.since, one.email_id))

    async def forget_woken(
        self, account: AccountName, thread_ids: Collection[str]
    ) -> None:
        own = self._own[account]
        own.woken = {
            email_id: one
            for email_id, one in own.woken.items()
            if one.thread_id not in thread_ids
        }

    async def due(self, now: float, most: int) -> Sequence[AccountName]:
        times = sorted((at, account) for account, at in self._times() if at <= now)
        return [account for _, account in times[:most]]

    async def next_due(self) -> float | None:
        return min((at for _, at in self._times()), default=None)

    async def settle(self, account: AccountName) -> None:
        """Times are looked at whenever somebody asks."""

    async def is_settled(self) -> bool:
        return True

    async def note_settled(self) -> None:
        """They always are."""

    async def muted(self, account: AccountName) -> Collection[str]:
        return frozenset(self._own[account].muted)

    async def mute(self, account: AccountName, message_ids: Collection[str]) -> None:
        own = self._own[account]
        all_muted = own.muted | dict.fromkeys(message_ids)
        own.muted = dict.fromkeys(list(all_muted)[-_MOST_MUTED:])

    async def unmute(self, account: AccountName, message_ids: Collection[str]) -> None:
        for one in message_ids:
            self._own[account].muted.pop(one, None)

    async def keep_undo(
        self, account: AccountName, token: str, steps: str, until: float, now: float
    ) -> None:
        own = self._own[account]
        own.undo = {one: kept for one, kept in own.undo.items() if kept[0] > now}
        own.undo[token] = until, steps

    async def undo_steps(
        self, account: AccountName, token: str, now: float
    ) -> str | None:
        until, steps = self._own[account].undo.get(token, (0.0, ""))
        return steps if until > now else None

    async def drop_undo(self, account: AccountName, token: str) -> bool:
        return self._own[account].undo.pop(token, None) is not None

    async def close(self) -> None:
        """There is no file."""

    def _times(self) -> list[tuple[AccountName, float]]:
        return [
            (account, min(one.until for one in own.snoozes.values()))
            for account, own in self._own.items()
            if own.snoozes
        ]


def _note(own: _Own, person: Person, when: float, *, is_sent: bool) -> None:
    folded = _folded(person.address)
    new = Correspondent(person.address, person.name, 0.0, first=when, last=when)
    known = own.people.setdefault(folded, _Known(new))
    was = known.correspondent
    known.weights = people.added(known.weights, when, SENT_WEIGHT if is_sent else 1.0)
    last = max(was.last, when)
    known.correspondent = Correspondent(
        person.address,
        person.name or was.name,
        people.score(known.weights, last),
        was.sent + is_sent,
        was.received + (not is_sent),
        min(was.first, when),
        last,
    )


def _folded(address: str) -> str:
    parsed = Address.parse(address)
    return address.casefold() if parsed is None else str(parsed)
