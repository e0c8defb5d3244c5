"""A store in a folder of its own, everything done at once, time by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.storage import IWatch
from mailkit.model.address import AccountName
from mailkit.storage.maildir.house import MaildirSettings
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.safefile import Files
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes

ALICE = AccountName("alice@example.org")
BOB = AccountName("bob@example.org")

LETTER = b"From: a@b\r\nSubject: one\r\nMessage-ID: <1@b>\r\n\r\nHello.\r\n"


@implementer(IWatch)
@define(eq=False)
class Hearing:
    """One who listens to a `Board`."""

    _among: list[tuple[str, Callable[[str], None]]]
    _one: tuple[str, Callable[[str], None]]

    def stop(self) -> None:
        if self._one in self._among:
            self._among.remove(self._one)


@implementer(INoticeBoard)
@define(eq=False)
class Board:
    """A notice board that tells at once, and remembers."""

    told: list[tuple[str, str]] = field(factory=list)
    _hearing: list[tuple[str, Callable[[str], None]]] = field(factory=list)

    def publish(self, topic: str, text: str = "") -> None:
        self.told.append((topic, text))
        for one, hear in tuple(self._hearing):
            if one == topic:
                hear(text)

    def hear(self, topic: str, hear: Callable[[str], None]) -> IWatch:
        self._hearing.append((topic, hear))
        return Hearing(self._hearing, (topic, hear))


@define(eq=False)
class Place:
    """A data folder, and stores over it as processes would open them."""

    data: Path
    clock: TestClock = field(factory=TestClock)
    board: Board = field(factory=Board)
    quota: int = 0
    files: Files = field(factory=Files)
    settings: MaildirSettings = field(factory=MaildirSettings)

    def store(self) -> MaildirStore:
        """Another process's store, or the next one's."""
        return MaildirStore(
            self.data,
            DirectLanes(),
            self.board,
            self.clock,
            self._quota_of,
            self.settings,
            files=self.files,
        )

    async def _quota_of(self, account: AccountName) -> int:
        return self.quota

    def maildir(self, folder: str = "") -> Path:
        """A mailbox's folder of Alice."""
        return self.data / "mail/example.org/alice/Maildir" / folder
