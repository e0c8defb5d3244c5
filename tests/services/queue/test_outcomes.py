"""A table of what hosts may answer, and what follows."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve, frozen

from mailkit.config.units import DAY, HOUR
from mailkit.errors import (
    BadMessage,
    MailkitError,
    NeedsSMTPUTF8,
    NeedsTLS,
    StorageBroken,
    Unreachable,
)
from mailkit.formats.downgrade import CannotDowngrade
from mailkit.interfaces.queue import Carried, NextHost
from mailkit.model.envelope import Envelope, Notify
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.path import NULL_PATH
from mailkit.model.queueitem import Fate, QueueItem, Report, Selection
from mailkit.services.queue.settings import RetrySettings
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.services.queue.world import (
    BUSY,
    LATER,
    NEVER,
    OK,
    RELAYED,
    Answer,
    World,
    an_item,
    each,
)

MINUTES = 60.0
SILENT = Unreachable("mx does not answer")
FIRST, SECOND = "192.0.2.11", "192.0.2.12"


@frozen
class Case:
    """One attempt of one item for ``two.example``, which has two hosts."""

    answers: Mapping[str, Answer]
    tried: tuple[str, ...]
    status: str = ""
    """Of the recipient; empty: it is gone."""
    words: str = ""
    told: NoticeKind | None = None
    step: Step = Step.SENT


CASES = {
    "taken": Case({}, (FIRST,)),
    "taken by one without DSN": Case(
        {FIRST: RELAYED},
        (FIRST,),
        told=NoticeKind.RELAYED,
        words="mx1.two.example: 2.0.0 Thanks",
    ),
    "later": Case(
        {FIRST: LATER},
        (FIRST,),
        "4.2.0",
        "mx1.two.example: Not now",
        None,
        Step.DEFERRED,
    ),
    "never": Case(
        {FIRST: NEVER},
        (FIRST,),
        told=NoticeKind.FAILED,
        step=Step.BOUNCED,
        words="mx1.two.example: 5.1.1 Nobody of that name",
    ),
    "the first is dead": Case({FIRST: SILENT}, (FIRST, SECOND)),
    "both are dead": Case(
        {FIRST: SILENT, SECOND: Unreachable("reset", "4.4.2")},
        (FIRST, SECOND),
        "4.4.2",
        ": reset",
        step=Step.DEFERRED,
    ),
    "the first is dead, the second says later": Case(
        {FIRST: SILENT, SECOND: LATER},
        (FIRST, SECOND),
        "4.2.0",
        "mx2.two.example: Not now",
        step=Step.DEFERRED,
    ),
    "the first is dead, the second says never": Case(
        {FIRST: SILENT, SECOND: NEVER},
        (FIRST, SECOND),
        told=NoticeKind.FAILED,
        step=Step.BOUNCED,
        words="mx2.two.example: 5.1.1 Nobody of that name",
    ),
    "the first is too busy": Case(
        {FIRST: BUSY},
        (FIRST,),
        "4.7.0",
        "mx1.two.example: Too much of you",
        step=Step.DEFERRED,
    ),
    "no host can have it": Case(
        {FIRST: NeedsSMTPUTF8("no SMTPUTF8"), SECOND: NeedsSMTPUTF8("nor here")},
        (FIRST, SECOND),
        told=NoticeKind.FAILED,
        step=Step.BOUNCED,
        words=": 5.6.7 nor here",
    ),
    "the second can have it": Case({FIRST: NeedsSMTPUTF8("no")}, (FIRST, SECOND)),
    "the first cannot have it, the second is dead": Case(
        {FIRST: NeedsTLS("no TLS", "5.7.30"), SECOND: SILENT},
        (FIRST, SECOND),
        told=NoticeKind.FAILED,
        step=Step.BOUNCED,
        words=": 5.7.30 no TLS",
    ),
    "the message is broken": Case(
        {FIRST: BadMessage("bare LF"), SECOND: BadMessage("bare LF")},
        (FIRST, SECOND),
        told=NoticeKind.FAILED,
        step=Step.BOUNCED,
        words=": 5.6.0 bare LF",
    ),
    "what is signed cannot be written otherwise": Case(
        {FIRST: CannotDowngrade("it stays"), SECOND: CannotDowngrade("it stays")},
        (FIRST, SECOND),
        told=NoticeKind.FAILED,
        step=Step.BOUNCED,
        words=": 5.6.3 it stays",
    ),
    "our disk is broken": Case(
        {FIRST: StorageBroken("unreadable")},
        (FIRST,),
        "4.3.0",
        ": unreadable",
        step=Step.DEFERRED,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_outcomes(case: Case) -> None:
    world = World()
    world.relay.answers.update(case.answers)
    world.put(an_item("a", "two.example"))
    world.start()
    assert tuple(address for address, _ in world.relay.carried) == case.tried
    steps = [step for step, _ in world.steps()]
    assert steps == [Step.TRIED] * (len(case.tried) - 1) + [case.step]
    [attempt] = world.attempts()
    assert attempt.began == NEW_YEAR
    item = world.item()
    if case.status:
        assert item is not None
        [carol] = item.recipients
        assert (carol.fate, carol.status) == (Fate.WAITING, case.status)
        assert f"{carol.host}: {carol.words}" == case.words
        assert item.next_try == NEW_YEAR + 5 * MINUTES
        assert item.attempts == 1
        assert world.teller.told == []
    else:
        assert item is None
        told = [(kind, until) for _, _, kind, until in world.teller.told]
        assert told == ([(case.told, None)] if case.told else [])
        assert world.teller.words == ([case.words] if case.told else [])


def test_one_that_has_to_wait_holds_up_nobody_else() -> None:
    fates = {
        "anna": Report(an_item().recipients[0].path, Fate.SENT, "2.0.0", "ok"),
        "ben": Report(an_item().recipients[0].path, Fate.WAITING, "4.2.2", "full"),
        "carl": Report(an_item().recipients[0].path, Fate.FAILED, "5.1.1", "who?"),
    }

    def answer(host: NextHost, item: QueueItem) -> Carried:
        return Carried(
            reports=tuple(
                evolve(fates[one.path.local_part], path=one.path)
                for one in item.waiting
            )
        )

    world = World()
    world.relay.answers["192.0.2.1"] = answer
    world.put(an_item("a", "example.net", "anna", "ben", "carl"))
    world.start()
    assert [one.fate for one in world.there().recipients] == [
        Fate.SENT,
        Fate.WAITING,
        Fate.FAILED,
    ]
    assert world.teller.told == [("a.1", "carl@example.net", NoticeKind.FAILED, None)]
    world.relay.answers["192.0.2.1"] = OK
    world.turn(5 * MINUTES)
    assert world.item() is None
    assert len(world.relay.carried) == 2
    assert [step for step, _ in world.steps()] == [
        Step.SENT,
        Step.DEFERRED,
        Step.BOUNCED,
        Step.SENT,
    ]


def test_a_host_that_says_nothing_of_a_recipient() -> None:
    world = World()
    world.relay.answers["192.0.2.1"] = lambda host, item: Carried(reports=())
    world.put(an_item())
    world.start()
    [carol] = world.there().recipients
    assert (carol.fate, carol.status, carol.words) == (
        Fate.WAITING,
        "4.4.0",
        "no answer",
    )


def test_what_may_have_been_sent_twice_is_said() -> None:
    world = World()
    world.relay.answers["192.0.2.1"] = each(
        Fate.WAITING, "4.4.2", "silence", is_doubtful=True, is_busy=True
    )
    world.put(an_item())
    world.start()
    steps = world.steps()
    said = "may have been sent twice: no answer to all octets"
    assert steps[0] == (Step.TRIED, said)
    assert steps[1][0] is Step.DEFERRED


@pytest.mark.parametrize(
    ("domain", "status"),
    [
        ("nowhere.example", "5.1.2"),
        ("null.example", "5.1.10"),
        ("loop.example", "5.4.6"),
        ("[127.0.0.1]", "5.4.4"),
    ],
)
def test_domains_that_take_no_mail_are_told_at_once(domain: str, status: str) -> None:
    world = World()
    world.resolver.add(
        """
        null.example. MX 0 .
        loop.example. MX 5 mail.example.org.
        """
    )
    world.put(an_item("a", domain))
    world.start()
    assert world.item() is None
    assert world.relay.carried == []
    assert world.teller.told == [("a.1", f"carol@{domain}", NoticeKind.FAILED, None)]
    assert world.teller.words[0].startswith(f": {status} ")


def test_without_a_name_server_foreign_mail_waits() -> None:
    world = World()
    world.resolver.fail()
    world.put(an_item("a"))
    world.put(an_item("b", "two.example"))
    world.start()
    for id in ("a.1", "b.1"):
        [carol] = world.there(id).recipients
        assert (carol.fate, carol.status) == (Fate.WAITING, "4.4.3")
    world.resolver.mend()
    world.turn(5 * MINUTES)
    assert world.item("a.1") is None
    assert world.item("b.1") is None


def test_a_broken_domain_is_asked_about_once_a_minute() -> None:
    world = World()
    world.resolver.fail("example.net")
    for number in range(200):
        world.put(an_item(f"t{number}"))
    world.start()
    assert world.resolver.asked.count(("example.net", "MX")) == 1
    assert all(world.there(f"t{number}.1").attempts == 1 for number in range(200))


def test_a_dead_host_is_not_asked_for_each_item() -> None:
    world = World()
    world.relay.answers["192.0.2.1"] = SILENT
    for number in range(50):
        world.put(an_item(f"t{number}"))
    world.start()
    assert len(world.relay.carried) < 5
    words = [world.attempts(f"t{number}.1")[0].words for number in range(50)]
    assert words[0] == "mx does not answer"
    assert words[-1] == "mx does not answer (0 s ago, not asked again)"
    world.relay.answers.clear()
    world.turn(6 * MINUTES)
    assert all(world.item(f"t{number}.1") is None for number in range(50))


def test_whoever_asks_for_it_has_a_dead_host_tried_again() -> None:
    world = World()
    world.relay.answers["192.0.2.1"] = SILENT
    for number in range(10):
        world.put(an_item(f"t{number}"))
    world.start()
    asked = len(world.relay.carried)
    world.turn(10)
    at_once(world.queue.retry(Selection(), world.clock.seconds()))
    world.turn(1)
    # One is asked for all: it is still dead.
    assert len(world.relay.carried) == asked + 1
    assert all(world.there(f"t{number}.1").attempts == 2 for number in range(10))
    world.relay.answers.clear()
    world.turn(10)
    at_once(world.queue.retry(Selection(), world.clock.seconds()))
    world.turn(1)
    assert all(world.item(f"t{number}.1") is None for number in range(10))


def test_hosts_that_were_tried_in_vain_are_told() -> None:
    world = World()
    world.relay.answers[FIRST] = Unreachable("mx1 hung up", "4.3.2")
    world.put(an_item("a", "two.example"))
    world.start()
    assert world.steps() == [
        (Step.TRIED, "4.3.2 mx1 hung up"),
        (Step.SENT, "mx2.two.example 192.0.2.12:25, TLSv1.3: 2.0.0 Thanks"),
    ]
    assert world.events.steps[0].peer == "192.0.2.11:25"


# -- the long run


def test_it_is_told_that_it_is_late_and_then_given_up() -> None:
    world = World()
    world.relay.answers["192.0.2.1"] = LATER
    world.put(an_item())
    world.start()
    world.turn(4 * HOUR - 1)
    assert world.teller.told == []
    world.turn(2)
    end = NEW_YEAR + 5 * DAY
    assert world.teller.told == [("a.1", "carol@example.net", NoticeKind.DELAYED, end)]
    assert world.there().recipients[0].is_delay_told
    world.turn(5 * DAY - 5 * HOUR, step=600)
    assert len(world.teller.told) == 1
    world.turn(HOUR, step=600)
    assert world.item() is None
    assert world.teller.told[1] == ("a.1", "carol@example.net", NoticeKind.FAILED, end)
    assert world.teller.words[1] == "mx.example.net: 4.2.0 Not now"
    assert 30 < len(world.attempts()) < 45
    assert world.steps()[-1][0] is Step.BOUNCED


def test_only_so_many_attempts() -> None:
    world = World(retry=RetrySettings(attempts=2))
    world.relay.answers["192.0.2.1"] = LATER
    world.put(an_item())
    world.start()
    assert world.there().attempts == 1
    world.turn(5 * MINUTES)
    assert world.item() is None
    assert [kind for _, _, kind, _ in world.teller.told] == [NoticeKind.FAILED]


def test_a_short_life() -> None:
    world = World(retry=RetrySettings(give_up_after=10.0, delay_notice=5.0))
    world.relay.answers["192.0.2.1"] = LATER
    world.put(an_item())
    world.start()
    world.turn(11, step=1)
    assert world.item() is None
    assert [kind for _, _, kind, _ in world.teller.told] == [NoticeKind.FAILED]
    assert len(world.attempts()) == 2


# -- telling


@pytest.mark.parametrize("answer", [NEVER, LATER])
def test_nobody_is_given_up_whose_sender_cannot_be_told(answer: Answer) -> None:
    world = World(retry=RetrySettings(attempts=1))
    world.relay.answers["192.0.2.1"] = answer
    world.teller.error = StorageBroken("no room for the notice")
    world.put(an_item())
    world.start()
    [carol] = world.there().recipients
    assert carol.fate is Fate.WAITING
    world.teller.error = None
    world.turn(6 * MINUTES)
    assert world.item() is None
    assert [kind for _, _, kind, _ in world.teller.told] == [NoticeKind.FAILED]


def test_who_cannot_be_told_of_a_delay_is_told_later() -> None:
    world = World(retry=RetrySettings(delay_notice=1.0))
    world.relay.answers["192.0.2.1"] = LATER
    world.teller.error = StorageBroken("no room for the notice")
    world.put(an_item())
    world.start()
    world.turn(61)
    assert not world.there().recipients[0].is_delay_told
    world.teller.error = None
    world.turn(HOUR)
    assert world.there().recipients[0].is_delay_told
    assert len(world.teller.told) == 1


def test_what_was_taken_is_not_sent_again_because_nobody_can_be_told() -> None:
    world = World()
    world.relay.answers["192.0.2.1"] = RELAYED
    world.teller.error = StorageBroken("no room for the notice")
    world.put(an_item(notify=frozenset({Notify.SUCCESS})))
    world.start()
    assert world.item() is None


@pytest.mark.parametrize("is_lmtp", [False, True])
def test_success_is_told_of_where_nobody_else_does(is_lmtp: bool) -> None:
    world = World()
    world.relay.answers["192.0.2.1"] = RELAYED
    item = an_item(notify=frozenset({Notify.SUCCESS}))
    world.put(item)
    if is_lmtp:
        of = world.house.hosts.of

        class Lmtp:
            async def of(self, domain: str) -> list[NextHost]:
                return [evolve(one, is_lmtp=True) for one in await of(item.hop.domain)]

        world.house.hosts = Lmtp()  # type: ignore[assignment]
    world.start()
    kind = NoticeKind.DELIVERED if is_lmtp else NoticeKind.RELAYED
    assert [one[2] for one in world.teller.told] == [kind]


def test_notices_themselves_are_sent_and_tried_like_all() -> None:
    world = World()
    world.put(an_item("n", envelope=Envelope(NULL_PATH)))
    world.start()
    assert world.item("n.1") is None
    assert world.events.steps[0].sender == ""


# -- routes


class Carrier:
    """Takes what it is given, or raises."""

    def __init__(self, answer: Answer, is_final: bool = False) -> None:
        self.answer = answer
        self.is_final = is_final

    async def carry(self, item: QueueItem, content: object) -> Carried:
        if isinstance(self.answer, MailkitError):
            raise self.answer
        assert self.answer is not None
        host = NextHost(name="", address="", port=0, policy=None)  # type: ignore[arg-type]
        return evolve(self.answer(host, item), host="redis", address="127.0.0.1:6379")


@pytest.mark.parametrize(
    ("carrier", "fate", "kinds", "host"),
    [
        (Carrier(OK), None, [], "redis"),
        (Carrier(RELAYED, is_final=True), None, [NoticeKind.DELIVERED], "redis"),
        (Carrier(LATER), Fate.WAITING, [], "redis"),
        (Carrier(NEVER), None, [NoticeKind.FAILED], "redis"),
        (Carrier(Unreachable("away")), Fate.WAITING, [], "list"),
        (Carrier(BadMessage("no")), None, [NoticeKind.FAILED], "list"),
        (None, Fate.WAITING, [], ""),
    ],
)
def test_routes(
    carrier: Carrier | None, fate: Fate | None, kinds: list[NoticeKind], host: str
) -> None:
    world = World()
    if carrier is not None:
        world.house.routes = {"list": carrier}  # type: ignore[dict-item]
    item = an_item()
    world.put(evolve(item, hop=evolve(item.hop, route="list")))
    world.resolver.fail()  # nobody asks
    world.start()
    left = world.item()
    assert (left.recipients[0].fate if left else None) is fate
    assert [one[2] for one in world.teller.told] == kinds
    assert world.attempts()[0].host == host
    assert world.relay.carried == []
