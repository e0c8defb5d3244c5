"""`POP3Server`: order, long lines, pieces and garbage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import LocalMisuse
from mailkit.protocols.pop3.events import (
    AuthBegins,
    AuthResponse,
    Event,
    Noop,
    Pass,
    Quit,
    Retr,
    Stat,
)
from mailkit.protocols.pop3.parse import Limits
from mailkit.protocols.pop3.server import POP3Server, State


def run(pieces: list[bytes], limits: Limits | None = None) -> tuple[list[Event], bytes]:
    """Say yes to everything but the first step of AUTH."""
    machine, events = POP3Server(limits), list[Event]()
    for piece in pieces:
        machine.receive(piece)
        while (event := machine.next_event()) is not None:
            events.append(event)
            if isinstance(event, AuthBegins):
                machine.challenge(b"and?")
            else:
                machine.ok("yes")
    return events, machine.take_output()


def test_order() -> None:
    """Commands belong to states; a refused one is told and changes nothing."""
    events, said = run([b"STAT\r\nPASS x\r\nPASS x\r\nSTAT\r\nQUIT\r\nNOOP\r\n"])
    assert events == [Pass("x"), Stat(), Quit()]
    assert said == (
        b"-ERR Log in first\r\n+OK yes\r\n-ERR Not after logging in\r\n"
        b"+OK yes\r\n+OK yes\r\n"
    )


def test_failed_login_leads_nowhere() -> None:
    machine = POP3Server()
    machine.receive(b"PASS x\r\n")
    machine.next_event()
    machine.err("no", "AUTH")
    assert machine.state is State.AUTHORIZATION
    assert machine.take_output() == b"-ERR [AUTH] no\r\n"


def test_auth_dialogue() -> None:
    events, said = run([b"AUTH PLAIN\r\nAGEAYg==\r\nSTAT\r\n"])
    assert events == [AuthBegins("PLAIN", None), AuthResponse(b"\0a\0b"), Stat()]
    assert said == b"+ YW5kPw==\r\n+OK yes\r\n+OK yes\r\n"


def test_failed_auth() -> None:
    """After a refused response a command is a command again."""
    machine = POP3Server()
    machine.receive(b"AUTH PLAIN\r\nAA==\r\nNOOP\r\n")
    machine.next_event()
    machine.challenge(b"")
    machine.next_event()
    machine.err("no")
    assert machine.next_event() is None
    assert machine.take_output() == b"+ \r\n-ERR no\r\n-ERR Log in first\r\n"


def test_failed_quit_is_the_end() -> None:
    machine = POP3Server()
    machine.receive(b"QUIT\r\n")
    machine.next_event()
    machine.err("some are left")
    assert machine.state is State.CLOSED


@pytest.mark.parametrize("length", [253, 254, 255, 256, 1000])
@pytest.mark.parametrize("size", [1, 7, 5000])
def test_long_lines(length: int, size: int) -> None:
    """255 octets with CRLF are taken, one more is told once, and nothing is lost."""
    octets = b"NOOP " + b" " * (length - 5) + b"\r\nQUIT\r\n"
    pieces = [octets[i : i + size] for i in range(0, len(octets), size)]
    events, said = run([b"PASS x\r\n", *pieces])
    if length + 2 <= 255:
        assert events == [Pass("x"), Noop(), Quit()]
    else:
        assert events == [Pass("x"), Quit()]
        assert said == b"+OK yes\r\n-ERR Line too long\r\n+OK yes\r\n"


def test_endless_line_is_not_kept() -> None:
    machine = POP3Server()
    for _ in range(1000):
        machine.receive(b"x" * 1000)
        assert machine.next_event() is None
    assert len(machine._in) < 2000


def test_long_responses() -> None:
    """A response may be longer than a command; one that is too long ends the AUTH."""
    response = b"QUFB" * 1000
    events, _ = run([b"AUTH PLAIN " + response + b"\r\n"])
    assert events == [AuthBegins("PLAIN", b"AAA" * 1000)]
    events, said = run([b"AUTH PLAIN\r\n" + b"QUFB" * 5000 + b"\r\nSTAT\r\n"])
    assert said == (b"+ YW5kPw==\r\n-ERR Line too long\r\n-ERR Log in first\r\n")


def test_too_many_errors() -> None:
    _, said = run([b"what\r\n" * 12], Limits(errors=10))
    assert said == b"-ERR Unknown command\r\n" * 10 + b"-ERR Too many errors\r\n"


def test_complaints_are_told_once() -> None:
    machine = POP3Server()
    machine.receive(b"what\r\n" * 2 + b"CAPA\r\n")
    machine.next_event()
    assert machine.take_complaints() == 2
    assert machine.take_complaints() == 0


def test_bare_line_ends() -> None:
    """Only CRLF ends a line."""
    events, said = run([b"QUIT\nQUIT\rQUIT\r\n"])
    assert events == []
    assert said == b"-ERR Unknown command\r\n"


def test_secured() -> None:
    machine = POP3Server()
    machine.receive(b"PASS x\r\n")
    assert machine.has_more
    machine.secured()
    assert machine.next_event() is None
    assert not machine.has_more


def test_bye() -> None:
    machine = POP3Server()
    machine.receive(b"CAPA\r\n")
    machine.next_event()
    machine.bye("over", "SYS/TEMP")
    assert machine.take_output() == b"-ERR [SYS/TEMP] over\r\n"
    machine.receive(b"CAPA\r\n")
    assert machine.next_event() is None


def test_misuse() -> None:
    """Our own bugs are told apart from the peer's."""
    machine = POP3Server()
    with pytest.raises(LocalMisuse):
        machine.ok()
    machine.receive(b"CAPA\r\n")
    machine.next_event()
    with pytest.raises(LocalMisuse):
        machine.next_event()
    with pytest.raises(LocalMisuse):
        machine.challenge(b"")
    with pytest.raises(LocalMisuse):
        machine.greet("two\r\nlines")


@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"x", b"\r\n.", b"..\r\n"])))
def test_dots(pieces: list[bytes]) -> None:
    """However a message is cut, a client that undoes the dots has it back."""
    machine = POP3Server()
    machine.receive(b"PASS x\r\nRETR 1\r\n")
    for _ in range(2):
        machine.next_event()
        machine.ok()
    machine.take_output()
    for piece in pieces:
        machine.write(piece)
    machine.end()
    said, message = machine.take_output(), b"".join(pieces)
    lines = said.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    undone = b"\r\n".join(line.removeprefix(b".") for line in lines[:-2])
    complete = message.endswith(b"\r\n") or not message
    assert undone == (message[:-2] if complete and message else message)


LINES = st.sampled_from(
    [
        b"CAPA\r\n",
        b"USER a\r\n",
        b"PASS b\r\n",
        b"AUTH PLAIN\r\n",
        b"AUTH PLAIN AGEAYg==\r\n",
        b"*\r\n",
        b"RETR 1\r\n",
        b"TOP 1 1\r\n",
        b"QUIT\r\n",
        b"x" * 300,
        b"\r\n",
        b"\n",
    ]
)


@given(st.binary())
def test_garbage_never_raises(octets: bytes) -> None:
    run([octets])


@given(st.lists(LINES | st.binary(max_size=8)))
def test_pieces_do_not_matter(lines: list[bytes]) -> None:
    octets = b"".join(lines)
    assert run([octets]) == run([octets[i : i + 1] for i in range(len(octets))])


def test_retr_event() -> None:
    assert run([b"PASS x\r\nRETR 3\r\n"])[0][1] == Retr(3)
