"""What transcripts cannot tell: messages that break off."""

from __future__ import annotations

import pytest
from attrs import define
from twisted.internet.address import IPv4Address
from zope.interface import implementer

from mailkit.errors import MailboxGone, StorageBroken
from mailkit.interfaces.storage import IContent
from mailkit.services.pop3.maildrop import Maildrop
from tests.services.pop3.test_transcripts import POP3World
from tests.transcript import Wire

START = b"Subject: one\r\n\r\n" + b"line\r\n" * 1000


@implementer(IContent)
@define(eq=False)
class BrokenOff:
    """A file whose end cannot be read; the first ``good`` octets can."""

    is_told: bool
    good: int = len(START)
    size: int = 100_000
    octets: None = None

    async def read(self, start: int, count: int) -> bytes:
        if start < self.good:
            return START[start : start + count]
        if self.is_told:
            raise StorageBroken("cannot read")
        return b""


def retrieve(content: BrokenOff, monkeypatch: pytest.MonkeyPatch) -> Wire:
    async def broken(drop: Maildrop, number: int) -> IContent:
        return content

    monkeypatch.setattr(Maildrop, "content", broken)
    pump = POP3World().pop3()
    wire = Wire(pump, IPv4Address("TCP", "192.0.2.1", 54321))
    pump.makeConnection(wire)
    wire.arrive(b"STLS\r\n")
    wire.arrive(b"USER alice@example.org\r\nPASS wonderland\r\n")
    wire.clear()
    wire.arrive(b"RETR 1\r\nQUIT\r\n")
    return wire


def test_commands_that_mean_nothing_are_counted() -> None:
    """Those before a command that is understood, and those before the end."""
    world = POP3World()
    pump = world.pop3()
    wire = Wire(pump, IPv4Address("TCP", "192.0.2.1", 54321))
    pump.makeConnection(wire)
    labels = {"protocol": "pop3", "name": "other", "outcome": "malformed"}

    def counted() -> float | None:
        return world.metrics.registry.get_sample_value("mailkit_commands_total", labels)

    wire.arrive(b"CAPA\r\n")
    assert counted() is None
    wire.arrive(b"WHAT\r\nSTAT\r\nCAPA\r\n")
    assert counted() == 2
    wire.arrive(b"AGAIN\r\n")
    wire.leave()
    assert counted() == 3


@pytest.mark.parametrize("is_told", [True, False])
def test_a_message_that_breaks_off_has_no_end(
    is_told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No dot: what is read to the end may be deleted by its reader."""
    wire = retrieve(BrokenOff(is_told), monkeypatch)
    assert wire.value() == b"+OK 100000 octets\r\n" + START
    assert wire.disconnecting


def test_a_message_that_cannot_be_read_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = retrieve(BrokenOff(True, good=0), monkeypatch)
    assert wire.value() == (
        b"-ERR [SYS/TEMP] Not now, try again later\r\n+OK Goodbye\r\n"
    )


def test_what_is_marked_stays_if_it_cannot_be_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(drop: Maildrop) -> None:
        raise MailboxGone

    monkeypatch.setattr(Maildrop, "update", gone)
    wire = retrieve(BrokenOff(True, good=0), monkeypatch)
    assert wire.value().endswith(
        b"-ERR [SYS/TEMP] Some deleted messages not removed\r\n"
    )
    assert wire.disconnecting
