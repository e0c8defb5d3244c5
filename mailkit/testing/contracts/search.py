"""What every `IMailbox.search` has to find (RFC 9051 §6.4.4)."""

from __future__ import annotations

from datetime import date

from mailkit.interfaces.storage import IMailbox
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.query import (
    AllOf,
    AnyOf,
    Arrived,
    BodyContains,
    Everything,
    HasEmailId,
    HasFlag,
    HasThreadId,
    HeaderContains,
    Larger,
    ModifiedSince,
    Not,
    Query,
    Saved,
    Sent,
    Smaller,
    TextContains,
    Uids,
)
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.testing.contracts.messages import ALICE, StoreCase, coroutine, message, new

PLAIN = message(1, "Meet me at the Harbour, Straße 5")
ENCODED = (
    b"From: =?utf-8?Q?J=C3=BCrgen?= <j@example.net>\r\nTo: alice@example.test\r\n"
    b"Subject: =?iso-8859-1?Q?Gr=FC=DFe?= und\r\n mehr\r\n"
    b"Date: Fri, 2 Jan 2026 01:30:00 +0900\r\n"
    b"Message-ID: <2@example.net>\r\nIn-Reply-To: <1@example.net>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"preamble\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nRmxpZcOfZW5kIGlzdCBkZXIgRmx1c3M=\r\n"
    b"--x\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>Caf=E9 =\r\nau lait\r\n"
    b"--x\r\nContent-Type: application/pdf; name=plan.pdf\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nc2VjcmV0\r\n--x--\r\n"
)
EMPTY = b"Subject:\r\nX-Empty:\r\n\r\n"


class SearchContract(StoreCase):
    """Three messages, and what each key finds among them."""

    async def inbox(self) -> IMailbox:
        await self.store.create_account(ALICE)
        inbox = await self.store.open(ALICE, INBOX)
        day = 86400.0
        await inbox.append(
            [
                new(PLAIN, "\\Seen", internal_date=day * 20454),
                new(ENCODED, "Work", internal_date=day * 20455 - 1),
                new(EMPTY, internal_date=day * 20455),
            ]
        )
        return inbox

    async def finds(self, inbox: IMailbox, query: Query, *uids: int) -> None:
        found = await inbox.search(query)
        assert found == UIDSet.of(uids), f"{query}: {found}, not {uids}"

    @coroutine
    async def test_facts(self) -> None:
        inbox = await self.inbox()
        await self.finds(inbox, Everything(), 1, 2, 3)
        await self.finds(inbox, Uids(UIDSet.of([2, 3, 9])), 2, 3)
        await self.finds(inbox, HasFlag("\\seen"), 1)
        await self.finds(inbox, HasFlag("WORK"), 2)
        await self.finds(inbox, HasFlag("nobody"))
        await self.finds(inbox, Larger(len(EMPTY)), 1, 2)
        await self.finds(inbox, Smaller(len(EMPTY) + 1), 3)
        [one, two, _] = await inbox.fetch(ALL_UIDS, Want.IDS | Want.MOD_SEQ)
        await self.finds(inbox, HasEmailId(one.email_id), 1)
        assert one.thread_id == two.thread_id
        await self.finds(inbox, HasThreadId(one.thread_id), 1, 2)
        await self.finds(inbox, ModifiedSince(one.mod_seq), 1, 2, 3)
        await self.finds(inbox, ModifiedSince(1 << 60))

    @coroutine
    async def test_days(self) -> None:
        inbox = await self.inbox()
        first, second = date(2026, 1, 1), date(2026, 1, 2)
        await self.finds(inbox, Arrived(first, second), 1, 2)
        await self.finds(inbox, Arrived(since=second), 3)
        await self.finds(inbox, Arrived(before=first))
        await self.finds(inbox, Sent(first, second), 1)
        await self.finds(inbox, Sent(since=second), 2)
        await self.finds(inbox, Sent(before=second), 1)
        await self.finds(inbox, Saved(since=date(2000, 1, 1)), 1, 2, 3)
        await self.finds(inbox, Saved(before=date(2000, 1, 1)))

    @coroutine
    async def test_header_fields(self) -> None:
        inbox = await self.inbox()
        await self.finds(inbox, HeaderContains("SUBJECT", ""), 1, 2, 3)
        await self.finds(inbox, HeaderContains("x-empty", ""), 3)
        await self.finds(inbox, HeaderContains("from", "jürgen"), 2)
        await self.finds(inbox, HeaderContains("from", "JU\u0308RGEN"), 2)
        await self.finds(inbox, HeaderContains("subject", "grüsse und mehr"), 2)
        await self.finds(inbox, HeaderContains("subject", "number"), 1)
        await self.finds(inbox, HeaderContains("to", "number"))

    @coroutine
    async def test_text(self) -> None:
        inbox = await self.inbox()
        await self.finds(inbox, BodyContains("harbour"), 1)
        await self.finds(inbox, BodyContains("STRASSE"), 1)
        await self.finds(inbox, BodyContains("fließend ist"), 2)
        await self.finds(inbox, BodyContains("CAFÉ AU LAIT"), 2)
        await self.finds(inbox, BodyContains("plan.pdf"), 2)
        await self.finds(inbox, BodyContains("secret"))
        await self.finds(inbox, BodyContains("grüße"))
        await self.finds(inbox, TextContains("grüße"), 2)
        await self.finds(inbox, TextContains("lait"), 2)
        await self.finds(inbox, TextContains("number 1"), 1)

    @coroutine
    async def test_logic(self) -> None:
        inbox = await self.inbox()
        seen, text = HasFlag("\\Seen"), TextContains("example.net")
        await self.finds(inbox, Not(seen), 2, 3)
        await self.finds(inbox, Not(text), 3)
        await self.finds(inbox, AllOf(()), 1, 2, 3)
        await self.finds(inbox, AllOf((text, Not(seen))), 2)
        await self.finds(inbox, AnyOf((seen, BodyContains("café"))), 1, 2)
        await self.finds(inbox, AnyOf((Smaller(50), AllOf((text, seen)))), 1, 3)
        await self.finds(inbox, Not(AnyOf((text, Not(text)))))

    @coroutine
    async def test_search_sees_the_latest_state(self) -> None:
        inbox = await self.inbox()
        await inbox.copy(UIDSet.of([2]), MailboxName("Archive"))
        archive = await self.store.open(ALICE, MailboxName("Archive"))
        await self.finds(archive, BodyContains("café"), 1)
        await self.finds(archive, HasFlag("work"), 1)
        await inbox.append([new(message(4, "café"))])
        await self.finds(inbox, BodyContains("café"), 2, 4)
