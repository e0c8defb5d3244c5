"""Which messages a view is of, and the order in which a list has them."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import NamedTuple

from attrs import field, frozen

from mailkit.model.conversation import Cursor
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import MailboxRow

STARRED = "\\flagged"
"""What is starred is kept in `marked` as if it was a keyword."""


class Seen(NamedTuple):
    """A message that is come by on a walk; ordered as lists are."""

    internal_date: int
    key: int
    group: str
    """Its conversation, or itself; "" where that is not known yet."""


@frozen
class Scope:
    """Mailboxes that are looked at, and what marks the messages in them."""

    mailboxes: dict[int, MailboxRow] = field(repr=False)
    left_out: tuple[int, ...] = ()
    """Others, if it is not of one mailbox alone."""
    mark: str = ""
    """A keyword in lower case, or `STARRED`; empty: all messages."""
    is_one: bool = False
    """Whether it is of one mailbox."""

    @property
    def condition(self) -> str:
        """What is so of a row of ``message`` that is in it; one value: `values`."""
        if self.is_one:
            [mailbox] = self.mailboxes
            where = f"message.id >> 32 = {mailbox}"
        else:
            where = _without(self.left_out)
        if self.mark == STARRED:
            return f"{where} AND flags & 4 <> 0"
        if self.mark:
            return f"{where} AND instr(lower(keywords), :mark) > 0"
        return where

    @property
    def values(self) -> dict[str, object]:
        return {"mark": f" {self.mark} "}

    @property
    def beside(self) -> str:
        """Of which messages a conversation is counted that is seen in it."""
        return _without(
            tuple(one for one in self.left_out if one not in self.mailboxes)
        )


def _without(mailboxes: tuple[int, ...]) -> str:
    if not mailboxes:
        return "1"
    return f"message.id >> 32 NOT IN ({','.join(map(str, mailboxes))})"


def walk(
    index: Index, scope: Scope, start: Cursor, group: str, *, up: bool = False
) -> Iterator[Seen]:
    """
    Messages below a cursor, newest first; or those above it, oldest first.

    Read as they are asked for, so that little is read for a little.

    :param group: the column of ``message`` that says what is one row of a list.
    """
    sql = _walk_sql(scope, group, up=up)
    walks = [
        map(
            Seen._make,
            index.database.execute(
                sql,
                {
                    "mailbox": mailbox,
                    "mark": scope.mark,
                    "date": start.internal_date,
                    "key": start.key,
                },
            ),
        )
        for mailbox in scope.mailboxes
    ]
    if len(walks) == 1:
        return walks[0]
    return merge(*walks, reverse=not up)


def _walk_sql(scope: Scope, group: str, *, up: bool) -> str:
    sign, order = (">", "") if up else ("<", " DESC")
    table, others = ("marked", "keyword = :mark AND mailbox = :mailbox")
    tables = "marked CROSS JOIN message ON message.id = marked.id"
    if not scope.mark:
        table, others = ("message", "id >> 32 = :mailbox")
        tables = "message INDEXED BY message_date"
    # Two conditions on the date, of which the first can be looked up.
    return f"""
        SELECT {table}.internal_date, {table}.id,
            CASE WHEN thread_id = '' THEN '' ELSE {group} END
        FROM {tables} WHERE {others} AND {table}.internal_date {sign}= :date
            AND ({table}.internal_date {sign} :date OR {table}.id {sign} :key)
        ORDER BY {table}.internal_date{order}, {table}.id{order}
    """


TOP = Cursor(2**63 - 1, 2**63 - 1)
"""Above everything."""


@frozen
class Heads:
    """
    The rows of a list: of each group the newest message within a scope.

    Nothing is numbered or kept: whether a group was higher up in the list is looked up
    once for each that is come by.
    """

    index: Index
    scope: Scope
    group: str
    """``thread_id`` or ``email_id``."""

    def below(self, after: Cursor | None) -> Iterator[Seen]:
        """Newest first."""
        known: set[str] = set()
        for seen in walk(self.index, self.scope, after or TOP, self.group):
            if seen.group in known:
                continue
            if seen.group:
                known.add(seen.group)
            if after is None or not self._is_at_or_above(seen.group, after):
                yield seen

    def above(self, cursor: Cursor) -> Iterator[Seen]:
        """Oldest first."""
        for seen in walk(self.index, self.scope, cursor, self.group, up=True):
            above = Cursor(seen.internal_date, seen.key + 1)
            if not self._is_at_or_above(seen.group, above):
                yield seen

    def _is_at_or_above(self, group: str, cursor: Cursor) -> bool:
        if not group:
            return False
        found = self.index.database.execute(
            f"""
            SELECT 1 FROM message INDEXED BY {_INDEX_OF[self.group]}
            WHERE joined = 1 AND {self.group} = :group AND internal_date >= :date
                AND (internal_date > :date OR id >= :key) AND {self.scope.condition}
            LIMIT 1
            """,
            {
                "group": group,
                "date": cursor.internal_date,
                "key": cursor.key,
                **self.scope.values,
            },
        )
        return found.fetchone() is not None

    def head(self, group: str) -> Seen | None:
        """Where a group is in the list."""
        row = self.index.database.execute(
            f"""
            SELECT internal_date, id, {self.group}
            FROM message INDEXED BY {_INDEX_OF[self.group]}
            WHERE joined = 1 AND {self.group} = :group AND {self.scope.condition}
            ORDER BY internal_date DESC, id DESC LIMIT 1
            """,
            {"group": group, **self.scope.values},
        ).fetchone()
        return None if row is None else Seen._make(row)


_INDEX_OF = {"thread_id": "message_thread", "email_id": "message_email"}
