"""What domains and senders want of TLS, as far as the queue has a say in it."""

from __future__ import annotations

from typing import Any

import pytest

from mailkit.errors import Unreachable
from mailkit.model.queueitem import QueueItem
from mailkit.model.tlspolicy import TLSLevel, TLSPolicy
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
