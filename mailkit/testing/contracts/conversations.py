"""What every `IConversations` has to keep, beside the store whose mail it shows."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from mailkit.errors import NoSuchMailbox
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.storage import NewMessage, Placement
from mailkit.model.conversation import (
    Counts,
    Cursor,
    Everything,
    Flagged,
    InMailbox,
    Labelled,
    Person,
    Place,
)
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.model.verdict import Verdict
from mailkit.storage.content import OctetsContent
from mailkit.testing.contracts.letters import (
    ARCHIVE,
    IN_INBOX,
    JUNK,
    NOON,
    SENT,
    TRASH,
    ConversationsCase,
    at,
    ids,
    letter,
)
from mailkit.testing.contracts.messages import ALICE, coroutine, raises


class ConversationsContract(ConversationsCase):
    """Lists of letters, and what happens to them."""

    # --- rows of places ---

    @coroutine
    async def test_places_have_rows_as_pages_have_them(self) -> None:
        await self.put(INBOX, at(0, letter(1)), at(1, letter(9, "Other"), "\\Seen"))
        await self.put(SENT, at(2, letter(2, "Re: Lunch", references="<1@a>")))
        await self.put(TRASH, at(3, letter(8, "Gone")))
        places = [Place(TRASH, 1), Place(INBOX, 2), Place(INBOX, 1), Place(INBOX, 7)]
        rows = await self.conversations().rows(ALICE, places)
        assert [row.newest.message_id for row in rows] == ["<8@a>", "<9@a>", "<1@a>"]
        assert [row.messages for row in rows] == [1, 1, 2]
        assert [row.unread for row in rows] == [1, 0, 2]
        rows = await self.conversations().rows(ALICE, places, grouped=False)
        assert [row.messages for row in rows] == [1, 1, 1]
        assert list(await self.conversations().rows(ALICE, [])) == []

    def test_it_is_what_it_says(self) -> None:
        assert verifyObject(IConversations, self.conversations())

    # --- lists ---

    @coroutine
    async def test_a_row_is_a_conversation(self) -> None:
        await self.put(
            INBOX,
            at(0, letter(1), "\\Seen", "\\Flagged"),
            at(5, letter(9, "Other"), "\\Seen"),
        )
        file = "Content-Disposition: attachment\r\n"
        reply = letter(2, "Re: Lunch", author="alice@example.test", references="<1@a>")
        await self.put(SENT, at(1, reply, "\\Seen", "Work"))
        last = letter(3, "Re: Lunch", references="<1@a>", fields=file)
        await self.put(INBOX, at(7, last))
        first, second = (await self.page()).rows
        assert first.newest.message_id == "<3@a>"
        assert (first.messages, first.unread) == (3, 1)
        assert first.is_flagged
        assert first.has_attachments
        assert first.keywords == {"Work"}
        assert first.people == (
            Person("Carol", "carol@example.net"),
            Person("", "alice@example.test"),
        )
        assert not first.newest.is_flagged
        assert first.newest.is_unread
        assert first.newest.has_attachments
        assert second.newest.preview == "Hello"
        assert first.newest.sent == NOON
        assert first.newest.internal_date == NOON + 7
        assert first.newest.places == (Place(INBOX, 3),)
        assert first.newest.size == len(last)
        assert (second.messages, second.unread, second.is_flagged) == (1, 0, False)
        assert second.newest.subject == "Other"
        assert not second.has_attachments
        # From Sent it is the same conversation, where the answer is the newest.
        [row] = (await self.page(InMailbox(SENT))).rows
        assert row.thread_id == first.thread_id
        assert (row.newest.message_id, row.messages) == ("<2@a>", 3)

    @coroutine
    async def test_pages_follow_each_other(self) -> None:
        conversations = self.conversations()
        await self.put(
            INBOX, *(at(10 * n, letter(n, f"Subject {n}")) for n in range(1, 13))
        )
        # An answer brings its conversation to the top, and nowhere else.
        await self.put(INBOX, at(200, letter(20, references="<3@a>")))
        order = ["20", *(str(n) for n in range(12, 0, -1) if n != 3)]
        first = await conversations.page(ALICE, IN_INBOX, None, 5)
        assert ids(first) == order[:5]
        assert (first.previous, first.has_newer) == (None, False)
        assert first.next is not None
        assert Cursor.from_text(first.next.to_text()) == first.next
        second = await conversations.page(ALICE, IN_INBOX, first.next, 5)
        assert ids(second) == order[5:10]
        assert (second.previous, second.has_newer) == (None, True)
        third = await conversations.page(ALICE, IN_INBOX, second.next, 5)
        assert ids(third) == order[10:]
        assert (third.next, third.previous) == (None, first.next)
        # What comes and goes above moves nothing below.
        await self.put(INBOX, at(300, letter(30, "New")))
        inbox = await self.box()
        await inbox.move(UIDSet.of([9]), ARCHIVE)  # the last of the first page
        again = await conversations.page(ALICE, IN_INBOX, first.next, 5)
        assert ids(again) == order[5:10]
        end = await conversations.page(ALICE, IN_INBOX, third.rows[-1].cursor, 5)
        assert (end.rows, end.next, end.has_newer) == ((), None, True)

    @coroutine
    async def test_messages_of_one_second_are_apart(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, *(at(0, letter(n, f"{n}")) for n in range(1, 8)))
        found: list[str] = []
        cursor = None
        while True:
            page = await conversations.page(ALICE, IN_INBOX, cursor, 2)
            found += ids(page)
            cursor = page.next
            if cursor is None:
                break
        assert found == ["7", "6", "5", "4", "3", "2", "1"]

    @coroutine
    async def test_old_mail_that_comes_late_lies_where_it_came(self) -> None:
        await self.put(INBOX, at(9, letter(1, "a")), at(5, letter(2, "b")))
        assert ids(await self.page()) == ["1", "2"]

    @coroutine
    async def test_messages_that_are_not_grouped(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, at(0, letter(1)), at(1, letter(2, references="<1@a>")))
        page = await conversations.page(ALICE, IN_INBOX, grouped=False)
        assert ids(page) == ["2", "1"]
        assert [row.messages for row in page.rows] == [1, 1]
        assert len({row.thread_id for row in page.rows}) == 1
        one = await conversations.page(
            ALICE, IN_INBOX, page.rows[0].cursor, 1, grouped=False
        )
        assert ids(one) == ["1"]
        # A message that lies in two places is one row.
        await (await self.box()).copy(UIDSet.of([1]), ARCHIVE)
        both = await conversations.page(ALICE, Everything(), grouped=False)
        assert ids(both) == ["2", "1"]
        assert both.rows[0].people == (Person("Carol", "carol@example.net"),)

    @coroutine
    async def test_many_that_wrote(self) -> None:
        for number in range(1, 20):
            author = f"p{number}@example.net"
            await self.put(
                INBOX, at(number, letter(number, references="<0@a>", author=author))
            )
        [row] = (await self.page()).rows
        assert row.messages == 19
        assert row.people[0].address == "p1@example.net"
        assert row.people[-1].address == "p19@example.net"

    @coroutine
    async def test_an_account_without_trash_and_junk(self) -> None:
        await self.put(INBOX, at(0, letter(1)), at(1, letter(2, references="<1@a>")))
        for name in (TRASH, JUNK):
            await self.store.delete(ALICE, name)
        [row] = (await self.page(Everything())).rows
        assert row.messages == 2

    @coroutine
    async def test_what_was_thrown_into_trash_is_apart_too(self) -> None:
        await self.put(INBOX, at(0, letter(1), "\\Flagged"))
        thrown = MailboxName(f"{TRASH}/Old/Older")
        await self.store.create(ALICE, thrown)
        await self.store.create(ALICE, MailboxName(f"{TRASH}ed"))
        await self.put(thrown, at(1, letter(2, references="<1@a>"), "\\Flagged"))
        for view in (Everything(), Flagged()):
            page = await self.page(view)
            assert ids(page) == ["1"]
            assert page.rows[0].messages == 1
        assert ids(await self.page(InMailbox(thrown))) == ["2"]

    @coroutine
    async def test_trash_and_junk_are_apart(self) -> None:
        await self.put(INBOX, at(0, letter(1), "\\Flagged"))
        await self.put(TRASH, at(1, letter(2, references="<1@a>"), "\\Flagged"))
        await self.put(JUNK, at(2, letter(3, "Win"), "\\Flagged", "Work"))
        for view in (Everything(), Flagged(), IN_INBOX):
            page = await self.page(view)
            assert ids(page) == ["1"]
            assert page.rows[0].messages == 1
        assert ids(await self.page(Labelled("Work"))) == []
        [row] = (await self.page(InMailbox(TRASH))).rows
        assert (row.newest.message_id, row.messages) == ("<2@a>", 2)
        assert ids(await self.page(InMailbox(JUNK))) == ["3"]
        assert len(await self.conversations().conversation(ALICE, row.thread_id)) == 2

    @coroutine
    async def test_stars_and_labels_are_lists(self) -> None:
        conversations = self.conversations()
        await self.put(
            INBOX,
            at(0, letter(1, "a"), "\\Flagged", "$L_Work"),
            at(1, letter(2, "b"), "$l_work", "\\Seen", "other"),
            at(2, letter(3, "c")),
        )
        await self.put(ARCHIVE, at(3, letter(4, "d"), "$l_WORK", "\\Flagged"))
        label = Labelled("$l_work")
        assert ids(await self.page(label)) == ["4", "2", "1"]
        assert ids(await self.page(Flagged())) == ["4", "1"]
        assert await conversations.count(ALICE, label) == Counts(3, 2)
        assert await conversations.count(ALICE, Flagged()) == Counts(2, 2)
        inbox = await self.box()
        seen = FlagChange(FlagAction.ADD, frozenset({"\\Seen"}))
        await inbox.store(UIDSet.of([1, 3]), seen)
        assert await conversations.count(ALICE, label) == Counts(3, 1)
        assert await conversations.count(ALICE, Flagged()) == Counts(2, 1)
        words = frozenset({"$l_work", "\\Flagged"})
        await inbox.store(UIDSet.of([1]), FlagChange(FlagAction.REMOVE, words))
        await inbox.store(UIDSet.of([3]), FlagChange(FlagAction.ADD, words))
        assert ids(await self.page(label)) == ["4", "3", "2"]
        assert ids(await self.page(Flagged())) == ["4", "3"]
        await inbox.move(UIDSet.of([3]), TRASH)
        assert ids(await self.page(label)) == ["4", "2"]
        assert await conversations.count(ALICE, label) == Counts(2, 1)
        assert await conversations.count(ALICE, Flagged()) == Counts(1, 1)
        await self.store.delete(ALICE, ARCHIVE)
        assert ids(await self.page(label)) == ["2"]
        assert await conversations.count(ALICE, label) == Counts(1, 0)
        assert await conversations.count(ALICE, Flagged()) == Counts(0, 0)
        assert await conversations.count(ALICE, Labelled("none")) == Counts()

    @coroutine
    async def test_several_are_counted_in_one_look(self) -> None:
        await self.put(
            INBOX, at(0, letter(1, "a"), "\\Flagged"), at(1, letter(2, "b"), "\\Seen")
        )
        await self.put(ARCHIVE, at(2, letter(3, "c"), "$l_work", "\\Seen"))
        views = (
            IN_INBOX,
            InMailbox(MailboxName("None")),
            InMailbox(ARCHIVE),
            Flagged(),
            Labelled("$l_work"),
            IN_INBOX,
        )
        assert list(await self.conversations().counts(ALICE, views)) == [
            Counts(2, 1),
            None,
            Counts(1, 0),
            Counts(1, 1),
            Counts(1, 0),
            Counts(2, 1),
        ]
        assert list(await self.conversations().counts(ALICE, ())) == []

    @coroutine
    async def test_labels_have_pages_too(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, *(at(n, letter(n, f"{n}"), "x") for n in range(1, 5)))
        await self.put(ARCHIVE, *(at(n, letter(n, f"{n}"), "x") for n in range(5, 9)))
        await self.put(ARCHIVE, at(9, letter(9, references="<1@a>")))
        first = await conversations.page(ALICE, Labelled("x"), None, 5)
        assert ids(first) == ["8", "7", "6", "5", "4"]
        rest = await conversations.page(ALICE, Labelled("x"), first.next, 5)
        assert ids(rest) == ["3", "2", "1"]
        assert rest.has_newer
        stars = FlagChange(FlagAction.ADD, frozenset({"\\Flagged"}))
        await (await self.box()).store(ALL_UIDS, stars)
        top = await conversations.page(ALICE, Flagged(), None, 2)
        under = await conversations.page(ALICE, Flagged(), top.next, 2)
        assert ids(top) + ids(under) == ["4", "3", "2", "1"]
        assert ids(await self.page(Everything())) == ["9", *"8765432"]

    @coroutine
    async def test_counters(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, at(0, letter(1)), at(1, letter(2), "\\Seen"))
        await self.put(ARCHIVE, at(2, letter(3)))
        await self.put(TRASH, at(3, letter(4)))
        assert await conversations.count(ALICE, IN_INBOX) == Counts(2, 1)
        assert await conversations.count(ALICE, Everything()) == Counts(3, 2)
        assert await conversations.count(ALICE, InMailbox(TRASH)) == Counts(1, 1)

    @coroutine
    async def test_a_mailbox_that_is_not_there(self) -> None:
        await self.store.create_account(ALICE)
        nowhere = InMailbox(MailboxName("Nowhere"))
        conversations = self.conversations()
        await raises(NoSuchMailbox, conversations.page(ALICE, nowhere))
        await raises(NoSuchMailbox, conversations.count(ALICE, nowhere))
        await raises(NoSuchMailbox, conversations.places(ALICE, nowhere))
        await raises(NoSuchMailbox, conversations.neighbours(ALICE, nowhere, "T"))

    @coroutine
    async def test_neighbours(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, *(at(n, letter(n, f"{n}")) for n in range(1, 4)))
        await self.put(INBOX, at(9, letter(9, references="<1@a>")))
        newest, middle, oldest = [row.thread_id for row in (await self.page()).rows]
        ask = conversations.neighbours
        assert await ask(ALICE, IN_INBOX, newest) == (None, middle)
        assert await ask(ALICE, IN_INBOX, middle) == (newest, oldest)
        assert await ask(ALICE, IN_INBOX, oldest) == (middle, None)
        assert await ask(ALICE, IN_INBOX, "T0") == (None, None)
        assert await ask(ALICE, InMailbox(SENT), newest) == (None, None)

    # --- messages ---

    @coroutine
    async def test_a_message_in_two_places_is_one(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, at(0, letter(1), "Work"))
        inbox = await self.box()
        await inbox.copy(ALL_UIDS, ARCHIVE)
        seen = FlagChange(FlagAction.ADD, frozenset({"\\Seen", "\\Flagged"}))
        await inbox.store(ALL_UIDS, seen)
        [row] = (await self.page()).rows
        [one] = await conversations.conversation(ALICE, row.thread_id)
        assert set(one.places) == {Place(INBOX, 1), Place(ARCHIVE, 1)}
        assert one.flags == {"\\Flagged", "Work"}
        assert one.keywords == {"Work"}
        assert one.is_unread
        assert (row.messages, row.unread, row.newest.is_unread) == (1, 1, False)
        assert await conversations.message(ALICE, one.email_id) == one
        await (await self.box(ARCHIVE)).store(ALL_UIDS, seen)
        [one] = await conversations.conversation(ALICE, row.thread_id)
        assert not one.is_unread

    @coroutine
    async def test_a_conversation_is_told_from_its_beginning(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, at(5, letter(3, references="<1@a>")), at(0, letter(1)))
        draft = letter(4, references="<1@a>")
        await self.put(MailboxName("Drafts"), at(7, draft, "\\Draft"))
        await self.put(SENT, at(3, letter(2, references="<1@a>")))
        [row] = (await self.page()).rows
        found = await conversations.conversation(ALICE, row.thread_id)
        assert [one.message_id for one in found] == ["<1@a>", "<2@a>", "<3@a>", "<4@a>"]
        assert [one.is_draft for one in found] == [False, False, False, True]
        assert await conversations.conversation(ALICE, "Tnone") == []

    @coroutine
    async def test_all_that_is_shown_of_a_message(self) -> None:
        octets = letter(
            1,
            "=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            author="=?utf-8?q?J=C3=BCrgen?= <j@example.net>",
            to="a@example.test, B <b@example.test>",
            in_reply_to="<0@a>",
            fields="Cc: c@example.test\r\nBcc: d@example.test\r\n"
            "Reply-To: list@example.net\r\n",
        )
        await self.put(INBOX, at(0, octets, "\\Answered"))
        [summary] = await self.conversations().summaries(ALICE, [Place(INBOX, 1)])
        assert summary.subject == "Grüße"
        assert summary.from_ == (Person("Jürgen", "j@example.net"),)
        assert summary.reply_to == (Person("", "list@example.net"),)
        assert summary.to == (
            Person("", "a@example.test"),
            Person("B", "b@example.test"),
        )
        assert summary.cc == (Person("", "c@example.test"),)
        assert summary.bcc == (Person("", "d@example.test"),)
        assert (summary.message_id, summary.in_reply_to) == ("<1@a>", "<0@a>")
        assert summary.flags == {"\\Answered"}
        assert summary.verdict is None

    @coroutine
    async def test_what_is_asked_for_and_not_there_is_left_out(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, at(0, letter(1)), at(1, letter(2)))
        places = [
            Place(INBOX, 2),
            Place(MailboxName("Nowhere"), 1),
            Place(INBOX, 7),
            Place(INBOX, 1),
        ]
        found = await conversations.summaries(ALICE, places)
        assert [one.message_id for one in found] == ["<2@a>", "<1@a>"]
        known = [one.email_id for one in found]
        again = await conversations.messages(ALICE, [known[1], "M0", known[0]])
        assert [one.email_id for one in again] == [known[1], known[0]]
        assert await conversations.message(ALICE, "M0") is None
        assert await conversations.messages(ALICE, []) == []

    @coroutine
    async def test_places_of_a_view(self) -> None:
        conversations = self.conversations()
        await self.put(INBOX, at(0, letter(1), "x"), at(1, letter(2), "x"))
        await self.put(INBOX, at(2, letter(3, references="<1@a>")))
        await self.put(ARCHIVE, at(3, letter(4, references="<1@a>"), "x"))
        ask = conversations.places
        inbox = [Place(INBOX, uid) for uid in (1, 2, 3)]
        [*_, first] = [row.thread_id for row in (await self.page()).rows][::-1]
        assert list(await ask(ALICE, IN_INBOX)) == inbox
        assert list(await ask(ALICE, IN_INBOX, None, inbox[0], 1)) == inbox[1:2]
        assert list(await ask(ALICE, IN_INBOX, [first])) == [inbox[0], inbox[2]]
        assert list(await ask(ALICE, IN_INBOX, [first], inbox[0])) == [inbox[2]]
        assert list(await ask(ALICE, IN_INBOX, [])) == []
        archived = Place(ARCHIVE, 1)
        assert set(await ask(ALICE, Everything())) == {*inbox, archived}
        assert set(await ask(ALICE, Everything(), [first])) == {
            inbox[0],
            inbox[2],
            archived,
        }
        assert set(await ask(ALICE, Labelled("X"))) == {*inbox[:2], archived}
        assert set(await ask(ALICE, Labelled("X"), [first])) == {inbox[0], archived}
        pieces: list[Place] = []
        while some := await ask(
            ALICE, Labelled("x"), None, pieces[-1] if pieces else None, 2
        ):
            pieces += some
        assert len(pieces) == 3
        gone = Place(MailboxName("Nowhere"), 1)
        assert list(await ask(ALICE, IN_INBOX, None, gone)) == inbox

    @coroutine
    async def test_verdicts_stay_with_messages(self) -> None:
        good = Verdict(spf="pass", dmarc="pass", aligned="example.net", words="fine")
        await self.store.create_account(ALICE)
        placement = Placement(ALICE, INBOX, verdict=good)
        await self.store.deliver(OctetsContent(letter(1)), [placement])
        copy = OctetsContent(letter(2, "b"))
        await self.put(ARCHIVE, NewMessage(copy, verdict=Verdict(dmarc="fail")))
        await (await self.box()).move(ALL_UIDS, ARCHIVE)
        page = await self.page(InMailbox(ARCHIVE))
        verdicts = {row.newest.message_id: row.newest.verdict for row in page.rows}
        assert verdicts == {"<1@a>": good, "<2@a>": Verdict(dmarc="fail")}
