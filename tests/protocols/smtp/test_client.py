"""The client's machine: alone, and against our own server's."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import LocalMisuse, Malformed
from mailkit.model.envelope import (
    BodyType,
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.reply import Reply
from mailkit.protocols.smtp.client import (
    Answered,
    Broken,
    Challenged,
    Chunk,
    Command,
    Greeting,
    Phase,
    SMTPClient,
    Text,
)
from mailkit.protocols.smtp.dialect import LMTP, SMTP, Dialect
from mailkit.protocols.smtp.events import (
    AuthBegins,
    AuthCancelled,
    AuthResponse,
    DataBegins,
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
    Verify,
)
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS
from mailkit.protocols.smtp.server import SMTPServer
from tests.protocols.smtp.test_server import answer

BOB = Path("bob", "example.org")
EVE = Path("eve", "example.org")


def client(dialect: Dialect = SMTP) -> SMTPClient:
    machine = SMTPClient(dialect)
    assert heard(machine, b"220 mx ESMTP\r\n") == [
        Answered(Greeting(), Reply(220, "", "mx ESMTP"))
    ]
    return machine


def heard(machine: SMTPClient, octets: bytes) -> list[Answered | Challenged | Broken]:
    machine.receive(octets)
    found = []
    while (event := machine.next_event()) is not None:
        found.append(event)
    return found


def begin_text(machine: SMTPClient) -> None:
    machine.say(MailFrom(NULL_PATH))
    machine.say(RcptTo(BOB))
    machine.say(DataBegins())
    heard(machine, b"250 a\r\n250 b\r\n354 c\r\n")
    machine.take_output()


COMMANDS: list[tuple[Command, bytes]] = [
    (Hello("a.example"), b"EHLO a.example"),
    (Hello("a", is_extended=False), b"HELO a"),
    (StartTLS(), b"STARTTLS"),
    (AuthBegins("PLAIN"), b"AUTH PLAIN"),
    (AuthBegins("PLAIN", b""), b"AUTH PLAIN ="),
    (AuthBegins("PLAIN", b"\0a\0b"), b"AUTH PLAIN AGEAYg=="),
    (MailFrom(NULL_PATH), b"MAIL FROM:<>"),
    (MailFrom(Path("a b", "c")), b'MAIL FROM:<"a b"@c>'),
    (
        MailFrom(
            BOB,
            SenderParameters(
                1, BodyType.EIGHT_BIT, True, "HDRS", "a+b", "bob@example.org"
            ),
        ),
        b"MAIL FROM:<bob@example.org> SIZE=1 BODY=8BITMIME SMTPUTF8 RET=HDRS "
        b"ENVID=a+2Bb AUTH=bob@example.org",
    ),
    (RcptTo(BOB), b"RCPT TO:<bob@example.org>"),
    (
        RcptTo(
            EVE,
            RecipientParameters(
                frozenset({Notify.DELAY, Notify.SUCCESS}), "rfc822;e=v@example.org"
            ),
        ),
        b"RCPT TO:<eve@example.org> NOTIFY=SUCCESS,DELAY "
        b"ORCPT=rfc822;e+3Dv@example.org",
    ),
    (DataBegins(), b"DATA"),
    (Reset(), b"RSET"),
    (Noop(), b"NOOP"),
    (Quit(), b"QUIT"),
    (Help(), b"HELP"),
    (Verify("bob"), b"VRFY bob"),
    (Expand("all"), b"EXPN all"),
]


@pytest.mark.parametrize(("command", "line"), COMMANDS)
def test_commands(command: Command, line: bytes) -> None:
    machine = client()
    machine.say(command)
    assert machine.take_output() == line + b"\r\n"
    assert machine.awaits == 1


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"250 ok\r\n", Reply(250, "", "ok")),
        (b"250\r\n", Reply(250, "", "")),
        (b"250 \r\n", Reply(250, "", "")),
        (b"250 2.1.0 ok\r\n", Reply(250, "1.0", "ok")),
        (b"550 5.1.1\r\n", Reply(550, "1.1", "")),
        (b"550-5.1.1 a\r\n550 5.1.1 b\r\n", Reply(550, "1.1", "a\nb")),
        (b"550 4.1.1 liar\r\n", Reply(550, "", "4.1.1 liar")),
        (b"250 2.1 octets\r\n", Reply(250, "", "2.1 octets")),
        (b"250-a\r\n250-\r\n250 c\r\n", Reply(250, "", "a\n\nc")),
        (b"250 \xff\r\n", Reply(250, "", "\ufffd")),
    ],
)
def test_replies(octets: bytes, reply: Reply) -> None:
    for pieces in ([octets], [octets[i : i + 1] for i in range(len(octets))]):
        machine = client()
        machine.say(Noop())
        found = [event for piece in pieces for event in heard(machine, piece)]
        assert found == [Answered(Noop(), reply)]


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n",
        b"25\r\n",
        b"650 x\r\n",
        b"250x\r\n",
        b"250-a\r\n251 b\r\n",
        b"250-a\r\n" * 101,
        b"250 " + b"x" * 5000 + b"\r\n",
        b"250 ok\r\n250 ok\r\n",
    ],
)
def test_no_replies(octets: bytes) -> None:
    machine = client()
    machine.say(Noop())
    assert isinstance(heard(machine, octets)[-1], Broken)
    assert machine.phase is Phase.OVER
    assert heard(machine, b"250 ok\r\n") == []


def test_the_server_goes() -> None:
    """421 may be the answer to anything (RFC 5321 §3.8)."""
    machine = client()
    machine.say(Noop())
    assert heard(machine, b"421 4.3.2 bye\r\n250 x\r\n") == [
        Answered(Noop(), Reply(421, "3.2", "bye"))
    ]
    assert machine.phase is Phase.OVER
    idle = client()
    assert isinstance(heard(idle, b"421 bye\r\n")[0], Answered)


def test_quit() -> None:
    machine = client()
    machine.say(Quit())
    assert isinstance(heard(machine, b"221 bye\r\n250 x\r\n")[0], Answered)
    assert machine.phase is Phase.OVER


def test_extensions() -> None:
    machine = client()
    machine.say(Hello("a"))
    heard(machine, b"250-mx greets a\r\n250-size 100\r\n250 AUTH PLAIN LOGIN\r\n")
    assert machine.extensions == {"SIZE": "100", "AUTH": "PLAIN LOGIN"}
    assert machine.offers("SIZE")
    assert not machine.offers("STARTTLS")
    machine.say(Hello("a"))
    heard(machine, b"500 what?\r\n")
    assert machine.offers("SIZE")


def test_tls_forgets_what_was_offered() -> None:
    machine = client()
    machine.say(Hello("a"))
    heard(machine, b"250-mx\r\n250 STARTTLS\r\n")
    machine.say(StartTLS())
    with pytest.raises(LocalMisuse):
        machine.say(Noop())
    heard(machine, b"220 go\r\n")
    with pytest.raises(LocalMisuse):
        machine.say(Noop())
    machine.secured()
    assert not machine.extensions
    machine.say(Hello("a"))


@pytest.mark.parametrize("reply", [b"454 not now\r\n", b"250 ok\r\n", b"354 go\r\n"])
def test_tls_refused(reply: bytes) -> None:
    """Nothing but 220 begins it (RFC 3207 §4)."""
    machine = client()
    machine.say(StartTLS())
    heard(machine, reply)
    machine.say(Noop())


def test_something_behind_the_reply_to_starttls() -> None:
    """RFC 3207 §6."""
    machine = client()
    machine.say(StartTLS())
    assert isinstance(heard(machine, b"220 go\r\n250 injected\r\n")[0], Broken)


def test_authentication() -> None:
    machine = client()
    with pytest.raises(LocalMisuse):
        machine.say(AuthResponse(b"x"))
    machine.say(AuthBegins("SCRAM-SHA-256", b"first"))
    with pytest.raises(LocalMisuse):
        machine.say(Noop())
    assert heard(machine, b"334 c2VydmVy\r\n") == [Challenged(b"server")]
    with pytest.raises(LocalMisuse):
        machine.say(Noop())
    machine.take_output()
    machine.say(AuthResponse(b"\0\1"))
    assert machine.take_output() == b"AAE=\r\n"
    assert heard(machine, b"334 \r\n") == [Challenged(b"")]
    machine.say(AuthCancelled())
    assert machine.take_output() == b"*\r\n"
    heard(machine, b"501 5.7.0 cancelled\r\n")
    machine.say(Noop())


def test_a_challenge_that_is_none() -> None:
    machine = client()
    machine.say(AuthBegins("X"))
    assert isinstance(heard(machine, b"334 ???\r\n")[0], Broken)


def test_nothing_behind_the_end_of_a_group() -> None:
    """RFC 2920 §3.1."""
    machine = client()
    machine.say(Hello("a"))
    with pytest.raises(LocalMisuse):
        machine.say(Noop())


@pytest.mark.parametrize("step", [1, 2, 3, 4, 100])
def test_dots(step: int) -> None:
    """RFC 5321 §4.5.2, wherever the text is cut."""
    text = b".a\r\n..\r\nb.\r\n\r\n.\r\n."
    machine = client()
    begin_text(machine)
    for at in range(0, len(text), step):
        machine.text(text[at : at + step])
    machine.text(b"")
    machine.end_text()
    sent = b"..a\r\n...\r\nb.\r\n\r\n..\r\n..\r\n.\r\n"
    assert machine.take_output() == sent
    assert heard(machine, b"250 kept\r\n") == [Answered(Text(), Reply(250, "", "kept"))]


@pytest.mark.parametrize(
    "pieces", [[b"a\nb"], [b"a\r", b"b"], [b"\0"], [b"\r", b"\r\n"], [b"a\r"]]
)
def test_no_bare_line_ends_go_out(pieces: list[bytes]) -> None:
    """RFC 5321 §2.3.8: nobody smuggles by us."""
    machine = client()
    begin_text(machine)
    with pytest.raises(Malformed):
        for piece in pieces:
            machine.text(piece)
        machine.end_text()


def test_no_text_that_nobody_asked_for() -> None:
    machine = client()
    with pytest.raises(LocalMisuse):
        machine.text(b"x")
    with pytest.raises(LocalMisuse):
        machine.end_text()
    machine.say(DataBegins())
    heard(machine, b"503 no\r\n")
    assert machine.phase is Phase.COMMANDS
    begin_text(machine)
    with pytest.raises(LocalMisuse):
        machine.chunk(b"x", is_last=True)


@pytest.mark.parametrize(
    "command",
    [
        Noop(),
        MailFrom(Path("a\r\nQUIT", "b")),
        RcptTo(Path("a", "b>\r\nDATA\r\n")),
        Verify("a\nb"),
        Verify("a\0b"),
        Hello("a" * 3000),
    ],
)
def test_no_command_in_a_command(command: Command) -> None:
    machine = client()
    if isinstance(command, Noop):
        begin_text(machine)
    with pytest.raises(LocalMisuse):
        machine.say(command)
    assert machine.take_output() == b""


def test_chunks() -> None:
    """RFC 3030 §2."""
    machine = client()
    machine.chunk(b"a\nb", is_last=False)
    machine.chunk(b"", is_last=True)
    assert machine.take_output() == b"BDAT 3\r\na\nbBDAT 0 LAST\r\n"
    said = heard(machine, b"250 a\r\n250 b\r\n")
    assert [event.to for event in said if isinstance(event, Answered)] == [
        Chunk(is_last=False),
        Chunk(is_last=True),
    ]


def test_lmtp_has_a_reply_a_recipient() -> None:
    """RFC 2033 §4.2."""
    machine = client(LMTP)
    with pytest.raises(LocalMisuse):
        machine.say(Hello("a", is_extended=False))
    machine.say(Hello("a"))
    assert machine.take_output() == b"LHLO a\r\n"
    heard(machine, b"250 mx\r\n")
    machine.say(MailFrom(NULL_PATH))
    machine.say(RcptTo(BOB))
    machine.say(RcptTo(EVE))
    with pytest.raises(LocalMisuse):
        machine.chunk(b"", is_last=True)
    machine.say(RcptTo(Path("no", "body")))
    machine.say(DataBegins())
    heard(machine, b"250 a\r\n250 b\r\n250 c\r\n550 d\r\n354 e\r\n")
    machine.text(b"x\r\n")
    machine.end_text()
    assert heard(machine, b"250 yes\r\n452 4.2.2 full\r\n") == [
        Answered(Text(), Reply(250, "", "yes"), BOB),
        Answered(Text(), Reply(452, "2.2", "full"), EVE),
    ]
    machine.say(Reset())
    assert machine.awaits == 1


# -- both machines together


@pytest.mark.parametrize("command", [command for command, _ in COMMANDS])
def test_the_server_reads_what_the_client_writes(command: Command) -> None:
    machine = client()
    server = SMTPServer()
    server.send(Reply(220, "", "mx"))
    before = b"EHLO a\r\n"
    if isinstance(command, RcptTo | DataBegins):
        before += b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
    server.receive(before)
    while (event := server.next_event()) is not None:
        answer(server, event)
    machine.say(command)
    server.receive(machine.take_output())
    assert server.next_event() == command


@given(
    st.lists(st.sampled_from([b"a", b".", b"\r\n", b"..", b"\r\n."]), max_size=40),
    st.integers(1, 7),
)
def test_text_goes_through_both(words: list[bytes], step: int) -> None:
    text = b"".join(words)
    machine = client()
    begin_text(machine)
    server = SMTPServer()
    server.send(Reply(220, "", "mx"))
    server.receive(b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
    while (event := server.next_event()) is not None:
        answer(server, event)
    for at in range(0, len(text), step):
        machine.text(text[at : at + step])
    machine.end_text()
    server.receive(machine.take_output())
    came = b""
    while (event := server.next_event()) is not None:
        if isinstance(event, TextBlock):
            came += event.octets
        answer(server, event)
    ended = text if not text or text.endswith(b"\r\n") else text + b"\r\n"
    assert came == ended


@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from([b"250", b"250-", b" ", b"ok", b"\r\n", b"\n", b"334 =\r\n"])
    ).map(b"".join)
)
def test_garbage_breaks_the_connection_and_nothing_else(octets: bytes) -> None:
    machine = SMTPClient(limits=evolve(DEFAULT_LIMITS, reply_line=512))
    whole = heard(machine, octets)
    other = SMTPClient(limits=evolve(DEFAULT_LIMITS, reply_line=512))
    single = [
        event for i in range(len(octets)) for event in heard(other, octets[i : i + 1])
    ]
    assert whole == single
