"""What senders are told of mail that arrives, goes on or is late (RFC 3461, 3464)."""

from __future__ import annotations

import email
import smtplib
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from email.policy import default

import pytest
from attrs import define

from tests.interop.outside import Hosts, outside
from tests.interop.server import PASSWORD, Server, free_ports, wait_until

ALICE = "alice@example.test"
KNOWS, KNOWS_NOT, BUSY = "127.7.0.1", "127.7.0.2", "127.7.0.3"
RECORDS = f"""
knows.test. MX 10 mx.knows.test.
mx.knows.test. A {KNOWS}
knowsnot.test. MX 10 mx.knowsnot.test.
mx.knowsnot.test. A {KNOWS_NOT}
busy.test. MX 10 mx.busy.test.
mx.busy.test. A {BUSY}
"""
ALL = "NOTIFY=SUCCESS,FAILURE,DELAY"


def answer(address: str, verb: str, line: str) -> str:
    if (address, verb) == (KNOWS_NOT, "EHLO"):
        return "250-{name}\n250-PIPELINING\n250 8BITMIME"
    if verb == "RCPT" and "nobody@" in line:
        return "550 5.1.1 Nobody"
    if (address, verb) == (BUSY, "RCPT"):
        return "451 4.2.1 Too much mail for that one"
    return ""


@define(eq=False)
class Desk:
    """A server whose people ask to be told, and hosts of others."""

    server: Server
    hosts: Hosts

    def submit(self, subject: str, to: str, *options: str) -> None:
        port = self.server.ports["submission"]
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.login(ALICE, PASSWORD)
            assert client.mail(ALICE, ["RET=HDRS", "ENVID=QQ+2B314"])[0] == 250
            assert client.rcpt(to, options)[0] == 250
            text = f"From: {ALICE}\r\nSubject: {subject}\r\n\r\nA secret\r\n"
            assert client.data(text)[0] == 250

    def told(self, subject: str) -> EmailMessage:
        """The notice about a message, once it is there."""
        found: list[EmailMessage] = []

        def is_there() -> bool:
            found[:] = self.notices(subject)
            return bool(found)

        wait_until(f"there is a notice about {subject}", is_there)
        [notice] = found
        return notice

    def notices(self, subject: str) -> list[EmailMessage]:
        every = self.server.messages(ALICE)
        read = [email.message_from_bytes(octets, policy=default) for octets in every]
        return [one for one in read if str(one["Subject"]).endswith(f": {subject}")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    (port,) = free_ports(1)
    with outside() as world:
        names = world.names(RECORDS)
        hosts = world.hosts(port, [KNOWS, KNOWS_NOT, BUSY])
        hosts.script = answer
        server = Server(tmp_path_factory.mktemp("told"))
        server.settings = (
            f'[dns]\nservers = ["{names.place}"]\n'
            f'[relay]\nallow = ["127.0.0.0/8"]\nport = {port}\n'
            '[retry]\ndelay_notice = "1 s"\n'
        )
        server.write_config()
        server.add_all(ALICE, "carol@example.test")
        team = ("team@example.test", "carol@example.test", "x@knows.test")
        server.command("alias", "add", *team)
        server.start()
        try:
            yield Desk(server, hosts)
        finally:
            server.stop()


def parts(notice: EmailMessage) -> tuple[str, list[str], str]:
    """What people read, the lines for programs, and what is returned."""
    assert notice.get_content_type() == "multipart/report"
    people, status, returned = notice.iter_parts()
    lines = [line for block in status.iter_parts() for line in str(block).splitlines()]
    return str(people.get_content()), lines, str(returned)


@pytest.mark.parametrize(
    ("subject", "to", "options", "words", "fields"),
    [
        (
            "delivered",
            "carol@example.test",
            [ALL, "ORCPT=rfc822;carol+2Bx@example.test"],
            "was delivered to carol+x@example.test.",
            ["Original-Recipient: rfc822;carol+x@example.test", "Action: delivered"],
        ),
        (
            "relayed",
            "x@knowsnot.test",
            [ALL],
            "was passed on to mx.knowsnot.test. That server took it",
            ["Final-Recipient: rfc822; x@knowsnot.test", "Action: relayed",
             "Remote-MTA: dns; mx.knowsnot.test"],
        ),
        (
            "expanded",
            "team@example.test",
            [ALL],
            "reached team@example.test, which stands for several people",
            ["Final-Recipient: rfc822; team@example.test", "Action: expanded"],
        ),
        (
            "delayed",
            "x@busy.test",
            [],
            "has not reached x@busy.test yet: the other server does not take mail for"
            " that address at the moment. We go on trying until",
            ["Action: delayed", "Status: 4.2.1",
             "Diagnostic-Code: smtp; 451 4.2.1 Too much mail for that one"],
        ),
    ],
)  # fmt: skip
def test_each_kind(
    desk: Desk,
    subject: str,
    to: str,
    options: Sequence[str],
    words: str,
    fields: Sequence[str],
) -> None:
    desk.submit(subject, to, *options)
    if subject == "delayed":
        wait_until(
            "it was tried", lambda: "4.2.1" in desk.server.command("queue", "list")
        )
        wait_until("it is late", lambda: _hurried(desk))
    notice = desk.told(subject)
    signatures = [str(one) for one in notice.get_all("DKIM-Signature", [])]
    assert [" d=example.test;" in " ".join(one.split()) for one in signatures] == [
        True,
        True,
    ]
    people, lines, returned = parts(notice)
    first = " ".join(people.partition("\n\n")[0].split())
    assert first.startswith(f'Your message "{subject}" of ')
    assert words in first
    for field in ("Original-Envelope-Id: QQ+314", *fields):
        assert field in lines, lines
    assert f"Subject: {subject}" in returned
    assert "A secret" not in returned  # RET=HDRS


def _hurried(desk: Desk) -> bool:
    desk.server.command("queue", "retry", "--all")
    return bool(desk.notices("delayed"))


def test_who_speaks_dsn_is_asked_to_tell(desk: Desk) -> None:
    """RFC 3461 §5.2.1: the wishes go on, and we say nothing ourselves."""
    orcpt = "ORCPT=rfc822;x@knows.test"
    desk.submit("handed on", "x@knows.test", ALL, orcpt)
    wait_until(
        "it arrives", lambda: any(b"handed on" in one.octets for one in desk.hosts.kept)
    )
    [kept] = [one for one in desk.hosts.kept if b"handed on" in one.octets]
    assert "RET=HDRS ENVID=QQ+2B314" in kept.mail
    assert kept.rcpt == (f"RCPT TO:<x@knows.test> {ALL} {orcpt}",)
    desk.submit("never", "nobody@knows.test", "NOTIFY=NEVER")

    def is_refused() -> bool:
        # Steps are written later: at first nothing is known of it.
        said = desk.server.command("trace", "nobody@knows.test", ok=False)
        return "bounced" in said

    wait_until("it is refused", is_refused)
    desk.submit("the last one", "carol@example.test", ALL)
    desk.told("the last one")
    assert not desk.notices("handed on")
    assert not desk.notices("never")
