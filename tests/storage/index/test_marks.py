"""What is marked, and how much of it: kept by SQLite itself, whoever changes a row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MessageRow
from mailkit.storage.safefile import Files

words = st.frozensets(st.sampled_from(["$l_a", "$L_B", "NonJunk", 'q"uote', "ü'"]))
bits = st.sampled_from([0, 1, 4, 5, 8, 12])
steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "change", "flags", "drop", "forget"]),
        st.integers(1, 3),
        st.integers(1, 5),
        bits,
        words,
    ),
    max_size=30,
)


def joined(keywords: frozenset[str]) -> str:
    return f" {' '.join(sorted(keywords))} " if keywords else ""


def check(index: Index) -> None:
    """Recount what is kept."""
    marked: set[tuple[object, ...]] = set()
    tally: Counter[tuple[str, int]] = Counter()
    unseen: Counter[tuple[str, int]] = Counter()
    for key, date, flags, keywords in index.database.all(
        "SELECT id, internal_date, flags, keywords FROM message"
    ):
        marks = {
            word.replace("L_B", "l_b").replace("N", "n").replace("J", "j")
            for word in keywords.split()
        }
        if flags & 4:
            marks.add("\\flagged")
        for mark in marks:
            marked.add((mark, key >> 32, date, key, int(not flags & 1)))
            tally[mark, key >> 32] += 1
            unseen[mark, key >> 32] += not flags & 1
    assert set(index.database.all("SELECT * FROM marked")) == marked
    kept = index.database.all("SELECT * FROM tally WHERE messages <> 0")
    assert {(k, m): n for k, m, n, _ in kept} == dict(tally)
    assert {(k, m): u for k, m, _, u in kept if u} == {
        k: u for k, u in unseen.items() if u
    }


@settings(max_examples=60, deadline=None)
@given(steps)
def test_marks_are_as_counted(
    changes: list[tuple[str, int, int, int, frozenset[str]]],
) -> None:
    with TemporaryDirectory() as folder:
        index = Index.open(str(Path(folder) / "index.sqlite"), Files())
        execute = index.database.execute
        with index.database.transaction(is_full=True):
            index.begin_account("boot", 5)
            for name in ("", ".A", ".B"):
                index.add_mailbox(name, f"F{name}", 7, 100, 5, uid_next=9, boot="b")
        rows = {row.id: row for row in index.mailboxes()}
        for what, mailbox, uid, flags, keywords in changes:
            key = mailbox << 32 | uid
            text = joined(keywords)
            with index.database.transaction(is_full=False):
                known = execute("SELECT 1 FROM message WHERE id = ?", (key,)).fetchone()
                if what == "add" and not known:
                    row = MessageRow(key, 6, flags, text, 1, uid, 2, "n", "M", "T")
                    index.add_messages([row], [])
                elif what == "change":
                    execute(
                        "UPDATE message SET flags = ?, keywords = ? WHERE id = ?",
                        (flags, text, key),
                    )
                elif what == "flags":
                    execute("UPDATE message SET flags = ? WHERE id = ?", (flags, key))
                elif what == "drop":
                    index.drop_messages(mailbox, [key], 7, pending=False)
                elif what == "forget" and mailbox == 3:
                    index.forget_mailbox(rows[mailbox], 8)
            check(index)
        index.close()
