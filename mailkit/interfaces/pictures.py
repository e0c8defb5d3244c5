"""What messages of strangers ask us to fetch for their readers, or to tell somebody."""

from __future__ import annotations

from attrs import field, frozen
from zope.interface import Interface


@frozen
class Picture:
    """A picture, and what its octets say it is."""

    media_type: str
    """Of those that browsers show and that hold no script."""
    octets: bytes = field(repr=False)


class IPictures(Interface):
    """Gets pictures from other people's servers, which learn nothing of the reader."""

    async def fetch(url: str) -> Picture:
        """
        Get one.

        :raises Refused: if it is none, too large, or lies where we do not go.
        :raises Unavailable: if it cannot be had at present.
        """


class IOneClick(Interface):
    """Tells a sender that somebody wants no more of something."""

    async def unsubscribe(url: str) -> None:
        """
        Send the one click (RFC 8058 §3.1).

        :raises Refused: if that is nowhere we go, or it says no.
        :raises Unavailable: if nobody answers at present.
        """
