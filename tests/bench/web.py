"""
The webmail's pages, by a server as people run it: one account with 100,000 messages.

A time is that of the browser, over loopback: it ends with the last octet of the page.
Beside it stands what the server's threads took of the CPU for one, which other work on
the machine does not change.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import define

from tests.bench.browsers import Browser, threads
from tests.bench.corpus import fixed
from tests.bench.ours import Mailkit
from tests.bench.processes import cpu_exactly, pss_kib
from tests.bench.report import Aim, Figure, Report, Row
from tests.bench.senders import AnswerError, Courier, stuff
from tests.bench.targets import NAMES, PASSWORD, Ports, address

READER = NAMES[0]
PERSONS = NAMES[1:21]
LISTENERS = NAMES[1:41]
"""Each may have six streams."""
MESSAGES = 100_000
PEOPLE = 20_000
TIMES = 200
CLICKING = 20.0
"""Seconds."""
A_SECOND = 50
"""Messages that come while people click."""

INBOX = Row("web: inbox, p95", "ms", Aim(at_most=25))
MIDDLE = Row("web: inbox, p50", "ms", Aim(at_most=12))
DEEP = Row("web: inbox, a page at depth, p95", "ms", Aim(at_most=25))
PART = Row("web: inbox, the list alone, p95", "ms", Aim(at_most=25))
ONE = Row("web: conversation of 20 messages, p95", "ms", Aim(at_most=40))
ACT = Row("web: POST /act, a star, p95", "ms", Aim(at_most=30))
MOVE = Row("web: POST /act, archive, p95", "ms", Aim(at_most=30))
UNDO = Row("web: POST /undo, p95", "ms", Aim(at_most=30))
WHO = Row("web: /people among 20,000, p95", "ms", Aim(at_most=15))
SEARCH = Row("web: search, p95", "ms", Aim(at_most=150))
IDLE = Row("web: memory of an idle stream of events", "KiB", Aim(at_most=40))
CLICKS = Row("web: 20 people click, 50 messages/s, p95", "ms")
TURNS = Row("web: turns over 20 ms of CPU meanwhile", "turns", Aim(at_most=0))

_TURN = re.compile(r'^mailkit_reactor_turn_seconds_bucket\{le="([^"]+)"\} (\S+)', re.M)
_QUERIES = ("meeting", "invoice budget from:anna", '"the project"', "is:unread", "mee")
_LETTERS = ("an", "pe", "d1", "mar", "j", "schm", "li we", "x@", "zz", "te")


@define(eq=False)
class Pages:
    """The server, what it is asked, and the report."""

    target: Mailkit
    report: Report

    def spread(self, row: Row, work: Callable[[int], object], times: int) -> float:
        """Do it so often; the p50 in milliseconds."""
        took: list[float] = []
        cpu: list[float] = []
        for number in range(times):
            used, begun = cpu_exactly(self.target.pids()), time.perf_counter()
            work(number)
            took.append(1e3 * (time.perf_counter() - begun))
            cpu.append(1e3 * (cpu_exactly(self.target.pids()) - used))
        self._add(row, took, cpu)
        return _at(took, 0.5)

    def add(self, row: Row, value: float, note: str = "") -> None:
        self.report.add(self.target.name, row, Figure(value, None, note))

    def _add(self, row: Row, took: Sequence[float], cpu: Sequence[float]) -> None:
        late = f"p95 of CPU {_at(cpu, 0.95):.1f} ms"
        note = f"p50 {_at(took, 0.5):.1f} ms, {late}"
        figure = Figure(_at(took, 0.95), _at(cpu, 0.5), note)
        self.report.add(self.target.name, row, figure)

    def turns(self) -> Counter[str]:
        """How many turns of the reactor took up to so many seconds of CPU."""
        found = _TURN.findall(self.target.metrics())
        return Counter({bound: int(float(count)) for bound, count in found})


def reading(pages: Pages, browser: Browser) -> None:
    """What one person does, one after the other."""
    middle = pages.spread(INBOX, lambda _: browser.get("/mail/inbox"), TIMES)
    pages.add(MIDDLE, middle)
    pages.spread(PART, lambda _: browser.get("/mail/inbox", "list"), TIMES)
    deep = _deep(browser)
    pages.spread(DEEP, lambda _: browser.get(deep), TIMES)
    long = _long(browser)
    pages.spread(ONE, lambda _: browser.get(f"/mail/all/c/{long}"), TIMES // 2)
    chosen = threads(browser.get("/mail/inbox"))

    def star(number: int) -> None:
        op = "unstar" if number % 2 else "star"
        browser.act(op=op, c=chosen[number // 2 % len(chosen)], box="inbox")

    pages.spread(ACT, star, TIMES // 2)
    tokens: list[str] = []

    def archive(number: int) -> None:
        tokens.append(browser.act(op="archive", c=chosen[number], box="inbox"))

    pages.spread(MOVE, archive, len(chosen))
    pages.spread(UNDO, lambda _: browser.undo(tokens.pop()), len(chosen))

    def whom(number: int) -> None:
        letters = _LETTERS[number % len(_LETTERS)].replace(" ", "+")
        browser.get(f"/people?q={letters}", dest="empty")

    pages.spread(WHO, whom, TIMES)

    def search(number: int) -> None:
        words = _QUERIES[number % len(_QUERIES)].replace(" ", "+").replace('"', "%22")
        browser.get(f"/search?q={words}")

    pages.spread(SEARCH, search, TIMES // 2)


def idle(pages: Pages, persons: Sequence[Browser]) -> None:
    """What a stream takes that nothing comes through, beside others of its account."""
    streams = []
    taken = []
    for count in (2, 3):
        for browser in persons:
            streams += [browser.listen() for _ in range(count)]
        time.sleep(2)
        taken.append(pss_kib(pages.target.pids(), "Pss_Anon"))
    each = (taken[1] - taken[0]) / (3 * len(persons))
    pages.add(IDLE, max(each, 0.0), f"{len(streams)} streams")
    for stream in streams:
        stream.close()


def clicking(pages: Pages, persons: Sequence[Browser]) -> None:
    """People read, star, search and write down names, while mail comes for them."""
    before = pages.turns()
    took: list[float] = []
    wrong: list[str] = []
    with _mail(pages.target.ports.smtp, wrong):
        end = time.monotonic() + CLICKING
        people = [
            threading.Thread(target=_click, args=(browser, n, end, took, wrong))
            for n, browser in enumerate(persons)
        ]
        for one in people:
            one.start()
        for one in people:
            one.join()
    if wrong:
        raise AnswerError("; ".join(sorted(set(wrong))[:3]))
    note = f"{len(took)} clicks, p50 {_at(took, 0.5):.1f} ms"
    pages.add(CLICKS, _at(took, 0.95), note)
    time.sleep(1)
    turns = pages.turns() - before
    over = turns["+Inf"] - turns["0.02"]
    pages.add(
        TURNS, over, f"of {turns['+Inf']:,}; {turns['+Inf'] - turns['0.05']} > 50"
    )
    pages.report.more["reactor turns while people click"] = dict(turns)


def _click(
    browser: Browser, number: int, end: float, took: list[float], wrong: list[str]
) -> None:
    """One person, who does something about once a second."""
    chance = random.Random(number)
    found: list[str] = []
    while time.monotonic() < end:
        begun = time.perf_counter()
        try:
            match chance.randrange(6):
                case 0 | 1:
                    found = threads(browser.get("/mail/inbox"))
                case 2 | 3 if found:
                    browser.get(f"/mail/inbox/c/{chance.choice(found)}", "main")
                case 4 if found:
                    browser.act(op="star", c=chance.choice(found), box="inbox")
                case _:
                    browser.get("/search?q=message")
        except (OSError, AnswerError) as problem:
            wrong.append(repr(problem))
            return
        took.append(1e3 * (time.perf_counter() - begun))
        time.sleep(chance.uniform(0.5, 1.5))


@contextmanager
def _mail(port: int, wrong: list[str]) -> Iterator[None]:
    """Messages for everybody, so many a second."""
    is_over = threading.Event()

    def send() -> None:
        courier = Courier(port)
        number, due = 0, time.monotonic()
        try:
            while not is_over.wait(max(0.0, due - time.monotonic())):
                to = address(PERSONS[number % len(PERSONS)])
                courier.prepare(to.encode())
                courier.send(stuff(fixed(4096, number, to)))
                courier.answer()
                number, due = number + 1, due + 1 / A_SECOND
        except (OSError, AnswerError) as problem:
            wrong.append(repr(problem))
        finally:
            courier.close()

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        is_over.set()
        sending.join()


def _deep(browser: Browser) -> str:
    """A page some way down."""
    address = "/mail/inbox"
    for _ in range(40):
        found = re.search(
            r'href="(/mail/inbox\?after=[^"]+)"[^>]*rel="next"', browser.get(address)
        )
        if found is None:
            break
        address = found[1]
    return address


def _long(browser: Browser) -> str:
    """A conversation of twenty or a few more: others answered some of it, too."""
    for number in range(51, 100):
        page = browser.get(f"/search?q=%22long+{number}%22")
        if re.search(r'class="cnt num"[^>]*>2[0-3]<', page):
            return threads(page)[0]
    raise AnswerError("no conversation of 20 messages")


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def measure(report: Report, scratch: Path, port: int, is_quick: bool) -> None:
    """Fill, serve, ask."""
    target = Mailkit(Ports(port, port + 1, port + 2), port + 4)
    root = scratch / "web"
    root.mkdir()
    target.prepare(root)
    count = MESSAGES // 10 if is_quick else MESSAGES
    words = [str(target.data), address(READER), str(count), str(PEOPLE)]
    subprocess.run([sys.executable, "-m", "tests.bench.webfilling", *words], check=True)
    report.versions[target.name] = target.version()
    serve(target, report)


def serve(target: Mailkit, report: Report) -> None:
    """Everything, over mail that is there."""
    pages = Pages(target, report)
    browsers = [Browser(target.http) for _ in range(1 + len(LISTENERS))]
    target.start({})
    try:
        for browser, name in zip(browsers, (READER, *LISTENERS), strict=True):
            browser.sign_in(address(name), PASSWORD)
            browser.close()
        # What passwords have taken is nothing that a stream takes.
        target.stop()
        target.start({})
        idle(pages, browsers[1:])
        reading(pages, browsers[0])
        clicking(pages, browsers[1 : 1 + len(PERSONS)])
    finally:
        for browser in browsers:
            browser.close()
        target.stop()
