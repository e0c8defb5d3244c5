"""
Messages join conversations, once they are rendered and before anybody is told.

It is done behind, for many at a time: a delivery does not wait for look-ups in all
corners of the index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from attrs import define

from mailkit.formats.overviewed import Overview
from mailkit.model.conversation import Person
from mailkit.model.uidset import UIDSet
from mailkit.storage import threads
from mailkit.storage.index import reading
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow

AT_A_TIME = 200
"""Messages that join in one commit."""

_A_MOMENT = 0.01
"""Seconds that a FETCH of THREADIDs joins others."""

_LATEST = 20
"""Messages of a conversation whose people are looked at."""

NewThread = Callable[[bytes], str]
"""Makes a THREADID of the name of a conversation's first message."""


def join_some(index: Index, new_thread: NewThread, seconds: float) -> bool:
    """
    Have messages join that wait for it; whether there may be more.

    :param seconds: after so many no other piece is begun.
    """
    end = time.perf_counter() + seconds
    while True:
        waiting = index.database.all(
            f"SELECT id FROM message INDEXED BY message_unjoined WHERE {UNJOINED}"
            " ORDER BY internal_date, id LIMIT ?",
            AT_A_TIME,
        )
        _join(index, [key for (key,) in waiting], new_thread)
        if len(waiting) < AT_A_TIME:
            return False
        if time.perf_counter() >= end:
            return True


def join_those(
    index: Index, row: MailboxRow, uids: UIDSet, new_thread: NewThread
) -> None:
    """
    Have those of a mailbox join that did not yet.

    What is older, anywhere, joins before, as far as that takes no time.
    """
    if not join_some(index, new_thread, _A_MOMENT):
        return
    found = reading.spans(
        index, row, uids, "SELECT id, joined <> 1 AND thread_id <> '' FROM message"
    )
    join_keys(index, [key for key, waits in found if waits], new_thread)


def join_keys(index: Index, keys: Sequence[int], new_thread: NewThread) -> None:
    """Have messages join, of any mailboxes."""
    for start in range(0, len(keys), AT_A_TIME):
        _join(index, keys[start : start + AT_A_TIME], new_thread)


def _join(index: Index, keys: Sequence[int], new_thread: NewThread) -> None:
    """The oldest first, so that what is answered is known before its answers."""
    if not keys:
        return
    database = index.database
    with database.transaction(is_full=False):
        # Another process may have done it meanwhile.
        rows = database.all(
            f"""
            SELECT message.id, internal_date, email_id, thread_id, joined,
                header_fields
            FROM message LEFT JOIN rendered USING (id)
            WHERE id IN ({",".join(map(str, keys))}) AND {UNJOINED}
            ORDER BY internal_date, message.id
            """
        )
        clues = _Clues(index)
        for key, came, email_id, thread_id, joined, fields in rows:
            # The same message, elsewhere (RFC 8474 §5.2).
            twin = database.execute(_TWIN, (email_id,)).fetchone()
            if twin is not None:
                thread_id = twin[0]
            else:
                named = threads.Named.of(fields or b"")
                own = email_id.encode()
                if joined:
                    threads.keep(named, clues, thread_id)
                else:
                    thread_id = threads.join(named, clues, came, new_thread, own)
            database.execute(_JOINED, (thread_id, key))


@define(eq=False)
class _Clues:
    """Those of the index."""

    _index: Index

    def find(self, word: int) -> str | None:
        row = self._index.database.execute(
            "SELECT thread_id FROM clue WHERE word = ?", (word,)
        ).fetchone()
        return None if row is None else str(row[0])

    def note(self, word: int, thread_id: str) -> None:
        self._index.database.execute(
            "INSERT OR REPLACE INTO clue VALUES (?, ?)", (word, thread_id)
        )

    def is_full(self, thread_id: str) -> bool:
        row = self._index.database.one(
            "SELECT 1 FROM message INDEXED BY message_thread"
            " WHERE joined = 1 AND thread_id = ? LIMIT 1 OFFSET ?",
            thread_id,
            threads.MOST - 1,
        )
        return row is not None

    def is_among(self, thread_id: str, writers: Collection[bytes], since: int) -> bool:
        rows = self._index.database.all(
            """
            SELECT internal_date, envelope FROM message INDEXED BY message_thread
            JOIN overview USING (id) WHERE joined = 1 AND thread_id = ?
            ORDER BY internal_date DESC LIMIT ?
            """,
            thread_id,
            _LATEST,
        )
        if not rows or rows[0][0] < since:
            return False
        wanted = {writer.decode("utf-8", "replace") for writer in writers}
        for _, envelope in rows:
            found = Overview.of(envelope)
            if any(_is_one(person, wanted) for person in _all_of(found)):
                return True
        return False


def _all_of(found: Overview) -> tuple[Person, ...]:
    return found.from_ + found.to + found.cc


def _is_one(person: Person, wanted: Collection[str]) -> bool:
    return person.address.lower() in wanted


UNJOINED = "joined <> 1 AND thread_id <> ''"
"""Spelt as the partial index is."""

_TWIN = """
    SELECT thread_id FROM message INDEXED BY message_email
    WHERE joined = 1 AND email_id = ? LIMIT 1
"""
_JOINED = "UPDATE message SET thread_id = ?, joined = 1 WHERE id = ?"
