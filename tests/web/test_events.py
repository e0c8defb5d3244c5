"""``/events`` as a browser reads it, without a network."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISSLTransport
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import directlyProvides

from mailkit.model.conversation import Counts
from mailkit.model.mailbox import INBOX, MailboxName, SpecialUse
from mailkit.model.websession import WebSession
from mailkit.services.live.news import (
    Arrived,
    Counted,
    LiveEvent,
    LookAnew,
    News,
    SentState,
    SessionsChanged,
    ThreadChanged,
    ThreadsGone,
    tell_draft,
)
from mailkit.testing.at_once import at_once
from mailkit.web.webmail.events import EPOCH, PING, frame_of
from tests.web.conversations import summary
from tests.web.world import ALICE, HOST, STATICS, WebWorld

DRAFT = "0123456789abcdef0123456789abcdef"
USES = {INBOX: None, MailboxName("Entwürfe"): SpecialUse.DRAFTS}


OPEN: list[Stream] = []
"""Streams of the test that runs."""


class Stream:
    """One connection that is kept open."""

    def __init__(self, world: WebWorld, **headers: str) -> None:
        address = IPv4Address("TCP", "192.0.2.7", 50000)
        self._is_lost = False
        self._channel: Any = world.site.buildProtocol(address)  # Twisted's
        transport: Any = StringTransport(peerAddress=address)
        self._transport = transport
        self._transport.setTcpNoDelay = lambda wish: None
        directlyProvides(self._transport, ISSLTransport)
        self._channel.makeConnection(self._transport)
        OPEN.append(self)
        cookies = "; ".join(f"{name}={value}" for name, value in world.cookies.items())
        lines = {
            "Host": HOST,
            "Cookie": cookies,
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Dest": "empty",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._channel.dataReceived(f"GET /events HTTP/1.0\r\n{head}\r\n".encode())
        self.head, _, rest = self._transport.value().partition(b"\r\n\r\n")
        self._transport.clear()
        self._transport.write(rest)

    def heard(self) -> list[str]:
        """Blocks since the last time."""
        text = self._transport.value().decode()
        self._transport.clear()
        return [block for block in text.split("\n\n") if block]

    @property
    def is_over(self) -> bool:
        return bool(self._transport.disconnecting)

    def leave(self) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        self._channel.connectionLost(Failure(ConnectionDone()))


@pytest.fixture
def world() -> Iterator[WebWorld]:
    world = WebWorld()
    world.sign_in()
    yield world
    while OPEN:
        OPEN.pop().leave()


def data(block: str) -> Any:
    return json.loads(block.partition("data: ")[2])


def test_it_begins_with_hello(world: WebWorld) -> None:
    world.conversations.all.append(summary(1))
    stream = Stream(world)
    head = stream.head.decode()
    assert head.startswith("HTTP/1.1 200") or head.startswith("HTTP/1.0 200")
    assert "Content-Type: text/event-stream; charset=utf-8" in head
    assert "X-Accel-Buffering: no" in head
    assert "Cache-Control: no-store" in head
    retry, hello = stream.heard()
    assert retry == "retry: 3000"
    assert hello.startswith(f"event: hello\nid: {EPOCH}.1\n")
    assert data(hello) == {
        "v": STATICS.version,
        "unread": 1,
        "serverTime": int(world.clock.seconds()),
    }


def test_something_is_said_in_silence(world: WebWorld) -> None:
    stream = Stream(world)
    stream.heard()
    world.clock.advance(PING - 1)
    assert stream.heard() == []
    world.clock.advance(1)
    assert stream.heard() == [": ping"]
    stream.leave()
    world.clock.advance(PING)
    assert stream.heard() == []


def test_what_happens_is_told(world: WebWorld) -> None:
    stream = Stream(world)
    stream.heard()
    tell_draft(world.board, ALICE, DRAFT, 3)
    [draft] = stream.heard()
    assert draft.startswith("event: draft\n")
    assert data(draft) == {"draftId": DRAFT, "rev": 3}


def test_whoever_comes_back(world: WebWorld) -> None:
    Stream(world).leave()
    tell_draft(world.board, ALICE, DRAFT, 3)
    _, _, draft = Stream(world, Last_Event_ID=f"{EPOCH}.0").heard()
    assert data(draft) == {"draftId": DRAFT, "rev": 3}
    for id in ("0.0", "x", f"{EPOCH}.", f"{EPOCH}.{'9' * 30}", f"{EPOCH}.99"):
        _, _, reset = Stream(world, Last_Event_ID=id).heard()
        assert reset.startswith("event: reset\n")


def test_of_seven_the_first_gives_way(world: WebWorld) -> None:
    streams = [Stream(world) for _ in range(7)]
    assert [stream.is_over for stream in streams] == [True] + [False] * 6
    assert streams[0].heard()[-1] == "retry: 60000"  # it does not come back at once


def test_signing_out_ends_it(world: WebWorld) -> None:
    stream = Stream(world)
    stream.heard()
    world.post("/logout", action="session")
    [ended] = stream.heard()
    assert (ended.splitlines()[0], data(ended)) == (
        "event: session",
        {"state": "ended"},
    )
    assert stream.is_over


def test_signing_out_another_browser_does_not(world: WebWorld) -> None:
    stream = Stream(world)
    stream.heard()
    world.cookies.clear()
    world.sign_in()
    world.post("/logout", action="session")
    assert stream.heard() == [": ping"]
    assert not stream.is_over


ENDED = {"state": "ended"}


def sessions(heard: Sequence[str]) -> list[object]:
    """What was said of the session."""
    return [data(one) for one in heard if one.startswith("event: session")]


def browsers(world: WebWorld) -> Coroutine[Any, Any, Sequence[WebSession]]:
    return world.house.sign_in.browsers(ALICE)


def test_a_session_that_is_nearly_over(world: WebWorld) -> None:
    """Whoever has the page open and does nothing is told once."""
    stream = Stream(world)
    heard: list[str] = []
    for _ in range(12 * 3600 // 25 + 2):
        world.clock.advance(PING)
        heard += stream.heard()
    assert sessions(heard) == [{"state": "expiring", "extends": True}, ENDED]
    assert stream.is_over


def test_a_session_that_is_used_goes_on(world: WebWorld) -> None:
    """Whichever page of the browser was used: all of them hear that it was."""
    stream = Stream(world)
    heard: list[str] = []
    while not sessions(heard):
        world.clock.advance(PING)
        heard += stream.heard()
    world.get("/mail/inbox", {"X-Mailkit-Swap": "list"})
    world.clock.advance(PING)
    assert sessions(stream.heard()) == [{"state": "going on"}]
    world.clock.advance(PING)
    assert sessions(stream.heard()) == []
    [session] = at_once(browsers(world))
    left = at_once(world.house.sign_in.left(session))
    assert left > 11 * 3600


def test_a_session_that_is_over_however_it_is_used(world: WebWorld) -> None:
    """After thirty days one signs in again; that is said without an offer."""
    [session] = at_once(browsers(world))
    while (left := world.house.sign_in.longest_left(session)) > 400:
        world.clock.advance(min(6 * 3600.0, left - 390))
        world.get("/mail/inbox")
    stream = Stream(world)
    heard: list[str] = []
    for _ in range(400 // 25 + 1):
        world.clock.advance(PING)
        heard += stream.heard()
    assert sessions(heard) == [{"state": "expiring", "extends": False}, ENDED]


def test_the_end_of_the_server(world: WebWorld) -> None:
    stream = Stream(world)
    stream.heard()
    world.house.live.close()
    assert stream.is_over
    assert stream.heard() == []  # it comes back as soon as ever


@pytest.mark.parametrize(
    ("news", "name", "facts"),
    [
        (
            Arrived(summary(1, "Plans", when=5.5), True, USES),
            "mail",
            {
                "threadId": "t1",
                "mailboxIds": ["inbox"],
                "notify": True,
                "from": "Ingrid Solheim",
                "subject": "Plans",
                "receivedAt": 5,
            },
        ),
        (
            Arrived(summary(1, mailbox=MailboxName("Entwürfe")), False, USES),
            "mail",
            {"threadId": "t1", "mailboxIds": ["drafts"], "notify": False},
        ),
        (
            ThreadChanged("t1", frozenset({"\\Seen", "$l_x"}), (INBOX,), 2, USES),
            "thread",
            {
                "threadId": "t1",
                "keywords": ["$l_x", "$seen"],
                "mailboxIds": ["inbox"],
                "total": 2,
            },
        ),
        (ThreadsGone(("t1",)), "gone", {"threadIds": ["t1"]}),
        (
            Counted({MailboxName("A/B"): Counts(3, 1)}, USES),
            "counts",
            {"folder/A/B": {"unread": 1, "total": 3}},
        ),
        (
            SentState(DRAFT, "failed", "no\nway"),
            "sent",
            {"draftId": DRAFT, "state": "failed", "reason": "no\nway"},
        ),
        (LookAnew(), "reset", {}),
        (SessionsChanged(), "session", {"state": "changed"}),
    ],
)
def test_events(news: News, name: str, facts: object) -> None:
    block = frame_of(LiveEvent(4, news)).decode()
    first, id, said = block.rstrip("\n").split("\n")
    assert (first, id) == (f"event: {name}", f"id: {EPOCH}.4")
    assert json.loads(said.removeprefix("data: ")) == facts
    assert block.endswith("\n\n")


def test_left_is_not_use(world: WebWorld) -> None:
    """Asking how long a session lasts does not make it last."""
    [session] = at_once(world.house.sign_in.browsers(ALICE))
    before = at_once(world.house.sign_in.left(session))
    world.clock.advance(100)
    assert at_once(world.house.sign_in.left(session)) == before - 100
