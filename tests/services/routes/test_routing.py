"""What routes and patterns make of addresses, together with the directory."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field

from mailkit.config.reader import read_table
from mailkit.errors import NoSuchAddress, NotOurs, TurnedAway, TurnedAwayForNow
from mailkit.interfaces.delivery import Routed
from mailkit.model.account import Alias, Role
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.path import Path
from mailkit.services.routes.book import RouteBook
from mailkit.services.routes.matcher import NOBODYS, Mailing
from mailkit.services.routes.settings import RouteSettings
from mailkit.services.routing import Routing
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once
from tests.services.routes.test_book import HOME

OURS = DomainName("example.test")


def route(
    name: str, to: str = "maildir", **keys: Any
) -> RouteSettings:  # of `Settings`
    if to == "maildir":
        keys["folder"] = "x"
    return read_table(RouteSettings, {"name": name, "to": to, **keys}, HOME)


@define(eq=False)
class World:
    """People, aliases and routes."""

    directory: MemoryDirectory = field(factory=lambda: MemoryDirectory(lambda: 0.0))
    routing: Routing = field(init=False)

    def __attrs_post_init__(self) -> None:
        at_once(self.directory.add_domain(OURS))
        for name in ("alice", "bob", "carol"):
            full = AccountName(f"{name}@{OURS}")
            at_once(self.directory.add_account(full, Role.USER, None))
        self.routes()

    def routes(self, *settings: RouteSettings, sends: bool = True) -> None:
        book = RouteBook(self.directory, settings, HOME)
        self.routing = Routing(
            self.directory, "mail.example.test", sends=sends, book=book
        )

    def alias(self, text: str, *targets: str) -> None:
        local_part, _, domain = text.rpartition("@")
        addresses = tuple(filter(None, map(Address.parse, targets)))
        alias = Alias(Address(local_part, DomainName(domain)), addresses)
        at_once(self.directory.set_alias(alias))

    def routed(
        self, text: str, may_send: bool = False, mailing: Mailing = NOBODYS
    ) -> Routed:
        local_part, _, domain = text.rpartition("@")
        return at_once(self.routing.route(Path(local_part, domain), may_send, mailing))

    def ends(
        self, text: str, may_send: bool = False, mailing: Mailing = NOBODYS
    ) -> list[str]:
        """Accounts, and who gets it elsewhere by what; copies are in brackets."""
        routed = self.routed(text, may_send, mailing)
        found = [one.account.partition("@")[0] for one in routed.local]
        for one in routed.foreign:
            said = f"{one.path} {one.hop.route or 'DNS'}"
            found.append(f"({said})" if one.is_quiet else said)
        return found


@pytest.fixture
def world() -> World:
    return World()


def test_instead_and_also_of_our_own_people(world: World) -> None:
    world.routes(
        route("a", recipient=["alice@example.test"]),
        route("b", recipient=["bob@example.test"], mode="also"),
        route("c", recipient=["*"], mode="also"),
        route("new", recipient=["new@example.test"]),
        route("out", recipient=["*"]),
    )
    assert world.ends("alice@example.test") == [
        "alice@example.test a",
        "(alice@example.test c)",
    ]
    assert world.ends("bob@example.test") == [
        "bob",
        "(bob@example.test b)",
        "(bob@example.test c)",
    ]
    assert world.ends("bob+x@example.test")[:2] == ["bob", "(bob+x@example.test b)"]
    assert world.ends("carol@example.test") == ["carol", "(carol@example.test c)"]
    assert world.ends("new@example.test")[0] == "new@example.test new"
    assert world.ends("x@far.test", True) == ["x@far.test out", "(x@far.test c)"]
    with pytest.raises(NoSuchAddress):
        world.ends("nobody@example.test")
    with pytest.raises(NotOurs):
        world.ends("x@far.test")


def test_a_whole_domain_of_ours(world: World) -> None:
    world.routes(route("all", recipient=["example.test"]))
    assert world.ends("alice@example.test") == ["alice@example.test all"]
    assert world.ends("nobody@example.test") == ["nobody@example.test all"]


def test_a_domain_that_is_not_ours(world: World) -> None:
    world.routes(
        route("backup", "mx", recipient=["backup.test"]),
        route("inner", "mx", recipient=["inner.test"], inward=True),
        route("smart", "smarthost", host="x", recipient=["smart.test"]),
    )
    assert world.ends("x@backup.test") == ["x@backup.test DNS"]
    assert world.ends("x@inner.test") == ["x@inner.test inner"]
    assert world.ends("x@smart.test", True) == ["x@smart.test smart"]
    for text in ("x@smart.test", "x@sub.backup.test", "x@far.test"):
        with pytest.raises(NotOurs):
            world.ends(text)


def test_aliases_lead_to_routes(world: World) -> None:
    world.routes(
        route("a", recipient=["alice@example.test"]),
        route("copy", recipient=["bob@example.test"], mode="also"),
        route("smart", "smarthost", host="x", recipient=["far.test"]),
        route("no", "error", recipient=["carol@example.test"]),
    )
    world.alias("team@example.test", "alice@example.test", "bob@example.test",
                "x@far.test", "y@dns.test", "carol@example.test")  # fmt: skip
    routed = world.routed("team@example.test")
    assert world.ends("team@example.test") == [
        "bob",
        "alice@example.test a",
        "x@far.test smart",
        "y@dns.test DNS",
        "(bob@example.test copy)",
    ]
    aliases = {str(one.path): one.alias for one in routed.foreign}
    assert aliases == {
        "alice@example.test": "",
        "x@far.test": "team@example.test",
        "y@dns.test": "team@example.test",
        "bob@example.test": "",
    }
    world.alias("lost@example.test", "carol@example.test")
    with pytest.raises(NoSuchAddress):
        world.ends("lost@example.test")


def test_errors(world: World) -> None:
    world.routes(
        route(
            "never", "error", recipient=["alice@example.test"], code=553, text="Gone"
        ),
        route("later", "error", recipient=["x.test"], code=450),
        route("spam", "error", sender=["bad.test"], recipient=["example.test"]),
    )
    with pytest.raises(TurnedAway, match="Gone") as caught:
        world.ends("alice@example.test")
    assert (caught.value.code, caught.value.status) == (553, "5.7.1")
    with pytest.raises(TurnedAwayForNow):
        world.ends("y@x.test")
    bad = Mailing(Address.of("m", "bad.test"))
    with pytest.raises(TurnedAway):
        world.ends("bob@example.test", mailing=bad)
    assert world.ends("bob@example.test") == ["bob"]
    known = world.routing.is_known
    assert not at_once(known(Path("alice", "example.test")))
    assert at_once(known(Path("bob", "example.test")))


def test_by_sender_and_account(world: World) -> None:
    world.routes(
        route("of-alice", account=["alice@example.test"]),
        route("notices", sender=["<>"]),
    )
    alice = Mailing(Address.of("alice", OURS), AccountName("alice@example.test"))
    assert world.ends("x@far.test", True, alice) == ["x@far.test of-alice"]
    assert world.ends("bob@example.test", True, alice) == ["bob"]
    null = Mailing(Address.of("", ""))
    assert world.ends("x@far.test", True, null) == ["x@far.test notices"]
    assert world.ends("x@far.test", True) == ["x@far.test DNS"]


def test_without_a_queue_there_are_no_routes(world: World) -> None:
    world.routes(route("a", recipient=["example.test", "far.test"]), sends=False)
    assert world.ends("alice@example.test") == ["alice"]
    with pytest.raises(NotOurs):
        world.ends("x@far.test", True)
    told = at_once(world.routing.explain(Path("alice", OURS)))
    assert told.matches == ()


PATTERNS = [
    ("shop-alice@example.test", "alice"),
    ("shop-alice+x@example.test", "alice"),
    ("-alice@example.test", "alice"),
    ("shop-bob@example.test", "bob"),
    ("bob@example.test", "bob"),
    ("bob+x-alice@example.test", "bob"),
    ("else@example.test", "carol"),
]


@pytest.mark.parametrize(("text", "name"), PATTERNS)
def test_pattern_aliases(world: World, text: str, name: str) -> None:
    world.alias("*-alice@example.test", "alice@example.test")
    world.alias("shop-*@example.test", "bob@example.test")
    world.alias("@example.test", "carol@example.test")
    assert world.ends(text) == [name]
    account = at_once(world.directory.account(AccountName(f"{name}@example.test")))
    address = Address.parse(text)
    assert account is not None
    assert address is not None
    assert at_once(world.routing.may_send_as(account, address))


def test_a_pattern_that_is_gone_is_forgotten(world: World) -> None:
    world.alias("*-alice@example.test", "alice@example.test")
    assert world.ends("x-alice@example.test") == ["alice"]
    at_once(world.directory.remove_alias(Address("*-alice", OURS)))
    with pytest.raises(NoSuchAddress):
        world.ends("x-alice@example.test")


def test_a_whole_domain_of_a_person(world: World) -> None:
    at_once(world.directory.add_domain(DomainName("anna.test")))
    world.alias("*@anna.test", "alice@example.test")
    assert world.ends("whatever@anna.test") == ["alice"]
