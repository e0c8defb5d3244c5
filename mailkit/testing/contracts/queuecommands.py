"""What administrators ask of a queue and do to it."""

from __future__ import annotations

from attrs import evolve

from mailkit.errors import NoSuchItem
from mailkit.model.address import DomainName
from mailkit.model.queueitem import (
    Fate,
    QueueId,
    Selection,
)
from mailkit.testing.contracts.messages import (
    ALICE,
    BOB,
    coroutine,
    raises,
)
from mailkit.testing.contracts.queuecase import (
    BY_SMARTHOST,
    EVERYTHING,
    NET,
    NOW,
    ORG,
    OTHERS,
    US,
    QueueCase,
    queue_item,
)


class CommandsContract(QueueCase):
    """Selections are seen page by page, held, released, hurried and dropped."""

    async def some(self) -> None:
        """Six items that differ."""
        await self.put(
            evolve(queue_item("t1"), account=ALICE),
            evolve(queue_item("t1", 2, ORG), account=ALICE),
        )
        await self.put(
            evolve(queue_item("t2"), account=BOB, rate="spring"),
            evolve(queue_item("t2", 2, BY_SMARTHOST), account=BOB, held="odd"),
        )
        await self.put(queue_item("t3", 1, ORG), queue_item("t3", 2, BY_SMARTHOST))

    @coroutine
    async def test_selections(self) -> None:
        await self.some()
        everything = ["t1.1", "t1.2", "t2.1", "t2.2", "t3.1", "t3.2"]
        org = ORG.domain
        for selection, wanted in (
            (Selection(), everything),
            (Selection(ids=("t2.1",)), ["t2.1"]),
            (Selection(ids=("t3", "t1.2", "t3.1")), ["t1.2", "t3.1", "t3.2"]),
            (Selection(ids=("none", "t")), []),
            (Selection(domain=NET.domain), ["t1.1", "t2.1"]),
            (Selection(domain=org), ["t1.2", "t2.2", "t3.1", "t3.2"]),
            (Selection(domain=DomainName("none.test")), []),
            (Selection(account=ALICE), ["t1.1", "t1.2"]),
            (Selection(is_held=True), ["t2.2"]),
            (Selection(is_held=False), [i for i in everything if i != "t2.2"]),
            (Selection(rate="spring"), ["t2.1"]),
            (Selection(rate=""), [i for i in everything if i != "t2.1"]),
            (Selection(domain=org, account=BOB, is_held=True), ["t2.2"]),
            (Selection(ids=("t1", "t2"), domain=org), ["t1.2", "t2.2"]),
            (Selection(account=BOB, rate="spring", is_held=False), ["t2.1"]),
            (Selection(ids=("t2",), account=ALICE), []),
        ):
            assert await self.ids(selection) == wanted, selection

    @coroutine
    async def test_pages(self) -> None:
        await self.some()
        for selection in (Selection(), Selection(domain=ORG.domain)):
            whole = await self.ids(selection)
            paged: list[str] = []
            after: QueueId | None = None
            while page := await self.store.items(selection, after, 1):
                [item] = page
                paged.append(item.id)
                after = item.id
            assert paged == whole

    @coroutine
    async def test_pages_go_on_after_an_item_that_is_gone(self) -> None:
        await self.some()
        for item in await self.claim():
            await self.record(item, Fate.SENT)
        page = await self.store.items(EVERYTHING, QueueId("t2.1"), 2)
        assert [item.id for item in page] == ["t2.2", "t3.1"]
        none = QueueId("none.1")
        await raises(NoSuchItem, self.store.items(EVERYTHING, none))

    @coroutine
    async def test_holding_and_releasing(self) -> None:
        await self.some()
        alices = Selection(account=ALICE)
        assert await self.store.hold(alices, "Alice is suspended") == 2
        assert await self.store.hold(alices, "again") == 0
        held = await self.store.items(alices)
        assert {item.held for item in held} == {"Alice is suspended"}
        assert await self.claimed() == ["t2.1"]
        assert await self.claimed(ORG) == ["t3.1"]
        assert await self.store.retry(alices, NOW) == 0
        assert await self.store.release(alices, NOW) == 2
        assert await self.store.release(alices, NOW) == 0
        assert await self.claimed(ORG) == ["t1.2", "t3.1"]
        assert await self.ids(Selection(is_held=True)) == ["t2.2"]

    @coroutine
    async def test_a_hold_without_a_reason_is_one(self) -> None:
        await self.put(queue_item("t1"))
        assert await self.store.hold(EVERYTHING, "") == 1
        assert await self.claim() == []
        assert await self.ids(Selection(is_held=True)) == ["t1.1"]

    @coroutine
    async def test_put_as_held(self) -> None:
        await self.put(evolve(queue_item("t1"), held="suspended"))
        assert await self.store.due(NOW, 10) == []
        assert await self.store.next_time(0) is None
        await self.store.release(EVERYTHING, NOW)
        assert await self.claimed() == ["t1.1"]

    @coroutine
    async def test_releasing_ends_a_wait(self) -> None:
        await self.put(evolve(queue_item("t1"), hold_until=NOW + 600))
        assert await self.store.release(EVERYTHING, NOW) == 1
        [item] = await self.claim()
        assert item.hold_until is None

    @coroutine
    async def test_what_is_being_tried_is_held_afterwards(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        assert await self.store.hold(EVERYTHING, "wait") == 1
        assert await self.store.renew(US, [item.id], NOW + 90) == {item.id}
        assert await self.record(item, Fate.WAITING)
        assert await self.claim(now=NOW + 900) == []
        assert await self.store.next_time(0) is None

    @coroutine
    async def test_releasing_what_is_being_tried(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        await self.store.hold(EVERYTHING, "wait")
        assert await self.store.release(EVERYTHING, NOW + 1) == 1
        assert await self.claim(now=NOW + 1) == []
        assert await self.store.next_time(NOW) == NOW + 60
        assert await self.record(item, Fate.WAITING, next_try=NOW + 5)
        assert await self.claimed(now=NOW + 5) == ["t1.1"]

    @coroutine
    async def test_held_while_tried_by_one_who_died(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        await self.store.hold(EVERYTHING, "wait")
        assert await self.store.release(EVERYTHING, NOW + 60) == 1
        [again] = await self.claim(owner=OTHERS, now=NOW + 60, until=NOW + 120)
        assert again.is_taken_over
        assert not await self.record(item, Fate.WAITING)
        assert await self.record(again, Fate.SENT, owner=OTHERS)

    @coroutine
    async def test_giving_back_what_was_held_meanwhile(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        await self.store.hold(EVERYTHING, "wait")
        await self.store.give_back(US, [item.id], NOW)
        assert await self.claim(now=NOW + 900) == []

    @coroutine
    async def test_retrying(self) -> None:
        late = NOW + 3600
        await self.put(evolve(queue_item("t1"), next_try=late))
        await self.put(evolve(queue_item("t2"), next_try=late, held="odd"))
        await self.put(evolve(queue_item("t3"), next_try=late, hold_until=NOW + 30))
        await self.put(queue_item("t4"))
        [tried] = await self.claim()
        assert await self.store.retry(EVERYTHING, NOW + 1) == 2
        assert await self.store.retry(EVERYTHING, NOW + 1) == 0
        assert await self.claimed(now=NOW + 1) == ["t1.1"]
        assert await self.claimed(now=NOW + 30) == ["t1.1", "t3.1"]
        assert await self.record(tried, Fate.SENT)

    @coroutine
    async def test_bulk_mail_keeps_its_moments(self) -> None:
        """Whoever hurries or releases all does not send a month's mail at once."""
        later = NOW + 9000.0
        bulk = evolve(queue_item("t1"), rate="spring", next_try=later)
        tried = evolve(queue_item("t2"), rate="spring", next_try=later, attempts=1)
        await self.put(bulk)
        await self.put(tried)
        await self.put(evolve(queue_item("t3"), next_try=later))
        assert await self.store.retry(EVERYTHING, NOW) == 2
        assert await self.store.next_time(NOW) == later
        assert [item.id for item in await self.claim()] == ["t2.1", "t3.1"]
        await self.store.hold(Selection(ids=("t1.1",)), "wait")
        assert await self.store.release(EVERYTHING, NOW) == 1
        assert await self.store.next_time(NOW + 61) == later
        assert await self.store.retry(Selection(ids=("t1",)), NOW) == 1
        assert [item.id for item in await self.claim()] == ["t1.1"]

    @coroutine
    async def test_dropping(self) -> None:
        await self.some()
        [tried] = await self.claim(most=1)
        dropped = await self.store.drop(Selection(ids=("t1",)))
        assert [item.id for item in dropped] == ["t1.2"]
        assert [item.account for item in dropped] == [ALICE]
        dropped = await self.store.drop(EVERYTHING, 2)
        assert [item.id for item in dropped] == ["t2.1", "t2.2"]
        assert len(await self.store.drop(EVERYTHING)) == 2
        assert await self.store.drop(EVERYTHING) == []
        assert await self.ids() == [tried.id]
        assert await self.record(tried, Fate.WAITING)
        assert [item.id for item in await self.store.drop(EVERYTHING)] == [tried.id]
        assert len(await self.store.attempts(tried.id)) == 1
        assert not await self.record(tried, Fate.SENT)

    @coroutine
    async def test_at_most_so_many_a_call(self) -> None:
        late = NOW + 3600
        for number in range(5):
            await self.put(evolve(queue_item(f"t{number}"), next_try=late))
        assert await self.store.retry(EVERYTHING, NOW, 2) == 2
        assert await self.claimed() == ["t0.1", "t1.1"]
        steps = [await self.store.hold(EVERYTHING, "x", 2) for _ in range(4)]
        assert steps == [2, 2, 1, 0]
        steps = [await self.store.release(EVERYTHING, NOW, 3) for _ in range(3)]
        assert steps == [3, 2, 0]
