"""The tables of ``directory.sqlite``."""

from __future__ import annotations

from mailkit.storage.database import Schema

_ROUTE = "CREATE TABLE route (name TEXT PRIMARY KEY, keys TEXT NOT NULL) WITHOUT ROWID"

# `change` says to other processes what to read again; `AUTOINCREMENT` keeps its
# numbers from ever being used twice, so that they serve as generations too.
SCHEMA = Schema(
    version=2,
    create=(
        """CREATE TABLE domain (
            name TEXT PRIMARY KEY,
            made REAL NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TABLE account (
            name TEXT PRIMARY KEY,
            domain TEXT NOT NULL REFERENCES domain,
            role TEXT NOT NULL,
            quota INTEGER,
            is_suspended INTEGER NOT NULL DEFAULT 0,
            made REAL NOT NULL,
            generation INTEGER NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX account_domain ON account (domain)",
        """CREATE TABLE credential (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
            kind TEXT NOT NULL,
            label TEXT NOT NULL,
            scopes TEXT NOT NULL,
            secret TEXT NOT NULL,
            salt BLOB,
            iterations INTEGER,
            stored_key BLOB,
            server_key BLOB,
            made REAL NOT NULL,
            last_used REAL,
            last_peer TEXT NOT NULL DEFAULT ''
        )""",
        "CREATE INDEX credential_account ON credential (account)",
        """CREATE TABLE alias (
            address TEXT PRIMARY KEY,
            domain TEXT NOT NULL REFERENCES domain ON DELETE CASCADE,
            targets TEXT NOT NULL
        ) WITHOUT ROWID""",
        "CREATE INDEX alias_domain ON alias (domain)",
        """CREATE TABLE granted (
            account TEXT NOT NULL REFERENCES account ON DELETE CASCADE,
            address TEXT NOT NULL,
            PRIMARY KEY (account, address)
        ) WITHOUT ROWID""",
        """CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at REAL NOT NULL,
            who TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT NOT NULL,
            before TEXT NOT NULL,
            after TEXT NOT NULL
        )""",
        "CREATE INDEX audit_subject ON audit (subject)",
        """CREATE TABLE change (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            key TEXT NOT NULL
        )""",
        _ROUTE,
        "CREATE TABLE server (secret BLOB NOT NULL)",
        "INSERT INTO server VALUES (randomblob(32))",
    ),
    migrations={1: (_ROUTE,)},
)
