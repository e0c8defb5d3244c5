"""What two workers of one server promise together: each has its own view of it all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from attrs import define, field

from mailkit.errors import AlreadyExists, NotAllowed, TooMany
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.office import Office
from mailkit.services.authentication import Authentication
from mailkit.services.authsettings import AuthSettings
from mailkit.services.passwords.passwords import Passwords
from mailkit.services.routing import Routing
from mailkit.services.signin.accounts import OwnAccount
from mailkit.services.signin.links import PasswordLinks
from mailkit.services.signin.rate import network_of
from mailkit.services.signin.registration import Free, Invitation, Registration
from mailkit.services.signin.settings import SessionSettings
from mailkit.services.signin.signin import SignIn
from mailkit.storage.directory.directory import SQLiteDirectory
from mailkit.storage.memory.store import MemoryStore
from mailkit.storage.memory.suppression import MemorySuppressionList
from mailkit.storage.state.local import LocalBoard
from mailkit.storage.websessions import WebSessions
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes

ROOT = Actor.command("root")
ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")
CAROL = AccountName("carol@example.test")
LONG = "three words here"
T = TypeVar("T")


@define(eq=False)
class MeanwhileLanes(DirectLanes):
    """Passwords take so long that something else happens before they are hashed."""

    meanwhile: Callable[[], None] | None = None

    async def hash(self, work: Callable[[], T]) -> T:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return await super().hash(work)


@define(eq=False)
class Worker:
    """One process over the files of a server, which hears of the others late."""

    data: Path
    clock: TestClock
    aliases: int = 1
    lanes: MeanwhileLanes = field(factory=MeanwhileLanes)
    directory: SQLiteDirectory = field(init=False)
    state: WebSessions = field(init=False)
    links: PasswordLinks = field(init=False)
    own: OwnAccount = field(init=False)
    registration: Registration = field(init=False)
    admin: Administration = field(init=False)

    def __attrs_post_init__(self) -> None:
        now, store = self.clock.seconds, MemoryStore(now=self.clock.seconds)
        self.directory = SQLiteDirectory(
            self.data / "directory.sqlite",
            self.lanes,
            LocalBoard(self.clock),
            self.clock,
        )
        at_once(self.directory.open())
        self.state = WebSessions(self.data / "web.sqlite", self.lanes)
        auth = AuthSettings(scram="off")
        office = Office(
            self.directory, self.directory, self.directory, store, self.lanes,
            Passwords(auth), self.clock,
        )  # fmt: skip
        routing = Routing(self.directory, "mail.example.test", sends=False)
        self.admin = Administration(office, routing, MemorySuppressionList())
        check = Authentication.over(
            self.directory, self.directory, self.lanes, self.clock, auth
        ).password_check
        random = iter(range(1000))

        def octets(count: int) -> bytes:
            return next(random).to_bytes(count, "big")

        sign_in = SignIn(
            check, self.directory, self.state, SessionSettings(), now, octets
        )
        self.links = PasswordLinks(self.directory, lambda: b"a secret", now)
        self.own = OwnAccount(
            lambda: self.admin,
            self.directory,
            sign_in,
            self.links,
            lambda: self.aliases,
            self.state,
            now,
        )
        self.registration = Registration(
            lambda: "open",
            lambda: self.admin,
            self.directory,
            self.state,
            self.state,
            lambda: b"a secret",
            now,
            octets,
        )

    def account(self, name: AccountName) -> Account:
        found = at_once(self.directory.account(name))
        assert found is not None
        return found

    def register(
        self, name: str, invitation: Invitation | None = None, peer: str = "192.0.2.1"
    ) -> Account:
        return at_once(
            self.registration.register(name, "example.test", LONG, peer, invitation)
        )

    def choose(self, ticket: str, password: str) -> bool:
        begun = at_once(self.own.set_password(ticket, password, "192.0.2.1", ""))
        return begun is not None

    def lets_in(self, name: AccountName, password: str) -> bool:
        secrets = at_once(self.directory.credentials(name))
        examined = Passwords(AuthSettings(scram="off")).examine(secrets, password)
        return examined.credential is not None

    def close(self) -> None:
        at_once(self.state.close())
        at_once(self.directory.close())


@define(eq=False)
class Server:
    """Its workers, the first and the second."""

    data: Path
    clock: TestClock
    one: Worker
    two: Worker


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    clock = TestClock()
    one = Worker(tmp_path, clock)
    at_once(one.admin.domains.add(ROOT, "example.test"))
    for name in (ALICE, BOB):
        at_once(one.admin.accounts.add(ROOT, name, LONG))
    made = Server(tmp_path, clock, one, Worker(tmp_path, clock))
    yield made
    made.one.close()
    made.two.close()


def test_a_link_that_both_get_at_the_same_instant(server: Server) -> None:
    ticket = at_once(server.one.links.make(BOB, 3600.0))
    done: list[bool] = []
    server.one.lanes.meanwhile = lambda: done.append(
        server.two.choose(ticket, "words of the second")
    )
    done.append(server.one.choose(ticket, "words of the first"))
    assert done == [True, False]
    server.clock.advance(1)
    for worker in (server.one, server.two):
        assert worker.lets_in(BOB, "words of the second")
        assert not worker.lets_in(BOB, "words of the first")


def test_a_link_that_was_used_before_the_other_has_heard_of_it(server: Server) -> None:
    ticket = at_once(server.one.links.make(BOB, 3600.0))
    assert server.one.choose(ticket, "words of the first")
    assert not server.two.choose(ticket, "words of the second")
    assert server.one.lets_in(BOB, "words of the first")


def test_an_invitation_that_both_get_at_the_same_instant(server: Server) -> None:
    ticket = server.one.registration.invite("", "", 3600.0)
    invitation = server.one.registration.invitation(ticket)
    made: list[Account] = []
    server.one.lanes.meanwhile = lambda: refused.append(
        type(_error(lambda: server.two.register("dave", invitation)))
    )
    refused: list[type[BaseException]] = []
    made.append(server.one.register("carol", invitation))
    assert [one.name for one in made] == [CAROL]
    assert refused == [NotAllowed]


def test_one_address_that_two_strangers_choose(server: Server) -> None:
    made: list[Account] = []
    server.one.lanes.meanwhile = lambda: made.append(
        at_once(
            server.two.registration.register(
                "carol", "example.test", "words of the second", "192.0.2.2", None
            )
        )
    )
    with pytest.raises(AlreadyExists):
        server.one.register("carol")
    assert [one.name for one in made] == [CAROL]
    server.clock.advance(1)
    assert server.one.lets_in(CAROL, "words of the second")
    assert not server.one.lets_in(CAROL, LONG)


def test_robots_make_few_accounts_wherever_they_ask(server: Server) -> None:
    workers = [server.one, server.two]
    for number in range(5):
        server.clock.advance(1)
        workers[number % 2].register(f"robot{number}")
    for worker in workers:
        with pytest.raises(TooMany):
            worker.register("robot5")
    # The server is started again.
    again = Worker(server.data, server.clock)
    with pytest.raises(TooMany):
        again.register("robot5")
    # The same computer, as another protocol calls it.
    with pytest.raises(TooMany):
        again.register("robot5", peer="::ffff:192.0.2.1")
    again.register("robot5", peer="198.51.100.1")
    again.close()


def test_questions_are_counted_together(server: Server) -> None:
    workers = [server.one, server.two]

    def ask(worker: Worker, peer: str) -> Free:
        return at_once(worker.registration.look("carol", "example.test", peer))

    for number in range(60):
        found = ask(workers[number % 2], f"2001:db8::{number + 1:x}")
        assert found is Free.YES
    for worker in workers:
        assert ask(worker, "2001:db8::ffff") is Free.TOO_OFTEN
        assert ask(worker, "2001:db8:0:1::1") is Free.YES


def test_addresses_of_ones_own_are_counted_together(server: Server) -> None:
    one, two = server.one, server.two
    at_once(one.own.add_address(one.account(ALICE), "ally@example.test"))
    with pytest.raises(TooMany):  # who has not heard of the first yet
        at_once(two.own.add_address(two.account(ALICE), "al@example.test"))
    # Nor does anybody get mail of an address that was somebody's a moment ago.
    with pytest.raises(AlreadyExists):
        at_once(two.own.add_address(two.account(BOB), "ally@example.test"))
    server.clock.advance(1)
    assert len(at_once(two.directory.aliases())) == 1


def _error(work: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception) as caught:
        work()
    return caught.value


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:f::1", "2001:db8::/64"),
        ("unix", "unix"),
    ],
)
def test_who_is_one_stranger(peer: str, network: str) -> None:
    assert network_of(peer) == network
