"""
The heart of the way out: sees what is due, claims it, and sends it on.

A `Lane` is what one process has claimed of one next hop. Lanes are filled in batches,
as far as their domain takes mail; from them items set out in turn, as `Concurrency`
allows. What is claimed is held on to until it is recorded, or given back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from mailkit.errors import Refused, Unavailable
from mailkit.interfaces.storage import IContent, IWatch
from mailkit.model.event import Step
from mailkit.model.queueitem import NextHop, QueueId, QueueItem, Selection
from mailkit.services.queue.claims import Claims
from mailkit.services.queue.fairness import Carry, Concurrency, Host
from mailkit.services.queue.house import SendingHouse
from mailkit.services.queue.lane import HOSTS_GOOD_FOR, Lane
from mailkit.services.queue.remembered import Remembered
from mailkit.services.queue.tasks import Tasks
from mailkit.services.queue.trying import Trying

LOOKED_EVERY = 30.0
"""Seconds after which the queue is looked at although nobody said anything."""

LOOK_GAP = 0.05
"""Seconds between two looks at least, so that many notices cost few."""

LOOKED_FOR_MORE = 0.25
"""Seconds until the next look where more was due than was asked for."""

AFTER_TROUBLE = 10.0
"""Seconds until the queue is looked at again that could not be read."""

AFTER_BUG = 300.0
"""Seconds until an item is tried again in whose attempt a bug of ours was met, and
another one when that was to be recorded."""

CROWDED = 60.0
"""Seconds until a notice is tried that made room for other mail."""

PATIENCE = 7.0
"""Seconds that `Sender.stop` waits for what is on its way."""

TO_RECORD = 2.0
"""The same for what is broken off then; a worker is given nine in all."""

BROKEN_OFF = "broken off, as the server stops: may have been sent"

MOST_HOPS = 200
"""Next hops that are asked for in one look, besides those that are at work."""

MOST_CLAIMED = 4000
"""Items that are claimed at a time."""


@define(eq=False)
class Sender:
    """
    Empties the queue, in the reactor's thread, until it is stopped.

    Any number of processes may do so over one queue.

    :param owner: the name of this process in claims; no other has it.
    :param counts_all: whether the depth of the queue is measured here: by one process.
    """

    log = Logger()

    _house: SendingHouse
    _owner: str
    counts_all: bool = True
    _concurrency: Concurrency = field(init=False)
    _trying: Trying = field(init=False)
    _lanes: dict[NextHop, Lane] = field(init=False, factory=dict)
    _idle: Remembered[NextHop, Lane] = field(init=False)
    """Lanes with nothing in them, whose hosts are known."""
    _ready: deque[Lane] = field(init=False, factory=deque)
    """Lanes whose items may be let out, each at most once."""
    _in_ready: set[NextHop] = field(init=False, factory=set)
    _tasks: Tasks = field(init=False, factory=Tasks)
    _claims: Claims = field(init=False)
    _on_the_way: dict[QueueId, QueueItem] = field(init=False, factory=dict)
    _watch: IWatch | None = field(init=False, default=None)
    _look_timer: IDelayedCall | None = field(init=False, default=None)
    _slow_timer: IDelayedCall | None = field(init=False, default=None)
    _is_looking: bool = field(init=False, default=False)
    _look_again: bool = field(init=False, default=False)
    _looked: float = field(init=False, default=float("-inf"))
    _is_starved: bool = field(init=False, default=False)
    """Something was due and could not be claimed, because so much is."""
    _is_letting_out: bool = field(init=False, default=False)
    _is_stopping: bool = field(init=False, default=False)
    _counted: float = field(init=False, default=float("-inf"))

    def __attrs_post_init__(self) -> None:
        house = self._house
        self._concurrency = Concurrency(house.clock, house.settings)
        self._idle = Remembered(MOST_HOPS)
        self._claims = Claims(house, self._owner, self._tasks)
        self._trying = Trying(house, self._concurrency, self._owner)

    def start(self) -> None:
        """Begin; to be called in the reactor's thread."""
        self._watch = self._house.queue.watch(self.wake)
        self._claims.start()
        self.wake()

    def wake(self) -> None:
        """Look at the queue soon."""
        if self._is_stopping:
            return
        if self._is_looking:
            self._look_again = True
        else:
            gap = self._looked + LOOK_GAP - self._house.clock.seconds()
            self._look_in(min(max(gap, 0.0), LOOK_GAP))  # a clock may be set back

    async def stop(self) -> None:
        """
        Begin nothing new, wait a while for what is on its way, give the rest back.

        After `PATIENCE` that is broken off, and what was heard of it is recorded.
        """
        self._is_stopping = self._trying.is_stopping = True
        if self._watch is not None:
            self._watch.stop()
        self._claims.stop()
        for timer in (self._look_timer, self._slow_timer):
            if timer is not None and timer.active():
                timer.cancel()
        waiting: list[QueueId] = []
        for lane in self._lanes.values():
            waiting += [item.id for item in lane.waiting]
            lane.waiting.clear()
        await self._claims.give_back(waiting)
        await self._tasks.wait(self._house.clock, PATIENCE)
        for item in list(self._on_the_way.values()):
            self._house.note(item, Step.TRIED, "", "", BROKEN_OFF)
        self._tasks.cancel()
        await self._tasks.wait(self._house.clock, TO_RECORD)
        await self._claims.give_back(self._claims.ids)

    # -- what leaves as soon as it comes

    async def put(
        self, content: IContent, items: Sequence[QueueItem], head: bytes = b""
    ) -> None:
        """
        Put a message into the queue; where there is room it is claimed with that,
        signed before, and sets out at once.

        :raises Unavailable: as `IQueueStore.put`.
        """
        if not self._may_leave(items):
            await self._house.queue.put(content, items, head)
            return
        lanes = [self._lane(item.hop) for item in items]
        for lane in lanes:
            lane.arriving += 1
        is_put = False
        try:
            ahead = await self._trying.sealing.ahead(content, items, head)
            items = ahead.items
            await self._claims.put(ahead.content, items, ahead.head)
            is_put = True
        finally:
            if not is_put:
                for lane in lanes:
                    lane.arriving -= 1
                    self._let_out(lane)
        # Whoever has put it tells first that it was accepted.
        self._house.clock.callLater(0, self._arrived, lanes, items, ahead.is_signed)

    def _may_leave(self, items: Sequence[QueueItem]) -> bool:
        """Whether nothing is before these items of one message."""
        now = self._house.clock.seconds()
        if self._watch is None or self._is_stopping or self._concurrency.is_crowded:
            return False
        return len(self._claims) + len(items) < MOST_CLAIMED // 2 and all(
            item.next_try <= now
            and not (item.held or item.hold_until or item.rate)
            and self._has_room(item.hop)
            for item in items
        )

    def _has_room(self, hop: NextHop) -> bool:
        lane = self._lanes.get(hop)
        return lane is None or lane.has_room(int(self._concurrency.window(hop).size))

    def _arrived(
        self, lanes: Sequence[Lane], items: Sequence[QueueItem], is_signed: bool
    ) -> None:
        if is_signed:
            self._house.note(items[0], Step.SIGNED, "", "", "")
        for lane, item in zip(lanes, items, strict=True):
            self._tasks.spawn(self._arrive(lane, item))

    async def _arrive(self, lane: Lane, item: QueueItem) -> None:
        if self._is_stopping:
            await self._claims.give_back([item.id])
            return
        try:
            await self._take(lane, [item])
        finally:
            lane.arriving -= 1
        await self._go_on_with(lane)

    # -- seeing what is due

    def _look_in(self, seconds: float) -> None:
        clock, timer = self._house.clock, self._look_timer
        if timer is None or not timer.active():
            self._look_timer = clock.callLater(seconds, self._look_now)
        elif timer.getTime() > clock.seconds() + seconds:
            timer.reset(seconds)

    def _look_now(self) -> None:
        self._tasks.spawn(self._look())

    async def _look(self) -> None:
        self._is_looking, self._look_again = True, False
        self._is_starved = False
        house = self._house
        wait = AFTER_TROUBLE
        try:
            now = house.clock.seconds()
            most = MOST_HOPS + len(self._lanes)
            hops = await house.queue.due(now, most)
            for due in hops:
                if self._is_starved:
                    break
                lane = self._lane(due.hop)
                lane.has_more = True
                self._fill_if_wanted(lane)
            later = await house.queue.next_time(now)
            wait = LOOKED_EVERY
            if later is not None:
                wait = min(max(later - house.clock.seconds(), LOOK_GAP), wait)
            if len(hops) == most:
                wait = LOOKED_FOR_MORE
            await self._count()
        except Unavailable as error:
            self.log.error("the queue cannot be read: {reason}", reason=str(error))
        finally:
            self._is_looking = False
            self._looked = house.clock.seconds()
            if not self._is_stopping:  # whatever happened: nobody else would look
                self._look_in(LOOK_GAP if self._look_again else wait)

    async def _count(self) -> None:
        house, now = self._house, self._house.clock.seconds()
        if not self.counts_all or now < self._counted + LOOKED_EVERY:
            return
        self._counted = now
        count = await house.queue.count(Selection())
        oldest = await house.queue.items(Selection(), None, 1)
        age = max(now - oldest[0].arrived, 0.0) if oldest else 0.0
        house.metrics.queue_is(count, age)

    # -- claiming

    def _lane(self, hop: NextHop) -> Lane:
        lane = self._lanes.get(hop)
        if lane is None:
            lane = self._lanes[hop] = self._idle.pop(hop) or Lane(hop)
        return lane

    def _fill_if_wanted(self, lane: Lane) -> None:
        if self._is_stopping:
            return
        if lane.wants_more(int(self._concurrency.window(lane.hop).size)):
            self._is_starved = len(self._claims) >= MOST_CLAIMED
            if not self._is_starved:
                lane.is_filling = True
                self._tasks.spawn(self._fill(lane))

    async def _fill(self, lane: Lane) -> None:
        """Claim items of one next hop and put them where they set out from."""
        try:
            await self._take(lane, await self._claim(lane))
        except Unavailable as error:
            lane.has_more = False
            self.log.error("the queue cannot be read: {reason}", reason=str(error))
        finally:
            lane.is_filling = False
        await self._go_on_with(lane)

    async def _take(self, lane: Lane, items: Sequence[QueueItem]) -> None:
        """Put items that are ours where they set out from."""
        is_bug = True
        try:
            leaving = await self._in_time(items)
            if leaving:
                await self._admit(lane, leaving)
            is_bug = False
        except Unavailable as error:
            is_bug = False
            lane.has_more = False
            self.log.error("the queue cannot be read: {reason}", reason=str(error))
        except CancelledError:
            is_bug = False  # `stop` gives back what is claimed
            raise
        finally:
            if is_bug:  # which is logged by whoever owns this coroutine
                lane.has_more = False
                for item in items:
                    if item.id in self._claims and not self._claims.is_here(item.id):
                        self._tasks.spawn(self._count_bug(item))

    async def _go_on_with(self, lane: Lane) -> None:
        if self._is_stopping:
            await self._claims.give_back([item.id for item in lane.waiting])
            lane.waiting.clear()
        else:
            self._let_out(lane)

    async def _claim(self, lane: Lane) -> Sequence[QueueItem]:
        """Items that are ours now, and of which there is no other copy here."""
        size = lane.share(int(self._concurrency.window(lane.hop).size))
        lane.has_more = False
        items = await self._claims.claim(lane.hop, size)
        lane.has_more = len(items) == size
        if self._is_stopping:
            await self._claims.give_back([item.id for item in items])
            return ()
        return self._claims.alone(items)

    async def _in_time(self, items: Sequence[QueueItem]) -> Sequence[QueueItem]:
        """Those that may leave now; the others are given back until they may."""
        house, now = self._house, self._house.clock.seconds()
        leaving: list[QueueItem] = []
        for item in self._claims.alone(items):
            moment = house.pace.moment(item, now)
            if self._concurrency.is_crowded and item.envelope.reverse_path.is_null:
                moment = now + CROWDED
            if moment > now:
                await self._claims.give_back([item.id], moment)
            else:
                leaving.append(item)
        return leaving

    async def _admit(self, lane: Lane, items: Sequence[QueueItem]) -> None:
        """Find out where they go; where nobody can be asked, that is recorded."""
        house, now = self._house, self._house.clock.seconds()
        if not (lane.hop.route or 0 <= now - lane.looked < HOSTS_GOOD_FOR):
            lane.error = None
            try:
                lane.hosts = await house.hosts.of(lane.hop.domain)
            except (Refused, Unavailable) as reason:
                lane.error = reason
            lane.looked = now
        items = self._claims.alone(items)  # it took a while
        if (error := lane.error) is None:
            lane.waiting.extend(items)
            self._claims.keep(items)
            return
        for item in items:
            if self._claims.is_ours(item.id):
                await self._trying.let_wait(item, error)
            self._claims.forget(item.id)

    # -- letting out

    def _let_out(self, lane: Lane) -> None:
        """Let items of a lane set out, and those of others, in turn."""
        if lane.hop not in self._in_ready:
            self._in_ready.add(lane.hop)
            self._ready.append(lane)
        if self._is_letting_out or self._is_stopping:
            return
        self._is_letting_out = True
        try:
            while self._ready and not self._concurrency.is_full:
                first = self._ready.popleft()
                self._in_ready.discard(first.hop)
                if self._let_one_out(first):
                    self._in_ready.add(first.hop)
                    self._ready.append(first)
        finally:
            self._is_letting_out = False
        if self._ready:
            self._wait_for_slow()

    def _let_one_out(self, lane: Lane) -> bool:
        """Let one item set out; whether there may be a next one."""
        self._fill_if_wanted(lane)
        while lane.waiting:
            if not self._concurrency.may_begin(lane.hop):
                # One of its own will end, or, if it has too many, somebody else's.
                return False
            host = self._first_host(lane)
            if host is not None and not host.window.has_room:
                host.waiting[lane.hop] = None
                return False
            item = lane.waiting.popleft()
            if self._claims.is_ours(item.id):
                self._set_out(lane, item, host)
                return bool(lane.waiting)
            self._claims.forget(item.id)
            self._claims.drop(item.id)
        if lane.is_idle:
            self._lanes.pop(lane.hop, None)
            if lane.error is None:
                self._idle.put(lane.hop, lane)
        return False

    def _first_host(self, lane: Lane) -> Host | None:
        """The one that will be tried first; ``None`` where none will."""
        now = self._house.clock.seconds()
        for one in lane.hosts:
            host = self._concurrency.host(one)
            if not host.is_alone(now):
                return host
        return None

    def _wait_for_slow(self) -> None:
        """All places are taken; one that hangs makes room when it counts as slow."""
        at = self._concurrency.slow_at
        if at is None or (self._slow_timer is not None and self._slow_timer.active()):
            return
        wait = max(at - self._house.clock.seconds(), 0.0)
        self._slow_timer = self._house.clock.callLater(wait, self._go_on)

    def _go_on(self) -> None:
        if self._ready:
            self._let_out(self._ready[0])

    def _set_out(self, lane: Lane, item: QueueItem, host: Host | None) -> None:
        carry = self._concurrency.begin(lane.hop)
        self._concurrency.move(carry, host)
        lane.running += 1
        self._on_the_way[item.id] = item
        self._house.metrics.set_out(1)
        self._tasks.spawn(self._try(lane, item, carry))

    async def _try(self, lane: Lane, item: QueueItem, carry: Carry) -> None:
        is_bug = True
        try:
            if not await self._claims.has_been_held(item):
                await self._trying.attempt(item, lane.hosts, carry)
            is_bug = False
            self._claims.forget(item.id)
        except CancelledError:
            is_bug = False  # `stop` gives it back
            raise
        except Unavailable as error:
            is_bug = False
            self._claims.forget(item.id)  # it is free again when the claim ends
            self.log.error(
                "{queue_id} could not be tried: {reason}",
                queue_id=item.id,
                reason=str(error),
            )
        finally:
            self._concurrency.end(carry)
            lane.running -= 1
            del self._on_the_way[item.id]
            self._claims.drop(item.id)
            self._house.metrics.set_out(-1)
            if is_bug:  # which is logged by whoever owns this coroutine
                self._tasks.spawn(self._count_bug(item))
            if not self._is_stopping:
                self._go_on_after(lane)

    def _go_on_after(self, lane: Lane) -> None:
        """One that was on its way has made room."""
        while (hop := self._concurrency.next_waiting()) is not None:
            waiting = self._lanes.get(hop)
            if waiting is not None:
                self._let_out(waiting)
        self._let_out(lane)
        if self._is_starved and len(self._claims) < MOST_CLAIMED // 2:
            self._is_starved = False
            self.wake()

    async def _count_bug(self, item: QueueItem) -> None:
        """
        Count an attempt in which a bug of ours was met as any other.

        So the item is tried less and less often, and its sender hears of it: who knows
        whether it would ever go better.
        """
        is_bug = True
        try:
            await self._trying.after_bug(item)
            is_bug = False
            self._claims.forget(item.id)
        finally:
            if is_bug:
                after = self._house.clock.seconds() + AFTER_BUG
                self._tasks.spawn(self._claims.give_back([item.id], after))
