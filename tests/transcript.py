r"""
Replays a written dialogue against a server and shows where it says something else.

A script is a text file in UTF-8. Empty lines and lines that begin with ``#`` mean
nothing. Every other line is one of

``C: text``
    The client says this line; CRLF is added.
``C= text``
    The client says these octets: ``\r \n \t \0 \\ \xNN`` are undone, nothing is added.
``S: text``, ``S= text``
    The server says this line, or these octets. After the last line of a turn it must
    have said exactly that, and nothing more.
``-- closed``
    By now the server has closed the connection, which at the end of a script without
    this line it must not have done.
``-- leave``
    The client goes away without a word.
``-- only whole`` (or ``by_octet``)
    Somewhere in the script: the dialogue makes sense in this feed alone.
``-- word rest``
    Any other word is an action of the test: ``actions["word"]("rest")``.

``C2:``, ``S2=``, ``-- closed 2`` and so on speak of a second (third …) connection,
opened when first mentioned. In what the server says, ``{*}`` stands for any text
within the line and ``{*name}`` for any that is remembered; ``{=name}`` in a later line
of either side stands for what was remembered.
"""

from __future__ import annotations

import difflib
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from attrs import define, field, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IHandshakeListener, IProtocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

Feed = Callable[[bytes], Iterator[bytes]]
Action = Callable[[str], None]


def whole(octets: bytes) -> Iterator[bytes]:
    """All that one side says in its turn arrives at once."""
    yield octets


def by_octet(octets: bytes) -> Iterator[bytes]:
    """Each octet arrives by itself."""
    for i in range(len(octets)):
        yield octets[i : i + 1]


FEEDS: tuple[Feed, ...] = (whole, by_octet)


@frozen
class Line:
    """One line of a script."""

    kind: str
    """``C``, ``S`` or ``--``."""
    connection: str
    octets: bytes
    """With its CRLF; of an action: the words."""
    source: str


def read(script: str) -> list[Line]:
    """
    The lines of a script.

    :raises ValueError: where one is in no known form.
    """
    return [_read(line) for line in script.split("\n") if line and line[0] != "#"]


def cases(folder: Path) -> list[tuple[Path, Feed]]:
    """Every script below a folder in every feed, for ``pytest.mark.parametrize``."""
    found = sorted(folder.rglob("*.txt"))
    if not found:
        raise ValueError(f"no transcripts in {folder}")
    return [
        (script, feed)
        for script in found
        for feed in FEEDS
        if _wants(script.read_text(encoding="utf-8"), feed)
    ]


def name_of(value: object) -> str:
    """How pytest shows one value of `cases`."""
    return value.stem if isinstance(value, Path) else getattr(value, "__name__", "")


def replay(
    script: Path | str,
    build: Callable[[], IProtocol],
    feed: Feed = whole,
    actions: Mapping[str, Action] | None = None,
    peer: IAddress = IPv4Address("TCP", "192.0.2.1", 54321),  # noqa: B008 (frozen)
) -> None:
    """
    Play a script.

    :param build: makes the server's side of each connection.
    :raises AssertionError: with a diff, where the server says something else.
    """
    text = script if isinstance(script, str) else script.read_text(encoding="utf-8")
    player = _Player(build, feed, actions or {}, peer)
    try:
        player.play(read(text))
    finally:
        player.close()
    if player.said != player.expected:
        title = "the script" if isinstance(script, str) else script.name
        raise AssertionError(
            f"{title} ({feed.__name__}) goes otherwise:\n"
            + "\n".join(
                difflib.unified_diff(
                    player.expected, player.said, "written", "said", lineterm="", n=8
                )
            )
        )


class Wire(StringTransport):
    """A transport in memory that holds back octets while the server wants none."""

    TLS = False

    def __init__(self, protocol: IProtocol, peer: IAddress) -> None:
        super().__init__(peerAddress=peer)
        self._protocol = protocol
        self._coming: deque[bytes] = deque()
        self._is_busy = False
        self.is_lost = False

    def arrive(self, octets: bytes) -> None:
        """The peer sent this."""
        self._coming.append(octets)
        self._hand_over()

    def leave(self) -> None:
        """The connection is gone."""
        if not self.is_lost:
            self.is_lost = True
            self._protocol.connectionLost(Failure(ConnectionDone()))

    def resumeProducing(self) -> None:
        super().resumeProducing()
        self._hand_over()

    def loseConnection(self) -> None:
        super().loseConnection()
        if not self._is_busy:
            self.leave()

    def abortConnection(self) -> None:
        self.loseConnection()

    def startTLS(self, contextFactory: object, normal: bool = True) -> None:
        self.TLS = True
        if IHandshakeListener.providedBy(self._protocol):
            self._protocol.handshakeCompleted()

    def setTcpNoDelay(self, enabled: bool) -> None:
        pass

    def setTcpKeepAlive(self, enabled: bool) -> None:
        pass

    def _hand_over(self) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._coming and self.producerState == "producing":
                if self.disconnecting or self.is_lost:
                    self._coming.clear()
                else:
                    self._protocol.dataReceived(self._coming.popleft())
        finally:
            self._is_busy = False
        if self.disconnecting:
            self.leave()


@define
class _Player:
    """Plays line after line and writes down what was to be said and what was."""

    build: Callable[[], IProtocol]
    feed: Feed
    actions: Mapping[str, Action]
    peer: IAddress
    expected: list[str] = field(factory=list)
    said: list[str] = field(factory=list)
    _wires: dict[str, Wire] = field(factory=dict)
    _closed: set[str] = field(factory=set)
    _remembered: dict[str, bytes] = field(factory=dict)

    def play(self, lines: list[Line]) -> None:
        if not any(line.kind != "--" for line in lines):
            raise ValueError("a script in which nobody says anything")
        at = 0
        while at < len(lines):
            first = lines[at]
            until = at + 1
            if first.kind == "--":
                self._act(first)
            else:
                while until < len(lines) and (
                    (lines[until].kind, lines[until].connection)
                    == (first.kind, first.connection)
                ):
                    until += 1
                turn = lines[at:until]
                (self._client if first.kind == "C" else self._server)(turn)
            at = until

    def close(self) -> None:
        """Look for words and endings that the script does not tell; hang up."""
        for name, wire in self._wires.items():
            self.said += [_shown("S", name, line) for line in _taken(wire)]
            if wire.is_lost and name not in self._closed:
                self.said.append(f"-- closed {name}".rstrip())
        for wire in self._wires.values():
            wire.leave()

    def _client(self, turn: list[Line]) -> None:
        self.expected += [line.source for line in turn]
        self.said += [line.source for line in turn]
        wire = self._wire(turn[0].connection)
        for piece in self.feed(b"".join(self._filled(line.octets) for line in turn)):
            wire.arrive(piece)

    def _server(self, turn: list[Line]) -> None:
        name = turn[0].connection
        said = _taken(self._wire(name))
        written = _lines(b"".join(line.octets for line in turn))
        for i in range(max(len(said), len(written))):
            if i >= len(said):
                self.expected.append(_shown("S", name, written[i]))
            elif i < len(written) and self._agrees(written[i], said[i]):
                self.expected.append(_shown("S", name, written[i]))
                self.said.append(_shown("S", name, written[i]))
            else:
                if i < len(written):
                    self.expected.append(_shown("S", name, written[i]))
                self.said.append(_shown("S", name, said[i]))

    def _act(self, line: Line) -> None:
        word, _, rest = line.octets.decode().partition(" ")
        self.expected.append(line.source)
        match word:
            case "only":
                pass
            case "closed":
                self._closed.add(rest)
                if not self._wire(rest).is_lost:
                    self.said.append("-- still open")
                    return
            case "leave":
                self._closed.add(rest)
                self._wire(rest).leave()
            case _:
                self.actions[word](rest)
        self.said.append(line.source)

    def _wire(self, name: str) -> Wire:
        if name not in self._wires:
            protocol = self.build()
            self._wires[name] = wire = Wire(protocol, self.peer)
            protocol.makeConnection(wire)
        return self._wires[name]

    def _filled(self, octets: bytes) -> bytes:
        return _KNOWN.sub(lambda match: self._remembered[match[1].decode()], octets)

    def _agrees(self, written: bytes, said: bytes) -> bool:
        names = []
        pattern = b""
        at = 0
        written = self._filled(written)
        for match in _ANY.finditer(written):
            pattern += re.escape(written[at : match.start()]) + b"(.*?)"
            names.append(match[1].decode())
            at = match.end()
        found = re.fullmatch(pattern + re.escape(written[at:]), said, re.S)
        if found is None:
            return False
        self._remembered.update(zip(names, found.groups(), strict=True))
        return True


_LINE = re.compile(r"(?:([CS])(\d?)([:=])(?: (.*))?|(--) (.+))", re.S)
_ANY = re.compile(rb"\{\*(\w*)\}")
_KNOWN = re.compile(rb"\{=(\w+)\}")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[rnt0\\])")
_ESCAPED = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


def _read(line: str) -> Line:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"not a line of a transcript: {line!r}")
    side, connection, form, text, action, words = match.groups()
    if action:
        return Line("--", "", words.rstrip().encode(), line)
    if form == ":":
        return Line(side, connection, (text or "").encode() + b"\r\n", line)
    return Line(side, connection, undo_escapes(text or ""), line)


def undo_escapes(text: str) -> bytes:
    """The octets that a ``C=`` or ``S=`` line means."""
    octets = b""
    at = 0
    for match in _ESCAPE.finditer(text):
        octets += text[at : match.start()].encode()
        code = match[1]
        octets += _ESCAPED[code] if code in _ESCAPED else bytes.fromhex(code[1:])
        at = match.end()
    return octets + text[at:].encode()


def _wants(text: str, feed: Feed) -> bool:
    only = re.findall(r"^-- only (\w+)", text, re.M)
    return not only or feed.__name__ in only


def _taken(wire: Wire) -> list[bytes]:
    octets = wire.value()
    wire.clear()
    return _lines(octets)


def _lines(octets: bytes) -> list[bytes]:
    lines = octets.split(b"\r\n")
    if not lines[-1]:
        lines.pop()
    else:
        lines[-1] += b"\0 (no CRLF)"
    return lines


def _shown(side: str, connection: str, line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace")
    visible = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
    return (
        f"{side}{connection}: {visible}".rstrip()
        if not text.endswith(" ")
        else (f"{side}{connection}: {visible}$")
    )
