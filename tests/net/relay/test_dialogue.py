"""What is said to a host, in which groups, and over which connection."""

from __future__ import annotations

import pytest
from attrs import evolve
from twisted.internet.error import (
    ConnectError,
    ConnectionRefusedError,
    NoRouteError,
    TimeoutError,
)
from twisted.python.failure import Failure

from mailkit.errors import (
    BadMessage,
    NeedsSMTPUTF8,
    NeedsTLS,
    StorageBroken,
    Unavailable,
    Unreachable,
)
from mailkit.formats.downgrade import downgrade
from mailkit.interfaces.queue import Carried, NextHost
from mailkit.model.envelope import (
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.tlspolicy import TLSLevel, TLSPolicy
from mailkit.net.relay.settings import RelaySettings
from tests.net.relay.sink import (
    BREAK,
    CHUNKING,
    CUT,
    GOOD,
    HANG,
    HELLO,
    PLAIN_HELLO,
    Answers,
)
from tests.net.relay.world import (
    BINARY,
    EIGHT_BIT,
    SINK,
    TEXT,
    OnDisk,
    World,
    commands,
    item,
    lmtp,
    told,
)

MAIL = f"MAIL FROM:<x@elsewhere.test> SIZE={len(TEXT)}"
STUFFED = TEXT.replace(b"\r\n.", b"\r\n..")
HEAD = b"From: x@elsewhere.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
WIDE = HEAD + "Viele Grüße an alle, die das hier lesen\r\n".encode()


def offering(*keywords: str, but: str = "") -> str:
    """What most hosts offer, and more, or less."""
    words = [each[4:] for each in HELLO.split("\n")]
    words = [each for each in words if each != but] + list(keywords)
    return "\n".join([f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"])


def test_one_group() -> None:
    """MAIL, RCPT and DATA leave together (RFC 2920 §3.1)."""
    world = World()
    carried = world.carry(item("a@sink.test", "b@sink.test"))
    sink = world.host.sink
    assert sink.heard[:5] == [
        "EHLO us.test",
        MAIL,
        "RCPT TO:<a@sink.test>",
        "RCPT TO:<b@sink.test>",
        "DATA",
    ]
    assert sink.reads == [1, 4]
    assert sink.texts == [STUFFED]
    assert carried.tls == ""


def test_one_by_one() -> None:
    world = World({"EHLO": PLAIN_HELLO})
    world.carry(item("a@sink.test", "b@sink.test"))
    assert world.host.sink.reads == [1, 1, 1, 1, 1]
    assert "MAIL FROM:<x@elsewhere.test>" in commands(world)


def test_by_chunks() -> None:
    """BDAT needs no dots stuffed; pieces go ahead of their replies."""
    settings = RelaySettings(piece=10, window=3)
    world = World({"EHLO": CHUNKING}, settings)
    content = OnDisk(TEXT)
    assert told(world.carry(item(), content)) == ["a sent 2.0.0 250 2.0.0 Taken"]
    sink = world.host.sink
    assert sink.texts == [TEXT]
    chunks = [line for line in sink.heard if line.startswith("BDAT")]
    assert chunks[:2] == ["BDAT 10", "BDAT 10"]
    assert chunks[-1] == f"BDAT {len(TEXT) % 10} LAST"
    assert sink.reads[2] == 3  # the window
    assert max(count for _, count in content.reads) == 10


def test_an_empty_message_by_chunks() -> None:
    world = World({"EHLO": CHUNKING})
    assert told(world.carry(item(), b"")) == ["a sent 2.0.0 250 2.0.0 Taken"]
    assert commands(world)[-1] == "BDAT 0 LAST"


def test_a_chunk_is_refused() -> None:
    """Nothing more is sent than was on its way, and the connection stays good."""
    settings = RelaySettings(piece=10, window=3)
    world = World(
        {"EHLO": CHUNKING, "BDAT": ["250 ok", "552 5.3.4 Too much", "503 5.5.1 No"]},
        settings,
    )
    carried = world.carry(item(), OnDisk(TEXT))
    assert told(carried) == ["a failed 5.3.4 552 5.3.4 Too much"]
    assert not carried.is_doubtful
    assert world.host.sink.texts == []
    world.carry(item(), b"short\r\n")
    assert commands(world)[-4:-1] == [
        "RSET",
        "MAIL FROM:<x@elsewhere.test> SIZE=7",
        "RCPT TO:<a@sink.test>",
    ]


def test_a_chunk_and_a_cut() -> None:
    settings = RelaySettings(piece=10, window=1)
    world = World({"EHLO": CHUNKING, "BDAT": ["250 ok", CUT]}, settings)
    carried = world.carry(item(), OnDisk(TEXT))
    assert told(carried) == [
        "a waiting 4.4.2 it closed the connection, while the message was sent"
    ]
    assert not carried.is_doubtful


def test_pieces_of_text() -> None:
    """Dots are safe wherever pieces are cut."""
    for piece in range(1, 12):
        world = World(settings=RelaySettings(piece=piece))
        text = b"a: b\r\n\r\n.\r\n..\r\nx\r\n.y\r\n"
        world.carry(item(), OnDisk(text))
        assert world.host.sink.texts == [b"a: b\r\n\r\n..\r\n...\r\nx\r\n..y\r\n"]


def test_back_pressure() -> None:
    """A host that reads nothing is not read for either, and for so long only."""
    world = World(settings=RelaySettings(piece=10, block=180.0))
    content = OnDisk(TEXT)
    ours: list[object] = []
    world.host.answers["DATA"] = HANG
    found = world.begin(item(), content)
    wire, theirs = world.net.wires[0]
    reads = len(content.reads)
    wire.fill()
    theirs.write(b"354 Go on\r\n")
    world.net.flow()
    assert len(content.reads) == reads + 1
    wire.drain()
    world.net.flow()
    assert len(content.reads) > reads + 1
    assert found == ours


def test_a_host_that_reads_nothing() -> None:
    world = World({"DATA": HANG}, RelaySettings(piece=10, block=180.0))
    found = world.begin(item(), OnDisk(TEXT))
    wire, theirs = world.net.wires[0]
    wire.fill()
    theirs.write(b"354 Go on\r\n")
    world.net.flow()
    world.pass_time(181)
    (carried,) = found
    assert isinstance(carried, Carried)
    assert told(carried) == [
        "a waiting 4.4.2 it took nothing for 180 s, while the message was sent"
    ]


def test_the_file_is_shorter_than_it_was() -> None:
    """What was begun is given up: no end is sent."""
    world = World(settings=RelaySettings(piece=10))
    content = OnDisk(TEXT)
    world.host.answers["DATA"] = HANG
    found = world.begin(item(), content)
    content.lies = 5
    world.net.wires[0][1].write(b"354 Go on\r\n")
    world.net.flow()
    (failure,) = found
    assert isinstance(failure, Failure)
    assert isinstance(failure.value, StorageBroken)
    assert not world.net.wires


# -- connections


def test_a_connection_is_used_again() -> None:
    world = World()
    world.carry(item())
    world.carry(item("b@sink.test"))
    assert [line.split(" ")[0] for line in commands(world)] == [
        "EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA",
    ]  # fmt: skip
    world.pass_time(9)
    assert commands(world)[-1] == "QUIT"
    assert not world.net.wires


def test_others_have_other_connections() -> None:
    world = World()
    one = world.begin(item())
    world.carry(item(), host=evolve(SINK, port=26))
    world.carry(item(), host=lmtp())
    strict = evolve(SINK, policy=TLSPolicy(level=TLSLevel.ENCRYPT))
    with pytest.raises(Unreachable):
        world.carry(item(), host=strict)
    assert len(world.host.sinks) == 4
    assert len(one) == 1


def test_many_at_once() -> None:
    world = World({"text": HANG}, later={**GOOD, "text": HANG})
    for _ in range(5):
        world.begin(item())
    assert len(world.host.sinks) == 5
    world.pass_time(601)
    world.pass_time(10)
    assert not world.net.wires


def test_messages_a_connection() -> None:
    world = World(settings=RelaySettings(messages=2))
    for _ in range(3):
        world.carry(item())
    assert [sink.heard.count("DATA") for sink in world.host.sinks] == [2, 1]
    assert world.host.sinks[0].heard[-1] == "QUIT"


def test_idle_connections_are_few() -> None:
    world = World(settings=RelaySettings(idle_connections=0))
    world.carry(item())
    assert commands(world)[-1] == "QUIT"


def test_an_open_transaction_is_reset() -> None:
    world = World({"RCPT": ["550 5.1.1 No", "250 ok"], "DATA": ["503 No", "354 Go"]})
    world.carry(item())
    assert told(world.carry(item())) == ["a sent 2.0.0 250 2.0.0 Taken"]
    assert commands(world)[4:] == ["RSET", MAIL, "RCPT TO:<a@sink.test>", "DATA"]


def test_an_open_transaction_is_reset_one_by_one() -> None:
    world = World({"EHLO": PLAIN_HELLO, "RCPT": ["550 5.1.1 No", "250 ok"]})
    world.carry(item())
    assert told(world.carry(item())) == ["a relayed 2.0.0 250 2.0.0 Taken"]
    assert [each.split(" ")[0] for each in commands(world)[3:]] == [
        "RSET", "MAIL", "RCPT", "DATA",
    ]  # fmt: skip


def test_data_for_nobody() -> None:
    """It says 354 although nobody was taken: an empty message, and on we go."""
    world = World({"RCPT": ["550 5.1.1 No", "250 ok"]})
    assert told(world.carry(item())) == ["a failed 5.1.1 550 5.1.1 No"]
    assert world.host.sink.texts == [b""]
    world.carry(item())
    assert "RSET" not in commands(world)


@pytest.mark.parametrize(
    "goes",
    [CUT, f"{BREAK} 421 4.3.2 Idle for too long", HANG],
)
def test_a_stale_connection(goes: str) -> None:
    """One that was kept and has gone bad is not the host's last word."""
    world = World({"MAIL": ["250 ok", goes]})
    world.carry(item())
    assert told(world.carry(item())) == ["a sent 2.0.0 250 2.0.0 Taken"]
    assert len(world.host.sinks) == 2


def test_a_new_connection_is_the_last_word() -> None:
    world = World({"MAIL": ["250 ok", CUT]}, later={**GOOD, "MAIL": CUT})
    world.carry(item())
    with pytest.raises(Unreachable):
        world.carry(item())
    assert len(world.host.sinks) == 2


@pytest.mark.parametrize("words", ["421 4.4.2 Idle\r\n", "220 Again\r\n", ""])
def test_an_idle_connection_ends(words: str) -> None:
    """Said or unsaid, nobody is given it."""
    world = World()
    world.carry(item())
    wire = world.net.wires[0][1]
    wire.write(words.encode())
    if not words:
        wire.loseConnection()
    world.net.flow()
    assert not world.net.wires
    world.carry(item())
    assert len(world.host.sinks) == 2


def test_quit_is_not_answered() -> None:
    world = World({"QUIT": HANG})
    world.host.answers["QUIT"] = HANG
    world.carry(item())
    world.host.sink.transport.loseConnection = lambda: None  # type: ignore
    world.pass_time(20)
    assert not world.net.wires


def test_time_outs_begin_with_the_wait() -> None:
    """Each reply has its own: a timer that was set for one does not end the next."""
    world = World({"MAIL": HANG, "EHLO": offering(but="PIPELINING")})
    found = world.begin(item())
    world.pass_time(290)
    wire = world.net.wires[0][1]
    world.host.sink._is_deaf = False
    world.host.sink.answers["RCPT"] = [HANG]
    wire.write(b"250 ok\r\n")
    world.net.flow()
    world.pass_time(290)
    assert not found
    world.pass_time(20)
    (carried,) = found
    assert isinstance(carried, Carried)
    assert told(carried) == [
        "a waiting 4.4.2 no reply within 300 s, before its reply to RCPT"
    ]


# -- recipients


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


# -- what a host takes


def test_size() -> None:
    """Nothing is said to a host that could only refuse (RFC 1870 §6.2)."""
    world = World({"EHLO": "250-sink.test\n250 SIZE 20"})
    assert told(world.carry(item())) == [
        f"a failed 5.3.4 the host takes 20 octets at most, the message has {len(TEXT)}"
    ]
    assert commands(world) == ["EHLO us.test"]


@pytest.mark.parametrize("size", ["0", "", "lots", "1000000"])
def test_sizes_that_do_not_matter(size: str) -> None:
    world = World({"EHLO": f"250-sink.test\n250 SIZE {size}"})
    assert told(world.carry(item())) == ["a relayed 2.0.0 250 2.0.0 Taken"]


def test_dsn() -> None:
    told_of = RecipientParameters(
        frozenset((Notify.SUCCESS, Notify.FAILURE)), "utf-8;ü@x.test"
    )
    parameters = SenderParameters(ret="HDRS", envid="a b", auth="never@said.test")
    world = World()
    world.carry(item(parameters=parameters, told=told_of))
    assert commands(world)[1:3] == [
        MAIL + " RET=HDRS ENVID=a+20b",
        "RCPT TO:<a@sink.test> NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;\\x{FC}@x.test",
    ]
    other = World({"EHLO": offering(but="DSN")})
    other.carry(item(parameters=parameters, told=told_of))
    assert commands(other)[1:3] == [MAIL, "RCPT TO:<a@sink.test>"]


@pytest.mark.parametrize("hello", [offering("SMTPUTF8"), offering()])
def test_dsn_words_that_become_too_long(hello: str) -> None:
    """UTF-8 comes in shorter than it goes out; mail does not fail for that."""
    long = "\U0001f600" * 90
    told_of = RecipientParameters(frozenset((Notify.FAILURE,)), f"utf-8;{long}@x.test")
    parameters = SenderParameters(envid="\U0001f600" * 30, smtputf8=True)
    world = World({"EHLO": hello})
    world.carry(item(parameters=parameters, told=told_of))
    assert "ENVID" not in commands(world)[1]
    assert commands(world)[2] == "RCPT TO:<a@sink.test> NOTIFY=FAILURE"


def test_utf8_addresses() -> None:
    """Domains have another form, local parts have none (RFC 6531 §3.2)."""
    to = item("a@bücher.test", "ü@sink.test", sender=Path("x", "straße.test"))
    world = World({"EHLO": offering("SMTPUTF8")})
    world.carry(to)
    assert commands(world)[1].endswith(" SMTPUTF8")
    other = World()
    assert told(other.carry(to)) == [
        "a sent 2.0.0 250 2.0.0 Taken",
        "ü failed 5.6.7 the host does not take addresses in UTF-8",
    ]
    assert commands(other)[1:4] == [
        f"MAIL FROM:<x@xn--strae-oqa.test> SIZE={len(TEXT)}",
        "RCPT TO:<a@xn--bcher-kva.test>",
        "DATA",
    ]


def test_a_sender_whose_name_is_none() -> None:
    to = item("a@sink.test", sender=Path("x", f"{'ü' * 80}.test"))
    with pytest.raises(NeedsSMTPUTF8):
        World().carry(to)
    world = World({"EHLO": offering("SMTPUTF8")})
    assert told(world.carry(to)) == ["a sent 2.0.0 250 2.0.0 Taken"]


def test_a_name_that_is_none() -> None:
    world = World()
    carried = world.carry(item(f"a@{'ü' * 80}.test"))
    assert carried.reports[0].status == "5.6.7"


def test_smtputf8_that_was_said_but_is_not_needed() -> None:
    world = World()
    world.carry(item(parameters=SenderParameters(smtputf8=True)))
    assert commands(world)[1] == MAIL


@pytest.mark.parametrize(
    ("sender", "content"),
    [(Path("ü", "x.test"), TEXT), (NULL_PATH, "Subject: ü\r\n\r\n".encode())],
)
def test_utf8_is_needed(sender: Path, content: bytes) -> None:
    with pytest.raises(NeedsSMTPUTF8):
        World().carry(item(sender=sender), content)
    world = World({"EHLO": offering("SMTPUTF8")})
    assert told(world.carry(item(sender=sender), content)) == [
        "a sent 2.0.0 250 2.0.0 Taken"
    ]
    assert " SMTPUTF8" in commands(world)[1]


def test_eight_bits() -> None:
    world = World()
    world.carry(item(parameters=EIGHT_BIT), WIDE)
    assert commands(world)[1].endswith(" BODY=8BITMIME")
    assert world.host.sink.texts == [WIDE]
    other = World({"EHLO": offering(but="8BITMIME")})
    other.carry(item(parameters=EIGHT_BIT), OnDisk(WIDE))
    assert "BODY" not in commands(other)[1]
    assert b"\r\n\r\nViele Gr=C3=BC=C3=9Fe an" in other.host.sink.texts[0]


def test_binary() -> None:
    octets = HEAD.replace(b"text/plain; charset=utf-8", b"image/png") + b"\0\r\n\n\xff"
    world = World({"EHLO": CHUNKING.replace("8BITMIME", "BINARYMIME")})
    world.carry(item(parameters=BINARY), octets)
    assert commands(world)[1].endswith(" BODY=BINARYMIME")
    assert world.host.sink.texts == [octets]
    other = World(settings=RelaySettings(piece=10))
    other.carry(item(parameters=BINARY), OnDisk(octets))
    assert other.host.sink.texts[0].endswith(b"\r\n\r\nAA0KCv8=\r\n")


@pytest.mark.parametrize("piece", [5, 7, 8, 65_536])
@pytest.mark.parametrize(
    "content", [b"a: b\r\n\r\nx\ny\r\n", b"a: b\r\n\r\nx\r", b"a: b\r\n\r\nx\0\r\n"]
)
def test_bare_line_ends_never_leave(content: bytes, piece: int) -> None:
    """No outbound smuggling: not even to a host that would take it."""
    world = World({"EHLO": CHUNKING}, RelaySettings(piece=piece))
    with pytest.raises(BadMessage):
        world.carry(item(parameters=EIGHT_BIT), OnDisk(content))
    assert commands(world) == ["EHLO us.test"]


def test_bare_line_ends_that_encoding_leaves() -> None:
    octets = b"a: b\nContent-Type: image/png\n\n\0"
    with pytest.raises(BadMessage):
        World().carry(item(parameters=BINARY), octets)


@pytest.mark.parametrize("piece", range(1, 40))
def test_the_header_is_looked_at_alone(piece: int) -> None:
    """However it is read: 8-bit in the body needs no SMTPUTF8."""
    world = World(settings=RelaySettings(piece=piece))
    world.carry(item(parameters=EIGHT_BIT), OnDisk(b"a: b\r\n\r\n\xc3\xbc\r\n"))
    with pytest.raises(NeedsSMTPUTF8):
        world.carry(item(), OnDisk(b"a: b\r\nc: \xc3\xbc\r\n\r\nabc\r\n"))
    assert told(world.carry(item(), OnDisk(b"\r\n\xc3\xbc\r\n")))


def test_requiretls_in_the_clear() -> None:
    world = World({"EHLO": offering("REQUIRETLS")})
    with pytest.raises(NeedsTLS) as caught:
        world.carry(item(require_tls=True))
    assert caught.value.status == "5.7.10"
    # A bounce goes on without, and asks others to do better.
    world.carry(item(require_tls=True, sender=NULL_PATH))
    assert commands(world)[1].endswith(" REQUIRETLS")


def test_who_encodes_is_said_by_whoever_makes_the_relay() -> None:
    asked: list[bytes] = []

    async def encode(octets: bytes) -> bytes:
        asked.append(octets)
        return downgrade(octets)

    world = World({"EHLO": offering(but="8BITMIME")})
    world.relay._encode = encode
    assert told(world.carry(item(parameters=EIGHT_BIT), WIDE))
    assert asked == [WIDE]


# -- no connection


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), ": connection refused$"),
        (ConnectionRefusedError(), ": connection was refused by other side$"),
        (TimeoutError(), "no connection within 15 s"),
        (NoRouteError("no route"), ": no route to host: no route$"),
        (ConnectError(osError=OSError(113, "Nobody home")), ": nobody home$"),
        (OSError(97, "Whatever"), ": address family not supported by protocol$"),
    ],
)
def test_no_connection(error: Exception, words: str) -> None:
    world = World(refusal=error)
    with pytest.raises(Unreachable, match=words) as caught:
        world.carry(item())
    assert str(caught.value).startswith("mx.sink.test [192.0.2.1]:25: no connection")
    assert caught.value.status == "4.4.1"


@pytest.mark.parametrize(
    ("name", "address", "where"),
    [
        ("[192.0.2.1]", "192.0.2.1", "[192.0.2.1]:25"),
        ("", "2001:db8::1", "[2001:db8::1]:25"),
        ("lmtp", "/run/lmtp", "/run/lmtp"),
    ],
)
def test_where(name: str, address: str, where: str) -> None:
    world = World(refusal=ConnectionRefusedError())
    with pytest.raises(Unreachable) as caught:
        world.carry(item(), host=evolve(SINK, name=name, address=address))
    assert str(caught.value).startswith(f"{where}: no connection: ")


# -- the end


def test_close() -> None:
    """Idle connections are left at once, the others when they are done."""
    world = World()
    world.carry(item())
    world.host.answers["text"] = HANG
    busy = World({"text": HANG})
    carrying = busy.begin(item())
    ends = [each.start(each.relay.close()) for each in (world, busy)]
    world.net.flow()
    assert [len(end) for end in ends] == [1, 0]
    assert commands(world)[-1] == "QUIT"
    busy.net.wires[0][1].write(b"250 ok\r\n")
    busy.host.sink._is_deaf = False
    busy.net.flow()
    assert len(carrying) == 1
    assert len(ends[1]) == 1
    with pytest.raises(Unavailable):
        busy.carry(item())


def test_nothing_to_close() -> None:
    world = World()
    assert world.start(world.relay.close()) == [None]


def test_numbers() -> None:
    world = World({"RCPT": ["250 ok", "550 5.1.1 No", "250 ok"]})
    world.carry(item("a@sink.test", "b@sink.test"))
    world.carry(item())
    get = world.metrics.registry.get_sample_value
    for outcome, number in (("clear", 1), ("reused", 1), ("failed", None)):
        labels = {"protocol": "smtp", "outcome": outcome}
        assert get("mailkit_relay_connections_total", labels) == number
    for outcome, number in (("sent", 2), ("failed", 1), ("waiting", None)):
        labels = {"protocol": "smtp", "outcome": outcome}
        assert get("mailkit_relay_recipients_total", labels) == number
    assert get("mailkit_relay_seconds_count", {"protocol": "smtp"}) == 2


def test_dialogue() -> None:
    """It can be logged, and no secret is in it."""
    from twisted.logger import globalLogPublisher

    lines: list[str] = []

    def observe(event: dict[str, object]) -> None:
        lines.append(repr(event.get("event")))

    globalLogPublisher.addObserver(observe)  # type: ignore[arg-type]
    try:
        world = World({"EHLO": offering("AUTH PLAIN"), "AUTH": "235 In"},
                      RelaySettings(dialogue=True))  # fmt: skip
        local = NextHost(
            name="lo", address="127.0.0.1", port=25, policy=SINK.policy,
            username="u", password="secret",
        )  # fmt: skip
        with pytest.raises(Unreachable, match="without TLS no password is sent"):
            world.carry(item(), host=local)
        world.carry(item())
    finally:
        globalLogPublisher.removeObserver(observe)  # type: ignore[arg-type]
    assert any("MailFrom" in line for line in lines)
    assert any("Answered" in line for line in lines)
    assert not any("secret" in line for line in lines)
