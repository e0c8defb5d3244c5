"""
The tables of an account's index (STORE.md §5).

A message is known by ``mailbox << 32 | uid``. Small rows serve SELECT, STORE and
SEARCH; what IMAP sends of a message is in a table beside, under the same key.
"""

from __future__ import annotations

VERSION = 1
"""``PRAGMA user_version``; an index of another version is thrown away and rebuilt."""

TABLES = (
    # One row: which file this is, whose boot it saw last, and the account's counters.
    """
    CREATE TABLE account (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        inode INTEGER NOT NULL,
        device INTEGER NOT NULL,
        boot TEXT NOT NULL,
        mod_seq INTEGER NOT NULL,
        floor INTEGER NOT NULL,
        used INTEGER NOT NULL,
        root_mtime INTEGER NOT NULL,
        opened INTEGER NOT NULL
    )
    """,
    # boot: in which all files of it were last compared with the rows.
    # settled: below it no file of a delivery can be missing; by: whose batch is above.
    # known_since: MODSEQ from which on the expunge log is whole.
    """
    CREATE TABLE mailbox (
        id INTEGER PRIMARY KEY,
        folder TEXT NOT NULL UNIQUE,
        mailbox_id TEXT NOT NULL UNIQUE,
        uid_validity INTEGER NOT NULL,
        uid_next INTEGER NOT NULL,
        mark INTEGER NOT NULL,
        first_recent INTEGER NOT NULL,
        mod_seq INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        unseen INTEGER NOT NULL,
        deleted INTEGER NOT NULL,
        size INTEGER NOT NULL,
        boot TEXT NOT NULL,
        cur_mtime INTEGER NOT NULL,
        known_since INTEGER NOT NULL,
        settled INTEGER NOT NULL,
        settled_by TEXT NOT NULL
    )
    """,
    """
    CREATE INDEX mailbox_unsettled ON mailbox (settled_by) WHERE settled < uid_next
    """,
    # flags: bits; keywords: "" or spelt as in the mailbox, a space before and after
    # each; name: in cur/; next_name: while it is renamed; behind: 1 while the name
    # does not carry the row's flags; thread_id: "" until the message is rendered.
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        mod_seq INTEGER NOT NULL,
        arrived INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        keywords TEXT NOT NULL,
        size INTEGER NOT NULL,
        internal_date INTEGER NOT NULL,
        save_date INTEGER NOT NULL,
        behind INTEGER NOT NULL,
        name TEXT NOT NULL,
        next_name TEXT,
        email_id TEXT NOT NULL,
        thread_id TEXT NOT NULL,
        verdict TEXT
    )
    """,
    "CREATE INDEX message_mod_seq ON message (mod_seq)",
    "CREATE INDEX message_unseen ON message (id) WHERE flags & 1 = 0",
    "CREATE INDEX message_flagged ON message (id) WHERE flags & 4 <> 0",
    "CREATE INDEX message_deleted ON message (id) WHERE flags & 8 <> 0",
    "CREATE INDEX message_behind ON message (id) WHERE behind = 1",
    "CREATE INDEX message_renaming ON message (id) WHERE next_name IS NOT NULL",
    "CREATE INDEX message_unrendered ON message (id) WHERE thread_id = ''",
    """
    CREATE TABLE rendered (
        id INTEGER PRIMARY KEY,
        envelope BLOB NOT NULL,
        body BLOB NOT NULL,
        bodystructure BLOB NOT NULL,
        preview BLOB NOT NULL,
        header_fields BLOB NOT NULL
    )
    """,
    # arrived: MODSEQ with which it had come; name: what is still to be unlinked.
    """
    CREATE TABLE expunged (
        mailbox INTEGER NOT NULL,
        low INTEGER NOT NULL,
        high INTEGER NOT NULL,
        arrived INTEGER NOT NULL,
        mod_seq INTEGER NOT NULL,
        pending TEXT
    )
    """,
    "CREATE INDEX expunged_mod_seq ON expunged (mailbox, mod_seq)",
    "CREATE INDEX expunged_pending ON expunged (mailbox) WHERE pending IS NOT NULL",
    # letter: how file names carry it; '' for those beyond 26.
    """
    CREATE TABLE keyword (
        mailbox INTEGER NOT NULL,
        folded TEXT NOT NULL,
        spelling TEXT NOT NULL,
        letter TEXT NOT NULL,
        PRIMARY KEY (mailbox, folded)
    ) WITHOUT ROWID
    """,
    # A COPY or MOVE under way, and its messages.
    """
    CREATE TABLE intent (
        id INTEGER PRIMARY KEY,
        is_move INTEGER NOT NULL,
        source INTEGER NOT NULL,
        target INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE intent_message (
        intent INTEGER NOT NULL,
        source INTEGER NOT NULL,
        target INTEGER NOT NULL,
        old_name TEXT NOT NULL,
        new_name TEXT NOT NULL,
        keywords TEXT NOT NULL,
        PRIMARY KEY (intent, source)
    ) WITHOUT ROWID
    """,
)

HALF_DONE = """
    SELECT EXISTS (SELECT 1 FROM intent),
        EXISTS (SELECT 1 FROM expunged WHERE pending IS NOT NULL),
        EXISTS (SELECT 1 FROM message WHERE next_name IS NOT NULL),
        EXISTS (SELECT 1 FROM mailbox WHERE settled < uid_next AND settled_by <> ?)
"""
"""What another may have left: intents, expunges, renames for flags, a batch."""

SPEED = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    # Checkpoints are made when the account is idle; this one is for when it never is.
    "PRAGMA wal_autocheckpoint = 16000",
    "PRAGMA cache_size = -4096",
    "PRAGMA mmap_size = 268435456",
    "PRAGMA temp_store = MEMORY",
)
