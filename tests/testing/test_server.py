"""The throw-away server, as other people's tests would use it."""

from __future__ import annotations

import asyncio
import imaplib
import poplib
import smtplib
import ssl
import threading

import pytest
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

from mailkit.errors import NoSuchAccount
from mailkit.testing.fixtures import mail_server
from mailkit.testing.postoffice import PostOffice
from mailkit.testing.server import MailServer

__all__ = ["mail_server"]

TEXT = "From: x@elsewhere.test\r\nSubject: {}\r\n\r\nHello\r\n"


def send(server: MailServer, to: str, subject: str) -> None:
    with smtplib.SMTP(server.host, server.ports["smtp"]) as client:
        client.sendmail("x@elsewhere.test", [to], TEXT.format(subject))


def test_plain(mail_server: MailServer) -> None:
    """An account on demand, a message, and waiting for it, in either order."""
    anna = mail_server.account("anna")
    assert anna.address == "anna@example.test"
    send(mail_server, anna.address, "one")
    send(mail_server, anna.address, "two")
    assert mail_server.wait("anna").subject == "one"
    assert mail_server.wait("anna").subject == "two"
    later = threading.Timer(0.0, send, (mail_server, anna.address, "three"))
    later.start()
    assert mail_server.wait("anna").message.get_content().strip() == "Hello"
    later.join()
    assert len(mail_server.letters("anna")) == 3


def test_wanted(mail_server: MailServer) -> None:
    """The one that is wanted, whatever came before it; each is handed out once."""
    mail_server.account("anna")
    for subject in ("one", "two"):
        send(mail_server, "anna@example.test", subject)
    two = mail_server.wait("anna", lambda letter: letter.subject == "two")
    assert two.octets.startswith(b"Return-Path: <x@elsewhere.test>\r\n")
    assert mail_server.wait("anna").subject == "one"
    with pytest.raises(TimeoutError, match=r"\['one', 'two'\]"):
        mail_server.wait("anna", timeout=0.0)


def test_all_services(mail_server: MailServer) -> None:
    """Each of the ports answers as what it is, with a certificate to be checked."""
    anna = mail_server.account("anna", "secret")
    assert anna.password == "secret"
    context = ssl.create_default_context(cafile=str(mail_server.certificate))
    ports = mail_server.ports
    with smtplib.SMTP_SSL(
        "localhost", ports["submissions"], context=context
    ) as submitting:
        submitting.login(*_login(anna.address))
        submitting.sendmail(
            anna.address, [anna.address], f"From: {anna.address}\r\n\r\nx\r\n"
        )
    with smtplib.LMTP(mail_server.host, ports["lmtp"]) as lmtp:
        assert lmtp.sendmail("x@y.test", [anna.address], TEXT.format("l")) == {}
    mail_server.wait("anna")
    mail_server.wait("anna")
    with imaplib.IMAP4_SSL("localhost", ports["imaps"], ssl_context=context) as imap:
        imap.login(*_login(anna.address))
        assert imap.select()[1] == [b"2"]
    pop3 = poplib.POP3_SSL("localhost", ports["pop3s"], context=context)
    pop3.user(anna.address)
    pop3.pass_("secret")
    assert pop3.stat()[0] == 2
    pop3.quit()


def _login(address: str) -> tuple[str, str]:
    return address, "secret"


def test_nobody(mail_server: MailServer) -> None:
    with pytest.raises(NoSuchAccount):
        mail_server.wait("nobody")
    with pytest.raises(NoSuchAccount):
        mail_server.account("@")


def test_two_at_once_and_nothing_left() -> None:
    """Servers do not know each other, and their threads end with them."""
    before = set(threading.enumerate())
    with MailServer() as one, MailServer() as other:
        one.account("anna")
        other.account("anna")
        send(one, "anna@example.test", "here")
        assert one.wait("anna").subject == "here"
        assert other.letters("anna") == []
        folder = one.certificate.parent
    assert not folder.exists()
    assert set(threading.enumerate()) <= before
    with pytest.raises(RuntimeError):
        _ = one.host


def test_asyncio() -> None:
    async def run() -> str:
        async with MailServer() as server:
            anna = await server.account("anna")
            loop = asyncio.get_running_loop()
            port = server.ports["smtp"]

            def deliver() -> None:
                with smtplib.SMTP(server.host, port) as client:
                    client.sendmail("x@y.test", [anna.address], TEXT.format("async"))

            sending = loop.run_in_executor(None, deliver)
            letter = await server.wait("anna")
            await sending
            assert len(await server.letters("anna")) == 1
            assert server.certificate.exists()
            return letter.subject

    assert asyncio.run(run()) == "async"


class TwistedTests(TestCase):
    """In the reactor that a test runs in anyway."""

    async def test_post_office(self) -> None:
        async with PostOffice(reactor) as office:
            await office.account("anna")
            endpoint = TCP4ClientEndpoint(reactor, office.host, office.ports["smtp"])
            client = await connectProtocol(endpoint, Protocol())
            assert client.transport is not None
            client.transport.write(
                b"EHLO x\r\nMAIL FROM:<x@y.test>\r\nRCPT TO:<anna@example.test>\r\n"
                b"BDAT 9 LAST\r\na: b\r\n\r\nx"
            )
            letter = await office.wait("anna")
            self.assertIn(b"a: b\r\n\r\nx", letter.octets)
            client.transport.loseConnection()
