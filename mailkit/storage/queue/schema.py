"""
The tables of ``queue.sqlite``.

``ready`` is the one column that says when an item may be tried: its next try or the
end of its ``hold_until``, the end of the lease while it is claimed, NULL while it is
held. ``hop.next`` is the least of them, so that one hop costs the same to find
whether it has one item or 50,000.
"""

from __future__ import annotations

from mailkit.storage.database import Schema

SCHEMA = Schema(
    version=1,
    create=(
        # Changed by whoever opens it, so that what is read from then on is durable.
        "CREATE TABLE state (opened INTEGER NOT NULL)",
        "INSERT INTO state VALUES (0)",
        # file: below content/; head: what goes above it; size: with the head.
        """
        CREATE TABLE message (
            key INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            file TEXT NOT NULL,
            head BLOB NOT NULL,
            size INTEGER NOT NULL,
            is_sealed INTEGER NOT NULL
        )
        """,
        # A row for each hop that has items.
        """
        CREATE TABLE hop (
            key INTEGER PRIMARY KEY,
            domain TEXT NOT NULL,
            route TEXT NOT NULL,
            next REAL,
            UNIQUE (domain, route)
        )
        """,
        "CREATE INDEX hop_next ON hop (next) WHERE next IS NOT NULL",
        # key: by arrival, and never given twice: attempts outlive their item.
        # told: what never changes; recipients: as they stand; both JSON.
        """
        CREATE TABLE item (
            key INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            message INTEGER NOT NULL,
            hop INTEGER NOT NULL,
            arrived REAL NOT NULL,
            next_try REAL NOT NULL,
            ready REAL,
            owner TEXT,
            until REAL,
            hold_until REAL,
            held TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            account TEXT,
            rate TEXT,
            told TEXT NOT NULL,
            recipients TEXT NOT NULL
        )
        """,
        "CREATE INDEX item_message ON item (message)",
        "CREATE INDEX item_hop ON item (hop)",
        "CREATE INDEX item_due ON item (hop, ready) WHERE ready IS NOT NULL",
        "CREATE INDEX item_ready ON item (ready) WHERE ready IS NOT NULL",
        "CREATE INDEX item_account ON item (account) WHERE account IS NOT NULL",
        "CREATE INDEX item_rate ON item (rate) WHERE rate IS NOT NULL",
        "CREATE INDEX item_held ON item (key) WHERE held <> ''",
        """
        CREATE TABLE attempt (
            item INTEGER NOT NULL,
            number INTEGER NOT NULL,
            told TEXT NOT NULL,
            PRIMARY KEY (item, number)
        ) WITHOUT ROWID
        """,
        # Items that are no more, as long as their attempts are kept.
        """
        CREATE TABLE past (
            key INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            item INTEGER NOT NULL,
            gone REAL NOT NULL
        )
        """,
        """
        CREATE TABLE stat (
            day TEXT NOT NULL,
            domain TEXT NOT NULL,
            accepted INTEGER NOT NULL,
            delivered INTEGER NOT NULL,
            deferred INTEGER NOT NULL,
            bounced INTEGER NOT NULL,
            PRIMARY KEY (day, domain)
        ) WITHOUT ROWID
        """,
        # How many were delivered within about how long: `mailkit.storage.queue.days`.
        """
        CREATE TABLE stat_time (
            day TEXT NOT NULL,
            domain TEXT NOT NULL,
            bucket INTEGER NOT NULL,
            delivered INTEGER NOT NULL,
            PRIMARY KEY (day, domain, bucket)
        ) WITHOUT ROWID
        """,
    ),
    migrations={},
)

WRITING = (
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -8192",
    "PRAGMA temp_store = MEMORY",
)
"""For the connection that changes."""

READING = (
    "PRAGMA query_only = ON",
    "PRAGMA cache_size = -2048",
    "PRAGMA temp_store = MEMORY",
)
"""For those that do not."""
