"""Writing mail over memory stores: the server of `tests.services.smtp.world`."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count

from attrs import define, field

from mailkit.interfaces.drafts import IDraftStore
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.draft import Draft, DraftId, Opening, Writing
from mailkit.model.flags import Flags
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.composing.composing import Composing
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.settings import ComposingSettings
from mailkit.services.delivery.rules import Submitted
from mailkit.services.smtp.doors import Limit, OwnPeople
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import new
from mailkit.testing.lanes import DirectLanes
from tests.services.smtp.world import ALICE, HOSTNAME, World

HELLO = Writing(to="bob@example.org", subject="Hello", text="Hi Bob")
EVERYTHING = Selection()


@define(eq=False)
class Desk:
    """Alice writes."""

    world: World = field(factory=World)
    settings: ComposingSettings = field(factory=ComposingSettings)
    drafts: IDraftStore = field(factory=MemoryDrafts)
    limit: Limit | None = None
    is_alone: bool = False
    """Whether mail goes to people of ours only, and there is no queue."""
    back: list[tuple[DraftId, str]] = field(factory=list, init=False)
    """What could not leave in the end, and why."""
    composing: Composing = field(init=False)
    personal: MemoryPersonal = field(factory=MemoryPersonal, init=False)
    numbers: count[int] = field(factory=lambda: count(1), init=False)

    def __attrs_post_init__(self) -> None:
        self.world.send_out()
        if self.is_alone:
            self.world.outbound, self.world.routing.sends = None, False
        self.composing = self.make()

    def make(self) -> Composing:
        """Another process at the same stores."""
        world = self.world
        rules = Submitted(
            HOSTNAME, world.routing, DirectLanes(), world.clock.seconds, lambda: "fresh"
        )
        house = ComposingHouse(
            hostname=HOSTNAME,
            store=world.store,
            conversations=world.store.conversations,
            drafts=self.drafts,
            personal=self.personal,
            directory=world.directory,
            queue=self.queue,
            events=world.events,
            destination=world.delivery(rules),
            door=OwnPeople(None, world.routing, limit=self.limit),
            lanes=DirectLanes(),
            clock=world.clock,
            new_id=lambda: "fresh",
            settings=self.settings,
            has_queue=not self.is_alone,
            came_back=lambda account, id, reason: self.back.append((id, reason)),
        )
        composing = Composing(house)
        composing.drafts.new_id = lambda: f"{next(self.numbers):032x}"
        return composing

    @property
    def queue(self) -> MemoryQueue:
        assert self.world.queue is not None
        return self.world.queue

    @property
    def store(self) -> MemoryStore:
        return self.world.store

    @property
    def alice(self) -> Account:
        return self.account(ALICE)

    def account(self, name: AccountName) -> Account:
        found = at_once(self.world.directory.account(name))
        assert found is not None
        return found

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.world.clock.advance(seconds)

    # -- what a person does

    def begin(self, writing: Writing = HELLO, opening: Opening | None = None) -> Draft:
        """Save something for the first time."""
        drafts = self.composing.drafts
        saved = at_once(drafts.save(self.alice, drafts.next_id(), writing, 0, opening))
        assert saved.problem is None
        return saved.draft

    def save(self, draft: Draft, writing: Writing) -> Draft:
        drafts = self.composing.drafts
        save = drafts.save(self.alice, draft.id, writing, draft.revision)
        return at_once(save).draft

    def attach(
        self,
        id: DraftId,
        octets: bytes,
        name: str = "a.txt",
        kind: str = "text/plain",
        *,
        is_within: bool = False,
    ) -> Draft:
        attaching = at_once(
            self.composing.drafts.attach(
                self.alice, id, name, kind, is_within=is_within
            )
        )
        at_once(attaching.write(octets))
        return at_once(attaching.finish()).draft

    def send(self, draft: Draft, undo: float = 10.0, at: float | None = None) -> Draft:
        return at_once(self.composing.outbox.send(self.alice, draft.id, undo, at))

    def unsend(self, draft: Draft) -> Draft:
        return at_once(self.composing.outbox.unsend(ALICE, draft.id))

    # -- what is where

    def receive(self, octets: bytes, *flags: str, mailbox: str = INBOX) -> str:
        """Put a message into a mailbox of Alice's; its EMAILID."""
        name = MailboxName(mailbox)
        kept = at_once(self.store.append(ALICE, name, [new(octets, *flags)]))
        opened = at_once(self.store.open(ALICE, name))
        records = at_once(opened.fetch(ALL_UIDS, Want.IDS))
        [found] = [each.email_id for each in records if each.uid == kept.uids[0]]
        return found

    def messages(
        self, mailbox: str, account: AccountName = ALICE
    ) -> list[EmailMessage]:
        """All of a mailbox, oldest first."""
        found = []
        for octets in self.world.mailbox(account, mailbox):
            message = message_from_bytes(octets, policy=policy.default)
            assert isinstance(message, EmailMessage)
            found.append(message)
        return found

    def subjects(self, mailbox: str, account: AccountName = ALICE) -> list[str]:
        return [str(one["Subject"]) for one in self.messages(mailbox, account)]

    def flags(self, mailbox: str) -> list[Flags]:
        opened = at_once(self.store.open(ALICE, MailboxName(mailbox)))
        return [record.flags for record in at_once(opened.fetch(ALL_UIDS, Want.FLAGS))]


def text_of(message: EmailMessage) -> str:
    """The plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def items(desk: Desk) -> list[QueueItem]:
    return list(at_once(desk.queue.items(EVERYTHING)))


def drafts_of(desk: Desk) -> list[Draft]:
    return list(at_once(desk.drafts.drafts(ALICE)))
