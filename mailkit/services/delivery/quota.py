"""How much room an account has left, asked of the store as seldom as is safe."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import OverQuota
from mailkit.interfaces.storage import IMailStore
from mailkit.model.account import Account
from mailkit.model.address import AccountName

GOOD_FOR = 10.0
"""Seconds for which the store's answer is believed."""

FAR_AWAY = 0.9
"""Up to this part of the quota what is remembered will do; beyond, the store is asked
about each message."""

MOST = 10_000
"""Accounts that are remembered."""


@define
class _Known:
    used: int
    asked: float


@define(eq=False)
class Quotas:
    """
    Knows quotas, and remembers for moments what accounts have used.

    The store's answer costs a turn in the account's lane, which may be busy with the
    very deliveries that are asked about. Far from the quota an answer of some seconds
    ago, with what was delivered since, is good enough; near to it, it is not.
    """

    _store: IMailStore
    _clock: IReactorTime
    default: int
    """Octets of an account that says nothing else; 0 is without limit."""
    _known: dict[AccountName, _Known] = field(factory=dict, init=False)

    async def check(self, account: Account, size: int) -> None:
        """:raises OverQuota: if ``size`` octets more would be too many."""
        quota = self.default if account.quota is None else account.quota
        if not quota:
            return
        known = self._known.get(account.name)
        if known is not None and known.used + size <= quota * FAR_AWAY:
            if self._clock.seconds() - known.asked < GOOD_FOR:
                return
            del self._known[account.name]
        used = await self._store.used(account.name)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[account.name] = _Known(used, self._clock.seconds())
        if used + size > quota:
            raise OverQuota(account.name)

    def delivered(self, account: AccountName, size: int) -> None:
        """An account was given that many octets more."""
        known = self._known.get(account)
        if known is not None:
            known.used += size
