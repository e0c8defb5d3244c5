"""The messages that one POP3 session sees: numbers above, UIDs below (RFC 1939 §4)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from attrs import define, field

from mailkit.interfaces.storage import IContent, IMailbox, IMailStore, IWatch
from mailkit.model.address import AccountName
from mailkit.model.flags import DELETED, FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, Want
from mailkit.model.uidset import UIDSet

AHEAD = 32
"""Messages read at once for a client that asks for one after the other."""

AHEAD_OCTETS = 262_144
"""Octets of messages that a session may hold before they are asked for."""

BATCH = 1_000
"""Rows asked for at once."""

_DELETE = FlagChange(FlagAction.ADD, frozenset({DELETED}))


@define(eq=False)
class Maildrop:
    """
    The INBOX of one account as it was at login, held against other POP3 sessions.

    Numbers begin at 1 and never move; what arrives later is for the next session.
    """

    _mailbox: IMailbox
    _hold: IWatch
    _uids: array[int]
    _sizes: array[int]
    _deleted: set[int] = field(factory=set, init=False)
    _ahead: dict[int, IContent] = field(factory=dict, init=False)
    _asked_last: int = field(default=0, init=False)
    octets: int = field(default=0, init=False)
    """Of all messages that are not marked as deleted."""

    @classmethod
    async def open(cls, store: IMailStore, account: AccountName) -> Maildrop:
        """
        Take the INBOX for this session alone.

        :raises MailboxInUse: if another POP3 session has it.
        """
        hold = await store.exclusively(account, INBOX)
        try:
            mailbox = await store.open(account, INBOX)
            snapshot = await mailbox.snapshot(False)
            uids, sizes = array("I"), array("Q")
            for batch in _batches(snapshot.uids):
                for record in await mailbox.fetch(batch, Want.FACTS):
                    uids.append(record.uid)
                    sizes.append(record.size)
        except BaseException:
            hold.stop()
            raise
        drop = cls(mailbox, hold, uids, sizes)
        drop.octets = sum(sizes)
        return drop

    @property
    def count(self) -> int:
        """Messages that are not marked as deleted."""
        return len(self._uids) - len(self._deleted)

    def knows(self, number: int) -> bool:
        """Whether there is such a message, and it is not marked as deleted."""
        return 0 < number <= len(self._uids) and number not in self._deleted

    def is_deleted(self, number: int) -> bool:
        return number in self._deleted

    def numbers(self) -> Iterator[int]:
        """All that are not marked as deleted, ascending."""
        every = range(1, len(self._uids) + 1)
        return (n for n in every if n not in self._deleted)

    def size(self, number: int) -> int:
        """Octets, as RETR sends them before dots are doubled."""
        return int(self._sizes[number - 1])

    def unique_id(self, number: int) -> str:
        """Eight hex digits of the UID, eight of UIDVALIDITY."""
        return f"{self._uids[number - 1]:08x}{self._mailbox.uid_validity:08x}"

    def delete(self, number: int) -> None:
        """Mark a message; it goes at `update`."""
        self._deleted.add(number)
        self._ahead.pop(number, None)
        self.octets -= self.size(number)

    def reset(self) -> None:
        """Take all marks off."""
        self.octets += sum(self.size(number) for number in self._deleted)
        self._deleted.clear()

    async def content(self, number: int) -> IContent | None:
        """The octets of a message; ``None`` when it has gone since the login."""
        if number not in self._ahead:
            await self._read(number)
        self._asked_last = number
        return self._ahead.pop(number, None)

    async def update(self) -> None:
        """Remove what is marked, all or none (RFC 1939 §6)."""
        if self._deleted:
            uids = UIDSet.of(self._uids[number - 1] for number in self._deleted)
            await self._mailbox.store(uids, _DELETE)
            await self._mailbox.expunge(uids)

    def close(self) -> None:
        """Let others have it. Safe to call twice."""
        self._hold.stop()

    async def _read(self, number: int) -> None:
        self._ahead.clear()
        wanted = {self._uids[number - 1]: number}
        if number == self._asked_last + 1:  # somebody reads them all
            octets = self.size(number)
            for follower in range(number + 1, number + AHEAD):
                if not self.knows(follower):
                    break
                octets += self.size(follower)
                if octets > AHEAD_OCTETS:
                    break
                wanted[self._uids[follower - 1]] = follower
        for uid, content in await self._mailbox.contents(UIDSet.of(wanted)):
            self._ahead[wanted[uid]] = content


def _batches(uids: array[int]) -> Iterator[UIDSet]:
    for start in range(0, len(uids), BATCH):
        piece = uids[start : start + BATCH]
        yield UIDSet(((piece[0], piece[-1]),))
