"""The directory in memory under its contract."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from mailkit.interfaces.directory import IAudit, IDirectory, IDirectoryChanges
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.testing.contracts.directory import AuditContract, DirectoryContract


class MemoryDirectoryTests(DirectoryContract, TestCase):
    """Domains, accounts, aliases."""

    async def make_directory(self) -> tuple[IDirectory, IDirectoryChanges]:
        directory = MemoryDirectory()
        return directory, directory


class MemoryAuditTests(AuditContract, TestCase):
    """Who changed what."""

    async def make_audit(self) -> tuple[IAudit, IDirectoryChanges]:
        directory = MemoryDirectory()
        return directory, directory
