"""Several clients of one mailbox, doing anything in any order.

Each believes only what it is told, and remembers which message had which number. No
answer may ever contradict that: no client sees a number that means another message
(RFC 9051 §2.3.1.2, §7.5.1).
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address

from mailkit.model.flags import FlagAction
from mailkit.model.mailbox import INBOX
from mailkit.model.uidset import UIDSet
from mailkit.testing.at_once import at_once
from tests.services.imap.world import ALICE, World
from tests.transcript import Wire

_EXISTS = re.compile(rb"\* (\d+) EXISTS")
_EXPUNGE = re.compile(rb"\* (\d+) EXPUNGE")
_FETCH = re.compile(rb"\* (\d+) FETCH \((?:UID (\d+) ?)?(?:FLAGS \((.*?)\))?\)")
_SEARCH = re.compile(rb"\* SEARCH(.*)")

Step = tuple[object, ...]
LETTER = b"Subject: x\r\n\r\nx\r\n"


class Client:
    """Reads what it is told, to the letter."""

    def __init__(self, world: World, revision: int) -> None:
        self.protocol = world.protocol()
        self.wire = Wire(self.protocol, IPv4Address("TCP", "127.0.0.1", 1))
        self.protocol.makeConnection(self.wire)
        self.known: list[int | None] = []
        self.is_idle = False
        self.may_expunge = True
        self.lines: list[bytes] = []
        self.tag = 0
        self.say("LOGIN alice@example.org wonderland")
        if revision == 2:
            self.say("ENABLE IMAP4rev2")
        self.say("SELECT INBOX")
        self.learn_uids()

    def say(self, command: str, may_expunge: bool = True) -> bytes:
        """One command; its tagged answer."""
        if self.is_idle:
            self.is_idle = False
            self.wire.arrive(b"DONE\r\n")
            self.hear()
        self.tag += 1
        tag = b"t%d" % self.tag
        self.may_expunge = may_expunge
        self.wire.arrive(b"%b %b\r\n" % (tag, command.encode()))
        *untagged, last = self.hear()
        assert last.startswith(tag + b" "), (command, untagged, last)
        assert not last.startswith(tag + b" BAD"), (command, last)
        self.may_expunge = True
        return last

    def idle(self) -> None:
        if not self.is_idle:
            self.tag += 1
            self.wire.arrive(b"t%d IDLE\r\n" % self.tag)
            self.is_idle = True
            self.hear()

    def hear(self) -> list[bytes]:
        lines: list[bytes] = self.wire.value().split(b"\r\n")[:-1]
        self.wire.clear()
        for line in lines:
            self.believe(line)
        return lines

    def believe(self, line: bytes) -> None:
        if match := _EXISTS.fullmatch(line):
            count = int(match[1])
            assert count >= len(self.known)
            self.known += [None] * (count - len(self.known))
        elif match := _EXPUNGE.fullmatch(line):
            assert self.may_expunge
            del self.known[int(match[1]) - 1]
        elif match := _FETCH.fullmatch(line):
            number = int(match[1])
            assert 1 <= number <= len(self.known)
            if match[2]:
                uid = int(match[2])
                assert self.known[number - 1] in (None, uid)
                self.known[number - 1] = uid

    def learn_uids(self) -> None:
        self.say("UID FETCH 1:* (FLAGS)")
        told = [uid for uid in self.known if uid is not None]
        assert told == sorted(set(told))


sets = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=2
)
who = st.integers(0, 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), who),
        st.tuples(st.just("vanish"), sets),
        st.tuples(st.just("flag"), sets),
        st.tuples(
            st.sampled_from(
                [
                    "APPEND",
                    "EXPUNGE",
                    "IDLE",
                    "NOOP",
                    "SELECT INBOX",
                    "SEARCH ALL",
                    "UID SEARCH ALL",
                ]
            ),
            who,
        ),
        st.tuples(
            st.sampled_from(
                [
                    "FETCH {} (UID FLAGS)",
                    "FETCH {} (BODY[])",
                    "STORE {} +FLAGS (\\Deleted)",
                    "STORE {} -FLAGS.SILENT (\\Deleted)",
                    "COPY {} INBOX",
                    "COPY {} Sent",
                    "MOVE {} Trash",
                ]
            ),
            who,
            st.booleans(),
            sets,
        ),
        st.tuples(st.just("UID EXPUNGE {}"), who, st.just(True), sets),
    ),
    min_size=8,
    max_size=30,
)


@given(st.integers(0, 9), st.integers(1, 2), steps)
def test_no_number_ever_means_another_message(
    begin: int, revision: int, steps: list[Step]
) -> None:
    play(World(), begin, revision, steps)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 9), st.integers(1, 2), steps)
def test_nor_does_it_over_files(begin: int, revision: int, steps: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        play(World(data=Path(folder)), begin, revision, steps)


def play(world: World, begin: int, revision: int, steps: list[Step]) -> None:
    for _ in range(begin):
        world.deliver(LETTER)
    clients = [Client(world, r) for r in (1, revision, 2)]
    for step in steps:
        match step:
            case ("deliver", _):
                world.deliver(LETTER)
            case ("vanish", list(ranges)):
                world.expunge(UIDSet.of_ranges(ranges))
            case ("flag", list(ranges)):
                uids = UIDSet.of_ranges(ranges)
                world.change(FlagAction.ADD, frozenset({"\\Deleted"}), uids)
            case (str(form), int(n), bool(uid), list(ranges)):
                _with_set(clients[n], form, uid, ranges)
            case (str(command), int(n)):
                _plain(clients[n], command)
        for client in clients:
            client.hear()
    here = list(at_once(_uids(world)))
    for client in clients:
        client.say("NOOP")
        client.learn_uids()
        assert client.known == here
    world.close()


async def _uids(world: World) -> list[int]:
    mailbox = await world.store.open(ALICE, INBOX)
    return list((await mailbox.snapshot(False)).uids)


def _plain(client: Client, command: str) -> None:
    match command:
        case "IDLE":
            client.idle()
        case "APPEND":
            client.say(f"APPEND INBOX {{{len(LETTER)}+}}\r\n{LETTER.decode()}")
        case "SELECT INBOX":
            client.known = []
            client.say("UNSELECT")
            client.say(command)
            client.learn_uids()
        case "SEARCH ALL":
            client.say(command, may_expunge=False)
        case _:
            client.say(command)


def _with_set(
    client: Client, form: str, uid: bool, ranges: list[tuple[int, int]]
) -> None:
    if form.startswith("UID"):
        uid, form = True, form[4:]
    if not uid:
        count = len(client.known)
        ranges = [(a, b) for a, b in ranges if max(a, b) <= count]
        if not ranges:
            return
    text = ",".join(f"{a}:{b}" for a, b in ranges)
    may_expunge = uid or form[:4] in ("COPY", "MOVE")
    client.say(("UID " if uid else "") + form.format(text), may_expunge)
