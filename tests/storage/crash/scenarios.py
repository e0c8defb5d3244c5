"""The changes that are stopped everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import evolve, frozen

from mailkit.interfaces.storage import IMailbox, IMailStore, Placement
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.uidset import UIDSet
from mailkit.storage import names
from mailkit.storage.content import OctetsContent
from mailkit.storage.maildir.store import MaildirStore
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.messages import ALICE, BOB, message, new
from tests.storage.crash.world import Step, Whole

ARCHIVE = MailboxName("Archive")
WORK = MailboxName("Work")


@frozen(eq=False)
class Scenario:
    """A few steps over a mailbox with a few messages."""

    name: str
    steps: Sequence[Step]
    messages: int = 3
    flags: tuple[str, ...] = ()


def deliver(number: int, *more: Placement) -> Step:
    octets = message(number)
    to = [Placement(ALICE, INBOX), *more]

    async def run(store: IMailStore) -> None:
        await store.deliver(OctetsContent(octets), to)

    mine = sum(placement.account == ALICE for placement in to)
    made = tuple(placement.mailbox for placement in more)
    return Step(f"deliver {number}", run, Whole.SOME, (octets,) * mine, made)


def append(name: MailboxName, *numbers: int, flags: tuple[str, ...] = ()) -> Step:
    octets = [message(number) for number in numbers]

    async def run(store: IMailStore) -> None:
        mailbox = await store.open(ALICE, name)
        await mailbox.append([new(one, *flags) for one in octets])

    return Step(f"append {numbers} to {name}", run, Whole.SOME, tuple(octets))


def on(
    what: str,
    work: Callable[[IMailbox], Awaitable[object]],
    name: MailboxName = INBOX,
    whole: Whole = Whole.ALL_OR_NONE,
) -> Step:
    """Something that is asked of a mailbox."""

    async def run(store: IMailStore) -> None:
        await work(await store.open(ALICE, name))

    return Step(f"{what} in {name}", run, whole)


def store_flags(
    action: FlagAction, uids: Sequence[int], *flags: str, name: MailboxName = INBOX
) -> Step:
    change = FlagChange(action, frozenset(flags))
    return on(
        f"{action.name} {flags} {uids}",
        lambda mailbox: mailbox.store(UIDSet.of(uids), change),
        name,
    )


def add(uids: Sequence[int], *flags: str, name: MailboxName = INBOX) -> Step:
    return store_flags(FlagAction.ADD, uids, *flags, name=name)


def copy(uids: Sequence[int], to: MailboxName, name: MailboxName = INBOX) -> Step:
    return on(f"copy {uids} to {to}", lambda m: m.copy(UIDSet.of(uids), to), name)


def move(uids: Sequence[int], to: MailboxName, name: MailboxName = INBOX) -> Step:
    return on(f"move {uids} to {to}", lambda m: m.move(UIDSet.of(uids), to), name)


def expunge(uids: Sequence[int], name: MailboxName = INBOX) -> Step:
    return on(f"expunge {uids}", lambda m: m.expunge(UIDSet.of(uids)), name)


def ask(what: str, work: Callable[[IMailStore], Awaitable[object]]) -> Step:
    """Something that is asked of the store."""

    async def run(store: IMailStore) -> None:
        await work(store)

    return Step(what, run)


def create(name: str) -> Step:
    step = ask(f"create {name}", lambda s: s.create(ALICE, MailboxName(name)))
    return evolve(step, made=above(name))


def delete(name: str) -> Step:
    return ask(f"delete {name}", lambda s: s.delete(ALICE, MailboxName(name)))


def rename(old: str, new_name: str) -> Step:
    step = ask(
        f"rename {old} to {new_name}",
        lambda s: s.rename(ALICE, MailboxName(old), MailboxName(new_name)),
    )
    made = above(new_name)
    return evolve(step, made=(*made, new_name) if old == INBOX else made)


def above(name: str) -> tuple[str, ...]:
    """Those that are made on the way, each by itself."""
    return tuple(names.above(MailboxName(name)))


def subscribe(name: str, wish: bool) -> Step:
    return ask(
        f"subscribe {name} {wish}",
        lambda s: s.subscribe(ALICE, MailboxName(name), wish),
    )


def later(seconds: float) -> Step:
    """Time goes by: flags are written behind, what is idle is closed."""

    async def run(store: IMailStore) -> None:
        assert isinstance(store, MaildirStore)
        assert isinstance(store.clock, TestClock)
        for _ in range(int(seconds)):
            store.clock.advance(1)

    return Step(f"{seconds} s later", run)


def prepare(scenario: Scenario) -> Callable[[MaildirStore], None]:
    """Messages numbered from 100 on, in the INBOX, and an account beside."""

    def run(store: MaildirStore) -> None:
        at_once(store.create_account(BOB))
        if scenario.messages:
            inbox = at_once(store.open(ALICE, INBOX))
            numbers = range(100, 100 + scenario.messages)
            at_once(inbox.append([new(message(n), *scenario.flags) for n in numbers]))

    return run


DELETED = ("\\Deleted",)
KEYWORDS = tuple(f"k{n}" for n in range(30))

SCENARIOS = (
    Scenario("deliver", [deliver(1), deliver(2)]),
    Scenario("first delivery", [deliver(1)], messages=0),
    Scenario(
        "deliver to several",
        [
            deliver(
                1,
                Placement(ALICE, ARCHIVE, frozenset({"\\Seen"})),
                Placement(BOB, INBOX),
                Placement(ALICE, WORK, head=b"X: y\r\n"),
            )
        ],
    ),
    Scenario("append", [append(INBOX, 1, 2, 3, flags=("\\Seen", "new"))]),
    Scenario("flags", [add([1, 2], "\\Seen"), later(6), add([2, 3], "\\Deleted")]),
    Scenario(
        "flags back and forth",
        [
            add([1], "\\Seen"),
            later(6),
            store_flags(FlagAction.REMOVE, [1], "\\Seen"),
            store_flags(FlagAction.REPLACE, [2], "\\Draft"),
            later(6),
        ],
        flags=("\\Flagged",),
    ),
    Scenario(
        "keywords",
        [add([1, 2], "Work"), later(6), add([1], *KEYWORDS), later(6)],
    ),
    Scenario(
        "keywords travel",
        [add([1, 2], *KEYWORDS), copy([1, 2], ARCHIVE), move([1], ARCHIVE)],
    ),
    Scenario("copy", [copy([1, 3], ARCHIVE), later(6)]),
    Scenario("copy within", [copy([1, 2], INBOX), add([4], "\\Seen"), later(6)]),
    Scenario("move", [add([1], "\\Seen"), move([1, 3], ARCHIVE), later(6)]),
    Scenario("move within", [move([1, 3], INBOX), later(6)]),
    Scenario("move back", [move([1], ARCHIVE), move([1], INBOX, ARCHIVE)]),
    Scenario("expunge", [expunge([1, 3]), deliver(1)], flags=DELETED),
    Scenario(
        "expunge what was flagged",
        [add([2, 3], "\\Deleted"), later(6), expunge([1, 2, 3]), later(6)],
    ),
    Scenario("create", [create("Work/Notes/2026"), append(WORK, 1)]),
    Scenario(
        "delete",
        [create("Work"), append(WORK, 1, 2), delete("Work"), create("Work")],
    ),
    Scenario(
        "rename",
        [
            create("Work/Notes"),
            append(MailboxName("Work/Notes"), 1),
            rename("Work", "Job/Old"),
            append(MailboxName("Job/Old/Notes"), 2),
        ],
    ),
    Scenario("rename INBOX", [rename("INBOX", "Kept/2026"), deliver(1)]),
    Scenario("subscribe", [subscribe("Work", True), subscribe("Work", False)]),
    Scenario(
        "a day",
        [
            deliver(1),
            add([1], "\\Seen", "Work"),
            move([2], ARCHIVE),
            deliver(2),
            copy([3], ARCHIVE),
            later(6),
            add([1, 3], "\\Deleted"),
            expunge([1, 3, 4]),
            append(ARCHIVE, 3),
        ],
    ),
)
