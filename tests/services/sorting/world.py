"""An account in memory, with everything that sorts its mail."""

from __future__ import annotations

from itertools import count

from attrs import define, field

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.storage import IMailbox
from mailkit.model.address import AccountName
from mailkit.model.conversation import Everything, InMailbox, View
from mailkit.model.flags import Flags
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.sorting.actions import Action, Done, Op, Targets
from mailkit.services.sorting.choosing import Choosing
from mailkit.services.sorting.folders import Folders
from mailkit.services.sorting.labels import Labels
from mailkit.services.sorting.sorting import Sorting
from mailkit.services.sorting.undoing import Undoing
from mailkit.services.sorting.waking import Waker
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.messages import new
from tests.storage.maildir.doubles import Board

ALICE = AccountName("alice@example.org")
ARCHIVE = MailboxName("Archive")
SENT = MailboxName("Sent")
TRASH = MailboxName("Trash")
JUNK = MailboxName("Junk")
HERE = InMailbox(INBOX)
ANYWHERE = Everything()

State = dict[str, list[tuple[str, tuple[str, ...]]]]
"""Mailbox → subject and flags of each message, sorted."""


@define(eq=False)
class World:
    """Time stands still until a test moves it."""

    clock: TestClock = field(factory=TestClock)
    board: Board = field(factory=Board)
    store: MemoryStore = field(factory=MemoryStore)
    most: int = 10_000
    personal: MemoryPersonal = field(init=False)
    conversations: IConversations = field(init=False)
    directory: MemoryDirectory = field(init=False)
    undoing: Undoing = field(init=False)
    sorting: Sorting = field(init=False)
    folders: Folders = field(init=False)
    labels: Labels = field(init=False)
    waker: Waker = field(init=False)
    keywords: set[str] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self.personal = MemoryPersonal(lambda account: self.keywords)
        self.conversations = self.store.conversations
        self.directory = MemoryDirectory()
        self.undoing = Undoing(
            self.store, self.personal, self.conversations, self.board, self.clock
        )
        numbers = count(1)
        self.sorting = Sorting(
            self.store,
            self.personal,
            self.conversations,
            Choosing(self.store, self.conversations, self.most),
            self.undoing,
            self.board,
            self.clock,
            lambda: f"token-{next(numbers)}",
        )
        self.folders = Folders(self.store, self.sorting)
        self.labels = Labels(
            self.store, self.personal, self.conversations, self.sorting
        )
        self.waker = Waker(
            self.store, self.personal, self.directory, self.board, self.clock
        )

    async def put(
        self,
        subject: str,
        *flags: str,
        to: MailboxName = INBOX,
        thread: str = "",
        age: float = 0.0,
    ) -> str:
        """A message; its EMAILID. Those of one thread belong together."""
        root = f"References: <{thread}@x>\r\n" if thread else ""
        octets = (
            f"From: Carol <carol@example.net>\r\nSubject: {subject}\r\n{root}"
            f"Message-ID: <{subject}@x>\r\n\r\nHello.\r\n"
        ).encode()
        await self.store.create_account(ALICE)
        mailbox = await self.store.open(ALICE, to)
        self.keywords |= {flag for flag in flags if not flag.startswith("\\")}
        when = self.clock.seconds() - age
        [uid] = await mailbox.append([new(octets, *flags, internal_date=when)])
        return await self._email_id(mailbox, uid)

    async def _email_id(self, mailbox: IMailbox, uid: int) -> str:
        records = await mailbox.fetch(ALL_UIDS, Want.IDS)
        return next(one.email_id for one in records if one.uid == uid)

    async def thread(self, email_id: str) -> str:
        """The conversation of a message."""
        message = await self.conversations.message(ALICE, email_id)
        assert message is not None
        return message.thread_id

    async def act(
        self,
        op: Op,
        *email_ids: str,
        view: View = HERE,
        label: str = "",
        to: MailboxName = INBOX,
        until: float = 0.0,
    ) -> Done:
        """To the conversations of these messages; without any, to all of the view."""
        threads = [await self.thread(one) for one in email_ids] or None
        action = Action(op, label, to, until)
        return await self.sorting.act(ALICE, action, Targets(view, threads))

    async def state(self) -> State:
        """Everything that one can see."""
        found: State = {}
        for entry in await self.store.mailboxes(ALICE):
            if not entry.is_selectable:
                found[f"{entry.name}/"] = []
                continue
            mailbox = await self.store.open(ALICE, entry.name)
            rows = []
            for uid, content in await mailbox.contents(ALL_UIDS):
                octets = await content.read(0, content.size)
                subject = octets.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
                flags = await self._flags(mailbox, uid)
                rows.append((subject, tuple(sorted(flags))))
            found[entry.name] = sorted(rows)
        return found

    async def _flags(self, mailbox: IMailbox, uid: int) -> Flags:
        records = await mailbox.fetch(ALL_UIDS, Want.FLAGS)
        return next(one.flags for one in records if one.uid == uid)

    async def subjects(self, name: MailboxName = INBOX) -> list[str]:
        """What lies in a mailbox."""
        return [subject for subject, _ in (await self.state()).get(name, [])]
