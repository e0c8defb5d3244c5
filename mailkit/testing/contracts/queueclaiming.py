"""What is due in a queue is tried by one at a time."""

from __future__ import annotations

from attrs import evolve

from mailkit.model.queueitem import (
    Fate,
    QueueId,
    Selection,
)
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.testing.contracts.messages import coroutine, message
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


class ClaimingContract(QueueCase):
    """Whoever claims an item has it alone, for a time."""

    @coroutine
    async def test_a_claimed_item_is_nobody_elses(self) -> None:
        await self.put(queue_item("t1"))
        assert [item.id for item in await self.claim()] == ["t1.1"]
        assert await self.claim() == []
        assert await self.claim(owner=OTHERS, now=NOW + 59) == []
        assert await self.store.due(NOW + 59, 10) == []
        assert await self.store.next_time(NOW) == NOW + 60

    @coroutine
    async def test_what_is_put_may_be_claimed_from_the_beginning(self) -> None:
        items = [queue_item("t1", 1), queue_item("t1", 2, ORG)]
        content = OctetsContent(message())
        heard: list[None] = []
        watch = self.store.watch(lambda: heard.append(None))
        await self.store.put(content, items, b"Head: x\r\n", US, NOW + 60)
        await self.settle()
        assert heard == []
        watch.stop()
        assert await self.store.due(NOW + 59, 10) == []
        assert await self.store.next_time(NOW) == NOW + 60
        assert await self.claim(owner=OTHERS, now=NOW + 59) == []
        assert await self.store.drop(EVERYTHING) == []
        octets = await all_octets(await self.store.content(items[0].id))
        assert octets == b"Head: x\r\n" + message()
        assert await self.record(items[0], Fate.SENT)
        [taken] = await self.claim(ORG, owner=OTHERS, now=NOW + 60, until=NOW + 120)
        assert taken.id == "t1.2"
        assert taken.is_taken_over
        assert not await self.record(items[1], Fate.SENT)

    @coroutine
    async def test_a_lease_ends_by_itself(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        [due] = await self.store.due(NOW + 60, 10)
        assert due.hop == NET
        found = await self.claim(owner=OTHERS, now=NOW + 60, until=NOW + 120)
        assert [each.id for each in found] == ["t1.1"]
        assert found[0].is_taken_over
        assert not item.is_taken_over
        assert await self.store.renew(US, [item.id], NOW + 999) == set()
        await self.store.give_back(US, [item.id], NOW)
        assert await self.claim(now=NOW + 61) == []
        assert not await self.record(item, Fate.SENT)
        assert await self.ids() == ["t1.1"]
        assert len(await self.store.attempts(item.id)) == 1
        [waiting] = await self.store.items(EVERYTHING)
        assert not waiting.is_taken_over
        assert await self.record(item, Fate.WAITING, owner=OTHERS)
        [again] = await self.claim(now=NOW + 900, until=NOW + 960)
        assert not again.is_taken_over

    @coroutine
    async def test_pages_tell_what_is_tried(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim(until=NOW + 60)
        [tried] = await self.store.items(EVERYTHING)
        assert tried.claimed_until == NOW + 60
        await self.store.give_back(US, [item.id], NOW)
        [waiting] = await self.store.items(EVERYTHING)
        assert waiting.claimed_until is None

    @coroutine
    async def test_a_lease_that_nobody_took_is_still_ours(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        assert await self.store.renew(US, [item.id], NOW + 200) == {item.id}
        assert await self.claim(owner=OTHERS, now=NOW + 100) == []
        assert await self.record(item, Fate.SENT)

    @coroutine
    async def test_renewing(self) -> None:
        await self.put(queue_item("t1"), queue_item("t1", 2))
        await self.put(queue_item("t2"))
        claimed = await self.claim(most=2)
        ids = [item.id for item in claimed]
        wanted = [*ids, QueueId("t2.1"), QueueId("none.1")]
        assert await self.store.renew(US, wanted, NOW + 90) == set(ids)
        assert await self.store.next_time(NOW) == NOW + 90

    @coroutine
    async def test_giving_back(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        await self.store.give_back(OTHERS, [item.id], NOW)
        assert await self.claim() == []
        await self.store.give_back(US, [item.id, QueueId("none.1")], NOW + 5)
        assert await self.store.next_time(NOW) == NOW + 5
        [again] = await self.claim(owner=OTHERS, now=NOW + 5)
        assert (again.attempts, again.next_try) == (0, NOW + 5)
        assert await self.store.attempts(item.id) == []

    @coroutine
    async def test_the_claims_of_one_who_is_no_more(self) -> None:
        await self.put(queue_item("t1"), queue_item("t1", 2))
        await self.put(queue_item("t2", hop=ORG))
        first, second = await self.claim()
        [other] = await self.claim(ORG, owner=OTHERS)
        await self.store.hold(Selection(ids=(second.id,)), "wait")
        heard: list[None] = []
        watch = self.store.watch(lambda: heard.append(None))
        assert await self.store.end_claims("nobody", NOW) == 0
        await self.settle()
        assert heard == []
        assert await self.store.end_claims(US, NOW) == 2
        await self.settle()
        assert heard == [None]
        watch.stop()
        assert await self.store.end_claims(US, NOW) == 0
        [taken] = await self.claim(owner="new", now=NOW, until=NOW + 60)
        assert (taken.id, taken.is_taken_over, taken.attempts) == (first.id, True, 0)
        assert await self.claim(ORG, owner="new", now=NOW) == []
        assert await self.store.drop(Selection(ids=(second.id,)))
        assert await self.record(other, Fate.SENT, owner=OTHERS)

    @coroutine
    async def test_only_so_many_are_claimed_oldest_first(self) -> None:
        for number in range(5):
            item = evolve(queue_item(f"t{number}"), next_try=NOW - number)
            await self.put(item)
        first = await self.claim(most=2)
        assert [item.id for item in first] == ["t4.1", "t3.1"]
        rest = await self.claim(owner=OTHERS)
        assert [item.id for item in rest] == ["t2.1", "t1.1", "t0.1"]

    @coroutine
    async def test_hops_come_longest_waiting_first(self) -> None:
        await self.put(evolve(queue_item("t1"), next_try=NOW - 1))
        await self.put(evolve(queue_item("t2", hop=ORG), next_try=NOW - 3))
        await self.put(evolve(queue_item("t3", hop=BY_SMARTHOST), next_try=NOW - 2))
        await self.put(evolve(queue_item("t4", hop=BY_SMARTHOST), next_try=NOW))
        await self.put(evolve(queue_item("t5", hop=BY_SMARTHOST), next_try=NOW + 1))
        due = await self.store.due(NOW, 10)
        assert [(one.hop, one.count, one.oldest) for one in due] == [
            (ORG, 1, NOW - 3),
            (BY_SMARTHOST, 2, NOW - 2),
            (NET, 1, NOW - 1),
        ]
        assert list(await self.store.due(NOW, 2)) == list(due[:2])
        assert await self.store.next_time(NOW) == NOW + 1
        assert await self.store.next_time(NOW + 1) is None

    @coroutine
    async def test_one_hop_with_much_hides_no_other(self) -> None:
        many = [queue_item("t1", number) for number in range(500)]
        await self.put(*[evolve(item, next_try=NOW - 1000) for item in many])
        await self.put(queue_item("t2", hop=ORG))
        assert [one.hop for one in await self.store.due(NOW, 10)] == [NET, ORG]

    @coroutine
    async def test_not_before_its_time(self) -> None:
        await self.put(evolve(queue_item("t1"), hold_until=NOW + 30))
        assert await self.store.due(NOW + 29, 10) == []
        assert await self.claim(now=NOW + 29) == []
        assert await self.store.next_time(NOW) == NOW + 30
        assert await self.claimed(now=NOW + 30) == ["t1.1"]

    @coroutine
    async def test_giving_back_does_not_shorten_a_hold(self) -> None:
        await self.put(evolve(queue_item("t1"), hold_until=NOW + 30))
        [item] = await self.claim(now=NOW + 30, until=NOW + 40)
        await self.store.give_back(US, [item.id], NOW)
        assert await self.store.next_time(NOW) == NOW + 30

    @coroutine
    async def test_whoever_watches_hears_of_what_may_be_due(self) -> None:
        heard: list[str] = []
        watch = self.store.watch(lambda: heard.append("!"))
        await self.put(queue_item("t1"))
        await self.settle()
        assert heard
        heard.clear()
        [item] = await self.claim()
        await self.settle()
        assert heard == []
        await self.store.give_back(US, [item.id], NOW)
        await self.settle()
        assert heard
        await self.store.hold(EVERYTHING, "x")
        for ask in (self.store.release, self.store.retry):
            heard.clear()
            await ask(EVERYTHING, NOW)
            await self.settle()
            assert heard
        watch.stop()
        watch.stop()
        heard.clear()
        await self.put(queue_item("t2"))
        await self.settle()
        assert heard == []

    @coroutine
    async def test_closing_twice(self) -> None:
        await self.put(queue_item("t1"))
        await self.store.close()
        await self.store.close()
