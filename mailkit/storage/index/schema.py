"""
The tables of an account's index (STORE.md §5).

A message is known by ``mailbox << 32 | uid``. Small rows serve SELECT, STORE and
SEARCH; what IMAP sends of a message is in tables beside, under the same key. What is
asked for alone, and of all messages at once, has a narrow table of its own.
"""

from __future__ import annotations

VERSION = 4
"""
``PRAGMA user_version``. An index of an older version is changed to this one, since it
may hold flags that no name carries yet; any other is thrown away and rebuilt.
"""

HEAVY = 8192
"""Rendered octets of a message above which a batch is weighed before it is read."""

_RENDERED = (
    """
    CREATE TABLE overview (id INTEGER PRIMARY KEY, envelope BLOB NOT NULL)
    """,
    f"CREATE INDEX overview_heavy ON overview (id) WHERE length(envelope) > {HEAVY}",
    """
    CREATE TABLE structure (id INTEGER PRIMARY KEY, bodystructure BLOB NOT NULL)
    """,
    f"""
    CREATE INDEX structure_heavy ON structure (id)
        WHERE length(bodystructure) > {HEAVY}
    """,
    """
    CREATE TABLE rendered (
        id INTEGER PRIMARY KEY,
        body BLOB NOT NULL,
        preview BLOB NOT NULL,
        header_fields BLOB NOT NULL
    )
    """,
    f"""
    CREATE INDEX rendered_heavy ON rendered (id)
        WHERE length(body) + length(preview) + length(header_fields) > {HEAVY}
    """,
)

_WORDS = (
    "json_each('[' || replace(json_quote(trim({row}.keywords)), ' ', '\",\"') || ']')"
)
"""Keywords of a row, which holds them as one text."""

_MARKS = f"""
    SELECT '\\flagged' AS keyword WHERE {{row}}.flags & 4 <> 0
    UNION ALL SELECT lower(value) FROM {_WORDS} WHERE {{row}}.keywords <> ''
"""
"""What a row is marked with: keywords in lower case, and the star."""

_FORGET = f"""
    DELETE FROM marked WHERE keyword IN ({_MARKS.format(row="old")})
        AND mailbox = old.id >> 32 AND internal_date = old.internal_date
        AND id = old.id;
"""
_NOTE = f"""
    INSERT OR IGNORE INTO marked
    SELECT keyword, new.id >> 32, new.internal_date, new.id, new.flags & 1 = 0
    FROM ({_MARKS.format(row="new")});
"""

_ONCE = (
    # What was delivered once; its query has the same words.
    """
    CREATE INDEX message_once ON message (email_id) WHERE instr(name, '.K') > 0
    """,
)

_CONVERSATIONS = (
    "CREATE INDEX message_date ON message (id >> 32, internal_date)",
    """
    CREATE INDEX message_unjoined ON message (internal_date)
        WHERE joined <> 1 AND thread_id <> ''
    """,
    """
    CREATE INDEX message_thread ON message (thread_id, internal_date) WHERE joined = 1
    """,
    "CREATE INDEX message_email ON message (email_id, internal_date) WHERE joined = 1",
    # Digest of a Message-ID, or of a subject → the conversation that it leads to.
    "CREATE TABLE clue (word INTEGER PRIMARY KEY, thread_id TEXT NOT NULL)",
    # What is starred or has a keyword, as lists of it are ordered; and its counters.
    """
    CREATE TABLE marked (
        keyword TEXT NOT NULL,
        mailbox INTEGER NOT NULL,
        internal_date INTEGER NOT NULL,
        id INTEGER NOT NULL,
        unseen INTEGER NOT NULL,
        PRIMARY KEY (keyword, mailbox, internal_date, id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE tally (
        keyword TEXT NOT NULL,
        mailbox INTEGER NOT NULL,
        messages INTEGER NOT NULL,
        unseen INTEGER NOT NULL,
        PRIMARY KEY (keyword, mailbox)
    ) WITHOUT ROWID
    """,
    """
    CREATE TRIGGER marked_more AFTER INSERT ON marked BEGIN
        INSERT INTO tally VALUES (new.keyword, new.mailbox, 1, new.unseen)
        ON CONFLICT (keyword, mailbox) DO UPDATE
        SET messages = messages + 1, unseen = unseen + excluded.unseen;
    END
    """,
    """
    CREATE TRIGGER marked_less AFTER DELETE ON marked BEGIN
        UPDATE tally SET messages = messages - 1, unseen = unseen - old.unseen
        WHERE keyword = old.keyword AND mailbox = old.mailbox;
    END
    """,
    f"""
    CREATE TRIGGER message_came AFTER INSERT ON message
    WHEN new.flags & 4 <> 0 OR new.keywords <> '' BEGIN {_NOTE} END
    """,
    f"""
    CREATE TRIGGER message_went AFTER DELETE ON message
    WHEN old.flags & 4 <> 0 OR old.keywords <> '' BEGIN {_FORGET} END
    """,
    f"""
    CREATE TRIGGER message_flagged_anew AFTER UPDATE OF flags, keywords ON message
    WHEN old.flags & 4 <> new.flags & 4 OR old.keywords <> new.keywords
        OR (old.flags & 1 <> new.flags & 1
            AND (new.flags & 4 <> 0 OR new.keywords <> ''))
    BEGIN {_FORGET} {_NOTE} END
    """,
    # Conversations that messages went from; those before the one without id are not
    # remembered.
    """
    CREATE TABLE departed (
        mod_seq INTEGER NOT NULL,
        thread_id TEXT NOT NULL,
        PRIMARY KEY (mod_seq, thread_id)
    ) WITHOUT ROWID
    """,
)

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
    # does not carry the row's flags; thread_id: "" until the message is rendered;
    # date: internal_date as IMAP sends it; joined: 1 once its conversation is known,
    # and thread_id stays; 2: it stays, and others do not know of it yet.
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
        verdict TEXT,
        date TEXT NOT NULL DEFAULT '',
        attachments INTEGER NOT NULL DEFAULT 0,
        joined INTEGER NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX message_mod_seq ON message (mod_seq)",
    "CREATE INDEX message_unseen ON message (id) WHERE flags & 1 = 0",
    "CREATE INDEX message_flagged ON message (id) WHERE flags & 4 <> 0",
    "CREATE INDEX message_deleted ON message (id) WHERE flags & 8 <> 0",
    "CREATE INDEX message_behind ON message (id) WHERE behind = 1",
    "CREATE INDEX message_renaming ON message (id) WHERE next_name IS NOT NULL",
    "CREATE INDEX message_unrendered ON message (id) WHERE thread_id = ''",
    *_RENDERED,
    *_CONVERSATIONS,
    *_ONCE,
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

CHANGES: dict[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE rendered RENAME TO old_rendered",
        *_RENDERED,
        "INSERT INTO overview SELECT id, envelope FROM old_rendered",
        "INSERT INTO structure SELECT id, bodystructure FROM old_rendered",
        """
        INSERT INTO rendered SELECT id, body, preview, header_fields FROM old_rendered
        """,
        "DROP TABLE old_rendered",
        "ALTER TABLE message ADD COLUMN date TEXT NOT NULL DEFAULT ''",
        """
        UPDATE message SET date = strftime('"%d-', internal_date, 'unixepoch')
            || substr(
                'JanFebMarAprMayJunJulAugSepOctNovDec',
                strftime('%m', internal_date, 'unixepoch') * 3 - 2,
                3
            )
            || strftime('-%Y %H:%M:%S +0000"', internal_date, 'unixepoch')
        """,
    ),
    2: (
        "ALTER TABLE message ADD COLUMN attachments INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE message ADD COLUMN joined INTEGER NOT NULL DEFAULT 0",
        # A THREADID that was told stays (RFC 8474 §5.2).
        "UPDATE message SET joined = 2 WHERE thread_id <> ''",
        # Nearly what rendering says.
        """
        UPDATE message SET attachments = 1 WHERE id IN (
            SELECT id FROM structure
            WHERE instr(lower(CAST(bodystructure AS TEXT)), '("attachment" ')
        )
        """,
        *_CONVERSATIONS,
        """
        INSERT INTO marked
        SELECT '\\flagged', id >> 32, internal_date, id, flags & 1 = 0
        FROM message WHERE flags & 4 <> 0
        """,
        f"""
        INSERT OR IGNORE INTO marked
        SELECT lower(value), message.id >> 32, internal_date, message.id, flags & 1 = 0
        FROM message, {_WORDS.format(row="message")} WHERE keywords <> ''
        """,
        "INSERT INTO departed SELECT mod_seq, '' FROM account",
    ),
    3: _ONCE,
}
"""What makes the next version out of an older one."""

HALF_DONE = """
    SELECT EXISTS (SELECT 1 FROM intent),
        EXISTS (SELECT 1 FROM expunged WHERE pending IS NOT NULL),
        EXISTS (SELECT 1 FROM message WHERE next_name IS NOT NULL),
        EXISTS (SELECT 1 FROM mailbox WHERE settled < uid_next AND settled_by <> ?1)
"""
"""What another may have left: intents, expunges, renames for flags, a batch."""

_BEFORE_ARRIVALS = f"""
    {HALF_DONE}, account.mod_seq, account.floor, account.used, mailbox.*
    FROM account LEFT JOIN mailbox ON mailbox.%s = ?2
"""
BEFORE_ARRIVALS_IN = _BEFORE_ARRIVALS % "folder"
BEFORE_ARRIVALS_FOR = _BEFORE_ARRIVALS % "mailbox_id"
"""All that has to be known before messages are put into a mailbox."""

SPEED = (
    "PRAGMA synchronous = FULL",
    # Checkpoints are made when the account is idle; this one is for when it never is.
    "PRAGMA wal_autocheckpoint = 16000",
    "PRAGMA cache_size = -4096",
    "PRAGMA mmap_size = 268435456",
    "PRAGMA temp_store = MEMORY",
)
