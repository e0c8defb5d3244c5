"""Pages of lists, places and changes: what an index answers about conversations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from attrs import frozen

from mailkit.model.conversation import (
    ConversationChange,
    Counts,
    Cursor,
    Page,
    Person,
    Place,
    Row,
    Summary,
)
from mailkit.model.flags import FLAGGED, SEEN, Flags
from mailkit.storage.index.index import Index
from mailkit.storage.index.rows import BITS, SHIFT, UIDS, MailboxRow
from mailkit.storage.index.scope import Heads, Scope, Seen
from mailkit.storage.index.summaries import (
    Member,
    Names,
    members,
    summaries,
    writers,
)

NEWS = 100
"""New messages that `changes` tells of one by one."""

_TOGETHER = 500
"""Conversations that are looked for by one query."""

_SEEN, _FLAGGED = BITS[SEEN], BITS[FLAGGED]


@frozen
class NotRendered:
    """Messages that are on the page and nobody rendered yet."""

    keys: tuple[int, ...]


def page(
    index: Index,
    names: Names,
    scope: Scope,
    after: Cursor | None,
    most: int,
    *,
    is_grouped: bool,
) -> Page | NotRendered:
    """Rows below a cursor, unless some of them are not rendered."""
    heads = Heads(index, scope, "thread_id" if is_grouped else "email_id")
    found = list(islice(heads.below(after), most + 1))
    missing = tuple(seen.key for seen in found if not seen.group)
    if missing:
        return NotRendered(missing)
    shown, more = found[:most], found[most:]
    previous, has_newer = _before(heads, after, most)
    return Page(
        tuple(_rows(index, names, scope, shown, is_grouped=is_grouped)),
        _cursor(shown[-1]) if more and shown else None,
        previous,
        has_newer,
    )


def rows(
    index: Index,
    names: Names,
    scope: Scope,
    keys: Sequence[int],
    *,
    is_grouped: bool,
) -> list[Row]:
    """A row for each of some messages, in their order, as a page would have it."""
    group = "thread_id" if is_grouped else "email_id"
    sql = f"SELECT internal_date, id, {group} FROM message WHERE id IN "
    found = index.database.execute(f"{sql} ({','.join(map(str, keys))})")
    seen = {one.key: one for one in map(Seen._make, found)}
    shown = [seen[key] for key in keys if key in seen]
    return list(_rows(index, names, scope, shown, is_grouped=is_grouped))


def _before(
    heads: Heads, after: Cursor | None, most: int
) -> tuple[Cursor | None, bool]:
    """Where the page above begins, and whether there is anything above."""
    if after is None:
        return None, False
    # Those at the cursor are above it, too.
    above = list(islice(heads.above(Cursor(after.internal_date, after.key - 1)), most))
    if len(above) < most:
        return None, bool(above)
    last = above[-1]
    begins = next(heads.above(_cursor(last)), None)
    return None if begins is None else _cursor(begins), True


def _cursor(seen: Seen) -> Cursor:
    return Cursor(seen.internal_date, seen.key)


def _rows(
    index: Index, names: Names, scope: Scope, shown: Sequence[Seen], *, is_grouped: bool
) -> Iterator[Row]:
    newest = summaries(index, names, [seen.key for seen in shown])
    shown = [seen for seen in shown if seen.key in newest]
    groups = [seen.group for seen in shown] if is_grouped else []
    together = members(index, groups, "thread_id", scope.beside)
    found = [together.get(seen.group, []) for seen in shown]
    wrote = writers(index, found, newest)
    for seen, group, people in zip(shown, found, wrote, strict=True):
        one = newest[seen.key]
        if group:
            yield _together(index, seen, one, group, people)
        else:
            # Messages are not grouped, or this one waits to join.
            yield _alone(seen, one)


def _alone(seen: Seen, one: Summary) -> Row:
    return Row(
        one.thread_id,
        one,
        _cursor(seen),
        1,
        int(one.is_unread),
        one.is_flagged,
        one.keywords,
        one.from_,
        one.has_attachments,
    )


def _together(
    index: Index,
    seen: Seen,
    newest: Summary,
    group: Sequence[Member],
    people: tuple[Person, ...],
) -> Row:
    ids, unread, texts = set(), set(), set()
    all_flags = attachments = 0
    for _, _, flags, text, has_attachments, email_id in group:
        ids.add(email_id)
        texts.add(text)
        all_flags |= flags
        attachments |= has_attachments
        if not flags & _SEEN:
            unread.add(email_id)
    keywords: Flags = frozenset()
    for text in texts:
        keywords |= index.sets[0, text]
    return Row(
        newest.thread_id,
        newest,
        _cursor(seen),
        len(ids),
        len(unread),
        bool(all_flags & _FLAGGED),
        keywords,
        people,
        bool(attachments),
    )


def neighbours(
    index: Index, scope: Scope, thread_id: str
) -> tuple[str | None, str | None]:
    """The conversations next to one in a list: the newer and the older one."""
    heads = Heads(index, scope, "thread_id")
    here = heads.head(thread_id)
    if here is None:
        return None, None
    newer = next(_known(heads.above(_cursor(here))), None)
    older = next(_known(heads.below(_cursor(here))), None)
    return newer, older


def _known(walk: Iterator[Seen]) -> Iterator[str]:
    return (seen.group for seen in walk if seen.group)


def keys_of(
    index: Index,
    scope: Scope,
    thread_ids: Collection[str] | None,
    above: int,
    most: int,
) -> list[int]:
    """Messages of a scope, ascending, above a key."""
    if thread_ids is None:
        return list(islice(_every_key(index, scope, above), most))
    wanted = list(dict.fromkeys(thread_ids))
    found: list[int] = []
    for start in range(0, len(wanted), _TOGETHER):
        some = wanted[start : start + _TOGETHER]
        named = {f"t{number}": thread_id for number, thread_id in enumerate(some)}
        rows = index.database.execute(
            f"""
            SELECT id FROM message INDEXED BY message_thread
            WHERE joined = 1 AND thread_id IN ({",".join(f":{name}" for name in named)})
                AND id > :above AND {scope.condition}
            """,
            {"above": above, **named, **scope.values},
        )
        found += [key for (key,) in rows]
    return sorted(found)[:most]


def _every_key(index: Index, scope: Scope, above: int) -> Iterator[int]:
    sql = "SELECT id FROM message WHERE id > :above AND id BETWEEN :low AND :high"
    if scope.mark:
        sql = "SELECT id FROM marked WHERE keyword = :mark AND mailbox = :mailbox"
        sql += " AND id > :above"
    for mailbox in sorted(scope.mailboxes):
        row = scope.mailboxes[mailbox]
        values = {
            "above": above,
            "mark": scope.mark,
            "mailbox": mailbox,
            "low": row.first_key,
            "high": row.last_key,
        }
        yield from (
            key for (key,) in index.database.execute(f"{sql} ORDER BY id", values)
        )


def unrendered(index: Index, email_ids: Collection[str]) -> list[int]:
    """Messages with those EMAILIDs that nobody rendered yet; looked for one by one."""
    rows = index.database.execute(
        f"""
        SELECT id FROM message INDEXED BY message_unrendered
        WHERE thread_id = '' AND email_id IN ({",".join("?" * len(email_ids))})
        """,
        list(email_ids),
    )
    return [key for (key,) in rows]


def places(names: Names, keys: Sequence[int]) -> list[Place]:
    """Where messages lie."""
    return [Place(names[key >> SHIFT], key & UIDS) for key in keys]


def count(index: Index, scope: Scope) -> Counts:
    """Kept with the mailboxes, and with what is marked."""
    if not scope.mark:
        rows = scope.mailboxes.values()
        return Counts(sum(row.messages for row in rows), sum(r.unseen for r in rows))
    found = index.database.all(
        "SELECT mailbox, messages, unseen FROM tally WHERE keyword = ?", scope.mark
    )
    kept = [row for row in found if row[0] in scope.mailboxes]
    return Counts(sum(row[1] for row in kept), sum(row[2] for row in kept))


def changes(
    index: Index, names: Names, rows: Sequence[MailboxRow], mod_seq: int, most: int
) -> ConversationChange:
    """What somebody missed who knew the state ``mod_seq``."""
    now, _ = index.mod_seq()
    mailboxes = tuple(names[row.id] for row in rows if row.mod_seq > mod_seq)
    if now <= mod_seq:
        return ConversationChange(mod_seq)
    database = index.database
    changed = database.all(
        """
        SELECT id, thread_id, arrived FROM message INDEXED BY message_mod_seq
        WHERE mod_seq > ? ORDER BY mod_seq DESC LIMIT ?
        """,
        mod_seq,
        most + 1,
    )
    departed = database.all(
        "SELECT DISTINCT thread_id FROM departed WHERE mod_seq > ? LIMIT ?",
        mod_seq,
        most + 1,
    )
    [[horizon]] = database.all("SELECT max(mod_seq) FROM departed WHERE thread_id = ''")
    is_whole = mod_seq >= (horizon or 0) and max(len(changed), len(departed)) <= most
    touched = {thread_id for _, thread_id, _ in changed if thread_id}
    left = {thread_id for (thread_id,) in departed if thread_id} - touched
    gone = {thread_id for thread_id in left if not _is_there(index, thread_id)}
    new = [key for key, _, arrived in changed if arrived > mod_seq][:NEWS]
    told = summaries(index, names, new)
    return ConversationChange(
        now,
        frozenset(touched | (left - gone)),
        frozenset(gone),
        mailboxes,
        tuple(told[key] for key in sorted(told, key=lambda key: _age(told[key], key))),
        is_whole,
    )


def _age(summary: Summary, key: int) -> tuple[float, int]:
    return summary.internal_date, key


def _is_there(index: Index, thread_id: str) -> bool:
    found = index.database.one(
        "SELECT 1 FROM message INDEXED BY message_thread"
        " WHERE joined = 1 AND thread_id = ? LIMIT 1",
        thread_id,
    )
    return found is not None
