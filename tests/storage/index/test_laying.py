"""What SQLite lays out is what the rows say, and no batch is too much to hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.formats.rendered import render
from mailkit.model.layout import Layout, Stretch
from mailkit.model.mailbox import Want
from mailkit.model.uidset import ALL_UIDS, NO_UIDS, UIDSet
from mailkit.protocols.imap.items import Attribute
from mailkit.protocols.imap.write.fetch import Template, template_of
from mailkit.storage.index import laying, reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow, MessageRow, RenderedRow, joined
from mailkit.storage.index.schema import HEAVY
from mailkit.storage.index.weighing import first_part
from mailkit.storage.safefile import Files

MIB = 1 << 20
ATTRIBUTES = [one for one in Attribute if template_of((one,)).layout is not None]
KEYWORDS = ["", joined(["$Junk"]), joined(["a", "Work"])]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """UIDs 1 to 99 but for every tenth, in a mailbox that is not the first."""
    path = tmp_path_factory.mktemp("laying") / "index.sqlite"
    index = Index.open(str(path), Files())
    with index.database.transaction(is_full=True):
        index.begin_account("boot", 5)
        for folder in (".Other", ""):
            index.add_mailbox(folder, folder, 7, 999, 5, uid_next=100, boot="boot")
        for mailbox in (1, 2):
            put(index, mailbox)
    yield index
    index.close()


def put(index: Index, mailbox: int) -> None:
    rows, shown = [], []
    for uid in range(1, 100):
        if uid % 10 == 0:
            continue
        key = mailbox << 32 | uid
        date = 86_400 * 40 * uid + 61 * uid
        flags, keywords = uid % 32, KEYWORDS[uid % 3]
        rows.append(
            MessageRow(key, 6, flags, keywords, 9 * uid, date, 2, "n", "M", "T")
        )
        octets = b"%d %d%%s\xff" % (mailbox, uid)
        shown.append(RenderedRow(key, octets, b"b" + octets, b"", b"p" + octets, b"h"))
    index.add_messages(rows, shown)


def inbox(index: Index) -> MailboxRow:
    row = index.mailbox("")
    assert row is not None
    assert row.id == 2
    return row


def layout_of(*items: Attribute) -> tuple[Template, Layout]:
    template = template_of(items)
    assert template.layout is not None
    assert laying.can_lay_out(template.layout)
    return template, template.layout


@given(
    st.lists(st.sampled_from(ATTRIBUTES), min_size=1, max_size=8, unique=True),
    st.sets(st.integers(1, 120), min_size=1),
    st.integers(1, 1000),
)
def test_it_is_what_the_template_says(
    index: Index, items: list[Attribute], asked: set[int], number: int
) -> None:
    template, layout = layout_of(*items)
    row, uids = inbox(index), UIDSet.of(asked)
    stretches = []
    numbers: dict[int, int] = {}
    for low, high in uids.ranges:
        stretches.append(Stretch(number, low, high))
        numbers.update((uid, number + uid - low) for uid in range(low, high + 1))
        number += high - low + 5
    laid = laying.lay_out(index, row, stretches, layout, MIB)
    rows = reading.records(index, row, uids, template.want or Want.FLAGS)
    here = [numbers[uid] for uid in rows.column("uid")]
    assert (laid.count, laid.rest) == (len(rows), ())
    said, expected = b"".join(laid.octets), template.lines(rows, here)
    assert normal(said) == normal(expected)


def normal(octets: bytes) -> list[bytes]:
    """Lines, the flags of which are in one order (RFC 9051 §7.5.2 has none)."""
    lines = []
    for line in octets.split(b")\r\n"):
        start = line.find(b"FLAGS (") + 7
        if start > 6:
            end = line.index(b")", start) if b")" in line[start:] else len(line)
            flags = b" ".join(sorted(line[start:end].split()))
            line = line[:start] + flags + line[end:]
        lines.append(line)
    return lines


def test_columns_that_it_does_not_know() -> None:
    for items in ((Attribute.EMAILID,), (Attribute.UID, Attribute.SAVEDATE)):
        assert template_of(items).layout is None
    odd = Layout(b"", ((b"", "header_fields"),), b"", Want.HEADER_FIELDS)
    assert not laying.can_lay_out(odd)
    assert not laying.can_lay_out(Layout(b"", (), b"", Want(0)))


def test_a_separator_is_the_one_of_the_value_behind_it() -> None:
    assert laying._uses_every_separator()


@given(st.binary(), st.binary())
def test_nothing_that_is_rendered_has_nul(head: bytes, body: bytes) -> None:
    for octets in (
        b"Subject: " + head + b"\r\n\r\n" + body,
        b'Content-Type: a/b; c="' + head + b'"\r\nContent-ID: ' + body + b"\r\n\r\n",
    ):
        assert b"\0" not in b"".join(render(octets)[:4])


def heavy(index: Index, *octets: int) -> MailboxRow:
    """Messages from UID 1 on with envelopes so large."""
    with index.database.transaction(is_full=False):
        index.add_messages(
            [
                MessageRow(2 << 32 | uid, 6, 0, "", 1, 1, 2, "n", "M", "T")
                for uid in range(1, len(octets) + 1)
            ],
            [
                RenderedRow(2 << 32 | uid, b"e" * size, b"b", b"s", b"p", b"h" * size)
                for uid, size in enumerate(octets, 1)
            ],
        )
    row = index.mailbox("")
    assert row is not None
    return row


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Index]:
    index = Index.open(str(tmp_path / "index.sqlite"), Files())
    with index.database.transaction(is_full=True):
        index.begin_account("boot", 5)
        for folder in (".Other", ""):
            index.add_mailbox(folder, folder, 7, 999, 5, uid_next=100, boot="boot")
    yield index
    index.close()


BIG = 10 * HEAVY


@pytest.mark.parametrize(
    ("sizes", "uids", "want", "count"),
    [
        ([1] * 9, ALL_UIDS, Want.ENVELOPE, None),
        ([BIG], ALL_UIDS, Want.ENVELOPE, None),
        ([BIG] * 5, ALL_UIDS, Want.FLAGS, None),
        ([BIG] * 5, ALL_UIDS, Want.BODYSTRUCTURE, None),
        ([BIG] * 5, ALL_UIDS, Want.ENVELOPE, 2),
        ([BIG] * 5, ALL_UIDS, Want.HEADER_FIELDS | Want.FLAGS, 2),
        ([BIG] * 5, ALL_UIDS, Want.HEADER_FIELDS | Want.ENVELOPE, 1),
        ([1, 1, BIG, 1, BIG, 1, BIG, 1], ALL_UIDS, Want.ENVELOPE, 6),
        ([3 * BIG, BIG, BIG], ALL_UIDS, Want.ENVELOPE, 1),
        ([BIG] * 5, UIDSet.of([2, 3]), Want.ENVELOPE, None),
        ([BIG] * 5, UIDSet.of([1, 3, 5]), Want.ENVELOPE, 4),
        ([BIG] * 5, NO_UIDS, Want.ENVELOPE, None),
    ],
)
def test_how_many_come_first(
    fresh: Index, sizes: list[int], uids: UIDSet, want: Want, count: int | None
) -> None:
    row = heavy(fresh, *sizes)
    first, rest = first_part(fresh, row, uids, want, 2 * BIG + 9)
    if count is None:
        assert (first, rest) == (uids, NO_UIDS)
    else:
        assert first == uids & UIDSet(((1, count),))
        assert rest == uids - first


def test_large_ones_are_laid_out_a_few_at_a_time(fresh: Index) -> None:
    row = heavy(fresh, *[BIG] * 7)
    _, layout = layout_of(Attribute.UID, Attribute.ENVELOPE)
    waiting: Sequence[Stretch] = (Stretch(1, 1, 2), Stretch(3, 4, 7))
    told: list[list[int]] = []
    while waiting:
        laid = laying.lay_out(fresh, row, waiting, layout, 3 * BIG)
        octets = b"".join(laid.octets)
        assert len(octets) < 3 * BIG + 100
        told.append(
            [int(line[2 : line.index(b" F")]) for line in octets.split(b"\r\n")[:-1]]
        )
        waiting = laid.rest
    assert told == [[1, 2, 3], [4, 5, 6]]


def test_to_weigh_reads_no_more_than_what_is_heavy(fresh: Index) -> None:
    row = heavy(fresh, *[1] * 50)
    seen: list[str] = []
    fresh.database.connection.set_trace_callback(seen.append)
    first_part(fresh, row, ALL_UIDS, Want.ENVELOPE | Want.BODY, 1)
    fresh.database.connection.set_trace_callback(None)
    assert len(seen) == 2
    for sql in seen:
        plan = fresh.database.all(f"EXPLAIN QUERY PLAN {sql}")
        assert all("_heavy" in step[-1] for step in plan), plan
