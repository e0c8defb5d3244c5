"""What every `IQueueStore` has to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, evolve, field, fields, has
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailkit.errors import LocalMisuse, NoSuchItem, StorageBroken
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.storage import IContent
from mailkit.model.address import DomainName
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
    Attempt,
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Report,
    Sealed,
    Selection,
)
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import (
    ALICE,
    BOB,
    coroutine,
    message,
    raises,
)

NOW = NEW_YEAR
US = "worker 1"
OTHERS = "worker 2"
NET = NextHop(DomainName("example.net"))
ORG = NextHop(DomainName("example.org"))
BY_SMARTHOST = NextHop(DomainName("example.org"), "smarthost")
EVERYTHING = Selection()


def recipient(name: str = "carol", domain: str = "example.net") -> QueuedRecipient:
    """Somebody who waits for mail."""
    return QueuedRecipient(Recipient(Path(name, domain)))


def queue_item(transaction: str, number: int = 1, hop: NextHop = NET) -> QueueItem:
    """One item that may be tried at once; evolve it where that does not do."""
    return QueueItem(
        id=QueueId(f"{transaction}.{number}"),
        message=transaction,
        hop=hop,
        envelope=Envelope(Path("alice", "example.test")),
        recipients=(recipient(domain=hop.domain),),
        arrived=NOW,
        next_try=NOW,
        size=0,
    )


def with_fate(item: QueueItem, fate: Fate) -> tuple[QueuedRecipient, ...]:
    """All recipients as an attempt may have left them."""
    return tuple(
        evolve(one, fate=fate, status="2.0.0", words="Thanks", host="mx.example.net")
        for one in item.recipients
    )


def attempt(
    item: QueueItem, fate: Fate, *, began: float = NOW, took: float = 1.0
) -> Attempt:
    """A try that brought the same for all."""
    return Attempt(
        began=began,
        took=took,
        host="mx.example.net",
        address="192.0.2.1:25",
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
        reports=tuple(
            Report(one.path, fate, "4.2.0", "Größe \udcff") for one in item.recipients
        ),
    )


class QueueContract:
    """What was put waits until somebody is told that it left."""

    store: IQueueStore

    def make_store(self) -> IQueueStore:
        """A new, empty queue."""
        raise NotImplementedError

    async def settle(self) -> None:
        """Wait until what was published has been heard."""

    def setUp(self) -> None:
        self.store = self.make_store()

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.store.close())

    async def put(self, *items: QueueItem, octets: bytes = b"") -> None:
        """Keep one message."""
        await self.store.put(OctetsContent(octets or message()), items)

    async def claim(
        self,
        hop: NextHop = NET,
        *,
        owner: str = US,
        now: float = NOW,
        until: float = NOW + 60,
        most: int = 100,
    ) -> Sequence[QueueItem]:
        return await self.store.claim(hop, owner, now, until, most)

    async def claimed(self, hop: NextHop = NET, now: float = NOW) -> list[str]:
        """Ids of what can be claimed, which is given back."""
        ids = [item.id for item in await self.claim(hop, now=now)]
        await self.store.give_back(US, ids, now)
        return list(ids)

    async def record(
        self, item: QueueItem, fate: Fate, *, owner: str = US, next_try: float = NOW
    ) -> bool:
        return await self.store.record(
            owner,
            item.id,
            attempt(item, fate),
            with_fate(item, fate),
            next_try if fate is Fate.WAITING else None,
        )

    async def ids(self, selection: Selection = EVERYTHING) -> list[str]:
        found = [item.id for item in await self.store.items(selection)]
        assert await self.store.count(selection) == len(found)
        return list(found)

    # --- putting and claiming ---

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
        )
        _is_without_defaults(item)
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
    async def test_all_of_an_attempt_comes_back(self) -> None:
        await self.put(queue_item("t1"))
        [item] = await self.claim()
        tried = evolve(attempt(item, Fate.FAILED), words="Größe \udcff")
        _is_without_defaults(tried)
        other = Attempt(began=NOW, took=0.0)
        for one in (tried, other):
            after = with_fate(item, Fate.WAITING)
            await self.store.record(US, item.id, one, after, NOW)
        assert list(await self.store.attempts(item.id)) == [tried, other]

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
        await self.store.put(_InPieces(octets, len(octets)), [item], b"Head: x\r\n")
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
        short = _InPieces(b"x" * 2_000_000, 2_000_001)
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
    async def test_a_claimed_item_is_nobody_elses(self) -> None:
        await self.put(queue_item("t1"))
        assert [item.id for item in await self.claim()] == ["t1.1"]
        assert await self.claim() == []
        assert await self.claim(owner=OTHERS, now=NOW + 59) == []
        assert await self.store.due(NOW + 59, 10) == []
        assert await self.store.next_time(NOW) == NOW + 60

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
    async def test_only_so_many_are_claimed_oldest_first(self) -> None:
        for number in range(5):
            item = evolve(queue_item(f"t{number}"), next_try=NOW - number)
            await self.put(item)
        first = await self.claim(most=2)
        assert [item.id for item in first] == ["t4.1", "t3.1"]
        rest = await self.claim(owner=OTHERS)
        assert [item.id for item in rest] == ["t2.1", "t1.1", "t0.1"]

    # --- what is due ---

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

    # --- attempts ---

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

    # --- sealing ---

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

    # --- selections ---

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

    # --- numbers and notices ---

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


def _is_without_defaults(value: object) -> None:
    """Hold that a value tries every field there is, and so do those in it."""
    if isinstance(value, tuple):
        for one in value:
            _is_without_defaults(one)
    elif has(kind := type(value)):
        for one in fields(kind):
            found = getattr(value, one.name)
            if one.name == "is_taken_over":  # of the claim, not of the item
                continue
            assert found != one.default, f"{one.name} is not tried"
            _is_without_defaults(found)


@implementer(IContent)
@define(eq=False)
class _InPieces:
    """A message that is not in memory as a whole, or says that it is larger."""

    _whole: bytes = field(repr=False)
    size: int
    octets: bytes | None = None

    async def read(self, start: int, count: int) -> bytes:
        return self._whole[start : start + min(count, 100_000)]
