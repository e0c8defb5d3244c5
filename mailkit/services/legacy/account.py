"""An account as `twisted.mail.imap4.IAccount`, and the portal that opens it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine

from attrs import define, field
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.error import LoginDenied
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.mail.imap4 import MailboxException
from twisted.mail.interfaces import IAccountIMAP, IMailboxIMAP, IMailboxPOP3
from twisted.python.failure import Failure
from zope.interface import Interface, implementer

from mailkit.errors import Refused
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.services.legacy.opened import open_mailbox

Avatar = tuple[type[Interface], object, Callable[[], None]]
"""What a portal hands out: which interface, who provides it, how to log out."""


@define
class Listed:
    """A mailbox in a listing: its attributes, and that is all LIST asks."""

    flags: list[str]

    def getFlags(self) -> list[str]:
        return self.flags

    def getHierarchicalDelimiter(self) -> str:
        return "/"


@implementer(IAccountIMAP)
@define(eq=False)
class IMAP4Account:
    """
    The mailboxes of one account.

    twisted.mail answers CREATE, DELETE, RENAME and SUBSCRIBE without waiting; what
    goes wrong with them later is in the log. `mailkit.factories` has a server of our
    own that waits.
    """

    log = Logger()

    store: IMailStore
    account: AccountName
    _subscribed: set[str] = field(factory=set, init=False)

    def addMailbox(self, name: str, mbox: object = None) -> bool:
        raise MailboxException("mailboxes of others have no place here")

    def select(self, name: str, rw: bool = True) -> Deferred[object]:
        """Fires with an `imap4.IMailbox`, or ``None`` where there is none."""
        return Deferred.fromCoroutine(self._select(name))

    def create(self, pathspec: str) -> bool:
        self._start(self.store.create(self.account, _name(pathspec)))
        return True

    def delete(self, name: str) -> None:
        self._start(self.store.delete(self.account, _name(name)))

    def rename(self, oldname: str, newname: str) -> None:
        self._start(self.store.rename(self.account, _name(oldname), _name(newname)))

    def isSubscribed(self, name: str) -> bool:
        """As of the last `listMailboxes`."""
        return name in self._subscribed

    def subscribe(self, name: str) -> None:
        self._start(self.store.subscribe(self.account, _name(name), True))

    def unsubscribe(self, name: str) -> None:
        self._start(self.store.subscribe(self.account, _name(name), False))

    def listMailboxes(self, ref: str, wildcard: str) -> Deferred[list[object]]:
        """Fires with names and what `getFlags` of them says."""
        return Deferred.fromCoroutine(self._list(ref + wildcard))

    async def _select(self, name: str) -> object:
        try:
            opened = await open_mailbox(self.store, self.account, _name(name))
        except Refused:
            return None
        return IMailboxIMAP(opened)

    async def _list(self, pattern: str) -> list[object]:
        entries = await self.store.mailboxes(self.account)
        self._subscribed = {entry.name for entry in entries if entry.is_subscribed}
        found: list[object] = []
        for entry in entries:
            if _matches(pattern, entry.name):
                flags = [] if entry.is_selectable else ["\\Noselect"]
                flags += ["\\HasChildren" if entry.has_children else "\\HasNoChildren"]
                found.append((entry.name, Listed(flags)))
        return found

    def _start(self, work: Coroutine[Deferred[object], object, None]) -> None:
        failures: list[Failure] = []

        def note(failure: Failure) -> None:
            failures.append(failure)
            self.log.warn(
                "{account}: not done: {reason}",
                account=self.account,
                reason=type(failure.value).__name__,
            )

        Deferred.fromCoroutine(work).addErrback(note)
        if failures:  # at once, so that twisted.mail can still say so
            raise MailboxException(type(failures[0].value).__name__)


@implementer(IRealm)
@define(eq=False)
class Realm:
    """Opens accounts for `twisted.cred`, as ``IMailbox`` of POP3 or ``IAccount``."""

    store: IMailStore

    def requestAvatar(
        self,
        avatarId: bytes | tuple[()],
        mind: object,
        *interfaces: type[Interface],
    ) -> Deferred[Avatar]:
        if isinstance(avatarId, tuple):
            raise LoginDenied("nobody is nobody's account")
        name = AccountName(avatarId.decode())
        return Deferred.fromCoroutine(self._avatar(name, interfaces))

    async def _avatar(
        self, account: AccountName, interfaces: tuple[type[Interface], ...]
    ) -> Avatar:
        if IAccountIMAP in interfaces:
            return IAccountIMAP, IMAP4Account(self.store, account), lambda: None
        if IMailboxPOP3 in interfaces:
            hold = await self.store.exclusively(account, INBOX)
            try:
                opened = await open_mailbox(self.store, account, INBOX)
            except BaseException:
                hold.stop()
                raise
            return IMailboxPOP3, IMailboxPOP3(opened), hold.stop
        raise NotImplementedError(*interfaces)


def portal_for(store: IMailStore, checker: ICredentialsChecker) -> Portal:
    """A portal over our store and directory, for servers of twisted.mail."""
    return Portal(Realm(store), [checker])


def _name(name: str) -> MailboxName:
    return INBOX if name.upper() == "INBOX" else MailboxName(name)


def _matches(pattern: str, name: str) -> bool:
    """LIST: ``*`` is anything, ``%`` anything but ``/`` (RFC 3501 §6.3.8)."""
    spots = {0}
    for letter in pattern:
        if letter in "*%":
            stop = "/" if letter == "%" else None
            spread = set(spots)
            for spot in spots:
                while spot < len(name) and name[spot] != stop:
                    spot += 1
                    spread.add(spot)
            spots = spread
        else:
            spots = {s + 1 for s in spots if s < len(name) and name[s] == letter}
    return len(name) in spots
