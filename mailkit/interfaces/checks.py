"""Opinions about messages that come in, formed once and kept with them."""

from __future__ import annotations

from attrs import field, frozen
from zope.interface import Interface

from mailkit.interfaces.delivery import Origin
from mailkit.interfaces.storage import IContent
from mailkit.model.envelope import Envelope
from mailkit.model.verdict import Verdict


@frozen(eq=False)
class Checked:
    """What a check may look at: the whole message, before anything is kept of it."""

    envelope: Envelope
    origin: Origin
    header: bytes = field(repr=False)
    """The header as it will be kept, with its last empty line."""
    content: IContent = field(repr=False)


class ICheck(Interface):
    """Says what to think of a message from elsewhere."""

    async def check(checked: Checked) -> Verdict | None:
        """
        Asked once a message, after its last octet and before it is filed.

        ``None`` where there is nothing to say; the message is kept without a verdict
        then, and shown as one that nobody checked.

        :raises Refused: to turn the message down for everybody.
        :raises Unavailable: to have it offered again later.
        """
