"""A spool without a disk."""

from __future__ import annotations

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import StorageFull
from mailkit.interfaces.storage import IContent, ISpool, ISpoolFile
from mailkit.storage.content import OctetsContent


@implementer(ISpool)
@define(eq=False)
class MemorySpool:
    """Room for as much as memory has; a test sets ``is_full``."""

    is_full: bool = False

    def begin(self) -> ISpoolFile:
        self.check()
        return MemorySpoolFile(self)

    def check(self) -> None:
        """:raises StorageFull:"""
        if self.is_full:
            raise StorageFull("the spool")


@implementer(ISpoolFile)
@define(eq=False)
class MemorySpoolFile:
    """One message on its way in."""

    _spool: MemorySpool
    size: int = field(init=False, default=0)
    _pieces: list[bytes] = field(init=False, factory=list, repr=False)

    async def write(self, octets: bytes) -> None:
        self._spool.check()
        self._pieces.append(octets)
        self.size += len(octets)

    async def finish(self) -> IContent:
        return OctetsContent(b"".join(self._pieces))

    def discard(self) -> None:
        self._pieces.clear()
