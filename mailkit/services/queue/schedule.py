"""When an item is tried again, when its sender hears of it, and when it is returned."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from mailkit.config.units import HOUR, MINUTE
from mailkit.model.queueitem import QueueItem
from mailkit.services.queue.settings import RetrySettings

STEPS = (
    5 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    40 * MINUTE,
    1 * HOUR,
    2 * HOUR,
    4 * HOUR,
)
"""Seconds after the first attempt, the second and so on; the last one stays."""

JITTER = 0.15
"""Each wait is longer or shorter by up to this part of it, so that mail which came
together does not come back together."""

_LAST_CALL = MINUTE  # nobody is tried sooner than that only because time is over


@define(eq=False)
class Schedule:
    """
    Reckons with the settings (RFC 5321 §4.5.4.1); all times are seconds since 1970.

    ``attempts`` are those that were made, the one that just ended among them.

    :param random: numbers from 0 to 1.
    """

    _random: Callable[[], float]
    _settings: RetrySettings = field(factory=RetrySettings)

    def gives_up_at(self, item: QueueItem) -> float:
        """When its time is over; a hold that was asked for does not count."""
        return _begun(item) + self._settings.give_up_after

    def is_over(self, item: QueueItem, attempts: int, now: float) -> bool:
        """
        Whether it is returned.

        A message that could not be tried in time, because this server was down, is
        tried twice: many hosts put off whom they do not know yet.
        """
        most = self._settings.attempts
        if most and attempts >= most:
            return True
        return attempts > 1 and now >= self.gives_up_at(item)

    def is_late(self, item: QueueItem, now: float) -> bool:
        """Whether its sender should know that it is delayed."""
        return now >= _begun(item) + self._settings.delay_notice

    def next_try(
        self, item: QueueItem, attempts: int, now: float, is_delay_told: bool = True
    ) -> float:
        """When it is tried again; once more right when its time is over, or late."""
        delay = self._jittered(STEPS[min(attempts, len(STEPS)) - 1])
        moments = [self.gives_up_at(item)]
        if not is_delay_told:
            moments.append(_begun(item) + self._settings.delay_notice)
        patience = min(delay, _LAST_CALL, self._settings.give_up_after)
        at = min([now + delay, *(moment for moment in moments if moment > now)])
        if self.gives_up_at(item) <= now:
            at = now
        return max(at, now + patience)

    def is_hurried(self, item: QueueItem, ended: float) -> bool:
        """
        Whether an item is tried sooner than the schedule alone would have it.

        :param ended: when its last attempt did.
        """
        step = STEPS[min(item.attempts, len(STEPS)) - 1]
        return item.next_try < ended + step * (1 - JITTER) - 1.0

    def _jittered(self, delay: float) -> float:
        return delay * (1 + JITTER * (2 * self._random() - 1))


def _begun(item: QueueItem) -> float:
    """When the time of an item begins: a hold that was asked for comes before."""
    return max(item.arrived, item.hold_until or 0.0)
