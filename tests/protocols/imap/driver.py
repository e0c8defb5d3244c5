"""A session that says yes to everything and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import define, field

from mailkit.protocols.imap.events import (
    AppendAborted,
    AppendBegins,
    AppendChunk,
    AuthCancelled,
    Authenticate,
    Done,
    Enable,
    Event,
    HangUp,
    Idle,
    Logout,
)
from mailkit.protocols.imap.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.imap.response import Response, bad, ok
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.imap.state import State

SMALL = Limits(command=1000, literals=1000, swallowed=5000, chunk=64, bad_commands=5)


@define
class Driver:
    """Feeds a machine, answers OK and keeps events and output."""

    machine: IMAPServer
    events: list[Event] = field(factory=list)
    output: bytes = b""
    answer: Callable[[Event], Response | None] = lambda event: None
    """What to answer instead of OK, at once."""

    def feed(self, octets: bytes) -> bytes:
        """What the machine says to these octets."""
        self.machine.receive(octets)
        while (event := self.machine.next_event()) is not None:
            self.events.append(event)
            self._react(event)
        said = self.machine.take_output()
        self.output += said
        return said

    def _react(self, event: Event) -> None:
        machine = self.machine
        other = self.answer(event)
        if other is not None:
            machine.answer(other)
            return
        match event:
            case AppendChunk():
                pass
            case AppendBegins():
                machine.accept_literal()
            case Authenticate(_, None):
                machine.challenge(b"")
            case Idle():
                machine.continue_()
            case AppendAborted(problem) | AuthCancelled(problem):
                machine.answer(bad(problem))
            case Done(problem) if problem:
                machine.answer(bad(problem))
            case HangUp(reason):
                machine.bye(reason)
            case Logout():
                machine.bye("Goodbye")
                machine.answer(ok("Done"))
            case Enable(names):
                machine.enable(names)
                machine.answer(ok("Done"))
            case _:
                machine.answer(ok("Done"))


def driver(
    state: State = State.SELECTED,
    limits: Limits = DEFAULT_LIMITS,
    enabled: Iterable[str] = (),
    answer: Callable[[Event], Response | None] = lambda event: None,
) -> Driver:
    """A driver whose machine is in this state already."""
    machine = IMAPServer(limits)
    machine.state = state
    machine.enable(enabled)
    return Driver(machine, answer=answer)


def read(line: bytes, state: State = State.SELECTED, *enabled: str) -> Event:
    """The one event of one command, which must not be refused."""
    driven = driver(state, enabled=enabled)
    driven.feed(b"a " + line + b"\r\n")
    assert len(driven.events) == 1, driven.output
    return driven.events[0]


def refusal(line: bytes, state: State = State.SELECTED, *enabled: str) -> str:
    """What a command is refused with, tag and CRLF taken off."""
    driven = driver(state, enabled=enabled)
    driven.feed(b"a " + line + b"\r\n")
    assert driven.events == []
    said = driven.output.decode()
    assert said.startswith("a ")
    assert said.endswith("\r\n")
    return said[2:-2]
