"""Much of everything: it works, or is refused by name, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from mailkit.interfaces.storage import IContent, NewMessage
from mailkit.model.flags import SEEN
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import UIDSet
from mailkit.services.imap.settings import IMAPSettings
from mailkit.services.sessions import Sessions
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.mailbox import MemoryMailbox
from mailkit.testing.at_once import at_once
from tests.services.imap.client import Client
from tests.services.imap.world import ALICE, World

LETTER = b"Subject: x\r\n\r\nx\r\n"


def test_connections_of_an_account(world: World) -> None:
    world.sessions = Sessions(world.directory, 3)
    clients = [Client(world) for _ in range(4)]
    answers = [client.login() for client in clients]
    assert [b"l OK" in answer for answer in answers] == [True, True, True, False]
    assert answers[3] == b"l NO [LIMIT] Too many connections of this account\r\n"
    clients[0].leave()
    assert b"l OK" in clients[3].login()
    assert b"l OK" in Client(world).login("bob", "builder")


def test_ten_thousand_mailboxes(world: World) -> None:

    async def fill() -> None:
        for number in range(10_000):
            name = MailboxName(f"box{number:05d}")
            await world.store.create(ALICE, name)

    at_once(fill())
    client = Client(world)
    client.login()
    listed = client.say('a LIST "" *')
    assert listed.count(b"* LIST ") == 10_006
    assert client.say('a LIST "" box0999%').count(b"* LIST ") == 10
    assert client.say('a LIST "" *9*9*9*').count(b"* LIST ") == 37
    status = client.say('a LIST "" box000* RETURN (STATUS (MESSAGES))')
    assert status.count(b"* STATUS ") == 100


def test_a_pattern_made_to_hurt(world: World) -> None:
    at_once(world.store.create(ALICE, MailboxName("a" * 240)))
    client = Client(world)
    client.login()
    assert client.say(f'a LIST "" {"*a" * 100}b') == b"a OK Listed\r\n"
    assert client.say(f'a LIST "" {"%a*" * 100}').count(b"* LIST ") == 1


def fill(world: World, count: int) -> None:
    async def fill() -> None:
        mailbox = await world.store.open(ALICE, INBOX)
        content = OctetsContent(LETTER)
        for start in range(0, count, 10_000):
            some = min(10_000, count - start)
            await mailbox.append([NewMessage(content, frozenset({SEEN}))] * some)

    at_once(fill())


def test_a_hundred_thousand_messages(world: World) -> None:
    fill(world, 100_000)
    client = Client(world)
    client.login()
    assert b"* 100000 EXISTS" in client.say("a SELECT INBOX")
    assert client.say("a FETCH 99999:* (UID)").startswith(b"* 99999 FETCH (UID 99999)")
    assert client.say("a UID FETCH 1:* (UID)").count(b" FETCH ") == 100_000
    odd = ",".join(str(number) for number in range(1, 20_000, 2))
    assert client.say(f"a FETCH {odd} (UID)").count(b" FETCH ") == 10_000
    world.expunge(UIDSet(((1, 50_000),)))
    assert client.say("a NOOP").count(b"* 1 EXPUNGE\r\n") == 50_000


def test_views_share_what_they_have_in_common(world: World) -> None:
    fill(world, 10_000)
    first, *clients = [Client(world) for _ in range(21)]
    for client in (first, *clients):
        client.login()
    # Who measures coverage remembers a line when it is run for the first time.
    first.say("a SELECT INBOX")
    first.leave()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for client in clients:
        client.say("a SELECT INBOX")
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert (after - before) / len(clients) < 4_000


def test_ten_thousand_parts(world: World) -> None:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    world.deliver(head + part * 10_000 + b"--b--\r\n")
    client = Client(world)
    client.login()
    client.say("a SELECT INBOX")
    assert client.say("a FETCH 1 (BODYSTRUCTURE)").endswith(b"a OK Fetched\r\n")
    assert b"a OK" in client.say("a FETCH 1 (BODY.PEEK[1] BODY.PEEK[10000])")


@pytest.mark.parametrize("depth", [100, 5_000])
def test_nested_parentheses(world: World, depth: int) -> None:
    client = Client(world)
    client.login()
    client.say("a SELECT INBOX")
    answer = client.say("a SEARCH " + "(" * depth + "ALL" + ")" * depth)
    assert answer.endswith(b"\r\n")
    assert b"a OK" in answer or b"a BAD" in answer
    assert client.say("b NOOP") == b"b OK Done\r\n"


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("NOT " * 100 + "SEEN", b" 2"),
        ("OR SEEN " * 2000 + "SEEN", b" 2"),
        ("SEEN " * 2000 + "SEEN", b" 2"),
        ("OR UID 1 " * 2000 + "UID 3", b" 1 3"),
        ("NOT (SEEN " * 50 + "SEEN" + ")" * 50, b" 1 2 3"),
        ("UNSEEN OR " + "(OR 1 " * 49 + "3" + ")" * 49 + " UID 9", b" 1 3"),
    ],
)
def test_many_keys_on_disk(tmp_path: Path, keys: str, found: bytes) -> None:
    """More than a database takes in one question, all the same answered."""
    world = World(data=tmp_path)
    for flags in ((), (SEEN,), ()):
        world.deliver(LETTER, flags=frozenset(flags))
    client = Client(world)
    client.login()
    client.say("a SELECT INBOX")
    answer = b"* SEARCH%b\r\nb OK Searched\r\n" % found
    assert client.say(f"b SEARCH {keys}") == answer
    world.close()


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_the_last_keyword_is_told(tmp_path: Path, where: str) -> None:
    """From then on PERMANENTFLAGS is without its star (RFC 9051 §7.1)."""
    world = World(data=tmp_path if where == "disk" else None)
    world.deliver(LETTER, flags=frozenset(f"k{n}" for n in range(998)))
    client = Client(world)
    client.login()
    assert b" k997 k998 k999" not in client.say("a SELECT INBOX")
    assert client.say("b STORE 1 +FLAGS.SILENT (k998 K1)") == b"b OK Stored\r\n"
    flags, permanent, done, _ = client.say("c STORE 1 +FLAGS.SILENT (K999)").split(
        b"\r\n"
    )
    assert flags.startswith(b"* FLAGS (\\Answered ")
    assert permanent.startswith(b"* OK [PERMANENTFLAGS (\\Answered ")
    assert b"K999" in flags
    assert b"\\*" not in permanent
    assert done == b"c OK Stored"
    assert client.say("d STORE 1 -FLAGS.SILENT (K999)") == b"d OK Stored\r\n"
    assert client.say("e STORE 1 +FLAGS.SILENT (K1001)").startswith(b"e NO [LIMIT]")
    assert client.say("f STORE 1 +FLAGS.SILENT (k999)") == b"f OK Stored\r\n"
    assert b"\\*" not in client.say("g SELECT INBOX")
    world.close()


def test_a_line_of_64_kib(world: World) -> None:
    client = Client(world)
    client.login()
    client.say("a SELECT INBOX")
    numbers = ",".join(["1:2"] * 16_000)
    assert client.say(f"a UID FETCH {numbers} (UID)") == b"a OK Fetched\r\n"
    assert b"a BAD" in client.say(f"a UID FETCH {numbers},{numbers} (UID)")
    assert client.say("b NOOP") == b"b OK Done\r\n"


def test_an_append_of_50_mib_goes_in_pieces(world: World) -> None:
    sizes: list[int] = []

    class Counting:
        """A spool that keeps nothing but sizes."""

        size = 0

        def begin(self) -> Counting:
            return self

        async def write(self, octets: bytes) -> None:
            sizes.append(len(octets))

        async def finish(self) -> IContent:
            return OctetsContent(LETTER)

        def discard(self) -> None:
            pass

    world.spool = Counting()  # type: ignore[assignment]  # a spool that counts
    client = Client(world)
    client.login()
    size = 50 * 1024 * 1024
    assert client.say(f"a APPEND INBOX {{{size}}}").startswith(b"+ ")
    line = b"x" * 1022 + b"\r\n"
    block = line * 64
    for _ in range(size // len(block)):
        client.wire.arrive(block)
    assert b"a OK [APPENDUID" in client.say("")
    assert sum(sizes) == size
    assert max(sizes) <= 65_536
    too_large = f"b APPEND INBOX {{{size + 1}}}"
    assert client.say(too_large) == b"b NO [TOOBIG] The message is too large\r\n"


class OnDisk:
    """A content that is not in memory, and remembers what was read of it."""

    octets = None

    def __init__(self, octets: bytes, ends_at: int | None = None) -> None:
        self._all = octets
        self._ends_at = len(octets) if ends_at is None else ends_at
        self.size = len(octets)
        self.reads: list[tuple[int, int]] = []

    async def read(self, start: int, count: int) -> bytes:
        self.reads.append((start, count))
        return self._all[start : min(start + count, self._ends_at)]


LARGE = (
    b"Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nshort\r\n"
    b"--b\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\n"
    + b"QUJDREVG\r\n" * 60_000
    + b"--b--\r\n"
)
BODY = LARGE.index(b"\r\n\r\n") + 4


def with_large(
    world: World, monkeypatch: pytest.MonkeyPatch, ends_at: int | None = None
) -> tuple[Client, OnDisk]:
    content = OnDisk(LARGE, ends_at)

    async def contents(self: MemoryMailbox, uids: UIDSet) -> list[tuple[int, IContent]]:
        return [(1, content)]  # type: ignore[list-item]  # as much of a content as is read

    monkeypatch.setattr(MemoryMailbox, "contents", contents)
    world.deliver(LARGE)
    client = Client(world)
    client.login()
    client.say("a SELECT INBOX")
    return client, content


def literal(answer: bytes) -> bytes:
    """What the first literal of an answer holds."""
    start = answer.index(b"{") + 1
    end = answer.index(b"}\r\n", start)
    return answer[end + 3 : end + 3 + int(answer[start:end])]


@pytest.mark.parametrize(
    ("item", "octets", "most_read"),
    [
        ("BODY.PEEK[]", LARGE, 262_144),
        ("BODY.PEEK[]<1000.5000>", LARGE[1000:6000], 5_000),
        ("BODY.PEEK[]<9999999.5>", b"", 0),
        ("BODY.PEEK[HEADER]", LARGE[:BODY], 65_536),
        ("BODY.PEEK[HEADER.FIELDS (X-None)]", b"\r\n", 65_536),
        (
            "BODY.PEEK[HEADER.FIELDS.NOT (Content-Type)]",
            b"Subject: large\r\n\r\n",
            65_536,
        ),
        ("BODY.PEEK[TEXT]", LARGE[BODY:], 262_144),
        ("BODY.PEEK[TEXT]<5.10>", LARGE[BODY + 5 : BODY + 15], 65_536),
        ("BODY.PEEK[1]", b"short", len(LARGE)),
        ("BODY.PEEK[1]<1.2>", b"ho", len(LARGE)),
        ("BODY.PEEK[2]", b"QUJDREVG\r\n" * 59_999 + b"QUJDREVG", len(LARGE)),
        ("BINARY.PEEK[2]", b"ABCDEF" * 60_000, len(LARGE)),
        ("BINARY.PEEK[2]<6.6>", b"ABCDEF", len(LARGE)),
        ("BINARY.PEEK[]", LARGE, 262_144),
    ],
)
def test_large_messages_are_read_in_pieces(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    item: str,
    octets: bytes,
    most_read: int,
) -> None:
    client, content = with_large(world, monkeypatch)
    answer = client.say(f"a FETCH 1 ({item} UID)")
    assert literal(answer) == octets
    assert answer.endswith(b" UID 1)\r\na OK Fetched\r\n")
    assert max((count for _, count in content.reads), default=0) <= most_read


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("BINARY.SIZE[2]", b"BINARY.SIZE[2] 360000"),
        ("BINARY.SIZE[]", b"BINARY.SIZE[] %d" % len(LARGE)),
        ("BODY.PEEK[3]", b"BODY[3] NIL"),
        ("BODY.PEEK[2.MIME]<0.12>", b"BODY[2.MIME]<0> {12}\r\nContent-Type"),
    ],
)
def test_facts_of_large_messages(
    world: World, monkeypatch: pytest.MonkeyPatch, item: str, said: bytes
) -> None:
    client, _ = with_large(world, monkeypatch)
    answer = client.say(f"a FETCH 1 ({item})")
    assert answer == b"* 1 FETCH (%b)\r\na OK Fetched\r\n" % said


def test_a_large_binary_message_may_hold_nul(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "LARGE", LARGE + b"\0")
    client, _ = with_large(world, monkeypatch)
    plain = client.say("a FETCH 1 (BODY.PEEK[])")
    assert b"{%d}" % len(LARGE) in plain
    assert b"\0" not in plain
    binary = client.say("a FETCH 1 (BINARY.PEEK[])")
    assert b"~{%d}" % len(LARGE) in binary
    assert b"\0)\r\n" in binary


def test_a_header_that_ends_too_soon_is_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = with_large(world, monkeypatch, 5)
    answer = client.say("a FETCH 1 (BODY.PEEK[HEADER])")
    assert answer == b"a NO [UNAVAILABLE] The store is out of order\r\n"


def test_a_message_that_is_all_header(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = b"Subject: x\r\n" + b"X: y\r\n" * 20_000
    monkeypatch.setitem(globals(), "LARGE", octets)
    client, _ = with_large(world, monkeypatch)
    assert literal(client.say("a FETCH 1 (BODY.PEEK[HEADER])")) == octets
    assert literal(client.say("a FETCH 1 (BODY.PEEK[TEXT])")) == b""


def test_only_so_many_octets_are_read_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    contents = MemoryMailbox.contents

    async def count(self: MemoryMailbox, uids: UIDSet) -> list[tuple[int, IContent]]:
        asked.append(len(uids))
        return await contents(self, uids)

    monkeypatch.setattr(MemoryMailbox, "contents", count)
    world.settings = IMAPSettings(contents_octets=3 * len(LETTER))
    fill(world, 7)
    world.deliver(LARGE)
    client = Client(world)
    client.login()
    client.say("a SELECT INBOX")
    assert client.say("a FETCH 1:8 (BODY.PEEK[])").count(b" FETCH ") == 8
    assert asked == [3, 3, 1, 1]


def test_a_message_that_ends_too_soon_ends_the_connection(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = with_large(world, monkeypatch, 300_000)
    answer = client.say("a FETCH 1 (BODY.PEEK[])")
    assert b"a " not in answer[-100:]
    assert client.wire.is_lost
