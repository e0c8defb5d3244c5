"""What domains and senders want of TLS, as far as the queue has a say in it."""

from __future__ import annotations

from typing import Any

import pytest

from mailkit.errors import Unreachable
from mailkit.model.queueitem import QueueItem
from mailkit.model.tlspolicy import OPPORTUNISTIC, TLSLevel, TLSPolicy
from mailkit.services.queue.hosts import Hosts
from tests.services.queue.world import LATER, OK, World, an_item

HERE = "192.0.2.1"


@pytest.mark.parametrize(
    ("origin", "level"),
    [("mta-sts", TLSLevel.OPPORTUNISTIC), ("config", TLSLevel.PKIX)],
)
def test_a_message_may_say_that_tls_is_optional(origin: str, level: TLSLevel) -> None:
    # RFC 8689 §4.2.2: what the domain demands is ignored, what we demand is not.
    async def strict(domain: Any, answer: Any, host: str) -> TLSPolicy:
        return TLSPolicy(level=TLSLevel.PKIX, names=(host,), origin=origin)

    asked: list[TLSLevel] = []

    def look(host: Any, item: QueueItem) -> Any:  # Any: as `Carries` has them
        asked.append(host.policy.level)
        return LATER(host, item)

    world = World()
    world.house.hosts = Hosts(world.resolver, "mail.example.org", list.sort, strict)
    world.relay.answers = {HERE: look}
    world.put(an_item())
    world.put(an_item("b", tls_optional=True))
    world.start()
    assert sorted(asked, key=str) == sorted([TLSLevel.PKIX, level], key=str)


def test_a_host_that_the_policy_does_not_name() -> None:
    # RFC 8461 §5: it waits; RFC 8689 §4.2.2: unless the message does not mind.
    async def strict(domain: Any, answer: Any, host: str) -> TLSPolicy:
        return TLSPolicy(
            level=TLSLevel.PKIX, names=(host,), origin="mta-sts", mismatch="not it"
        )

    def look(host: Any, item: QueueItem) -> Any:  # Any: as `Carries` has them
        if host.policy.is_barred:
            raise Unreachable(host.policy.mismatch, "4.7.5")
        return OK(host, item)

    world = World()
    world.house.hosts = Hosts(world.resolver, "mail.example.org", list.sort, strict)
    world.relay.answers = {HERE: look}
    world.put(an_item())
    world.start()
    [attempt] = world.attempts()
    assert attempt.words == "not it"
    # That host is none that cannot be reached.
    world.put(an_item("b", tls_optional=True))
    world.turn(1)
    assert world.item("b.1") is None
    assert world.item("a.1") is not None


def shared(*strict: str, mismatch: str = "") -> World:
    """Three domains at one host; what some demand of it is never met."""

    async def policy_of(domain: Any, answer: Any, host: str) -> TLSPolicy:
        if domain not in strict:
            return OPPORTUNISTIC
        return TLSPolicy(
            level=TLSLevel.PKIX, names=(domain,), origin="mta-sts", mismatch=mismatch
        )

    def look(host: Any, item: QueueItem) -> Any:  # Any: as `Carries` has them
        if host.policy is not OPPORTUNISTIC:
            raise Unreachable(f"not good enough for {item.hop}", "4.7.5")
        return OK(host, item)

    world = World()
    resolver = world.resolver
    world.house.hosts = Hosts(resolver, "mail.example.org", list.sort, policy_of)
    world.relay.answers = {HERE: look}
    for name in ("one", "two", "all"):
        resolver.add(f"{name}.test. MX 10 mx.example.net.")
    return world


def words(world: World, id: str) -> list[str]:
    return [attempt.words for attempt in world.attempts(id)]


def test_what_one_domain_demands_holds_up_no_other() -> None:
    # Else whoever publishes a record could keep others' mail from a host.
    world = shared("one.test", "two.test")
    world.put(an_item("a", "one.test"))
    world.start()
    world.put(an_item("b", "all.test"))
    world.put(an_item("c", "two.test"))
    world.turn(1)
    assert world.item("b.1") is None
    assert words(world, "a.1") == ["not good enough for one.test"]
    assert words(world, "c.1") == ["not good enough for two.test"]


def test_what_was_not_met_is_not_asked_for_again_at_once() -> None:
    world = shared("one.test")
    world.put(an_item("a", "one.test"))
    world.start()
    world.put(an_item("b", "one.test"))
    world.turn(1)
    assert len(world.relay.carried) == 1
    [said] = words(world, "b.1")
    assert said == "not good enough for one.test (1 s ago, not asked again)"
    world.turn(400)
    assert len(world.relay.carried) == 2
    world.relay.answers.clear()
    world.turn(1200)
    assert world.item("a.1") is world.item("b.1") is None
    world.relay.answers[HERE] = Unreachable("weaker again", "4.7.5")
    world.put(an_item("c", "one.test"))
    world.turn(1)
    world.put(an_item("d", "one.test", at=world.clock.seconds() + 61))
    world.turn(62)
    assert words(world, "d.1") == ["weaker again"]  # a minute, as at first


def test_a_host_that_nobody_reaches_is_still_the_wrong_one() -> None:
    world = shared("one.test", mismatch="not it")
    dead = Unreachable("dead")

    def look(host: Any, item: QueueItem) -> Any:  # Any: as `Carries` has them
        raise Unreachable("not it", "4.7.5") if host.policy.is_barred else dead

    world.relay.answers = {HERE: look}
    world.put(an_item("a", "all.test"))
    world.start()
    world.put(an_item("b", "one.test"))
    world.put(an_item("c", "two.test"))
    world.turn(1)
    assert words(world, "a.1") == ["dead"]
    assert words(world, "b.1") == ["not it"]
    assert words(world, "c.1") == ["dead (1 s ago, not asked again)"]
