"""A server with a web site, and the ways in that a test has beside the browser."""

from __future__ import annotations

import imaplib
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path

from attrs import define, field

from tests.interop.server import PASSWORD, Server, free_ports

ALICE = "alice@example.test"
BOB = "bob@example.test"

REVERSE_PATH = "ingrid@far.example"

Files = Sequence[tuple[str, str, bytes]]
"""Name, type and octets of each."""


@define
class Site:
    """
    The server of a file of tests.

    :param settings: more lines of ``mailkit.toml``: whole tables.
    """

    folder: Path
    settings: str = ""
    port: int = field(init=False, factory=lambda: free_ports(1)[0])
    server: Server = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.server = Server(self.folder)
        self.server.ports["http"] = self.port
        self.server.settings = self.settings
        self.server.write_config()

    @property
    def origin(self) -> str:
        """Cookies marked Secure are taken from ``localhost`` without TLS."""
        return f"http://localhost:{self.port}"

    def url(self, path: str) -> str:
        return self.origin + path

    def deliver(
        self,
        subject: str,
        text: str = "Some words.\n",
        *,
        to: str = ALICE,
        sender: str = '"Ingrid Solheim" <ingrid@far.example>',
        html: str = "",
        files: Files = (),
        fields: Sequence[tuple[str, str]] = (),
        path: str = REVERSE_PATH,
    ) -> str:
        """By SMTP, as from anywhere; its Message-ID."""
        message = EmailMessage()
        message["From"] = sender
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="far.example")
        for name, value in fields:
            del message[name]
            message[name] = value
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        for name, kind, octets in files:
            main, _, sub = kind.partition("/")
            message.add_attachment(octets, main, sub, filename=name)
        self.deliver_octets(message.as_bytes(policy=SMTP), to, path)
        return str(message["Message-ID"])

    def deliver_octets(
        self, octets: bytes, to: str = ALICE, path: str = REVERSE_PATH
    ) -> None:
        """A message as it is."""
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"]) as smtp:
            smtp.sendmail(path, [to], octets)

    @contextmanager
    def imap(self, address: str = ALICE) -> Iterator[imaplib.IMAP4]:
        """Somebody's IMAP client, logged in."""
        context = ssl.create_default_context(cafile=str(self.server.certificate))
        with imaplib.IMAP4("127.0.0.1", self.server.ports["imap"]) as client:
            context.check_hostname = False
            client.starttls(context)
            client.login(address, PASSWORD)
            yield client

    def messages(self, mailbox: str, address: str = ALICE) -> list[bytes]:
        """All of a mailbox, whole, as IMAP gives them; none if it is not there."""
        with self.imap(address) as client:
            said, count = client.select(f'"{mailbox}"', readonly=True)
            if said != "OK" or count == [b"0"]:
                return []
            _, answer = client.fetch("1:*", "(BODY.PEEK[])")
            return [part[1] for part in answer if isinstance(part, tuple)]
