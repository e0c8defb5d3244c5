"""What is put into a queue comes back, sealed perhaps."""

from __future__ import annotations

from attrs import evolve
from zope.interface.verify import verifyObject

from mailkit.errors import LocalMisuse, NoSuchItem, StorageBroken
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.storage import IContent
from mailkit.model.envelope import (
    BodyType,
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import (
    Fate,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Sealed,
)
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.testing.contracts.messages import (
    ALICE,
    coroutine,
    message,
    raises,
)
from mailkit.testing.contracts.queuecase import (
    BY_SMARTHOST,
    EVERYTHING,
    NET,
    NOW,
    ORG,
    InPieces,
    QueueCase,
    is_without_defaults,
    queue_item,
)


class KeepingContract(QueueCase):
    """Items and their octets, as they were put, until the last has left."""

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IQueueStore, self.store)

    @coroutine
    async def test_an_empty_queue(self) -> None:
        assert await self.store.due(NOW, 10) == []
        assert await self.store.next_time(NOW) is None
        assert await self.claim() == []
        assert await self.ids() == []
        assert await self.store.attempts(QueueId("none.1")) == []
        assert await self.store.stats(None, "2000-01-01") == []
        await raises(NoSuchItem, self.store.content(QueueId("none.1")))

    @coroutine
    async def test_all_of_an_item_comes_back(self) -> None:
        parameters = SenderParameters(
            1000,
            BodyType.BINARY,
            True,
            "HDRS",
            "QQ314159",
            "carol",
            hold_for=60,
            hold_until=NOW + 0.5,
            require_tls=True,
        )
        wishes = RecipientParameters(
            frozenset({Notify.SUCCESS, Notify.DELAY}), "rfc822;dora@example.org"
        )
        dora = QueuedRecipient(
            Recipient(Path("dörte o", "example.org"), wishes),
            Fate.FAILED,
            "4.4.1",
            "Größe \udcff\x00",
            "mx",
            True,
        )
        item = QueueItem(
            id=QueueId("t1.7"),
            message="t1",
            hop=BY_SMARTHOST,
            envelope=Envelope(Path("a b", "example.test"), parameters),
            recipients=(dora,),
            arrived=NOW + 0.125,
            next_try=NOW + 0.25,
            size=len(b"Received: x\r\n" + message()),
            message_id="<1@\udc80>",
            subject="Über \udcff",
            account=ALICE,
            attempts=3,
            hold_until=NOW + 0.5,
            held="odd",
            is_ours=True,
            tls_optional=True,
            is_tls_report=True,
            is_sealed=True,
            require_tls=True,
            rate="spring",
            verdict='{"spf":"pass"}',
        )
        is_without_defaults(item)
        content = OctetsContent(message())
        await self.store.put(content, [item], b"Received: x\r\n")
        assert await self.store.items(EVERYTHING) == [item]

    @coroutine
    async def test_an_item_of_which_little_is_known(self) -> None:
        nothing = RecipientParameters(frozenset())
        item = evolve(
            queue_item("t1"),
            envelope=Envelope(NULL_PATH),
            recipients=(
                QueuedRecipient(Recipient(Path("", "x"), nothing)),
                QueuedRecipient(Recipient(Path("x", ""))),
            ),
            size=len(message()),
        )
        await self.put(item)
        assert await self.claim() == [item]

    @coroutine
    async def test_the_octets_come_back_with_the_head_above(self) -> None:
        item = queue_item("t1")
        head = b"Received: here\r\n"
        await self.store.put(OctetsContent(message()), [item], head)
        content = await self.store.content(item.id)
        verifyObject(IContent, content)
        assert await all_octets(content) == head + message()
        assert content.size == len(head + message())
        [claimed] = await self.claim()
        assert claimed.size == content.size

    @coroutine
    async def test_large_messages(self) -> None:
        item, octets = queue_item("t1"), b"%09d\r\n" % 7 * 300_000
        await self.store.put(InPieces(octets, len(octets)), [item], b"Head: x\r\n")
        await self.store.seal("t1", Sealed(head=b"Seal: y\r\n"))
        whole = b"Seal: y\r\nHead: x\r\n" + octets
        content = await self.store.content(item.id)
        assert content.size == len(whole)
        assert await content.read(0, content.size) == whole
        for start, count in ((0, 5), (5, 10), (9, 3), (15, 1_500_000), (17, 20)):
            assert await content.read(start, count) == whole[start : start + count]
        assert await content.read(content.size - 3, 10) == whole[-3:]
        assert await content.read(content.size, 10) == b""

    @coroutine
    async def test_a_content_that_ends_too_soon_is_not_kept(self) -> None:
        short = InPieces(b"x" * 2_000_000, 2_000_001)
        await raises(StorageBroken, self.store.put(short, [queue_item("t1")]))
        assert await self.ids() == []

    @coroutine
    async def test_one_message_and_many_items(self) -> None:
        items = [queue_item("t1", 1), queue_item("t1", 2, ORG)]
        await self.put(*items)
        assert await self.ids() == ["t1.1", "t1.2"]
        [first] = await self.claim(NET)
        await self.record(first, Fate.RELAYED)
        assert await self.ids() == ["t1.2"]
        content = await self.store.content(items[1].id)
        assert await all_octets(content) == message()
        await raises(NoSuchItem, self.store.content(first.id))

    @coroutine
    async def test_nothing_is_put(self) -> None:
        await self.put()
        assert await self.ids() == []

    @coroutine
    async def test_bugs_of_those_who_put(self) -> None:
        await raises(LocalMisuse, self.put(queue_item("t1"), queue_item("t2")))
        await self.put(queue_item("t1"))
        await raises(LocalMisuse, self.put(queue_item("t1", 2), octets=b"other"))
        content = await self.store.content(QueueId("t1.1"))
        assert await all_octets(content) == message()
        assert await self.ids() == ["t1.1"]

    @coroutine
    async def test_a_sealed_message(self) -> None:
        await self.put(queue_item("t1"), queue_item("t1", 2, ORG))
        [item] = await self.claim()
        assert not item.is_sealed
        await self.store.seal("t1", Sealed(head=b"DKIM-Signature: x\r\n"))
        whole = b"DKIM-Signature: x\r\n" + message()
        for found in await self.store.items(EVERYTHING):
            assert found.is_sealed
            assert found.size == len(whole)
            content = await self.store.content(found.id)
            assert content.size == len(whole)
            assert await all_octets(content) == whole

    @coroutine
    async def test_octets_that_were_written_anew(self) -> None:
        await self.put(queue_item("t1"))
        sealed = Sealed(head=b"DKIM-Signature: x\r\n", octets=message(2))
        await self.store.seal("t1", sealed)
        content = await self.store.content(QueueId("t1.1"))
        assert await all_octets(content) == sealed.head + message(2)
        [item] = await self.claim()
        assert item.size == len(sealed.head + message(2))

    @coroutine
    async def test_what_is_sealed_changes_no_more(self) -> None:
        await self.put(evolve(queue_item("t1"), is_sealed=True))
        await self.put(queue_item("t2"))
        await self.store.seal("t2", Sealed())
        for name in ("t1", "t2"):
            await self.store.seal(name, Sealed(head=b"X: y\r\n", octets=b"other"))
            content = await self.store.content(QueueId(f"{name}.1"))
            assert await all_octets(content) == message()
        assert all(item.is_sealed for item in await self.claim())

    @coroutine
    async def test_sealing_nothing(self) -> None:
        await raises(NoSuchItem, self.store.seal("none", Sealed(head=b"X: y\r\n")))
        await raises(NoSuchItem, self.store.seal("none", Sealed(octets=b"octets")))
