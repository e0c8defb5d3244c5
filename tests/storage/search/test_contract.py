"""Both searches find the same."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import TestCase

from mailkit.interfaces.search import ISearch
from mailkit.interfaces.storage import IMailStore
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.memory.search import PlainSearch
from mailkit.storage.memory.store import MemoryStore
from mailkit.storage.search import asking
from mailkit.storage.search.index import SearchIndex
from mailkit.testing.contracts.finding import FindingContract
from mailkit.testing.lanes import DirectLanes
from tests.storage.maildir.conftest import MEMORY
from tests.storage.maildir.doubles import Place


class PlainSearchTests(FindingContract, TestCase):
    """By reading everything."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return MemoryStore()

    def make_search(self, store: IMailStore) -> ISearch:
        return PlainSearch(store)


class SearchIndexTests(FindingContract, TestCase):
    """By an index."""

    def make_store(self, quota: int = 0) -> IMailStore:
        folder = tempfile.mkdtemp(dir=MEMORY if Path(MEMORY).is_dir() else None)
        self.addCleanup(shutil.rmtree, folder)
        return Place(Path(folder), quota=quota).store()

    def make_search(self, store: IMailStore) -> ISearch:
        assert isinstance(store, MaildirStore)
        return SearchIndex(
            store.data, store, store.conversations, DirectLanes(), store.clock
        )


class SearchIndexOfManyTests(SearchIndexTests):
    """As in mailboxes that are too large to look at each message."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(asking, "FEW", -1)
