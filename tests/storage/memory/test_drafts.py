"""Drafts without a disk."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from mailkit.interfaces.drafts import IDraftStore
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.testing.contracts.drafts import DraftsContract


class TestMemoryDrafts(DraftsContract, TestCase):
    """As every store of drafts."""

    def make_store(self, most: int) -> IDraftStore:
        return MemoryDrafts(most)
