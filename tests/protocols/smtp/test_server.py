"""The server's machine: order, limits, and that octet by octet equals whole."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import LocalMisuse
from mailkit.model.envelope import BodyType
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.reply import Reply
from mailkit.protocols.smtp.dialect import LMTP, SMTP, Dialect
from mailkit.protocols.smtp.events import (
    AuthBegins,
    AuthCancelled,
    AuthResponse,
    BadCommand,
    ChunkEnds,
    DataBegins,
    Event,
    Expand,
    Hello,
    Help,
    MailFrom,
    Noop,
    Quit,
    RcptTo,
    Reset,
    StartTLS,
    TextBlock,
    TextEnds,
    Verify,
)
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS, Limits
from mailkit.protocols.smtp.server import SMTPServer, State

OK = Reply(250, "0.0", "ok")
NO = Reply(550, "0.0", "no")
GO_ON = Reply(354, "", "go on")


def server(dialect: Dialect = SMTP, limits: Limits = DEFAULT_LIMITS) -> SMTPServer:
    machine = SMTPServer(dialect, limits)
    machine.send(Reply(220, "", "hello"))
    machine.take_output()
    return machine


def answer(machine: SMTPServer, event: Event) -> None:
    """What a willing session says."""
    match event:
        case TextBlock():
            pass
        case DataBegins():
            machine.send(GO_ON)
        case BadCommand(reply):
            machine.send(reply)
        case TextEnds() | ChunkEnds():
            reply = event.refusal or OK
            machine.send(*[reply] * machine.replies_wanted)
        case AuthBegins():
            machine.challenge(b"who?")
        case AuthResponse():
            machine.send(Reply(235, "7.0", "welcome"))
        case AuthCancelled():
            machine.send(Reply(501, "7.0", "never mind"))
        case _:
            machine.send(OK)


def events(machine: SMTPServer, pieces: Iterable[bytes]) -> list[Event]:
    """Everything that comes of some octets, each event answered willingly."""
    found: list[Event] = []
    for piece in pieces:
        machine.receive(piece)
        while (event := machine.next_event()) is not None:
            found.append(event)
            answer(machine, event)
    return found


def single(octets: bytes) -> Iterable[bytes]:
    return (octets[i : i + 1] for i in range(len(octets)))


READY = b"EHLO a\r\n"
MAIL = READY + b"MAIL FROM:<a@b>\r\n"
RCPT = MAIL + b"RCPT TO:<c@d>\r\n"


@pytest.mark.parametrize(
    ("octets", "event"),
    [
        (b"EHLO a.example\r\n", Hello("a.example")),
        (b"ehlo a\r\n", Hello("a")),
        (b"HELO a\r\n", Hello("a", is_extended=False)),
        (READY + b"STARTTLS\r\n", StartTLS()),
        (READY + b"AUTH plain\r\n", AuthBegins("PLAIN")),
        (READY + b"AUTH PLAIN =\r\n", AuthBegins("PLAIN", b"")),
        (READY + b"AUTH PLAIN AGEAYg==\r\n", AuthBegins("PLAIN", b"\0a\0b")),
        (READY + b"AUTH X\r\nYQ==\r\n", AuthResponse(b"a")),
        (READY + b"AUTH X\r\n\r\n", AuthResponse(b"")),
        (READY + b"AUTH X\r\n*\r\n", AuthCancelled()),
        (READY + b"MAIL FROM:<>\r\n", MailFrom(NULL_PATH)),
        (READY + b"mail from: <a@b> \r\n", MailFrom(Path("a", "b"))),
        (MAIL + b"RCPT TO:<c@d>\r\n", RcptTo(Path("c", "d"))),
        (RCPT + b"DATA\r\n", DataBegins()),
        (RCPT + b"DATA\r\n.\r\n", TextEnds()),
        (RCPT + b"BDAT 0 LAST\r\n", ChunkEnds(is_last=True)),
        (RCPT + b"bdat 0 last\r\n", ChunkEnds(is_last=True)),
        (RCPT + b"BDAT 0\r\n", ChunkEnds(is_last=False)),
        (b"RSET\r\n", Reset()),
        (b"RSET \r\n", Reset()),
        (b"NOOP\r\n", Noop()),
        (b"NOOP x\r\n", Noop()),
        (b"QUIT\r\n", Quit()),
        (b"HELP\r\n", Help()),
        (b"VRFY a b\r\n", Verify("a b")),
        (b"EXPN a\r\n", Expand("a")),
    ],
)
def test_commands(octets: bytes, event: Event) -> None:
    assert events(server(), [octets])[-1] == event
    assert events(server(), single(octets))[-1] == event


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"STARTTLS\r\n", "503 5.5.1"),
        (b"AUTH X\r\n", "503 5.5.1"),
        (MAIL + b"AUTH X\r\n", "503 5.5.1"),
        (READY + b"AUTH X\r\n\r\nAUTH X\r\n", "503 5.5.1"),
        (READY + b"AUTH X\r\n$\r\n", "501 5.5.2"),
        (READY + b"AUTH X\r\n" + b"A" * 12_288 + b"\r\n", "500 5.5.6"),
        (b"X" * 12_288 + b"\r\n", "500 5.5.2"),
        (b"X" * 600 + b"\r\n", "500 5.5.2"),
        (b"NOOP " + b"X" * 506 + b"\r\n", "500 5.5.2"),
        (READY + b"MAIL FROM:<a@b> " + b"X" * 2048 + b"\r\n", "500 5.5.2"),
        (MAIL + b"MAIL FROM:<a@b>\r\n", "503 5.5.1"),
        (MAIL + b"DATA\r\n", "503 5.5.1"),
        (b"BDAT 2 LAST\r\nxx", "503 5.5.1"),
        (b"BDAT x\r\n", "501 5.5.4"),
        (b"NOOP \x01\r\n", "500 5.5.2"),
        (b"NOOP \xff\r\n", "500 5.5.2"),
        (READY + b"STARTTLS x\r\n", "501 5.5.4"),
        (READY + b"AUTH\r\n", "501 5.5.4"),
        (READY + b"MAIL <a@b>\r\n", "501 5.5.2"),
        (MAIL + b"RCPT <a@b>\r\n", "501 5.5.2"),
        (RCPT + b"DATA x\r\n", "501 5.5.4"),
        (b"QUIT x\r\n", "501 5.5.4"),
        (b"VRFY \r\n", "501 5.5.4"),
        (b"BDAT 9999999999999999\r\n", "501 5.5.4"),
        (b"GET / HTTP/1.0\r\n", "421 4.7.0"),
        (b"\x16\x03\x01", "421 4.7.0"),
    ],
)
def test_bad_commands(octets: bytes, status: str) -> None:
    for pieces in ([octets], single(octets)):
        event = events(server(), pieces)[-1]
        assert isinstance(event, BadCommand | ChunkEnds)
        reply = event.reply if isinstance(event, BadCommand) else event.refusal
        assert str(reply).startswith(status)


def test_as_long_as_may_be() -> None:
    """Commands of the very length that RFC 5321 §4.5.3.1.4 and others name."""
    machine = server()
    assert events(machine, [b"NOOP " + b"x" * 505 + b"\r\n"]) == [Noop()]
    assert isinstance(events(machine, [READY])[0], Hello)
    challenge = b"A" * 12_284 + b"\r\n"
    assert events(machine, [b"AUTH X\r\n" + challenge]) == [
        AuthBegins("X"),
        AuthResponse(bytes(9213)),
    ]


def test_too_many_recipients() -> None:
    machine = server(limits=evolve(DEFAULT_LIMITS, recipients=100))
    events(machine, [MAIL])
    said = events(machine, [b"RCPT TO:<c@d>\r\n" * 101])
    assert isinstance(said[99], RcptTo)
    assert isinstance(said[100], BadCommand)
    assert said[100].reply.code == 452
    assert isinstance(events(machine, [b"DATA\r\n"])[0], DataBegins)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (READY, State.READY),
        (MAIL, State.MAIL),
        (RCPT, State.RCPT),
        (RCPT + b"DATA\r\n", State.TEXT),
        (RCPT + b"DATA\r\n.\r\n", State.READY),
        (RCPT + b"BDAT 0\r\n", State.CHUNKS),
        (RCPT + b"BDAT 0\r\nBDAT 0 LAST\r\n", State.READY),
        (RCPT + b"BDAT 1\r\n\n", State.READY),
        (MAIL + b"BDAT 1\r\n\n", State.MAIL),
        (RCPT + b"RSET\r\n", State.READY),
        (b"RSET\r\n", State.CONNECTED),
        (RCPT + b"EHLO a\r\n", State.READY),
        (READY + b"AUTH X\r\n", State.AUTH),
        (READY + b"AUTH X\r\n$\r\n", State.READY),
        (READY + b"AUTH X\r\n*\r\n", State.READY),
        (b"QUIT\r\n", State.CLOSED),
        (b"GET\r\n", State.CLOSED),
    ],
)
def test_states(before: bytes, after: State) -> None:
    machine = server()
    events(machine, [before])
    assert machine.state is after


@pytest.mark.parametrize(
    ("before", "command", "state"),
    [
        (b"", b"EHLO a\r\n", State.CONNECTED),
        (READY, b"MAIL FROM:<a@b>\r\n", State.READY),
        (MAIL, b"RCPT TO:<a@b>\r\n", State.MAIL),
        (RCPT, b"RCPT TO:<a@b>\r\n", State.RCPT),
        (RCPT, b"DATA\r\n", State.RCPT),
        (RCPT, b"BDAT 0\r\n", State.READY),
        (RCPT, b"BDAT 0 LAST\r\n", State.READY),
        (RCPT + b"DATA\r\n", b".\r\n", State.READY),
        (READY, b"AUTH X\r\n", State.READY),
        (READY + b"AUTH X\r\n", b"\r\n", State.READY),
        (READY, b"STARTTLS\r\n", State.READY),
    ],
)
def test_what_is_refused_leads_nowhere(
    before: bytes, command: bytes, state: State
) -> None:
    machine = server()
    events(machine, [before])
    machine.receive(command)
    assert machine.next_event() is not None
    machine.send(NO)
    assert machine.state is state
    assert not machine.is_authenticated


def test_a_reply_is_awaited() -> None:
    machine = server()
    with pytest.raises(LocalMisuse):
        machine.send(OK)
    machine.receive(b"NOOP\r\nNOOP\r\n")
    assert machine.replies_wanted == 0
    machine.next_event()
    assert machine.replies_wanted == 1
    with pytest.raises(LocalMisuse):
        machine.next_event()
    with pytest.raises(LocalMisuse):
        machine.challenge(b"")


def test_two_replies_to_one_command() -> None:
    machine = server()
    machine.receive(b"NOOP\r\n")
    machine.next_event()
    with pytest.raises(LocalMisuse):
        machine.send(OK, OK)


def test_the_last_word_may_come_at_any_time() -> None:
    for octets in (b"", b"NOOP\r\n", RCPT + b"DATA\r\nabc\r\n"):
        machine = server()
        machine.receive(octets)
        machine.next_event()
        machine.send(Reply(421, "3.2", "shutting down"))
        assert machine.state is State.CLOSED
        machine.receive(b"NOOP\r\n")
        assert machine.next_event() is None
        assert machine.take_output().endswith(b"421 4.3.2 shutting down\r\n")


def test_lmtp_answers_for_each_recipient() -> None:
    """RFC 2033 §4.2: for those alone that were accepted."""
    machine = server(LMTP)
    events(
        machine, [b"LHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n"]
    )
    machine.receive(b"RCPT TO:<g@h>\r\n")
    machine.next_event()
    machine.send(NO)
    for before, end in ((b"DATA\r\n", b".\r\n"), (b"BDAT 0\r\n", b"BDAT 0 LAST\r\n")):
        events(machine, [before])
        machine.receive(end)
        machine.next_event()
        assert machine.replies_wanted == 2
        machine.send(OK, NO)
        assert machine.state is State.READY
        events(machine, [b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<c@d>\r\n"])
    assert events(machine, [b"EHLO a\r\n"])[0] == BadCommand(
        Reply(500, "5.1", "Unknown command")
    )


def test_tls_forgets_everything() -> None:
    """RFC 3207 §4.2."""
    machine = server()
    events(machine, [READY + b"AUTH X\r\n\r\nMAIL FROM:<a@b>\r\nNOO"])
    machine.secured()
    assert machine.state is State.CONNECTED
    assert not machine.is_authenticated
    assert not machine.is_extended
    assert events(machine, [b"NOOP\r\n"]) == [Noop()]


def test_no_tls_with_something_behind() -> None:
    machine = server()
    [_, refused, _] = events(machine, [READY + b"STARTTLS\r\nNOOP\r\n"])
    assert isinstance(refused, BadCommand)
    assert refused.reply.code == 501


@pytest.mark.parametrize(
    "begin", [b"DATA\r\n", b"BDAT 999999999 LAST\r\n"], ids=["DATA", "BDAT"]
)
def test_far_too_large(begin: bytes) -> None:
    limits = evolve(DEFAULT_LIMITS, message_size=64 * 1024, overrun=100_000)
    machine = server(limits=limits)
    said = events(machine, [RCPT + begin] + [b"x" * 98 + b"\r\n"] * 3000)
    assert isinstance(said[-1], BadCommand)
    assert said[-1].reply.code == 421
    assert machine.state is State.CLOSED


def test_replies_of_several_lines() -> None:
    """The status stands in each line (RFC 2034 §4)."""
    machine = SMTPServer()
    machine.send(Reply(220, "", "mx\nESMTP"))
    machine.receive(b"NOOP\r\n")
    machine.next_event()
    machine.send(Reply(250, "0.0", "one\ntwö\n" + "x" * 600))
    lines = machine.take_output().split(b"\r\n")
    assert lines[:4] == [b"220-mx", b"220 ESMTP", b"250-2.0.0 one", b"250-2.0.0 tw?"]
    assert len(lines[4]) == 510


def test_a_reply_cannot_hold_a_line_end() -> None:
    machine = SMTPServer()
    with pytest.raises(LocalMisuse):
        machine.send(Reply(220, "", "mx\r\n250 ok"))


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(AuthBegins("PLAIN", b"secret"))
    assert "secret" not in repr(AuthResponse(b"secret"))


def test_body_type_is_remembered() -> None:
    machine = server()
    events(machine, [READY + b"MAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<c@d>\r\n"])
    [refused] = events(machine, [b"DATA\r\n"])
    assert isinstance(refused, BadCommand)
    said = events(machine, [b"BDAT 2\r\n\r\r" + b"BDAT 2 LAST\r\n\n\0"])
    assert [type(event) for event in said] == [TextBlock, ChunkEnds] * 2
    assert BodyType.BINARY.value == "BINARYMIME"


WORDS = st.sampled_from(
    b"EHLO a\r\n|MAIL FROM:<a@b>| SIZE=1|RCPT TO:<c@d>\r\n|DATA\r\n|.\r\n|\r\n|\n|"
    b"\r|.|\0|x|BDAT 3| LAST|\xff|AUTH PLAIN\r\n|*\r\n|QUIT|RSET\r\n|NOOP\r\n|"
    b"BDAT 0 LAST\r\n".split(b"|")
)


def merged(found: list[Event]) -> list[Event]:
    """Neighbouring blocks of text as one: how they are cut means nothing."""
    kept: list[Event] = []
    for event in found:
        if isinstance(event, TextBlock) and kept and isinstance(kept[-1], TextBlock):
            kept[-1] = TextBlock(kept[-1].octets + event.octets)
        else:
            kept.append(event)
    return kept


@given(st.lists(WORDS, max_size=40).map(b"".join) | st.binary(max_size=100))
def test_octet_by_octet_equals_whole(octets: bytes) -> None:
    for dialect in (SMTP, LMTP):
        one, other = server(dialect), server(dialect)
        whole = merged(events(one, [octets]))
        pieces = merged(events(other, single(octets)))
        # Text that is refused is handed up as far as it came.
        drop = (TextBlock,)
        if any(getattr(event, "refusal", None) for event in whole):
            whole = [event for event in whole if not isinstance(event, drop)]
            pieces = [event for event in pieces if not isinstance(event, drop)]
        assert whole == pieces
        assert one.take_output() == other.take_output()
        assert one.state is other.state
