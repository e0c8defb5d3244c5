"""Sending later."""

from __future__ import annotations

import pytest
from attrs import evolve

from mailkit.errors import HasLeft
from mailkit.services.composing.errors import CannotSend, Lack
from mailkit.testing.at_once import at_once
from tests.services.composing.world import (
    HELLO,
    Desk,
    items,
)
from tests.services.smtp.world import ALICE, BOB


def test_later() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    sent = desk.send(desk.begin(), at=at)
    assert (sent.hold_until, sent.is_later) == (at, True)
    assert (desk.subjects("Drafts"), desk.subjects("Sent")) == ([], [])
    [waiting] = at_once(desk.composing.waiting(ALICE))
    assert (waiting.leaves, waiting.subject) == (at, "Hello")
    assert (waiting.recipients, waiting.draft) == (("bob@example.org",), sent.id)
    assert list(at_once(desk.composing.waiting(BOB))) == []
    desk.advance(3599)
    at_once(desk.composing.outbox.recover())
    assert desk.subjects("Sent") == []
    desk.advance(1)
    assert desk.subjects("Sent") == ["Hello"]
    assert list(at_once(desk.composing.waiting(ALICE))) == []
    content = at_once(desk.queue.content(items(desk)[0].id))
    assert b"Date: Thu, 01 Jan 2026 01:00:00 +0000" in (content.octets or b"").replace(
        b"Thu, 1 Jan", b"Thu, 01 Jan"
    )


def test_later_is_found_by_looking() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    desk.send(desk.begin(evolve(HELLO, to="b@example.net, c@example.com")), at=at)
    desk.composing.outbox.stop()
    other = desk.make()
    other.outbox.start()
    [waiting] = at_once(other.waiting(ALICE))
    assert waiting.recipients == ("b@example.net", "c@example.com")
    for _ in range(130):
        desk.advance(30)
    assert desk.subjects("Sent") == ["Hello"]
    other.outbox.stop()
    other.outbox.stop()


def test_later_may_be_changed_until_it_goes() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    sent = desk.send(desk.begin(), at=at)
    desk.advance(1800)
    draft = desk.unsend(sent)
    assert (draft.is_later, draft.hold_until) == (False, 0.0)
    assert desk.subjects("Drafts") == ["Hello"]


@pytest.mark.parametrize("seconds", [-1.0, 0.0, 366 * 86400.0])
def test_times_that_cannot_be(seconds: float) -> None:
    desk = Desk()
    draft = desk.begin()
    with pytest.raises(CannotSend) as caught:
        desk.send(draft, at=desk.world.clock.seconds() + seconds)
    assert caught.value.lack is Lack.TIME


def test_what_other_programs_send_later() -> None:
    desk = Desk()
    at = desk.world.clock.seconds() + 3600
    sent = desk.send(desk.begin(), at=at)
    at_once(desk.drafts.remove(ALICE, sent.id))
    [waiting] = at_once(desk.composing.waiting(ALICE))
    assert waiting.draft is None
    with pytest.raises(HasLeft):
        at_once(desk.composing.cancel(BOB, waiting.transaction))
    at_once(desk.composing.cancel(ALICE, waiting.transaction))
    assert items(desk) == []
    with pytest.raises(HasLeft):
        at_once(desk.composing.cancel(ALICE, waiting.transaction))
