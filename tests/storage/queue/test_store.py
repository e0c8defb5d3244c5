"""What the queue on disk does beyond the contract."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Awaitable
from pathlib import Path

from attrs import evolve
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import TestCase

from mailkit.errors import (
    LocalMisuse,
    MailkitError,
    NoSuchItem,
    StorageBroken,
    StorageFull,
)
from mailkit.model.address import DomainName
from mailkit.model.queueitem import Fate, NextHop, QueueId, QueueItem, Sealed, Selection
from mailkit.net.lanes import Lanes
from mailkit.storage import database
from mailkit.storage.content import OctetsContent
from mailkit.storage.database import NewerDatabase
from mailkit.storage.queue import changing, tidying
from mailkit.storage.queue.octets import Octets, QueuedContent, name_of, number_of
from mailkit.storage.queue.reading import MOST_COUNTED, MessageFile
from mailkit.storage.queue.store import PRUNED_EVERY, QueueStore
from mailkit.storage.safefile import Files, Operation, Verb
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.messages import ALICE, coroutine, message
from mailkit.testing.contracts.queuecase import (
    EVERYTHING,
    NET,
    NOW,
    ORG,
    OTHERS,
    US,
    attempt,
    queue_item,
    with_fate,
)
from mailkit.testing.lanes import DirectLanes
from tests.storage.crash.alive import Hand, no_room
from tests.storage.queue.runs import LARGE, LargeContent

reactor = IReactorFromThreads(the_reactor)


class StoreCase(TestCase):
    """A queue in one thread."""

    def setUp(self) -> None:
        self.data = Path(self.mktemp())
        self.clock = TestClock(time.time())
        self.content = self.data / "queue/content"
        self.store = self.open()

    def open(self, files: Files | None = None) -> QueueStore:
        board = LocalBoard(self.clock)
        store = QueueStore(
            self.data, DirectLanes(), board, self.clock, files or Files()
        )
        self.addCleanup(lambda: at_once(store.close()))
        return store

    def put(self, *items: QueueItem) -> None:
        at_once(self.store.put(OctetsContent(message()), items))

    def files(self) -> list[str]:
        return sorted(os.listdir(self.content))

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.data / "queue/queue.sqlite") as database:
            found = database.execute(sql).fetchall()
        database.close()
        return found

    def send(self, item: QueueItem) -> None:
        at_once(self.store.claim(item.hop, US, NOW, NOW + 60, 100))
        tried, after = attempt(item, Fate.SENT), with_fate(item, Fate.SENT)
        assert at_once(self.store.record(US, item.id, tried, after, None))


class FilesTests(StoreCase):
    """Where octets are, and for how long."""

    def test_a_file_for_each_message_until_its_last_item_is_gone(self) -> None:
        items = [queue_item("t1", 1), queue_item("t1", 2, ORG)]
        self.put(*items)
        [file] = self.files()
        assert (self.content / file).read_bytes() == message()
        assert (self.content / file).stat().st_mode & 0o777 == 0o600
        self.send(items[0])
        assert self.files() == [file]
        self.send(items[1])
        assert self.files() == []
        assert self.rows("SELECT * FROM hop") == []

    def test_another_process_finds_all(self) -> None:
        self.put(queue_item("t1"))
        at_once(self.store.close())
        self.store = self.open()
        assert at_once(self.store.count(EVERYTHING)) == 1
        content = at_once(self.store.content(QueueId("t1.1")))
        assert content.octets == message()

    def test_a_clock_that_was_wrong_holds_nothing_back(self) -> None:
        now = self.clock.seconds()
        years = now + 10 * 365 * 86400.0
        items = [
            evolve(queue_item("t1", number), next_try=now, arrived=now)
            for number in (1, 2, 3)
        ]
        items[1] = evolve(items[1], next_try=years)
        items[2] = evolve(items[2], hold_until=years)
        self.put(*items)
        hop = items[0].hop
        assert len(at_once(self.store.claim(hop, US, now, years, 100))) == 1
        assert at_once(self.store.claim(hop, OTHERS, now, now + 60, 100)) == []
        at_once(self.store.start())
        found = at_once(self.store.claim(hop, OTHERS, now, now + 60, 100))
        assert {item.id for item in found} == {items[0].id, items[1].id}
        # A lease that may be one is left alone.
        at_once(self.store.start())
        assert at_once(self.store.claim(hop, US, now, now + 60, 100)) == []

    def test_a_bulk_sending_may_take_longer_than_any_clock_is_wrong(self) -> None:
        now = self.clock.seconds()
        months = now + 60 * 86400.0
        self.put(evolve(queue_item("t1"), rate="spring", next_try=months))
        self.put(evolve(queue_item("t2"), rate="a", next_try=months, attempts=1))
        at_once(self.store.start())
        found = at_once(self.store.claim(queue_item("t1").hop, US, now, now + 60, 100))
        assert [item.id for item in found] == ["t2.1"]

    def test_refused_messages_leave_no_file(self) -> None:
        self.put(queue_item("t1"))
        with self.assertRaises(LocalMisuse):
            self.put(queue_item("t1"))
        large = self.store.put(LargeContent(), [queue_item("t1")])
        self.assertRaises(LocalMisuse, at_once, large)
        seal = self.store.seal("none", Sealed(octets=b"x"))
        self.assertRaises(NoSuchItem, at_once, seal)
        assert len(self.files()) == 1

    def test_a_full_disk_leaves_no_file(self) -> None:
        at_once(self.store.start())
        for content in (OctetsContent(message()), LargeContent()):
            for stop in range(5):
                hand = Hand(no_room, stop)
                put = self.open(Files(hand)).put(content, [queue_item("t1")])
                try:
                    at_once(put)
                except StorageFull:
                    assert self.files() == []
                    assert at_once(self.store.count(EVERYTHING)) == 0
                else:
                    at_once(self.store.drop(EVERYTHING))

    def test_what_a_stop_left_is_swept_after_a_while(self) -> None:
        self.put(queue_item("t1"))
        [mine] = self.files()
        for name in ("00000000000000aa", "notes.txt", "00000000000000AA"):
            (self.content / name).write_bytes(b"x")
        at_once(self.store.start())
        assert len(self.files()) == 4
        self.clock.advance(tidying.GRACE + 60)
        at_once(self.store.start())
        assert self.files() == sorted([mine, "notes.txt", "00000000000000AA"])

    def test_lost_octets_are_told_and_their_items_held(self) -> None:
        items = [queue_item("t1"), evolve(queue_item("t1", 2), held="odd")]
        self.put(*items)
        self.put(queue_item("t2"))
        [(file,)] = self.rows("SELECT file FROM message WHERE name = 't1'")
        (self.content / str(file)).unlink()
        logged: list[str] = []
        self.patch(QueueStore, "log", _Log(logged))
        at_once(self.store.start())
        assert [line.split()[0] for line in logged] == ["t1.1", "t1.2"]
        found = at_once(self.store.items(EVERYTHING))
        assert [item.held for item in found] == [tidying.LOST, "odd", ""]
        with self.assertRaises(StorageBroken):
            at_once(self.store.content(items[0].id))
        assert logged[-1].startswith("the octets of t1.1")
        claimed = at_once(self.store.claim(NET, US, NOW, NOW + 60, 10))
        assert [item.id for item in claimed] == ["t2.1"]
        assert len(at_once(self.store.drop(Selection(ids=("t1",))))) == 2

    def test_what_left_or_was_found_meanwhile_is_not_held(self) -> None:
        self.put(queue_item("t1"))
        [(key,)] = self.rows("SELECT key FROM message")
        assert isinstance(key, int)
        hold = tidying.HoldLost([key, key + 1], self.store._octets)
        assert at_once(self.store._change(hold)) == []
        assert at_once(self.store.count(Selection(is_held=True))) == 0

    def test_a_file_that_is_too_short(self) -> None:
        self.put(queue_item("t1"))
        [file] = self.files()
        (self.content / file).write_bytes(message()[:-1])
        with self.assertRaises(StorageBroken):
            at_once(self.store.content(QueueId("t1.1")))

    def test_a_large_message_that_leaves_while_it_is_read(self) -> None:
        at_once(self.store.put(LargeContent(), [queue_item("t1")]))
        content = at_once(self.store.content(QueueId("t1.1")))
        assert content.octets is None
        assert at_once(content.read(5, 10)) == LARGE[5:15]
        [file] = self.files()
        os.truncate(self.content / file, 100)
        self.assertRaises(StorageBroken, at_once, content.read(90, 20))
        at_once(self.store.drop(EVERYTHING))
        self.assertRaises(StorageBroken, at_once, content.read(0, 10))

    def test_sealed_between_two_looks(self) -> None:
        self.put(queue_item("t1"))
        [old] = self.files()
        at_once(self.store.seal("t1", Sealed(octets=message(2))))
        assert self.files() != [old]
        read = Octets.read
        looks: list[MessageFile] = []

        def read_late(octets: Octets, found: MessageFile) -> QueuedContent:
            looks.append(found)
            if len(looks) == 1:
                found = evolve(found, file=old)
            return read(octets, found)

        self.patch(Octets, "read", read_late)
        content = at_once(self.store.content(QueueId("t1.1")))
        assert content.octets == message(2)
        assert len(looks) == 2

    def test_a_file_that_cannot_be_removed_is_told(self) -> None:
        logged: list[str] = []
        self.patch(QueueStore, "log", _Log(logged))

        def fail(operation: Operation) -> None:
            if operation.verb is Verb.UNLINK:
                raise OSError("not now")

        self.store = self.open(Files(Hand(fail, 0)))
        self.put(queue_item("t1"))
        self.send(queue_item("t1"))
        assert len(logged) == 1
        assert at_once(self.store.count(EVERYTHING)) == 0
        assert len(self.files()) == 1

    def test_names_of_files(self) -> None:
        for number in (0, 170, (1 << 64) - 1):
            assert number_of(name_of(number)) == number
        for name in ("", "0" * 15, "0" * 17, "x" * 16, "A" * 16, "+" + "0" * 15):
            assert number_of(name) is None, name
        assert self.store._octets.age("none", 1.0) == 0.0


class _Log:
    """Writes lines down."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def error(self, format: str, **fields: object) -> None:
        self._lines.append(format.format(**fields))

    def info(self, format: str, **fields: object) -> None:
        """Of no interest."""


class DatabaseTests(StoreCase):
    """What SQLite is asked to do."""

    def test_a_newer_file_is_refused_in_one_sentence(self) -> None:
        self.put(queue_item("t1"))
        at_once(self.store.close())
        with sqlite3.connect(self.data / "queue/queue.sqlite") as database:
            database.execute("PRAGMA user_version = 1000")
        database.close()
        self.store = self.open()
        error = self.assertRaises(NewerDatabase, at_once, self.store.count(EVERYTHING))
        assert "newer" in str(error)

    def test_what_was_killed_is_synced_before_anybody_acts_on_it(self) -> None:
        self.put(queue_item("t1"))
        commits: list[bool] = []

        def note(operation: Operation) -> None:
            if operation.verb is Verb.COMMIT:
                commits.append(operation.is_full)

        other = self.open(Files(Hand(note, 0)))
        assert at_once(other.count(EVERYTHING)) == 1
        assert commits == [True]

    def test_a_disk_that_fails_at_the_beginning(self) -> None:
        self.put(queue_item("t1"))

        def fail(operation: Operation) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        hand = Hand(fail, 0)
        other = self.open(Files(hand))
        self.assertRaises(StorageBroken, at_once, other.count(EVERYTHING))
        hand.is_on = False
        assert at_once(other.count(EVERYTHING)) == 1

    def test_a_closed_queue(self) -> None:
        at_once(self.store.close())
        self.assertRaises(LocalMisuse, at_once, self.store.count(EVERYTHING))
        self.assertRaises(LocalMisuse, self.put, queue_item("t1"))
        self.assertRaises(LocalMisuse, self.store._transact, [])

    def test_nothing_is_looked_through_as_a_whole(self) -> None:
        """Every statement of a queue's day finds its rows by an index."""
        statements: list[str] = []
        self.put(*[queue_item("t0", n, hop) for n, hop in enumerate((NET, ORG))])
        at_once(self.store.count(EVERYTHING))
        reader = next(r for r in self.store._readers if r._database is not None)
        self.store._turns = lambda: reader
        assert self.store._writer is not None
        assert reader._database is not None
        connections = [self.store._writer.connection, reader._database.connection]
        for connection in connections:
            connection.set_trace_callback(statements.append)
        for number in (1, 2):
            items = [
                evolve(queue_item(f"t{number}"), account=ALICE, rate="x"),
                queue_item(f"t{number}", 2, ORG),
            ]
            self.put(*items)
        at_once(self.store.due(NOW, 10))
        at_once(self.store.next_time(NOW))
        [item] = at_once(self.store.claim(NET, US, NOW, NOW + 60, 1))
        at_once(self.store.renew(US, [item.id], NOW + 60))
        at_once(self.store.give_back(US, [item.id], NOW))
        self.send(queue_item("t1"))
        at_once(self.store.seal("t1", Sealed(head=b"X: y\r\n")))
        at_once(self.store.content(QueueId("t1.2")))
        at_once(self.store.attempts(QueueId("t1.1")))
        at_once(self.store.stats(None, "2026-01-01"))
        at_once(self.store.stats(NET.domain, "2026-01-01"))
        for selection in (
            EVERYTHING,
            Selection(ids=("t1", "t2.1")),
            Selection(domain=NET.domain),
            Selection(domain=ORG.domain, account=ALICE, is_held=False),
            Selection(account=ALICE),
            Selection(rate="x"),
            Selection(is_held=True),
        ):
            at_once(self.store.items(selection, QueueId("t1.1"), 5))
            at_once(self.store.hold(selection, "x", 1))
            at_once(self.store.release(selection, NOW))
            at_once(self.store.retry(selection, NOW))
        at_once(self.store.drop(EVERYTHING))
        for connection in connections:
            connection.set_trace_callback(None)
        asked = {s for s in statements if not s.startswith(("BEGIN", "PRAGMA", "--"))}
        asked -= {"COMMIT", "ROLLBACK"}
        assert len(asked) > 50
        for sql in sorted(asked):
            for row in connections[0].execute(f"EXPLAIN QUERY PLAN {sql}"):
                plan = row[3]
                assert "TEMP B-TREE" not in plan, (sql, plan)
                if plan.startswith("SCAN"):
                    assert _is_bounded(sql, plan), (sql, plan)

    def test_due_items_are_counted_so_far(self) -> None:
        many = [queue_item("t1", number) for number in range(MOST_COUNTED + 5)]
        self.put(*many)
        [due] = at_once(self.store.due(NOW, 10))
        assert due.count == MOST_COUNTED

    def test_attempts_are_forgotten_in_the_end(self) -> None:
        self.patch(changing, "PRUNED_AT_ONCE", 3)
        for number in range(7):
            item = queue_item(f"t{number}")
            self.put(item)
            self.send(item)
        self.clock.advance(changing.KEPT_FOR - 60)
        self.put(evolve(queue_item("u1"), arrived=self.clock.seconds()))
        assert self.rows("SELECT count(*) FROM attempt") == [(7,)]
        self.clock.advance(120)
        left: list[object] = []
        for number in range(4):
            self.put(queue_item(f"v{number}"))
            left += self.rows("SELECT count(*) FROM attempt")
            left += self.rows("SELECT count(*) FROM past")
        assert left == [(4,), (4,), (1,), (1,), (0,), (0,), (0,), (0,)]
        assert at_once(self.store.attempts(QueueId("t1.1"))) == []
        self.put(queue_item("t1"))
        assert at_once(self.store.attempts(QueueId("t1.1"))) == []
        self.clock.advance(changing.STATS_KEPT_FOR + 86400)
        self.put(evolve(queue_item("w1"), arrived=self.clock.seconds()))
        assert self.rows("SELECT count(*) FROM stat") == [(1,)]
        assert self.rows("SELECT count(*) FROM stat_time") == [(0,)]
        assert self.clock.seconds() < self.store._prune_at + PRUNED_EVERY

    def test_keys_are_never_given_twice(self) -> None:
        """Else somebody's attempts would be told as another's."""
        self.put(queue_item("t1"))
        self.send(queue_item("t1"))
        self.put(queue_item("t2"))
        assert len(at_once(self.store.attempts(QueueId("t1.1")))) == 1
        assert at_once(self.store.attempts(QueueId("t2.1"))) == []

    def test_texts_that_sqlite_does_not_take(self) -> None:
        odd = evolve(
            queue_item("t1", hop=NextHop(DomainName("x\udc80"), "r\udc80")),
            account=ALICE,
            rate="\udc80",
            held="\udc80",
        )
        self.put(odd)
        at_once(self.store.release(EVERYTHING, NOW))
        at_once(self.store.hold(Selection(rate="\udc80"), "\udc81"))
        at_once(self.store.release(Selection(domain=odd.hop.domain), NOW))
        [item] = at_once(self.store.claim(odd.hop, US, NOW, NOW + 60, 10))
        assert item.hop == odd.hop


def _is_bounded(sql: str, plan: str) -> bool:
    """Whether a scan ends by a limit, or goes over what was asked for only."""
    return (
        "VIRTUAL TABLE" in plan
        or "CONSTANT ROW" in plan
        or "count(*) FROM item WHERE 1" in sql
        or plan.startswith("SCAN (subquery")
        or ("FROM past ORDER BY key LIMIT" in sql)
        or "USING INDEX item_held" in plan
    )


class TogetherTests(TestCase):
    """Several stores over one folder."""

    def setUp(self) -> None:
        # On a busy machine one of them may be the last again and again.
        self.patch(database, "_PATIENCE", 300.0)

    def test_threads_never_claim_the_same(self) -> None:
        data, most = Path(self.mktemp()), 300
        clock = TestClock()

        def open_store() -> QueueStore:
            return QueueStore(data, DirectLanes(), LocalBoard(clock), clock)

        first = open_store()
        for number in range(most // 10):
            items = [queue_item(f"t{number}", item) for item in range(10)]
            at_once(first.put(OctetsContent(message()), items))
        claimed: list[str] = []
        recorded: list[bool] = []
        errors: list[MailkitError] = []

        def work(owner: str) -> None:
            store = open_store()
            try:
                while items := at_once(store.claim(NET, owner, NOW, NOW + 60, 7)):
                    claimed.extend(item.id for item in items)
                    for item in items:
                        tried, after = (
                            attempt(item, Fate.SENT),
                            with_fate(item, Fate.SENT),
                        )
                        done = store.record(owner, item.id, tried, after, None)
                        recorded.append(at_once(done))
            except MailkitError as error:
                errors.append(error)
            finally:
                at_once(store.close())

        threads = [
            threading.Thread(target=work, args=(f"owner {n}",)) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert len(claimed) == len(set(claimed)) == most
        assert recorded == [True] * most
        assert at_once(first.count(EVERYTHING)) == 0
        at_once(first.close())
        assert os.listdir(data / "queue/content") == []

    @coroutine
    async def test_two_servers_under_load(self) -> None:
        data, clock = Path(self.mktemp()), TestClock()
        lanes = [Lanes(reactor), Lanes(reactor)]
        stores = [QueueStore(data, one, LocalBoard(reactor), clock) for one in lanes]
        for store in stores:
            await store.start()
        claimed: list[str] = []
        done: list[bool] = []

        async def write(store: QueueStore, writer: int) -> None:
            for number in range(10):
                id = f"w{writer}x{number}"
                await store.put(OctetsContent(message()), [queue_item(id)])

        async def send(store: QueueStore, owner: str) -> None:
            idle = 0
            while idle < 3:
                items = await store.claim(NET, owner, NOW, NOW + 60, 3)
                idle = 0 if items else idle + 1
                for item in items:
                    claimed.append(item.id)
                    content = await store.content(item.id)
                    assert content.octets == message()
                    tried = attempt(item, Fate.SENT)
                    after = with_fate(item, Fate.SENT)
                    done.append(await store.record(owner, item.id, tried, after, None))

        def writers() -> list[Deferred[None]]:
            return [Deferred.fromCoroutine(write(stores[n % 2], n)) for n in range(6)]

        def senders() -> list[Deferred[None]]:
            return [
                Deferred.fromCoroutine(send(stores[n % 2], f"o{n}")) for n in range(4)
            ]

        await gatherResults([*writers(), *senders()])
        await gatherResults(senders())
        assert len(claimed) == len(set(claimed)) == 60
        assert done == [True] * 60
        assert os.listdir(data / "queue/content") == []
        for store in stores:
            await store.close()
        for one in lanes:
            await one.close()

    @coroutine
    async def test_one_that_cannot_be_does_not_spoil_the_others(self) -> None:
        """They shared a transaction; each is then made by itself."""
        lanes, clock = Lanes(reactor), TestClock()
        store = QueueStore(Path(self.mktemp()), lanes, LocalBoard(reactor), clock)
        await store.start()
        wishes = [
            store.put(OctetsContent(message()), [queue_item(f"t{n % 20}")])
            for n in range(40)
        ]
        refused: list[str] = []

        async def ask(wish: Awaitable[None]) -> None:
            try:
                await wish
            except LocalMisuse as error:
                refused.append(str(error))

        await gatherResults([Deferred.fromCoroutine(ask(wish)) for wish in wishes])
        assert len(refused) == 20
        assert await store.count(EVERYTHING) == 20
        [first, *_] = await store.claim(NET, OTHERS, NOW, NOW + 60, 1)
        assert (await store.content(first.id)).octets == message()
        await store.close()
        await lanes.close()
