"""What all sending of one process shares."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.interfaces.events import IEvents
from mailkit.interfaces.queue import ICarrier, IQueueStore, IRelay
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.tellers import ITeller
from mailkit.metrics import Metrics
from mailkit.model.alarm import Alarm
from mailkit.model.event import MailEvent, Step
from mailkit.model.queueitem import QueueItem, Sealed
from mailkit.services.queue.hosts import Hosts
from mailkit.services.queue.pace import Pace
from mailkit.services.queue.schedule import Schedule
from mailkit.services.queue.settings import QueueSettings

Seal = Callable[[QueueItem, IContent], Awaitable[Sealed | None]]
"""
Signs a message, once, before its first attempt; ``None``: it needs no signature.

May raise `Unavailable`, so that it is tried later, or `Refused`, so that it is held and
an administrator looks.
"""

Check = Callable[[QueueItem, IContent], Awaitable[str]]
"""Looks at the octets that are about to leave; what is wrong with them, if anything."""

Alert = Callable[[Alarm], Awaitable[bool]]
"""Tells administrators; whether somebody was reached."""


@define(eq=False)
class SendingHouse:
    """
    The parts that sending works with.

    :param routes: carriers by `NextHop.route`; looked at anew for each item.
    :param seal: ``None``: nothing is ever signed.
    :param check: ``None``: nobody looks once more.
    :param alarm: ``None``: administrators find what is held in the log alone.
    """

    queue: IQueueStore
    hosts: Hosts
    relay: IRelay
    teller: ITeller
    events: IEvents
    metrics: Metrics
    clock: IReactorTime
    schedule: Schedule
    routes: Mapping[str, ICarrier] = field(factory=dict)
    seal: Seal | None = None
    check: Check | None = None
    alarm: Alert | None = None
    pace: Pace = field(factory=Pace)
    settings: QueueSettings = field(factory=QueueSettings)

    def note(
        self, item: QueueItem, step: Step, recipient: str, peer: str, detail: str
    ) -> None:
        """Record a step of an item for ``mailkit trace``."""
        self.events.record(
            MailEvent(
                self.clock.seconds(),
                step,
                item.message,
                item.message_id,
                str(item.envelope.reverse_path),
                recipient,
                peer,
                item.account or "",
                detail,
                item.size,
            )
        )
