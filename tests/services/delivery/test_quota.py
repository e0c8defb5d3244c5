"""How often the store is asked what an account has used."""

from __future__ import annotations

import pytest
from attrs import define, field

from mailkit.errors import OverQuota
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.services.delivery import quota
from mailkit.services.delivery.quota import Quotas
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock

ALICE = Account(AccountName("alice@example.org"))


@define(eq=False)
class Counting(MemoryStore):
    """Says what it is told to, and counts how often."""

    octets: int = 0
    asked: list[AccountName] = field(factory=list)

    async def used(self, account: AccountName) -> int:
        self.asked.append(account)
        return self.octets


def test_far_from_the_quota_it_is_asked_seldom() -> None:
    store, clock = Counting(), TestClock()
    quotas = Quotas(store, clock, 1000)
    for _ in range(5):
        at_once(quotas.check(ALICE, 100))
    assert len(store.asked) == 1
    clock.advance(quota.GOOD_FOR)
    at_once(quotas.check(ALICE, 100))
    assert len(store.asked) == 2


def test_near_to_it_each_time() -> None:
    store = Counting(octets=500)
    quotas = Quotas(store, TestClock(), 1000)
    for _ in range(3):
        at_once(quotas.check(ALICE, 401))
    assert len(store.asked) == 3


def test_what_is_delivered_counts_at_once() -> None:
    store = Counting()
    quotas = Quotas(store, TestClock(), 1000)
    at_once(quotas.check(ALICE, 500))
    quotas.delivered(ALICE.name, 500)
    store.octets = 500
    with pytest.raises(OverQuota):
        at_once(quotas.check(ALICE, 501))
    quotas.delivered(AccountName("bob@example.org"), 1)  # nobody asked about him yet


def test_to_the_octet() -> None:
    store = Counting(octets=900)
    quotas = Quotas(store, TestClock(), 1000)
    at_once(quotas.check(ALICE, 100))
    with pytest.raises(OverQuota):
        at_once(quotas.check(ALICE, 101))


def test_without_limit_nobody_is_asked() -> None:
    store = Counting()
    at_once(Quotas(store, TestClock(), 0).check(ALICE, 10**15))
    own = Account(ALICE.name, quota=0)
    at_once(Quotas(store, TestClock(), 1).check(own, 10**15))
    assert not store.asked


def test_not_all_accounts_of_the_world_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quota, "MOST", 2)
    store = Counting()
    quotas = Quotas(store, TestClock(), 1000)
    for name in ("a", "b", "c"):
        at_once(quotas.check(Account(AccountName(name)), 1))
    at_once(quotas.check(Account(AccountName("a")), 1))
    assert store.asked == ["a", "b", "c", "a"]
