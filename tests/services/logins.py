"""Alice, who logs in, and all that looks at her password."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1
from typing import Any, TypeVar

import pytest
from attrs import define, evolve, field

from mailkit.errors import (
    NotAuthenticated,
    StorageFull,
)
from mailkit.interfaces.session import IPeer
from mailkit.metrics import Metrics
from mailkit.model.account import Account, Credential, Role, ScramKeys
from mailkit.model.address import AccountName, DomainName
from mailkit.protocols.sasl.client import ScramSHA256Client
from mailkit.services.authentication import Authentication, Exchange
from mailkit.services.authsettings import AuthSettings
from mailkit.services.passwords.passwords import Passwords
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
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
