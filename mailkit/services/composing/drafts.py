"""Drafts: begun, saved again and again, given files, thrown away."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence

from attrs import define, evolve, field, frozen

from mailkit.errors import (
    DraftChanged,
    HasLeft,
    MailkitError,
    NoSuchDraft,
    TooLarge,
    TooMany,
    Unavailable,
)
from mailkit.formats import richtext
from mailkit.formats.compose import CannotCompose
from mailkit.interfaces.drafts import IDraftUpload
from mailkit.interfaces.storage import IContent
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.conversation import Summary
from mailkit.model.draft import (
    Draft,
    DraftFile,
    DraftId,
    DraftState,
    Opening,
    Purpose,
    Writing,
    draft_in,
    is_draft_id,
    local_part_of,
)
from mailkit.services.composing.content import read_exactly
from mailkit.services.composing.errors import FilesTooLarge
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.opening import Manner, Prepared, prepare
from mailkit.services.composing.originals import file_name
from mailkit.services.composing.placing import Placing
from mailkit.services.composing.turns import Turns
from mailkit.services.sorting.places import Special

_TRIES = 10
_LOOKED_AT = 20
_PIECE = 256 * 1024
_IN_THREAD = 16 * 1024  # characters of HTML from which on a thread cleans it

_BLANK = Writing()


@frozen
class Saved:
    """What came of a save."""

    draft: Draft
    problem: MailkitError | None = None
    """
    What is wrong though it is kept: the mailbox cannot show it, or (`NoSuchDraft`,
    `FilesTooLarge`) something of the original did not come along.
    """


@define(eq=False)
class Drafts:
    """The drafts of all accounts; what is sent goes on with `Outbox`."""

    house: ComposingHouse
    placing: Placing
    turns: Turns = field(factory=Turns)
    new_id: Callable[[], str] = field(default=lambda: secrets.token_hex(16))

    def next_id(self) -> DraftId:
        """For a draft of which nothing is kept yet."""
        return DraftId(self.new_id())

    async def prepare(
        self,
        account: Account,
        opening: Opening,
        given: Writing = _BLANK,
        manner: Manner | None = None,
    ) -> Prepared:
        """
        What a draft begins with; nothing is kept.

        :raises NoSuchDraft: if its original is not there.
        """
        return await prepare(self.house, account, opening, given, manner or Manner())

    async def open(self, account: AccountName, id: DraftId) -> Draft:
        """:raises NoSuchDraft: also before it was first saved."""
        return await self.house.drafts.draft(account, id)

    async def of_message(self, account: AccountName, email_id: str) -> DraftId | None:
        """
        The draft that a message in the mailbox is; ``None``: another program's.

        :raises NoSuchDraft: if there is no such message.
        """
        summary = await self.house.conversations.message(account, email_id)
        if summary is None:
            raise NoSuchDraft(email_id)
        id = self._id_in(summary)
        if id is None:
            return None
        try:
            draft = await self.open(account, id)
        except NoSuchDraft:
            return None
        return draft.id if draft.message_id == summary.message_id else None

    async def all(self, account: AccountName) -> Sequence[Draft]:
        """Those that are being written, the latest first."""
        found = await self.house.drafts.drafts(account)
        return [draft for draft in found if draft.state is DraftState.WRITING]

    async def save(
        self,
        account: Account,
        id: DraftId,
        writing: Writing,
        revision: int,
        opening: Opening | None = None,
    ) -> Saved:
        """
        Keep what is written now, and have the mailbox show it.

        What was saved already may be saved again. The first save of an id begins the
        draft, with what the opening brings along.

        :param revision: the one that the writer knows; 0 before the first save.
        :raises DraftChanged: if it is another one by now.
        :raises HasLeft: if the draft is being sent, with something else in it.
        :raises TooLarge: :raises TooMany:
        """
        writing = await self._checked(writing)
        async with self.turns.of((account.name, id)):
            draft, missing = await self._begun(account, id, revision, opening)
            if draft.state is not DraftState.WRITING:
                if draft.writing == writing:
                    return Saved(draft)
                raise HasLeft(id)
            if draft.writing != writing:
                if draft.revision != revision:
                    raise DraftChanged(id)
                draft = await self._change(
                    account.name,
                    id,
                    lambda one: evolve(
                        one,
                        writing=writing,
                        revision=revision + 1,
                        changed=self.house.now(),
                    ),
                    revision,
                )
                self.house.saved(account.name, id, draft.revision)
            saved = await self._placed(account.name, draft, may_wait=True)
            return saved if missing is None else Saved(draft, missing)

    async def attach(
        self,
        account: Account,
        id: DraftId,
        name: str,
        kind: str,
        opening: Opening | None = None,
        *,
        is_within: bool = False,
    ) -> Attaching:
        """
        Take a file in; it belongs to the draft once `Attaching.finish` returns.

        :param is_within: a picture for the text, which then has a content id.
        :raises HasLeft: :raises TooMany: :raises FilesTooLarge:
        """
        async with self.turns.of((account.name, id)):
            draft, _ = await self._begun(account, id, 0, opening)
            self._check_open(draft)
            if len(draft.files) >= self.house.settings.files:
                raise TooMany("files")
            draft = await self._change(
                account.name, id, lambda one: evolve(one, next_file=one.next_file + 1)
            )
        number = draft.next_file - 1
        left = self.house.settings.files_size - draft.file_size
        if left <= 0:
            raise FilesTooLarge(0)
        content_id = f"{number}.{id}@mailkit" if is_within else ""
        upload = await self.house.drafts.begin_file(account.name, id, number)
        file = DraftFile(number, file_name(name) or "file", kind[:100], 0, content_id)
        return Attaching(self, account.name, id, file, upload, left)

    async def detach(self, account: AccountName, id: DraftId, number: int) -> Saved:
        """Take a file away; nothing happens if it is not there."""
        async with self.turns.of((account, id)):
            draft = await self.open(account, id)
            self._check_open(draft)
            if any(file.number == number for file in draft.files):
                draft = await self._change(
                    account,
                    id,
                    lambda one: evolve(
                        one,
                        files=tuple(f for f in one.files if f.number != number),
                    ),
                )
                await self.house.drafts.remove_file(account, id, number)
            return await self._placed(account, draft)

    async def file(
        self, account: AccountName, id: DraftId, number: int
    ) -> tuple[DraftFile, IContent]:
        """One file of a draft. :raises NoSuchDraft:"""
        draft = await self.open(account, id)
        for file in draft.files:
            if file.number == number:
                return file, await self.house.drafts.file(account, id, number)
        raise NoSuchDraft(id)

    async def discard(self, account: AccountName, id: DraftId) -> None:
        """
        Throw a draft away; its message goes to the Trash.

        :raises HasLeft: if it is being sent.
        """
        async with self.turns.of((account, id)):
            try:
                draft = await self.open(account, id)
            except NoSuchDraft:
                return  # it was never saved, or went already
            self._check_open(draft)
            special = await Special.of(self.house.store, account)
            await self.placing.unplace(account, draft, special.trash)
            await self.house.drafts.remove(account, id)

    # --- within a turn

    async def change(
        self, account: AccountName, id: DraftId, make: Callable[[Draft], Draft]
    ) -> Draft:
        """Keep a change of a draft's fields; within a turn of it."""
        return await self._change(account, id, make)

    async def kept(self, account: AccountName, id: DraftId, file: DraftFile) -> Saved:
        """A file came to its end."""
        async with self.turns.of((account, id)):
            draft = await self.open(account, id)
            self._check_open(draft)
            left = self.house.settings.files_size - draft.file_size
            if file.size > left:  # others came meanwhile
                await self.house.drafts.remove_file(account, id, file.number)
                raise FilesTooLarge(max(left, 0))
            draft = await self._change(
                account, id, lambda one: evolve(one, files=(*one.files, file))
            )
            return await self._placed(account, draft)

    async def _change(
        self,
        account: AccountName,
        id: DraftId,
        make: Callable[[Draft], Draft],
        revision: int | None = None,
    ) -> Draft:
        """
        Another process may change it at the same moment: then once more.

        :raises DraftChanged: if it is not at that revision any more.
        """
        for _ in range(_TRIES):
            draft = await self.open(account, id)
            if revision is not None and draft.revision != revision:
                raise DraftChanged(id)
            made = evolve(make(draft), version=draft.version + 1)
            try:
                await self.house.drafts.put(account, made)
            except DraftChanged:
                continue
            return made
        raise DraftChanged(id)

    async def _begun(
        self, account: Account, id: DraftId, revision: int, opening: Opening | None
    ) -> tuple[Draft, MailkitError | None]:
        """
        The draft, made if this is the first that is heard of it, or somebody went back
        to its page: then its message is another than the one that was sent.

        What somebody has typed is kept even where the original is gone meanwhile, or
        its files are too large: then that is told with it.
        """
        if not is_draft_id(id):
            raise NoSuchDraft(id)
        try:
            return await self.open(account.name, id), None
        except NoSuchDraft:
            if revision:
                raise  # it was there, and was sent or thrown away
        house = self.house
        await self._forget(account.name)
        draft = Draft(
            id=id,
            changed=house.now(),
            opening=opening or Opening(),
            message_id=f"<{local_part_of(id, house.now())}@{house.hostname}>",
        )
        if draft.opening.purpose is Purpose.NEW:
            await house.drafts.put(account.name, draft)
            return draft, None
        try:
            prepared = await prepare(house, account, draft.opening, _BLANK, Manner())
        except NoSuchDraft as error:
            draft = evolve(draft, opening=Opening())
            await house.drafts.put(account.name, draft)
            return draft, error
        draft = evolve(
            draft,
            in_reply_to=prepared.in_reply_to,
            references=prepared.references,
        )
        await house.drafts.put(account.name, draft)
        try:
            return await self._with_files(account, draft, prepared), None
        except FilesTooLarge as error:
            return draft, error

    async def _forget(self, account: AccountName) -> None:
        """
        Where there are many: drop the oldest whose message somebody threw away.

        Not sooner, for it may be taken out of the Trash again.
        """
        house, settings = self.house, self.house.settings
        found = await house.drafts.drafts(account)
        if len(found) < settings.many_drafts:
            return
        before = house.now() - settings.forgotten_after
        for draft in found[-_LOOKED_AT:]:
            is_old = draft.state is DraftState.WRITING and draft.changed < before
            if is_old and not await self.placing.is_there(account, draft):
                await house.drafts.remove(account, draft.id)

    async def _with_files(
        self, account: Account, draft: Draft, prepared: Prepared
    ) -> Draft:
        """Copy what of the original comes along."""
        found = prepared.found
        assert found is not None  # all but a new draft have an original
        coming: list[tuple[DraftFile, Iterator[bytes]]] = []
        if draft.opening.purpose is Purpose.FORWARD_ATTACHED:
            name = f"{file_name(found.original.subject) or 'message'}.eml"
            file = DraftFile(1, name, "message/rfc822", 0)
            coming = [(file, _pieces(found.octets))]
        for number, one in enumerate(prepared.files, 1):
            content_id = one.content_id if one.is_within else ""
            file = DraftFile(number, one.name, one.kind[:100], 0, content_id)
            coming.append((file, one.pieces(found.octets)))
        files: list[DraftFile] = []
        try:
            for file, pieces in coming:
                left = self.house.settings.files_size - sum(f.size for f in files)
                files.append(
                    await self._copied(account.name, draft.id, file, pieces, left)
                )
        except FilesTooLarge:
            for file in files:
                await self.house.drafts.remove_file(account.name, draft.id, file.number)
            raise
        except MailkitError:
            await self.house.drafts.remove(account.name, draft.id)
            raise
        if not files:
            return draft
        return await self._change(
            account.name,
            draft.id,
            lambda one: evolve(one, files=tuple(files), next_file=len(files) + 1),
        )

    async def _copied(
        self,
        account: AccountName,
        id: DraftId,
        file: DraftFile,
        pieces: Iterator[bytes],
        left: int,
    ) -> DraftFile:
        """:raises FilesTooLarge: if it has more than ``left`` octets."""
        upload = await self.house.drafts.begin_file(account, id, file.number)
        try:
            for piece in pieces:
                if upload.size + len(piece) > left:
                    raise FilesTooLarge(left)
                await upload.write(piece)
            await upload.finish()
            return evolve(file, size=upload.size)
        finally:
            await upload.discard()

    async def _placed(
        self, account: AccountName, draft: Draft, *, may_wait: bool = False
    ) -> Saved:
        placing = self.placing
        if placing.is_placed(account, draft) or (
            may_wait and placing.may_wait(account, draft)
        ):
            return Saved(draft)
        try:
            await placing.place(account, draft)
            if draft.opening.purpose is Purpose.EDIT:
                await placing.remove_original(account, draft.opening.original)
        except (Unavailable, CannotCompose) as error:
            return Saved(draft, error)
        return Saved(draft)

    async def _checked(self, writing: Writing) -> Writing:
        """
        Cleaned, and not too large.

        :raises TooLarge:
        """
        settings = self.house.settings
        if len(writing.text) > settings.text or len(writing.html) > settings.text:
            raise TooLarge("the text")
        lines = (writing.sender, writing.to, writing.cc, writing.bcc, writing.subject)
        if any(len(line) > settings.line for line in lines):
            raise TooLarge("the recipients or the subject")
        if not writing.html:
            return writing
        if len(writing.html) > _IN_THREAD:
            return await self.house.lanes.hash(lambda: _cleaned(writing))
        return _cleaned(writing)

    def _check_open(self, draft: Draft) -> None:
        if draft.state is not DraftState.WRITING:
            raise HasLeft(draft.id)

    def _id_in(self, summary: Summary) -> DraftId | None:
        """Which of our drafts a message is, by its Message-ID."""
        local_part, _, host = summary.message_id.strip("<>").partition("@")
        return draft_in(local_part) if host == self.house.hostname else None


@define(eq=False)
class Attaching:
    """A file on its way into a draft."""

    _drafts: Drafts
    _account: AccountName
    _id: DraftId
    _file: DraftFile
    _upload: IDraftUpload
    _left: int

    @property
    def file(self) -> DraftFile:
        """What it will be called."""
        return self._file

    async def write(self, octets: bytes) -> None:
        """
        Take one more piece.

        :raises FilesTooLarge: :raises StorageFull: :raises StorageBroken:
        """
        if self._upload.size + len(octets) > self._left:
            raise FilesTooLarge(self._left)
        await self._upload.write(octets)

    async def take(self, content: IContent) -> None:
        """Take all of something."""
        at = 0
        while at < content.size:
            piece = await read_exactly(content, at, min(_PIECE, content.size - at))
            await self.write(piece)
            at += len(piece)

    async def finish(self) -> Saved:
        """It is whole. :raises FilesTooLarge: if others came first."""
        await self._upload.finish()
        self._file = evolve(self._file, size=self._upload.size)
        return await self._drafts.kept(self._account, self._id, self._file)

    async def discard(self) -> None:
        """Forget it, unless it is finished."""
        await self._upload.discard()


def _cleaned(writing: Writing) -> Writing:
    html = richtext.clean(writing.html)
    return evolve(writing, html=html, text=richtext.to_text(html))


def _pieces(octets: bytes) -> Iterator[bytes]:
    return (octets[at : at + _PIECE] for at in range(0, len(octets), _PIECE))
