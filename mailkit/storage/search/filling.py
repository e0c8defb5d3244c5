"""Which messages nobody looked into, and what is kept of those that were."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.formats.searchable import Searchable
from mailkit.model.mailbox import MailboxName
from mailkit.storage.index.database import Database
from mailkit.storage.maildir.home import TakenAwayError, name_of
from mailkit.storage.search.schema import key_of, number

_WANTED = """
    SELECT m.id, m.email_id, m.internal_date FROM mail.message m
    WHERE m.mod_seq > ?
        AND NOT EXISTS (SELECT 1 FROM document d WHERE d.key = key_of(m.email_id))
    ORDER BY m.internal_date
    LIMIT ?
"""

_PUT = """
    INSERT INTO words (
        rowid, sender, recipient, cc, bcc, subject, body, filename, list, marks
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

MOST_LISTED = 20_000
"""Messages that are listed at once."""


@frozen
class Wanted:
    """A place of a message that has no document."""

    mailbox: MailboxName
    uid: int
    email_id: str
    came: int


@frozen
class Listed:
    """What is to be looked into."""

    wanted: tuple[Wanted, ...]
    words: int
    """Which index of words was asked; it has a number of its own, by chance."""
    inode: int
    """Which index of mail was: after a rebuild its MODSEQs begin anew."""
    mark: int
    """The state of the mail that was listed, if that was all; else that of before."""
    is_all: bool = True
    """Whether there are no more than these."""
    is_known: bool = False
    """Whether nothing changed since the last time that all was looked into."""


def listed(database: Database) -> Listed:
    """Messages without a document, the oldest first, each once."""
    with database.reading():
        words, inode, now = _state(database)
        row = database.one("SELECT inode, mark FROM state")
        known, mark = row or (0, 0)
        if known != inode:
            mark = 0
        if now == mark:
            return Listed((), words, inode, now, is_known=True)
        names: dict[int, str] = dict(
            database.all("SELECT id, folder FROM mail.mailbox")
        )
        rows = database.all(_WANTED, mark, MOST_LISTED)
    found: dict[str, Wanted] = {}
    for id, email_id, came in rows:
        folder = names.get(id >> 32)
        if folder is not None and email_id not in found:
            wanted = Wanted(name_of(folder), id & 0xFFFFFFFF, email_id, came)
            found[email_id] = wanted
    is_all = len(rows) < MOST_LISTED
    mark = now if is_all else mark
    return Listed(tuple(found.values()), words, inode, mark, is_all)


def check_same(database: Database, done: Listed) -> None:
    """
    Hold that nothing was made anew since it was listed.

    :raises TakenAwayError: if one of the two indexes was.
    """
    if _state(database)[:2] != (done.words, done.inode):
        raise TakenAwayError


def _state(database: Database) -> tuple[int, int, int]:
    """Which index of words it is, and which of mail, and in which state that is."""
    [words] = database.one("PRAGMA application_id") or (0,)
    row = database.one("SELECT inode, mod_seq FROM mail.account")
    if row is None:
        raise TakenAwayError("the index of mail is being made")
    return words, row[0], row[1]


def put(database: Database, documents: Sequence[tuple[Wanted, Searchable]]) -> None:
    """Keep which words are where."""
    with database.transaction(is_full=False):
        newest, drift = database.one("SELECT newest, drift FROM state") or (0, 0)
        [last] = database.one("SELECT max(id) FROM document") or (0,)
        for wanted, text in documents:
            key = key_of(wanted.email_id)
            if database.one("SELECT 1 FROM document WHERE key = ?", key):
                continue
            first = number(wanted.came)
            if wanted.came >= newest:
                id = last = max(first, (last or 0) + 1)
                newest = wanted.came
            else:
                id = _free(database, first)
                last = max(last or 0, id)
            drift = max(drift, id - first)
            database.execute("INSERT INTO document VALUES (?, ?)", (id, key))
            database.execute(_PUT, (id, *text))
        database.execute("UPDATE state SET newest = ?, drift = ?", (newest, drift))


def mark(database: Database, done: Listed) -> None:
    """Everything that was listed has its document."""
    with database.transaction(is_full=False):
        database.execute(
            "UPDATE state SET inode = ?, mark = ?", (done.inode, done.mark)
        )


def give_back(database: Database) -> None:
    """Make the file shorter, where enough of it is of no use any more."""
    [pages] = database.one("PRAGMA page_count") or (0,)
    [free] = database.one("PRAGMA freelist_count") or (0,)
    if free > max(_FREE_PAGES, _FREE_SHARE * pages):
        # Each step is a page, and a row without columns, after which `execute` stops.
        pragma = f"PRAGMA incremental_vacuum({MOST_GIVEN_BACK})"
        database.connection.executescript(pragma)


def is_worn(database: Database) -> bool:
    """Whether so much of it is about messages that are gone that it had better go."""
    [documents] = database.one("SELECT count(*) FROM document") or (0,)
    [messages] = database.one("SELECT sum(messages) FROM mail.mailbox") or (0,)
    return bool(documents > SMALL and documents > _WORN * (messages or 0))


SMALL = 1000
"""Documents that are kept however many of them are of no use any more."""

_WORN = 1.25

_FREE_PAGES = 16
_FREE_SHARE = 0.02
"""Of its pages; the next words that come take them again."""

MOST_GIVEN_BACK = 4096
"""Pages at once: others wait for the file meanwhile."""


_FREE = """
    SELECT min(d.id) + 1 FROM document d
    WHERE d.id >= ? AND NOT EXISTS (SELECT 1 FROM document e WHERE e.id = d.id + 1)
"""


def _free(database: Database, id: int) -> int:
    """The first number from there on that no document has."""
    if not database.one("SELECT 1 FROM document WHERE id = ?", id):
        return id
    [free] = database.one(_FREE, id) or (id,)
    return int(free)
