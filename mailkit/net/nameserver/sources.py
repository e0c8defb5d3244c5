"""Where zones come from: the directory, and a folder of files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import dns.exception
import dns.name
from attrs import define, field
from dns.rrset import RRset
from twisted.logger import Logger

from mailkit.errors import BadZone, NoSuchDomain
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.zones import IZones
from mailkit.net.nameserver.making import read_records, read_zone_file
from mailkit.net.nameserver.zone import Name

LANE = "nameserver"
SUFFIX = ".zone"
LARGEST_FILE = 64 << 20
"""Octets of a zone file; a larger one is not read."""


class Source(Protocol):
    """Knows zones."""

    async def origins(self) -> Sequence[Name]:
        """Every zone there is."""

    async def rrsets(self, origin: Name) -> Sequence[RRset]:
        """
        What is in one of them.

        :raises NoSuchDomain: if it is not there. :raises BadZone:
        """


@define(eq=False)
class Made:
    """Zones that are made from something else."""

    _zones: IZones

    async def origins(self) -> Sequence[Name]:
        return [dns.name.from_text(origin) for origin in await self._zones.origins()]

    async def rrsets(self, origin: Name) -> Sequence[RRset]:
        text = origin.to_text(omit_final_dot=True)
        return read_records(await self._zones.records(text))


@define(eq=False)
class Files:
    """``example.org.zone`` and so on in a folder."""

    log = Logger()

    _folder: Path
    _lanes: ILanes
    _seen: dict[Name, tuple[int, int, int]] = field(factory=dict, init=False)

    async def origins(self) -> Sequence[Name]:
        await self.look()
        return list(self._seen)

    async def rrsets(self, origin: Name) -> Sequence[RRset]:
        if origin not in self._seen:
            raise NoSuchDomain(str(origin))
        return await self._lanes.run(LANE, lambda: self._read(origin))

    async def look(self) -> Sequence[Name]:
        """The zones whose files came, went or changed since the last look."""
        seen = await self._lanes.run(LANE, self._list)
        before, self._seen = self._seen, seen
        return [
            name for name in {**before, **seen} if before.get(name) != seen.get(name)
        ]

    def _list(self) -> dict[Name, tuple[int, int, int]]:
        seen: dict[Name, tuple[int, int, int]] = {}
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                name = dns.name.from_text(path.name.removesuffix(SUFFIX).lower())
                status = path.stat()
            except (OSError, dns.exception.DNSException) as error:
                self.log.error("{path}: {reason}", path=str(path), reason=str(error))
                continue
            seen[name] = (status.st_mtime_ns, status.st_ino, status.st_size)
        return seen

    def _read(self, origin: Name) -> Sequence[RRset]:
        path = self._folder / (origin.to_text(omit_final_dot=True) + SUFFIX)
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read(LARGEST_FILE + 1)
        except FileNotFoundError as error:
            raise NoSuchDomain(str(origin)) from error
        except (OSError, ValueError) as error:
            raise BadZone(f"{path}: {error}") from error
        if len(text) > LARGEST_FILE:
            raise BadZone(f"{path}: more than {LARGEST_FILE} octets")
        return read_zone_file(text, origin)
