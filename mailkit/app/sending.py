"""How much our people may send, put together."""

from __future__ import annotations

from typing import Any

from mailkit.app.settings import Settings
from mailkit.interfaces.alarms import IAlarmChannel
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.sendingcounts import ISendingCounts
from mailkit.metrics import Metrics
from mailkit.net.alarmchannels import Command, Hook
from mailkit.services.alarms.alarms import Alarms
from mailkit.services.routing import Routing
from mailkit.services.sendinglimits import SendingLimits


def make_alarms(
    settings: Settings,
    directory: IDirectory,
    routing: Routing,
    queue: IQueueStore,
    reactor: Any,
) -> Alarms:
    """
    The ways to administrators.

    :param reactor: Twisted's, which has no type of its own.
    """
    alarm, hostname = settings.alarm, settings.hostname
    channels: list[IAlarmChannel] = []
    if alarm.hook:
        channels.append(Hook(reactor, alarm.hook, hostname))
    if alarm.command:
        channels.append(Command(reactor, alarm.command, hostname))
    return Alarms(hostname, directory, routing, queue, reactor, alarm.to, channels)


def make_sending_limits(
    settings: Settings,
    counts: ISendingCounts,
    directory: IDirectory,
    reactor: Any,
    alarms: Alarms,
    metrics: Metrics,
) -> SendingLimits:
    """
    The limits.

    :param reactor: Twisted's, as above.
    :param alarms: how administrators hear that one is reached.
    """
    return SendingLimits(
        counts, directory, reactor, alarms.tell, settings.sending, metrics
    )
