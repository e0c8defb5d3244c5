"""Routes into mailboxes of ours, and into nothing."""

from __future__ import annotations

import pytest
from attrs import define, evolve, field
from zope.interface.verify import verifyObject

from mailkit.errors import OverQuota, TurnedAway, TurnedAwayForNow, Unavailable
from mailkit.interfaces.queue import Carried, IRouteEnd
from mailkit.model.account import Role
from mailkit.model.address import AccountName, DomainName
from mailkit.model.conversation import InMailbox
from mailkit.model.mailbox import MailboxName
from mailkit.model.queueitem import Fate, QueueItem
from mailkit.model.target import ToError, ToMailbox
from mailkit.model.uidset import ALL_UIDS
from mailkit.model.verdict import Verdict
from mailkit.services.delivery.quota import Quotas
from mailkit.services.routes.ends import IntoMailbox, IntoNothing
from mailkit.storage.content import OctetsContent
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from tests.net.relay.world import TEXT, item

ANNA = AccountName("anna@example.test")
TICKETS = MailboxName("Tickets")


@define(eq=False)
class World:
    """Anna, and a route into one of her mailboxes."""

    directory: MemoryDirectory = field(factory=lambda: MemoryDirectory(lambda: 0.0))
    store: MemoryStore = field(factory=MemoryStore)
    quota: int = 0
    item: QueueItem = field(factory=lambda: item("a@x.test", "b@x.test"))

    def carry(self) -> Carried:
        quotas = Quotas(self.store, TestClock(), self.quota)
        target = ToMailbox(account=ANNA, mailbox=TICKETS)
        end = IntoMailbox(target, self.store, self.directory, quotas)
        verifyObject(IRouteEnd, end)
        done = at_once(end.carry(self.item, OctetsContent(TEXT)))
        at_once(end.close())
        return done

    def add(self) -> None:
        at_once(self.directory.add_domain(DomainName("example.test")))
        at_once(self.directory.add_account(ANNA, Role.USER, None))


def test_into_a_mailbox() -> None:
    world = World()
    world.add()
    done = world.carry()
    assert [(one.fate, one.words) for one in done.reports] == [
        (Fate.RELAYED, "delivered")
    ] * 2
    mailbox = at_once(world.store.open(ANNA, TICKETS))
    [(_, content)] = at_once(mailbox.contents(ALL_UIDS))
    octets = at_once(content.read(0, 1000))
    assert octets == (
        b"Return-Path: <x@elsewhere.test>\r\nDelivered-To: a@x.test\r\n"
        b"Delivered-To: b@x.test\r\n" + TEXT
    )


def test_what_was_thought_of_it_stays() -> None:
    world = World()
    world.add()
    verdict = Verdict(spf="pass")
    world.item = evolve(world.item, verdict=verdict.to_text())
    world.carry()
    [row] = at_once(world.store.conversations.page(ANNA, InMailbox(TICKETS))).rows
    assert row.newest.verdict == verdict


def test_an_attempt_that_is_made_again_brings_nothing_new() -> None:
    world = World()
    world.add()
    world.carry()
    world.carry()
    assert at_once(world.store.status(ANNA, TICKETS)).exists == 1


def test_mail_waits_for_an_account() -> None:
    world = World()
    with pytest.raises(Unavailable, match="is not there"):
        world.carry()
    world.add()
    account = at_once(world.directory.account(ANNA))
    assert account is not None
    at_once(world.directory.change_account(evolve(account, is_suspended=True)))
    with pytest.raises(Unavailable, match="is suspended"):
        world.carry()


def test_a_full_account() -> None:
    world = World(quota=10)
    world.add()
    with pytest.raises(OverQuota):
        world.carry()


@pytest.mark.parametrize(("code", "kind"), [(550, TurnedAway), (450, TurnedAwayForNow)])
def test_into_nothing(code: int, kind: type[TurnedAway]) -> None:
    end = IntoNothing(ToError(code=code, status="5.1.1", text="Gone"))
    verifyObject(IRouteEnd, end)
    with pytest.raises(kind, match="Gone") as caught:
        at_once(end.carry(item(), OctetsContent(TEXT)))
    assert caught.value.code == code
    at_once(end.close())
