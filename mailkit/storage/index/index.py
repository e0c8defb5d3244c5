"""The index of one account: its tables, and the changes that are made to them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from attrs import define, field

from mailkit.errors import StorageBroken
from mailkit.formats.date import format_internal_utc
from mailkit.storage.index import schema
from mailkit.storage.index.database import Database, has_wal
from mailkit.storage.index.rows import (
    SHIFT,
    UIDS,
    FlagSets,
    FlagTexts,
    MailboxRow,
    MessageRow,
    RenderedRow,
)
from mailkit.storage.safefile import Files


class HalfDone(NamedTuple):
    """What somebody left: true where there is anything."""

    intents: int
    expunges: int
    renames: int
    batches: int


class Standing(NamedTuple):
    """An account before messages are put into one of its mailboxes."""

    half_done: HalfDone | None
    mod_seq: int
    """The last one given."""
    floor: int
    """None may be above it."""
    used: int
    mailbox: MailboxRow | None


class Counted(NamedTuple):
    """By how much a mailbox grows; of a message that goes, all less than zero."""

    messages: int
    unseen: int
    deleted: int
    size: int


@define(eq=False)
class Index:
    """
    An open index. Changes are made within a `Database.transaction`.

    ``mod_seq`` numbers come from `Index.next_mod_seq` alone.
    """

    database: Database
    sets: FlagSets = field(init=False, factory=FlagSets, repr=False)
    texts: FlagTexts = field(init=False, factory=FlagTexts, repr=False)

    @classmethod
    def open(cls, path: str, files: Files, *, makes: bool = True) -> Index:
        """
        Open an index, or make an empty one without an `account` row.

        One that may hold commits which no sync covered is synced first.

        :param makes: if not, one that is missing stays so.
        :raises FileNotFoundError: if it is missing and not to be made.
        """
        had_wal = has_wal(path)
        database = Database.open(path, files, schema.SPEED, makes=makes)
        index = cls(database)
        try:
            if database.version in schema.CHANGES:
                index._change()
            if database.version not in (0, schema.VERSION):
                raise OtherVersion(path)
            if database.version == 0:
                index._make()
            elif had_wal:
                with database.transaction(is_full=True):
                    database.execute("UPDATE account SET opened = opened + 1")
        except BaseException:
            database.close()
            raise
        return index

    def _make(self) -> None:
        with self.database.transaction(is_full=True):
            for table in schema.TABLES:
                self.database.execute(table)
            self.database.execute(f"PRAGMA user_version = {schema.VERSION}")

    def _change(self) -> None:
        """Bring an older one up to date, all at once."""
        with self.database.transaction(is_full=True):
            # Another process may have done it meanwhile.
            for version in range(self.database.version, schema.VERSION):
                for step in schema.CHANGES[version]:
                    self.database.execute(step)
            self.database.execute(f"PRAGMA user_version = {schema.VERSION}")

    # --- the account ---

    def begin_account(self, boot: str, mod_seq: int) -> None:
        """Say which file this is; in the transaction that makes the index whole."""
        found = os.stat(self.database.path)
        self.database.execute(
            "INSERT OR REPLACE INTO account VALUES (1, ?, ?, ?, ?, 0, 0, 0, 0)",
            (found.st_ino, found.st_dev, boot, mod_seq),
        )
        self.database.execute(
            "INSERT OR IGNORE INTO departed VALUES (?, '')", (mod_seq,)
        )

    def identity(self) -> tuple[int, int] | None:
        """Inode and device of the file that this was made as."""
        return self.database.one("SELECT inode, device FROM account")

    def boot(self) -> str:
        """The boot in which the account was last opened."""
        return str(self._fact("boot"))

    def used(self) -> int:
        """Octets of all messages together."""
        return int(self._fact("used"))

    def root_mtime(self) -> int:
        """When the list of folders last changed, as far as it is known here."""
        return int(self._fact("root_mtime"))

    def mod_seq(self) -> tuple[int, int]:
        """The last one given, and the floor that none may be above."""
        row = self.database.one("SELECT mod_seq, floor FROM account")
        if row is None:
            raise StorageBroken(f"{self.database.path} is not whole")
        return row[0], row[1]

    def set_fact(self, name: str, value: object) -> None:
        """Change one column of the account's row."""
        self.database.execute(f"UPDATE account SET {name} = ?", (value,))

    def _fact(self, name: str) -> Any:  # the column has the type
        row = self.database.one(f"SELECT {name} FROM account")
        if row is None:
            raise StorageBroken(f"{self.database.path} is not whole")
        return row[0]

    def half_done(self, own: str) -> HalfDone | None:
        """What somebody left to be finished; ``own`` marks batches that are ours."""
        row = self.database.execute(schema.HALF_DONE, (own,)).fetchone()
        return HalfDone(*row) if any(row) else None

    def before_arrivals(self, own: str, folder: str, mailbox_id: str) -> Standing:
        """
        How the account stands, by one query.

        :param folder: where the mailbox is, unless ``mailbox_id`` says which it is.
        """
        by_id = schema.BEFORE_ARRIVALS_FOR, mailbox_id
        sql, mailbox = by_id if mailbox_id else (schema.BEFORE_ARRIVALS_IN, folder)
        row = self.database.execute(sql, (own, mailbox)).fetchone()
        if row is None:
            raise StorageBroken(f"{self.database.path} is not whole")
        half_done = HalfDone(*row[:4]) if any(row[:4]) else None
        found = None if row[7] is None else MailboxRow._make(row[7:])
        return Standing(half_done, row[4], row[5], row[6], found)

    def is_behind(self) -> bool:
        """Whether names wait to carry their rows' flags."""
        sql = "SELECT 1 FROM message WHERE behind = 1 LIMIT 1"
        return self.database.one(sql) is not None

    # --- mailboxes ---

    def mailbox(self, folder: str) -> MailboxRow | None:
        row = self.database.execute(
            "SELECT * FROM mailbox WHERE folder = ?", (folder,)
        ).fetchone()
        return None if row is None else MailboxRow._make(row)

    def mailbox_by_id(self, mailbox: int) -> MailboxRow | None:
        row = self.database.execute(
            "SELECT * FROM mailbox WHERE id = ?", (mailbox,)
        ).fetchone()
        return None if row is None else MailboxRow._make(row)

    def mailbox_by_mailbox_id(self, mailbox_id: str) -> MailboxRow | None:
        row = self.database.execute(
            "SELECT * FROM mailbox WHERE mailbox_id = ?", (mailbox_id,)
        ).fetchone()
        return None if row is None else MailboxRow._make(row)

    def mailboxes(self) -> list[MailboxRow]:
        rows = self.database.all("SELECT * FROM mailbox ORDER BY folder")
        return [MailboxRow._make(row) for row in rows]

    def add_mailbox(
        self,
        folder: str,
        mailbox_id: str,
        uid_validity: int,
        mark: int,
        mod_seq: int,
        *,
        uid_next: int,
        boot: str,
    ) -> None:
        """A mailbox without messages yet."""
        self.database.execute(
            """
            INSERT INTO mailbox (folder, mailbox_id, uid_validity, uid_next, mark,
                first_recent, mod_seq, messages, unseen, deleted, size, boot,
                cur_mtime, known_since, settled, settled_by)
            VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, ?, 0, ?, ?, '')
            """,
            (
                folder,
                mailbox_id,
                uid_validity,
                uid_next,
                mark,
                uid_next,
                mod_seq,
                boot,
                mod_seq,
                uid_next,
            ),
        )

    def set_mailbox(self, mailbox: int, **columns: object) -> None:
        """Change columns of one mailbox's row."""
        names = ", ".join(f"{name} = ?" for name in columns)
        self.database.execute(
            f"UPDATE mailbox SET {names} WHERE id = ?", (*columns.values(), mailbox)
        )

    def forget_mailbox(self, row: MailboxRow, mod_seq: int) -> None:
        """All of a mailbox that is no more; its octets are not counted any longer."""
        span = row.first_key, row.last_key
        execute = self.database.execute
        execute(
            f"{_DEPARTED} message WHERE id BETWEEN ? AND ? AND thread_id <> ''",
            (mod_seq, *span),
        )
        for table in (*RENDERED_TABLES, "message"):
            execute(f"DELETE FROM {table} WHERE id BETWEEN ? AND ?", span)
        execute("DELETE FROM expunged WHERE mailbox = ?", (row.id,))
        execute("DELETE FROM keyword WHERE mailbox = ?", (row.id,))
        execute("DELETE FROM tally WHERE mailbox = ?", (row.id,))
        execute("DELETE FROM mailbox WHERE id = ?", (row.id,))
        execute("UPDATE account SET used = used - ?", (row.size,))

    def count(self, mailbox: int, by: Counted, mod_seq: int) -> None:
        """Messages came, went or changed."""
        self.database.execute(
            """
            UPDATE mailbox SET messages = messages + ?, unseen = unseen + ?,
                deleted = deleted + ?, size = size + ?, mod_seq = ? WHERE id = ?
            """,
            (*by, mod_seq, mailbox),
        )
        if by.size:
            self.add_used(by.size)

    def grow(self, mod_seq: int, octets: int) -> None:
        """The account has a new state, and so much more in it."""
        self.database.execute(
            "UPDATE account SET mod_seq = ?, used = used + ?", (mod_seq, octets)
        )

    def add_used(self, octets: int) -> None:
        """The account's messages have so much more together."""
        self.database.execute("UPDATE account SET used = used + ?", (octets,))

    # --- messages ---

    def add_messages(
        self, rows: Sequence[MessageRow], rendered: Iterable[RenderedRow]
    ) -> None:
        """Messages that are in ``cur/``, or will be in a moment."""
        dated = [(*row, _date_time(row.internal_date)) for row in rows]
        self.database.executemany(_ADD_MESSAGE, dated)
        self.add_rendered(rendered)

    def delivered(self, email_id: str) -> list[tuple[int, int]]:
        """Where a message is that was delivered once: mailboxes and UIDs."""
        rows = self.database.execute(_DELIVERED, (email_id,)).fetchall()
        return [(key >> SHIFT, key & UIDS) for (key,) in rows]

    def add_rendered(self, rendered: Iterable[RenderedRow]) -> None:
        """What IMAP sends of messages."""
        rows = list(rendered)
        executemany = self.database.executemany
        executemany(_ADD_OVERVIEW, [(row.key, row.envelope) for row in rows])
        executemany(_ADD_STRUCTURE, [(row.key, row.bodystructure) for row in rows])
        executemany(
            _ADD_RENDERED,
            [(row.key, row.body, row.preview, row.header_fields) for row in rows],
        )

    def drop_messages(
        self, mailbox: int, keys: Sequence[int], mod_seq: int, *, pending: bool
    ) -> Counted:
        """
        Messages are expunged, and it is logged; what to count.

        :param pending: whether their files are still to be unlinked.
        """
        # CROSS JOIN: SQLite knows no better which of the two has few rows.
        once = [(key,) for key in keys]
        database = self.database
        name = "name" if pending else "NULL"
        database.execute(
            "CREATE TEMP TABLE IF NOT EXISTS going (id INTEGER PRIMARY KEY)"
        )
        database.execute("DELETE FROM going")
        database.executemany("INSERT INTO going VALUES (?)", once)
        row = database.one(
            """
            SELECT count(*), total(flags & 1 = 0), total(flags & 8 <> 0), total(size)
            FROM going CROSS JOIN message USING (id)
            """
        )
        database.execute(
            f"""
            INSERT INTO expunged
            SELECT ?, id & 4294967295, id & 4294967295, arrived, ?, {name}
            FROM going CROSS JOIN message USING (id)
            """,
            (mailbox, mod_seq),
        )
        database.execute(
            f"{_DEPARTED} going CROSS JOIN message USING (id) WHERE thread_id <> ''",
            (mod_seq,),
        )
        for table in (*RENDERED_TABLES, "message"):
            database.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM going)")
        if row is None:
            raise StorageBroken(f"{database.path}: no answer")
        return Counted(*(-int(number) for number in row))

    def keywords(self, mailbox: int) -> dict[str, tuple[str, str]]:
        """Folded keyword → spelling and letter, of one mailbox."""
        rows = self.database.all(
            "SELECT folded, spelling, letter FROM keyword WHERE mailbox = ?", mailbox
        )
        return {folded: (spelling, letter) for folded, spelling, letter in rows}

    def add_keyword(self, mailbox: int, spelling: str, letter: str) -> None:
        self.database.execute(
            "INSERT OR REPLACE INTO keyword VALUES (?, ?, ?, ?)",
            (mailbox, spelling.lower(), spelling, letter),
        )

    def close(self) -> None:
        self.database.close()


class OtherVersion(StorageBroken):
    """The index has other tables; it is thrown away and rebuilt."""


_ADD_MESSAGE = """
    INSERT INTO message (id, mod_seq, arrived, flags, keywords, size, internal_date,
        save_date, behind, name, email_id, thread_id, attachments, verdict, date)
    VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?11, ?12, ?13)
"""
_DELIVERED = """
    SELECT id FROM message INDEXED BY message_once
    WHERE email_id = ? AND instr(name, '.K') > 0
"""
_DEPARTED = "INSERT OR IGNORE INTO departed SELECT DISTINCT ?, thread_id FROM"
_ADD_OVERVIEW = "INSERT OR REPLACE INTO overview VALUES (?, ?)"
_ADD_STRUCTURE = "INSERT OR REPLACE INTO structure VALUES (?, ?)"
_ADD_RENDERED = "INSERT OR REPLACE INTO rendered VALUES (?, ?, ?, ?)"

RENDERED_TABLES = {
    "overview": "envelope",
    "structure": "bodystructure",
    "rendered": "body, preview, header_fields",
}
"""What IMAP sends of a message, and the columns that it is in."""

_FIRST_DATE, _LAST_DATE = -62_135_596_800, 253_402_300_799
"""The years that IMAP can write: 1 to 9999."""


def _date_time(seconds: int) -> str:
    """As IMAP sends it; of what a file may claim, something that can be written."""
    return format_internal_utc(min(max(seconds, _FIRST_DATE), _LAST_DATE)).decode()
