"""What is said to a host, in which groups, and what is noted of it."""

from __future__ import annotations

import pytest
from twisted.python.failure import Failure

from mailkit.errors import (
    StorageBroken,
    Unreachable,
)
from mailkit.interfaces.queue import Carried, NextHost
from mailkit.net.relay.settings import RelaySettings
from tests.net.relay.sink import (
    CHUNKING,
    CUT,
    HANG,
    PLAIN_HELLO,
)
from tests.net.relay.world import (
    MAIL,
    SINK,
    TEXT,
    OnDisk,
    World,
    commands,
    item,
    offering,
    told,
)

STUFFED = TEXT.replace(b"\r\n.", b"\r\n..")


def test_one_group() -> None:
    """MAIL, RCPT and DATA leave together (RFC 2920 §3.1)."""
    world = World()
    carried = world.carry(item("a@sink.test", "b@sink.test"))
    sink = world.host.sink
    assert sink.heard[:5] == [
        "EHLO us.test",
        MAIL,
        "RCPT TO:<a@sink.test>",
        "RCPT TO:<b@sink.test>",
        "DATA",
    ]
    assert sink.reads == [1, 4]
    assert sink.texts == [STUFFED]
    assert carried.tls == ""


def test_one_by_one() -> None:
    world = World({"EHLO": PLAIN_HELLO})
    world.carry(item("a@sink.test", "b@sink.test"))
    assert world.host.sink.reads == [1, 1, 1, 1, 1]
    assert "MAIL FROM:<x@elsewhere.test>" in commands(world)


def test_by_chunks() -> None:
    """BDAT needs no dots stuffed; pieces go ahead of their replies."""
    settings = RelaySettings(piece=10, window=3)
    world = World({"EHLO": CHUNKING}, settings)
    content = OnDisk(TEXT)
    assert told(world.carry(item(), content)) == ["a sent 2.0.0 250 2.0.0 Taken"]
    sink = world.host.sink
    assert sink.texts == [TEXT]
    chunks = [line for line in sink.heard if line.startswith("BDAT")]
    assert chunks[:2] == ["BDAT 10", "BDAT 10"]
    assert chunks[-1] == f"BDAT {len(TEXT) % 10} LAST"
    assert sink.reads[2] == 3  # the window
    assert max(count for _, count in content.reads) == 10


def test_an_empty_message_by_chunks() -> None:
    world = World({"EHLO": CHUNKING})
    assert told(world.carry(item(), b"")) == ["a sent 2.0.0 250 2.0.0 Taken"]
    assert commands(world)[-1] == "BDAT 0 LAST"


def test_a_chunk_is_refused() -> None:
    """Nothing more is sent than was on its way, and the connection stays good."""
    settings = RelaySettings(piece=10, window=3)
    world = World(
        {"EHLO": CHUNKING, "BDAT": ["250 ok", "552 5.3.4 Too much", "503 5.5.1 No"]},
        settings,
    )
    carried = world.carry(item(), OnDisk(TEXT))
    assert told(carried) == ["a failed 5.3.4 552 5.3.4 Too much"]
    assert not carried.is_doubtful
    assert world.host.sink.texts == []
    world.carry(item(), b"short\r\n")
    assert commands(world)[-4:-1] == [
        "RSET",
        "MAIL FROM:<x@elsewhere.test> SIZE=7",
        "RCPT TO:<a@sink.test>",
    ]


def test_a_chunk_and_a_cut() -> None:
    settings = RelaySettings(piece=10, window=1)
    world = World({"EHLO": CHUNKING, "BDAT": ["250 ok", CUT]}, settings)
    carried = world.carry(item(), OnDisk(TEXT))
    assert told(carried) == [
        "a waiting 4.4.2 it closed the connection, while the message was sent"
    ]
    assert not carried.is_doubtful


def test_pieces_of_text() -> None:
    """Dots are safe wherever pieces are cut."""
    for piece in range(1, 12):
        world = World(settings=RelaySettings(piece=piece))
        text = b"a: b\r\n\r\n.\r\n..\r\nx\r\n.y\r\n"
        world.carry(item(), OnDisk(text))
        assert world.host.sink.texts == [b"a: b\r\n\r\n..\r\n...\r\nx\r\n..y\r\n"]


def test_back_pressure() -> None:
    """A host that reads nothing is not read for either, and for so long only."""
    world = World(settings=RelaySettings(piece=10, block=180.0))
    content = OnDisk(TEXT)
    ours: list[object] = []
    world.host.answers["DATA"] = HANG
    found = world.begin(item(), content)
    wire, theirs = world.net.wires[0]
    reads = len(content.reads)
    wire.fill()
    theirs.write(b"354 Go on\r\n")
    world.net.flow()
    assert len(content.reads) == reads + 1
    wire.drain()
    world.net.flow()
    assert len(content.reads) > reads + 1
    assert found == ours


def test_a_host_that_reads_nothing() -> None:
    world = World({"DATA": HANG}, RelaySettings(piece=10, block=180.0))
    found = world.begin(item(), OnDisk(TEXT))
    wire, theirs = world.net.wires[0]
    wire.fill()
    theirs.write(b"354 Go on\r\n")
    world.net.flow()
    world.pass_time(181)
    (carried,) = found
    assert isinstance(carried, Carried)
    assert told(carried) == [
        "a waiting 4.4.2 it took nothing for 180 s, while the message was sent"
    ]


def test_the_file_is_shorter_than_it_was() -> None:
    """What was begun is given up: no end is sent."""
    world = World(settings=RelaySettings(piece=10))
    content = OnDisk(TEXT)
    world.host.answers["DATA"] = HANG
    found = world.begin(item(), content)
    content.lies = 5
    world.net.wires[0][1].write(b"354 Go on\r\n")
    world.net.flow()
    (failure,) = found
    assert isinstance(failure, Failure)
    assert isinstance(failure.value, StorageBroken)
    assert not world.net.wires


def test_numbers() -> None:
    world = World({"RCPT": ["250 ok", "550 5.1.1 No", "250 ok"]})
    world.carry(item("a@sink.test", "b@sink.test"))
    world.carry(item())
    get = world.metrics.registry.get_sample_value
    for outcome, number in (("clear", 1), ("reused", 1), ("failed", None)):
        labels = {"protocol": "smtp", "outcome": outcome}
        assert get("mailkit_relay_connections_total", labels) == number
    for outcome, number in (("sent", 2), ("failed", 1), ("waiting", None)):
        labels = {"protocol": "smtp", "outcome": outcome}
        assert get("mailkit_relay_recipients_total", labels) == number
    assert get("mailkit_relay_seconds_count", {"protocol": "smtp"}) == 2


def test_dialogue() -> None:
    """It can be logged, and no secret is in it."""
    from twisted.logger import globalLogPublisher

    lines: list[str] = []

    def observe(event: dict[str, object]) -> None:
        lines.append(repr(event.get("event")))

    globalLogPublisher.addObserver(observe)  # type: ignore[arg-type]
    try:
        world = World({"EHLO": offering("AUTH PLAIN"), "AUTH": "235 In"},
                      RelaySettings(dialogue=True))  # fmt: skip
        local = NextHost(
            name="lo", address="127.0.0.1", port=25, policy=SINK.policy,
            username="u", password="secret",
        )  # fmt: skip
        with pytest.raises(Unreachable, match="without TLS no password is sent"):
            world.carry(item(), host=local)
        world.carry(item())
    finally:
        globalLogPublisher.removeObserver(observe)  # type: ignore[arg-type]
    assert any("MailFrom" in line for line in lines)
    assert any("Answered" in line for line in lines)
    assert not any("secret" in line for line in lines)
