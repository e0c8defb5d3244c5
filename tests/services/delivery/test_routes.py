"""Mail that routes lead elsewhere, or have a copy of, while it is taken in."""

from __future__ import annotations

import pytest

from mailkit.errors import NotOurs, OverQuota, TurnedAway, Unavailable
from mailkit.model.envelope import Notify, SenderParameters
from mailkit.model.notice import NoticeKind
from mailkit.model.queueitem import NextHop
from mailkit.services.delivery.again import LocalCarrier
from mailkit.services.delivery.rules import Handed
from mailkit.services.routes.settings import RouteSettings
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.services.delivery.world import SUCCESS, Way, carry, filing, keep
from tests.services.routes.test_routing import route
from tests.services.smtp.world import ALICE, BOB


@pytest.fixture
def way() -> Way:
    return Way()


def lead(way: Way, *routes: RouteSettings) -> None:
    way.world.routing.book.configure(routes)


def hops(way: Way) -> list[str]:
    return [str(item.hop) for item in way.items]


def test_a_copy_tells_nobody_of_its_fate(way: Way) -> None:
    lead(way, route("archive", mode="also", recipient=["bob@example.org"]))
    keep(way.begin("bob@example.org", wish=SUCCESS))
    [item] = way.items
    assert item.hop == NextHop(item.hop.domain, "archive")
    [each] = item.recipients
    assert each.recipient.parameters.notify == frozenset({Notify.NEVER})
    assert way.world.teller.told_at_once == [(NoticeKind.DELIVERED, BOB)]
    assert len(way.world.mailbox(BOB)) == 1


def test_instead_of_a_mailbox(way: Way) -> None:
    lead(way, route("there", recipient=["bob@example.org"]))
    keep(way.begin("bob@example.org", "alice@example.org"))
    assert hops(way) == ["example.org by there"]
    assert not way.world.mailbox(BOB)


def test_one_item_for_all_of_a_route(way: Way) -> None:
    lead(way, route("there", recipient=["example.org"]))
    keep(way.begin("bob@example.org", "x@example.org", "y@example.org"))
    [item] = way.items
    assert [str(each.path) for each in item.recipients] == [
        "bob@example.org",
        "x@example.org",
        "y@example.org",
    ]


def test_who_submits_and_who_sends_are_asked(way: Way) -> None:
    lead(
        way,
        route("of-alice", account=["alice@example.org"]),
        route("of-dave", sender=["dave@example.net"], recipient=["example.net"]),
    )
    keep(way.submit("x@far.test"))
    keep(way.begin("y@example.net"))
    assert hops(way) == ["far.test by of-alice", "example.net by of-dave"]
    with pytest.raises(NotOurs):
        way.begin("x@far.test")


def test_an_error_is_said_at_once(way: Way) -> None:
    lead(way, route("no", "error", recipient=["bob@example.org"], text="Gone"))
    with pytest.raises(TurnedAway, match="Gone"):
        way.begin("bob@example.org")


def test_a_copy_is_made_once_though_the_mailbox_has_to_wait(way: Way) -> None:
    lead(way, route("archive", mode="also", recipient=["bob@example.org"]))
    filing(way, BOB, Unavailable("busy"))
    keep(way.begin(ALICE, BOB))
    assert hops(way) == ["example.org by local"]
    carry(way)
    assert hops(way) == ["example.org by local"]
    filing(way, ALICE, Unavailable("not asked"))
    assert carry(way) == [(BOB, "sent", "2.1.5")]
    assert sorted(hops(way)) == ["example.org by archive", "example.org by local"]


def test_copies_of_those_behind_an_alias_are_made_once(way: Way) -> None:
    lead(
        way,
        route("bobs", mode="also", recipient=["bob@example.org"]),
        route("sales", mode="also", recipient=["sales@example.org"]),
    )
    filing(way, BOB, Unavailable("busy"))
    keep(way.begin("sales@example.org"))
    assert sorted(hops(way)) == ["example.org by local", "example.org by sales"]
    filing(way, ALICE, Unavailable("not asked"))
    [item] = [item for item in way.items if item.hop.route == "local"]
    carrier = LocalCarrier(lambda: way.world.delivery(Handed()))
    at_once(carrier.carry(item, OctetsContent(way.octets(item))))
    assert sorted(hops(way)) == [
        "example.org by bobs",
        "example.org by local",
        "example.org by sales",
    ]


def test_a_copy_alone_is_nobody_to_have_it(way: Way) -> None:
    lead(way, route("archive", mode="also", recipient=["bob@example.org"]))
    with pytest.raises(OverQuota):
        way.begin("bob@example.org", parameters=SenderParameters(size=20_000))
