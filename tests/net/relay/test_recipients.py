"""Transactions of many recipients."""

from __future__ import annotations

from mailkit.errors import StorageBroken
from mailkit.net.relay.settings import RelaySettings
from tests.net.relay.sink import (
    CUT,
    GOOD,
    Answers,
)
from tests.net.relay.world import (
    TEXT,
    OnDisk,
    World,
    commands,
    item,
    offering,
    told,
)


def many(count: int) -> list[str]:
    return [f"r{number}@sink.test" for number in range(count)]


def test_a_hundred_recipients_at_once() -> None:
    world = World()
    carried = world.carry(item(*many(250)))
    assert {each.fate.value for each in carried.reports} == {"sent"}
    assert len(carried.reports) == 250
    rcpts = [line.split(" ")[0] for line in commands(world)]
    assert rcpts.count("MAIL") == 3
    assert world.host.sink.reads == [1, 102, 102, 52]


def test_the_hosts_own_limits() -> None:
    """RFC 9422: RCPTMAX a transaction, MAILMAX a connection."""
    world = World({"EHLO": offering("LIMITS RCPTMAX=2 MAILMAX=2 X=y")})
    carried = world.carry(item(*many(5)))
    assert len(carried.reports) == 5
    assert [sink.heard.count("DATA") for sink in world.host.sinks] == [2, 1]


def test_domains_of_one_transaction() -> None:
    """RFC 9422 §5.3: RCPTDOMAINMAX."""
    world = World({"EHLO": offering("LIMITS RCPTDOMAINMAX=1")})
    world.carry(item("a@one.test", "b@one.test", "c@two.test", "d@three.test"))
    assert [each.count("RCPT TO") for each in ["".join(commands(world))]] == [4]
    assert list(commands(world)).count("DATA") == 3


def test_too_many_recipients() -> None:
    """Who only came too late goes next, not later (RFC 5321 §4.5.3.1.10)."""
    answers: Answers = {
        "RCPT": ["250 ok", "250 ok", "452 4.5.3 Too many", "552 Too many", "250 ok"]
    }
    world = World(answers)
    carried = world.carry(item(*many(4)))
    assert [each.fate.value for each in carried.reports] == ["sent"] * 4
    assert [each.path.local_part for each in carried.reports] == [
        "r0", "r1", "r2", "r3",
    ]  # fmt: skip
    assert list(commands(world)).count("DATA") == 2


def test_too_many_and_no_message() -> None:
    world = World({"RCPT": ["250 ok", "452 4.5.3 Too many"], "text": "451 4.3.0 No"})
    assert told(world.carry(item("a@sink.test", "b@sink.test"))) == [
        "a waiting 4.3.0 451 4.3.0 No",
        "b waiting 4.5.3 452 4.5.3 Too many",
    ]


def test_the_rest_waits_when_the_host_goes() -> None:
    world = World({"text": CUT}, RelaySettings(recipients=1))
    assert told(world.carry(item("a@sink.test", "b@sink.test")))[1] == (
        "b waiting 4.4.2 it hung up before"
    )


def test_the_rest_waits_when_there_is_no_second_connection() -> None:
    world = World(
        {},
        RelaySettings(recipients=1, messages=1),
        later={**GOOD, "greeting": "554 No"},
    )
    assert told(world.carry(item("a@sink.test", "b@sink.test"))) == [
        "a sent 2.0.0 250 2.0.0 Taken",
        "b waiting 4.3.2 mx.sink.test [192.0.2.1]:25: it greeted with 554 No",
    ]


class Dying(OnDisk):
    """Can be read so many times."""

    async def read(self, start: int, count: int) -> bytes:
        if len(self.reads) >= 14:
            raise StorageBroken("the disk")
        return await super().read(start, count)


def test_who_has_it_has_it_though_the_rest_cannot_be_read() -> None:
    world = World(settings=RelaySettings(recipients=1, piece=8))
    assert told(world.carry(item("a@sink.test", "b@sink.test"), Dying(TEXT))) == [
        "a sent 2.0.0 250 2.0.0 Taken",
        "b waiting 4.3.0 the disk",
    ]


def test_who_has_it_has_it_though_the_host_takes_no_more_such_mail() -> None:
    world = World(
        {"EHLO": offering("SMTPUTF8")},
        RelaySettings(recipients=1, messages=1),
        later=GOOD,
    )
    octets = b"From: x@elsewhere.test\r\nSubject: \xc3\xbc\r\n\r\nHello\r\n"
    assert told(world.carry(item("a@sink.test", "b@sink.test"), octets)) == [
        "a sent 2.0.0 250 2.0.0 Taken",
        "b waiting 4.3.0 the host does not take addresses and headers in UTF-8",
    ]
