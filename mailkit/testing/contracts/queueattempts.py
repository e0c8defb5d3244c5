"""What attempts bring, what they cause, and how they are counted."""

from __future__ import annotations

from attrs import evolve

from mailkit.errors import LocalMisuse, StorageBroken
from mailkit.interfaces.queue import NewMessage
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    QueueId,
    QueueItem,
)
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.testing.contracts.messages import (
    coroutine,
    message,
    raises,
)
from mailkit.testing.contracts.queuecase import (
    NOW,
    ORG,
    OTHERS,
    US,
    InPieces,
    QueueCase,
    attempt,
    is_without_defaults,
    queue_item,
    recipient,
    with_fate,
)


class AttemptsContract(QueueCase):
    """An attempt is kept whole, with all that it causes, or not at all."""

    @coroutine
    async def test_all_of_an_attempt_comes_back(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        tried = evolve(attempt(item, Fate.FAILED), words="Größe \udcff")
        is_without_defaults(tried)
        other = Attempt(began=NOW, took=0.0)
        for one in (tried, other):
            after = with_fate(item, Fate.WAITING)
            await self.store.record(US, item.id, one, after, NOW)
        assert list(await self.store.attempts(item.id)) == [tried, other]

    @coroutine
    async def test_an_attempt_that_is_put_off(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        assert await self.record(item, Fate.WAITING, next_try=NOW + 300)
        assert await self.claim(now=NOW + 299) == []
        [again] = await self.claim(owner=OTHERS, now=NOW + 300, until=NOW + 360)
        assert again == evolve(
            item,
            recipients=with_fate(item, Fate.WAITING),
            attempts=1,
            next_try=NOW + 300,
        )

    @coroutine
    async def test_recipients_fare_differently(self) -> None:
        three = tuple(map(recipient, ("carol", "dave", "erin")))
        await self.put(evolve(queue_item("t1"), recipients=three))
        [item] = await self.claim()
        fates = (Fate.SENT, Fate.WAITING, Fate.FAILED)
        after = [evolve(r, fate=f) for r, f in zip(three, fates, strict=True)]
        tried = attempt(item, Fate.WAITING)
        assert await self.store.record(US, item.id, tried, after, NOW + 300)
        [again] = await self.claim(now=NOW + 300, until=NOW + 360)
        assert again.recipients == tuple(after)
        assert again.waiting == (after[1],)
        after[1] = evolve(after[1], fate=Fate.RELAYED)
        assert await self.store.record(US, item.id, tried, after, None)
        assert await self.ids() == []

    @coroutine
    async def test_attempts_are_told_also_after_the_item_is_gone(self) -> None:
        await self.put(queue_item("t1"))
        made: list[Attempt] = []
        for number, fate in enumerate((Fate.WAITING, Fate.WAITING, Fate.RELAYED)):
            [item] = await self.claim()
            one = evolve(attempt(item, fate), began=NOW + number, words=f"x{number}")
            made.append(one)
            next_try = NOW if fate is Fate.WAITING else None
            after = with_fate(item, fate)
            assert await self.store.record(US, item.id, one, after, next_try)
            assert list(await self.store.attempts(item.id)) == made
        assert not await self.store.record(US, item.id, made[0], after, None)
        assert list(await self.store.attempts(item.id)) == [*made, made[0]]

    @coroutine
    async def test_an_attempt_of_nothing_is_not_kept(self) -> None:
        item = queue_item("none")
        assert not await self.record(item, Fate.SENT)
        assert await self.store.attempts(item.id) == []

    @coroutine
    async def test_whoever_waits_is_tried_again(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        tried, after = attempt(item, Fate.WAITING), with_fate(item, Fate.WAITING)
        await raises(LocalMisuse, self.store.record(US, item.id, tried, after, None))
        assert await self.record(item, Fate.WAITING)

    async def give_up(
        self, item: QueueItem, *caused: NewMessage, owner: str = US
    ) -> bool:
        """Nobody takes an item, and that causes something."""
        tried, after = attempt(item, Fate.FAILED), with_fate(item, Fate.FAILED)
        return await self.store.record(owner, item.id, tried, after, None, caused)

    @coroutine
    async def test_what_an_attempt_causes_is_kept_with_it(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        large = InPieces(b"%09d\r\n" % 7 * 50_000, 550_000)
        assert await self.give_up(
            item,
            caused("n1", queue_item("n1", 1, ORG), head=b"Received: x\r\n"),
            caused("n2", queue_item("n2"), queue_item("n2", 2), content=large),
        )
        assert await self.ids() == ["n1.1", "n2.1", "n2.2"]
        content = await self.store.content(QueueId("n1.1"))
        assert await all_octets(content) == b"Received: x\r\n" + message()
        assert (await self.store.content(QueueId("n2.2"))).size == large.size
        [notice] = await self.claim(ORG)
        assert notice.size == content.size
        days = await self.store.stats(None, "2026-01-01")
        assert [(day.domain, day.accepted) for day in days] == [
            ("example.net", 3),
            ("example.org", 1),
        ]

    @coroutine
    async def test_an_attempt_that_is_put_off_causes_something(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        tried, after = attempt(item, Fate.WAITING), with_fate(item, Fate.WAITING)
        notice = caused("n1", queue_item("n1", 1, ORG))
        assert await self.store.record(US, item.id, tried, after, NOW + 300, [notice])
        assert await self.ids() == ["t1.1", "n1.1"]

    @coroutine
    async def test_what_is_not_ours_causes_nothing(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        await self.claim(owner=OTHERS, now=NOW + 60, until=NOW + 120)
        notice = caused("n1", queue_item("n1", 1, ORG))
        assert not await self.give_up(item, notice)
        assert await self.ids() == ["t1.1"]
        assert len(await self.store.attempts(item.id)) == 1
        assert await self.give_up(item, notice, owner=OTHERS)
        assert await self.ids() == ["n1.1"]
        assert not await self.give_up(item, caused("n2", queue_item("n2")))
        assert await self.ids() == ["n1.1"]

    @coroutine
    async def test_what_was_caused_before_is_not_kept_again(self) -> None:
        await self.put(queue_item("t1"), queue_item("t1", 2), queue_item("t1", 3))
        first, second, third = await self.claim()
        notice = caused("n1", queue_item("n1", 1, ORG))
        assert await self.give_up(first, notice)
        assert await self.give_up(second, notice)
        assert await self.ids() == ["t1.3", "n1.1"]
        [told] = await self.claim(ORG)
        assert await self.record(told, Fate.SENT)
        other = caused("n2", queue_item("n2", 1, ORG))
        assert await self.give_up(third, notice, other)
        assert await self.ids() == ["n2.1"]

    @coroutine
    async def test_nothing_is_recorded_where_a_part_cannot_be_kept(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        notice = caused("n1", queue_item("n1", 1, ORG))
        for size in (1000, 2_000_000):
            large = InPieces(b"x" * 200_000, 200_000)
            short = InPieces(b"x" * (size - 1), size)
            for broken in (
                (notice, caused("n2", queue_item("n2"), content=short)),
                (
                    caused("n3", queue_item("n3"), content=large),
                    caused("n2", queue_item("n2"), content=short),
                ),
            ):
                await raises(StorageBroken, self.give_up(item, *broken))
        assert await self.ids() == ["t1.1"]
        assert await self.store.attempts(item.id) == []
        assert await self.claim(owner=OTHERS) == []
        assert await self.give_up(item, notice)
        assert await self.ids() == ["n1.1"]

    @coroutine
    async def test_whoever_watches_hears_of_what_was_caused(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        await self.settle()
        heard: list[str] = []
        watch = self.store.watch(lambda: heard.append("!"))
        await self.give_up(item, caused("n1", queue_item("n1", 1, ORG)))
        await self.settle()
        assert heard
        watch.stop()

    @coroutine
    async def test_numbers(self) -> None:
        two = (recipient("carol"), recipient("dave"))
        await self.put(evolve(queue_item("t1"), recipients=two))
        await self.put(queue_item("t2"), queue_item("t2", 2, ORG))
        first, second = await self.claim()
        [third] = await self.claim(ORG)
        half = [evolve(two[0], fate=Fate.SENT), two[1]]
        tried = attempt(first, Fate.WAITING, began=NOW + 1, took=1)
        await self.store.record(US, first.id, tried, half, NOW)
        tried = attempt(third, Fate.FAILED)
        await self.store.record(
            US, third.id, tried, with_fate(third, Fate.FAILED), None
        )
        [first] = await self.claim()
        for item, seconds in ((first, 40), (second, 100_000)):
            tried = attempt(item, Fate.RELAYED, began=NOW + seconds, took=0)
            after = [evolve(one, fate=Fate.RELAYED) for one in item.recipients]
            await self.store.record(US, item.id, tried, after, None)
        days = await self.store.stats(None, "2026-01-01")
        assert [
            (d.day, d.domain, d.accepted, d.delivered, d.deferred, d.bounced)
            for d in days
        ] == [
            ("2026-01-01", "example.net", 3, 2, 1, 0),
            ("2026-01-01", "example.org", 1, 0, 0, 1),
            ("2026-01-02", "example.net", 0, 1, 0, 0),
        ]
        net, org, later = days
        assert org.median is None
        assert net.median is not None
        assert 1.9 < net.median < 2.1
        assert later.median is not None
        assert 95_000 < later.median < 105_000
        assert await self.store.stats(None, "2026-01-02") == [later]
        assert await self.store.stats(ORG.domain, "2026-01-01") == [org]
        assert await self.store.stats(None, "2026-01-03") == []

    @coroutine
    async def test_attempts_that_were_not_ours_do_not_count(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        assert not await self.record(item, Fate.SENT, owner=OTHERS)
        assert await self.record(item, Fate.SENT)
        [day] = await self.store.stats(None, "2026-01-01")
        assert day.delivered == 1


def caused(
    name: str, *items: QueueItem, content: IContent | None = None, head: bytes = b""
) -> NewMessage:
    """A message that something brings about."""
    octets = content or OctetsContent(message())
    assert all(item.message == name for item in items)
    return NewMessage(content=octets, items=items, head=head)
