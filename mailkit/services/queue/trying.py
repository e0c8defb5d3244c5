"""
One attempt of one item: signed, handed to a host, and recorded with what is told of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeVar

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import (
    BadMessage,
    MailkitError,
    NoSuchItem,
    Refused,
    Unavailable,
    Unreachable,
)
from mailkit.interfaces.queue import NextHost
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.tellers import WrittenNotice
from mailkit.model.alarm import Alarm
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    QueueId,
    QueueItem,
    Selection,
)
from mailkit.services.queue.claims import TAKEN_OVER
from mailkit.services.queue.fairness import Carry, Concurrency, Host
from mailkit.services.queue.house import SendingHouse
from mailkit.services.queue.outcome import (
    Outcome,
    Tried,
    carried,
    failed,
    notices,
    place,
    say_reply,
    say_who,
    still,
    weigh,
)
from mailkit.services.queue.sealing import Sealing

T = TypeVar("T")

AGAIN = 5.0
"""Seconds until it is tried again to record what cannot be recorded now."""

UNMET = "4.7.5"
"""The status of a host that does not show what is demanded of TLS (RFC 3463 §3.8)."""

ALARMED_AGAIN = 3600.0
"""Seconds until administrators are told once more that mail is held."""

HELD = "mail-held"
DOUBTFUL = "may have been sent twice: no answer to all octets"
LATE = "may have been sent twice: the claim ended before the attempt did"
UNRECORDED = "may be sent twice: it could not be recorded"
BUG = "an error of ours, which our administrator finds in the log"
BUG_BEHIND = "an error after it was handed over: look into the log before a release"


@define(eq=False)
class Trying:
    """Tries items that were claimed, and records what came of it."""

    log = Logger()

    _house: SendingHouse
    _concurrency: Concurrency
    _owner: str
    is_stopping: bool = False
    sealing: Sealing = field(init=False)
    _alarmed: float = field(init=False, default=float("-inf"))
    _handed_over: set[QueueId] = field(init=False, factory=set)
    """Items that somebody took, of which that is not recorded yet."""

    def __attrs_post_init__(self) -> None:
        self.sealing = Sealing(self._house)

    async def attempt(
        self, item: QueueItem, hosts: Sequence[NextHost], carry: Carry
    ) -> None:
        """
        Try an item that is ours, at each host until one is asked about recipients.

        :param carry: its place among all that are on their way.
        """
        house = self._house
        began = house.clock.seconds()
        content: IContent = NOTHING
        try:
            content = await self.sealing.content(item)
        except NoSuchItem:
            return  # it was dropped this moment
        except Refused as error:
            await self._hold(item, error)
            return
        except Unavailable as error:
            tried = failed(error)
        else:
            if item.hop.route:
                tried = await self._by_route(item, content)
            else:
                tried = await self._by_hosts(item, content, hosts, carry)
            self._learn(tried, carry)
        if any(one.fate is not Fate.WAITING for one in tried.reports):
            self._handed_over.add(item.id)
        await self.conclude(item, content, tried, began)
        self._handed_over.discard(item.id)

    async def conclude(
        self, item: QueueItem, content: IContent, tried: Tried, began: float
    ) -> None:
        """
        Record what an attempt came to, together with what the sender is told of it.

        Of what cannot be told now nothing is recorded either: it goes on waiting.
        """
        house, schedule = self._house, self._house.schedule
        now = house.clock.seconds()
        untellable: set[NoticeKind] = set()
        while True:
            outcome = weigh(item, tried, schedule, began, now, untellable)
            written, unwritten = await self._write(
                item, content, tried, outcome, untellable
            )
            if not unwritten:
                break
            untellable |= unwritten
        if item.is_taken_over and not outcome.attempt.words:
            # Durable with the attempt: the record of steps loses its last in a kill.
            attempt = evolve(outcome.attempt, words=TAKEN_OVER)
            outcome = evolve(outcome, attempt=attempt)
        is_kept = await self._record(item, outcome, written)
        self._note(item, tried, outcome, is_kept)

    async def let_wait(self, item: QueueItem, error: MailkitError) -> None:
        """Record that an item cannot be tried, or will never be, without trying."""
        now = self._house.clock.seconds()
        content: IContent = NOTHING
        if isinstance(error, Refused) or self._may_be_told(item, now):
            try:
                content = await self._house.queue.content(item.id)
            except NoSuchItem:
                return
            except Unavailable as reason:
                self._log_unreadable(item, reason)
        await self.conclude(item, content, failed(error), now)

    async def after_bug(self, item: QueueItem) -> None:
        """
        Record that an attempt ended by a bug of ours.

        What somebody took by then is held: to try it again would send it twice.
        """
        if item.id in self._handed_over:
            self._handed_over.discard(item.id)
            await self._hold(item, BadMessage(BUG_BEHIND))
        else:
            await self.let_wait(item, Unavailable(BUG))

    # -- the ways out

    async def _by_route(self, item: QueueItem, content: IContent) -> Tried:
        route = item.hop.route
        carrier = self._house.routes.get(route)
        if carrier is None:
            return Tried(status="4.3.5", words=f"there is no route {route}")
        try:
            done = await carrier.carry(item, content)
        except (Refused, Unavailable) as error:
            return failed(error, host=route)
        return carried(done, host=route, is_final=carrier.is_final)

    async def _by_hosts(
        self,
        item: QueueItem,
        content: IContent,
        hosts: Sequence[NextHost],
        carry: Carry,
    ) -> Tried:
        house, concurrency = self._house, self._concurrency
        refused: Tried | None = None
        missed: list[Tried] = []
        for host in hosts:
            if item.tls_optional:
                host = evolve(host, policy=host.policy.of_ours())
            address = place(host)
            known = concurrency.alone(host)
            if known is not None and not await self._is_asked_for(item, known):
                ago = f"{house.clock.seconds() - known.missed:.0f} s ago"
                words = f"{known.words} ({ago}, not asked again)"
                error = Unreachable(words, known.status)
                missed.append(failed(error, host.name, address))
                continue
            concurrency.move(carry, concurrency.host(host))
            try:
                done = await house.relay.carry(host, item, content)
            except Unreachable as reason:
                if reason.status == UNMET:
                    concurrency.unmet(host, str(reason), reason.status)
                else:
                    concurrency.missed(carry, str(reason), reason.status)
                missed.append(failed(reason, host.name, address))
                continue
            except Refused as reason:
                refused = failed(reason, host.name, address)
                missed.append(refused)
                continue
            except Unavailable as reason:  # ours: the disk, too much at once
                return failed(reason)
            concurrency.met(host)
            self._note_missed(item, missed)
            return carried(done, host.name, address, is_final=host.is_lmtp)
        tried = refused or missed[-1]
        self._note_missed(item, [one for one in missed if one is not tried])
        return tried

    async def _is_asked_for(self, item: QueueItem, host: Host) -> bool:
        """Whether an administrator wants an item tried since nobody reached a host."""
        if not item.attempts or item.next_try <= host.missed:
            return False
        attempts: Sequence[Attempt] = await self._house.queue.attempts(item.id)
        if not attempts:
            return False
        ended = attempts[-1].began + attempts[-1].took
        return self._house.schedule.is_hurried(item, ended)

    def _note_missed(self, item: QueueItem, missed: Sequence[Tried]) -> None:
        """Hosts that were tried in vain, before another one was."""
        for one in missed:
            words = say_reply(one.status, one.words)
            self._house.note(item, Step.TRIED, "", one.address, words)

    def _learn(self, tried: Tried, carry: Carry) -> None:
        if tried.is_busy:
            self._concurrency.busy(carry, _first_words(tried), "4.3.2")
        elif tried.is_reached:
            self._concurrency.answered(carry)
        elif tried.fate is Fate.WAITING:
            self._concurrency.failed(carry)

    # -- what follows

    async def _write(
        self,
        item: QueueItem,
        content: IContent,
        tried: Tried,
        outcome: Outcome,
        untellable: Collection[NoticeKind],
    ) -> tuple[Sequence[WrittenNotice], set[NoticeKind]]:
        """What the sender is told, and what cannot be told at present."""
        house = self._house
        written: list[WrittenNotice] = []
        unwritten: set[NoticeKind] = set()
        for kind, recipients in notices(outcome, tried):
            if kind in untellable:
                continue
            until = None
            if kind is NoticeKind.DELAYED or outcome.is_over:
                until = house.schedule.gives_up_at(item)
            now = still(item, outcome)
            try:
                notice = await house.teller.write(now, content, recipients, kind, until)
            except Unavailable as error:
                unwritten.add(kind)
                self.log.warn(
                    "{queue_id}: <{sender}> could not be told ({kind}): {reason}",
                    queue_id=item.id,
                    sender=str(item.envelope.reverse_path),
                    kind=kind.value,
                    reason=str(error),
                )
            else:
                if notice is not None:
                    written.append(notice)
        return written, unwritten

    async def _record(
        self, item: QueueItem, outcome: Outcome, written: Sequence[WrittenNotice]
    ) -> bool:
        """
        Until it is kept: what was sent and is not written down is sent again.

        Whether it is: the claim may have ended, or the server may stop.
        """
        house, peer = self._house, outcome.attempt.address
        while True:
            try:
                is_ours: bool = await house.queue.record(
                    self._owner,
                    item.id,
                    outcome.attempt,
                    outcome.recipients,
                    outcome.next_try,
                    [notice.message for notice in written],
                )
            except Unavailable as error:
                self.log.error(
                    "{queue_id}: what an attempt brought cannot be recorded: {reason}",
                    queue_id=item.id,
                    reason=str(error),
                )
                if self.is_stopping:
                    if outcome.passed:
                        house.note(item, Step.TRIED, "", "", UNRECORDED)
                    return False
            else:
                if not is_ours:
                    if outcome.passed:
                        house.note(item, Step.TRIED, "", peer, LATE)
                    return False
                for notice in written:
                    house.teller.kept(notice)
                return True
            again: Deferred[None] = Deferred()
            house.clock.callLater(AGAIN, again.callback, None)
            await again

    async def _hold(self, item: QueueItem, error: MailkitError) -> None:
        """Something is wrong with our own part of the message."""
        house = self._house
        reason = str(error) or type(error).__name__
        await house.queue.hold(Selection(ids=(item.id,)), reason)
        await house.queue.give_back(self._owner, [item.id], item.next_try)
        house.note(item, Step.HELD, "", "", reason)
        self.log.error("{queue_id} is held: {reason}", queue_id=item.id, reason=reason)
        await self._alarm(item, reason)

    async def _alarm(self, item: QueueItem, reason: str) -> None:
        """Administrators hear of it, seldom: what is wrong may hold very many."""
        house, now = self._house, self._house.clock.seconds()
        if house.alarm is None or 0 <= now - self._alarmed < ALARMED_AGAIN:
            return
        self._alarmed = now
        alarm = Alarm(
            kind=HELD,
            subject=item.account or item.id,
            when=now,
            words=f"Mail that is to leave is held: {reason} ({item.id}).",
            advice="See mailkit queue list --held, and mailkit queue release once"
            " it is mended. You hear of no others for an hour.",
        )
        await house.alarm(alarm)

    def _may_be_told(self, item: QueueItem, now: float) -> bool:
        schedule = self._house.schedule
        attempts = item.attempts + 1
        return schedule.is_over(item, attempts, now) or schedule.is_late(item, now)

    # -- what is said of it

    def _note(
        self, item: QueueItem, tried: Tried, outcome: Outcome, is_kept: bool
    ) -> None:
        """What is not kept did not happen, but for what somebody took."""
        house, attempt = self._house, outcome.attempt
        domain, peer = str(item.hop), attempt.address
        if tried.is_doubtful:
            house.note(item, Step.TRIED, "", peer, DOUBTFUL)
        at = self._at(item, tried)
        again = ""
        if outcome.next_try is not None:
            minutes = (outcome.next_try - attempt.began - attempt.took) / 60
            again = f"; again in {minutes:.0f} min"
        for step, recipients, more in (
            (Step.SENT, outcome.passed, ""),
            (Step.DEFERRED, outcome.waiting if is_kept else (), again),
            (Step.BOUNCED, outcome.returned if is_kept else (), ""),
        ):
            if not recipients:
                continue
            for each in recipients:
                detail = f"{at}{say_reply(each.status, each.words)}{more}"
                house.note(item, step, str(each.path), peer, detail)
            house.metrics.tried(step.value, len(recipients))
            self.log.info(
                "{queue_id} to {domain}: {outcome} for {recipients} in {took:.3f} s, "
                "{peer}{reply}{again}",
                queue_id=item.id,
                domain=domain,
                outcome=step.value,
                recipients=say_who([each.path for each in recipients]),
                reply=say_reply(recipients[0].status, recipients[0].words),
                peer=at,
                took=attempt.took,
                again=more,
            )
        if outcome.passed:
            house.metrics.left(house.clock.seconds() - item.arrived)

    def _at(self, item: QueueItem, tried: Tried) -> str:
        if not tried.is_reached:  # the words say who
            return ""
        if tried.host == item.hop.route:  # the next hop is named anyway
            return ""
        names = [tried.host, tried.address]
        if tried.address.startswith((f"{tried.host}:", f"[{tried.host}]:")):
            del names[0]  # a literal, which is no name
        tls = f", {tried.tls}" if tried.tls else ""
        return f"{' '.join(filter(None, names))}{tls}: "

    def _log_unreadable(self, item: QueueItem, error: MailkitError) -> None:
        self.log.error(
            "{queue_id} cannot be read: {reason}",
            queue_id=item.id,
            reason=str(error),
        )


def _first_words(tried: Tried) -> str:
    said = (say_reply(one.status, one.words) for one in tried.reports)
    return f"{tried.host}: {next(said, tried.words)}"


@implementer(IContent)
@define(eq=False)
class _Nothing:
    """In place of a message that cannot be read, where one has to be told of."""

    size: int = 0
    octets: bytes = b""

    async def read(self, start: int, count: int) -> bytes:
        return b""


NOTHING = _Nothing()
