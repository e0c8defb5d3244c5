"""
Measures mailkit beside Debian's Postfix and Dovecot::

    python -m tests.bench [smtp slow-disk imap pop3 notices memory logins syncs
                            sending conversations web micro]

All of them if none is named; the two neighbours are left out, with the reason, where
they are not installed. The table comes last, and everything as JSON below bench-out/.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

from attrs import define, field

from tests.bench import (
    conversations,
    delivering,
    idling,
    micro,
    reading,
    sending,
    syncs,
    web,
)
from tests.bench.ours import Mailkit
from tests.bench.postfixdovecot import PostfixDovecot
from tests.bench.report import Aim, Figure, Report, Row
from tests.bench.targets import Ports, Target, slow_sync
from tests.bench.work import Bench, Sizes, Workload

WORKLOADS: dict[str, Workload] = {
    "smtp": delivering.smtp,
    "slow-disk": delivering.slow_disk,
    "imap": reading.imap,
    "pop3": reading.pop3,
    "notices": idling.notices,
    "memory": idling.memory,
    "logins": idling.logins,
    "syncs": syncs.syncs,
}
MICRO = "micro"
SENDING = "sending"
"""Among others: mail that leaves needs other servers, and no mailboxes."""
CONVERSATIONS = "conversations"
"""Of the store by itself, in a large account."""
WEB = "web"
"""Pages of the same account, and people who click."""
TURNS = Row("reactor turns over 20 ms of CPU", "turns", Aim(at_most=0))
_TURN = re.compile(r'^mailkit_reactor_turn_seconds_bucket\{le="([^"]+)"\} (\S+)', re.M)


@define(eq=False)
class Run:
    """One run of the chosen work over the chosen servers."""

    sizes: Sizes
    scratch: Path
    report: Report = field(factory=Report)
    turns: Counter[str] = field(factory=Counter)
    """How many turns cost up to so many seconds, over all processes."""

    def measure(self, target: Target, names: list[str]) -> None:
        """All the work on one server."""
        print(f"{target.name}: {target.version()}", flush=True)
        self.report.versions[target.name] = target.version()
        root = self.scratch / target.name.replace(" ", "-")
        root.mkdir()
        target.prepare(root)
        for name in names:
            print(f" {name}", flush=True)
            environment = slow_sync(self.scratch) if name == "slow-disk" else {}
            target.start(environment)
            bench = Bench(
                target, self.sizes, self.report, lambda: self._start_again(target)
            )
            try:
                WORKLOADS[name](bench)
                self._count_turns(target, name)
            except Exception as problem:  # the others are still worth measuring
                row = Row(f"{name}: broken off", "")
                self.report.add(
                    target.name, row, Figure(None, None, f"{problem!r}"[:300])
                )
            finally:
                target.stop()

    def tell_turns(self) -> None:
        """The histogram of the reactor's turns, as a row and as it is."""
        if not self.turns:
            return
        over = self.turns["+Inf"] - self.turns["0.02"]
        self.report.add("mailkit", TURNS, Figure(over))
        self.report.more["reactor turns"] = dict(self.turns)
        print("reactor turns up to so many seconds of CPU:")
        for bound, count in self.turns.items():
            print(f"  {bound:>8}: {count}")

    def _start_again(self, target: Target) -> None:
        self._count_turns(target, "restart")
        target.stop()
        os.sync()
        if os.geteuid() == 0:
            Path("/proc/sys/vm/drop_caches").write_text("3\n")
        target.start({})

    def _count_turns(self, target: Target, name: str) -> None:
        counts = {bound: int(float(n)) for bound, n in _TURN.findall(target.metrics())}
        if over := counts.get("+Inf", 0) - counts.get("0.02", 0):
            print(f"  {over} turns over 20 ms before the end of {name}")
        self.turns.update(counts)


def main(words: list[str]) -> int:
    """Parse the words, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    known = [*WORKLOADS, SENDING, CONVERSATIONS, WEB, MICRO]
    parser.add_argument("workloads", nargs="*", help=f"of {' '.join(known)}")
    parser.add_argument(
        "--only", default="as-installed,tuned,mailkit", help="these servers"
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the work")
    parser.add_argument("--keep", action="store_true", help="for the next release")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--scratch", type=Path, default=Path("/var/tmp"))
    parser.add_argument("--port", type=int, default=21_000, help="the first of 60")
    chosen = parser.parse_args(words)
    names = chosen.workloads or known
    for name in names:
        if name not in known:
            parser.error(f"no workload is called {name}")
    if MICRO in names:
        micro.measure(chosen.out, chosen.keep)
        names = [name for name in names if name != MICRO]
    if not names:
        return 0
    scratch = Path(mkdtemp(prefix="mailkit-bench-", dir=chosen.scratch))
    scratch.chmod(0o755)
    run = Run(_sizes(chosen.quick), scratch)
    only = chosen.only.split(",")
    if SENDING in names:
        names.remove(SENDING)
        sending.measure(run.report, scratch, chosen.port + 100, only, chosen.quick)
    if CONVERSATIONS in names:
        names.remove(CONVERSATIONS)
        conversations.measure(run.report, scratch, chosen.quick)
    if WEB in names:
        names.remove(WEB)
        web.measure(run.report, scratch, chosen.port + 80, chosen.quick)
    for target in _targets(chosen.port) if names else ():
        if target.name.replace(" ", "-") not in only:
            continue
        if reason := target.lacks():
            print(f"{target.name}: skipped: {reason}")
            continue
        run.measure(target, names)
    run.tell_turns()
    out = chosen.out / f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json"
    run.report.save(out)
    print(run.report.table())
    # Deleting many files makes ext4 slow for minutes: not before or between runs.
    print(f"\n{out}; the servers' files may go: {scratch}")
    return 0


def _sizes(is_quick: bool) -> Sizes:
    return Sizes(messages=1000, small=300, large=50) if is_quick else Sizes()


def _targets(port: int) -> list[Target]:
    def ports(first: int) -> Ports:
        return Ports(first, first + 1, first + 2)

    return [
        PostfixDovecot(False, ports(port)),
        PostfixDovecot(True, ports(port + 20)),
        Mailkit(ports(port + 40)),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
