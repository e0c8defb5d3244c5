"""What is known of messages saves looks, and is never older than the database."""

from __future__ import annotations

from attrs import evolve

from mailkit.errors import NoSuchItem
from mailkit.model.queueitem import Fate, QueueId, QueueItem, Sealed
from mailkit.storage.content import OctetsContent
from mailkit.storage.queue import known, reading
from mailkit.storage.queue.known import Known
from mailkit.storage.queue.octets import Octets
from mailkit.storage.queue.reading import MessageFile
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import message
from mailkit.testing.contracts.queuecase import (
    NET,
    NOW,
    ORG,
    US,
    attempt,
    queue_item,
    with_fate,
)
from tests.storage.queue.runs import LARGE, LargeContent
from tests.storage.queue.test_store import StoreCase

ONE, TWO = QueueId("t1.1"), QueueId("t1.2")
HEAD = b"DKIM-Signature: x\r\n"


def _no_look(*words: object) -> None:
    raise AssertionError(f"{words} was looked at")


class KnownTests(StoreCase):
    """One process that puts, claims and seals; and another beside it."""

    def claim(self) -> list[QueueItem]:
        return [
            item
            for hop in (NET, ORG)
            for item in at_once(self.store.claim(hop, US, NOW, NOW + 60, 9))
        ]

    def octets(self, id: QueueId = ONE) -> bytes:
        content = at_once(self.store.content(id))
        assert content.octets is not None
        assert content.size == len(content.octets)
        assert at_once(content.read(3, 9)) == content.octets[3:12]
        return content.octets

    def test_what_was_put_and_claimed_is_not_looked_for(self) -> None:
        head = b"Received: x\r\n"
        put = self.store.put(OctetsContent(message()), [queue_item("t1")], head)
        at_once(put)
        self.claim()
        self.patch(Octets, "read", _no_look)
        assert self.octets() == head + message()
        at_once(self.store.seal("t1", Sealed(head=HEAD)))
        assert self.octets() == HEAD + head + message()

    def test_what_was_written_anew_is_not_looked_for(self) -> None:
        self.put(queue_item("t1"))
        self.claim()
        self.patch(Octets, "read", _no_look)
        at_once(self.store.seal("t1", Sealed(head=HEAD, octets=message(2))))
        assert self.octets() == HEAD + message(2)

    def test_what_another_process_put_is_read_where_it_is(self) -> None:
        """Where a claimed message is, its claim said."""
        at_once(self.open().put(OctetsContent(message()), [queue_item("t1")]))
        self.claim()
        self.patch(reading, "content", _no_look)
        assert self.octets() == message()
        at_once(self.store.seal("t1", Sealed(head=HEAD)))
        assert self.octets() == HEAD + message()

    def test_what_was_dropped_meanwhile(self) -> None:
        at_once(self.open().put(OctetsContent(message()), [queue_item("t1")]))
        [item] = self.claim()
        report = attempt(item, Fate.SENT)
        after = with_fate(item, Fate.SENT)
        at_once(self.open().record(US, ONE, report, after, None))
        self.assertRaises(NoSuchItem, at_once, self.store.content(ONE))

    def test_the_seal_of_another_process_is_seen(self) -> None:
        self.put(queue_item("t1"), queue_item("t1", 2, ORG))
        self.claim()
        for octets in (None, message(3)):
            other = self.open()
            at_once(other.seal("t1", Sealed(head=HEAD, octets=octets)))
            at_once(self.store.seal("t1", Sealed(head=b"DKIM-Signature: late\r\n")))
            assert self.octets() == HEAD + message()
            assert self.octets(TWO) == HEAD + message()

    def test_what_left_is_gone(self) -> None:
        self.put(queue_item("t1"))
        [item] = self.claim()
        self.send(item)
        self.assertRaises(NoSuchItem, at_once, self.store.content(ONE))

    def test_what_is_given_back_or_lost_is_looked_for(self) -> None:
        self.put(queue_item("t1"), queue_item("t1", 2, ORG))
        self.claim()
        at_once(self.store.give_back(US, [ONE], NOW))
        other = self.open()
        at_once(other.claim(ORG, "somebody", NOW + 90, NOW + 150, 9))
        assert at_once(self.store.renew(US, [ONE, TWO], NOW + 120)) == set()
        at_once(other.seal("t1", Sealed(head=HEAD)))
        assert self.octets(ONE) == self.octets(TWO) == HEAD + message()

    def test_large_messages_stay_on_the_disk(self) -> None:
        at_once(self.store.put(LargeContent(), [queue_item("t1")]))
        self.claim()
        content = at_once(self.store.content(ONE))
        assert content.octets is None
        assert at_once(content.read(0, 9)) == LARGE[:9]

    def test_little_is_kept_in_memory(self) -> None:
        self.patch(known, "MOST_OCTETS", 10)
        self.patch(known, "MOST_CLAIMS", 2)
        memory = Known()
        file = MessageFile("a", b"", 5)
        for number in range(4):
            memory.written(str(number), b"12345")
            memory.claimed({QueueId(f"t{number}.1"): (f"t{number}", file)})
        assert [memory.octets(str(number)) for number in range(4)] == [
            None,
            None,
            b"12345",
            b"12345",
        ]
        assert memory.file(QueueId("t1.1")) is None
        assert memory.file(QueueId("t2.1")) == file
        later = evolve(file, head=HEAD)
        for name in ("t1", "t2"):
            memory.sealed(name, later)
        assert memory.file(QueueId("t1.1")) is None
        assert memory.file(QueueId("t2.1")) == later
        memory.written("too long", b"x" * 11)
        assert memory.octets("too long") is None

    def test_an_item_that_is_put_off(self) -> None:
        self.put(queue_item("t1"))
        [item] = self.claim()
        tried = attempt(item, Fate.WAITING)
        after = with_fate(item, Fate.WAITING)
        at_once(self.store.record(US, ONE, tried, after, NOW + 5))
        other = self.open()
        at_once(other.seal("t1", Sealed(head=HEAD)))
        assert self.octets() == HEAD + message()
