"""What all writing of mail shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.formats.letter import Letter, LetterFile
from mailkit.formats.recipients import good, parse
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.delivery import IDestination
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.drafts import IDraftStore
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.storage import IContent, IMailStore
from mailkit.model.address import AccountName, Address
from mailkit.model.draft import Draft, DraftId
from mailkit.model.identity import Identity
from mailkit.services.composing.content import LetterContent, content_of
from mailkit.services.composing.settings import ComposingSettings
from mailkit.services.composing.when import moment
from mailkit.services.smtp.doors import SenderDoor


def _nobody_is_told(account: AccountName, id: DraftId, reason: str) -> None:
    """Where nobody wants to know what came back."""


def _nobody_hears(account: AccountName, id: DraftId, revision: int) -> None:
    """Where nobody wants to know what was saved."""


@define(eq=False)
class ComposingHouse:
    """The rooms that writing mail goes through."""

    hostname: str
    store: IMailStore
    conversations: IConversations
    drafts: IDraftStore
    personal: IPersonal
    directory: IDirectory
    queue: IQueueStore
    events: IEvents
    destination: IDestination
    """Where submitted mail goes."""
    door: SenderDoor
    """Who may send, and as whom."""
    lanes: ILanes
    clock: IReactorTime
    new_id: Callable[[], str]
    """Makes the left side of a Message-ID."""
    settings: ComposingSettings = field(factory=ComposingSettings)
    saved: Callable[[AccountName, DraftId, int], None] = _nobody_hears
    """Called with each new revision of a draft."""
    has_queue: bool = True
    """Whether what is sent goes into the queue, which holds it; otherwise it is kept
    back until it leaves."""
    came_back: Callable[[AccountName, DraftId, str], None] = _nobody_is_told
    """Called with a reason when what was kept back could not leave in the end."""

    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.seconds()

    async def identities(self, account: AccountName) -> Sequence[Identity]:
        """As whom somebody may write, the usual one first; there is one at least."""
        found = await self.personal.identities(account)
        if any(same_address(each.address, account) for each in found):
            return found
        return [*found, Identity("", "", account, is_default=not found)]

    async def identity(self, account: AccountName, address: str) -> Identity:
        """The identity of an address; one without a name, if it is none's."""
        known = await self.identities(account)
        for each in known:
            if address and same_address(each.address, address):
                return each
        return Identity("", "", address) if address else known[0]

    async def letter(self, account: AccountName, draft: Draft) -> Letter:
        """What of a draft can be written as mail; recipients that are none are not."""
        writing = draft.writing
        identity = await self.identity(account, writing.sender)
        sent = draft.hold_until if draft.is_later else draft.changed
        return Letter(
            sender=(identity.name, identity.address),
            date=moment(sent),
            message_id=draft.message_id,
            to=good(parse(writing.to)),
            cc=good(parse(writing.cc)),
            bcc=good(parse(writing.bcc)),
            subject=" ".join(writing.subject.split()),
            text=writing.text,
            html=writing.html,
            in_reply_to=draft.in_reply_to,
            references=draft.references,
            files=tuple(
                LetterFile(f.number, f.name, f.kind, f.size, f.content_id)
                for f in draft.files
            ),
        )

    async def content(
        self, account: AccountName, draft: Draft, *, shows_blind: bool
    ) -> LetterContent:
        """
        The message that a draft is.

        :raises CannotCompose: :raises NoSuchDraft: if a file went meanwhile.
        """
        files: dict[int, IContent] = {}
        for file in draft.files:
            files[file.number] = await self.drafts.file(account, draft.id, file.number)
        letter = await self.letter(account, draft)
        return content_of(letter, files, shows_blind=shows_blind)


def same_address(one: str, other: str) -> bool:
    """Whether two ways of writing an address mean the same one."""
    return Address.parse(one) == Address.parse(other)
