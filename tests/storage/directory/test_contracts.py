"""The directory in SQLite under the contract of directories."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp

from twisted.trial.unittest import TestCase

from mailkit.interfaces.directory import IAudit, IDirectory, IDirectoryChanges
from mailkit.storage.directory.directory import SQLiteDirectory
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.directory import AuditContract, DirectoryContract
from mailkit.testing.lanes import DirectLanes


async def opened() -> SQLiteDirectory:
    """A new directory in a folder of its own."""
    path = Path(mkdtemp()) / "directory.sqlite"
    clock = TestClock()
    directory = SQLiteDirectory(path, DirectLanes(), LocalBoard(clock), clock)
    await directory.open()
    return directory


class SQLiteDirectoryTests(DirectoryContract, TestCase):
    """Domains, accounts, aliases."""

    async def make_directory(self) -> tuple[IDirectory, IDirectoryChanges]:
        self.opened = await opened()
        return self.opened, self.opened

    async def close_directory(self) -> None:
        await self.opened.close()


class SQLiteAuditTests(AuditContract, TestCase):
    """Who changed what."""

    async def make_audit(self) -> tuple[IAudit, IDirectoryChanges]:
        self.opened = await opened()
        return self.opened, self.opened

    async def close_audit(self) -> None:
        await self.opened.close()
