"""Mail leaves a real server: to Postfix and back, to sinks, signed, once, untouched."""

from __future__ import annotations

import email
import json
import os
import re
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from email.message import Message
from pathlib import Path

import dkim  # type: ignore[import-untyped]  # it has no types
import pytest
from attrs import define, field

from tests.interop.outside import CUT, HANG, KEPT, Hosts, Kept, Names, Outside, outside
from tests.interop.postfix import Postfix, postfix_at, program
from tests.interop.server import (
    ENVIRONMENT,
    PASSWORD,
    Server,
    can_connect_to,
    free_ports,
    need,
    run,
    wait_until,
)

ALICE = "alice@example.test"
BOB = "bob@postfix.test"

POSTFIX, SINK, OTHER, PLAIN, MODERN = (f"127.4.0.{last}" for last in range(1, 6))
"""Hosts of loopback, all at one port: Postfix, scripted, aiosmtpd, and two scripted
ones that offer little and much."""

RECORDS = f"""
    postfix.test. MX 10 mx.postfix.test.
    mx.postfix.test. A {POSTFIX}
    sink.test. MX 10 mx.sink.test.
    mx.sink.test. A {SINK}
    other.test. MX 10 mx.other.test.
    mx.other.test. A {OTHER}
    plain.test. MX 10 mx.plain.test.
    mx.plain.test. A {PLAIN}
    modern.test. MX 10 mx.modern.test.
    mx.modern.test. A {MODERN}
    null.test. MX 0 .
    inward.test. MX 10 mx.inward.test.
    mx.inward.test. A 10.1.2.3
    looping.test. MX 10 localhost.
    localhost. A 127.0.0.1
"""

PLAIN_HELLO = "250-{name}\n250 SIZE 52428800"
MODERN_HELLO = "250-{name}\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250 DSN"

TEXT = (
    "From: Alice <alice@example.test>\r\nTo: {to}\r\nSubject: {subject}\r\n"
    "Message-ID: <{subject}@example.test>\r\n"
    "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n"
    "Hello {subject}\r\n.\r\n..dots\r\n \r\n"
)


@define(eq=False)
class Town:
    """Our server, and everybody it writes to."""

    server: Server
    world: Outside
    names: Names
    hosts: Hosts
    port: int
    """Of all other mail servers."""
    answers: dict[tuple[str, str], str] = field(factory=dict)
    """What a host says otherwise than as ever, by address and verb or ``RCPT`` line."""
    _keys: dict[bytes, bytes] = field(factory=dict)

    def script(self, address: str, verb: str, line: str) -> str:
        if verb == "EHLO" and address in (PLAIN, MODERN):
            return PLAIN_HELLO if address == PLAIN else MODERN_HELLO
        return self.answers.get((address, line)) or self.answers.get(
            (address, verb), ""
        )

    def client(self) -> smtplib.SMTP:
        """Alice's, logged in."""
        client = smtplib.SMTP("127.0.0.1", self.server.ports["submission"], timeout=60)
        client.ehlo("client.test")
        client.login(ALICE, PASSWORD)
        return client

    def submit(
        self,
        subject: str,
        *to: str,
        text: str = TEXT,
        options: Sequence[str] = (),
        each: Sequence[str] = (),
    ) -> str:
        """Alice sends a message; the id that she is told."""
        with self.client() as client:
            octets = text.format(to=", ".join(to), subject=subject).encode()
            sent = client.mail(ALICE, list(options))
            assert sent[0] == 250, sent
            for one in to:
                code, said = client.rcpt(one, list(each))
                assert code == 250, said
            code, said = client.data(octets)
            assert code == 250, said
        found = re.search(rb"as (\S+)", said)
        assert found, said
        return found[1].decode()

    def kept(self, subject: str, count: int = 1) -> list[Kept]:
        """What hosts kept of that subject, once it is so much."""
        mark = f"Subject: {subject}\r\n".encode()

        def found() -> list[Kept]:
            return [kept for kept in self.hosts.kept if mark in kept.octets]

        wait_until(f"{subject} is kept", lambda: len(found()) >= count)
        return found()

    def inbox(self, *words: bytes) -> Message:
        """The one message in Alice's INBOX that has all these words, once it came."""
        found: list[bytes] = []

        def is_there() -> bool:
            found[:] = [
                octets
                for octets in self.server.messages(ALICE)
                if all(word in octets for word in words)
            ]
            return bool(found)

        wait_until(f"{words} is in the INBOX", is_there)
        (octets,) = found
        return email.message_from_bytes(octets)

    def waiting(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(
            self.server.command("--json", "queue", "list")
        )
        return found

    def trace(self, id: str) -> str:
        """What is known of a message, once anything is: steps are written later."""
        known = [""]

        def is_known() -> bool:
            known[0] = self.server.command("trace", id, ok=False)
            return bool(known[0])

        wait_until(f"something is known about {id}", is_known)
        return known[0]

    def keys(self) -> dict[bytes, bytes]:
        """The DKIM records of our domain, by name."""
        if self._keys:
            return self._keys
        zone = self.server.command("domain", "dns", "example.test")
        found = self._keys
        joined = re.sub(r"\(\s*(.*?)\s*\)", lambda m: m[1], zone, flags=re.S)
        for line in joined.splitlines():
            match = re.match(r"(\S+_domainkey\S*)\s+.*?TXT\s+(.*)", line)
            if match:
                texts = re.findall(r'"((?:[^"\\]|\\.)*)"', match[2])
                name = match[1].rstrip(".")
                if not name.endswith("example.test"):
                    name += ".example.test"
                found[name.encode()] = "".join(texts).replace("\\;", ";").encode()
        return found


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    (port,) = free_ports(1)
    with outside() as world:
        names = world.names(RECORDS)
        server = Server(tmp_path_factory.mktemp("sending"))
        server.settings = (
            f'[dns]\nservers = ["{names.place}"]\n'
            f'[relay]\nallow = ["127.0.0.0/8"]\nport = {port}\n'
            '[queue]\nleave_alone = "1 s"\n'
        )
        server.write_config()
        server.add(ALICE)
        hosts = world.hosts(port, [SINK, PLAIN, MODERN])
        town = Town(server, world, names, hosts, port)
        hosts.script = town.script
        server.start()
        try:
            yield town
        finally:
            server.stop()


@pytest.fixture(autouse=True)
def _as_ever(town: Town) -> Iterator[None]:
    """Hosts are kind again after each test, and no connection is left from it."""
    yield
    town.answers.clear()
    town.world.do(town.hosts.hang_up())


# -- signed


def check_signatures(town: Town, octets: bytes, count: int = 2) -> None:
    """By dkimpy; each of them."""
    keys = town.keys()
    assert len(keys) == 2

    def look_up(name: bytes, timeout: int = 5) -> bytes:
        return keys[name.rstrip(b".")]

    verifier = dkim.DKIM(octets)
    signed = [name for name, _ in verifier.headers if name.lower() == b"dkim-signature"]
    assert len(signed) == count
    for index in range(count):
        assert dkim.DKIM(octets).verify(idx=index, dnsfunc=look_up)


def test_it_arrives_once_and_signed(town: Town) -> None:
    id = town.submit("signed", "x@sink.test")
    (kept,) = town.kept("signed")
    assert kept.recipients == ["x@sink.test"]
    assert kept.text.endswith(b"\r\n\r\nHello signed\r\n.\r\n..dots\r\n \r\n")
    check_signatures(town, kept.text)
    wait_until("it is recorded", lambda: "sent" in town.trace(id))
    trace = town.trace(id)
    for word in ("accepted", "queued", "signed", "250 2.0.0 Taken"):
        assert word in trace
    assert not [item for item in town.waiting() if id in str(item["id"])]


def test_behind_an_alias_each_fares_alone(town: Town) -> None:
    """One mailbox is full: nobody else waits, and what leaves is signed."""
    full = "full@example.test"
    command = town.server.command
    town.server.add(full, "--quota", "100 B")
    command("alias", "add", "team@example.test", full, ALICE, "x@sink.test")
    town.server.await_known("team@example.test")
    id = town.submit("team", "team@example.test")
    (kept,) = town.kept("team")
    assert kept.recipients == ["x@sink.test"]
    check_signatures(town, kept.text)
    assert town.inbox(b"Subject: team\r\n")

    def attempts() -> list[object]:
        return [item["attempts"] for item in town.waiting()]

    wait_until("it was tried", lambda: attempts() == [1])
    [item] = town.waiting()
    assert full in command("queue", "show", str(item["id"]))
    wait_until("it is recorded", lambda: "OverQuota" in town.trace(id))
    command("queue", "retry", "--all")
    wait_until("it was tried again", lambda: attempts() == [2])
    assert len(town.kept("team")) == 1
    command("queue", "drop", "--all")


def test_by_opendkim(town: Town, tmp_path: Path) -> None:
    """The other implementation that most of the world verifies with."""
    town.submit("judged", "x@sink.test")
    (kept,) = town.kept("judged")
    for name, record in town.keys().items():
        town.names.server.records.add({name.decode(): {"TXT": _quoted(record)}})
    need_root()
    names = town.world.names_at_53(town.names.server)
    judge = (names, tmp_path, program("opendkim-testmsg"), "-C")
    assert with_own_names(*judge, stdin=kept.text) == ""
    broken = kept.text.replace(b"Hello", b"Hullo")
    said = with_own_names(*judge, stdin=broken, codes=(70,))
    assert "bad signature" in said.lower()


def _quoted(record: bytes) -> str:
    text = record.decode()
    return " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))


# -- Postfix, there and back


@pytest.fixture(scope="module")
def postfix(town: Town) -> Iterator[Postfix]:
    """It lives at ``postfix.test``, and finds us where we are."""
    ours = f"[127.0.0.1]:{town.server.ports['smtp']}"
    sink = f"[{SINK}]:{town.port}"
    transports = (
        f"inline:{{{{example.test = smtp:{ours}}},{{sink.test = smtp:{sink}}}}}"
    )
    with postfix_at(
        town.port,
        f"transport_maps = {transports}",
        "virtual_alias_maps = inline:{{onward@postfix.test = gone@sink.test}}",
        "smtp_tls_security_level = may",
        address=POSTFIX,
        domain="postfix.test",
    ) as found:
        yield found


def test_to_postfix_and_back(town: Town, postfix: Postfix) -> None:
    id = town.submit("to-postfix", BOB)
    wait_until("it is there", lambda: len(postfix.arrived("bob")) == 1)
    (octets,) = postfix.arrived("bob")
    check_signatures(town, octets.replace(b"\n", b"\r\n").split(b"\r\n", 2)[2])
    assert b"with ESMTPS" in octets
    wait_until("it is recorded", lambda: "sent" in town.trace(id))
    assert "TLSv1.3" in town.trace(id)
    with smtplib.SMTP(POSTFIX, town.port) as client:
        text = (
            "From: bob@postfix.test\r\nTo: {to}\r\nSubject: {subject}\r\n\r\nBack\r\n"
        )
        client.sendmail(BOB, [ALICE], text.format(to=ALICE, subject="from-postfix"))
    message = town.inbox(b"Subject: from-postfix")
    assert message.get_payload() == "Back\n" or message.get_payload() == "Back\r\n"


def test_postfix_refuses(town: Town, postfix: Postfix) -> None:
    """At RCPT: one is told at once, the other has it."""
    town.submit("half", BOB, "nobody@postfix.test")
    notice = town.inbox(b"multipart/report", b"Subject: half")
    assert notice.get_content_type() == "multipart/report"
    assert ALICE in notice["To"]
    text = notice.as_string()
    assert "Final-Recipient: rfc822;nobody@postfix.test" in text.replace("; ", ";")
    assert "Status: 5.1.1" in text
    assert "Action: failed" in text
    assert "Remote-MTA: dns" in text
    assert f"rfc822;{BOB}" not in text.replace("; ", ";")
    wait_until(
        "the other has it",
        lambda: any(b"Subject: half" in each for each in postfix.arrived("bob")),
    )


def test_postfix_bounces(town: Town, postfix: Postfix) -> None:
    """It took the message and sends it back: the DSN is tied to what was sent."""
    town.answers[SINK, "RCPT TO:<gone@sink.test> ORCPT=rfc822;onward@postfix.test"] = (
        "550 5.1.1 Gone"
    )
    id = town.submit("bounced-there", "onward@postfix.test")
    notice = town.inbox(b"Content-Type: multipart/report", b"Subject: bounced-there")
    assert "550 5.1.1 Gone" in notice.as_string()
    wait_until("it is tied to it", lambda: "returned" in town.trace(id))


# -- second opinions


def test_to_aiosmtpd(town: Town, tmp_path: Path) -> None:
    """A server in Python that is strict about lines."""
    pytest.importorskip("aiosmtpd", reason="aiosmtpd is not installed")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "aiosmtpd", "-n", "-l", f"{OTHER}:{town.port}",
            "-c", "aiosmtpd.handlers.Mailbox", str(tmp_path / "mail"),
        ],
        env=ENVIRONMENT,
    )  # fmt: skip
    try:
        wait_until("it listens", lambda: can_connect_to(OTHER, town.port))
        town.submit("second-opinion", "x@other.test", "y@other.test")

        def arrived() -> list[Path]:
            return list((tmp_path / "mail" / "new").glob("*"))

        wait_until("it is there", lambda: len(arrived()) == 1)
        octets = arrived()[0].read_bytes()
        assert octets.replace(b"\r\n", b"\n").endswith(
            b"second-opinion\n.\n..dots\n \n"
        )
    finally:
        process.terminate()
        process.wait()


# -- hosts that fail, over real sockets


@pytest.mark.parametrize(
    ("verb", "said", "told"),
    [
        ("greeting", "break 421 4.3.2 Too many", "it greeted with 421"),
        ("greeting", "554 5.7.1 Go away", "it greeted with 554"),
        ("greeting", CUT, "it closed the connection, before its greeting"),
        ("greeting", "SSH-2.0-OpenSSH_9", "not a reply of SMTP"),
        ("EHLO", CUT, "it closed the connection"),
        ("MAIL", "451 4.3.0 Later", "451 4.3.0 Later"),
        ("RCPT", "450 4.2.1 Greylisted", "450 4.2.1 Greylisted"),
        ("RCPT", "break 421 4.3.2 Bye", "421 4.3.2 Bye"),
        ("RCPT", HANG, "it closed the connection"),
        ("DATA", "451 4.3.0 Later", "451 4.3.0 Later"),
        ("text", "452 4.3.1 Full", "452 4.3.1 Full"),
        ("text", CUT, "may have been sent twice"),
        ("text", KEPT, "may have been sent twice"),
        ("text", "451-4.3.0 one\n451-4.3.0\n451 4.3.0 two", "451 4.3.0 one"),
    ],
)
def test_it_is_tried_again(town: Town, verb: str, said: str, told: str) -> None:
    """Whatever a host does, it waits, and goes when the host is well again."""
    town.answers[SINK, verb] = said
    subject = f"{verb}-{abs(hash((verb, said)))}"
    id = town.submit(subject, "x@sink.test")
    wait_until("it was tried", lambda: "deferred" in town.trace(id))
    assert told in town.trace(id)
    town.answers.clear()

    def hurried() -> bool:
        town.server.command("queue", "retry", id, ok=False)
        return not [item for item in town.waiting() if id in str(item["id"])]

    wait_until("it has left", hurried)
    kept = town.kept(subject)
    assert len(kept) == (2 if said == KEPT else 1)
    assert len({each.octets for each in kept}) == 1


@pytest.mark.parametrize(
    ("to", "verb", "said", "status", "words"),
    [
        ("x@sink.test", "RCPT", "550 5.1.1 Nobody", "5.1.1", "550 5.1.1 Nobody"),
        ("x@sink.test", "MAIL", "550 5.7.1 Not you", "5.7.1", "550 5.7.1 Not you"),
        ("x@sink.test", "text", "554 5.6.0 Bad", "5.6.0", "554 5.6.0 Bad"),
        ("x@null.test", "", "", "5.1.10", "null MX"),
        ("x@nowhere.test", "", "", "5.1.2", "there is no domain nowhere.test"),
        ("x@inward.test", "", "", "5.4.4", "10.1.2.3"),
        ("x@looping.test", "", "", "5.4.6", "leads back to us"),
    ],
)
def test_its_sender_is_told(
    town: Town, to: str, verb: str, said: str, status: str, words: str
) -> None:
    """What will never go comes back to the sender's INBOX, once."""
    town.answers[SINK, verb] = said
    subject = f"back-{status}-{verb}"
    town.submit(subject, to)
    notice = town.inbox(f"Subject: {subject}".encode(), b"Reporting-MTA")
    text = notice.as_string()
    assert f"Status: {status}" in text
    assert words in text
    assert notice["Auto-Submitted"] == "auto-replied"


# -- what a peer cannot take


WIDE = TEXT.replace("Hello", "Grüße").replace(
    "\r\n\r\n",
    "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 8bit\r\n\r\n", 1,
)  # fmt: skip


def test_a_peer_without_8bitmime(town: Town) -> None:
    town.submit("wide", "x@plain.test", text=WIDE, options=["BODY=8BITMIME"])
    (kept,) = town.kept("wide")
    assert kept.octets.isascii()
    assert "BODY" not in kept.mail
    check_signatures(town, kept.text)
    payload = email.message_from_bytes(kept.text).get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().startswith("Grüße wide\r\n.\r\n..dots\r\n")


def test_peers_with_and_without_smtputf8(town: Town) -> None:
    text = WIDE.replace("Alice <", "Älice <")
    options = ["BODY=8BITMIME", "SMTPUTF8"]
    town.submit("utf8", "ü@modern.test", text=text, options=options)
    (kept,) = town.kept("utf8")
    assert kept.recipients == ["ü@modern.test"]
    assert "SMTPUTF8" in kept.mail
    town.submit("utf8-refused", "x@sink.test", text=text, options=options)
    notice = town.inbox(b"utf8-refused", b"Reporting-MTA")
    assert "Status: 5.6.7" in notice.as_string()


# -- later


def test_a_message_that_is_held(town: Town) -> None:
    """FUTURERELEASE (RFC 4865), and the administrator who does not wait so long."""
    id = town.submit("held", "x@sink.test", options=["HOLDFOR=3600"])
    (item,) = [item for item in town.waiting() if id in str(item["id"])]
    assert item["attempts"] == 0
    assert "signed" not in town.trace(id)
    town.server.command("queue", "release", id)
    (kept,) = town.kept("held")
    check_signatures(town, kept.text)


# -- smuggling


ENDS = [
    b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n",
    b"\r\r\n.\r\r\n", b"\n\n.\r\n", b"\r\n..\r\n",
    b"\r\n.x\r\n", b"\r\n.\0\r\n", b"\r\n.\x0c\r\n", b"\n",
    b"\r", b"\r\n.", b"\x85.\x85", b"\r\n \r\n.\r\n ", b"\n.\n.\n",
]  # fmt: skip
"""What some server or other takes for the end of a message, or a line."""

INNER = (
    b"MAIL FROM:<evil@example.test>\r\nRCPT TO:<smuggled@sink.test>\r\nDATA\r\n"
    b"Subject: smuggled\r\n\r\nboo"
)


@pytest.mark.parametrize("way", ["DATA", "BDAT"])
@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_smuggled(town: Town, way: str, end: bytes) -> None:
    """Each message is one message, or refused; no bare CR or LF leaves."""
    subject = f"smuggling-{way}-{end.hex()}"
    head = TEXT.format(to="x@sink.test", subject=subject).encode()
    body = head + b"before" + end + INNER + end + b"QUIT\r\n"
    before = len(town.hosts.kept)
    said = submitted_raw(town, way, body)
    if not said.startswith(b"250"):
        assert said[:1] == b"5", said
        return
    (kept,) = town.kept(subject)
    assert kept.recipients == ["x@sink.test"]
    assert len(town.hosts.kept) == before + 1
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", kept.octets)
    assert not kept.octets.startswith(b".\r\n")
    assert b"\r\n.\r\n" not in kept.octets
    check_signatures(town, kept.text)
    if body.isascii() and not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", body):
        assert kept.text.endswith(body)


def submitted_raw(town: Town, way: str, body: bytes) -> bytes:
    """What was said to the message; by a client that stuffs dots as it should."""
    with town.client() as client:
        assert client.mail(ALICE)[0] == 250
        assert client.rcpt("x@sink.test")[0] == 250
        connection = client.sock
        assert isinstance(connection, socket.socket)
        if way == "BDAT":
            connection.sendall(b"BDAT %d LAST\r\n%b" % (len(body), body))
        else:
            connection.sendall(b"DATA\r\n")
            assert client.getreply()[0] == 354
            stuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:]
            connection.sendall(stuffed + b".\r\n")
        code, said = client.getreply()
        return b"%d %b" % (code, said)


# -- a resolver for programs that ask the system's


def need_root() -> None:
    """Skip a test that calls `with_own_names`."""
    if os.geteuid() != 0:
        pytest.skip("needs root: /etc/resolv.conf is replaced, for one process")


def with_own_names(
    names: str,
    folder: Path,
    *words: str,
    stdin: bytes = b"",
    codes: Sequence[int] = (0,),
) -> str:
    """Run a program that finds ``names`` in its /etc/resolv.conf."""
    conf = folder / "resolv.conf"
    conf.write_text(f"nameserver {names}\noptions trust-ad edns0\n")
    script = f'mount --bind {conf} /etc/resolv.conf && exec "$@"'
    need("unshare")
    return run(
        "unshare", "-m", "sh", "-c", script, "sh", *words, stdin=stdin, codes=codes
    )
