"""From a template and a table to messages in the queue, each once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from attrs import define, evolve, field

from mailkit.errors import NoSuchDomain, Refused, StorageFull
from mailkit.formats import compose, header, mime
from mailkit.formats.unsubscribe import Unsubscription, read_token
from mailkit.interfaces.delivery import Routed
from mailkit.interfaces.storage import IContent
from mailkit.model.account import Alias, Role
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.envelope import Notify
from mailkit.model.event import Step
from mailkit.model.path import Path
from mailkit.model.queueitem import Attempt, Fate, QueueItem, Selection
from mailkit.model.sending import Rate, Sending, is_sending_name, rate_of
from mailkit.model.suppression import Cause, Suppressed
from mailkit.services.delivery.onward import LOCAL, Outbound
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.services.queue.sealing import Ahead
from mailkit.services.routing import Routing
from mailkit.services.sendings import message, putting
from mailkit.services.sendings import plan as plans
from mailkit.services.sendings.errors import BadSending, BadTemplate
from mailkit.services.sendings.house import SendingsHouse
from mailkit.services.sendings.order import Order
from mailkit.services.sendings.plan import Plan, make_plan
from mailkit.services.sendings.putting import Putting
from mailkit.services.sendings.rows import read_address, read_rows
from mailkit.services.sendings.template import Template
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.events import MemoryEvents
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.memory.sendings import MemorySendings
from mailkit.storage.memory.suppression import MemorySuppressionList
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR, TestClock
from tests.services.tellers import Teller

KEYS = [b"secret"]
TEXT = "Subject: Hello {{ name }}\n\nHello {{ name }}\n"
PEOPLE = "email,name\n" + "".join(f"n{n}@example.net,N{n}\n" for n in range(7))


class StopError(Exception):
    """The process is killed."""


@define(eq=False)
class World:
    """``example.org`` with an account, and a queue."""

    clock: TestClock = field(factory=TestClock)
    directory: MemoryDirectory = field(init=False)
    queue: MemoryQueue = field(init=False)
    events: MemoryEvents = field(factory=MemoryEvents)
    sendings: MemorySendings = field(factory=MemorySendings)
    suppression: MemorySuppressionList = field(factory=MemorySuppressionList)
    house: SendingsHouse = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.directory = MemoryDirectory(self.clock.seconds)
        at_once(self.directory.add_domain(DomainName("example.org")))
        name = AccountName("news@example.org")
        at_once(self.directory.add_account(name, Role.USER, None))
        self.queue = MemoryQueue(LocalBoard(self.clock), self.clock.seconds)
        self.house = SendingsHouse(
            "https://mail.example.org",
            self.directory,
            Routing(self.directory, "mail.example.org", sends=True),
            Outbound(self.queue, Teller()),
            self.sendings,
            self.suppression,
            ReturnAddresses("example.org", KEYS, self.clock),
            self.events,
            self.clock,
            KEYS,
            100_000,
        )

    def order(self, people: str = PEOPLE, text: str = TEXT) -> Order:
        return Order(
            name="spring",
            sender=read_address("News@example.org"),
            template=Template.read(text),
            rows=read_rows(people),
            digest="0f",
        )

    def plan(self, order: Order | None = None) -> Plan:
        return at_once(make_plan(self.house, order or self.order()))

    def send(self, order: Order | None = None) -> int:
        return at_once(Putting(self.house, self.plan(order)).run())

    @property
    def items(self) -> list[QueueItem]:
        return list(at_once(self.queue.items(Selection())))

    @property
    def recipients(self) -> list[str]:
        return sorted(str(item.recipients[0].path) for item in self.items)

    def octets(self, item: QueueItem) -> bytes:
        content = at_once(self.queue.content(item.id))
        return at_once(content.read(0, content.size))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Three make a batch."""
    monkeypatch.setattr(putting, "MOST_AT_ONCE", 3)
    return World()


def test_each_gets_a_message(world: World) -> None:
    """Its list is named and easily left (RFC 2919 §3, RFC 2369 §3.2, RFC 8058 §3.1)."""
    assert world.send() == 7
    assert world.recipients == [f"n{number}@example.net" for number in range(7)]
    item = world.items[3]
    assert item.is_ours and not item.is_sealed
    assert item.account == "news@example.org"
    assert item.rate == "spring@"
    assert item.next_try == NEW_YEAR
    assert item.message_id == f"<{item.message}@example.org>"
    assert item.envelope.parameters.envid == item.message
    assert item.recipients[0].recipient.parameters.notify == frozenset(
        (Notify.FAILURE,)
    )
    path = item.envelope.reverse_path
    assert world.house.addresses.bulk_id(path) == item.message
    octets = world.octets(item)
    assert item.size == len(octets)
    assert header.first(octets, b"Subject") == b"Hello N3"
    assert header.first(octets, b"List-Id") == b"<spring.example.org>"
    post = header.first(octets, b"List-Unsubscribe-Post")
    assert post == b"List-Unsubscribe=One-Click"
    link = header.first(octets, b"List-Unsubscribe")
    assert link is not None
    url = link.decode().strip("<>")
    assert url.startswith("https://mail.example.org/u/")
    what = read_token(url.rpartition("/")[2], KEYS, world.clock.seconds())
    assert isinstance(what, Unsubscription)
    assert (what.sending, what.address) == ("spring", "n3@example.net")
    steps = at_once(world.events.find(item.message))
    assert [step.step for step in steps] == [Step.ACCEPTED, Step.QUEUED]


def test_at_its_rate(world: World) -> None:
    order = evolve(world.order(), rate=Rate.parse("300/h"))
    plan = world.plan(order)
    assert plan.begins == NEW_YEAR
    assert plan.finishes == NEW_YEAR + 6 * 12
    world.send(order)
    times = sorted(item.next_try for item in world.items)
    assert times == [NEW_YEAR + number * 12 for number in range(7)]
    assert {item.rate for item in world.items} == {"spring@300/h"}
    dates = {header.first(world.octets(item), b"Date") for item in world.items}
    assert len(dates) == 7
    # More of the same go on where these end.
    more = evolve(order, rows=read_rows(PEOPLE + "late@example.net,Late\n"))
    assert world.send(more) == 1
    assert max(item.next_try for item in world.items) == NEW_YEAR + 7 * 12


def test_what_was_composed_for_the_plan_is_put_as_it_is(world: World) -> None:
    plan = world.plan()
    composed = [one.octets for one in plan.composed.values()]
    world.clock.advance(message.FRESH)
    at_once(Putting(world.house, plan).run())
    assert [world.octets(item) for item in world.items] == composed
    assert {item.subject for item in world.items} == {f"Hello N{n}" for n in range(7)}


def test_whoever_asked_for_long_sends_what_has_the_date_of_now(world: World) -> None:
    plan = world.plan()
    world.clock.advance(message.FRESH + 1)
    at_once(Putting(world.house, plan).run())
    dates = {header.first(world.octets(item), b"Date") for item in world.items}
    assert dates == {b"Thu, 1 Jan 2026 00:01:01 +0000"}


def test_for_more_there_is_no_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "MOST_KEPT", 1)
    plan = world.plan()
    assert list(plan.composed) == [2]  # the example
    assert plan.example == plan.composed[2].octets
    assert at_once(Putting(world.house, plan).run()) == 7
    assert len({world.octets(item) for item in world.items}) == 7


HEAD = b"DKIM-Signature: x\r\n"


async def _signed(content: IContent, items: Sequence[QueueItem], head: bytes) -> Ahead:
    size = content.size + len(HEAD)
    sealed = [evolve(item, is_sealed=True, size=size) for item in items]
    return Ahead(content, sealed, HEAD + head, is_signed=True)


def test_what_leaves_at_once_is_signed_before_it_is_put(world: World) -> None:
    house = evolve(world.house, seal_ahead=_signed)
    at_once(Putting(house, world.plan()).run())
    for item in world.items:
        assert item.is_sealed
        octets = world.octets(item)
        assert octets.startswith(HEAD + b"Date: ") and item.size == len(octets)
        steps = at_once(world.events.find(item.message))
        assert [one.step for one in steps] == [Step.ACCEPTED, Step.QUEUED, Step.SIGNED]


def test_what_waits_for_its_moment_is_signed_then(world: World) -> None:
    house = evolve(world.house, seal_ahead=_signed)
    order = evolve(world.order(), rate=Rate.parse("300/h"))
    at_once(Putting(house, world.plan(order)).run())
    assert not any(item.is_sealed for item in world.items)


def test_again_is_nothing(world: World) -> None:
    assert world.send() == 7
    plan = world.plan()
    assert (plan.rows, plan.put_before, plan.finishes) == ((), 7, None)
    assert at_once(Putting(world.house, plan).run()) == 0
    assert len(world.items) == 7


def test_a_stop_anywhere_doubles_nothing_and_loses_nothing() -> None:
    """At each step of writing something down."""
    for stop_at in range(200):
        world = World()
        steps = [stop_at]

        def step(steps: list[int] = steps) -> None:
            if not steps[0]:
                raise StopError
            steps[0] -= 1

        # Any: both pass on what they do not know themselves.
        sendings: Any = StoppingSendings(step, world.sendings)
        queue: Any = StoppingQueue(step, world.queue)
        outbound = evolve(world.house.outbound, queue=queue)
        stopping = evolve(world.house, sendings=sendings, outbound=outbound)
        plan = world.plan()
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(putting, "MOST_AT_ONCE", 3)
                at_once(Putting(stopping, plan).run())
        except StopError:
            pass
        else:
            break
        gone = [one.message for one in world.items[:2]]
        _leave(world, gone)
        world.send()
        now = [one.message for one in world.items]
        assert len(now) == len(set(now))
        assert set(now).isdisjoint(gone)
        assert len(now) + len(gone) == 7, stop_at
    assert 10 < stop_at < 199


def _leave(world: World, ids: Sequence[str]) -> None:
    """They are sent before the sending goes on."""
    for item in world.items:
        if item.message in ids:
            now = world.clock.seconds()
            [claimed] = at_once(world.queue.claim(item.hop, "me", now, now + 60, 1))
            sent = tuple(evolve(one, fate=Fate.SENT) for one in claimed.recipients)
            attempt = Attempt(began=now, took=0.1)
            at_once(world.queue.record("me", claimed.id, attempt, sent, None))


@define(eq=False)
class StoppingSendings:
    """Stops before or after whatever is written down."""

    _step: Callable[[], None]
    _behind: MemorySendings

    def __getattr__(self, name: str) -> object:
        found = getattr(self._behind, name)
        if name not in ("begin", "putting", "put"):
            return found

        async def call(*words: object) -> object:
            self._step()
            result = await found(*words)
            self._step()
            return result

        return call


@define(eq=False)
class StoppingQueue:
    """The same of a queue."""

    _step: Callable[[], None]
    _behind: MemoryQueue

    async def put(
        self, content: IContent, items: Sequence[QueueItem], head: bytes = b""
    ) -> None:
        self._step()
        await self._behind.put(content, items, head)
        self._step()

    def __getattr__(self, name: str) -> object:
        return getattr(self._behind, name)


def test_suppressed_are_left_out(world: World) -> None:
    entry = Suppressed(Address.of("n2", "example.net"), Cause.COMPLAINED, NEW_YEAR)
    at_once(world.suppression.add([entry]))
    plan = world.plan()
    assert plan.suppressed == (entry,)
    assert world.send() == 6
    assert "n2@example.net" not in world.recipients


def test_what_came_back_when_it_was_stopped_is_not_left_out(world: World) -> None:
    """The queue had it, though that was not noted any more; the other it never had."""

    def step() -> None:
        if len(world.items) == 3:
            raise StopError

    sendings: Any = StoppingSendings(step, world.sendings)  # Any: as above
    with pytest.raises(StopError):
        at_once(Putting(evolve(world.house, sendings=sendings), world.plan()).run())
    gone = world.items[0]
    _leave(world, [gone.message])
    here, there = gone.recipients[0].path.address, Address.of("n6", "example.net")
    entries = [Suppressed(one, Cause.FAILED, NEW_YEAR) for one in (here, there)]
    at_once(world.suppression.add(entries))
    at_once(world.sendings.putting("spring", [there], NEW_YEAR))
    plan = world.plan()
    assert plan.suppressed == (entries[1],)
    assert at_once(Putting(world.house, plan).run()) == 3
    assert world.recipients == [f"n{number}@example.net" for number in range(1, 6)]
    assert world.plan().put_before == 6


def test_our_own_people(world: World) -> None:
    alias = Alias(Address.of("all", "example.org"), (Address.of("x", "example.net"),))
    at_once(world.directory.set_alias(alias))
    people = "email,name\nnews@example.org,News\nall@example.org,All\n"
    assert world.send(world.order(people)) == 2
    routes = {str(one.recipients[0].path): one.hop.route for one in world.items}
    assert routes == {"news@example.org": LOCAL, "x@example.net": ""}


def test_addresses_with_other_letters(world: World) -> None:
    world.send(world.order("email,name\ngröße@bücher.example,x\n"))
    [item] = world.items
    assert item.envelope.parameters.smtputf8
    assert str(item.recipients[0].path) == "größe@xn--bcher-kva.example"


def test_attachments(world: World) -> None:
    part = compose.attachment("plan.pdf", "application/pdf", b"%PDF")
    world.send(evolve(world.order(), attachments=(part,)))
    root = mime.scan(world.octets(world.items[0]))
    assert [one.type for one in root.parts] == [b"text", b"application"]


def test_its_own_list_id(world: World) -> None:
    text = "List-Id: Spring <spring.lists.example.org>\n" + TEXT
    octets = world.plan(world.order(text=text)).example
    value = header.first(octets, b"List-Id")
    assert value == b"Spring <spring.lists.example.org>"


def test_all_rows_are_looked_at_first(world: World) -> None:
    people = "email,name\na@example.net,\ngone@example.org,x\nb@example.net,ok\n"
    text = "Subject: x\n\n{{ 1 // (name | length) }}\n"
    with pytest.raises(BadSending) as caught:
        world.plan(world.order(people, text))
    first, second = caught.value.problems
    assert first.startswith("line 2: a@example.net: the template says: ")
    assert second == "line 3: gone@example.org: nobody here has that address"
    assert world.items == []
    assert at_once(world.sendings.find("spring")) is None


def test_what_is_too_large(world: World) -> None:
    text = "Subject: x\n\n{{ name * 200000 }}\n"
    with pytest.raises(BadSending, match="too much"):
        world.plan(world.order("email,name\na@example.net,x\n", text))


def test_a_message_that_is_none(world: World) -> None:
    text = "Subject: x\nReferences: \x01\n\n"
    with pytest.raises(BadSending):
        world.plan(world.order("email\na@example.net\n", text))


def test_fields_that_are_there_twice(world: World) -> None:
    text = "Subject: x\nReferences: <a@b>\nReferences: <c@d>\n\n"
    with pytest.raises(BadSending, match="may be there once"):
        world.plan(world.order("email\na@example.net\n", text))


def test_addresses_that_lead_nowhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def route(path: Path, may_send: bool) -> Routed:
        return Routed()

    monkeypatch.setattr(
        Routing, "route", lambda self, *words, **more: route(*words, **more)
    )
    with pytest.raises(BadSending, match=r"line 2: .*mail to it goes nowhere"):
        world.plan()


def test_what_cannot_be_sent_at_all(world: World) -> None:
    order = world.order()
    with pytest.raises(Refused, match="cannot be the name"):
        world.plan(evolve(order, name="Spring letter"))
    with pytest.raises(NoSuchDomain):
        world.plan(evolve(order, sender=read_address("news@example.net")))
    with pytest.raises(Refused, match="not ASCII"):
        world.plan(evolve(order, sender=read_address("größe@example.org")))
    with pytest.raises(BadTemplate, match="asks for"):
        world.plan(evolve(order, rows=read_rows("email\na@example.net\n")))
    account = at_once(world.directory.account(AccountName("news@example.org")))
    assert account is not None
    at_once(world.directory.change_account(evolve(account, is_suspended=True)))
    with pytest.raises(Refused, match="suspended"):
        world.plan(order)


def test_another_text_under_the_same_name(world: World) -> None:
    world.send()
    with pytest.raises(Refused, match="give this one another --name"):
        world.plan(evolve(world.order(), digest="aa"))


def test_two_at_once(world: World) -> None:
    plan = world.plan()
    other = Sending(name="spring", digest="0f", begun=NEW_YEAR - 1)
    at_once(world.sendings.begin(other))
    with pytest.raises(Refused, match="try again"):
        at_once(Putting(world.house, plan).run())


def test_a_full_disk(world: World) -> None:
    class Full(MemoryQueue):
        async def put(
            self,
            content: IContent,
            items: Sequence[QueueItem],
            head: bytes = b"",
            owner: str = "",
            until: float = 0.0,
        ) -> None:
            raise StorageFull("no room")

    full = Full(LocalBoard(world.clock), world.clock.seconds)
    house = evolve(world.house, outbound=Outbound(full, Teller()))
    with pytest.raises(StorageFull):
        at_once(Putting(house, world.plan()).run())
    assert world.send() == 7


RATES = [
    ("300/h", 300 / 3600),
    (" 5 / s ", 5.0),
    ("60/min", 1.0),
    ("86400/d", 1.0),
]


@pytest.mark.parametrize(("text", "per_second"), RATES)
def test_rates(text: str, per_second: float) -> None:
    rate = Rate.parse(text)
    assert rate is not None
    assert rate.per_second == pytest.approx(per_second)
    assert Rate.parse(str(rate)) == rate


@pytest.mark.parametrize("text", ["", "0/h", "300", "h", "-1/h", "1/w", "1.5/h"])
def test_what_is_no_rate(text: str) -> None:
    assert Rate.parse(text) is None
    assert rate_of(f"spring@{text}") is None


def test_names_of_sendings() -> None:
    assert is_sending_name("spring-2026_1")
    for name in ("", "-a", "a b", "A", "ä", "a" * 41, "a.b", "a@b"):
        assert not is_sending_name(name)
