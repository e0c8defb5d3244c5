"""Which connections there are, how long, and what is said where there is none."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    NoRouteError,
    TimeoutError,
)

from mailkit.errors import (
    Unavailable,
    Unreachable,
)
from mailkit.interfaces.queue import Carried
from mailkit.model.tlspolicy import TLSLevel, TLSPolicy
from mailkit.net.relay.settings import RelaySettings
from tests.net.relay.sink import (
    BREAK,
    CUT,
    GOOD,
    HANG,
    PLAIN_HELLO,
)
from tests.net.relay.world import (
    MAIL,
    SINK,
    World,
    commands,
    item,
    lmtp,
    offering,
    told,
)

# -- connections


def test_a_connection_is_used_again() -> None:
    world = World()
    world.carry(item())
    world.carry(item("b@sink.test"))
    assert [line.split(" ")[0] for line in commands(world)] == [
        "EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA",
    ]  # fmt: skip
    world.pass_time(9)
    assert commands(world)[-1] == "QUIT"
    assert not world.net.wires


def test_others_have_other_connections() -> None:
    world = World()
    one = world.begin(item())
    world.carry(item(), host=evolve(SINK, port=26))
    world.carry(item(), host=lmtp())
    strict = evolve(SINK, policy=TLSPolicy(level=TLSLevel.ENCRYPT))
    with pytest.raises(Unreachable):
        world.carry(item(), host=strict)
    assert len(world.host.sinks) == 4
    assert len(one) == 1


def test_many_at_once() -> None:
    world = World({"text": HANG}, later={**GOOD, "text": HANG})
    for _ in range(5):
        world.begin(item())
    assert len(world.host.sinks) == 5
    world.pass_time(601)
    world.pass_time(10)
    assert not world.net.wires


def test_messages_a_connection() -> None:
    world = World(settings=RelaySettings(messages=2))
    for _ in range(3):
        world.carry(item())
    assert [sink.heard.count("DATA") for sink in world.host.sinks] == [2, 1]
    assert world.host.sinks[0].heard[-1] == "QUIT"


def test_idle_connections_are_few() -> None:
    world = World(settings=RelaySettings(idle_connections=0))
    world.carry(item())
    assert commands(world)[-1] == "QUIT"


def test_an_open_transaction_is_reset() -> None:
    world = World({"RCPT": ["550 5.1.1 No", "250 ok"], "DATA": ["503 No", "354 Go"]})
    world.carry(item())
    assert told(world.carry(item())) == ["a sent 2.0.0 250 2.0.0 Taken"]
    assert commands(world)[4:] == ["RSET", MAIL, "RCPT TO:<a@sink.test>", "DATA"]


def test_an_open_transaction_is_reset_one_by_one() -> None:
    world = World({"EHLO": PLAIN_HELLO, "RCPT": ["550 5.1.1 No", "250 ok"]})
    world.carry(item())
    assert told(world.carry(item())) == ["a relayed 2.0.0 250 2.0.0 Taken"]
    assert [each.split(" ")[0] for each in commands(world)[3:]] == [
        "RSET", "MAIL", "RCPT", "DATA",
    ]  # fmt: skip


def test_data_for_nobody() -> None:
    """It says 354 although nobody was taken: an empty message, and on we go."""
    world = World({"RCPT": ["550 5.1.1 No", "250 ok"]})
    assert told(world.carry(item())) == ["a failed 5.1.1 550 5.1.1 No"]
    assert world.host.sink.texts == [b""]
    world.carry(item())
    assert "RSET" not in commands(world)


@pytest.mark.parametrize(
    "goes",
    [CUT, f"{BREAK} 421 4.3.2 Idle for too long", HANG],
)
def test_a_stale_connection(goes: str) -> None:
    """One that was kept and has gone bad is not the host's last word."""
    world = World({"MAIL": ["250 ok", goes]})
    world.carry(item())
    assert told(world.carry(item())) == ["a sent 2.0.0 250 2.0.0 Taken"]
    assert len(world.host.sinks) == 2


def test_a_new_connection_is_the_last_word() -> None:
    world = World({"MAIL": ["250 ok", CUT]}, later={**GOOD, "MAIL": CUT})
    world.carry(item())
    with pytest.raises(Unreachable):
        world.carry(item())
    assert len(world.host.sinks) == 2


@pytest.mark.parametrize("words", ["421 4.4.2 Idle\r\n", "220 Again\r\n", ""])
def test_an_idle_connection_ends(words: str) -> None:
    """Said or unsaid, nobody is given it."""
    world = World()
    world.carry(item())
    wire = world.net.wires[0][1]
    wire.write(words.encode())
    if not words:
        wire.loseConnection()
    world.net.flow()
    assert not world.net.wires
    world.carry(item())
    assert len(world.host.sinks) == 2


def test_quit_is_not_answered() -> None:
    world = World({"QUIT": HANG})
    world.host.answers["QUIT"] = HANG
    world.carry(item())
    world.host.sink.transport.loseConnection = lambda: None  # type: ignore
    world.pass_time(20)
    assert not world.net.wires


def test_time_outs_begin_with_the_wait() -> None:
    """Each reply has its own: a timer that was set for one does not end the next."""
    world = World({"MAIL": HANG, "EHLO": offering(but="PIPELINING")})
    found = world.begin(item())
    world.pass_time(290)
    wire = world.net.wires[0][1]
    world.host.sink._is_deaf = False
    world.host.sink.answers["RCPT"] = [HANG]
    wire.write(b"250 ok\r\n")
    world.net.flow()
    world.pass_time(290)
    assert not found
    world.pass_time(20)
    (carried,) = found
    assert isinstance(carried, Carried)
    assert told(carried) == [
        "a waiting 4.4.2 no reply within 300 s, before its reply to RCPT"
    ]


# -- no connection


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), ": connection refused$"),
        (ConnectionRefusedError(), ": connection was refused by other side$"),
        (TimeoutError(), "no connection within 15 s"),
        (NoRouteError("no route"), ": no route to host: no route$"),
        (ConnectError(osError=OSError(113, "Nobody home")), ": nobody home$"),
        (OSError(97, "Whatever"), ": address family not supported by protocol$"),
    ],
)
def test_no_connection(error: Exception, words: str) -> None:
    world = World(refusal=error)
    with pytest.raises(Unreachable, match=words) as caught:
        world.carry(item())
    assert str(caught.value).startswith("mx.sink.test [192.0.2.1]:25: no connection")
    assert caught.value.status == "4.4.1"


@pytest.mark.parametrize(
    ("name", "address", "where"),
    [
        ("[192.0.2.1]", "192.0.2.1", "[192.0.2.1]:25"),
        ("", "2001:db8::1", "[2001:db8::1]:25"),
        ("lmtp", "/run/lmtp", "/run/lmtp"),
    ],
)
def test_where(name: str, address: str, where: str) -> None:
    world = World(refusal=ConnectionRefusedError())
    with pytest.raises(Unreachable) as caught:
        world.carry(item(), host=evolve(SINK, name=name, address=address))
    assert str(caught.value).startswith(f"{where}: no connection: ")


# -- the end


def test_close() -> None:
    """Idle connections are left at once, the others when they are done."""
    world = World()
    world.carry(item())
    world.host.answers["text"] = HANG
    busy = World({"text": HANG})
    carrying = busy.begin(item())
    ends = [each.start(each.relay.close()) for each in (world, busy)]
    world.net.flow()
    assert [len(end) for end in ends] == [1, 0]
    assert commands(world)[-1] == "QUIT"
    busy.net.wires[0][1].write(b"250 ok\r\n")
    busy.host.sink._is_deaf = False
    busy.net.flow()
    assert len(carrying) == 1
    assert len(ends[1]) == 1
    with pytest.raises(Unavailable):
        busy.carry(item())


@pytest.mark.parametrize("closes", [True, False])
def test_the_end_waits_for_the_lines(closes: bool) -> None:
    """What was said is over before its connection is: TLS has an end of its own."""
    world = World()
    world.carry(item())
    wire = world.net.wires[0][0]
    wire.loseConnection = lambda: None  # type: ignore[method-assign]
    theirs = world.host.sink.transport
    assert theirs is not None
    theirs.loseConnection = lambda: None  # type: ignore[method-assign]
    end = world.start(world.relay.close())
    world.net.flow()
    assert commands(world)[-1] == "QUIT"
    assert not end
    del wire.loseConnection
    if closes:
        wire.loseConnection()
        world.net.flow()
    else:
        world.pass_time(10)
        assert wire.is_aborted
    assert end == [None]
    assert not world.net.wires
    assert not world.clock.getDelayedCalls()


def test_nothing_to_close() -> None:
    world = World()
    assert world.start(world.relay.close()) == [None]
