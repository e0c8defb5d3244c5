"""Local delivery and its filing under the contracts of their seams."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from mailkit.interfaces.delivery import IDestination, IFiling
from mailkit.model.address import AccountName
from mailkit.model.path import Path
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.delivery.rules import Arrival, Handed
from mailkit.testing.contracts.delivery import DestinationContract, FilingContract
from tests.services.smtp.world import HOSTNAME, World


class _Local(DestinationContract):
    world: World
    known = Path("alice", "example.org"), Path("bob", "example.org")
    unknown = Path("nobody", "example.org")

    async def kept(self, recipient: Path) -> list[bytes]:
        return self.world.mailbox(AccountName(str(recipient)))


class ArrivalTests(_Local, TestCase):
    """What comes from strangers."""

    def make_destination(self) -> IDestination:
        self.world = World()
        return self.world.delivery(Arrival((HOSTNAME,)))


class HandedTests(_Local, TestCase):
    """What comes by LMTP."""

    def make_destination(self) -> IDestination:
        self.world = World()
        return self.world.delivery(Handed())


class IntoInboxTests(FilingContract, TestCase):
    """Without rules."""

    def make_filing(self) -> IFiling:
        return IntoInbox()
