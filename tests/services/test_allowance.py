"""How much each account may keep."""

from __future__ import annotations

from mailkit.model.account import Role
from mailkit.model.address import AccountName, DomainName
from mailkit.services.allowance import Allowance
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.at_once import at_once

ALICE, BOB = AccountName("alice@a.example"), AccountName("bob@a.example")


def test_what_the_account_says_wins() -> None:
    directory = MemoryDirectory()
    at_once(directory.add_domain(DomainName("a.example")))
    at_once(directory.add_account(ALICE, Role.USER, 0))
    at_once(directory.add_account(BOB, Role.USER, None))
    allowance = Allowance(directory, 1000)
    assert at_once(allowance.of(ALICE)) == 0
    assert at_once(allowance.of(BOB)) == 1000
    allowance.default = 7
    assert at_once(allowance.of(BOB)) == 7
    assert at_once(allowance.of(AccountName("nobody@a.example"))) == 7
