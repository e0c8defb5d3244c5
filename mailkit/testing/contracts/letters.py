"""Letters that answer each other, for the contracts of conversations."""

from __future__ import annotations

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.storage import IMailbox, NewMessage
from mailkit.model.conversation import (
    InMailbox,
    Page,
    View,
)
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.testing.contracts.messages import ALICE, StoreCase, new

SENT = MailboxName("Sent")
TRASH = MailboxName("Trash")
JUNK = MailboxName("Junk")
ARCHIVE = MailboxName("Archive")
IN_INBOX = InMailbox(INBOX)
CAROL = "Carol <carol@example.net>"
DAY = 86400
NOON = 1_767_268_800  # 2026-01-01T12:00:00Z


DELETED = frozenset({"\\Deleted"})


def letter(
    number: int,
    subject: str = "Lunch",
    *,
    author: str = CAROL,
    to: str = "alice@example.test",
    references: str = "",
    in_reply_to: str = "",
    body: str = "Hello\r\n",
    fields: str = "",
) -> bytes:
    """A message that is ``<number@a>``, and what it says of others."""
    named = f"References: {references}\r\n" if references else ""
    if in_reply_to:
        named += f"In-Reply-To: {in_reply_to}\r\n"
    return (
        f"From: {author}\r\nTo: {to}\r\nSubject: {subject}\r\n"
        f"Date: Thu, 1 Jan 2026 12:00:00 +0000\r\nMessage-ID: <{number}@a>\r\n"
        f"{named}{fields}\r\n{body}"
    ).encode()


def at(seconds: int, octets: bytes, *flags: str) -> NewMessage:
    """It came so many seconds after noon."""
    return new(octets, *flags, internal_date=float(NOON + seconds))


def ids(page: Page) -> list[str]:
    """Message-IDs of the newest of each row, without domain and brackets."""
    return [row.newest.message_id[1:-3] for row in page.rows]


class ConversationsCase(StoreCase):
    """Letters in a store, and what is told of them."""

    def conversations(self) -> IConversations:
        """Of ``store``."""
        raise NotImplementedError

    async def put(self, mailbox: MailboxName, *messages: NewMessage) -> list[int]:
        """Messages into a mailbox that is made if need be."""
        await self.store.create_account(ALICE)
        entries = await self.store.mailboxes(ALICE)
        if mailbox not in {entry.name for entry in entries}:
            await self.store.create(ALICE, mailbox)
        return (await self.store.append(ALICE, mailbox, messages)).uids

    async def box(self, name: MailboxName = INBOX) -> IMailbox:
        return await self.store.open(ALICE, name)

    async def page(self, view: View = IN_INBOX) -> Page:
        return await self.conversations().page(ALICE, view)

    async def threads(self) -> dict[str, set[str]]:
        """Which messages are together, as IMAP tells it; by the first of them."""
        found: dict[str, set[str]] = {}
        for entry in await self.store.mailboxes(ALICE):
            mailbox = await self.box(entry.name)
            for record in await mailbox.fetch(ALL_UIDS, Want.IDS):
                summary = await self.conversations().message(ALICE, record.email_id)
                assert summary is not None
                assert summary.thread_id == record.thread_id
                name = summary.message_id[1:-3]
                found.setdefault(record.thread_id, set()).add(name)
        return {min(names, key=int): names for names in found.values()}
