"""What every `IConversations` has to keep of who answers whom."""

from __future__ import annotations

from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.testing.contracts.letters import (
    ARCHIVE,
    DAY,
    DELETED,
    SENT,
    ConversationsCase,
    at,
    letter,
)
from mailkit.testing.contracts.messages import coroutine


class AnswersContract(ConversationsCase):
    """What belongs together."""

    @coroutine
    async def test_answers_join_wherever_they_lie(self) -> None:
        await self.put(INBOX, at(0, letter(1)), at(1, letter(9, "Other")))
        await self.put(SENT, at(2, letter(2, "Re: Lunch", references="<1@a>")))
        await self.put(ARCHIVE, at(3, letter(3, references="<1@a> <2@a>")))
        assert await self.threads() == {"1": {"1", "2", "3"}, "9": {"9"}}

    @coroutine
    async def test_who_names_only_its_parent_joins_the_parent(self) -> None:
        await self.put(INBOX, at(0, letter(1)))
        await self.put(SENT, at(1, letter(2, references="<1@a>")))
        await self.put(INBOX, at(2, letter(3, "Other", in_reply_to="<2@a>")))
        await self.put(INBOX, at(3, letter(4, "More", references="<3@a>")))
        assert await self.threads() == {"1": {"1", "2", "3", "4"}}

    @coroutine
    async def test_who_answers_what_is_not_there_waits_for_it(self) -> None:
        await self.put(INBOX, at(1, letter(2, references="<1@a>")))
        await self.put(INBOX, at(2, letter(3, in_reply_to="<1@a>")))
        assert await self.threads() == {"2": {"2", "3"}}
        await self.put(INBOX, at(3, letter(1)))
        assert await self.threads() == {"1": {"1", "2", "3"}}

    @coroutine
    async def test_the_first_that_is_named_joins_if_the_others_are_unknown(
        self,
    ) -> None:
        await self.put(INBOX, at(0, letter(1)))
        await self.put(INBOX, at(1, letter(4, references="<1@a> <2@a> <3@a>")))
        await self.put(INBOX, at(2, letter(5, in_reply_to="<3@a>")))
        assert await self.threads() == {"1": {"1", "4", "5"}}

    @coroutine
    async def test_a_thread_that_was_told_stays(self) -> None:
        """RFC 8474 §5.2; a message that would join two joins the one it answers."""
        await self.put(INBOX, at(0, letter(1)))
        await self.put(INBOX, at(1, letter(5, in_reply_to="<4@a>")))
        before = await self.threads()
        await self.put(INBOX, at(2, letter(4, references="<1@a>")))
        assert before == {"1": {"1"}, "5": {"5"}}
        assert await self.threads() == {"1": {"1", "4"}, "5": {"5"}}
        await self.put(INBOX, at(3, letter(6, references="<1@a> <4@a>")))
        assert await self.threads() == {"1": {"1", "4", "6"}, "5": {"5"}}

    @coroutine
    async def test_a_subject_joins_only_where_an_answer_shows_it(self) -> None:
        await self.put(INBOX, at(0, letter(1)))
        await self.put(
            INBOX,
            at(1, letter(2)),
            at(2, letter(3, "RE: [list] Re: lunch")),
            at(3, letter(4, "Fwd: Lunch")),
            at(4, letter(5, "Re: Lunch", author="stranger@example.com")),
            at(5, letter(6, "Re: Dinner")),
            at(6, letter(7, "Re:")),
        )
        found = await self.threads()
        assert found == {
            "1": {"1"},
            "2": {"2", "3"},
            "4": {"4"},
            "5": {"5"},
            "6": {"6"},
            "7": {"7"},
        }

    @coroutine
    async def test_who_was_written_to_may_answer_by_the_subject(self) -> None:
        bob = "bob@example.com"
        await self.put(SENT, at(0, letter(1, author="alice@example.test", to=bob)))
        await self.put(INBOX, at(1, letter(2, "Re: Lunch", author=f"Bob <{bob}>")))
        assert await self.threads() == {"1": {"1", "2"}}

    @coroutine
    async def test_an_old_subject_is_another(self) -> None:
        await self.put(INBOX, at(0, letter(1)))
        await self.put(INBOX, at(100 * DAY, letter(2, "Re: Lunch")))
        assert await self.threads() == {"1": {"1"}, "2": {"2"}}

    @coroutine
    async def test_what_names_nothing_is_by_itself(self) -> None:
        await self.put(INBOX, at(0, b"Subject: a\r\n\r\n"), at(1, b"\r\n"), at(2, b""))
        page = await self.page()
        assert len({row.thread_id for row in page.rows}) == 3
        assert [row.newest.subject for row in page.rows] == ["", "", "a"]

    @coroutine
    async def test_answers_join_what_was_expunged(self) -> None:
        await self.put(INBOX, at(0, letter(1)), at(1, letter(2, references="<1@a>")))
        await self.threads()
        inbox = await self.box()
        await inbox.store(UIDSet.of([2]), FlagChange(FlagAction.ADD, DELETED))
        await inbox.expunge(ALL_UIDS)
        await self.put(INBOX, at(2, letter(3, in_reply_to="<2@a>")))
        assert await self.threads() == {"1": {"1", "3"}}
