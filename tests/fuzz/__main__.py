"""
Sends spoiled dialogues to the servers, and to our clients::

    python -m tests.fuzz [smtp submission … relay dns web] [--seconds 600]

What breaks a promise is made small and written to ``tests/fuzz/corpus``, from where
`tests.fuzz.test_short` plays it until it is mended, and ever after.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from hashlib import sha256

from attrs import define, field
from twisted.logger import globalLogBeginner

from tests.fuzz.inputs import CORPUS, Spoiler, Steps, shrink, written
from tests.fuzz.places import PLACES
from tests.fuzz.play import TroubleError, blocks, compare, left_over, play

MOST_FOUND = 10
"""After so many different troubles a server has had enough."""
MOST_IN_POOL = 3000
WARM = 500
"""Inputs after which all caches are filled."""
LOOK = 2000
"""Inputs between two looks at the memory."""
MOST_GROWTH = 60_000
"""Blocks of memory, about 4 MB, by which caches that have an end may still grow."""


@define(eq=False)
class Fuzzing:
    """A campaign against one server."""

    service: str
    chance: random.Random
    spoiler: Spoiler = field(init=False)
    played: int = 0
    found: dict[str, Steps] = field(factory=dict)
    _shapes: set[bytes] = field(factory=set)
    _at_first: int = 0

    def __attrs_post_init__(self) -> None:
        self.spoiler = Spoiler.of(self.service, self.chance)

    def run(self, seconds: float) -> bool:
        """Play for so long; whether every promise was kept."""
        print(f"{self.service}: {len(self.spoiler.pool)} seeds", flush=True)
        began = time.monotonic()
        while time.monotonic() - began < seconds and len(self.found) < MOST_FOUND:
            steps = self.spoiler.next()
            try:
                self._try(steps)
                self._look_at_memory()
            except TroubleError as trouble:
                self._keep(steps, trouble)
        took = time.monotonic() - began
        print(
            f"{self.service}: {self.played} executions, {self.played / took:.0f} a "
            f"second, {len(self.spoiler.pool)} in the pool, {len(self.found)} troubles",
            flush=True,
        )
        return not self.found

    def _try(self, steps: Steps) -> None:
        seed = self.chance.random()
        if self.chance.random() < 0.25:
            self.played += 2
            played = compare(self.service, steps, random.Random(seed))
        else:
            self.played += 1
            played = play(self.service, steps, random.Random(seed))
        if not played.shape <= self._shapes and len(self.spoiler.pool) < MOST_IN_POOL:
            self._shapes |= played.shape
            self.spoiler.pool.append(steps)

    def _look_at_memory(self) -> None:
        if self.played < WARM:
            return
        if not self._at_first:
            self._at_first = blocks() - self._own_blocks()
        elif self.played % LOOK < 2:
            if count := left_over():
                raise TroubleError(f"{count} connections are left over")
            growth = blocks() - self._own_blocks() - self._at_first
            if growth > MOST_GROWTH:
                self._at_first += growth
                raise TroubleError(f"memory grew by {growth} blocks")

    def _own_blocks(self) -> int:
        """About what this campaign itself keeps."""
        return len(self._shapes) + 2 * sum(len(steps) for steps in self.spoiler.pool)

    def _keep(self, steps: Steps, trouble: TroubleError) -> None:
        kind = _kind(trouble)
        if kind in self.found:
            return
        seed = self.chance.random()

        def is_bad(steps: Steps) -> bool:
            try:
                compare(self.service, steps, random.Random(seed))
            except TroubleError as again:
                return _kind(again) == kind
            return False

        small = shrink(steps, is_bad)
        self.found[kind] = small
        folder = CORPUS / self.service
        folder.mkdir(parents=True, exist_ok=True)
        name = sha256(kind.encode()).hexdigest()[:8]
        path = folder / f"found_{name}.txt"
        path.write_text(written(small, kind[:200]))
        print(f"{self.service}: {trouble}\n  {path}", flush=True)


def _kind(trouble: TroubleError) -> str:
    """TroubleErrors of one kind have one cause, mostly."""
    lines = [line for line in str(trouble).splitlines() if line.strip()]
    if lines[0].startswith("Traceback"):
        where = [line.strip() for line in lines if line.startswith("  File")]
        return f"{lines[-1].strip()[:80]} {where[-1]}"
    return lines[0].partition(":")[0]


def main(words: list[str]) -> int:
    """Parse the words and go."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("servers", nargs="*", help=f"of {' '.join(PLACES)}")
    parser.add_argument("--seconds", type=float, default=600.0, help="for each server")
    parser.add_argument("--seed", type=int, default=None, help="to do the same again")
    chosen = parser.parse_args(words)
    seed = chosen.seed if chosen.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}")
    # What is logged before logging begins is kept for ever.
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    services = chosen.servers or list(PLACES)
    for service in services:
        if service not in PLACES:
            parser.error(f"no server is called {service}")
    results = [
        Fuzzing(service, random.Random(seed)).run(chosen.seconds)
        for service in services
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
