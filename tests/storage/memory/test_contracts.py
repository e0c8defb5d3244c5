"""The yardstick itself is run through the contracts."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.contracts.answers import AnswersContract
from mailkit.testing.contracts.changes import ChangesContract
from mailkit.testing.contracts.conversations import ConversationsContract
from mailkit.testing.contracts.mailbox import MailboxContract
from mailkit.testing.contracts.mailstore import MailStoreContract
from mailkit.testing.contracts.search import SearchContract


def make_store(quota: int) -> IMailStore:
    async def quota_of(account: AccountName) -> int:
        return quota

    return MemoryStore(quota_of)


class MemoryStoreTests(MailStoreContract, TestCase):
    """Accounts and names."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return make_store(quota)


class MemoryMailboxTests(MailboxContract, TestCase):
    """Messages."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return make_store(quota)


class MemorySearchTests(SearchContract, TestCase):
    """What is found."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return make_store(quota)


class MemoryConversationsTests(ConversationsContract, TestCase):
    """How people look at it."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return make_store(quota)

    def conversations(self) -> IConversations:
        assert isinstance(self.store, MemoryStore)
        return self.store.conversations


class MemoryAnswersTests(AnswersContract, TestCase):
    """What belongs together in it."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return make_store(quota)

    def conversations(self) -> IConversations:
        assert isinstance(self.store, MemoryStore)
        return self.store.conversations


class MemoryChangesTests(ChangesContract, TestCase):
    """What happened to it."""

    def make_store(self, quota: int = 0) -> IMailStore:
        return make_store(quota)

    def conversations(self) -> IConversations:
        assert isinstance(self.store, MemoryStore)
        return self.store.conversations
