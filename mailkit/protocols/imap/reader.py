"""
Commands out of octets: lines, literals, and what to do with those that went wrong.

A command that went wrong is read to its end all the same, its non-synchronising
literals thrown away: otherwise their octets would be taken for commands
(RFC 7888 §3).
"""

from __future__ import annotations

import re

from attrs import frozen

from mailkit.protocols.buffer import Buffer
from mailkit.protocols.imap.limits import Limits
from mailkit.protocols.imap.lines import LineReader
from mailkit.protocols.imap.response import Response, bad

_ANNOUNCEMENT = re.compile(rb"~?\{([0-9]{1,19})(\+?)\}\Z")
_LONGEST_ANNOUNCEMENT = 23
_BARE = re.compile(rb"[\r\n\0]")
_BARE_NAMES = {b"\r": "CR", b"\n": "LF", b"\0": "NUL"}


@frozen
class Whole:
    """A whole command; ``text`` is without its last CRLF."""

    text: bytes
    literals: tuple[bytes, ...]


@frozen
class Announced:
    """
    A command so far: ``text`` ends with the announcement of a literal and CRLF.

    `CommandReader.accept` or `CommandReader.ruin` has to be called.
    """

    text: bytes
    literals: tuple[bytes, ...]
    size: int
    is_sync: bool
    """The client waits for a continuation before it sends the literal."""


@frozen
class Ruined:
    """The end of a command that went wrong, and what to answer if anything."""

    text: bytes
    response: Response | None


@frozen
class Flood:
    """The peer announces more than anybody wants to throw away."""


Taken = Whole | Announced | Ruined | Flood


class CommandReader:
    """Takes one command after the other out of what came."""

    __slots__ = (
        "_buffer",
        "_is_ruined",
        "_limits",
        "_lines",
        "_literals",
        "_next",
        "_response",
        "_swallowed",
        "_text",
        "_to_come",
        "_to_swallow",
    )

    def __init__(self, buffer: Buffer, limits: Limits) -> None:
        self._buffer = buffer
        self._lines = LineReader(buffer)
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Begin a new command."""
        self._text = b""
        self._literals: list[bytes] = []
        self._is_ruined = False
        self._response: Response | None = None
        self._to_come: int | None = None  # octets of an accepted literal
        self._to_swallow = 0
        self._swallowed = 0
        self._next: Ruined | Flood | None = None  # known already

    def take_line(self) -> tuple[bytes, bool] | None:
        """A line that is no command, and whether it was too long and cut."""
        line = self._lines.take(self._limits.command)
        return None if line is None else (line, self._lines.was_cut)

    def take(self) -> Taken | None:
        """What comes next of the command; ``None``: more octets are needed."""
        while True:
            if self._next is not None:
                return self._next
            if self._to_swallow:
                self._to_swallow -= len(self._buffer.take(self._to_swallow))
                if self._to_swallow:
                    return None
            if self._to_come is not None:
                if len(self._buffer) < self._to_come:
                    return None
                self._take_literal(self._to_come)
            line = self._lines.take(self._limits.command - len(self._text))
            if line is None:
                return None
            taken = self._take(line)
            if taken is not None:
                return taken

    def accept(self, size: int) -> None:
        """Have the announced literal."""
        self._to_come = size

    def ruin(self, announced: Announced, response: Response | None) -> None:
        """
        Do without the announced literal.

        `take` tells of ``response``, or that there is none, once the command is over.
        """
        self._is_ruined, self._response, self._text = True, response, announced.text
        if announced.is_sync:
            # Without a continuation the literal will not come: this is the end.
            self._next = Ruined(announced.text, response)
        else:
            self._swallow(announced.size)

    def _take(self, line: bytes) -> Taken | None:
        if not self._is_ruined:
            self._judge(line)
        start = max(len(line) - _LONGEST_ANNOUNCEMENT, 0)
        match = _ANNOUNCEMENT.search(line, start) if line.endswith(b"}") else None
        if match is None:
            if self._is_ruined:
                return Ruined(self._text or line, self._response)
            return Whole(self._text + line, tuple(self._literals))
        size, is_sync = int(match[1]), not match[2]
        if not self._is_ruined:
            self._text = b"%b%b\r\n" % (self._text, line)
            return Announced(self._text, tuple(self._literals), size, is_sync)
        if is_sync:
            return Ruined(self._text or line, self._response)
        self._text = self._text or line  # it begins with the tag
        self._swallow(size)
        return None

    def _judge(self, line: bytes) -> None:
        if self._lines.was_cut:
            problem = f"The command has more than {self._limits.command} octets"
        elif bare := _BARE.search(line):
            problem = f"{_BARE_NAMES[bare[0]]} inside a command"
        else:
            return
        self._is_ruined, self._response = True, bad(problem)

    def _take_literal(self, size: int) -> None:
        literal = self._buffer.take(size)
        self._to_come = None
        self._literals.append(literal)
        if b"\0" in literal:
            self._is_ruined, self._response = True, bad("NUL inside a literal")

    def _swallow(self, size: int) -> None:
        self._swallowed += size
        if self._swallowed > self._limits.swallowed:
            self._next = Flood()
        else:
            self._to_swallow = size
