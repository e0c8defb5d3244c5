"""Who may come in: SASL and plain logins over the memory directory."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1
from typing import Any, Literal, TypeVar

import pytest
from attrs import define, evolve, field
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import provider
from zope.interface.verify import verifyObject

from mailkit.errors import (
    Busy,
    LocalMisuse,
    Malformed,
    NeedsEncryption,
    NoSuchMechanism,
    NotAuthenticated,
    StorageFull,
)
from mailkit.interfaces.directory import IPasswordCheck
from mailkit.interfaces.session import IPeer
from mailkit.metrics import Metrics
from mailkit.model.account import Account, Credential, Role, ScramKeys
from mailkit.model.address import AccountName, DomainName
from mailkit.protocols.sasl.client import ScramSHA256Client, plain_message
from mailkit.services.authentication import Authentication, Exchange
from mailkit.services.authsettings import AuthSettings
from mailkit.services.cred import DirectoryChecker
from mailkit.services.passwords.passwords import Passwords
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from mailkit.testing.lanes import DirectLanes

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")
PASSWORD = "wonderland"
SETTINGS = AuthSettings(scram_iterations=4096)
KEPT = Passwords(SETTINGS).make(PASSWORD)
SSHA = "{SSHA}" + b64encode(sha1(b"builderSALT").digest() + b"SALT").decode()
T = TypeVar("T")


@define
class Peer:
    """Somebody at the other end."""

    host: str = "192.0.2.1"
    is_secure: bool = True
    is_loopback: bool = False


@define(eq=False)
class CountingLanes(DirectLanes):
    """Counts the hashes."""

    hashes: int = 0
    before: Callable[[], object] | None = None

    async def hash(self, work: Callable[[], T]) -> T:
        self.hashes += 1
        answer = work()
        if self.before is not None:
            self.before()
        return answer


@define(eq=False)
class FullDirectory(MemoryDirectory):
    """One whose disk may be full."""

    is_full: bool = False

    async def used_credential(self, id: int, when: float, peer: str) -> None:
        self._check()
        await super().used_credential(id, when, peer)

    async def renew_credential(
        self, credential: Credential, secret: str, scram: ScramKeys | None
    ) -> bool:
        self._check()
        return await super().renew_credential(credential, secret, scram)

    def _check(self) -> None:
        if self.is_full:
            raise StorageFull("directory.sqlite")


@define(eq=False)
class World:
    """Alice, whose password is ours, and everything that checks it."""

    settings: AuthSettings = SETTINGS
    directory: FullDirectory = field(factory=FullDirectory)
    lanes: Any = field(factory=CountingLanes)  # CountingLanes, or slow ones
    clock: TestClock = field(factory=TestClock)
    metrics: Metrics = field(factory=Metrics)
    authentication: Authentication = field(init=False)

    def __attrs_post_init__(self) -> None:
        at_once(self.directory.add_domain(DomainName("example.test")))
        self.add(ALICE, KEPT.secret, KEPT.scram)
        self.authentication = Authentication.over(
            self.directory,
            self.directory,
            self.lanes,
            self.clock,
            self.settings,
            (),
            self.metrics,
        )

    def add(self, name: AccountName, secret: str, keys: ScramKeys | None) -> None:
        at_once(self.directory.add_account(name, Role.USER, None))
        at_once(self.directory.set_password(name, secret, keys, False))

    def login(self, name: str, password: str, peer: object = None) -> Account:
        return at_once(
            self.authentication.login(name, password, "imap", self.peer(peer))
        )

    def peer(self, peer: object = None) -> IPeer:
        found: Any = peer or Peer()  # Any: a part of IPeer is enough here
        return found  # type: ignore[no-any-return]  # as above

    def begin(self, mechanism: str, peer: object = None) -> Exchange:
        return self.authentication.begin(mechanism, "imap", self.peer(peer))

    def account(self, name: AccountName = ALICE) -> Account:
        account = at_once(self.directory.account(name))
        assert account is not None
        return account

    def credential(self, name: AccountName = ALICE) -> Credential:
        [credential] = at_once(self.directory.credentials(name))
        return credential

    def suspend(self, name: AccountName = ALICE) -> None:
        account = evolve(self.account(name), is_suspended=True)
        at_once(self.directory.change_account(account))

    def count(self, mechanism: str, outcome: str) -> float:
        value = self.metrics.registry.get_sample_value(
            "mailkit_logins_total",
            {"service": "imap", "mechanism": mechanism, "outcome": outcome},
        )
        return value or 0.0


@pytest.fixture
def world() -> World:
    return World()


def scram(world: World, name: str, password: str, peer: object = None) -> Account:
    """A whole exchange with its last word as a challenge."""
    exchange = world.begin("scram-sha-256", peer)
    client = ScramSHA256Client(name, password, b"abc")
    challenge = at_once(exchange.step(client.first()))
    assert isinstance(challenge, bytes)
    last = at_once(exchange.step(client.final(challenge)))
    assert isinstance(last, bytes)
    assert exchange.final == last
    assert exchange.account is not None
    account = at_once(exchange.step(client.check(last)))
    assert isinstance(account, Account)
    return account


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


def refused_by_scram(world: World, name: str, password: str) -> bytes:
    exchange = world.begin("SCRAM-SHA-256", Peer(host="unix"))
    client = ScramSHA256Client(name, password, b"abc")
    challenge = at_once(exchange.step(client.first()))
    assert isinstance(challenge, bytes)
    with pytest.raises(NotAuthenticated, match="the name or the password is wrong"):
        at_once(exchange.step(client.final(challenge)))
    assert exchange.account is None
    assert exchange.final == b""
    return challenge.partition(b",")[2]


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


def test_an_imported_hash_is_renewed_by_its_login(world: World) -> None:
    world.add(BOB, SSHA, None)
    generation = world.directory.generation(BOB)
    assert world.login(BOB, "builder").name == BOB
    renewed = world.credential(BOB)
    assert renewed.secret.startswith("$argon2id$")
    assert renewed.scram is not None
    assert world.directory.generation(BOB) == generation
    assert scram(world, BOB, "builder").name == BOB
    with pytest.raises(NotAuthenticated):
        world.login(BOB, "wrong")


def test_a_password_changed_meanwhile_is_not_overwritten(world: World) -> None:
    world.add(BOB, SSHA, None)
    other = KEPT.secret

    def change() -> None:
        at_once(world.directory.set_password(BOB, other, None, False))

    world.lanes.before = change
    world.login(BOB, "builder")
    assert world.credential(BOB).secret == other


def test_a_full_disk_locks_nobody_out(world: World) -> None:
    world.add(BOB, SSHA, None)
    world.directory.is_full = True
    assert world.login(BOB, "builder").name == BOB
    assert world.credential(BOB).secret == SSHA


def test_a_credential_is_good_for_its_services(world: World) -> None:
    world.directory._credentials = {
        name: tuple(evolve(one, scopes=frozenset({"smtp"})) for one in credentials)
        for name, credentials in world.directory._credentials.items()
    }
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, PASSWORD)
    refused_by_scram(world, ALICE, PASSWORD)
    account = at_once(world.authentication.login(ALICE, PASSWORD, "smtp", world.peer()))
    assert account.name == ALICE
    with pytest.raises(NotAuthenticated):  # remembered for SMTP alone
        world.login(ALICE, PASSWORD)


def test_logins_are_remembered_for_a_minute(world: World) -> None:
    for _ in range(5):
        assert world.login(ALICE, PASSWORD) == world.account()
    assert world.lanes.hashes == 1
    assert world.count("password", "remembered") == 4
    world.clock.advance(59)
    world.login(ALICE, PASSWORD)
    assert world.lanes.hashes == 1
    world.clock.advance(1)
    world.login(ALICE, PASSWORD)
    assert world.lanes.hashes == 2


def test_nothing_is_remembered_of_a_wrong_login(world: World) -> None:
    for _ in range(2):
        with pytest.raises(NotAuthenticated):
            world.login(ALICE, "wrong")
    assert world.lanes.hashes == 2


def test_a_remembered_login_ends_with_the_password(world: World) -> None:
    world.login(ALICE, PASSWORD)
    secret = Passwords(SETTINGS).make("other").secret
    at_once(world.directory.set_password(ALICE, secret, None, True))
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, PASSWORD)
    assert world.login(ALICE, "other")
    world.suspend()
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, "other")
    at_once(world.directory.remove_account(ALICE))
    with pytest.raises(NotAuthenticated):
        world.login(ALICE, "other")


def test_remembering_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailkit.services.remembered._MOST", 1)
    remembered = world.authentication.password_check._remembered
    world.login(ALICE, PASSWORD)
    at_once(world.authentication.login(ALICE, PASSWORD, "pop3", world.peer()))
    assert len(remembered._logins) == 1
    world.clock.advance(61)
    world.login(ALICE, PASSWORD)
    assert len(remembered._logins) == 1
    assert PASSWORD not in repr(remembered)


def test_a_login_is_noted(world: World) -> None:
    world.login(ALICE, PASSWORD)
    used = world.credential()
    assert (used.last_used, used.last_peer) == (NEW_YEAR, "192.0.2.1")
    world.clock.advance(10)
    scram(world, ALICE, PASSWORD, Peer(host="192.0.2.9"))
    used = world.credential()
    assert (used.last_used, used.last_peer) == (NEW_YEAR + 10, "192.0.2.9")


def fail(world: World, times: int, peer: Peer) -> None:
    for number in range(times):
        with pytest.raises(NotAuthenticated):
            world.login(f"nobody{number}@example.test", "wrong", peer)


@define(eq=False)
class SlowLanes(DirectLanes):
    """Hashes take as long as the test says."""

    waiting: list[Deferred[None]] = field(factory=list)

    async def hash(self, work: Callable[[], T]) -> T:
        mine: Deferred[None] = Deferred()
        self.waiting.append(mine)
        await mine
        return work()


def test_who_guesses_all_at_once_has_few_looked_at() -> None:
    """The sixth waits until it is known that the first five were wrong."""
    lanes = SlowLanes()
    world = World(settings=evolve(SETTINGS, scram="off"), lanes=lanes)
    failures: list[Failure] = []
    for number in range(1000):
        guess = world.authentication.login(ALICE, f"{number}", "imap", world.peer())
        Deferred.fromCoroutine(guess).addErrback(failures.append)
    assert len(lanes.waiting) == 5
    while lanes.waiting:
        lanes.waiting.pop().callback(None)
        world.clock.advance(0)
    # A few are looked at, ten seconds' worth of others wait, the rest is sent away.
    kinds = [one.check(NotAuthenticated, Busy) for one in failures]
    assert kinds.count(NotAuthenticated) < 10
    assert kinds.count(Busy) > 900
    # Somebody else is not held up.
    world.add(BOB, KEPT.secret, KEPT.scram)
    other = world.peer(Peer(host="198.51.100.1"))
    login = Deferred.fromCoroutine(
        world.authentication.login(BOB, PASSWORD, "imap", other)
    )
    lanes.waiting.pop().callback(None)
    assert login.called


def test_the_same_wrong_password_elsewhere_is_no_other_guess(world: World) -> None:
    for service in ("imap", "smtp", "pop3") * 5:
        login = world.authentication.login(ALICE, "old", service, world.peer())
        with pytest.raises(NotAuthenticated):
            at_once(login)


def test_whoever_guesses_waits(world: World) -> None:
    fail(world, 5, Peer())
    attempt = Deferred.fromCoroutine(
        world.authentication.login(ALICE, PASSWORD, "imap", world.peer())
    )
    assert not attempt.called
    world.clock.advance(0.9)
    assert not attempt.called
    world.clock.advance(0.2)
    assert attempt.called
    assert world.login(ALICE, PASSWORD, Peer(host="192.0.2.2"))


def test_whoever_guesses_more_is_turned_away(world: World) -> None:
    fail(world, 5, Peer())
    with pytest.raises(Busy):
        for _ in range(100):
            coroutine = world.authentication.login(
                "x@example.test", "x", "imap", world.peer()
            )
            attempt = Deferred.fromCoroutine(coroutine)
            failures: list[Failure] = []
            attempt.addErrback(failures.append)
            if failures:
                failures[0].raiseException()
    assert world.count("password", "busy") == 1


def test_scram_guesses_count_too(world: World) -> None:
    for _ in range(5):
        exchange = world.begin("SCRAM-SHA-256")
        client = ScramSHA256Client(ALICE, "wrong", b"abc")
        challenge = at_once(exchange.step(client.first()))
        assert isinstance(challenge, bytes)
        with pytest.raises(NotAuthenticated):
            at_once(exchange.step(client.final(challenge)))
    first = ScramSHA256Client(ALICE, PASSWORD, b"abc").first()
    attempt = Deferred.fromCoroutine(world.begin("SCRAM-SHA-256").step(first))
    assert not attempt.called
    world.clock.advance(1)
    assert attempt.called


def test_a_failed_login_is_logged_with_its_peer(world: World) -> None:
    events: list[LogEvent] = []
    observer = provider(ILogObserver)(lambda event: events.append(event))
    globalLogPublisher.addObserver(observer)
    try:
        with pytest.raises(NotAuthenticated):
            world.login("{mallory}@example.test", "secret")
    finally:
        globalLogPublisher.removeObserver(observer)
    [event] = [one for one in events if one.get("peer")]
    assert event["peer"] == "192.0.2.1"
    assert event["account"] == "{mallory}@example.test"
    assert "secret" not in str(event)


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
