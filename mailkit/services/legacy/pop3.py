"""Our mailbox as `twisted.mail.pop3.IMailbox`."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import overload

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.mail.interfaces import IMailboxPOP3
from zope.interface import implementer

from mailkit.interfaces.storage import IMailbox
from mailkit.model.flags import DELETED, FlagAction, FlagChange
from mailkit.model.mailbox import MessageRecord
from mailkit.model.uidset import UIDSet
from mailkit.services.delivery.content import read_whole


@implementer(IMailboxPOP3)
@define(eq=False)
class POP3Mailbox:
    """Indexes begin at 0 and never move; what is marked goes at `sync`."""

    log = Logger()

    _mailbox: IMailbox
    _records: Sequence[MessageRecord]
    _deleted: set[int] = field(factory=set, init=False)

    @overload
    def listMessages(self, index: None = None) -> list[int]: ...

    @overload
    def listMessages(self, index: int) -> int: ...

    def listMessages(self, index: int | None = None) -> int | list[int]:
        """Octets of one, or of all; 0 for those that are marked."""
        if index is None:
            return [self._size(n) for n in range(len(self._records))]
        self._known(index)
        return self._size(index)

    def getMessage(self, index: int) -> Deferred[BytesIO]:
        """Fires with a file, its lines ended by LF: twisted.mail makes that CRLF."""
        return Deferred.fromCoroutine(self._read(self._known(index)))

    def getUidl(self, index: int) -> bytes:
        """Eight hex digits of the UID, eight of UIDVALIDITY."""
        record = self._known(index)
        return b"%08x%08x" % (record.uid, self._mailbox.uid_validity)

    def deleteMessage(self, index: int) -> None:
        """Mark it."""
        self._known(index)
        self._deleted.add(index)

    def undeleteMessages(self) -> None:
        """Take all marks off."""
        self._deleted.clear()

    def sync(self) -> Deferred[None]:
        """Remove what is marked; twisted.mail does not wait for it."""
        removing = Deferred.fromCoroutine(self._remove())
        removing.addErrback(
            lambda failure: self.log.failure("marked messages stay", failure)
        )
        return removing

    def _known(self, index: int) -> MessageRecord:
        if not 0 <= index < len(self._records):
            raise ValueError("no such message")
        return self._records[index]

    def _size(self, index: int) -> int:
        return 0 if index in self._deleted else self._records[index].size

    async def _read(self, record: MessageRecord) -> BytesIO:
        for _, content in await self._mailbox.contents(UIDSet.of([record.uid])):
            octets = await read_whole(content)
            return BytesIO(octets.replace(b"\r\n", b"\n"))
        raise ValueError("the message has gone")

    async def _remove(self) -> None:
        if self._deleted:
            uids = UIDSet.of(self._records[index].uid for index in self._deleted)
            change = FlagChange(FlagAction.ADD, frozenset({DELETED}))
            await self._mailbox.store(uids, change)
            await self._mailbox.expunge(uids)
