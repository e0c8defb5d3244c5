"""Reverse-paths of ours."""

from __future__ import annotations

from mailkit.model.path import NULL_PATH, Path
from mailkit.services.notices.allowance import MOST_SENDERS, Allowance
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.testing.clock import TestClock
from tests.services.notices.desk import ALICE_PATH, DAVE, KEYS, Desk


def test_forwarded_senders_lead_back() -> None:
    addresses = Desk().addresses
    written = addresses.rewrite(DAVE)
    assert written.domain == "example.org"
    assert addresses.original(written) == DAVE
    assert addresses.original(DAVE) is None
    assert addresses.original(Path("srs0=x", "example.org")) is None


def test_senders_that_stay() -> None:
    addresses = Desk().addresses
    for sender in (NULL_PATH, ALICE_PATH, Path("x" * 60, "example.net")):
        assert addresses.rewrite(sender) == sender


def test_a_domain_that_is_not_ascii() -> None:
    addresses = ReturnAddresses("bücher.example", KEYS, TestClock())
    written = addresses.rewrite(DAVE)
    assert written.domain == "xn--bcher-kva.example"
    assert addresses.original(written) == DAVE


def test_bulk_messages() -> None:
    addresses = Desk().addresses
    written = addresses.bulk("5f3c.1", "example.org")
    assert addresses.bulk_id(written) == "5f3c.1"
    assert addresses.bulk_id(DAVE) is None
    assert addresses.bulk_id(Path("bounce", "example.org")) is None


def test_the_allowance_forgets_those_told_longest_ago() -> None:
    allowance = Allowance(TestClock())
    for number in range(MOST_SENDERS + 1):
        allowance.take(str(number))
    assert allowance.is_left("0", 1)
    assert not allowance.is_left("1", 1)
    assert allowance.is_left("1", 0)
