"""Bulk sendings, put together for the command."""

from __future__ import annotations

from mailkit.app.assemble import House
from mailkit.app.settings import Settings
from mailkit.errors import Refused
from mailkit.services.queue.sealing import Sealing
from mailkit.services.sendings.house import SendingsHouse
from mailkit.storage.sendings import Sendings


def make_sendings_house(house: House, settings: Settings) -> SendingsHouse:
    """
    What sendings work with; its `SendingsHouse.sendings` is closed by the caller.

    :raises Refused: if this server sends no mail.
    """
    way_out = house.way_out
    if way_out is None:
        raise Refused("this server sends no mail: [relay] enabled is false")
    return SendingsHouse(
        origin=settings.web.origin or f"https://{settings.hostname}",
        directory=house.directory,
        routing=house.routing,
        outbound=way_out.outbound,
        sendings=Sendings(settings.data / "sendings.sqlite", house.lanes),
        suppression=house.suppression,
        addresses=way_out.addresses,
        events=house.events,
        clock=house.reactor,
        keys=[house.secret],
        most_octets=settings.limits.message_size,
        seal_ahead=Sealing(way_out.sending).ahead,
    )


def warnings(settings: Settings) -> list[str]:
    """What would make a sending worse than it has to be."""
    found: list[str] = []
    origin = settings.web.origin
    if origin.startswith("http:"):
        found.append(
            f"unsubscribing leads to {origin}: others want https there (RFC 8058)"
        )
    if not origin and not settings.listen.https:
        found.append(
            f"nobody can unsubscribe: nothing listens at https://{settings.hostname};"
            " see [listen] https, or [web] origin"
        )
    return found
