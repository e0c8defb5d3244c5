"""Where messages are kept that are being written."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import Attribute, Interface

from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName
from mailkit.model.draft import Draft, DraftId


class IDraftUpload(Interface):
    """A file on its way into a draft."""

    size: int = Attribute("Octets written so far.")

    async def write(octets: bytes) -> None:
        """
        Take one more piece.

        :raises StorageFull: :raises StorageBroken:
        """

    async def finish() -> None:
        """
        No more comes; from now on `IDraftStore.file` has it, durably.

        :raises StorageFull: :raises StorageBroken: :raises NoSuchDraft:
        """

    async def discard() -> None:
        """Forget it, unless it is finished. Safe to call more than once."""


class IDraftStore(Interface):
    """
    Drafts and their files; what is answered by returning is durable.

    The message that other programs see in the mailbox is not its business.
    """

    async def drafts(account: AccountName) -> Sequence[Draft]:
        """All of an account, the one that changed last first."""

    async def draft(account: AccountName, id: DraftId) -> Draft:
        """:raises NoSuchDraft:"""

    async def put(account: AccountName, draft: Draft) -> None:
        """
        Keep a draft whose `Draft.version` follows that which is kept; 1: a new one.

        :raises DraftChanged: if somebody else kept that version.
        :raises NoSuchDraft: if it is not new and not there.
        :raises TooMany: if the account has as many as it may.
        """

    async def remove(account: AccountName, id: DraftId) -> None:
        """Take a draft away with its files; nothing happens if it is not there."""

    async def begin_file(
        account: AccountName, id: DraftId, number: int
    ) -> IDraftUpload:
        """Take a file in. :raises NoSuchDraft: :raises StorageFull:"""

    async def file(account: AccountName, id: DraftId, number: int) -> IContent:
        """:raises NoSuchDraft: if that is not there, or has no such file."""

    async def remove_file(account: AccountName, id: DraftId, number: int) -> None:
        """Nothing happens if it is not there."""

    async def mark(account: AccountName, id: DraftId) -> None:
        """Note that something was begun with a draft that has to be finished."""

    async def unmark(id: DraftId) -> None:
        """It is finished."""

    async def marked() -> Sequence[tuple[AccountName, DraftId]]:
        """What `mark` noted, of all accounts."""
