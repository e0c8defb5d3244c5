"""Messages that are opened: kept at hand, read where they lie."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import NoSuchMessage, Unavailable
from mailkit.interfaces.storage import IContent, NewMessage
from mailkit.model.address import AccountName
from mailkit.model.conversation import Place
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.services.reading.marking import Marking
from mailkit.services.reading.message import AtHand, Reading, ReadingSettings
from mailkit.services.reading.packing import distinct_names
from mailkit.services.reading.pictures import ProxiedPictures
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from tests.web.conversations import FewConversations, summary

ALICE = AccountName("alice@example.test")


class World:
    def __init__(self, **settings: Any) -> None:
        self.store = MemoryStore(now=lambda: 0.0)
        at_once(self.store.create_account(ALICE))
        self.conversations = FewConversations()
        pictures: Any = None  # nothing here fetches
        self.reading = Reading(
            self.store,
            self.conversations,
            DirectLanes(),
            ProxiedPictures(pictures, lambda: [b"k"], TestClock()),
            ReadingSettings(**settings),
        )

    def put(self, octets: bytes, number: int = 1) -> None:
        new = [NewMessage(OctetsContent(octets))]
        [uid] = at_once(self.store.append(ALICE, INBOX, new)).uids
        made = evolve(summary(number), places=(Place(INBOX, uid),), size=len(octets))
        self.conversations.all.append(made)

    def move(self, *places: Place) -> None:
        self.conversations.all[:] = [
            evolve(one, places=places) for one in self.conversations.all
        ]


def test_it_is_read_once() -> None:
    world = World()
    world.put(b"Subject: x\r\n\r\nhello")
    first = at_once(world.reading.open(ALICE, "m1"))
    again = at_once(world.reading.open(ALICE, "m1"))
    assert again.octets is first.octets
    assert again.shown is first.shown
    body = at_once(world.reading.body(first, shows_pictures=False))
    assert at_once(world.reading.body(first, shows_pictures=False)) is body
    assert not body.has_html
    assert not first.has_html


def test_another_place_is_tried() -> None:
    world = World()
    world.put(b"\r\nhello")
    [there] = world.conversations.all[0].places
    world.move(Place(MailboxName("Gone"), 1), Place(INBOX, 99), there)
    assert at_once(world.reading.open(ALICE, "m1")).octets == b"\r\nhello"


def test_none_is_left() -> None:
    world = World()
    world.put(b"\r\nhello")
    world.move(Place(MailboxName("Gone"), 1))
    with pytest.raises(NoSuchMessage):
        at_once(world.reading.open(ALICE, "m1"))
    with pytest.raises(NoSuchMessage):
        at_once(world.reading.open(ALICE, "m2"))


def test_large_ones_wait_for_each_other_and_are_shown_so_far() -> None:
    world = World(large=10, text=100, texts=2)
    world.put(b"\r\n" + b"x" * 200)
    message = at_once(world.reading.open(ALICE, "m1"))
    body = at_once(world.reading.body(message, shows_pictures=False))
    assert body.is_cut


def test_so_many_texts_are_shown() -> None:
    world = World(texts=2)
    parts = b"--b\r\n\r\nx\r\n" * 3
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    world.put(b"%b%b--b--" % (head, parts))
    message = at_once(world.reading.open(ALICE, "m1"))
    body = at_once(world.reading.body(message, shows_pictures=False))
    assert (len(body.texts), body.is_cut) == (2, True)
    assert at_once(world.reading.plain(message)) == "x\n\nx"


@implementer(IContent)
@define(eq=False)
class Piecewise:
    """On a disk that may have lost its end."""

    _whole: bytes
    size: int
    octets: bytes | None = None
    asked: list[int] = field(factory=list)

    async def read(self, start: int, count: int) -> bytes:
        self.asked.append(start)
        return self._whole[start : start + count]


def test_large_ones_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = b"\r\n" + b"x" * 600_000
    content = Piecewise(octets, len(octets))
    world = World()
    world.put(b"\r\nx")
    mailbox = at_once(world.store.open(ALICE, INBOX))

    async def contents(self: object, uids: object) -> list[tuple[int, IContent]]:
        return [(1, content)]

    monkeypatch.setattr(type(mailbox), "contents", contents)
    assert at_once(world.reading.open(ALICE, "m1")).octets == octets
    assert len(content.asked) == 3
    short = Piecewise(octets, len(octets) + 1)
    content = short
    world.put(b"\r\ny", 2)
    with pytest.raises(Unavailable):
        at_once(world.reading.open(ALICE, "m2"))


def test_what_was_used_last_is_at_hand() -> None:
    kept: AtHand[str] = AtHand(10)
    kept.put("a", "1", 4)
    kept.put("b", "2", 4)
    assert kept.get("a") == "1"
    kept.put("c", "3", 4)
    assert kept.get("b") is None
    kept.put("a", "4", 6)
    assert (kept.get("a"), kept.get("c")) == ("4", "3")
    kept.put("d", "5", 11)
    assert (kept.get("d"), kept.get("a")) == (None, None)


def test_names_in_an_archive() -> None:
    names = ["a.txt", "A.txt", "a.txt", "b", "b", ".x", ".x"]
    assert distinct_names(names) == [
        "a.txt",
        "A (2).txt",
        "a (3).txt",
        "b",
        "b (2)",
        ".x",
        ".x (2)",
    ]


def test_ten_thousand_of_one_name() -> None:
    names = distinct_names(["a.txt"] * 10_000)
    assert len(set(names)) == 10_000
    assert names[-1] == "a (10000).txt"


def test_marking_what_vanished() -> None:
    world = World()
    world.put(b"\r\nhello")
    world.move(Place(MailboxName("Gone"), 1))
    at_once(Marking(world.store).read(ALICE, world.conversations.all))
