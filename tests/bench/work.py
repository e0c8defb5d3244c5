"""What every workload is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define

from tests.bench.processes import Meter
from tests.bench.readers import IMAP, POP3
from tests.bench.report import Figure, Report, Row
from tests.bench.senders import AnswerError
from tests.bench.targets import PASSWORD, Target, address


@define(eq=False, kw_only=True)
class Sizes:
    """How much work is done; smaller for a quick look."""

    messages: int = 10_000
    """In the mailbox that IMAP reads."""
    small: int = 2_000
    """Deliveries of 4 KiB."""
    large: int = 300
    """Deliveries of 100 KiB."""
    idlers: int = 400
    limit: float = 120.0
    """Seconds that one measurement may take."""


@define(eq=False)
class Bench:
    """One workload on one server."""

    target: Target
    sizes: Sizes
    report: Report
    restart: Callable[[], None]
    """Stop the server, forget what the machine cached of its files, start again."""

    def imap(self, account: str) -> IMAP:
        """A new session of one of `NAMES`."""
        port = self.target.ports.imap
        return IMAP(port, address(account), PASSWORD, self.sizes.limit)

    def pop3(self, account: str) -> POP3:
        """A new session of one of `NAMES`."""
        port = self.target.ports.pop3
        return POP3(port, address(account), PASSWORD, self.sizes.limit)

    def add(
        self, row: Row, value: float, cpu: float | None = None, note: str = ""
    ) -> None:
        """One figure."""
        self.report.add(self.target.name, row, Figure(value, cpu, note))

    @contextmanager
    def measured(self, row: Row, pieces: int = 1) -> Iterator[Meter]:
        """
        Measure the block: pieces a second in a row of rates, else milliseconds.

        What goes wrong in it becomes a figure that failed.
        """
        meter = Meter(self.target.pids)
        try:
            with meter:
                yield meter
        except (OSError, AnswerError, TimeoutError) as problem:
            why = f"{type(problem).__name__}: {problem}"[:200]
            self.report.add(self.target.name, row, Figure(None, None, why))
            return
        value = pieces / meter.wall if row.is_rate else 1000 * meter.wall
        self.add(row, value, 1000 * meter.cpu / pieces)


Workload = Callable[[Bench], None]


def expect(is_so: bool, what: str) -> None:
    """:raises AnswerError: if it is not."""
    if not is_so:
        raise AnswerError(what)
