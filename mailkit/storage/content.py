"""The octets of a message, where they are in memory."""

from __future__ import annotations

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import StorageBroken
from mailkit.interfaces.storage import IContent


@implementer(IContent)
@define(eq=False)
class OctetsContent:
    """A message whose octets are at hand; ``size`` is theirs."""

    octets: bytes = field(repr=False)
    size: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.size = len(self.octets)

    async def read(self, start: int, count: int) -> bytes:
        return self.octets[start : start + count]


async def all_octets(content: IContent) -> bytes:
    """
    The whole of a message; for messages that fit into memory.

    :raises StorageBroken: if it ends too soon.
    """
    if content.octets is not None:
        return content.octets
    pieces: list[bytes] = []
    at = 0
    while at < content.size:
        piece = await content.read(at, content.size - at)
        if not piece:
            raise StorageBroken("the message is shorter than it was")
        pieces.append(piece)
        at += len(piece)
    return b"".join(pieces)
