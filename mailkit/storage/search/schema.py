"""
The tables of ``<account>/search.sqlite``.

A document is a message, however many places it has. Its number begins with the hour in
which it came, so that the order of numbers is that of time and the newest documents
are read first, without sorting: FTS5 walks its lists in the order of numbers. Numbers
that lie apart cost room in those lists: 3 % of the mail with these hours, 6 % with
minutes of 16.

FTS5 puts two octets before the places of a word in any column but the first: the body,
which has most of the words, is that one (of 4 KiB of prose the words take 25 %, with
the body elsewhere 31 %).
"""

from __future__ import annotations

VERSION = 3
"""``PRAGMA user_version``; an index of any other is thrown away."""

PER_HOUR = 64
"""Numbers that belong to one hour; where that is too few, the next ones are taken."""

TABLES = (
    # key: the hash in an EMAILID.
    "CREATE TABLE document (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE)",
    # inode: of the index of mail that was looked at; mark: its MODSEQ up to which
    # every message has a document; newest: when the newest document came; drift: how
    # far a document is at most from the first number of its hour.
    """
    CREATE TABLE state (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        inode INTEGER NOT NULL,
        mark INTEGER NOT NULL,
        newest INTEGER NOT NULL,
        drift INTEGER NOT NULL
    )
    """,
    "INSERT INTO state VALUES (1, 0, 0, 0, 0)",
    # No text is kept, only which words are where. The columns are those of
    # `mailkit.formats.searchable.Searchable`.
    """
    CREATE VIRTUAL TABLE words USING fts5 (
        body, sender, recipient, cc, bcc, subject, filename, list, marks,
        content = '', columnsize = 0, tokenize = "unicode61 remove_diacritics 0"
    )
    """,
)

FIRST = ("PRAGMA auto_vacuum = INCREMENTAL",)
"""Where FTS5 has joined its lists, the room of the old ones can be given back."""

SPEED = (
    # Whatever is lost can be made again.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA cache_size = -8192",
    "PRAGMA mmap_size = 268435456",
    "PRAGMA temp_store = MEMORY",
)

COLUMNS = {
    "from": "sender",
    "to": "recipient",
    "cc": "cc",
    "bcc": "bcc",
    "subject": "subject",
    "body": "body",
    "filename": "filename",
    "list": "list",
}
"""`mailkit.model.finding.Field` → column."""


def number(came: int) -> int:
    """The first number of a document that came at a time, in seconds since 1970."""
    return max(came, 0) // 3600 * PER_HOUR


def key_of(email_id: str) -> bytes:
    """What an EMAILID is known by here; SQL has it as ``key_of``."""
    return bytes.fromhex(email_id[1:])


def email_id_of(key: bytes) -> str:
    """The way back; in SQL `EMAIL_ID`."""
    return f"M{key.hex()}"


EMAIL_ID = "'M' || lower(hex(d.key))"
