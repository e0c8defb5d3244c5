"""
How much our people may send, so that a stolen password does little harm.

Counted are recipients at other servers, of submitted mail. An account that reaches one
of its limits may send no more until an administrator has looked; what it reads is not
touched. Administrators hear of it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.config.units import HOUR
from mailkit.errors import SendingStopped, SentTooMuch
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.metrics import Metrics
from mailkit.model.account import Account
from mailkit.model.address import Address
from mailkit.model.alarm import Alarm
from mailkit.model.path import Path
from mailkit.model.sendinglimit import Freeze, Most, Reached
from mailkit.services.queue.remembered import Remembered
from mailkit.services.sendingsettings import SendingSettings

Tell = Callable[[Alarm], Coroutine[Any, Any, bool]]
"""Tells administrators; whether somebody was reached."""

FROZEN = "sending-frozen"
SLOWED = "sending-limited"

_LIMIT = {
    Reached.HOUR: "{most.hour} recipients within an hour",
    Reached.DAY: "{most.day} recipients within a day",
    Reached.NEW: "{most.new} recipients within a day to whom it had never written",
    Reached.DOMAIN_HOUR: "{most.domain_hour} recipients within an hour",
    Reached.DOMAIN_DAY: "{most.domain_day} recipients within a day",
}
_REMEMBERED = 1000


@define(eq=False)
class SendingLimits:
    """
    Asked before a message is begun, and before each recipient is taken.

    :param tell: how administrators hear of it.
    """

    log = Logger()

    _counts: ISendingCounts
    _directory: IDirectory
    _clock: IReactorTime
    _tell: Tell
    _settings: SendingSettings = field(factory=SendingSettings)
    _metrics: Metrics = field(factory=Metrics)
    _most: Most = field(init=False)
    _slowed: Remembered[str, float] = field(init=False)
    """When administrators heard of a domain last."""
    _telling: set[Deferred[None]] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        settings = self._settings
        self._most = Most(
            hour=settings.hour,
            day=settings.day,
            new=settings.new,
            domain_hour=settings.domain_hour,
            domain_day=settings.domain_day,
        )
        self._slowed = Remembered(_REMEMBERED)

    async def check_sender(self, account: Account) -> None:
        """
        May the account send at all?

        :raises SendingStopped:
        """
        if self._is_free(account):
            return
        freeze = await self._counts.frozen(account.name)
        if freeze is not None:
            raise SendingStopped(_refusal(freeze.reason))

    async def check_recipient(self, account: Account, path: Path) -> None:
        """
        May it write to one more? Then that is counted.

        :raises SendingStopped: if it may not until somebody has looked.
        :raises SentTooMuch: if its domain may not at present.
        """
        address = path.address
        if self._is_free(account) or await self._is_ours(address):
            return
        now = self._clock.seconds()
        reached = await self._counts.take(account.name, address, self._most, now)
        if reached is None:
            return
        self._metrics.limited(reached.value)
        if reached is Reached.FROZEN:
            await self.check_sender(account)
        elif reached.is_of_domain:
            self._slow(account, reached, now)
            raise SentTooMuch(
                "Your domain has sent as much as it may at present; try again later"
            )
        else:
            await self._freeze(account, reached, now)

    def start(self) -> None:
        """Tell of what another process had no time for; in the reactor's thread."""
        self._begin(self.tell_untold())

    def stop(self) -> None:
        """Tell no more: what is untold is told after the next start."""
        for telling in list(self._telling):
            telling.cancel()

    async def tell_untold(self) -> None:
        """Tell of what a process that was stopped had no time for."""
        for freeze in await self._counts.untold():
            await self._tell_of(freeze)

    def _is_free(self, account: Account) -> bool:
        return account.name in self._settings.without_limit

    async def _is_ours(self, address: Address) -> bool:
        # <postmaster> alone is ours, too (RFC 5321 §2.3.5).
        return (
            not address.domain
            or await self._directory.domain(address.domain) is not None
        )

    async def _freeze(self, account: Account, reached: Reached, now: float) -> None:
        reason = f"it wrote to {_LIMIT[reached].format(most=self._most)}"
        freeze = Freeze(account.name, now, reason)
        if await self._counts.freeze(freeze):
            self._begin(self._tell_of(freeze))
        raise SendingStopped(_refusal(reason))

    def _slow(self, account: Account, reached: Reached, now: float) -> None:
        """An hour's silence between two alarms of one domain."""
        domain = account.domain
        told = self._slowed.get(domain)
        if told is not None and now < told + HOUR:
            return
        self._slowed.put(domain, now)
        words = (
            f"{domain} wrote to {_LIMIT[reached].format(most=self._most)}. Mail of its"
            f" people to other servers is put off for a while, that of {account.name}"
            " first."
        )
        advice = (
            "If that is right, raise the limits in [sending]; if not, look at the log"
            " for who sends so much."
        )
        alarm = Alarm(
            kind=SLOWED, subject=f"@{domain}", when=now, words=words, advice=advice
        )
        self._begin(self._tell_alarm(alarm))

    async def _tell_alarm(self, alarm: Alarm) -> None:
        await self._tell(alarm)

    async def _tell_of(self, freeze: Freeze) -> None:
        name = freeze.account
        alarm = Alarm(
            kind=FROZEN,
            subject=name,
            when=freeze.since,
            words=f"{name} may send no more: {freeze.reason}. It can still read mail.",
            advice=(
                "Perhaps its password was stolen: give it a new one (mailkit account"
                f" passwd {name}), see what waits (mailkit queue list --account {name})"
                " and drop what should not leave. Then, or if all is well, let it send"
                f" again: mailkit account thaw {name}"
            ),
        )
        if await self._tell(alarm):
            await self._counts.told(freeze)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Nobody who hands in mail waits for it."""
        telling = Deferred.fromCoroutine(work)
        self._telling.add(telling)
        telling.addErrback(self._untold)
        telling.addBoth(lambda _: self._telling.discard(telling))

    def _untold(self, failure: Failure) -> None:
        if failure.check(CancelledError) is None:
            self.log.failure("an alarm could not be told", failure)


def _refusal(reason: str) -> str:
    return (
        f"This account may send no more for now: {reason}. Mail can still be read;"
        " please ask your administrator"
    )
