"""Mail goes out to smtp-sink, to Dovecot's LMTP, to Postfix, and to ourselves."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import TestCase

from mailkit.errors import Unreachable
from mailkit.interfaces.queue import Carried, NextHost
from mailkit.metrics import Metrics
from mailkit.model.envelope import BodyType, SenderParameters
from mailkit.model.tlspolicy import OPPORTUNISTIC, TLSLevel, TLSPolicy
from mailkit.net.relay.fitting import Octets
from mailkit.net.relay.relay import Relay
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.relay.tls import make_client_context
from tests.interop.conftest import ALICE, BOB
from tests.interop.dovecot import Dovecot, dovecot_with_lmtp
from tests.interop.postfix import Postfix, postfix_at, program
from tests.interop.server import (
    PASSWORD,
    Server,
    can_connect,
    free_ports,
    wait_until,
)
from tests.net.relay.world import OnDisk, item, told

TEXT = (
    b"From: x@elsewhere.test\r\nTo: bob@example.test\r\nSubject: out\r\n"
    b"Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@elsewhere.test>\r\n\r\n"
    b"Hello\r\n.\r\n..dots\r\n\r\n.\r\n"
)
WIDE = TEXT.replace(b"Hello", "Grüße".encode())
LARGE = TEXT + b"0123456789abcdef" * 4 + b"\r\n" + (b".x" * 35 + b"\r\n") * 60_000


def can_connect_by(path: str) -> bool:
    """Whether somebody listens at a Unix socket, which is there before they do."""
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(path)
        except OSError:
            return False
    return True


def loopback(port: int, **about: Any) -> NextHost:  # of `NextHost`
    about = {"policy": OPPORTUNISTIC, **about}
    return NextHost(name="localhost", address="127.0.0.1", port=port, **about)


class Going(TestCase):
    """Carries from the reactor of this very process."""

    timeout = 180

    def setUp(self) -> None:
        self.relay = Relay(reactor, "us.test", Metrics(), RelaySettings(messages=50))

    async def at_once(self, *work: Coroutine[Any, Any, Carried]) -> list[Carried]:
        """All of it beside each other."""
        started = [Deferred.fromCoroutine(each) for each in work]
        found: list[Carried] = await gatherResults(started, consumeErrors=True)
        return found


class SinkTests(Going):
    """Postfix's own sink, told to misbehave in many ways."""

    def sink(self, *words: str, address: str = "") -> NextHost:
        (port,) = free_ports(1)
        folder = Path(tempfile.mkdtemp(prefix="mailkit-"))
        folder.chmod(0o777)
        self.addCleanup(shutil.rmtree, folder)
        self.folder = folder
        if os.geteuid() == 0:
            words = ("-u", "nobody", *words)
        target = address.format(folder=folder) or f"127.0.0.1:{port}"
        process = subprocess.Popen(
            [program("smtp-sink"), *words, target, "100"],
            cwd=folder,
            stderr=subprocess.PIPE,
        )

        def end() -> None:
            process.terminate()
            process.communicate()

        self.addCleanup(end)
        if address:
            path = str(folder / "sink")
            wait_until("the sink listens", lambda: can_connect_by(path))
            return NextHost(name="sink", address=path, port=0, policy=OPPORTUNISTIC)
        wait_until("the sink listens", lambda: can_connect(port))
        return loopback(port)

    def dumped(self) -> list[bytes]:
        return [path.read_bytes() for path in self.folder.glob("dump.*")]

    async def test_octet_by_octet(self) -> None:
        """Dots and all; over few connections."""
        host = self.sink("-d", "dump.")
        work = [self.relay.carry(host, item(BOB), Octets(TEXT)) for _ in range(120)]
        for carried in await self.at_once(*work):
            self.assertEqual(told(carried), ["bob sent 2.0.0 250 2.0.0 Ok"])
        await self.relay.close()
        expected = TEXT.replace(b"\r\n", b"\n").rstrip()

        def all_are_whole() -> bool:
            dumps = [each.replace(b"\r\n", b"\n").rstrip() for each in self.dumped()]
            return [each.endswith(expected) for each in dumps] == [True] * 120

        wait_until("all are there, dots and all", all_are_whole)

    async def test_a_large_one(self) -> None:
        host = self.sink("-d", "dump.")
        content, line = OnDisk(LARGE), b".x" * 35 + b"\n"
        (carried,) = await self.at_once(self.relay.carry(host, item(BOB), content))
        self.assertEqual(told(carried), ["bob sent 2.0.0 250 2.0.0 Ok"])
        self.assertLessEqual(max(count for _, count in content.reads), 65_536)
        await self.relay.close()
        wait_until(
            "all of it is there",
            lambda: [dump.count(line) for dump in self.dumped()] == [60_000],
        )
        (dump,) = self.dumped()
        self.assertNotIn(b"\n..x", dump)

    async def test_kinds_of_hosts(self) -> None:
        rows: Sequence[tuple[Sequence[str], str, str]] = [
            (["-e"], "relayed", "250"),
            (["-P"], "relayed", "250"),
            (["-p"], "sent", "250 2.0.0 Ok"),
            (["-8"], "sent", "250 2.0.0 Ok"),
            (["-N"], "relayed", "250 2.0.0 Ok"),
            (["-E"], "sent", "250 2.0.0 Ok"),
            (["-r", "RCPT"], "waiting", "450 4.3.0 Error: command failed"),
            (["-f", "RCPT"], "failed", "500 5.3.0 Error: command failed"),
            (["-r", "MAIL"], "waiting", "450 4.3.0 Error: command failed"),
            (["-f", "MAIL"], "failed", "500 5.3.0 Error: command failed"),
            (["-r", "DATA"], "waiting", "450 4.3.0 Error: command failed"),
            (["-f", "."], "failed", "500 5.3.0 Error: command failed"),
            (["-Q", "RCPT"], "waiting", "421 4.0.0 Server closing connection"),
            (["-q", "RCPT"], "waiting",
             "it closed the connection, before its reply to RCPT"),
            (["-q", "."], "waiting",
             "it closed the connection, before its reply to the message"),
        ]  # fmt: skip
        for words, fate, said in rows:
            host = self.sink(*words)
            carried = await self.relay.carry(
                host,
                item(BOB, parameters=SenderParameters(body=BodyType.EIGHT_BIT)),
                Octets(WIDE),
            )
            (report,) = carried.reports
            self.assertEqual(report.fate.value, fate, words)
            self.assertIn(said, report.words, words)
            self.assertEqual(carried.is_doubtful, words == ["-q", "."])
        await self.relay.close()

    async def test_unreachable(self) -> None:
        for words in (["-f", "CONNECT"], ["-q", "CONNECT"], ["-f", "EHLO,HELO"]):
            host = self.sink(*words)
            with self.assertRaises(Unreachable):
                await self.relay.carry(host, item(BOB), Octets(TEXT))
        (port,) = free_ports(1)
        with self.assertRaisesRegex(Unreachable, "connection refused"):
            await self.relay.carry(loopback(port), item(BOB), Octets(TEXT))
        await self.relay.close()

    async def test_lmtp_over_a_unix_socket(self) -> None:
        host = self.sink("-L", address="unix:{folder}/sink")
        lmtp = NextHost(
            name=host.name, address=host.address, port=0,
            policy=OPPORTUNISTIC, is_lmtp=True,
        )  # fmt: skip
        carried = await self.relay.carry(lmtp, item(ALICE, BOB), Octets(TEXT))
        self.assertEqual([each.fate.value for each in carried.reports], ["sent"] * 2)
        await self.relay.close()


class OurselvesTests(Going):
    """Our own server, which offers everything."""

    server: Server

    @pytest.fixture(autouse=True)
    def _take(self, server: Server) -> None:
        self.server = server

    def arrived(self, subject: bytes, to: str = BOB) -> bytes:
        found = [m for m in self.server.messages(to) if subject in m]
        self.assertEqual(len(found), 1)
        return found[0]

    def relay_trusting(self) -> Relay:
        roots = str(self.server.certificate).encode()
        return Relay(reactor, "us.test", Metrics(), context=make_client_context(roots))

    async def test_starttls(self) -> None:
        text = WIDE.replace(b"out", b"by STARTTLS")
        parameters = SenderParameters(body=BodyType.EIGHT_BIT)
        carried = await self.relay.carry(
            loopback(self.server.ports["smtp"]),
            item(BOB, "nobody@example.test", parameters=parameters),
            Octets(text),
        )
        taken, refused = carried.reports
        self.assertEqual((taken.fate.value, taken.status), ("sent", "2.0.0"))
        self.assertEqual((refused.fate.value, refused.status), ("failed", "5.1.1"))
        self.assertTrue(carried.tls.startswith("TLSv1.3 "))
        octets = self.arrived(b"by STARTTLS")
        self.assertTrue(octets.endswith(text))
        self.assertIn(b"with ESMTPS", octets)
        await self.relay.close()

    async def test_a_certificate_that_is_checked(self) -> None:
        relay = self.relay_trusting()
        smtp = self.server.ports["smtp"]
        policy = TLSPolicy(level=TLSLevel.PKIX, names=("localhost",), origin="config")
        text = Octets(TEXT.replace(b"out", b"checked"))
        carried = await relay.carry(loopback(smtp, policy=policy), item(BOB), text)
        self.assertTrue(carried.tls.endswith(", checked by config"))
        other = TLSPolicy(level=TLSLevel.PKIX, names=("elsewhere.test",))
        with self.assertRaisesRegex(Unreachable, "its certificate is for localhost"):
            await relay.carry(loopback(smtp, policy=other), item(BOB), text)
        strange = loopback(smtp, policy=policy)
        with self.assertRaisesRegex(Unreachable, "signed by itself"):
            await self.relay.carry(strange, item(BOB), text)
        await gatherResults(
            [Deferred.fromCoroutine(each.close()) for each in (relay, self.relay)]
        )

    async def test_submission(self) -> None:
        """As a smarthost: SCRAM, under TLS from the first octet or later."""
        for service, tls_first in (("submission", False), ("submissions", True)):
            host = loopback(
                self.server.ports[service],
                tls_first=tls_first, username=ALICE, password=PASSWORD,
            )  # fmt: skip
            text = TEXT.replace(b"x@elsewhere.test", ALICE.encode()).replace(
                b"out", service.encode() + b" as ever"
            )
            sender = item("x@y.test").recipients[0].path
            local_part, _, domain = ALICE.partition("@")
            sender = type(sender)(local_part, domain)
            carried = await self.relay.carry(
                host, item(BOB, sender=sender), Octets(text)
            )
            self.assertEqual([each.fate.value for each in carried.reports], ["sent"])
            wrong = loopback(
                self.server.ports[service],
                tls_first=tls_first, username=ALICE, password="wrong",
            )  # fmt: skip
            with self.assertRaisesRegex(Unreachable, "did not let us in: 535"):
                await self.relay.carry(wrong, item(BOB, sender=sender), Octets(text))
        await self.relay.close()

    async def test_a_large_one_by_chunks(self) -> None:
        text = LARGE.replace(b"out", b"large")
        content = OnDisk(text)
        carried = await self.relay.carry(
            loopback(self.server.ports["lmtp"], is_lmtp=True), item(ALICE, BOB), content
        )
        self.assertEqual([each.fate.value for each in carried.reports], ["sent"] * 2)
        for each in (ALICE, BOB):
            self.assertTrue(self.arrived(b"Subject: large", each).endswith(text))
        self.assertLessEqual(max(count for _, count in content.reads), 65_536)
        await self.relay.close()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    """A Dovecot that takes mail by LMTP."""
    with dovecot_with_lmtp() as found:
        yield found


class DovecotTests(Going):
    """Another server's LMTP."""

    @pytest.fixture(autouse=True)
    def _take_dovecot(self, dovecot: Dovecot) -> None:
        self.port, self.folder = dovecot.port, dovecot.folder

    async def test_each_has_a_reply(self) -> None:
        host = loopback(self.port, is_lmtp=True)
        for _ in range(3):
            carried = await self.relay.carry(host, item(ALICE, BOB), OnDisk(LARGE))
            for report in carried.reports:
                self.assertIn(report.fate.value, ("sent", "relayed"), report)
        await self.relay.close()
        for name in ("alice", "bob"):
            folder = self.folder / "mail" / name / "new"
            files = [path.read_bytes() for path in folder.iterdir()]
            self.assertEqual(len(files), 3)
            for octets in files:
                self.assertEqual(octets.count(b".x" * 35), 60_000)


@pytest.fixture(scope="module")
def postfix() -> Iterator[Postfix]:
    """A whole Postfix of its own."""
    (port,) = free_ports(1)
    with postfix_at(port) as found:
        yield found


class PostfixTests(Going):
    """The server that most of the world's mail goes to."""

    @pytest.fixture(autouse=True)
    def _take_postfix(self, postfix: Postfix) -> None:
        self.postfix, self.port = postfix, postfix.port

    async def test_by_chunks_under_tls(self) -> None:
        host = loopback(self.port)
        work = [
            self.relay.carry(
                host,
                item(
                    BOB,
                    "who@example.test",
                    parameters=SenderParameters(body=BodyType.EIGHT_BIT),
                ),
                content,
            )
            for content in (Octets(WIDE), OnDisk(LARGE), Octets(TEXT))
        ]
        for carried in await self.at_once(*work):
            taken, refused = carried.reports
            self.assertEqual((taken.fate.value, taken.status), ("sent", "2.0.0"))
            self.assertIn("queued as", taken.words)
            self.assertEqual((refused.fate.value, refused.status), ("failed", "5.1.1"))
            self.assertTrue(carried.tls.startswith("TLSv1.3 "))
        await self.relay.close()
        wait_until("all are there", lambda: len(self.postfix.arrived("bob")) == 3)
        for sent in (WIDE, LARGE, TEXT):
            text = sent.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
            found = [
                each for each in self.postfix.arrived("bob") if each.endswith(text)
            ]
            self.assertTrue(found)

    async def test_addresses_in_utf8(self) -> None:
        """It offers SMTPUTF8, and says of the address what it thinks."""
        host = loopback(self.port)
        carried = await self.relay.carry(host, item("ü@example.test"), Octets(TEXT))
        (report,) = carried.reports
        self.assertEqual((report.fate.value, report.status), ("failed", "5.1.1"))
        await self.relay.close()
