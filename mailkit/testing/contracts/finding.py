"""What every `ISearch` has to find."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from twisted.internet.defer import Deferred

from mailkit.formats.finding import read
from mailkit.interfaces.search import ISearch
from mailkit.interfaces.storage import IMailStore, NewMessage
from mailkit.model.finding import (
    AllOf,
    AnyOf,
    Came,
    HasKeyword,
    HasMessageId,
    InMailboxes,
    Mark,
    Marked,
    Not,
    Sized,
    Sought,
    Words,
)
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.testing.contracts.messages import ALICE, BOB, WORK, StoreCase, coroutine

JUNK = MailboxName("Junk")


def letter(
    number: int, subject: str, text: str = "Words.", *, answers: int = 0, **fields: str
) -> EmailMessage:
    """A message whose Message-ID has that number."""
    made = EmailMessage()
    made["From"] = fields.pop("from_", "Carol <carol@example.net>")
    made["To"] = fields.pop("to", "alice@example.test")
    made["Subject"] = subject
    made["Message-ID"] = f"<{number}@example.net>"
    if answers:
        made["References"] = f"<{answers}@example.net>"
    for name, value in fields.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def kept(made: EmailMessage, came: float, *flags: str) -> NewMessage:
    """For `IMailStore.append`."""
    octets = made.as_bytes().replace(b"\n", b"\r\n")
    return NewMessage(OctetsContent(octets), frozenset(flags), came)


class FindingContract(StoreCase):
    """A few messages, and what is found among them."""

    search: ISearch

    def make_search(self, store: IMailStore) -> ISearch:
        """The one that is tried, over a store."""
        raise NotImplementedError

    def setUp(self) -> None:
        super().setUp()
        self.search = self.make_search(self.store)

    def tearDown(self) -> Any:  # as of the class above
        closing = Deferred.fromCoroutine(self.search.close())
        return closing.addCallback(lambda _: super(FindingContract, self).tearDown())

    async def fill(self) -> None:
        """Five messages, a minute between them, the first the oldest."""
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, WORK)
        plan = letter(1, "Kitchen drawings", "The sink goes under the window.")
        plan.add_attachment(
            b"%PDF", "application", "pdf", filename="Grundri\u00df-v2.pdf"
        )
        cafe = letter(
            2,
            "Caf\u00e9 tomorrow?",
            "At the harbour \u2013 Stra\u00dfe 5.",
            from_="J\u00fcrgen <juergen@far.example>",
            cc="bo@example.net",
            List_Id="Garden club <garden.lists.example>",
        )
        tokyo = letter(3, "\u6771\u4eac\u90fd", "\u4eac\u90fd\u5927\u5b66\u3078")
        page = letter(4, "Newsletter")
        page.set_content("View it in a browser.")
        page.add_alternative(
            "<style>hidden</style><p>Frost <b>war</b>ning</p>", subtype="html"
        )
        answer = letter(5, "Re: Kitchen drawings", "Agreed.", answers=1)
        await self.store.append(ALICE, INBOX, [kept(plan, 60.0, "\\Flagged")])
        await self.store.append(ALICE, WORK, [kept(cafe, 120.0, "\\Seen", "$l_fun")])
        await self.store.append(ALICE, INBOX, [kept(tokyo, 180.0)])
        await self.store.append(ALICE, JUNK, [kept(page, 240.0)])
        await self.store.append(ALICE, INBOX, [kept(answer, 300.0)])

    async def numbers(self, sought: Sought | str, **options: bool) -> list[int]:
        """Which messages are found, by the second in which they came."""
        if isinstance(sought, str):
            sought = read(sought).sought
        found = await self.search.find(ALICE, sought, **options)
        assert found.next is None
        assert found.unread == 0
        numbers = []
        for hit in found.hits:
            mailbox = await self.store.open(ALICE, hit.place.mailbox)
            [(_, content)] = await mailbox.contents(UIDSet.of([hit.place.uid]))
            octets = await content.read(0, content.size)
            at = octets.lower().index(b"message-id: <") + 13
            numbers.append(int(octets[at : octets.index(b"@", at)]))
        return numbers

    @coroutine
    async def test_words(self) -> None:
        await self.fill()
        for text, numbers in {
            "": [5, 4, 3, 2, 1],
            "kitchen": [5, 1],
            "KITCHEN DRAW": [5, 1],
            "ki": [],
            "kitc": [5, 1],
            "itchen": [],
            '"kitchen drawings"': [5, 1],
            '"drawings kitchen"': [],
            '"kitchen draw"': [],
            '"kitchen draw*"': [5, 1],
            "sink window": [1],
            "sink agreed": [],
            "sink OR agreed": [5, 1],
            "kitchen -sink": [5],
            "-kitchen": [4, 3, 2],
            "-(kitchen OR frost)": [3, 2],
            "cafe": [2],
            "caf\u00c9": [2],
            "strasse": [2],
            "from:jurgen": [2],
            "from:carol": [5, 4, 3, 1],
            "from:juergen@far.example": [2],
            "from:far.example": [2],
            "to:alice": [5, 4, 3, 2, 1],
            "cc:bo": [2],
            "bcc:bo": [],
            "subject:harbour": [],
            "body:harbour": [2],
            "list:garden": [2],
            "filename:grundriss": [1],
            "filename:v2.pdf": [1],
            "grundri\u00df-v2.pdf": [1],
            "frost": [4],
            "warning": [4],
            "hidden": [],
            "browser": [4],
            "\u6771\u4eac": [3],
            "\u4eac\u90fd": [3],
            "\u6771\u4eac\u90fd": [3],
            "\u90fd": [3],
            "\u5b66": [3],
            "\u90fd\u6771": [],
            "!!!": [5, 4, 3, 2, 1],
            "kitchen OR !!!": [5, 4, 3, 2, 1],
            "sink OR has:star": [1],
            "(kitchen harbour) OR frost": [4],
            '"; DROP TABLE words': [],
            "a*b^ NEAR(x)": [],
        }.items():
            assert await self.numbers(text) == numbers, text

    @coroutine
    async def test_facts(self) -> None:
        await self.fill()
        for sought, numbers in (
            (Marked(Mark.ATTACHMENT), [1]),
            (Marked(Mark.STARRED), [1]),
            (Marked(Mark.READ), [2]),
            (Not(Marked(Mark.READ)), [5, 4, 3, 1]),
            (InMailboxes(frozenset([WORK])), [2]),
            (InMailboxes(frozenset([WORK, JUNK])), [4, 2]),
            (InMailboxes(frozenset([MailboxName("none")])), []),
            (HasKeyword("$L_FUN"), [2]),
            (HasKeyword("fun"), []),
            (Came(since=180.0), [5, 4, 3]),
            (Came(before=180.0), [2, 1]),
            (Came(since=120.0, before=240.0), [3, 2]),
            (Came(), [5, 4, 3, 2, 1]),
            (Sized(1 << 20, is_larger=True), []),
            (Sized(1 << 20, is_larger=False), [5, 4, 3, 2, 1]),
            (HasMessageId("3@example.net"), [3]),
            (HasMessageId("33@example.net"), []),
            (AnyOf((HasKeyword("$l_fun"), Words("sink"))), [2, 1]),
            (AllOf((Words("kitchen"), Marked(Mark.STARRED))), [1]),
            (AllOf((Words("kitchen"), InMailboxes(frozenset([INBOX])))), [5, 1]),
            (AllOf((Words("frost"), Not(InMailboxes(frozenset([JUNK]))))), []),
            (AllOf((Words("kitchen"), Came(since=180.0))), [5]),
            (Not(AllOf((Words("kitchen"), Marked(Mark.STARRED)))), [5, 4, 3, 2]),
        ):
            assert await self.numbers(sought) == numbers, sought

    @coroutine
    async def test_pages(self) -> None:
        await self.store.create_account(ALICE)
        # More in one minute than have numbers of their own there.
        await self.store.append(
            ALICE, INBOX, [kept(letter(n, "Tea"), 60.0 + n) for n in range(1, 40)]
        )
        seen: list[str] = []
        after = None
        while True:
            found = await self.search.find(ALICE, Words("tea"), after, most=7)
            seen += [hit.email_id for hit in found.hits]
            after = found.next
            if after is None:
                break
            assert len(found.hits) == 7
        assert len(seen) == len(set(seen)) == 39

    @coroutine
    async def test_a_conversation_is_found_once(self) -> None:
        await self.fill()
        assert await self.numbers("kitchen", grouped=True) == [5]
        first = await self.search.find(ALICE, Words(""), most=2, grouped=True)
        assert first.next is not None
        rest = await self.search.find(ALICE, Words(""), first.next, grouped=True)
        threads = [hit.thread_id for hit in (*first.hits, *rest.hits)]
        assert len(threads) == len(set(threads)) == 4
        rest = await self.search.find(
            ALICE, Not(HasKeyword("x")), first.next, grouped=True
        )
        assert len(rest.hits) == 2

    @coroutine
    async def test_a_message_in_two_mailboxes_is_found_once(self) -> None:
        await self.fill()
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.copy(UIDSet.of([1]), WORK)
        assert await self.numbers("sink") == [1]
        in_work = AllOf((Words("sink"), InMailboxes(frozenset([WORK]))))
        [hit] = (await self.search.find(ALICE, in_work)).hits
        assert hit.place.mailbox == WORK

    @coroutine
    async def test_what_changes_is_found_as_it_is(self) -> None:
        await self.fill()
        assert await self.numbers("kitchen") == [5, 1]
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.move(UIDSet.of([1]), MailboxName("Trash"))
        in_trash = InMailboxes(frozenset([MailboxName("Trash")]))
        assert await self.numbers(AllOf((Words("sink"), in_trash))) == [1]
        await inbox.store(
            ALL_UIDS, FlagChange(FlagAction.ADD, frozenset(["\\Deleted"]))
        )
        await inbox.expunge(ALL_UIDS)
        assert await self.numbers("kitchen") == [1]
        await self.store.append(ALICE, INBOX, [kept(letter(6, "Sink again"), 360.0)])
        assert await self.numbers("sink") == [6, 1]

    @coroutine
    async def test_one_account_finds_its_own(self) -> None:
        await self.fill()
        await self.store.create_account(BOB)
        assert (await self.search.find(BOB, Words("kitchen"))).hits == ()

    @coroutine
    async def test_an_index_is_made_again(self) -> None:
        await self.fill()
        assert await self.numbers("kitchen") == [5, 1]
        await self.search.rebuild(ALICE)
        assert await self.search.catch_up(ALICE, 5) == 0
        assert await self.numbers("kitchen") == [5, 1]

    @coroutine
    async def test_what_is_not_made_out_is_a_mistake(self) -> None:
        await self.fill()
        for sought in ("in:work", "label:fun", "after:2020-01-01", "newer_than:2d"):
            for text in (sought, f"kitchen {sought}"):
                try:
                    await self.numbers(text)
                except ValueError:
                    continue
                raise AssertionError(f"{text} was answered")
