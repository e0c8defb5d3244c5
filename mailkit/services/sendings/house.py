"""What bulk sendings work with."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.formats.signedaddress import Keys
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.sendings import ISendings
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.services.delivery.onward import Outbound
from mailkit.services.notices.returnaddresses import ReturnAddresses
from mailkit.services.routing import Routing


@define(eq=False)
class SendingsHouse:
    """The parts."""

    origin: str
    """Where people find our web pages: ``https://mail.example.org``."""
    directory: IDirectory
    routing: Routing
    outbound: Outbound
    sendings: ISendings
    suppression: ISuppressionList
    addresses: ReturnAddresses
    events: IEvents
    clock: IReactorTime
    keys: Keys = field(repr=False)
    """What tokens of unsubscription are signed with."""
    most_octets: int
    """Of one message."""
