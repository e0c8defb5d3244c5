"""
A delivery that is made again after a stop, since nobody knows whether it was made.

The queue does so (RFC 5321 §4.5.4.1): whatever the stop left, the account has the
message once in each of its mailboxes.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from mailkit.interfaces.storage import IMailStore, Placement
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import ALICE, BOB, message
from tests.storage.crash.replay import ROUNDS, Run, found, record, scratch
from tests.storage.crash.scenarios import (
    ARCHIVE,
    WORK,
    Scenario,
    move,
    prepare,
)
from tests.storage.crash.world import Clock, Step, Whole, look, new_boot, opened

OCTETS = message(7)
ONCE = "5f3c09d1a2b4e687.1"
TWO = (Placement(ALICE, INBOX, once=ONCE), Placement(ALICE, WORK, once=ONCE))
ALSO_BOB = (*TWO, Placement(BOB, INBOX, once=ONCE))
LEAST = 60
"""Operations after which it may be stopped, in all scenarios together."""
EVERY = {"kill": 1, "ordered": 2, "strict": 2}
"""After which of them an ordinary run stops; a longer one after each."""


def deliver(to: tuple[Placement, ...]) -> Step:
    async def run(store: IMailStore) -> None:
        await store.deliver(OctetsContent(OCTETS), to)

    return Step("deliver once", run, Whole.SOME)


SCENARIOS = {
    "to one": (TWO[:1], [deliver(TWO[:1])]),
    "to several": (ALSO_BOB, [deliver(ALSO_BOB)]),
    "again": (TWO, [deliver(TWO[:1]), deliver(TWO)]),
    "moved": (TWO[:1], [deliver(TWO[:1]), move([4], ARCHIVE)]),
}
_runs: dict[str, Run] = {}


def run_of(name: str) -> Run:
    if name not in _runs:
        _, steps = SCENARIOS[name]
        _runs[name] = record(steps, prepare(Scenario(name, steps)))
    return _runs[name]


def try_again(
    name: str, position: int, model: str, choose: Random, *, has_index: bool
) -> None:
    """Stop there, deliver again, twice, and count."""
    run, (to, _) = run_of(name), SCENARIOS[name]
    disk, detail = found(run, position, model, choose)
    boot = run.boot if model == "kill" else new_boot()
    clock = Clock(run.clock.seconds + choose.choice([1, 100, -7200]))
    with scratch() as folder:
        data = folder / "data"
        disk.put(data)
        if not has_index:
            for ending in ("", "-wal", "-shm"):
                path = data / f"mail/example.test/alice/index.sqlite{ending}"
                path.unlink(missing_ok=True)
        with opened(data, clock, boot) as store:
            for _ in range(2):
                at_once(store.deliver(OctetsContent(OCTETS), to))
            counted: Counter[tuple[str, MailboxName]] = Counter()
            for account in (ALICE, BOB):
                for box, state in at_once(look(store, account)).boxes.items():
                    texts = [seen.octets for seen in state.messages.values()]
                    counted[account, box] = texts.count(OCTETS)
            store.home(BOB).close()
    stop = f"{model} after {position} of {name} ({detail})"
    everywhere = [1 for one in to if one.account == ALICE]
    alices = {box: count for (who, box), count in counted.items() if who == ALICE}
    assert sum(alices.values()) == len(everywhere), f"{stop}: {alices}"
    assert max(alices.values()) == 1, f"{stop}: {alices}"
    if len(to) > len(everywhere):
        assert counted[BOB, INBOX] == 1, stop


@pytest.mark.parametrize("model", EVERY)
@pytest.mark.parametrize("name", SCENARIOS)
def test_it_is_there_once(name: str, model: str) -> None:
    run, choose = run_of(name), Random(f"{name} {model}")
    step = 1 if ROUNDS > 1 else EVERY[model]
    for position in range(0, len(run.changes) + 1, step):
        for _ in range(1 if model == "kill" else ROUNDS):
            try_again(name, position, model, choose, has_index=True)


@pytest.mark.parametrize("name", ["to one", "again"])
def test_it_is_found_without_the_index(name: str) -> None:
    run, choose = run_of(name), Random(name)
    for position in range(0, len(run.changes) + 1, 2):
        try_again(name, position, "kill", choose, has_index=False)


def test_there_are_enough_stops() -> None:
    assert sum(len(run_of(name).changes) for name in SCENARIOS) > LEAST
