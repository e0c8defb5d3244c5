"""What every `IConversations` has to tell to whoever comes back."""

from __future__ import annotations

from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.testing.contracts.letters import (
    ARCHIVE,
    DELETED,
    ConversationsCase,
    at,
    letter,
)
from mailkit.testing.contracts.messages import ALICE, coroutine


class ChangesContract(ConversationsCase):
    """What happened since a state that was known."""

    @coroutine
    async def test_changes(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, at(0, letter(1)), at(1, letter(2, "b")))
        one, two = [row.thread_id for row in (await self.page()).rows][::-1]
        state = await conversations.mod_seq(ALICE)
        nothing = await conversations.changes(ALICE, state)
        assert not nothing
        assert nothing.mod_seq == state
        await self.put(INBOX, at(2, letter(3, references="<1@a>")))
        change = await conversations.changes(ALICE, state)
        assert change
        assert change.is_whole
        assert change.threads == {one}
        assert change.gone == frozenset()
        assert change.mailboxes == (INBOX,)
        assert [new.message_id for new in change.arrived] == ["<3@a>"]
        state = change.mod_seq
        assert state == await conversations.mod_seq(ALICE)
        inbox = await self.box()
        await inbox.store(UIDSet.of([2]), FlagChange(FlagAction.ADD, frozenset({"x"})))
        change = await conversations.changes(ALICE, state)
        assert change.threads == {two}
        assert change.arrived == ()
        state = change.mod_seq
        await inbox.move(UIDSet.of([2]), ARCHIVE)
        change = await conversations.changes(ALICE, state)
        assert change.threads == {two}
        assert not change.gone
        assert set(change.mailboxes) == {INBOX, ARCHIVE}
        state = change.mod_seq
        await inbox.store(UIDSet.of([3]), FlagChange(FlagAction.ADD, DELETED))
        await inbox.expunge(ALL_UIDS)
        change = await conversations.changes(ALICE, state)
        assert change.threads == {one}
        assert not change.gone
        await self.store.delete(ALICE, ARCHIVE)
        after = await conversations.changes(ALICE, change.mod_seq)
        assert not after.threads
        assert after.gone == {two}
        assert after

    @coroutine
    async def test_much_that_changed_is_not_whole(self) -> None:
        conversations = self.conversations()
        await self.store.create_account(ALICE)
        state = await conversations.mod_seq(ALICE)
        await self.put(INBOX, *(at(n, letter(n, f"{n}")) for n in range(1, 6)))
        assert (await conversations.changes(ALICE, state, 5)).is_whole
        change = await conversations.changes(ALICE, state, 4)
        assert not change.is_whole
        assert change.mod_seq == await conversations.mod_seq(ALICE)
