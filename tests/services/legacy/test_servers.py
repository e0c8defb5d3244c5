"""Servers of twisted.mail over our store, asked as their clients do."""

from __future__ import annotations

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.mail import imap4, pop3
from twisted.trial.unittest import TestCase

from mailkit.interfaces.storage import NewMessage
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.delivery.content import Rewritten
from mailkit.services.legacy.account import IMAP4Account, portal_for
from mailkit.services.legacy.opened import open_mailbox
from mailkit.storage.memory.store import MemoryStore

ANNA = AccountName("anna@example.org")
ONE = b"Subject: one\r\nFrom: a@example.net\r\n\r\nfirst\r\n.dot\r\n"
TWO = (
    b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n'
    b"--x\r\nContent-Type: text/plain\r\n\r\npart\r\n--x--\r\n"
)


class ServerCase(TestCase):
    def setUp(self) -> None:
        self.store = MemoryStore()
        checker = InMemoryUsernamePasswordDatabaseDontUse(**{ANNA: b"secret"})
        self.portal = portal_for(self.store, checker)
        for octets in (ONE, TWO):
            self.append(octets)
        self.transport = StringTransport()

    async def heard(self, ending: bytes) -> bytes:
        """What the server says until ``ending``; it works in turns of the reactor."""
        for _ in range(50):
            await deferLater(reactor, 0, lambda: None)
            producer = self.transport.producer
            if producer is not None and not self.transport.streaming:
                producer.resumeProducing()
            elif ending in self.transport.value():
                break
        said: bytes = self.transport.value()
        return said

    def append(self, octets: bytes) -> None:
        async def run() -> None:
            inbox = await self.store.open(ANNA, INBOX)
            await inbox.append([NewMessage(Rewritten(octets))])

        self.successResultOf(Deferred.fromCoroutine(run()))

    def left(self) -> int:
        async def run() -> int:
            inbox = await self.store.open(ANNA, INBOX)
            return (await inbox.status()).exists

        return self.successResultOf(Deferred.fromCoroutine(run()))


class POP3Tests(ServerCase):
    async def setUp(self) -> None:  # type: ignore[override]  # trial awaits it
        super().setUp()
        self.server = pop3.POP3()
        self.addCleanup(self.server.setTimeout, None)
        setattr(self.server, "portal", self.portal)  # noqa: B010 - typed as None
        self.server.makeConnection(self.transport)
        await self.say(b"USER " + ANNA.encode())
        self.assertIn(b"+OK", await self.say(b"PASS secret"))

    async def say(self, line: bytes, until: bytes = b"\r\n") -> bytes:
        self.transport.clear()
        self.server.dataReceived(line + b"\r\n")
        return await self.heard(until)

    async def test_read(self) -> None:
        """Numbers, sizes, ids and octets are ours."""
        total = len(ONE) + len(TWO)
        self.assertEqual(await self.say(b"STAT"), b"+OK 2 %d\r\n" % total)
        self.assertIn(
            b"1 %d\r\n2 %d\r\n" % (len(ONE), len(TWO)), await self.say(b"LIST")
        )
        self.assertIn(b"1 00000001", await self.say(b"UIDL"))
        said = await self.say(b"RETR 1", b"\r\n.\r\n")
        self.assertIn(b"first\r\n..dot\r\n.\r\n", said)
        self.assertIn(b"-ERR", await self.say(b"RETR 3"))

    async def test_delete(self) -> None:
        """What is marked goes at QUIT, unless the marks are taken off."""
        self.assertIn(b"+OK", await self.say(b"DELE 1"))
        self.assertIn(b"-ERR", await self.say(b"RETR 1"))
        await self.say(b"RSET")
        self.assertIn(b"+OK", await self.say(b"RETR 1"))
        await self.say(b"DELE 2")
        await self.say(b"QUIT")
        self.assertEqual(self.left(), 1)

    async def test_one_at_a_time(self) -> None:
        """A second session does not get the mailbox; when the first ends it does."""
        other, transport = pop3.POP3(), StringTransport()
        self.addCleanup(other.setTimeout, None)
        setattr(other, "portal", self.portal)  # noqa: B010 - typed as None
        other.makeConnection(transport)
        other.dataReceived(b"USER %s\r\nPASS secret\r\n" % ANNA.encode())
        self.assertIn(b"-ERR", transport.value())
        self.flushLoggedErrors()
        await self.say(b"QUIT")
        self.server.connectionLost(None)
        transport.clear()
        other.dataReceived(b"USER %s\r\nPASS secret\r\n" % ANNA.encode())
        self.assertIn(b"+OK", transport.value())


class IMAP4Tests(ServerCase):
    async def setUp(self) -> None:  # type: ignore[override]  # trial awaits it
        super().setUp()
        self.server = imap4.IMAP4Server()
        self.addCleanup(self.server.setTimeout, None)
        setattr(self.server, "portal", self.portal)  # noqa: B010 - typed as None
        self.server.makeConnection(self.transport)
        self.count = 0
        self.assertIn(b"OK LOGIN", await self.say(b"LOGIN %s secret" % ANNA.encode()))
        selected = await self.say(b"SELECT INBOX")
        self.assertIn(b"* 2 EXISTS", selected)
        self.assertIn(b"READ-WRITE", selected)

    async def say(self, command: bytes, until: bytes = b"") -> bytes:
        self.count += 1
        self.transport.clear()
        self.server.dataReceived(b"t%d %s\r\n" % (self.count, command))
        return await self.heard(until or b"t%d " % self.count)

    async def test_fetch(self) -> None:
        """Flags, headers, bodies and parts, by number and by UID."""
        said = await self.say(b"FETCH 1:* (UID FLAGS RFC822.SIZE)")
        self.assertIn(b"* 1 FETCH (UID 1 ", said)
        self.assertIn(b"RFC822.SIZE %d" % len(ONE), said)
        self.assertIn(b"first\r\n.dot", await self.say(b"UID FETCH 1 BODY[TEXT]"))
        self.assertIn(b"one", await self.say(b"FETCH 1 BODY[HEADER.FIELDS (Subject)]"))
        self.assertIn(b"part", await self.say(b"FETCH 2 BODY[1]"))
        self.assertIn(b"INTERNALDATE", await self.say(b"FETCH 1 INTERNALDATE"))
        self.assertIn(b"multipart/mixed", await self.say(b"FETCH 2 BODY[]"))

    async def test_store_and_expunge(self) -> None:
        self.assertIn(b"\\Flagged", await self.say(b"STORE 2 +FLAGS (\\Flagged)"))
        self.assertIn(b"FLAGS ()", await self.say(b"STORE 2 FLAGS ()"))
        await self.say(b"UID STORE 1 +FLAGS (\\Deleted)")
        self.assertIn(b"* 1 EXPUNGE", await self.say(b"EXPUNGE"))
        self.assertEqual(self.left(), 1)

    async def test_news(self) -> None:
        """What others deliver is told; what they remove keeps its number for now."""
        self.transport.clear()
        self.append(ONE)
        self.assertIn(b"* 3 EXISTS", self.transport.value())
        await self.say(b"STORE 1 +FLAGS.SILENT (\\Deleted)")

        async def others() -> None:
            inbox = await self.store.open(ANNA, INBOX)
            await inbox.expunge(ALL_UIDS)

        self.successResultOf(Deferred.fromCoroutine(others()))
        self.assertIn(b"* 3 FETCH", await self.say(b"FETCH 3 UID"))
        self.assertIn(b"* 1 EXPUNGE", await self.say(b"EXPUNGE"))
        self.assertIn(b"* 2 FETCH (UID 3", await self.say(b"FETCH 2 UID"))

    async def test_append(self) -> None:
        said = await self.say(b"APPEND INBOX (\\Seen) {%d}" % len(ONE), b"+")
        self.assertIn(b"+", said)
        self.transport.clear()
        self.server.dataReceived(ONE + b"\r\n")
        self.assertIn(b"OK", self.transport.value())
        self.assertEqual(self.left(), 3)

    async def test_mailboxes(self) -> None:
        """Made, listed, subscribed, renamed and deleted."""
        self.assertIn(b"OK", await self.say(b"CREATE Work"))
        self.assertIn(b"NO", await self.say(b"CREATE Work"))
        self.assertIn(b'"/" "Work"', await self.say(b'LIST "" "W%"'))
        await self.say(b"SUBSCRIBE Work")
        self.assertIn(b"Work", await self.say(b'LSUB "" "*"'))
        await self.say(b"UNSUBSCRIBE Work")
        self.assertNotIn(b"Work", await self.say(b'LSUB "" "*"'))
        self.assertIn(b"OK", await self.say(b"RENAME Work Play"))
        self.assertIn(
            b"MESSAGES 0", await self.say(b"STATUS Play (MESSAGES UIDNEXT UNSEEN)")
        )
        self.assertIn(b"OK", await self.say(b"DELETE Play"))
        self.assertIn(b"NO", await self.say(b"SELECT Play"))

    async def test_close(self) -> None:
        await self.say(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
        await self.say(b"CLOSE")
        self.assertEqual(self.left(), 1)


class AdapterTests(ServerCase):
    async def test_registered(self) -> None:
        """`components` turns an opened mailbox into either interface."""
        opened = self.successResultOf(
            Deferred.fromCoroutine(open_mailbox(self.store, ANNA, INBOX))
        )
        self.assertEqual(imap4.IMailbox(opened).getMessageCount(), 2)
        self.assertEqual(pop3.IMailbox(opened).listMessages(0), len(ONE))

    async def test_what_there_is_not(self) -> None:
        account = IMAP4Account(self.store, ANNA)
        with self.assertRaises(imap4.MailboxException):
            account.addMailbox("x")
        opened = self.successResultOf(
            Deferred.fromCoroutine(
                open_mailbox(self.store, ANNA, MailboxName("Drafts"))
            )
        )
        with self.assertRaises(imap4.MailboxException):
            imap4.IMailbox(opened).destroy()
