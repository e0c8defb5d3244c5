"""
Administrators hear of what cannot wait: by mail, and by every other channel there is.

The mail goes through our own queue like any other. It may be the very thing that is in
trouble, so the channels are asked at the same time, and each a few times.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from textwrap import fill

from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from mailkit.errors import Refused, Unavailable
from mailkit.formats import compose, date
from mailkit.interfaces.alarms import IAlarmChannel
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.queue import IQueueStore
from mailkit.model.account import Role
from mailkit.model.address import Address, DomainName, a_labels, fold_domain
from mailkit.model.alarm import Alarm
from mailkit.model.envelope import (
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
)
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import (
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Selection,
)
from mailkit.services.delivery.content import Rewritten
from mailkit.services.delivery.onward import LOCAL
from mailkit.services.routing import Routing

TRIES = 3
"""How often a channel is asked."""

GAP = 2.0
"""Seconds between two of them."""

_LINE = 76


@define(eq=False)
class Alarms:
    """
    Tells administrators.

    :param to: who gets a mail; empty: whoever is an administrator here.
    """

    log = Logger()

    _hostname: str
    _directory: IDirectory
    _routing: Routing
    _queue: IQueueStore
    _clock: IReactorTime
    _to: Sequence[str] = ()
    _channels: Sequence[IAlarmChannel] = field(factory=tuple)

    async def tell(self, alarm: Alarm) -> bool:
        """
        Tell it by all ways; whether somebody was reached by one of them.

        What fails is logged, and so is the alarm itself.
        """
        self.log.error(
            "ALARM {kind} about {subject}: {words} {advice}",
            kind=alarm.kind,
            subject=alarm.subject,
            words=alarm.words,
            advice=alarm.advice,
        )
        ways = [self._by_channel(one, alarm) for one in self._channels]
        asked = [Deferred.fromCoroutine(one) for one in (self._by_mail(alarm), *ways)]
        reached: list[bool] = await gatherResults(asked, consumeErrors=True)
        return any(reached)

    async def _by_channel(self, channel: IAlarmChannel, alarm: Alarm) -> bool:
        for number in range(TRIES):
            if number:
                await deferLater(self._clock, GAP)
            try:
                await channel.tell(alarm)
            except Unavailable as error:
                self.log.error(
                    "nobody hears of {kind} about {subject} by {channel}: {reason}",
                    kind=alarm.kind,
                    subject=alarm.subject,
                    channel=type(channel).__name__,
                    reason=str(error),
                )
            else:
                return True
        return False

    async def _by_mail(self, alarm: Alarm) -> bool:
        reached = False
        try:
            administrators = await self._administrators(alarm)
        except Unavailable as error:
            self.log.error(
                "no mail about {kind}: who the administrators are is not known: "
                "{reason}",
                kind=alarm.kind,
                reason=str(error),
            )
            return False
        for address in administrators:
            try:
                await self._write(alarm, address)
                reached = True
            except (Refused, Unavailable) as error:
                self.log.error(
                    "no mail about {kind} to {address}: {reason}",
                    kind=alarm.kind,
                    address=str(address),
                    reason=str(error) or type(error).__name__,
                )
        return reached

    async def _administrators(self, alarm: Alarm) -> Sequence[Address]:
        """Who is to be told, once each."""
        named = [Address.parse(one) for one in self._to]
        found = [one for one in named if one is not None]
        if not found:
            accounts = await self._directory.accounts()
            found = [
                one.address
                for one in accounts
                if one.role is Role.ADMIN and not one.is_suspended
            ]
        if not found:
            found = [Address.of("postmaster", await self._domain(alarm))]
        return list(dict.fromkeys(found))

    async def _write(self, alarm: Alarm, to: Address) -> None:
        """:raises Refused: :raises Unavailable: if the mail is not on its way."""
        path = Path(to.local_part, a_labels(to.domain) or to.domain)
        text = f"{alarm.kind}\0{alarm.subject}\0{alarm.when}\0{to}"
        id = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        if await self._queue.attempts(QueueId(f"{id}.1")) or await self._queue.count(
            Selection(ids=(id,))
        ):
            return  # a process that was stopped had got that far
        author = f"postmaster@{a_labels(await self._domain(alarm)) or self._hostname}"
        octets = self._compose(alarm, author, path, id)
        if await self._directory.domain(to.domain) is not None:
            hop = NextHop(to.domain, LOCAL)
        else:
            routed = await self._routing.route(path, may_send=True)
            hop = routed.foreign[0].hop
        now = self._clock.seconds()
        never = RecipientParameters(notify=frozenset((Notify.NEVER,)))
        item = QueueItem(
            id=QueueId(f"{id}.1"),
            message=id,
            hop=hop,
            envelope=Envelope(NULL_PATH),
            recipients=(QueuedRecipient(Recipient(path, never)),),
            arrived=now,
            next_try=now,
            size=len(octets),
            message_id=f"<{id}@{self._hostname}>",
            subject=f"Alarm: {alarm.kind}",
            is_ours=True,
        )
        await self._queue.put(Rewritten(octets), [item])

    async def _domain(self, alarm: Alarm) -> DomainName:
        """One of ours: in which it happened, or that this server is in."""
        domain = fold_domain(alarm.subject.rpartition("@")[2])
        if domain and await self._directory.domain(domain) is not None:
            return domain
        return await self._routing.own_domain()

    def _compose(self, alarm: Alarm, author: str, to: Path, id: str) -> bytes:
        at = datetime.fromtimestamp(self._clock.seconds(), UTC)
        paragraphs = (
            alarm.words,
            alarm.advice,
            f"{self._hostname} wrote this by itself at {at:%Y-%m-%d %H:%M:%SZ}.",
        )
        text = "\n\n".join(_wrapped(one) for one in paragraphs if one) + "\n"
        return b"".join(
            (
                compose.plain_field("Date", date.format(at).decode()),
                compose.address_field("From", [("Mail server", author)]),
                compose.address_field("To", [("", str(to))]),
                compose.text_field("Subject", f"Alarm: {alarm.kind} {alarm.subject}"),
                compose.plain_field("Message-ID", f"<{id}@{self._hostname}>"),
                compose.plain_field("Auto-Submitted", "auto-generated"),  # RFC 3834 §5
                compose.plain_field("Importance", "high"),
                compose.plain_field("MIME-Version", "1.0"),
                compose.text_part(text),
            )
        )


def _wrapped(paragraph: str) -> str:
    # Commands are there to be copied: they are never cut within a word.
    return fill(paragraph, _LINE, break_long_words=False, break_on_hyphens=False)
