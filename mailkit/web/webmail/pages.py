"""All rooms of the webmail: what is not listed here is not served."""

from __future__ import annotations

from mailkit.web.webmail import (
    acting,
    addresses,
    composing,
    conversation,
    documents,
    events,
    general,
    identities,
    joining,
    labelling,
    listing,
    printing,
    savedsearches,
    scheduled,
    searching,
    security,
    shortcuts,
    signing,
    suggesting,
)
from mailkit.web.webmail.rooms import Room, Route

ROOMS: tuple[Room, ...] = (
    signing.room,
    joining.room,
    scheduled.room,
    listing.room,
    savedsearches.room,
    searching.room,
    acting.room,
    general.room,
    labelling.room,
    identities.room,
    addresses.room,
    security.room,
    shortcuts.room,
    conversation.room,
    printing.room,
    documents.room,
    events.room,
    composing.room,
    suggesting.room,
)


SCRIPTS: tuple[str, ...] = ("swap.js", "notices.js", "list.js", "keys.js", "live.js")
"""Files of ``static/`` that every page of somebody signed in begins with."""


def all_routes() -> list[Route]:
    """Every page, in order."""
    return [route for room in ROOMS for route in room.routes]
