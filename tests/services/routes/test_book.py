"""Routes of the file and of the directory, and the ends that are made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailkit.config.reader import read_table
from mailkit.errors import MailkitError, Refused, Unavailable
from mailkit.interfaces.queue import Carried, ICarrier, IRouteEnd
from mailkit.interfaces.storage import IContent
from mailkit.metrics import Metrics
from mailkit.model.address import Address
from mailkit.model.queueitem import Fate, QueueItem, Report
from mailkit.model.routeentry import RouteEntry
from mailkit.model.target import Target, ToMaildir
from mailkit.services.routes.book import RouteBook
from mailkit.services.routes.carriers import RouteEnds, Ways
from mailkit.services.routes.matcher import NOBODYS
from mailkit.services.routes.route import kind_of
from mailkit.services.routes.settings import KEYS, RouteSettings
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once
from tests.net.relay.world import item
from tests.services.routes.test_settings import GOOD
from tests.test_metrics import published

HOME = Path("/data")
ANNA = Address.of("anna", "example.org")


def settings(name: str, folder: str, mode: str = "instead") -> RouteSettings:
    tree = {"name": name, "to": "maildir", "folder": folder, "mode": mode,
            "recipient": ["example.org"]}  # fmt: skip
    return read_table(RouteSettings, tree, HOME)


def entry(name: str, **keys: object) -> RouteEntry:
    return RouteEntry(name, json.dumps({"name": name, **keys}))


@pytest.fixture
def directory() -> MemoryDirectory:
    return MemoryDirectory(lambda: 0.0)


def names(book: RouteBook) -> list[str]:
    matches = at_once(book.matcher()).matches(ANNA, NOBODYS)
    return [f"{one.route.name} {one.route.origin}" for one in matches]


def test_the_file_comes_first(directory: MemoryDirectory) -> None:
    book = RouteBook(directory, [settings("b", "x")], HOME)
    assert names(book) == ["b mailkit.toml"]
    for name in ("a", "b"):
        made = entry(name, to="maildir", folder="y", recipient=["example.org"])
        at_once(directory.set_route(made))
    assert names(book) == ["b mailkit.toml", "a directory"]
    route = at_once(book.route("a"))
    assert route is not None
    assert route.target == ToMaildir(folder="/data/y")
    at_once(directory.remove_route("a"))
    assert names(book) == ["b mailkit.toml"]
    book.configure([])
    assert names(book) == ["b directory"]
    assert at_once(book.route("c")) is None
    assert [one.name for one in at_once(book.all())] == ["b"]
    book.close()
    at_once(directory.remove_route("b"))
    assert names(book) == ["b directory"]


def test_what_is_wrong_in_the_directory_is_left_out(directory: MemoryDirectory) -> None:
    at_once(directory.set_route(entry("bad", to="fax")))
    at_once(directory.set_route(entry("good", to="mx", recipient=["example.org"])))
    book = RouteBook(directory)
    assert names(book) == ["good directory"]


@implementer(IRouteEnd)
@define(eq=False)
class End:
    """Notes what is done with it."""

    target: Target
    log: list[str]
    is_final: bool = True
    turn: Deferred[None] | None = None
    reports: tuple[Report, ...] = ()
    error: MailkitError | None = None

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        self.log.append(f"carry {self.target.folder}")  # type: ignore[union-attr]  # all are folders here
        if self.turn is not None:
            await self.turn
        if self.error is not None:
            raise self.error
        return Carried(reports=self.reports)

    async def close(self) -> None:
        self.log.append(f"close {self.target.folder}")  # type: ignore[union-attr]  # as above


@define(eq=False)
class World:
    """Ways over a book, with ends that note what is done with them."""

    directory: MemoryDirectory
    book: RouteBook = field(init=False)
    ways: Ways = field(init=False)
    log: list[str] = field(factory=list)
    turn: Deferred[None] | None = None
    metrics: Metrics = field(factory=Metrics)
    reports: tuple[Report, ...] = ()
    error: MailkitError | None = None

    def __attrs_post_init__(self) -> None:
        self.book = RouteBook(self.directory, [settings("r", "x")], HOME)
        ends = RouteEnds(self.book, self.make, self.metrics)
        self.ways = Ways({"local": self.local}, ends)

    @property
    def local(self) -> ICarrier:
        return End(ToMaildir(folder="local"), self.log)

    def make(self, target: Target) -> IRouteEnd:
        return End(target, self.log, True, self.turn, self.reports, self.error)

    def carry(self, name: str) -> Deferred[Carried]:
        carrier = self.ways[name]
        content = OctetsContent(b"")
        return Deferred.fromCoroutine(carrier.carry(item(), content))


@pytest.fixture
def world(directory: MemoryDirectory) -> World:
    return World(directory)


def test_an_end_is_made_once(world: World) -> None:
    verifyObject(ICarrier, world.ways["r"])
    assert (list(world.ways), len(world.ways)) == (["local"], 1)
    world.carry("r")
    world.carry("r")
    world.carry("local")
    at_once(world.ways.ends.close())
    assert world.log == [
        "carry /data/x",
        "carry /data/x",
        "carry local",
        "close /data/x",
    ]


def test_an_end_is_made_anew_when_its_route_was_changed(world: World) -> None:
    world.carry("r")
    world.book.configure([settings("r", "y")])
    world.carry("r")
    assert world.log == ["carry /data/x", "close /data/x", "carry /data/y"]


def test_an_end_that_is_at_work_is_closed_afterwards(world: World) -> None:
    turn = world.turn = Deferred[None]()
    world.carry("r")
    world.turn = None
    world.book.configure([settings("r", "y")])
    world.carry("r")
    assert world.log == ["carry /data/x", "carry /data/y"]
    turn.callback(None)
    assert world.log[2:] == ["close /data/x"]


def test_a_route_that_is_gone_leaves_mail_waiting(world: World) -> None:
    carrier = world.ways["r"]
    at_once(carrier.carry(item(), OctetsContent(b"")))
    assert carrier.is_final
    world.book.configure([])
    with pytest.raises(Unavailable, match="there is no route r any more"):
        at_once(carrier.carry(item(), OctetsContent(b"")))
    assert world.log == ["carry /data/x", "close /data/x"]


def test_what_became_of_it_is_counted(directory: MemoryDirectory) -> None:
    path = item().waiting[0].path
    fates = (Fate.RELAYED, Fate.SENT, Fate.WAITING, Fate.FAILED)
    reports = tuple(Report(path, fate, "", "") for fate in fates)
    metrics = Metrics()
    for error in (None, Unavailable(), Refused()):
        world = World(directory, metrics=metrics, reports=reports, error=error)
        world.carry("r").addErrback(lambda failure: failure.trap(MailkitError))
    numbers = published(metrics)
    for outcome, count in {"taken": 2, "deferred": 1, "bounced": 2}.items():
        labels = f'kind="maildir",outcome="{outcome}"'
        assert numbers[f"mailkit_routes_total{{{labels}}}"] == f"{count}.0"
    labels = 'kind="maildir",outcome="unavailable"'
    assert numbers[f"mailkit_routes_total{{{labels}}}"] == "1.0"


def test_every_target_has_a_kind() -> None:
    kinds = {kind_of(target) for _, target in GOOD}
    assert kinds == set(KEYS)
