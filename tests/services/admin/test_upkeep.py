"""Checking and rebuilding, as far as a store has something to look after."""

from __future__ import annotations

import pytest

from mailkit.errors import NoSuchAccount, NotAllowed, Refused
from mailkit.testing.at_once import at_once
from tests.services.admin.world import ROOT, USER, World

ALICE = "alice@example.test"


def test_a_store_that_keeps_nothing_beside_has_nothing_to_check() -> None:
    mailboxes = World().admin.mailboxes
    with pytest.raises(Refused, match="nothing beside the messages"):
        at_once(mailboxes.check(ROOT, ALICE))
    with pytest.raises(Refused, match="nothing beside the messages"):
        at_once(mailboxes.rebuild(ROOT, ALICE))


def test_who_has_no_say_may_not() -> None:
    mailboxes = World().admin.mailboxes
    with pytest.raises(NotAllowed):
        at_once(mailboxes.check(USER, ALICE))
    with pytest.raises(NoSuchAccount):
        at_once(mailboxes.rebuild(ROOT, "nobody@example.test"))
