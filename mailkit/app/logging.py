"""Where log lines go and what they look like: ``[log]`` of ``mailkit.toml``."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TextIO

from attrs import define
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)
from zope.interface import implementer

from mailkit.app.settings import LogSettings

_INTERNAL = ("log_", "isError", "printed", "why", "failure", "format", "system")
"""Fields that say how an event came to be, not what it is about."""


@implementer(ILogObserver)
class LogSwitch:
    """
    An observer whose settings may change while it is in use.

    :param quiet: namespaces whose info is left out, whatever the settings.
    :param worker: the number that every line bears; 0: none.
    """

    def __init__(
        self,
        settings: LogSettings,
        out: TextIO,
        quiet: Sequence[str] = (),
        worker: int = 0,
    ) -> None:
        self._out = out
        self._quiet = quiet
        self._worker = worker
        self.turn(settings)

    def turn(self, settings: LogSettings) -> None:
        """Write as these settings want from now on."""
        self._observer = make_observer(settings, self._out, self._quiet)

    def pass_on(self, lines: str) -> None:
        """Write lines that another process has made."""
        write(self._out, lines)

    def __call__(self, event: LogEvent) -> None:
        if self._worker:
            event = {**event, "worker": self._worker}
        self._observer(event)


def make_observer(
    settings: LogSettings, out: TextIO, quiet: Sequence[str] = ()
) -> ILogObserver:
    """An observer that writes what the settings want to ``out``."""
    formats: dict[str, Callable[[LogEvent], str]] = {
        "text": text_line,
        "json": json_line,
    }
    ours = LogLevelFilterPredicate(LogLevel.levelWithName(settings.level))
    # Twisted and its libraries tell at info what no administrator acts on.
    if settings.level == "info":
        for namespace in ("twisted", "stdout", "stderr", "-", "log_legacy", *quiet):
            ours.setLogLevelForNamespace(namespace, LogLevel.warn)
    writer = Writer(out, formats[settings.format])
    return FilteringLogObserver(writer, [ours])


@implementer(ILogObserver)
@define
class Writer:
    """One line an event; a line that cannot be written is no reason to stop."""

    out: TextIO
    form: Callable[[LogEvent], str]

    def __call__(self, event: LogEvent) -> None:
        write(self.out, self.form(event) + "\n")


def write(out: TextIO, lines: str) -> None:
    """Write whole lines, if that can be."""
    try:
        out.write(lines)
        out.flush()
    except (OSError, ValueError):
        return  # the terminal or the pipe behind it is gone


def text_line(event: LogEvent) -> str:
    """
    ``2026-11-21T10:00:00Z info words``; a traceback follows on lines of its own.

    A worker's number stands before the words: ``[2] words``.
    """
    level = event.get("log_level", LogLevel.info)
    words = _words(event).replace("\r", "\\r").replace("\n", "\\n")
    if "worker" in event:
        words = f"[{event['worker']}] {words}"
    line = f"{_when(event)} {level.name} {words}"
    return line + _traceback(event)


def json_line(event: LogEvent) -> str:
    """One object: ``time``, ``level``, ``from``, ``text`` and the event's fields."""
    level = event.get("log_level", LogLevel.info)
    told: dict[str, object] = {
        "time": _when(event),
        "level": level.name,
        "from": event.get("log_namespace", ""),
        "text": _words(event),
    }
    for name, value in event.items():
        if not name.startswith(_INTERNAL) and name not in told:
            plain = isinstance(value, str | int | float | bool | None)
            told[name] = value if plain else str(value)
    trace = _traceback(event)
    if trace:
        told["traceback"] = trace.strip()
    return json.dumps(told, ensure_ascii=False)


def _words(event: LogEvent) -> str:
    """What `formatEvent` says, in a tenth of its time where fields are plain."""
    form = event.get("log_format")
    if isinstance(form, str) and "()" not in form:
        try:
            return form.format_map(event)
        except (LookupError, ValueError, TypeError, AttributeError):
            pass  # it says so itself
    return formatEvent(event)


def _when(event: LogEvent) -> str:
    thousandths = int(event.get("log_time", 0.0) * 1000)
    return f"{_second(thousandths // 1000)}.{thousandths % 1000:03d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _traceback(event: LogEvent) -> str:
    failure = event.get("log_failure")
    if failure is None:
        return ""
    out = io.StringIO()
    failure.printTraceback(file=out)
    return "\n" + out.getvalue().rstrip("\n")
