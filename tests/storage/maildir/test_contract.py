"""The store on disk keeps every promise that the one in memory keeps."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from twisted.trial.unittest import TestCase

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.storage import IMailStore
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.contracts.answers import AnswersContract
from mailkit.testing.contracts.changes import ChangesContract
from mailkit.testing.contracts.conversations import ConversationsContract
from mailkit.testing.contracts.mailbox import MailboxContract
from mailkit.testing.contracts.mailstore import MailStoreContract
from mailkit.testing.contracts.search import SearchContract
from tests.storage.maildir.conftest import MEMORY
from tests.storage.maildir.doubles import Place


def _make_store(case: TestCase, quota: int) -> IMailStore:
    """In a data folder of its own."""
    folder = tempfile.mkdtemp(dir=MEMORY if Path(MEMORY).is_dir() else None)
    case.addCleanup(shutil.rmtree, folder)
    return Place(Path(folder), quota=quota).store()


class MaildirStoreTests(MailStoreContract, TestCase):
    """Accounts and names."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return _make_store(self, quota)


class MaildirMailboxTests(MailboxContract, TestCase):
    """Messages."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return _make_store(self, quota)


class MaildirSearchTests(SearchContract, TestCase):
    """What is found."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return _make_store(self, quota)


class MaildirConversationsTests(ConversationsContract, TestCase):
    """How people look at it."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return _make_store(self, quota)

    def conversations(self) -> IConversations:
        assert isinstance(self.store, MaildirStore)
        return self.store.conversations


class MaildirAnswersTests(AnswersContract, TestCase):
    """What belongs together in it."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return _make_store(self, quota)

    def conversations(self) -> IConversations:
        assert isinstance(self.store, MaildirStore)
        return self.store.conversations


class MaildirChangesTests(ChangesContract, TestCase):
    """What happened to it."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return _make_store(self, quota)

    def conversations(self) -> IConversations:
        assert isinstance(self.store, MaildirStore)
        return self.store.conversations
