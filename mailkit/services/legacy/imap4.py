"""Our mailbox as `twisted.mail.imap4.IMailbox`."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.mail.imap4 import MailboxException, MessageSet
from twisted.mail.interfaces import IMailboxIMAP, IMailboxIMAPListener
from zope.interface import implementer

from mailkit.formats.date import parse_internal
from mailkit.interfaces.storage import IMailbox, IWatch, NewMessage
from mailkit.model.flags import FlagAction, FlagChange, Flags, canonical_flag
from mailkit.model.mailbox import MessageRecord, Snapshot, Want
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.services.delivery.content import Rewritten, read_whole
from mailkit.services.legacy.message import Message

_ACTIONS = {
    -1: FlagAction.REMOVE,
    0: FlagAction.REPLACE,
    1: FlagAction.ADD,
}


@implementer(IMailboxIMAP)
@define(eq=False)
class IMAP4Mailbox:
    """
    One selected mailbox.

    twisted.mail has no word for messages that somebody else expunged, so they keep
    their numbers, empty, until this session expunges.
    """

    log = Logger()

    _mailbox: IMailbox
    _snapshot: Snapshot
    _records: Sequence[MessageRecord]
    _uids: array[int] = field(init=False)
    _flags: dict[int, Flags] = field(init=False)
    _mod_seq: int = field(init=False)
    _listeners: list[IMailboxIMAPListener] = field(factory=list, init=False)
    _gone: set[int] = field(factory=set, init=False)
    _watch: IWatch | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._uids = array("I", (record.uid for record in self._records))
        self._flags = {record.uid: record.flags for record in self._records}
        self._mod_seq = self._snapshot.status.highest_mod_seq

    # -- what is known

    def getFlags(self) -> list[str]:
        flags = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"]
        return [*flags, *self._snapshot.keywords]

    def getHierarchicalDelimiter(self) -> str:
        return "/"

    def getUIDValidity(self) -> int:
        return self._mailbox.uid_validity

    def getUIDNext(self) -> int:
        last = self._uids[-1] + 1 if self._uids else 1
        return max(self._snapshot.status.uid_next, last)

    def getUID(self, message: int) -> int:
        return self._uids[message - 1]

    def getMessageCount(self) -> int:
        return len(self._uids)

    def getRecentCount(self) -> int:
        return len(self._snapshot.recent)

    def getUnseenCount(self) -> int:
        return sum("\\Seen" not in flags for flags in self._flags.values())

    def isWriteable(self) -> bool:
        return True

    def destroy(self) -> None:
        raise MailboxException("ask the account to delete it")

    def requestStatus(self, names: Iterable[str]) -> dict[str, int]:
        known = {
            "MESSAGES": self.getMessageCount,
            "RECENT": self.getRecentCount,
            "UIDNEXT": self.getUIDNext,
            "UIDVALIDITY": self.getUIDValidity,
            "UNSEEN": self.getUnseenCount,
        }
        return {name: known[name.upper()]() for name in names}

    # -- news

    def addListener(self, listener: IMailboxIMAPListener) -> None:
        self._listeners.append(listener)
        if self._watch is None:
            self._watch = self._mailbox.watch(self._hear)

    def removeListener(self, listener: IMailboxIMAPListener) -> None:
        self._listeners.remove(listener)
        if not self._listeners and self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _hear(self) -> None:
        news = Deferred.fromCoroutine(self._tell())
        news.addErrback(lambda failure: self.log.failure("news not told", failure))

    async def _tell(self) -> None:
        change = await self._mailbox.changes_since(self._mod_seq)
        self._mod_seq = change.mod_seq
        for record in change.arrived:
            if record.uid not in self._flags:
                self._uids.append(record.uid)
                self._flags[record.uid] = record.flags
        self._gone.update(uid for uid in self._flags if uid in change.vanished)
        numbers = {uid: n for n, uid in enumerate(self._uids, 1)}
        changed: dict[int, list[str]] = {}
        for record in change.flagged:
            if record.uid in numbers:
                self._flags[record.uid] = record.flags
                changed[numbers[record.uid]] = sorted(record.flags)
        for listener in list(self._listeners):
            if changed:
                listener.flagsChanged(changed)
            if change.arrived:
                listener.newMessages(len(self._uids), None)

    # -- what is asked

    def addMessage(
        self, message: IO[bytes] | bytes, flags: Iterable[str] = (), date: object = None
    ) -> Deferred[int]:
        """Fires with the UID when the message is durable."""
        octets = message if isinstance(message, bytes) else message.read()
        moment = parse_internal(str(date).encode()) if date else None
        new = NewMessage(
            Rewritten(octets),
            frozenset(canonical_flag(flag) for flag in flags),
            moment.timestamp() if moment else None,
        )
        return Deferred.fromCoroutine(self._append(new))

    def expunge(self) -> Deferred[list[int]]:
        """Fires with numbers, the highest first, as they are to be told."""
        return Deferred.fromCoroutine(self._expunge())

    def fetch(
        self, messages: MessageSet, uid: bool
    ) -> Deferred[list[tuple[int, Message]]]:
        """Fires with numbers and messages that are in memory: ask for few at a time."""
        return Deferred.fromCoroutine(self._fetch(messages, uid))

    def store(
        self, messages: MessageSet, flags: Sequence[str], mode: int, uid: bool
    ) -> Deferred[dict[int, list[str]]]:
        """Fires with the numbers and what their flags are now."""
        change = FlagChange(
            _ACTIONS[mode], frozenset(canonical_flag(flag) for flag in flags)
        )
        return Deferred.fromCoroutine(self._store(messages, change, uid))

    async def _append(self, new: NewMessage) -> int:
        (uid,) = await self._mailbox.append([new])
        await self._tell()
        return uid

    async def _expunge(self) -> list[int]:
        removed = await self._mailbox.expunge(ALL_UIDS)
        gone = self._gone.union(removed)
        numbers = [n for n, uid in enumerate(self._uids, 1) if uid in gone]
        self._uids = array("I", (uid for uid in self._uids if uid not in gone))
        for uid in gone:
            self._flags.pop(uid, None)
        self._gone.clear()
        return numbers[::-1]

    async def _fetch(
        self, messages: MessageSet, uid: bool
    ) -> list[tuple[int, Message]]:
        numbers = {self._uids[n - 1]: n for n in self._numbers(messages, uid)}
        uids = UIDSet.of(numbers)
        records = {
            record.uid: record
            for record in await self._mailbox.fetch(uids, Want.FACTS | Want.FLAGS)
        }
        return [
            (numbers[one], Message(await read_whole(content), records[one]))
            for one, content in await self._mailbox.contents(uids)
            if one in records
        ]

    async def _store(
        self, messages: MessageSet, change: FlagChange, uid: bool
    ) -> dict[int, list[str]]:
        numbers = {self._uids[n - 1]: n for n in self._numbers(messages, uid)}
        uids = UIDSet.of(numbers)
        await self._mailbox.store(uids, change)
        records = await self._mailbox.fetch(uids, Want.FLAGS)
        self._flags.update((record.uid, record.flags) for record in records)
        return {numbers[record.uid]: sorted(record.flags) for record in records}

    def _numbers(self, messages: MessageSet, uid: bool) -> Iterator[int]:
        if not messages.last:
            messages.last = self._uids[-1] if uid and self._uids else len(self._uids)
        wanted = UIDSet.of_ranges((low, high) for low, high in messages.ranges)
        if uid:
            return (n for n, one in enumerate(self._uids, 1) if one in wanted)
        return iter(wanted & UIDSet(((1, len(self._uids)),)) if self._uids else ())
