"""Numbers and UIDs of one session (RFC 9051 §2.3.1, §7.5.1)."""

from __future__ import annotations

from array import array
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import Malformed
from mailkit.model.mailbox import FlagRecord, MailboxChange
from mailkit.model.uidset import UIDSet
from mailkit.services.imap.view import STAR, Run, View, batches, before, count, merged


def view_of(*uids: int) -> View:
    return View(array("I", uids), 1)


def arrival(*uids: int, mod_seq: int = 2) -> MailboxChange:
    arrived = tuple(FlagRecord(uid, frozenset(), mod_seq) for uid in uids)
    return MailboxChange(mod_seq, arrived=arrived)


def loss(*uids: int, mod_seq: int = 2) -> MailboxChange:
    return MailboxChange(mod_seq, vanished=UIDSet.of(uids))


def known(view: View) -> list[int]:
    return [view.uid_at(number) for number in range(1, view.exists + 1)]


def test_numbers_of_an_empty_mailbox() -> None:
    view = view_of()
    assert view.exists == 0
    assert view.number_of(1) == 0
    assert view.numbers_of_uids([(1, STAR), (STAR, STAR)]) == []
    with pytest.raises(Malformed):
        view.numbers([(STAR, STAR)])


@pytest.mark.parametrize(
    ("ranges", "runs"),
    [
        ([(1, 1)], [(1, 1)]),
        ([(STAR, STAR)], [(4, 4)]),
        ([(2, STAR)], [(2, 4)]),
        ([(STAR, 2)], [(2, 4)]),
        ([(4, 4), (1, 2)], [(1, 2), (4, 4)]),
        ([(1, 2), (2, 3)], [(1, 3)]),
        ([(1, 2), (3, 3)], [(1, 3)]),
        ([(1, 4), (2, 2)], [(1, 4)]),
        ([(3, 1)], [(1, 3)]),
    ],
)
def test_numbers(ranges: list[Run], runs: list[Run]) -> None:
    assert view_of(10, 20, 30, 40).numbers(ranges) == runs


@pytest.mark.parametrize("ranges", [[(5, 5)], [(1, 5)], [(1, 1), (9, STAR)]])
def test_a_number_that_no_message_has(ranges: list[Run]) -> None:
    with pytest.raises(Malformed):
        view_of(10, 20, 30, 40).numbers(ranges)


@pytest.mark.parametrize(
    ("ranges", "runs"),
    [
        ([(1, STAR)], [(1, 4)]),
        ([(STAR, STAR)], [(4, 4)]),
        ([(999, STAR)], [(4, 4)]),
        ([(11, 19)], []),
        ([(11, 20)], [(2, 2)]),
        ([(20, 35)], [(2, 3)]),
        ([(41, 50)], []),
        ([(30, 30), (10, 10)], [(1, 1), (3, 3)]),
    ],
)
def test_numbers_of_uids(ranges: list[Run], runs: list[Run]) -> None:
    assert view_of(10, 20, 30, 40).numbers_of_uids(ranges) == runs


def test_what_vanished_is_told_later() -> None:
    view = view_of(10, 20, 30)
    first = view.tell(loss(20), may_expunge=False)
    assert not first
    assert view.pending
    assert known(view) == [10, 20, 30]
    second = view.tell(arrival(40), may_expunge=False)
    assert second.exists == 4
    third = view.tell(MailboxChange(3), may_expunge=True)
    assert list(third.expunged) == [2]
    assert third.exists is None
    assert known(view) == [10, 30, 40]


def test_expunged_numbers_shift() -> None:
    r"""RFC 9051 §6.4.3: 3, 4, 7 and 11 had \Deleted."""
    view = view_of(*range(1, 12))
    news = view.tell(loss(3, 4, 7, 11), may_expunge=True)
    assert list(news.expunged) == [3, 3, 5, 8]


def test_what_vanished_before_it_was_known_is_no_news() -> None:
    view = view_of(10)
    assert not view.tell(loss(99), may_expunge=True)
    assert not view.tell(loss(99), may_expunge=False)
    assert not view.pending


def test_flags_of_messages_that_the_client_knows() -> None:
    view = view_of(10, 20)
    seen = FlagRecord(20, frozenset({"\\Seen"}), 5)
    stranger = FlagRecord(15, frozenset(), 5)
    news = view.tell(MailboxChange(5, flagged=(stranger, seen)), may_expunge=False)
    assert news.flagged == [(2, seen)]
    assert view.mod_seq == 5


@pytest.mark.parametrize("step", [1, 2])
def test_many_flags_at_once(step: int) -> None:
    view = view_of(*range(1, 101))
    records = tuple(FlagRecord(u, frozenset(), 5) for u in range(1, 101, step))
    news = view.tell(MailboxChange(5, flagged=records), may_expunge=False)
    assert list(news.flagged) == [(record.uid, record) for record in records]


def test_many_flags_of_unknown_messages() -> None:
    view = view_of(1)
    records = tuple(FlagRecord(u, frozenset(), 5) for u in range(50, 100))
    assert not view.tell(MailboxChange(5, flagged=records), may_expunge=False)


def test_recent_messages_vanish_too() -> None:
    view = View(array("I", [1, 2]), 1, UIDSet.of([1, 2]))
    view.tell(loss(1), may_expunge=True)
    assert view.recent == UIDSet.of([2])


def test_a_view_shares_again() -> None:
    view = view_of(10, 20)
    view.tell(arrival(30), may_expunge=True)
    assert view.difference == 1
    assert not view.rebase(array("I", [10, 20]))
    assert not view.rebase(array("I", [10, 20, 31]))
    assert view.rebase(array("I", [10, 20, 30]))
    assert view.difference == 0
    assert known(view) == [10, 20, 30]


def test_a_view_does_not_share_while_it_keeps_something_back() -> None:
    view = view_of(10, 20)
    view.tell(loss(10), may_expunge=False)
    assert not view.rebase(array("I", [20]))
    assert not view.rebase(array("I", [10, 20]))


def test_a_view_owns_no_more_than_it_differs() -> None:
    shared = array("I", range(1, 10_001))
    view = View(shared, 1)
    view.tell(
        MailboxChange(2, vanished=UIDSet(((1, 9_000),))),
        may_expunge=True,
    )
    assert view.exists == 1_000
    assert view.difference <= 1_000
    assert len(shared) == 10_000


def test_all_gone_and_then_more() -> None:
    view = view_of(1, 2)
    view.tell(loss(1, 2), may_expunge=True)
    assert view.exists == 0
    assert view.tell(arrival(3), may_expunge=True).exists == 1
    assert known(view) == [3]


def test_exact_uids() -> None:
    view = view_of(1, 2, 4, 9)
    assert str(view.exactly([(1, 4)])) == "1:2,4,9"
    assert str(view.exactly([(1, 2)])) == "1:2"
    assert str(view.uids([(1, 3), (4, 4)])) == "1:4,9"


runs_of_numbers = st.lists(
    st.tuples(st.integers(1, 60), st.integers(1, 60)).map(lambda r: (min(r), max(r))),
    max_size=8,
)


@given(runs_of_numbers)
def test_merged_runs_name_the_same(runs: list[Run]) -> None:
    named = {n for a, b in runs for n in range(a, b + 1)}
    apart = merged(list(runs))
    assert [n for a, b in apart for n in range(a, b + 1)] == sorted(named)
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(apart))


def test_before_a_number() -> None:
    runs = [(1, 3), (5, 9), (11, 11)]
    assert before(runs, 1) == []
    assert before(runs, 4) == [(1, 3)]
    assert before(runs, 7) == [(1, 3), (5, 6)]
    assert before(runs, 12) == runs


@given(runs_of_numbers.map(lambda runs: merged(list(runs))), st.integers(1, 20))
def test_batches_name_the_same(runs: list[Run], size: int) -> None:
    cut = list(batches(runs, size))
    assert all(count(batch) == size for batch in cut[:-1])
    assert all(0 < count(batch) <= size for batch in cut)
    named = [n for a, b in runs for n in range(a, b + 1)]
    assert [n for batch in cut for a, b in batch for n in range(a, b + 1)] == named


class Model:
    """A mailbox and what its sessions may know."""

    def __init__(self, begin: int) -> None:
        self.uids = list(range(1, begin * 3, 3))
        self.uid_next = begin * 3 + 1
        self.mod_seq = 1
        self.log: list[tuple[int, list[int], list[int]]] = []

    def change(self, arrived: list[int], vanished: list[int]) -> None:
        self.mod_seq += 1
        self.log.append((self.mod_seq, arrived, vanished))

    def deliver(self, gaps: list[int]) -> None:
        arrived = []
        for gap in gaps:
            self.uid_next += gap
            arrived.append(self.uid_next)
            self.uid_next += 1
        self.uids += arrived
        self.change(arrived, [])

    def expunge(self, picks: list[int]) -> None:
        gone = {self.uids[pick % len(self.uids)] for pick in picks if self.uids}
        self.uids = [uid for uid in self.uids if uid not in gone]
        self.change([], sorted(gone))

    def changes_since(self, mod_seq: int) -> MailboxChange:
        log = [entry for entry in self.log if entry[0] > mod_seq]
        arrived = [uid for _, uids, _ in log for uid in uids]
        vanished = [uid for _, _, uids in log for uid in uids]
        here = set(self.uids)
        return MailboxChange(
            self.mod_seq,
            arrived=tuple(FlagRecord(u, frozenset(), 1) for u in arrived if u in here),
            vanished=UIDSet.of(u for u in vanished if u not in arrived),
        )


class Client:
    """Believes what it is told, and remembers which number was which message."""

    def __init__(self, model: Model, shared: array[int]) -> None:
        self.model = model
        self.view = View(shared, model.mod_seq)
        self.believes = list(shared)

    def look(self, may_expunge: bool) -> None:
        change = self.model.changes_since(self.view.mod_seq)
        news = self.view.tell(change, may_expunge)
        assert may_expunge or not news.expunged
        for number in news.expunged:
            gone = self.believes.pop(number - 1)
            assert gone not in self.model.uids
        if news.exists is not None:
            assert news.exists > len(self.believes)
            for number in range(len(self.believes) + 1, news.exists + 1):
                self.believes.append(self.view.uid_at(number))
        if may_expunge:
            assert self.believes == self.model.uids

    def check(self) -> None:
        view, believes = self.view, self.believes
        assert view.exists == len(believes)
        assert known(view) == believes
        assert [view.number_of(u) for u in believes] == list(
            range(1, len(believes) + 1)
        )
        here = set(believes)
        probes = [u for u in range(self.model.uid_next + 2) if u not in here]
        assert not any(map(view.number_of, probes))
        assert view.difference <= len(believes) + self.model.uid_next

    def select(self, ranges: list[Run]) -> None:
        view = self.view
        runs = view.numbers_of_uids(ranges)
        named = [n for a, b in runs for n in range(a, b + 1)]
        wanted = UIDSet.of_ranges(ranges)
        assert named == [n for n, u in enumerate(self.believes, 1) if u in wanted]
        uids = [self.believes[n - 1] for n in named]
        covering = view.uids(runs)
        assert [u for u in self.believes if u in covering] == uids
        assert list(view.exactly(runs)) == uids
        assert list(view.numbers_in(runs, uids)) == named
        fewer = uids[::2]
        assert list(view.numbers_in(runs, fewer)) == named[::2]
        numbered = [
            (one.number + uid - one.low, uid)
            for one in view.stretches(runs)
            for uid in range(one.low, one.high + 1)
        ]
        assert numbered == [
            (n, view.uid_at(n)) for a, b in runs for n in range(a, b + 1)
        ]
        for batch in batches(runs, 3):
            assert set(chain(*view.uids(batch).ranges)) <= set(uids)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.lists(st.integers(0, 2), min_size=1)),
        st.tuples(st.just("expunge"), st.lists(st.integers(0, 200), min_size=1)),
        st.tuples(st.just("sweep"), st.integers(1, 30)),
        st.tuples(st.just("look"), st.tuples(st.integers(0, 2), st.booleans())),
        st.tuples(st.just("rebase"), st.integers(0, 2)),
        st.tuples(st.just("select"), st.tuples(st.integers(0, 2), runs_of_numbers)),
    ),
    max_size=30,
)


@given(st.integers(0, 20), steps)
def test_no_client_sees_a_number_that_means_another_message(
    begin: int, steps: list[tuple[str, object]]
) -> None:
    model = Model(begin)
    shared = array("I", model.uids)
    untouched = array("I", shared)
    clients = [Client(model, shared) for _ in range(3)]
    for step in steps:
        match step:
            case ("deliver", list(gaps)):
                model.deliver(gaps)
            case ("expunge", list(picks)):
                model.expunge(picks)
            case ("sweep", int(size)):
                model.expunge(list(range(size)))
            case ("look", (int(who), bool(may_expunge))):
                clients[who].look(may_expunge)
                clients[who].check()
            case ("rebase", int(who)):
                clients[who].view.rebase(array("I", model.uids))
                clients[who].check()
            case ("select", (int(who), list(ranges))):
                clients[who].select(ranges)
    for client in clients:
        client.look(True)
        client.check()
        assert client.view.rebase(array("I", model.uids))
    assert shared == untouched
