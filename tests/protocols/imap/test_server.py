"""The machine: order, literals, dialogues, limits and the ways to the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailkit.errors import LocalMisuse
from mailkit.model.mailbox import MailboxName
from mailkit.protocols.imap.events import (
    AppendAborted,
    AppendBegins,
    AppendChunk,
    AppendEnds,
    AuthCancelled,
    Authenticate,
    AuthResponse,
    Done,
    Event,
    HangUp,
    Idle,
    Login,
    Logout,
    Noop,
    Select,
    StartTLS,
)
from mailkit.protocols.imap.response import Condition, Response, no, ok
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.imap.state import State
from tests.protocols.imap.driver import SMALL, Driver, driver

N, A, S = State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED


def refuse(kind: type[Event], code: bytes = b"") -> Callable[[Event], Response | None]:
    """Answers NO to events of one kind."""
    return lambda event: no("No", code) if isinstance(event, kind) else None


def message_of(driven: Driver) -> bytes:
    return b"".join(e.octets for e in driven.events if isinstance(e, AppendChunk))


# --- order


def test_a_greeting() -> None:
    machine = IMAPServer()
    machine.greet(ok("Hello", b"CAPABILITY IMAP4rev1"))
    assert machine.take_output() == b"* OK [CAPABILITY IMAP4rev1] Hello\r\n"
    assert machine.take_output() == b""
    assert machine.state is N


def test_a_greeting_that_needs_no_login() -> None:
    machine = IMAPServer()
    machine.greet(Response(Condition.PREAUTH, "Hello"))
    assert machine.take_output() == b"* PREAUTH Hello\r\n"
    assert machine.state is A


def test_pipelined_commands_come_one_after_the_other() -> None:
    machine = IMAPServer()
    machine.receive(b"1 LOGIN a b\r\n2 SELECT x\r\n3 NOOP\r\n")
    assert isinstance(machine.next_event(), Login)
    assert machine.tag == b"1"
    with pytest.raises(LocalMisuse):
        machine.next_event()
    machine.answer(ok("In"))
    assert isinstance(machine.next_event(), Select)
    machine.send_untagged(b"* 1 EXISTS\r\n", b"")
    machine.answer(ok("Selected", b"READ-WRITE"))
    assert machine.next_event() == Noop()
    machine.answer(ok("Nothing"))
    assert machine.next_event() is None
    assert machine.take_output() == (
        b"1 OK In\r\n* 1 EXISTS\r\n2 OK [READ-WRITE] Selected\r\n3 OK Nothing\r\n"
    )
    assert machine.tag == b""


MOVES: list[tuple[State, bytes, Condition, State]] = [
    (N, b"LOGIN a b", Condition.OK, A),
    (N, b"LOGIN a b", Condition.NO, N),
    (N, b"AUTHENTICATE PLAIN =", Condition.OK, A),
    (N, b"AUTHENTICATE PLAIN =", Condition.BAD, N),
    (A, b"SELECT x", Condition.OK, S),
    (A, b"SELECT x", Condition.NO, A),
    (S, b"SELECT x", Condition.NO, A),
    (S, b"EXAMINE x", Condition.OK, S),
    (S, b"EXAMINE x", Condition.BAD, A),
    (S, b"CLOSE", Condition.OK, A),
    (S, b"CLOSE", Condition.NO, S),
    (S, b"UNSELECT", Condition.OK, A),
    (S, b"DELETE x", Condition.NO, S),
    (S, b"NOOP", Condition.OK, S),
]


@pytest.mark.parametrize(("before", "line", "condition", "after"), MOVES)
def test_the_state_moves_with_the_answer(
    before: State, line: bytes, condition: Condition, after: State
) -> None:
    machine = IMAPServer()
    machine.state = before
    machine.receive(b"a " + line + b"\r\n")
    assert machine.next_event() is not None
    assert machine.state is before
    machine.answer(Response(condition, "So"))
    assert machine.state is after


def test_answers_that_nobody_asked_for() -> None:
    machine = IMAPServer()
    with pytest.raises(LocalMisuse):
        machine.answer(ok("Done"))
    with pytest.raises(LocalMisuse):
        machine.accept_literal()
    with pytest.raises(LocalMisuse):
        machine.challenge(b"")
    with pytest.raises(LocalMisuse):
        machine.continue_()
    machine.receive(b"a NOOP\r\n")
    machine.next_event()
    with pytest.raises(LocalMisuse):
        machine.accept_literal()


def test_no_word_in_the_middle_of_a_response() -> None:
    machine = IMAPServer()
    machine.receive(b"a NOOP\r\n")
    machine.next_event()
    machine.send_untagged(b"* 1 FETCH (BODY[] {5}\r\nab")
    with pytest.raises(LocalMisuse):
        machine.answer(ok("Done"))
    machine.send_untagged(b"cde)\r\n")
    machine.answer(ok("Done"))
    assert machine.take_output().endswith(b"abcde)\r\na OK Done\r\n")


def test_texts_hold_no_line_ends() -> None:
    assert bytes(ok("a\r\nb\0c")) == b"OK a  b c"
    assert bytes(ok("")) == b"OK Done"
    assert bytes(ok("grün")) == b"OK gr?n"
    assert ok("").is_ok
    assert not no("").is_ok


def test_untagged_status_responses() -> None:
    machine = IMAPServer()
    machine.status(no("Nearly full", b"ALERT"))
    assert machine.take_output() == b"* NO [ALERT] Nearly full\r\n"


# --- literals


def test_a_literal_is_asked_for() -> None:
    driven = driver(N)
    assert driven.feed(b"a LOGIN {3}\r\n") == b"+ Go on\r\n"
    assert driven.feed(b"bob {0}\r\n") == b"+ Go on\r\n"
    assert driven.feed(b"\r\n") == b"a OK Done\r\n"
    assert driven.events == [Login("bob", "")]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"a XYZZY {5}", b"a BAD Unknown command XYZZY"),
        (b"a SELECT {5}", b"a BAD SELECT comes after login"),
        (b"a LOGIN {1001}", b"a BAD The literals have more than 1000 octets"),
        (b"{5}", b"* BAD A command begins with a tag, a space and its name"),
    ],
)
def test_a_literal_that_is_not_wanted_is_not_asked_for(
    line: bytes, text: bytes
) -> None:
    driven = driver(N, SMALL)
    assert driven.feed(line + b"\r\nb NOOP\r\n") == text + b"\r\nb OK Done\r\n"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"a XYZZY {7+}\r\nx NOOP\r more\r\n", b"a BAD Unknown command XYZZY"),
        (b"a XYZZY {3+}\r\nabc {3+}\r\nx\r\n\r\n", b"a BAD Unknown command XYZZY"),
        (b"a XYZZY {3+}\r\nabc {4}\r\n", b"a BAD Unknown command XYZZY"),
        (
            b"a LOGIN {1001+}\r\n" + b"x" * 1001 + b" pass\r\n",
            b"a BAD The literals have more than 1000 octets",
        ),
        (
            b"a LOGIN {600+}\r\n" + b"x" * 600 + b" {401+}\r\n" + b"y" * 401 + b"\r\n",
            b"a BAD The literals have more than 1000 octets",
        ),
        (b"a LOGIN {1+}\r\n\0 {3+}\r\nabc\r\n", b"a BAD NUL inside a literal"),
        (b"a LOGIN {1+}\r\n\0 {3}\r\n", b"a BAD NUL inside a literal"),
    ],
)
def test_a_ruined_command_is_read_to_its_end(octets: bytes, text: bytes) -> None:
    driven = driver(N, SMALL)
    assert driven.feed(octets + b"b NOOP\r\n") == text + b"\r\nb OK Done\r\n"


def test_nobody_swallows_for_ever() -> None:
    driven = driver(N, SMALL)
    driven.feed(b"a XYZZY {4000+}\r\n" + b"x" * 4000 + b" {1001+}\r\n")
    assert driven.events == [HangUp("More octets announced than will be read")]
    assert driven.machine.state is State.LOGOUT


def test_a_size_beyond_all_numbers_is_no_literal() -> None:
    driven = driver(N)
    assert driven.feed(b"a LOGIN {" + b"9" * 5000 + b"}\r\n").startswith(b"a BAD ")


# --- lines


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"a NOOP\rx", b"a BAD CR inside a command"),
        (b"a NOOP\nx", b"a BAD LF inside a command"),
        (b"a NOOP\0", b"a BAD NUL inside a command"),
        (b'a LOGIN "\0" x', b"a BAD NUL inside a command"),
        (b"\0", b"* BAD NUL inside a command"),
        (b"a " + b"x" * 999, b"a BAD The command has more than 1000 octets"),
        (
            b"a LOGIN {3+}\r\nbob " + b"x" * 999,
            b"a BAD The command has more than 1000 octets",
        ),
        (
            b"a LOGIN " + b"x" * 1000 + b" {3+}\r\na\r\n",
            b"a BAD The command has more than 1000 octets",
        ),
    ],
)
def test_bad_lines_are_refused_by_name(line: bytes, text: bytes) -> None:
    octets = line + b"\r\nb NOOP\r\n"
    whole = driver(N, SMALL)
    assert whole.feed(octets) == text + b"\r\nb OK Done\r\n"
    slowly = driver(N, SMALL)
    for place in range(len(octets)):
        slowly.feed(octets[place : place + 1])
    assert slowly.output == whole.output


def test_a_line_of_just_the_limit_is_read() -> None:
    driven = driver(A, SMALL)
    line = b"a SELECT " + b"x" * 991
    assert len(line) == 1000
    for octet in line + b"\r\n":
        driven.feed(bytes([octet]))
    assert driven.output == b"a OK Done\r\n"


def test_a_long_line_does_not_pile_up() -> None:
    driven = driver(N, SMALL)
    for _ in range(1000):
        driven.feed(b"x" * 1000)
        assert len(driven.machine._in) < 2100
    assert driven.feed(b"\r\n") == b"* BAD The command has more than 1000 octets\r\n"


# --- APPEND


def test_a_message_comes_in_chunks() -> None:
    driven = driver(A, SMALL)
    driven.feed(b"a APPEND x {200}\r\n")
    assert driven.output == b"+ Send the message\r\n"
    driven.feed(b"m" * 200 + b"\r\n")
    kinds = [type(event) for event in driven.events]
    assert kinds == [AppendBegins, *[AppendChunk] * 4, AppendEnds]
    assert message_of(driven) == b"m" * 200
    assert driven.output.endswith(b"a OK Done\r\n")


def test_an_empty_message() -> None:
    driven = driver(A)
    driven.feed(b"a APPEND x {0+}\r\n\r\n")
    assert driven.events == [AppendBegins(MailboxName("x"), 0), AppendEnds()]


def test_the_mailbox_of_append_may_be_a_literal() -> None:
    driven = driver(A)
    assert driven.feed(b"a APPEND {3}\r\n") == b"+ Go on\r\n"
    assert driven.feed(b"foo {2}\r\n") == b"+ Send the message\r\n"
    assert driven.feed(b"hi\r\n") == b"a OK Done\r\n"


def test_a_refused_message_is_not_asked_for() -> None:
    driven = driver(A, answer=refuse(AppendBegins, b"OVERQUOTA"))
    assert driven.feed(b"a APPEND x {9999999}\r\n") == b"a NO [OVERQUOTA] No\r\n"
    assert driven.feed(b"b NOOP\r\n") == b"b OK Done\r\n"


def test_a_refused_message_that_comes_all_the_same_is_swallowed() -> None:
    driven = driver(A, SMALL, answer=refuse(AppendBegins))
    driven.feed(b"a APPEND x {11+}\r\nx LOGOUT\r\ny {3+}\r\nabc\r\nb NOOP\r\n")
    assert driven.output == b"a NO No\r\nb OK Done\r\n"


def test_a_refused_message_that_is_too_large_to_swallow() -> None:
    driven = driver(A, SMALL, answer=refuse(AppendBegins))
    driven.feed(b"a APPEND x {5001+}\r\n")
    assert isinstance(driven.events[-1], HangUp)
    assert driven.output.startswith(b"a NO No\r\n* BYE ")


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b"{3+}\r\na\0b\r\n", "NUL inside the message: send it as a literal8, ~{size}"),
        (
            b"{3+}\r\nabc {3+}\r\nabc\r\n",
            "One APPEND takes one message, and nothing after it",
        ),
        (b"{3+}\r\nabc {3}\r\n", "One APPEND takes one message, and nothing after it"),
        (b"{3+}\r\nabcd\r\n", "One APPEND takes one message, and nothing after it"),
        (b"{3+}\r\nabc\0\r\n", "NUL inside a command"),
        (
            b"{3+}\r\na\0b\0\r\n",
            "NUL inside the message: send it as a literal8, ~{size}",
        ),
        (b"UTF8 (~{3+}\r\nabc\r\n", "Expected ) after the message"),
        (
            b"UTF8 (~{3+}\r\nabc))\r\n",
            "One APPEND takes one message, and nothing after it",
        ),
    ],
)
def test_a_message_that_goes_wrong_after_all(octets: bytes, problem: str) -> None:
    driven = driver(A, SMALL)
    driven.feed(b"a APPEND x " + octets + b"b NOOP\r\n")
    assert AppendAborted(problem) in driven.events
    assert AppendEnds() not in driven.events
    assert driven.output == f"a BAD {problem}\r\nb OK Done\r\n".encode()


def test_a_literal8_may_hold_nul() -> None:
    driven = driver(A)
    driven.feed(b"a APPEND x ~{3+}\r\na\0b\r\n")
    assert message_of(driven) == b"a\0b"
    assert driven.output == b"a OK Done\r\n"


def test_a_flood_after_a_message() -> None:
    driven = driver(A, SMALL)
    driven.feed(b"a APPEND x {3+}\r\nabc {9999+}\r\n")
    assert isinstance(driven.events[-1], HangUp)


def test_a_large_message_passes_through() -> None:
    driven = driver(A)
    driven.feed(b"a APPEND x {50000000+}\r\n")
    block = b"x" * 65_536
    left = 50_000_000
    while left:
        driven.feed(block[:left])
        left -= min(left, len(block))
        assert len(driven.machine._in) == 0
    driven.feed(b"\r\n")
    sizes = [len(e.octets) for e in driven.events if isinstance(e, AppendChunk)]
    assert sum(sizes) == 50_000_000
    assert max(sizes) == 65_536
    assert driven.output == b"a OK Done\r\n"


# --- AUTHENTICATE


def test_authentication_in_steps() -> None:
    machine = IMAPServer()
    machine.receive(b"a AUTHENTICATE SCRAM-SHA-256\r\n")
    assert machine.next_event() == Authenticate("SCRAM-SHA-256", None)
    machine.challenge(b"")
    assert machine.take_output() == b"+ \r\n"
    assert machine.next_event() is None
    machine.receive(b"Zmlyc3Q=\r\n\r\n")
    assert machine.next_event() == AuthResponse(b"first")
    machine.challenge(b"server-first")
    assert machine.take_output() == b"+ c2VydmVyLWZpcnN0\r\n"
    assert machine.next_event() == AuthResponse(b"")
    machine.answer(ok("In"))
    assert machine.take_output() == b"a OK In\r\n"
    assert machine.state is A


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"*", "Authentication cancelled"),
        (b"abc", "The response is not base64"),
        (b"A===", "The response is not base64"),
        (b"x" * 2000, "The response is too long"),
    ],
)
def test_authentication_that_ends_early(line: bytes, problem: str) -> None:
    driven = driver(N, SMALL)
    driven.feed(b"a AUTHENTICATE PLAIN\r\n" + line + b"\r\nb NOOP\r\n")
    assert driven.events[1] == AuthCancelled(problem)
    assert driven.output == f"+ \r\na BAD {problem}\r\nb OK Done\r\n".encode()
    assert driven.machine.state is N


# --- IDLE


def test_idle() -> None:
    machine = IMAPServer()
    machine.state = S
    machine.receive(b"a IDLE\r\n")
    assert machine.next_event() == Idle()
    machine.continue_()
    assert machine.next_event() is None
    machine.send_untagged(b"* 4 EXISTS\r\n")
    assert machine.take_output() == b"+ idling\r\n* 4 EXISTS\r\n"
    with pytest.raises(LocalMisuse):
        machine.answer(ok("Done"))
    machine.receive(b"done\r\n")
    assert machine.next_event() == Done()
    machine.answer(ok("Done"))
    assert machine.take_output() == b"a OK Done\r\n"


def test_idle_may_be_refused() -> None:
    driven = driver(A, answer=refuse(Idle))
    assert driven.feed(b"a IDLE\r\nb NOOP\r\n") == b"a NO No\r\nb OK Done\r\n"


def test_idle_is_ended_by_done_only() -> None:
    driven = driver(A)
    driven.feed(b"a IDLE\r\nb NOOP\r\n")
    assert driven.output == b"+ idling\r\na BAD Expected DONE\r\n"
    assert driven.feed(b"c NOOP\r\n") == b"c OK Done\r\n"


# --- ENABLE and STARTTLS


def test_enable_changes_the_grammar_of_what_follows() -> None:
    driven = driver(A)
    driven.feed('a ENABLE IMAP4rev2 UTF8=ACCEPT\r\nb SELECT "ü"\r\n'.encode())
    assert driven.output == b"a OK Done\r\nb OK Done\r\n"
    assert driven.machine.enabled == {"IMAP4REV2", "UTF8=ACCEPT"}
    assert driven.machine.is_utf8
    assert driven.machine.is_rev2


def test_nothing_is_enabled_at_first() -> None:
    machine = IMAPServer()
    assert not machine.is_utf8
    assert not machine.is_rev2
    machine.enable(["utf8=accept"])
    assert machine.is_utf8
    assert not machine.is_rev2


def test_what_came_before_tls_is_forgotten() -> None:
    machine = IMAPServer()
    machine.receive(b"a STARTTLS\r\n")
    assert machine.next_event() == StartTLS()
    machine.answer(ok("Begin"))
    machine.receive(b"b LOGIN evil x\r\n")
    assert machine.next_event() is None
    machine.secured()
    assert machine.next_event() is None
    machine.receive(b"c NOOP\r\n")
    assert machine.next_event() == Noop()


def test_starttls_with_a_command_behind_it_is_refused() -> None:
    driven = driver(N)
    text = b"a BAD Nothing may follow STARTTLS before TLS is on\r\n"
    assert driven.feed(b"a STARTTLS\r\nb LOGIN evil x\r\n") == text
    assert driven.events == []
    assert driven.feed(b"c NOOP\r\n") == b"c OK Done\r\n"


def test_starttls_may_be_refused() -> None:
    driven = driver(N, answer=refuse(StartTLS))
    assert driven.feed(b"a STARTTLS\r\n") == b"a NO No\r\n"
    assert driven.feed(b"b NOOP\r\n") == b"b OK Done\r\n"


# --- the end


def test_logout() -> None:
    driven = driver(A)
    driven.feed(b"a LOGOUT\r\nb NOOP\r\n")
    assert driven.events == [Logout()]
    assert driven.output == b"* BYE Goodbye\r\na OK Done\r\n"
    assert driven.machine.state is State.LOGOUT
    assert driven.feed(b"c NOOP\r\n") == b""


def test_logout_without_bye_ends_too() -> None:
    machine = IMAPServer()
    machine.receive(b"a LOGOUT\r\n")
    machine.next_event()
    machine.answer(ok("Done"))
    assert machine.state is State.LOGOUT


def test_bye_is_said_once_and_ends_what_was_asked() -> None:
    machine = IMAPServer()
    machine.receive(b"a NOOP\r\nb NOOP\r\n")
    machine.next_event()
    machine.bye("Shutting down", b"UNAVAILABLE")
    machine.bye("Again")
    assert machine.take_output() == b"* BYE [UNAVAILABLE] Shutting down\r\n"
    assert machine.next_event() is None
    with pytest.raises(LocalMisuse):
        machine.answer(ok("Done"))


def test_no_bye_in_the_middle_of_a_literal() -> None:
    machine = IMAPServer()
    machine.send_untagged(b"* 1 FETCH (BODY[] {5}\r\nab")
    machine.bye("Shutting down")
    assert machine.take_output() == b"* 1 FETCH (BODY[] {5}\r\nab"
    assert machine.state is State.LOGOUT


def test_too_many_bad_commands() -> None:
    driven = driver(A, SMALL)
    driven.feed(b"a X\r\n" * 4 + b"b NOOP\r\n" + b"c X\r\n" * 5 + b"d NOOP\r\n")
    assert driven.events == [Noop(), HangUp("Too many bad commands")]
    assert driven.output.endswith(
        b"c BAD Unknown command X\r\n* BYE Too many bad commands\r\n"
    )


def test_before_login_bad_commands_are_counted_in_all() -> None:
    driven = driver(N, SMALL)
    driven.feed(b"a X\r\nb NOOP\r\n" * 5)
    assert isinstance(driven.events[-1], HangUp)
    again = driver(N, SMALL)
    again.feed(b"a X\r\n" * 4 + b"b LOGIN a b\r\n" + b"c X\r\n" * 4 + b"d NOOP\r\n")
    assert again.events[-1] == Noop()


def test_a_browser_is_hung_up_on() -> None:
    driven = driver(N)
    driven.feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert driven.output == b"* BYE This is IMAP\r\n"


def test_hanging_up_awaits_bye() -> None:
    machine = IMAPServer(SMALL)
    machine.receive(b"a X\r\n" * 5)
    assert isinstance(machine.next_event(), HangUp)
    with pytest.raises(LocalMisuse):
        machine.next_event()
    with pytest.raises(LocalMisuse):
        machine.answer(ok("Done"))
