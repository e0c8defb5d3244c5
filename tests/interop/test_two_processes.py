"""
Two processes over one account, under a random load (STORE.md §6).

Each does what sessions do, four at a time, and a client beside follows by MODSEQ what
changes. In the end no message is lost or doubled, no UID was given twice, the clients
know what is there, and all counters equal a recount. Once more with an index that is
taken away again and again.

``MAILKIT_LOAD_SECONDS`` says how long (5 unless said).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from select import select
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import deferLater, react

from mailkit.errors import MailboxExists, NoSuchMailbox
from mailkit.interfaces.storage import IMailbox, NewMessage, Placement
from mailkit.model.address import AccountName
from mailkit.model.flags import DELETED, FLAGGED, SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, Copied, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS, NO_UIDS, UIDSet
from mailkit.net.lanes import Lanes
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.state.board import SocketBoard
from mailkit.testing.at_once import at_once
from tests.storage.maildir.doubles import Place

SECONDS = float(os.environ.get("MAILKIT_LOAD_SECONDS", "5"))

ALICE = AccountName("alice@example.test")
NAMES = (INBOX, MailboxName("Archive"), MailboxName("Work"))
SESSIONS = 4
WORKS = ("deliver", "flag", "move", "expunge", "folders")
"""What has to be done by each process at least once."""
FLAGS = (SEEN, FLAGGED, "$One", "$Two", "Three")
LETTER = "From: a@example.test\r\nSubject: {}\r\n\r\nHello, how are you?\r\n"


@define
class Follower:
    """A client that asks for what it missed, and never for all (RFC 7162)."""

    box: IMailbox
    state: int = 0
    flags: dict[int, frozenset[str]] = field(factory=dict)

    async def look(self) -> None:
        change = await self.box.changes_since(self.state)
        for uid in change.vanished:
            self.flags.pop(uid, None)
        for record in (*change.arrived, *change.flagged):
            self.flags[record.uid] = record.flags
        self.state = max(self.state, change.mod_seq)


@define
class Load:
    """The sessions of one process, and what they were answered."""

    store: MaildirStore
    chance: random.Random
    name: str
    until: float
    given: list[tuple[str, int, int]] = field(factory=list)
    """Mailbox, UIDVALIDITY and UID of each message that was made."""
    made: int = 0
    removed: int = 0
    done: Counter[str] = field(factory=Counter)

    async def session(self) -> None:
        works: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self.deliver,
            self.deliver,
            self.append,
            self.flag,
            self.flag,
            self.copy,
            self.move,
            self.expunge,
            self.look,
            self.folders,
        ]
        while time.monotonic() < self.until or self.is_waited_for():
            work = self.chance.choice(works)
            await work()
            self.done[work.__name__] += 1

    def is_waited_for(self) -> bool:
        """A busy machine has not come to all of it yet."""
        return not all(self.done[what] for what in WORKS)

    def letter(self) -> OctetsContent:
        self.made += 1
        return OctetsContent(LETTER.format(f"{self.name} {self.made}").encode())

    async def box(self) -> IMailbox:
        return await self.store.open(ALICE, self.chance.choice(NAMES))

    async def some(self, box: IMailbox) -> UIDSet:
        uids = list((await box.snapshot(self.chance.random() < 0.1)).uids)
        count = min(len(uids), self.chance.randint(1, 4))
        return UIDSet.of(self.chance.sample(uids, count)) if uids else NO_UIDS

    async def deliver(self) -> None:
        names = self.chance.sample(NAMES, self.chance.randint(1, 2))
        boxes = [await self.store.open(ALICE, name) for name in names]
        self.made += len(names) - 1
        uids = await self.store.deliver(
            self.letter(), [Placement(ALICE, name) for name in names]
        )
        for box, uid in zip(boxes, uids, strict=True):
            self.give(box.name, box.uid_validity, [uid])

    async def append(self) -> None:
        box = await self.box()
        count = self.chance.randint(1, 3)
        flags = frozenset(self.chance.sample(FLAGS, 2))
        new = [NewMessage(self.letter(), flags) for _ in range(count)]
        self.give(box.name, box.uid_validity, await box.append(new))

    async def flag(self) -> None:
        box = await self.box()
        action = self.chance.choice(list(FlagAction))
        flags = frozenset(self.chance.sample(FLAGS, self.chance.randint(0, 2)))
        await box.store(await self.some(box), FlagChange(action, flags))

    async def copy(self) -> None:
        box = await self.box()
        to = self.chance.choice(NAMES)
        copied = await box.copy(await self.some(box), to)
        self.made += len(copied.uids)
        self.give_copied(to, copied)

    async def move(self) -> None:
        box = await self.box()
        to = self.chance.choice([name for name in NAMES if name != box.name])
        self.give_copied(to, await box.move(await self.some(box), to))

    async def expunge(self) -> None:
        box = await self.box()
        uids = await self.some(box)
        await box.store(uids, FlagChange(FlagAction.ADD, frozenset({DELETED})))
        gone = await box.expunge(uids)
        self.removed += len(gone)

    async def look(self) -> None:
        box = await self.box()
        records = await box.fetch(ALL_UIDS, Want.FLAGS | Want.ENVELOPE)
        assert all(record.envelope for record in records)
        some = await self.some(box)
        for _, content in await box.contents(some):
            octets = await content.read(0, content.size)
            assert octets.endswith(b"are you?\r\n") and octets.startswith(b"From")

    async def folders(self) -> None:
        name, other = (MailboxName(f"Some/{self.chance.randint(1, 3)}") for _ in "ab")
        try:
            match self.chance.randint(1, 3):
                case 1:
                    await self.store.create(ALICE, name)
                case 2:
                    await self.store.rename(ALICE, name, other)
                case _:
                    await self.store.delete(ALICE, name)
        except (MailboxExists, NoSuchMailbox):
            pass  # the other process was faster
        entries = [entry.name for entry in await self.store.mailboxes(ALICE)]
        assert set(NAMES) <= set(entries)

    def give(self, name: str, uid_validity: int, uids: list[int]) -> None:
        self.given += [(name, uid_validity, uid) for uid in uids]

    def give_copied(self, name: str, copied: Copied) -> None:
        self.give(name, copied.uid_validity, [uid for _, uid in copied.uids])


async def work(reactor: Any, data: Path, seed: int, seconds: float) -> dict[str, Any]:
    board = SocketBoard(str(data / "run"), reactor)
    store = MaildirStore(
        data,
        Lanes(reactor),
        board,
        reactor,
        settings=MaildirSettings(write_behind=0.3, close_after=1.0),
    )
    with suppress(MailboxExists):
        await store.create(ALICE, NAMES[-1])
    load = Load(store, random.Random(seed), str(seed), time.monotonic() + seconds)
    followers = [Follower(await store.open(ALICE, name)) for name in NAMES]

    async def follow() -> None:
        while time.monotonic() < load.until:
            for follower in followers:
                await follower.look()
            await deferLater(reactor, 0.01)

    owned = [Deferred.fromCoroutine(load.session()) for _ in range(SESSIONS)]
    owned.append(Deferred.fromCoroutine(follow()))
    await DeferredList(owned, fireOnOneErrback=True, consumeErrors=True)
    say("done")
    # The other process is done too when this line comes.
    await store.lanes.sync(sys.stdin.readline)
    seen = {}
    for follower in followers:
        await follower.look()
        everything = await follower.box.fetch(ALL_UIDS, Want.FLAGS)
        there = {record.uid: record.flags for record in everything}
        wrong = {
            uid: (follower.flags.get(uid), there.get(uid))
            for uid in follower.flags.keys() | there.keys()
            if follower.flags.get(uid) != there.get(uid)
        }
        assert not wrong, (follower.box.name, follower.state, wrong)
        seen[str(follower.box.name)] = {u: sorted(f) for u, f in there.items()}
    await store.close()
    await store.lanes.close()
    board.close()
    return {
        "given": load.given,
        "made": load.made,
        "removed": load.removed,
        "done": load.done,
        "seen": seen,
    }


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(data: str, seed: str, seconds: str) -> None:
    async def run(reactor: Any) -> None:
        answer = await work(reactor, Path(data), int(seed), float(seconds))
        say(json.dumps(answer))

    react(lambda reactor: Deferred.fromCoroutine(run(reactor)))


def begin(data: Path, seed: int, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.interop.test_two_processes",
            str(data),
            str(seed),
            str(seconds),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def there(data: Path) -> dict[str, dict[str, list[str]]]:
    """Mailbox → UID → flags, as a process sees it that comes later."""
    store = Place(data).store()
    assert [check for check in at_once(store.check(ALICE)) if check.problems] == []
    seen = {}
    for name in NAMES:
        box = at_once(store.open(ALICE, name))
        records = at_once(box.fetch(ALL_UIDS, Want.FLAGS))
        seen[str(name)] = {str(r.uid): sorted(r.flags) for r in records}
    at_once(store.close())
    return seen


@pytest.mark.parametrize("is_robbed", [False, True])
def test_nothing_is_lost_or_doubled(tmp_path: Path, is_robbed: bool) -> None:
    index = tmp_path / "mail/example.test/alice/index.sqlite"
    both = [begin(tmp_path, seed, SECONDS) for seed in (1, 2)]
    if is_robbed:
        said = [one.stdout for one in both if one.stdout is not None]
        while len(select(said, [], [], 0)[0]) < len(both):
            time.sleep(0.05)
            index.unlink(missing_ok=True)
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "done\n"
    answers = [json.loads(one.communicate("\n")[0]) for one in both]
    assert [one.returncode for one in both] == [0, 0]
    for what in WORKS:
        assert all(answer["done"].get(what) for answer in answers), what
    given = [tuple(one) for answer in answers for one in answer["given"]]
    assert len(given) == len(set(given))
    seen = [answer["seen"] for answer in answers]
    assert seen[0] == seen[1]
    made, removed = (sum(a[what] for a in answers) for what in ("made", "removed"))
    assert sum(map(len, seen[0].values())) == made - removed
    assert there(tmp_path) == seen[0]
    index.unlink()
    assert there(tmp_path) == seen[0]
    left = [path for path in tmp_path.rglob("tmp/*") if path.is_file()]
    assert left == [] == list((tmp_path / "spool").iterdir())


if __name__ == "__main__":
    main(*sys.argv[1:])
