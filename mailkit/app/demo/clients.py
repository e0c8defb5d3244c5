"""The clients of the demo: a mail program, a browser, and a look at DNS."""

from __future__ import annotations

import hashlib
import http.client
import imaplib
import smtplib
import socket
import time
from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from email.utils import formatdate

import dns.exception
import dns.message
import dns.query
import dns.rdatatype
from attrs import frozen

from mailkit.app.demo.servers import LOOK, PATIENCE, DemoFailed, DemoServer
from mailkit.errors import Malformed
from mailkit.formats.header import find_end
from mailkit.trust.dkim.canonical import BodyHash
from mailkit.trust.dkim.keys import PublicKey, read_record
from mailkit.trust.dkim.verifying import BrokenSignature, verify_ours


@frozen
class Mail:
    """A message as it lies in a mailbox."""

    octets: bytes

    @property
    def message(self) -> EmailMessage:
        """Parsed, for looking at."""
        parsed = BytesParser(_class=EmailMessage, policy=SMTP).parsebytes(self.octets)
        assert isinstance(parsed, EmailMessage)
        return parsed

    def fields(self, *names: str) -> list[str]:
        """Header fields as ``Name: value``, each on one line."""
        message = self.message
        return [
            f"{name}: {' '.join(str(value).split())}"
            for name in names
            for value in message.get_all(name, [])
        ]


def compose(
    server: DemoServer, to: str, subject: str, text: str, answers: Mail | None = None
) -> EmailMessage:
    """What the inhabitant of a server writes."""
    message = EmailMessage(policy=SMTP)
    message["From"] = server.person.mailbox
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = formatdate(localtime=True)
    tag = hashlib.sha256(f"{subject}{time.time_ns()}".encode()).hexdigest()[:12]
    message["Message-ID"] = f"<{tag}@{server.domain}>"
    if answers is not None:
        first = str(answers.message["Message-ID"])
        message["In-Reply-To"] = first
        message["References"] = first
    message.set_content(text)
    return message


def submit(server: DemoServer, message: EmailMessage) -> str:
    """
    Hand in a message as its author's mail program does.

    :returns: what the server said to it: ``2.0.0 Accepted as …``.
    """
    try:
        with smtplib.SMTP(*server.place.at("submission"), timeout=PATIENCE) as client:
            client.starttls(context=server.context())
            client.login(server.person.address, server.person.password)
            client.mail(server.person.address)
            client.rcpt(str(message["To"]))
            code, words = client.data(message.as_bytes())
    except (smtplib.SMTPException, OSError) as error:
        raise DemoFailed(f"{server.host} does not take mail: {error}") from error
    said = words.decode("utf-8", "replace")
    if code != 250:
        raise DemoFailed(f"{server.host} does not take mail: {code} {said}")
    return f"{code} {said}"


def id_of(said: str) -> str:
    """The id in the reply to a message."""
    return said.rpartition(" ")[2]


def wait_for(server: DemoServer, subject: str) -> Mail:
    """
    The newest message with such a subject, as soon as it is in the INBOX.

    :raises DemoFailed: if it does not come.
    """
    end = time.monotonic() + PATIENCE
    try:
        with imaplib.IMAP4(*server.place.at("imap"), timeout=PATIENCE) as client:
            client.starttls(server.context())
            client.login(server.person.address, server.person.password)
            while time.monotonic() < end:
                client.select("INBOX", readonly=True)
                _, found = client.search(None, "SUBJECT", f'"{subject}"')
                numbers = found[0].split()
                if numbers:
                    _, parts = client.fetch(numbers[-1].decode(), "(BODY.PEEK[])")
                    return Mail(_literal(parts))
                time.sleep(LOOK)
    except (imaplib.IMAP4.error, OSError) as error:
        raise DemoFailed(f"{server.host} shows no mail: {error}") from error
    raise DemoFailed(f'"{subject}" did not reach {server.person.address}')


def _literal(parts: Sequence[object]) -> bytes:
    """The octets in what imaplib makes of a FETCH."""
    for part in parts:
        if isinstance(part, tuple):
            octets = part[1]
            assert isinstance(octets, bytes)
            return octets
    raise DemoFailed("a message without octets")


def look_up(server: DemoServer, name: str, kind: str) -> list[str]:
    """
    What the name server of a server says, as texts.

    :raises DemoFailed: if it does not answer.
    """
    question = dns.message.make_query(name, kind, use_edns=0, payload=1232)
    address, port = server.place.at("dns")
    try:
        answer, _ = dns.query.udp_with_fallback(question, address, PATIENCE, port)
    except (dns.exception.DNSException, OSError) as error:
        raise DemoFailed(f"no answer about {name}: {error}") from error
    wanted = dns.rdatatype.from_text(kind)
    return [
        b"".join(record.strings).decode("utf-8", "replace")
        if kind == "TXT"
        else record.to_text()
        for found in answer.answer
        if found.rdtype == wanted
        for record in found
    ]


def check_signatures(mail: Mail, home: DemoServer) -> list[str]:
    """
    Check each DKIM signature with the key that the author's name server publishes.

    :returns: a line for each that holds.
    :raises DemoFailed: if one does not, or there is none.
    """
    lines: list[str] = []

    def key_of(domain: str, selector: str, algorithm: str) -> PublicKey | None:
        name = f"{selector}._domainkey.{domain}"
        for text in look_up(home, name, "TXT"):
            lines.append(f"{algorithm:<14} holds, by the key at {name}")
            return read_record(text)
        return None

    header = mail.octets[: find_end(mail.octets)]
    body = BodyHash()
    body.update(mail.octets[len(header) :])
    try:
        held = verify_ours(header, body.digest(), key_of, time.time())
    except (BrokenSignature, Malformed) as error:
        raise DemoFailed(str(error)) from error
    if not held:
        raise DemoFailed("the message is not signed")
    return lines


def fetch_policy(server: DemoServer) -> list[str]:
    """
    The MTA-STS policy of a domain, its certificate checked, as other servers do.

    :raises DemoFailed: if it cannot be had.
    """
    host = f"mta-sts.{server.domain}"
    try:
        plain = socket.create_connection(server.place.at("https"), PATIENCE)
        with server.context().wrap_socket(plain, server_hostname=host) as secure:
            client = http.client.HTTPSConnection(host)
            client.sock = secure
            client.request("GET", "/.well-known/mta-sts.txt")
            response = client.getresponse()
            text = response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise DemoFailed(f"{host} has no policy: {error}") from error
    if response.status != 200:
        raise DemoFailed(f"{host} has no policy: {response.status}")
    return text.split("\r\n") if "\r\n" in text else text.splitlines()
