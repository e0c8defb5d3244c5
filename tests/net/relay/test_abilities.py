"""What a host takes, and what is changed for one that takes less."""

from __future__ import annotations

import pytest

from mailkit.errors import (
    BadMessage,
    NeedsSMTPUTF8,
    NeedsTLS,
)
from mailkit.formats.downgrade import downgrade
from mailkit.model.envelope import (
    Notify,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import NULL_PATH, Path
from mailkit.net.relay.settings import RelaySettings
from tests.net.relay.sink import CHUNKING
from tests.net.relay.world import (
    BINARY,
    EIGHT_BIT,
    MAIL,
    TEXT,
    OnDisk,
    World,
    commands,
    item,
    offering,
    told,
)

HEAD = b"From: x@elsewhere.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
WIDE = HEAD + "Viele Grüße an alle, die das hier lesen\r\n".encode()


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
