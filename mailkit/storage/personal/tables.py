"""The tables of ``account.sqlite`` for what belongs to one person."""

from __future__ import annotations

from mailkit.model.address import Address

SEARCHES = (
    """
    CREATE TABLE search (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL UNIQUE,
        words TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)
"""What version 3 adds."""

TABLES = (
    """
    CREATE TABLE preference (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    # A label is found by its keyword in lower case.
    """
    CREATE TABLE label (
        folded TEXT PRIMARY KEY,
        keyword TEXT NOT NULL,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL UNIQUE,
        colour INTEGER NOT NULL,
        position INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE identity (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        address TEXT NOT NULL,
        signature_text TEXT NOT NULL,
        signature_html TEXT NOT NULL,
        is_default INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE TABLE trusted (address TEXT PRIMARY KEY) WITHOUT ROWID",
    # People; `weights` is JSON, a stretch of time → what its messages weigh.
    """
    CREATE TABLE correspondent (
        id INTEGER PRIMARY KEY,
        folded TEXT NOT NULL UNIQUE,
        address TEXT NOT NULL,
        name TEXT NOT NULL,
        weights TEXT NOT NULL,
        score REAL NOT NULL,
        sent INTEGER NOT NULL,
        received INTEGER NOT NULL,
        first REAL NOT NULL,
        last REAL NOT NULL,
        is_hidden INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX correspondent_score ON correspondent (score)",
    """
    CREATE TABLE correspondent_word (
        word TEXT NOT NULL,
        correspondent INTEGER NOT NULL,
        PRIMARY KEY (word, correspondent)
    ) WITHOUT ROWID
    """,
    """
    CREATE INDEX correspondent_word_of ON correspondent_word (correspondent)
    """,
    """
    CREATE TABLE snooze (
        email_id TEXT PRIMARY KEY,
        until REAL NOT NULL,
        back_to TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE woken (
        email_id TEXT PRIMARY KEY,
        thread_id TEXT NOT NULL,
        since REAL NOT NULL
    ) WITHOUT ROWID
    """,
    # Message-IDs whose answers do not go into the inbox.
    """
    CREATE TABLE muted (
        number INTEGER PRIMARY KEY,
        message_id TEXT NOT NULL UNIQUE
    )
    """,
    # How something is undone, as JSON of whoever did it.
    """
    CREATE TABLE undo (
        token TEXT PRIMARY KEY,
        until REAL NOT NULL,
        steps TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)
"""Those of version 2."""


def folded_address(address: str) -> str:
    """An address as it is compared; what is none in lower case."""
    parsed = Address.parse(address)
    return storable(address.casefold() if parsed is None else str(parsed))


def storable(text: str) -> str:
    """Text without what is no character, which UTF-8 has no octets for."""
    return text.encode("utf-8", "replace").decode("utf-8")
