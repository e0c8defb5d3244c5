"""
Single parts, without a network or a disk: a few numbers, beside the last release's.

Times are CPU of this process, the best of some rounds, so that other work on the
machine does not show.
"""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mailkit.formats.header import find_end
from mailkit.formats.rendered import render
from mailkit.model.flags import SEEN
from mailkit.model.mailbox import FlagRecord, MailboxChange, MessageRecord
from mailkit.model.reply import Reply
from mailkit.model.uidset import UIDSet
from mailkit.protocols.imap.items import Attribute
from mailkit.protocols.imap.response import ok
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.imap.write.fetch import template_of
from mailkit.protocols.pop3.server import POP3Server
from mailkit.protocols.smtp.events import DataBegins, TextBlock
from mailkit.protocols.smtp.server import SMTPServer
from mailkit.services.imap.view import View
from mailkit.trust.dkim.canonical import BodyHash
from mailkit.trust.dkim.keys import Algorithm, SigningKey, make_key
from mailkit.trust.dkim.signing import sign
from tests.bench.corpus import fixed, message
from tests.bench.senders import stuff

RELEASE = Path(__file__).with_name("release.json")
"""The numbers of the last release; ``--keep`` writes it."""
ROUNDS = 5
PIECE = 65_536
OVERVIEW = (
    Attribute.UID,
    Attribute.FLAGS,
    Attribute.INTERNALDATE,
    Attribute.SIZE,
    Attribute.ENVELOPE,
)


def measure(out: Path, is_kept: bool) -> None:
    """Measure all, print them beside the last release's, write them down."""
    numbers = {title: work() for title, work in PARTS.items()}
    before = json.loads(RELEASE.read_text()) if RELEASE.exists() else {}
    print(f"{'single parts':52}{'now':>12}{'release':>12}")
    for title, number in numbers.items():
        old = before.get(title)
        said = "-" if old is None else f"{old:,.2f}"
        print(f"{title:52}{number:>12,.2f}{said:>12}")
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(numbers, indent=1) + "\n"
    (out / "micro.json").write_text(text)
    if is_kept:
        RELEASE.write_text(text)


def _best(work: Callable[[], object]) -> float:
    """Seconds of CPU of the best round."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        rounds.append(time.process_time() - began)
    return min(rounds)


def smtp_text() -> float:
    """A message of 8 MB through the SMTP machine, in pieces as the network has them."""
    text = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    octets = stuff(fixed(4096, 1, "b@example.org") * 2000)

    def work() -> None:
        machine = SMTPServer()
        machine.send(Reply(220, "0.0", "ready"))
        machine.receive(b"EHLO client.example.org\r\n" + text)
        _answer_smtp(machine)
        for at in range(0, len(octets), PIECE):
            machine.receive(octets[at : at + PIECE])
            _answer_smtp(machine)

    return len(octets) / _best(work) / 1e6


def smtp_commands() -> float:
    """A short message through the SMTP machine: MAIL, RCPT, DATA and the dot."""
    octets = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"
    text = stuff(b"Subject: x\r\n\r\nx\r\n")

    def work() -> None:
        machine = SMTPServer()
        machine.send(Reply(220, "0.0", "ready"))
        machine.receive(b"EHLO client.example.org\r\n")
        _answer_smtp(machine)
        for _ in range(1000):
            machine.receive(octets)
            _answer_smtp(machine)
            machine.receive(text)
            _answer_smtp(machine)

    return 1e6 * _best(work) / 1000


def _answer_smtp(machine: SMTPServer) -> None:
    while (event := machine.next_event()) is not None:
        if isinstance(event, DataBegins):
            machine.send(Reply(354, "", "Go on"))
        elif not isinstance(event, TextBlock):
            machine.send(Reply(250, "0.0", "Done"))
    machine.take_output()


def imap_commands() -> float:
    """A command as clients send it through the IMAP machine."""
    octets = (
        b"a1 NOOP\r\n"
        b'a2 LIST "" "*" RETURN (STATUS (MESSAGES UNSEEN))\r\n'
        b"a3 STATUS INBOX (MESSAGES UIDNEXT UNSEEN)\r\n"
        b"a4 CREATE {7+}\r\nArchive\r\n"
    )

    def work() -> None:
        machine = IMAPServer()
        machine.greet(ok("ready"))
        machine.receive(b"a0 LOGIN alice secret\r\n")
        _answer_imap(machine)
        for _ in range(500):
            machine.receive(octets)
            _answer_imap(machine)

    return 1e6 * _best(work) / 2000


def _answer_imap(machine: IMAPServer) -> None:
    while machine.next_event() is not None:
        machine.answer(ok("Done"))
    machine.take_output()


def pop3_commands() -> float:
    """A command through the POP3 machine."""

    def work() -> None:
        machine = POP3Server()
        machine.greet("ready")
        machine.receive(b"USER alice\r\nPASS secret\r\n" + b"RETR 1\r\n" * 5000)
        while machine.next_event() is not None:
            machine.ok()
        machine.take_output()

    return 1e6 * _best(work) / 5000


def pop3_text() -> float:
    """A message of 8 MB on its way out of the POP3 machine."""
    octets = fixed(4096, 1, "b@example.org") * 16

    def work() -> None:
        machine = POP3Server()
        machine.greet("ready")
        machine.receive(b"USER alice\r\nPASS secret\r\nRETR 1\r\n")
        while machine.next_event() is not None:
            machine.ok()
        for _ in range(125):
            machine.write(octets)
            machine.take_output()
        machine.end()

    return 125 * len(octets) / _best(work) / 1e6


def signing(*algorithms: Algorithm) -> float:
    """The DKIM signatures of a message of 4 KiB; 500 µs for both is the aim."""
    keys = [SigningKey("example.org", "s1", make_key(one)) for one in algorithms]
    octets = fixed(4096, 1, "b@example.org")
    start = find_end(octets)

    def work() -> None:
        for _ in range(200):
            hashed = BodyHash()
            hashed.update(octets[start:])
            sign(octets[:start], hashed.digest(), keys, 1_700_000_000, 86_400)

    return 1e6 * _best(work) / 200


def rendering() -> float:
    """What the index keeps of a plain message of 4 KiB."""
    letters = [fixed(4096, number, "b@example.org") for number in range(200)]
    return 1e6 * _best(lambda: [render(letter) for letter in letters]) / 200


def rendering_mixed() -> float:
    """The same of messages of all structures."""
    letters = [message(number) for number in range(200)]
    return 1e6 * _best(lambda: [render(letter) for letter in letters]) / 200


def fetch_lines() -> float:
    """One response of FETCH ALL out of its row."""
    rendered = render(fixed(4096, 1, "b@example.org"))
    seen = frozenset({SEEN})
    rows = [
        MessageRecord(
            uid,
            uid,
            seen,
            4096,
            1_700_000_000 + uid,
            0,
            "",
            "",
            rendered.envelope,
            rendered.body,
            rendered.bodystructure,
            b"",
            b"",
        )
        for uid in range(1, 501)
    ]
    template = template_of(OVERVIEW)
    numbers = range(1, 501)

    def work() -> None:
        for _ in range(20):
            template.lines(rows, numbers)

    return 1e6 * _best(work) / 10_000


def view_lookups() -> float:
    """Numbers of a client as UIDs and back, in a view of 10,000 with gaps."""
    view = View(array("I", range(1, 20_001, 2)), 1)
    gone = UIDSet.of(range(1, 2001, 20))
    view.tell(MailboxChange(2, vanished=gone), True)

    def work() -> None:
        for number in range(1, 1001):
            view.numbers_of_uids(view.uids([(number, number + 500)]).ranges)

    return 1e6 * _best(work) / 1000


def view_changes() -> float:
    """A message that came, in a view of 10,000 of whom 100 are gone."""
    uids = array("I", range(1, 10_001))
    changes = [
        MailboxChange(number, (FlagRecord(10_000 + number, frozenset(), number),))
        for number in range(1, 501)
    ]

    def work() -> None:
        view = View(uids, 0)
        view.tell(MailboxChange(1, vanished=UIDSet.of(range(1, 1001, 10))), True)
        for change in changes:
            view.tell(change, True)

    return 1e6 * _best(work) / 500


PARTS: dict[str, Callable[[], float]] = {
    "SMTP machine, text (MB/s)": smtp_text,
    "SMTP machine, a short message (µs)": smtp_commands,
    "IMAP machine, a command (µs)": imap_commands,
    "POP3 machine, a command (µs)": pop3_commands,
    "POP3 machine, text (MB/s)": pop3_text,
    "DKIM, RSA, 4 KiB (µs)": partial(signing, Algorithm.RSA),
    "DKIM, RSA and Ed25519, 4 KiB (µs)": partial(signing, *Algorithm),
    "rendering, plain 4 KiB (µs)": rendering,
    "rendering, mixed (µs)": rendering_mixed,
    "FETCH ENVELOPE, a line (µs)": fetch_lines,
    "view, a range and back (µs)": view_lookups,
    "view, an arrival (µs)": view_changes,
}
