"""Whose address it is (RFC 5233 §1, RFC 2142 §5), and who may write as whom."""

from __future__ import annotations

from typing import TypeVar

import pytest
from attrs import evolve

from mailkit.errors import NoSuchAddress, NotOurs, Suspended, TurnedAwayForNow
from mailkit.interfaces.delivery import LocalRecipient
from mailkit.model.account import Account, Alias, Role
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.path import Path
from mailkit.services.routing import Limits, Routing
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once

DOMAIN = DomainName("example.test")
OTHER = DomainName("bücher.test")
T = TypeVar("T")


class World:
    """A directory with people in it."""

    def __init__(self) -> None:
        self.directory = MemoryDirectory(lambda: 1000.0)
        self.routing = Routing(self.directory, "mail.example.test")
        at_once(self.directory.add_domain(DOMAIN))
        for name in ("alice", "bob", "carol"):
            self.account(name)
        self.alias("sales", "alice")
        self.alias("team", "alice", "bob")
        self.alias("all", "team", "carol", "sales")

    def account(
        self,
        name: str,
        role: Role = Role.USER,
        domain: str = DOMAIN,
        password: str = "x",
    ) -> Account:
        full = AccountName(f"{name}@{domain}")
        made = at_once(self.directory.add_account(full, role, None))
        if password:
            at_once(self.directory.set_password(full, password, None, False))
        return made

    def alias(self, name: str, *targets: str) -> None:
        addresses = tuple(Address.of(target, DOMAIN) for target in targets)
        at_once(self.directory.set_alias(Alias(Address(name, DOMAIN), addresses)))

    def suspend(self, name: str) -> None:
        account = self.find(name)
        at_once(self.directory.change_account(evolve(account, is_suspended=True)))

    def find(self, name: str) -> Account:
        account = at_once(self.directory.account(AccountName(f"{name}@{DOMAIN}")))
        assert account is not None
        return account

    def names(self, local_part: str, domain: str = "example.test") -> list[str]:
        found = at_once(self.routing.route(Path(local_part, domain))).local
        return [one.account.partition("@")[0] for one in found]

    def may(self, name: str, text: str) -> bool:
        address = Address.parse(text)
        assert address is not None
        return at_once(self.routing.may_send_as(self.find(name), address))


@pytest.fixture
def world() -> World:
    return World()


FOUND = [
    ("alice", ["alice"]),
    ("ALICE", ["alice"]),
    ("sales", ["alice"]),
    ("team", ["alice", "bob"]),
    ("all", ["alice", "bob", "carol"]),
    ("alice+lists", ["alice"]),
    ("alice+", ["alice"]),
    ("team+x", ["alice", "bob"]),
]


@pytest.mark.parametrize(("local_part", "names"), FOUND)
def test_addresses(world: World, local_part: str, names: list[str]) -> None:
    assert world.names(local_part) == names


NOT_FOUND = ["nobody", "nobody+x", "+x", "alice-x", "postmaster", "abuse+x", ""]


@pytest.mark.parametrize("local_part", NOT_FOUND)
def test_unknown_addresses(world: World, local_part: str) -> None:
    with pytest.raises(NoSuchAddress):
        world.names(local_part)


FOREIGN = [
    ("alice", "example.org"),
    ("alice", "sub.example.test"),
    ("alice", "[192.0.2.1]"),
    ("alice", ""),
    ("postmaster", "example.org"),
]


@pytest.mark.parametrize(("local_part", "domain"), FOREIGN)
def test_foreign_addresses(world: World, local_part: str, domain: str) -> None:
    with pytest.raises(NotOurs):
        world.names(local_part, domain)


def test_what_a_recipient_carries(world: World) -> None:
    [found] = at_once(world.routing.route(Path("Sales+X.Y", "EXAMPLE.test."))).local
    assert found == LocalRecipient(
        AccountName("alice@example.test"), "sales+x.y@example.test", "x.y"
    )
    [plain] = at_once(world.routing.route(Path("alice", "example.test"))).local
    assert (plain.address, plain.detail) == ("alice@example.test", "")


def test_a_detail_of_a_target_is_kept(world: World) -> None:
    world.alias("invoices", "alice+invoices")
    [found] = at_once(world.routing.route(Path("invoices", "example.test"))).local
    assert (found.account, found.detail) == ("alice@example.test", "invoices")
    [found] = at_once(world.routing.route(Path("invoices+may", "example.test"))).local
    assert found.detail == "may"


def test_an_address_with_plus_of_its_own(world: World) -> None:
    world.account("alice+work")
    assert world.names("alice+work") == ["alice+work"]
    assert world.names("alice+home") == ["alice"]


def test_domains_are_compared_as_u_labels(world: World) -> None:
    at_once(world.directory.add_domain(OTHER))
    world.account("dora", domain=OTHER)
    for domain in (
        "bücher.test",
        "BÜCHER.test",
        "xn--bcher-kva.test",
        "bu\u0308cher.test",
    ):
        assert world.names("dora", domain) == ["dora"]


def test_loops_and_dead_ends(world: World) -> None:
    world.alias("a", "b")
    world.alias("b", "a", "b")
    world.alias("c", "a", "nobody")
    world.alias("d", "c", "carol")
    for local_part in ("a", "b", "c"):
        with pytest.raises(NoSuchAddress):
            world.names(local_part)
    assert world.names("d") == ["carol"]


def test_aliases_lead_so_far(world: World) -> None:
    for number in range(20):
        world.alias(f"x{number}", f"x{number + 1}", "alice")
    world.alias("x20", "bob")
    assert world.names("x0") == ["alice", "bob"]
    world.routing = Routing(world.directory, "", Limits(addresses=10))
    with pytest.raises(TurnedAwayForNow) as caught:
        world.names("x0")  # Bob would not get it, and nobody would know
    assert (caught.value.code, caught.value.status) == (450, "4.2.4")
    assert world.names("x15") == ["alice", "bob"]


def test_the_catch_all_comes_last(world: World) -> None:
    world.alias("", "carol")
    assert world.names("whoever") == ["carol"]
    assert world.names("+x") == ["carol"]
    assert world.names("whoever+x") == ["carol"]
    assert world.names("alice") == ["alice"]
    assert world.names("sales") == ["alice"]
    assert world.names("bob+x") == ["bob"]


def test_suspended_accounts(world: World) -> None:
    world.suspend("alice")
    for local_part in ("alice", "sales", "alice+x"):
        with pytest.raises(Suspended):
            world.names(local_part)
    assert world.names("team") == ["bob"]


def test_postmaster_goes_to_whoever_is_there(world: World) -> None:
    """An account, an alias, the administrators, the account that came along."""
    world.account("postmaster", password="")
    assert world.names("postmaster") == ["postmaster"]
    assert world.names("abuse") == ["postmaster"]
    world.account("dora", Role.DOMAIN_ADMIN)
    world.account("emil", Role.ADMIN)
    assert world.names("postmaster") == ["dora", "emil"]
    assert world.names("Abuse+x") == ["dora", "emil"]
    world.suspend("dora")
    assert world.names("abuse") == ["emil"]
    world.alias("abuse", "bob")
    assert world.names("abuse") == ["bob"]
    world.alias("postmaster", "carol")
    assert world.names("postmaster") == ["carol"]
    name = AccountName(f"postmaster@{DOMAIN}")
    at_once(world.directory.set_password(name, "x", None, False))
    assert world.names("postmaster") == ["postmaster"]


def test_the_servers_administrators_answer_at_last(world: World) -> None:
    at_once(world.directory.add_domain(OTHER))
    world.alias("", "carol")
    world.account("dora", Role.DOMAIN_ADMIN, OTHER)
    with pytest.raises(NoSuchAddress):
        world.names("postmaster")
    world.account("emil", Role.ADMIN, OTHER)
    assert world.names("postmaster") == ["emil"]
    assert world.names("abuse") == ["emil"]


def test_postmaster_of_the_server_itself(world: World) -> None:
    """RFC 5321 §4.5.1: the server says its name to everybody."""
    world.alias("postmaster", "alice")
    server = Routing(world.directory, "MX.Example.test")
    for name in ("postmaster", "abuse"):
        [found] = at_once(server.route(Path(name, "mx.example.test"))).local
        assert found.account.startswith("alice@")
    with pytest.raises(NotOurs):
        at_once(server.route(Path("alice", "mx.example.test")))
    with pytest.raises(NotOurs):
        at_once(world.routing.route(Path("postmaster", "other.test")))
    nowhere = Routing(MemoryDirectory(), "mx.example.test")
    with pytest.raises(NotOurs):
        at_once(nowhere.route(Path("postmaster", "mx.example.test")))


def test_postmaster_without_a_domain(world: World) -> None:
    world.alias("postmaster", "alice")
    assert world.names("postmaster", "") == ["alice"]
    [found] = at_once(world.routing.route(Path("PostMaster", ""))).local
    assert found.address == "postmaster@example.test"
    elsewhere = Routing(world.directory, "mx.example.net")
    assert at_once(elsewhere.route(Path("postmaster", "")))
    nobody = Routing(MemoryDirectory(), "mx.example.net")
    with pytest.raises(NotOurs):
        at_once(nobody.route(Path("postmaster", "")))


def test_is_known(world: World) -> None:
    world.suspend("alice")
    assert at_once(world.routing.is_known(Path("sales", "example.test")))
    assert not at_once(world.routing.is_known(Path("nobody", "example.test")))
    assert not at_once(world.routing.is_known(Path("postmaster", "example.org")))


MAY = [
    ("alice", "alice@example.test", True),
    ("alice", "Alice+x@EXAMPLE.test", True),
    ("alice", "sales@example.test", True),
    ("alice", "all@example.test", True),
    ("carol", "sales@example.test", False),
    ("alice", "bob@example.test", False),
    ("alice", "nobody@example.test", False),
    ("alice", "alice@example.org", False),
]


@pytest.mark.parametrize(("name", "address", "may"), MAY)
def test_who_may_send_as_whom(world: World, name: str, address: str, may: bool) -> None:
    assert world.may(name, address) is may


def test_a_catch_all_may_send_as_whoever_nobody_is(world: World) -> None:
    world.alias("", "carol")
    assert world.may("carol", "whoever@example.test")
    assert not world.may("carol", "alice@example.test")
    assert not world.may("alice", "whoever@example.test")


def test_grants(world: World) -> None:
    alice = world.find("alice").name
    at_once(world.directory.grant(alice, Address("bob", DOMAIN), True))
    assert world.may("alice", "bob@example.test")
    assert world.may("alice", "bob+x@example.test")
    assert not world.may("bob", "alice@example.test")
    at_once(world.directory.grant(alice, Address("", DOMAIN), True))
    assert world.may("alice", "carol@example.test")


def test_an_administrator_may_send_as_postmaster_of_ours_alone(world: World) -> None:
    world.account("emil", Role.ADMIN)
    assert world.may("emil", "postmaster@example.test")
    assert not world.may("alice", "postmaster@example.test")
    assert not world.may("emil", "postmaster@example.org")


def test_closing_hears_of_no_more_changes(world: World) -> None:
    world.account("dora", Role.DOMAIN_ADMIN)
    assert world.names("postmaster") == ["dora"]
    world.routing.close()
    world.account("emil", Role.DOMAIN_ADMIN)
    assert world.names("postmaster") == ["dora"]
