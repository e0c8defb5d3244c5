"""What accounts have sent, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.model.address import AccountName, Address
from mailkit.model.sendinglimit import Freeze, Most, Reached, Sent

_HOUR = 3600.0
_DAY = 86400.0


@implementer(ISendingCounts)
@define(eq=False)
class MemorySendingCounts:
    """Every recipient with its moment, and who is frozen."""

    _taken: list[tuple[float, AccountName]] = field(init=False, factory=list)
    _met: dict[tuple[AccountName, Address], float] = field(init=False, factory=dict)
    _frozen: dict[AccountName, Freeze] = field(init=False, factory=dict)
    _untold: set[AccountName] = field(init=False, factory=set)

    async def take(
        self, account: AccountName, recipient: Address, most: Most, now: float
    ) -> Reached | None:
        if account in self._frozen:
            return Reached.FROZEN
        sent = await self.sent(account, now)
        is_new = (account, recipient) not in self._met
        domain = _domain(account)
        by_hour = self._count(lambda one: _domain(one) == domain, now - _HOUR)
        by_day = self._count(lambda one: _domain(one) == domain, now - _DAY)
        for used, limit, reached in (
            (sent.hour, most.hour, Reached.HOUR),
            (sent.day, most.day, Reached.DAY),
            (sent.new if is_new else -1, most.new, Reached.NEW),
            (by_hour, most.domain_hour, Reached.DOMAIN_HOUR),
            (by_day, most.domain_day, Reached.DOMAIN_DAY),
        ):
            if limit and used >= limit:
                return reached
        self._taken.append((now, account))
        self._met.setdefault((account, recipient), now)
        return None

    async def frozen(self, account: AccountName) -> Freeze | None:
        return self._frozen.get(account)

    async def all_frozen(self) -> Sequence[Freeze]:
        return [self._frozen[name] for name in sorted(self._frozen)]

    async def freeze(self, freeze: Freeze) -> bool:
        if freeze.account in self._frozen:
            return False
        self._frozen[freeze.account] = freeze
        self._untold.add(freeze.account)
        return True

    async def thaw(self, account: AccountName) -> Freeze | None:
        self._taken = [one for one in self._taken if one[1] != account]
        for key in self._met:
            if key[0] == account:
                self._met[key] = 0.0
        self._untold.discard(account)
        return self._frozen.pop(account, None)

    async def untold(self) -> Sequence[Freeze]:
        return [self._frozen[name] for name in sorted(self._untold)]

    async def told(self, freeze: Freeze) -> None:
        if self._frozen.get(freeze.account) == freeze:
            self._untold.discard(freeze.account)

    async def sent(self, account: AccountName, now: float) -> Sent:
        return Sent(
            hour=self._count(account.__eq__, now - _HOUR),
            day=self._count(account.__eq__, now - _DAY),
            new=sum(
                1
                for (name, _), first in self._met.items()
                if name == account and first > now - _DAY
            ),
        )

    async def close(self) -> None:
        """There is no file."""

    def _count(self, is_meant: Callable[[AccountName], bool], since: float) -> int:
        return sum(1 for at, name in self._taken if at > since and is_meant(name))


def _domain(account: AccountName) -> str:
    return account.rpartition("@")[2]
