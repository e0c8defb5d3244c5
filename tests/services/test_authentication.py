"""Who may come in: SASL and plain logins over the memory directory."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from attrs import evolve
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from mailkit.errors import (
    LocalMisuse,
    Malformed,
    NeedsEncryption,
    NoSuchMechanism,
    NotAuthenticated,
)
from mailkit.interfaces.directory import IPasswordCheck
from mailkit.model.account import Role
from mailkit.protocols.sasl.client import ScramSHA256Client, plain_message
from mailkit.services.cred import DirectoryChecker
from mailkit.testing.at_once import at_once
from tests.services.logins import (
    ALICE,
    BOB,
    PASSWORD,
    SETTINGS,
    SSHA,
    Peer,
    World,
    refused_by_scram,
    scram,
)


@pytest.fixture
def world() -> World:
    return World()


def test_it_provides_the_interface(world: World) -> None:
    check = world.authentication.password_check
    verifyObject(IPasswordCheck, check)
    assert at_once(check.check(ALICE, PASSWORD, "smtp", "192.0.2.1")).name == ALICE


def test_right_and_wrong_passwords(world: World) -> None:
    assert world.login("alice@example.test", PASSWORD) == world.account()
    assert world.login(" Alice@EXAMPLE.test ", PASSWORD) == world.account()
    for name, password in (
        (ALICE, "wonderlanD"),
        (ALICE, ""),
        ("alice", PASSWORD),
        ("", PASSWORD),
        ("@", PASSWORD),
        ("nobody@example.test", PASSWORD),
        ("alice@example.org", PASSWORD),
    ):
        with pytest.raises(NotAuthenticated, match="the name or the password is wrong"):
            world.login(name, password, Peer(host="unix"))


def test_a_suspended_account_is_told_the_same(world: World) -> None:
    world.suspend()
    with pytest.raises(NotAuthenticated) as wrong:
        world.login("nobody@example.test", PASSWORD)
    with pytest.raises(NotAuthenticated) as suspended:
        world.login(ALICE, PASSWORD)
    assert str(wrong.value) == str(suspended.value)


def test_every_wrong_login_costs_one_hash(world: World) -> None:
    """Nobody sees by the time whether there is such an account."""
    at_once(world.directory.add_account(BOB, Role.USER, None))
    for number, name in enumerate((ALICE, BOB, "nobody@example.test"), start=1):
        with pytest.raises(NotAuthenticated):
            world.login(name, "wrong")
        assert world.lanes.hashes == number


def test_an_exchange_by_plain(world: World) -> None:
    account = at_once(world.begin("plain").step(plain_message(ALICE, PASSWORD)))
    assert account == world.account()
    exchange = world.begin("PLAIN")
    assert at_once(exchange.step(None)) == b""
    assert at_once(exchange.step(plain_message(ALICE, PASSWORD))) == world.account()
    with pytest.raises(LocalMisuse):
        at_once(exchange.step(b""))


def test_an_exchange_by_login(world: World) -> None:
    exchange = world.begin("LOGIN")
    assert at_once(exchange.step(None)) == b"Username:"
    assert at_once(exchange.step(ALICE.encode())) == b"Password:"
    assert at_once(exchange.step(PASSWORD.encode())) == world.account()


def test_an_exchange_by_scram(world: World) -> None:
    assert scram(world, ALICE, PASSWORD) == world.account()
    assert scram(world, "Alice@example.test", PASSWORD) == world.account()
    assert world.lanes.hashes == 0
    assert world.count("scram-sha-256", "ok") == 2


def test_scram_may_begin_with_an_empty_challenge(world: World) -> None:
    exchange = world.begin("SCRAM-SHA-256")
    assert at_once(exchange.step(None)) == b""
    first = ScramSHA256Client(ALICE, PASSWORD, b"abc").first()
    assert at_once(exchange.step(first)).startswith(b"r=abc")  # type: ignore[union-attr]  # there is a step


def test_an_exchange_that_fails_is_over(world: World) -> None:
    for response in (b"nonsense", plain_message(ALICE, "wrong")):
        exchange = world.begin("PLAIN")
        with pytest.raises((Malformed, NotAuthenticated)):
            at_once(exchange.step(response))
        assert exchange.account is None
        with pytest.raises(LocalMisuse):
            at_once(exchange.step(plain_message(ALICE, PASSWORD)))


def test_the_answer_to_the_last_word_is_empty(world: World) -> None:
    exchange = world.begin("SCRAM-SHA-256")
    client = ScramSHA256Client(ALICE, PASSWORD, b"abc")
    challenge = at_once(exchange.step(client.first()))
    assert isinstance(challenge, bytes)
    at_once(exchange.step(client.final(challenge)))
    with pytest.raises(Malformed):
        at_once(exchange.step(b"more"))
    with pytest.raises(LocalMisuse):
        at_once(exchange.step(b""))


def test_whom_to_act_as(world: World) -> None:
    """Everybody acts as itself (RFC 4422 §3.4.1)."""
    message = plain_message(ALICE, PASSWORD, "Alice@Example.test")
    assert at_once(world.begin("PLAIN").step(message)) == world.account()
    exchange = world.begin("PLAIN")
    with pytest.raises(NotAuthenticated):
        at_once(exchange.step(plain_message(ALICE, PASSWORD, BOB)))
    assert exchange.account is None
    exchange = world.begin("SCRAM-SHA-256")
    client = ScramSHA256Client(ALICE, PASSWORD, b"abc")
    client._bare = b"n=alice@example.test,r=abc"
    challenge = at_once(exchange.step(b"n,a=bob@example.test," + client._bare))
    assert isinstance(challenge, bytes)
    with pytest.raises(NotAuthenticated):  # c= has to be of the same header
        at_once(exchange.step(client.final(challenge)))


def test_scram_looks_the_same_for_strangers(world: World) -> None:
    """The same salt each time, another one for each name (RFC 5802 §9)."""
    nobody = refused_by_scram(world, "nobody@example.test", PASSWORD)
    assert refused_by_scram(world, "Nobody@example.test", "other") == nobody
    assert refused_by_scram(world, "noone@example.test", PASSWORD) != nobody
    alice = refused_by_scram(world, ALICE, "wrong")
    assert len(alice) == len(nobody)
    world.suspend()
    suspended = refused_by_scram(world, ALICE, PASSWORD)
    assert len(suspended) == len(nobody)
    assert world.count("scram-sha-256", "refused") == 5


def test_scram_of_an_account_without_keys(world: World) -> None:
    world = World(evolve(SETTINGS, scram="on"))
    world.add(BOB, SSHA, None)
    refused_by_scram(world, BOB, "builder")


def test_an_account_that_changes_during_scram(world: World) -> None:
    exchange = world.begin("SCRAM-SHA-256")
    client = ScramSHA256Client(ALICE, PASSWORD, b"abc")
    challenge = at_once(exchange.step(client.first()))
    assert isinstance(challenge, bytes)
    world.suspend()
    with pytest.raises(NotAuthenticated):
        at_once(exchange.step(client.final(challenge)))


def test_an_account_that_changes_while_its_password_is_hashed(world: World) -> None:
    world.lanes.before = world.suspend
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, PASSWORD)


ANNOUNCED: list[tuple[Literal["auto", "on", "off"], bool, tuple[str, ...]]] = [
    ("auto", True, ("SCRAM-SHA-256", "PLAIN", "LOGIN")),
    ("auto", False, ("PLAIN", "LOGIN")),
    ("on", False, ("SCRAM-SHA-256", "PLAIN", "LOGIN")),
    ("off", True, ("PLAIN", "LOGIN")),
]


@pytest.mark.parametrize(("rule", "all_have_keys", "mechanisms"), ANNOUNCED)
def test_when_scram_is_announced(
    rule: Literal["auto", "on", "off"], all_have_keys: bool, mechanisms: tuple[str, ...]
) -> None:
    world = World(evolve(SETTINGS, scram=rule))
    if not all_have_keys:
        world.add(BOB, SSHA, None)
    assert world.authentication.mechanisms(world.peer()) == mechanisms
    if "SCRAM-SHA-256" not in mechanisms:
        with pytest.raises(NoSuchMechanism):
            world.begin("SCRAM-SHA-256")


CLEAR: list[tuple[Literal["tls", "tls-or-loopback", "always"], bool, bool]] = [
    ("tls", False, False),
    ("tls", True, False),
    ("tls-or-loopback", False, False),
    ("tls-or-loopback", True, True),
    ("always", False, True),
]


@pytest.mark.parametrize(("rule", "is_loopback", "may"), CLEAR)
def test_where_a_password_may_be_sent(
    rule: Literal["tls", "tls-or-loopback", "always"], is_loopback: bool, may: bool
) -> None:
    world = World(evolve(SETTINGS, plaintext=rule))
    peer = Peer(is_secure=False, is_loopback=is_loopback)
    assert world.authentication.may_send_password(world.peer(peer)) is may
    assert bool(world.authentication.mechanisms(world.peer(peer))) is may
    if may:
        assert world.login(ALICE, PASSWORD, peer)
        return
    with pytest.raises(NeedsEncryption):
        world.begin("PLAIN", peer)
    with pytest.raises(NeedsEncryption):
        world.login(ALICE, PASSWORD, peer)
    assert world.lanes.hashes == 0


def test_unknown_mechanisms(world: World) -> None:
    for name in ("", "CRAM-MD5", "SCRAM-SHA-256-PLUS", "X" * 1000):
        with pytest.raises(NoSuchMechanism):
            world.begin(name)


def test_cred(world: World) -> None:
    checker = DirectoryChecker(world.authentication.password_check)

    class Realm:
        """Gives the avatar id back."""

        def requestAvatar(self, avatar_id: bytes, mind: object, *ifaces: Any) -> Any:
            return ifaces[0], avatar_id, lambda: None

    portal = Portal(Realm(), [checker])  # type: ignore[arg-type]  # cred knows it by its interface
    seen: list[object] = []
    said: list[tuple[Any, Any]] = [  # Any: bytes for most, text for some protocols
        (ALICE.encode(), b"wonderland"),
        (ALICE, PASSWORD),
    ]
    for name, password in said:
        login = portal.login(UsernamePassword(name, password), None, IUsernamePassword)
        login.addCallback(lambda answer: seen.append(answer[1]))
    assert seen == [ALICE.encode(), ALICE.encode()]
    failures: list[Failure] = []
    login = portal.login(UsernamePassword(b"\xff", b"x"), None, IUsernamePassword)
    login.addErrback(failures.append)
    assert failures[0].check(UnauthorizedLogin)
