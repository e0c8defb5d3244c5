"""
Mail to hosts that fail at random, from a process that is killed again and again.

At the end each message has come once to each recipient, or its sender has it back. It
comes twice only where the 250 was not heard: the host cut it, or the process was killed
at that moment; and then the event record says so. What was given back is not delivered
afterwards, and no sender is told of anything twice. The queue is empty.

``MAILKIT_CHAOS=full`` asks for 10,000 messages, 200 domains and 50 kills.
"""

from __future__ import annotations

import email
import json
import os
import random
import re
import smtplib
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path

from attrs import define, field, frozen

from mailkit.services.queue.claims import TAKEN_OVER
from tests.interop.outside import CUT, HANG, KEPT, SLOW, Hosts, Outside, outside
from tests.interop.server import PASSWORD, Server, free_ports, wait_until

SENDER = "alice@example.test"
CLIENTS = 4
MARK = "X-Chaos"

KILL_WINDOW = 15.0
"""
Seconds before a kill in which a 250 may have come and not been recorded, and after it
in which a host may still take what had been sent to it.
"""


@frozen
class Size:
    """How much of it."""

    messages: int
    domains: int
    kills: int
    apart: tuple[float, float]
    """Seconds between kills, from and to."""
    limit: float
    """Seconds for sending the rest after the last kill, and half of what the queue is
    given to become empty once hosts are kind."""


SMALL = Size(500, 20, 5, (0.8, 2.0), 150)
FULL = Size(10_000, 200, 50, (1.0, 4.0), 900)

CHANCES: dict[str, list[tuple[float, str]]] = {
    "greeting": [
        (0.02, "break 421 4.3.2 Too many"),
        (0.01, "break 554 5.7.1 Go away"),
        (0.01, CUT),
        (0.005, HANG),
        (0.02, SLOW),
    ],
    "MAIL": [(0.02, "451 4.3.0 Later"), (0.01, "break 421 4.3.2 Bye"), (0.005, CUT)],
    "RCPT": [
        (0.04, "450 4.2.1 Greylisted"),
        (0.03, "550 5.1.1 Nobody of that name"),
        (0.01, "break 421 4.3.2 Bye"),
        (0.005, HANG),
    ],
    "DATA": [(0.02, "451 4.3.0 Later"), (0.005, CUT)],
    "text": [
        (0.04, "451 4.3.0 Later"),
        (0.02, "554 5.6.0 We do not like it"),
        (0.02, KEPT),
        (0.02, CUT),
        (0.01, "break 421 4.3.2 Bye"),
        (0.005, HANG),
        (0.03, SLOW),
    ],
}
"""How hosts fail: at each step, how often and how."""


@define
class Whims:
    """The script of all hosts."""

    chance: random.Random
    is_over: bool = False
    """From then on everybody is kind, so that it comes to an end."""
    told: Counter[str] = field(factory=Counter)

    def __call__(self, address: str, verb: str, line: str) -> str:
        if self.is_over:
            return ""
        number = self.chance.random()
        for part, said in CHANCES.get(verb, ()):
            number -= part
            if number < 0:
                self.told[f"{verb} {said}"] += 1
                return said
        return ""


Delivery = tuple[str, str]
"""The mark of a message, and a recipient."""


@define
class Diary:
    """What the clients were told."""

    begun: set[Delivery] = field(factory=set)
    accepted: dict[Delivery, str] = field(factory=dict)
    """With the id that the 250 told."""
    lock: threading.Lock = field(factory=threading.Lock)


@define
class Clients:
    """Submit so many messages, whoever dies meanwhile."""

    server: Server
    size: Size
    diary: Diary
    chance: random.Random
    next: int = 0
    surprises: list[BaseException] = field(factory=list)
    give_up: threading.Event = field(factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        return threads

    def _run(self) -> None:
        while not self.give_up.is_set():
            try:
                self._submit()
                return
            except (OSError, smtplib.SMTPException) as error:
                if isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused):
                    self.surprises.append(error)
                self.give_up.wait(0.2)  # killed; it comes back
            except BaseException as error:
                self.surprises.append(error)
                return

    def _submit(self) -> None:
        port = self.server.ports["submission"]
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.login(SENDER, PASSWORD)
            while (number := self._take()) is not None:
                mark, recipients = f"m{number}", self._recipients(number)
                self.diary.begun.update((mark, each) for each in recipients)
                try:
                    told = self._send(client, mark, recipients)
                except BaseException:
                    self._put_back(number)
                    raise
                for each in recipients:
                    self.diary.accepted[mark, each] = told

    def _send(self, client: smtplib.SMTP, mark: str, recipients: list[str]) -> str:
        code, said = client.mail(SENDER)
        assert code == 250, said
        for each in recipients:
            code, said = client.rcpt(each)
            assert code == 250, said
        code, said = client.data(
            f"From: {SENDER}\r\nTo: {recipients[0]}\r\nSubject: {mark}\r\n"
            f"Message-ID: <{mark}@example.test>\r\n{MARK}: {mark}\r\n"
            "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\nHello\r\n.\r\n..\r\n"
        )
        assert code == 250, said
        found = re.search(rb"as (\S+)", said)
        assert found, said
        return found[1].decode()

    def _recipients(self, number: int) -> list[str]:
        """One mostly; some have two at one domain or at two."""
        chance, size = random.Random(number), self.size
        domains = [chance.randrange(size.domains) for _ in range(2)]
        kind = chance.random()
        if kind < 0.8:
            domains.pop()
        elif kind < 0.9:
            domains[1] = domains[0]
        return [f"r{at}@d{domain}.chaos.test" for at, domain in enumerate(domains)]

    def _take(self) -> int | None:
        with self.diary.lock:
            if self.next >= self.size.messages or self.give_up.is_set():
                return None
            self.next += 1
            return self.next

    def _put_back(self, number: int) -> None:
        """Nobody knows of that one; another takes its place."""
        with self.diary.lock:
            self.size = Size(
                self.size.messages + 1, self.size.domains, self.size.kills,
                self.size.apart, self.size.limit,
            )  # fmt: skip


def records(size: Size) -> str:
    """Each domain has a host of its own; of every tenth nobody answers at the first."""
    lines: list[str] = []
    for number in range(size.domains):
        domain = f"d{number}.chaos.test."
        if number % 10 == 9:
            lines.append(f"{domain} MX 5 dead.chaos.test.")
        lines += [f"{domain} MX 10 mx.{domain}", f"mx.{domain} A {place(number)}"]
    lines.append("dead.chaos.test. A 127.3.0.1")
    return "\n".join(lines)


def place(number: int) -> str:
    return f"127.2.{number // 200}.{number % 200 + 1}"


def make_server(folder: Path, world: Outside, size: Size, port: int) -> Server:
    server = Server(folder)
    names = world.names(records(size))
    server.settings = (
        f'[dns]\nservers = ["{names.place}"]\n'
        f'[relay]\nallow = ["127.0.0.0/8"]\nport = {port}\n'
        '[queue]\nleave_alone = "1 s"\n'
        "[notices]\nto_one_account = 0\n"
        f'[sending]\nwithout_limit = ["{SENDER}"]\n'
    )
    server.write_config()
    server.add(SENDER, "--quota", "0")
    return server


@define
class Back:
    """What the sender was told."""

    notices: dict[Delivery, dict[str, float]] = field(factory=dict)
    """By which notices each was given back, and when those were written."""
    copies: Counter[str] = field(factory=Counter)
    """How often each notice lies in the mailbox, by its transaction."""


def bounced(server: Server) -> Back:
    """Who was told of what."""
    back = Back()
    for octets in server.messages(SENDER):
        message = email.message_from_bytes(octets)
        if message.get_content_type() != "multipart/report":
            continue
        id = message["Message-ID"].strip("<>").partition("@")[0]
        back.copies[id] += 1
        written = parsedate_to_datetime(message["Date"]).timestamp()
        text = octets.decode()
        mark = re.search(rf"^{MARK}: (\S+)", text, re.M)
        assert mark, text
        for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
            who = re.search(r"^Final-Recipient: rfc822; *(\S+)", block, re.M)
            if who and re.search(r"^Action: failed", block, re.M):
                back.notices.setdefault((mark[1], who[1]), {})[id] = written
    return back


def delivered(hosts: Hosts) -> dict[Delivery, list[tuple[float, bool]]]:
    """When each message was kept by a host, and whether it was told so."""
    found: dict[Delivery, list[tuple[float, bool]]] = {}
    for kept in hosts.kept:
        mark = re.search(rb"^X-Chaos: (\S+)\r$", kept.octets, re.M)
        assert mark, kept
        assert kept.octets.endswith(b"\r\nHello\r\n..\r\n...\r\n"), kept.octets
        for who in kept.recipients:
            found.setdefault((mark[1].decode(), who), []).append(
                (kept.at, kept.is_told)
            )
    return found


def said(server: Server) -> dict[str, str]:
    """
    What is known of each message, by the id that the 250 told.

    They are too many to be asked for one by one, as ``mailkit trace`` does.
    """
    with closing(sqlite3.connect(server.data / "events.sqlite")) as events:
        rows = events.execute(
            "SELECT transaction_id, group_concat(step || ': ' || detail, char(10)) "
            "FROM event GROUP BY transaction_id"
        )
        return dict(rows.fetchall())


def is_told_of(server: Server, known: dict[str, str], id: str) -> bool:
    """Whether it says of a message that it may have come twice."""
    if "may have been sent" in known.get(id, ""):
        return True
    # The last steps before a kill are lost; attempts are not.
    items = (f"{id}.1", f"{id}.2")
    shown = "".join(server.command("queue", "show", one, ok=False) for one in items)
    return "before its reply to the message" in shown or TAKEN_OVER in shown


@define
class Verdict:
    """What the comparison came to."""

    once: int = 0
    bounced: int = 0
    doubles_cut: int = 0
    doubles_killed: int = 0
    told_twice: int = 0
    """Given back by two notices."""
    both: int = 0
    """Given back after a host had taken them unheard."""
    both_killed: int = 0
    """The same, and what was not heard was a host's answer when a kill came."""
    back_and_sent: int = 0
    """Given back, and sent afterwards."""
    unanswered: int = 0
    problems: list[str] = field(factory=list)


def judge(server: Server, hosts: Hosts, diary: Diary, kills: list[float]) -> Verdict:
    verdict = Verdict()
    known = said(server)
    came, back = delivered(hosts), bounced(server)
    for delivery in came.keys() | back.notices.keys():
        if delivery not in diary.begun:
            verdict.problems.append(f"{delivery}: nobody sent it")
    for id, copies in back.copies.items():
        if copies > 1:
            verdict.problems.append(f"notice {id} is there {copies} times")
    for delivery in sorted(diary.begun):
        times, told = came.get(delivery, []), back.notices.get(delivery, {})
        if delivery not in diary.accepted:
            verdict.unanswered += 1
        elif not times and not told:
            verdict.problems.append(f"{delivery}: lost")
        verdict.once += len(times) == 1 and not told
        verdict.bounced += len(told) == 1 and not times
        if len(told) > 1:
            verdict.told_twice += 1
            verdict.problems.append(f"{delivery}: given back twice: {told}")
        if times and told:
            look_at_both(verdict, delivery, times, min(told.values()))
        if len(times) + len(told) > 1:
            look_at_double(verdict, server, known, diary, delivery, times, told, kills)
    return verdict


def look_at_both(
    verdict: Verdict,
    delivery: Delivery,
    times: list[tuple[float, bool]],
    written: float,
) -> None:
    """What came and was given back came first, and nobody heard of it."""
    since = time.time() - time.monotonic()
    if any(at + since > written + 1.0 for at, _ in times):
        verdict.back_and_sent += 1
        verdict.problems.append(f"{delivery}: given back {written}, then sent: {times}")
    else:
        verdict.both += 1
        verdict.both_killed += all(is_told for _, is_told in times)


def look_at_double(
    verdict: Verdict,
    server: Server,
    known: dict[str, str],
    diary: Diary,
    delivery: Delivery,
    times: list[tuple[float, bool]],
    told: Mapping[str, float],
    kills: list[float],
) -> None:
    """Each but the last must have a reason, and be told of."""
    times = sorted(times)
    id = diary.accepted.get(delivery, "")
    earlier = times if told else times[:-1]
    for at, is_told in earlier:
        if not is_told:
            verdict.doubles_cut += 1
        elif any(abs(kill - at) <= KILL_WINDOW for kill in kills):
            verdict.doubles_killed += 1
        else:
            verdict.problems.append(f"{delivery}: twice without a reason: {times}")
    if times and id and not is_told_of(server, known, id):
        words = f"{delivery}: twice, unsaid: {times}\n{known.get(id)}"
        verdict.problems.append(words)


def is_empty(server: Server) -> bool:
    return not json.loads(server.command("--json", "queue", "list"))


def killing(
    server: Server, size: Size, chance: random.Random, clients: Clients
) -> Iterator[float]:
    """Kill it, start it again, hurry what waits; each moment of it."""
    for _ in range(size.kills):
        clients.give_up.wait(chance.uniform(*size.apart))
        server.kill()
        yield time.monotonic()
        server.start()
        server.command("queue", "retry", "--all")


def test_killed_while_hosts_fail(tmp_path: Path) -> None:
    is_full = os.environ.get("MAILKIT_CHAOS") == "full"
    size = FULL if is_full else SMALL
    chance = random.Random(os.environ.get("MAILKIT_SEED", "mailkit"))
    began = time.monotonic()
    (port,) = free_ports(1)
    with outside() as world:
        whims = Whims(random.Random(chance.random()))
        addresses = [place(number) for number in range(size.domains)]
        hosts = world.hosts(port, addresses, script=whims)
        server = make_server(tmp_path / "server", world, size, port)
        diary = Diary()
        clients = Clients(server, size, diary, chance)
        server.start()
        try:
            threads = clients.start()
            kills = list(killing(server, size, chance, clients))
            for thread in threads:
                thread.join(size.limit)
            assert not clients.surprises, clients.surprises
            submitted = time.monotonic()
            empty_the_queue(server, whims, size)
            verdict = judge(server, hosts, diary, kills)
        finally:
            clients.give_up.set()
            server.stop()
    sys.stdout.write(
        f"{len(diary.accepted)} deliveries, {len(kills)} kills, "
        f"{submitted - began:.0f} s until all were submitted, "
        f"{time.monotonic() - began:.0f} s in all; hosts: {dict(whims.told)}\n"
        f"{verdict}\n"
    )
    assert not verdict.problems, "\n".join(verdict.problems[:20])
    assert len(diary.accepted) >= size.messages


def empty_the_queue(server: Server, whims: Whims, size: Size) -> None:
    """Hurry what waits; hosts are kind after a while."""
    kind = time.monotonic() + size.limit / 3
    end = kind + 2 * size.limit

    def hurried() -> bool:
        whims.is_over = time.monotonic() > kind
        server.command("queue", "retry", "--all")
        time.sleep(1.0)
        return is_empty(server)

    wait_until("the queue is empty", hurried, end - time.monotonic())
