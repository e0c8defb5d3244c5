"""Log lines, for people and for programs."""

from __future__ import annotations

import io
import json

import pytest
from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer

from mailkit.app.logging import LogSwitch, make_observer
from mailkit.app.settings import LogSettings


@implementer(ILogObserver)
class Book:
    """A log and what was written to it; every event comes with the same time."""

    def __init__(self, form: str = "text", level: str = "info") -> None:
        self.out = io.StringIO()
        settings = LogSettings(form, level)  # type: ignore[arg-type]  # from tables
        self.observer = make_observer(settings, self.out)
        self.log = Logger("mailkit.test", observer=self)

    def __call__(self, event: LogEvent) -> None:
        self.observer({**event, "log_time": 0.25})

    @property
    def lines(self) -> list[str]:
        return self.out.getvalue().splitlines()


def test_text() -> None:
    book = Book()
    book.log.info("{peer} did {what}", peer="192.0.2.1", what="this")
    assert book.lines == ["1970-01-01T00:00:00.250Z info 192.0.2.1 did this"]


def test_a_peer_cannot_make_lines() -> None:
    book = Book()
    book.log.info("{peer}", peer="a\r\n1970 info b {x}")
    assert book.lines == ["1970-01-01T00:00:00.250Z info a\\r\\n1970 info b {x}"]


def test_json() -> None:
    book = Book("json")
    book.log.warn("{peer}", peer=b"x", took=0.5, uid=None)
    [line] = book.lines
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "warn",
        "from": "mailkit.test",
        "text": "b'x'",
        "peer": "b'x'",
        "took": 0.5,
        "uid": None,
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_failure_is_told_whole(form: str) -> None:
    book = Book(form)
    try:
        raise KeyError("lost")
    except KeyError:
        book.log.failure("it broke")
    if form == "json":
        [line] = book.lines
        assert "KeyError: 'lost'" in json.loads(line)["traceback"]
    else:
        assert book.lines[0] == "1970-01-01T00:00:00.250Z critical it broke"
        assert book.lines[-1] == "builtins.KeyError: 'lost'"


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("debug", ["d", "i", "w", "ti", "tw"]),
        ("info", ["i", "w", "tw"]),
        ("warn", ["w", "tw"]),
        ("error", []),
    ],
)
def test_levels(level: str, told: list[str]) -> None:
    book = Book(level=level)
    twisted = Logger("twisted.internet", observer=book)
    book.log.debug("d")
    book.log.info("i")
    book.log.warn("w")
    twisted.info("ti")
    twisted.warn("tw")
    assert [line.split()[-1] for line in book.lines] == told


def test_a_terminal_that_is_gone_ends_nothing() -> None:
    book = Book()
    book.out.close()
    book.log.info("nobody hears")
    assert book.out.closed


def test_a_worker_is_told_by_its_number() -> None:
    out = io.StringIO()
    switch = LogSwitch(LogSettings(), out, worker=2)
    log = Logger("mailkit.test", observer=switch)
    log.info("hello")
    assert out.getvalue().endswith(" info [2] hello\n")
    switch.turn(LogSettings("json"))
    log.info("hello")
    told = json.loads(out.getvalue().splitlines()[1])
    assert (told["worker"], told["text"]) == (2, "hello")


def test_lines_of_others_are_passed_on_as_they_are() -> None:
    out = io.StringIO()
    switch = LogSwitch(LogSettings("json", "error"), out)
    switch.pass_on("one\ntwo\n")
    assert out.getvalue() == "one\ntwo\n"
    out.close()
    switch.pass_on("nobody reads this any more\n")
