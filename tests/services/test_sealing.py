"""What leaves is signed, once, by the domain in From (RFC 6376 §5)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from zope.interface import implementer

from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName, DomainName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.path import Path
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem
from mailkit.services import sealing
from mailkit.services.sealing import Sealing
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from mailkit.trust.dkim.keys import Algorithm, SigningKey, make_key

DOMAIN = DomainName("example.org")
KEYS = [
    SigningKey("example.org", "r1", make_key(Algorithm.RSA)),
    SigningKey("example.org", "e1", make_key(Algorithm.ED25519)),
]
ITEM = QueueItem(
    id=QueueId("0123.1"),
    message="0123",
    hop=NextHop(DomainName("example.net")),
    envelope=Envelope(Path("alice", "example.org")),
    recipients=(QueuedRecipient(Recipient(Path("bob", "example.net"))),),
    arrived=0.0,
    next_try=0.0,
    size=100,
    account=AccountName("alice@example.org"),
    is_ours=True,
)
MESSAGE = b"From: alice@Example.ORG\r\nSubject: x\r\n\r\n" + b"A line.\r\n" * 20_000


@implementer(IContent)
class Piecewise:
    """Content on disk, as a test has it: nothing of it is in memory."""

    octets: bytes | None = None

    def __init__(self, octets: bytes) -> None:
        self.whole = octets
        self.size = len(octets)

    async def read(self, start: int, count: int) -> bytes:
        return self.whole[start : start + count]


class World:
    """A directory with one domain, and its keys."""

    def __init__(self) -> None:
        self.clock = TestClock()
        self.directory = MemoryDirectory(self.clock.seconds)
        at_once(self.directory.add_domain(DOMAIN))
        self.keys = list(KEYS)
        self.sealing = Sealing(
            self.directory, self, DirectLanes(), self.clock.seconds, 6 * 86400.0
        )

    async def signing(self, domain: DomainName) -> Sequence[SigningKey]:
        assert domain == DOMAIN
        return self.keys

    async def known(self, domain: DomainName) -> Sequence[SigningKey]:
        return KEYS

    def seal(self, message: bytes = MESSAGE, item: QueueItem = ITEM) -> bytes:
        sealed = at_once(self.sealing.seal(item, OctetsContent(message)))
        return b"" if sealed is None else sealed.head

    def check(self, message: bytes, item: QueueItem = ITEM) -> str:
        return at_once(self.sealing.check(item, OctetsContent(message)))


@pytest.fixture
def world() -> World:
    return World()


def test_what_our_people_write_is_signed_by_both_keys(world: World) -> None:
    head = world.seal()
    assert head.count(b"DKIM-Signature: ") == 2
    assert b"d=example.org; s=r1; t=1767225600; x=1767744000;" in head
    assert world.check(head + MESSAGE) == ""


def test_large_messages_are_read_in_pieces(world: World) -> None:
    sealed = at_once(world.sealing.seal(ITEM, Piecewise(MESSAGE)))
    assert sealed is not None
    assert world.check(sealed.head + MESSAGE) == ""


EIGHT_BIT = (
    b"From: alice@example.org\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\n"
    b"With many plain words, and Gr\xc3\xbc\xc3\x9fe\r\n"
)


def test_what_others_might_have_to_encode_is_encoded_before(world: World) -> None:
    sealed = at_once(world.sealing.seal(ITEM, OctetsContent(EIGHT_BIT)))
    assert sealed is not None
    assert sealed.octets is not None
    assert sealed.octets.endswith(
        b"\r\n\r\nWith many plain words, and Gr=C3=BC=C3=9Fe\r\n"
    )
    assert b"Content-Transfer-Encoding: quoted-printable" in sealed.octets
    assert world.check(sealed.head + sealed.octets) == ""


@pytest.mark.parametrize(
    "message",
    [
        EIGHT_BIT.replace(b"text/plain", b"multipart/signed; boundary=x"),
        EIGHT_BIT.replace(b"From: alice", b"Subject: \xc3\xbc\r\nFrom: alice"),
        EIGHT_BIT + b"x" * sealing.MOST_ENCODED,
    ],
    ids=["signed", "header", "large"],
)
def test_what_cannot_be_encoded_is_signed_as_it_is(
    world: World, message: bytes
) -> None:
    sealed = at_once(world.sealing.seal(ITEM, OctetsContent(message)))
    assert sealed is not None
    assert sealed.octets is None
    assert world.check(sealed.head + message) == ""


def test_mail_of_others_stays_as_it_is(world: World) -> None:
    passing = evolve(ITEM, is_ours=False, account=None)
    assert world.seal(item=passing) == b""
    assert world.check(MESSAGE, passing) == ""


@pytest.mark.parametrize("author", [b"From: x@example.net", b"From: nobody", b"X: y"])
def test_nobody_signs_for_a_domain_that_is_not_ours(
    world: World, author: bytes
) -> None:
    message = author + b"\r\n\r\n"
    assert world.seal(message) == b""
    assert world.check(message) == ""


def test_what_was_changed_on_its_way_out_is_seen(world: World) -> None:
    head = world.seal()
    assert "the body is another one" in world.check(head + MESSAGE + b"more\r\n")
    assert "the header is another one" in world.check(
        head + MESSAGE.replace(b"Subject: x", b"Subject: y")
    )


def test_a_signature_that_is_missing_is_seen(world: World) -> None:
    assert world.check(MESSAGE) == "there is no signature of ours"


def test_what_was_held_for_long_leaves_all_the_same(world: World) -> None:
    head = world.seal()
    world.clock.advance(30 * 86400.0)
    assert world.check(head + MESSAGE) == ""
    tried = evolve(ITEM, attempts=1)
    assert (
        world.check(
            head.replace(b"s=r1", b"s=r0").replace(b"s=e1", b"s=e0") + MESSAGE, tried
        )
        == ""
    )
    assert world.check(head + MESSAGE + b"More.\r\n", tried)


def test_keys_may_change_between_the_signature_and_the_look(world: World) -> None:
    head = world.seal()
    world.keys = [SigningKey("example.org", "new", make_key(Algorithm.ED25519))]
    assert world.check(head + MESSAGE) == ""
