"""Delivery to accounts of ours, inside the transaction that brings the message."""

from __future__ import annotations

from attrs import define
from zope.interface import implementer

from mailkit.interfaces.delivery import IDestination, ITransaction, Origin
from mailkit.model.envelope import Envelope
from mailkit.services.delivery.rules import Rules
from mailkit.services.delivery.transaction import DeliveryHouse, LocalTransaction


@implementer(IDestination)
@define(eq=False)
class LocalDelivery:
    """Our mailboxes, for messages that come in by one way."""

    house: DeliveryHouse
    rules: Rules
    """What holds for that way: `Arrival`, `Handed` or `Submitted`."""

    async def begin(self, envelope: Envelope, origin: Origin) -> ITransaction:
        house = self.house
        examination = self.rules.begin(envelope, origin)
        id = origin.transaction or house.new_id()
        return LocalTransaction(
            house, envelope, origin, house.spool.begin(), examination, id
        )
