"""All rooms of the webmail: what is not listed here is not served."""

from __future__ import annotations

from mailkit.web.webmail import (
    acting,
    conversation,
    documents,
    general,
    labelling,
    listing,
    security,
    signing,
)
from mailkit.web.webmail.rooms import Room, Route

ROOMS: tuple[Room, ...] = (
    signing.room,
    listing.room,
    acting.room,
    general.room,
    labelling.room,
    security.room,
    conversation.room,
    documents.room,
)


SCRIPTS: tuple[str, ...] = ()
"""Files of ``static/`` that every page of somebody signed in begins with."""


def all_routes() -> list[Route]:
    """Every page, in order."""
    return [route for room in ROOMS for route in room.routes]
