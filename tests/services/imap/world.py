"""
A whole small IMAP server over memory stores, for transcripts and tests of sessions.

Its accounts are ``alice@example.org`` (password ``wonderland``), ``bob@example.org``
(``builder``, a quota of 10,000 octets) and ``carol@example.org``, who is suspended.
It stands at New Year 2026.
"""

from __future__ import annotations

from pathlib import Path

import attrs
from attrs import define, field
from twisted.internet.interfaces import IProtocol

from mailkit.interfaces.storage import IMailStore, ISpool, NewMessage
from mailkit.metrics import Metrics
from mailkit.model.account import Role
from mailkit.model.address import AccountName, DomainName
from mailkit.model.flags import FlagAction, FlagChange, Flags
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS, UIDSet
from mailkit.net.pump import Pump, Surroundings
from mailkit.services.authentication import Authentication
from mailkit.services.imap.build import imap
from mailkit.services.imap.dialogue import IMAPHouse
from mailkit.services.imap.settings import IMAPSettings
from mailkit.services.sessions import Sessions
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.memory.directory import MemoryDirectory
from mailkit.storage.memory.spool import MemorySpool
from mailkit.storage.memory.store import MemoryStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.lanes import DirectLanes
from mailkit.testing.tls import PretendedTLS
from tests.storage.maildir.doubles import Board
from tests.transcript import Action, Wire

ALICE = AccountName("alice@example.org")
BOB = AccountName("bob@example.org")
CAROL = AccountName("carol@example.org")
HOSTNAME = "mail.example.org"
QUOTAS = {BOB: 10_000}
GOLDEN = Path(__file__).parents[2] / "golden"


async def quota_of(account: AccountName) -> int:
    return QUOTAS.get(account, 0)


@define(eq=False)
class World:
    """The server; each part of it may be changed before it is used."""

    settings: IMAPSettings = field(factory=IMAPSettings)
    clock: TestClock = field(factory=TestClock)
    data: Path | None = None
    """A folder for a store on disk; ``None``: it is in memory."""
    store: IMailStore = field(init=False)
    spool: ISpool = field(factory=MemorySpool)
    directory: MemoryDirectory = field(init=False)
    sessions: Sessions = field(init=False)
    metrics: Metrics = field(factory=Metrics)
    authentication: Authentication = field(init=False)
    has_tls: bool = True
    pumps: list[Pump] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryStore(quota_of, self.clock.seconds)
        if self.data is not None:
            self.store = MaildirStore(
                self.data,
                DirectLanes(),
                Board(),
                self.clock,
                quota_of,
                now=self.clock.seconds,
            )
            at_once(self.store.create_account(ALICE))
        self.directory = MemoryDirectory(self.clock.seconds)
        at_once(self._fill())
        self.sessions = Sessions(self.directory)
        self.authentication = Authentication.over(
            self.directory, self.directory, DirectLanes(), self.clock
        )

    async def _fill(self) -> None:
        directory = self.directory
        await directory.add_domain(DomainName("example.org"))
        for name, secret in (
            (ALICE, "{PLAIN}wonderland"),
            (BOB, "{PLAIN}builder"),
            (CAROL, "{PLAIN}carol"),
        ):
            await directory.add_account(name, Role.USER, QUOTAS.get(name))
            await directory.set_password(name, secret, None, False)
        await self.suspend(CAROL)

    async def suspend(self, name: AccountName) -> None:
        account = await self.directory.account(name)
        assert account is not None
        await self.directory.change_account(attrs.evolve(account, is_suspended=True))

    @property
    def house(self) -> IMAPHouse:
        return IMAPHouse(
            HOSTNAME,
            self.store,
            self.spool,
            self.authentication,
            self.sessions,
            self.clock,
            self.metrics,
            quota_of,
            self.settings,
        )

    def protocol(self) -> IProtocol:
        """The server's side of one connection."""
        upgrade = PretendedTLS() if self.has_tls else None
        around = Surroundings("imap", self.clock, upgrade=upgrade)
        self.pumps.append(Pump(imap(self.house), around))
        return self.pumps[-1]

    def close(self) -> None:
        """Whoever is still connected leaves."""
        for pump in self.pumps:
            if pump.transport is not None:
                assert isinstance(pump.transport, Wire)
                pump.transport.leave()
        at_once(self.store.close())

    # -- what happens beside the dialogue

    def deliver(
        self,
        octets: bytes,
        mailbox: str = INBOX,
        flags: Flags = frozenset(),
        account: AccountName = ALICE,
    ) -> int:
        """Somebody else adds a message; its UID."""

        async def add() -> int:
            box = await self.store.open(account, MailboxName(mailbox))
            new = NewMessage(OctetsContent(octets), flags, self.clock.seconds())
            [uid] = await box.append([new])
            return uid

        return at_once(add())

    def change(
        self, action: FlagAction, flags: Flags, uids: UIDSet, mailbox: str = INBOX
    ) -> None:
        """Somebody else changes flags."""

        async def change() -> None:
            box = await self.store.open(ALICE, MailboxName(mailbox))
            await box.store(uids, FlagChange(action, flags))

        at_once(change())

    def expunge(self, uids: UIDSet = ALL_UIDS, mailbox: str = INBOX) -> None:
        """Somebody else removes messages for good."""

        async def expunge() -> None:
            box = await self.store.open(ALICE, MailboxName(mailbox))
            deleted = FlagChange(FlagAction.ADD, frozenset({"\\Deleted"}))
            await box.store(uids, deleted)
            await box.expunge(uids)

        at_once(expunge())

    # -- actions of transcripts

    @property
    def actions(self) -> dict[str, Action]:
        return {
            "stranger": lambda words: None,
            "deliver": self._deliver,
            "flag": self._flag,
            "vanish": self._vanish,
            "unmark": self._unmark,
            "create": self._create,
            "delete": self._delete,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "suspend": self._suspend,
            "fill": lambda words: self._fill_spool(True),
            "empty": lambda words: self._fill_spool(False),
            "pass": lambda seconds: self.clock.advance(float(seconds)),
        }

    def _deliver(self, words: str) -> None:
        """``-- deliver GOLDEN|SUBJECT [in MAILBOX] [with FLAGS]``"""
        words, _, flags = words.partition(" with ")
        subject, _, mailbox = words.partition(" in ")
        golden = GOLDEN / f"{subject}.eml"
        octets = _letter(subject)
        if golden.exists():
            octets = golden.read_bytes().replace(b"\r\n", b"\n")
            octets = octets.replace(b"\n", b"\r\n")
        self.deliver(octets, mailbox or INBOX, frozenset(flags.split()))

    def _flag(self, words: str) -> None:
        """``-- flag UIDS FLAGS``: somebody else adds flags."""
        uids, *flags = words.split()
        self.change(FlagAction.ADD, frozenset(flags), _uids(uids))

    def _unmark(self, words: str) -> None:
        """``-- unmark UIDS FLAGS``: somebody else takes flags away."""
        uids, *flags = words.split()
        self.change(FlagAction.REMOVE, frozenset(flags), _uids(uids))

    def _vanish(self, words: str) -> None:
        """``-- vanish UIDS [in MAILBOX]``"""
        uids, _, mailbox = words.partition(" in ")
        self.expunge(_uids(uids), mailbox or INBOX)

    def _create(self, name: str) -> None:
        at_once(self.store.create(ALICE, MailboxName(name)))

    def _delete(self, name: str) -> None:
        at_once(self.store.delete(ALICE, MailboxName(name)))

    def _subscribe(self, name: str) -> None:
        at_once(self.store.subscribe(ALICE, MailboxName(name), True))

    def _unsubscribe(self, name: str) -> None:
        at_once(self.store.subscribe(ALICE, MailboxName(name), False))

    def _fill_spool(self, is_full: bool) -> None:
        assert isinstance(self.spool, MemorySpool)
        self.spool.is_full = is_full

    def _suspend(self, name: str) -> None:
        at_once(self.suspend(AccountName(name)))


def _letter(subject: str) -> bytes:
    return (
        "From: Terry Gray <gray@cac.washington.edu>\r\n"
        "To: imap@cac.washington.edu\r\n"
        f"Subject: {subject}\r\n"
        "Date: Wed, 17 Jul 1996 02:23:25 -0700\r\n"
        f"Message-ID: <{subject.replace(' ', '.')}@example.org>\r\n"
        "\r\n"
        f"This is {subject}.\r\n"
    ).encode()


def _uids(text: str) -> UIDSet:
    pairs = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        pairs.append((int(first), int(last or first)))
    return UIDSet.of_ranges(pairs)
