"""Plays one dialogue against a server and looks whether it kept its promises."""

from __future__ import annotations

import gc
import random
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest

from attrs import define, field, frozen
from twisted.internet.address import IPv4Address
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from mailkit.errors import MailkitError
from mailkit.model.address import AccountName
from mailkit.net.pump import Pump
from tests.fuzz.inputs import Steps
from tests.fuzz.place import Place
from tests.fuzz.places import OVERRUN, PLACES
from tests.protocols.imap.grammar import Ungrammatical, read_all
from tests.transcript import Line, Wire

NEIGHBOUR = IPv4Address("TCP", "127.0.0.1", 54321)
"""May log in without TLS, and is not made to wait."""
ACCOUNTS = tuple(AccountName(f"{name}@example.org") for name in ("alice", "bob"))


class TroubleError(Exception):
    """A promise was broken."""


@frozen
class Probe:
    """How to find out whether commands and answers are still in step."""

    first: bytes
    """Ends whatever message or exchange may be under way."""
    line: bytes
    answer: re.Pattern[bytes]


_SMTP = Probe(b"\r\n.\r\n", b"NOOP\r\n", re.compile(rb"^[2-5]\d\d .*\r\n", re.M))
PROBES = {
    "smtp": _SMTP,
    "submission": _SMTP,
    "lmtp": _SMTP,
    "imap": Probe(
        b"\r\nDONE\r\n", b"zq9 NOOP\r\n", re.compile(rb"^zq9 (OK|NO|BAD) .*\r\n", re.M)
    ),
    "pop3": Probe(b"\r\n", b"NOOP\r\n", re.compile(rb"^(\+OK|-ERR).*\r\n", re.M)),
}
PROBED = 3
_FILLER = 65_536
"""Octets of probes at once, for a server that waits for a message announced."""

_TIME_PASSES = (b"pass ", b"advance ")
_FAULT = re.compile(rb"^(?:55[04] 5\.6\.0|552 5\.3\.4) .*", re.M)
_SHAPE = re.compile(rb"[\d.]{2,}")


@define(eq=False)
class Played:
    """What came of one dialogue."""

    said: dict[str, bytes] = field(factory=dict)
    """All that the server said, by connection."""

    @property
    def shape(self) -> frozenset[bytes]:
        """What kinds of lines it said: a new one is an interesting input."""
        return frozenset(
            _SHAPE.sub(b"0", line[:40])
            for said in self.said.values()
            for line in said.split(b"\r\n")
        )


def play(service: str, steps: Steps, chance: random.Random | None) -> Played:
    """
    Play it; cut into pieces by chance, or each step whole.

    :raises TroubleError: if something was logged as an error, an answer is missing, or
        something is left over.
    """
    with _errors_logged() as errors:
        place = PLACES[service](service)
        player = _Player(place, chance)
        try:
            for step in steps:
                player.take(step)
            said = {name: player.value(name) for name in player.wires}
            if service == "imap":
                _read_strictly(said)
            for name in player.wires:
                player.probe(name)
            trouble = place.end()
        finally:
            player.leave()
    if errors or trouble:
        raise TroubleError(errors[0] if errors else trouble)
    for account in ACCOUNTS:
        if count := place.sessions.count(account):
            raise TroubleError(f"{count} sessions of {account} are left")
    if chance is None:  # to ask costs more than to play
        open_now = place.metrics.registry.get_sample_value(
            "mailkit_connections_open", {"service": service}
        )
        if open_now:
            raise TroubleError(f"{open_now:.0f} connections are still counted")
    return Played(said)


def _read_strictly(said: dict[str, bytes]) -> None:
    """:raises TroubleError: if it is not in the grammar of RFC 9051 §9."""
    for octets in said.values():
        try:
            read_all(octets)
        except Ungrammatical as problem:
            raise TroubleError(str(problem)) from None


def compare(service: str, steps: Steps, chance: random.Random) -> Played:
    """
    Play it whole and in pieces; the server has to say the same.

    :raises TroubleError: also if it does not.
    """
    if service not in PROBES:
        return play(service, steps, chance)  # who is late is told other things
    whole = play(service, steps, None)
    text = b"".join(step.octets for step in steps).upper()
    if b"STARTTLS" in text or b"STLS" in text:
        return whole  # what comes with it is another matter (RFC 3207 §6)
    if any(step.octets.startswith(_TIME_PASSES) for step in steps):
        return whole  # how much came when is what patience depends on
    pieces = play(service, steps, chance)
    for name, said in whole.said.items():
        other = pieces.said.get(name, b"")
        if _alike(other) != _alike(said):
            raise TroubleError(
                f"{_difference(_alike(said), _alike(other))}:\n"
                f"whole: {said[-300:]!r}\nin pieces: {other[-300:]!r}"
            )
    return whole


def _difference(whole: bytes, pieces: bytes) -> str:
    """The first lines that differ, without what is of one dialogue alone."""
    both = zip_longest(whole.split(b"\r\n"), pieces.split(b"\r\n"), fillvalue=b"")
    one, other = next((one, other) for one, other in both if one != other)
    return f"{_SHAPE.sub(b'0', one[:40])!r} is {_SHAPE.sub(b'0', other[:40])!r}"


def _alike(said: bytes) -> bytes:
    """Of two faults of a message, either may be told."""
    return _FAULT.sub(b"550 5.6.0 ", said)


def left_over() -> int:
    """How many connections exist although everybody has left."""
    gc.collect()
    return sum(isinstance(thing, Pump) for thing in gc.get_objects())


def blocks() -> int:
    """How much memory Python's objects take, in its own blocks."""
    gc.collect()
    return sys.getallocatedblocks()


@define(eq=False)
class _Player:
    place: Place
    chance: random.Random | None
    wires: dict[str, Wire] = field(factory=dict)

    def take(self, step: Line) -> None:
        if step.kind == "C":
            self.send(self._wire(step.connection), step.octets)
            return
        word, _, rest = step.octets.decode().partition(" ")
        if word == "leave":
            self._wire(rest).leave()
        elif word in self.place.actions:
            # Spoiled dialogues have actions where they make no sense.
            try:
                self.place.actions[word](rest)
            except MailkitError:
                return
        self._settle()

    def send(self, wire: Wire, octets: bytes) -> None:
        for piece in self._cut(octets):
            if wire.is_lost:
                return
            wire.arrive(piece)
            self._settle()

    def probe(self, name: str) -> None:
        wire, probe = self.wires[name], PROBES.get(self.place.service)
        if probe is None:
            return
        before = len(wire.value())
        self.send(wire, probe.first)
        lines = probe.line * (_FILLER // len(probe.line))
        for _ in range(2 * OVERRUN // _FILLER):
            if wire.is_lost or probe.answer.search(wire.value()[before:]):
                break
            self.send(wire, lines)
        else:
            raise TroubleError(f"it answers nothing any more: {wire.value()[-300:]!r}")
        before = len(wire.value())
        for number in range(1, PROBED + 1):
            self.send(wire, probe.line)
            if wire.is_lost:
                return
            found = probe.answer.findall(wire.value()[before:])
            if len(found) != number:
                raise TroubleError(
                    f"{len(found)} answers to {number} commands: "
                    f"{wire.value()[before:]!r:.300}"
                )

    def leave(self) -> None:
        for wire in self.wires.values():
            wire.leave()
        self._settle()

    def value(self, name: str) -> bytes:
        octets: bytes = self.wires[name].value()
        return octets

    def _wire(self, name: str) -> Wire:
        if name not in self.wires:
            protocol = self.place.connect()
            self.wires[name] = wire = Wire(protocol, NEIGHBOUR)
            protocol.makeConnection(wire)
            self._settle()
        return self.wires[name]

    def _cut(self, octets: bytes) -> Iterator[bytes]:
        if self.chance is None:
            yield octets
            return
        at = 0
        while at < len(octets):
            size = 1 + int(
                self.chance.expovariate(1 / self.chance.choice((2, 30, 3000)))
            )
            yield octets[at : at + size]
            at += size

    def _settle(self) -> None:
        """Let everything happen that only waits for its turn."""
        clock = self.place.clock
        while any(
            call.getTime() <= clock.seconds() for call in clock.getDelayedCalls()
        ):
            clock.advance(0)


@implementer(ILogObserver)
@define(eq=False)
class _Errors:
    """Hears what is logged, and keeps what should not have been."""

    told: list[str] = field(factory=list)

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.error:
            failure = event.get("log_failure")
            told = failure.getTraceback() if failure else event.get("log_format")
            self.told.append(str(told))


@contextmanager
def _errors_logged() -> Iterator[list[str]]:
    errors = _Errors()
    globalLogPublisher.addObserver(errors)
    try:
        yield errors.told
    finally:
        globalLogPublisher.removeObserver(errors)
