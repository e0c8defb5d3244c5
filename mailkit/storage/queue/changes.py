"""What becomes of items: put, claimed, given back, recorded, sealed."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field

from mailkit.errors import LocalMisuse, NoSuchItem
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
)
from mailkit.storage.queue import rows
from mailkit.storage.queue.changing import Changing
from mailkit.storage.queue.days import fates
from mailkit.storage.queue.reading import MessageFile
from mailkit.storage.queue.rows import storable


@define(eq=False)
class Put:
    """One message and its items; what can be prepared outside of the transaction is."""

    file: str
    size: int
    items: Sequence[QueueItem]
    owner: str = ""
    """Whose all items are from the beginning; empty: nobody's."""
    until: float = 0.0
    _rows: list[tuple[object, ...]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        name = self.items[0].message
        if any(item.message != name for item in self.items):
            raise LocalMisuse("items of several messages")
        lease = (self.until, self.owner, self.until) if self.owner else None
        self._rows = [_row(item, lease) for item in self.items]

    def is_there(self, changing: Changing) -> bool:
        """Whether the message is in the queue."""
        name = storable(self.items[0].message)
        return changing.database.one(_MESSAGE, name) is not None

    def was_there(self, changing: Changing) -> bool:
        """Whether it is, or left before; as long as that is remembered."""
        id = storable(self.items[0].id)
        past = changing.database.one("SELECT 1 FROM past WHERE id = ?", id)
        return past is not None or self.is_there(changing)

    def __call__(self, changing: Changing) -> None:
        first, execute = self.items[0], changing.database.execute
        name = storable(first.message)
        if self.is_there(changing):
            raise LocalMisuse(f"{name} is in the queue already")
        cursor = execute(
            "INSERT INTO message VALUES (NULL, ?, ?, x'', ?, ?)",
            (name, self.file, self.size, first.is_sealed),
        )
        message = cursor.lastrowid
        for item, row in zip(self.items, self._rows, strict=True):
            hop = changing.hop(item.hop)
            execute(_INSERT, (row[0], message, hop, *row[1:]))
            changing.touch(hop)
            domain = storable(item.hop.domain)
            changing.days.accepted(domain, item.arrived, len(item.recipients))
        if not self.owner:
            changing.is_told = True


@define(eq=False)
class Claim:
    """Take items that are due for ourselves."""

    hop: NextHop
    owner: str
    now: float
    until: float
    most: int
    files: dict[QueueId, tuple[str, MessageFile]] = field(init=False, factory=dict)
    """Of each item that was taken its message, and where that is."""

    def __call__(self, changing: Changing) -> list[QueueItem]:
        database, hop = changing.database, self.hop
        name = storable(hop.domain), storable(hop.route)
        found = database.all(_DUE, *name, self.now, self.most)
        if not found:
            return []
        lease = self.owner, self.until, self.until
        database.executemany(_LEASE, [(*lease, row[0]) for row in found])
        changing.touch(found[0][-1])
        return [self._claimed(row) for row in found]

    def _claimed(self, row: rows.Row) -> QueueItem:
        item = rows.item_of(row, self.hop)
        self.files[item.id] = item.message, MessageFile(row[-4], row[-3], item.size)
        is_taken_over = row[-2] not in (None, self.owner)
        return evolve(item, is_taken_over=True) if is_taken_over else item


@define(eq=False)
class Renew:
    """Keep a lease for longer."""

    owner: str
    ids: Sequence[QueueId]
    until: float

    def __call__(self, changing: Changing) -> set[QueueId]:
        ours: set[QueueId] = set()
        execute = changing.database.execute
        for id in self.ids:
            row = execute(_RENEW, (self.until, self.until, id, self.owner)).fetchone()
            if row is not None:
                ours.add(id)
                changing.touch(row[0])
        return ours


@define(eq=False)
class GiveBack:
    """End a lease."""

    owner: str
    ids: Sequence[QueueId]
    next_try: float

    def __call__(self, changing: Changing) -> None:
        execute = changing.database.execute
        for id in self.ids:
            values = self.next_try, self.next_try, id, self.owner
            row = execute(_GIVE_BACK, values).fetchone()
            if row is not None:
                changing.touch(row[0])
                changing.is_told = True


@define(eq=False)
class EndClaims:
    """Free what somebody claimed who is no more; whose it was stays known."""

    keys: Sequence[int]
    """Items that were that one's."""
    owner: str
    now: float

    def __call__(self, changing: Changing) -> int:
        count = 0
        for key in self.keys:
            values = self.now, self.now, key, self.owner
            row = changing.database.execute(_END, values).fetchone()
            if row is not None:  # nobody has claimed it meanwhile
                changing.touch(row[0])
                count += 1
        changing.is_told |= bool(count)
        return count


@define(eq=False)
class Record:
    """Keep what an attempt brought, and the messages that it caused."""

    owner: str
    id: QueueId
    attempt: Attempt
    recipients: Sequence[QueuedRecipient]
    next_try: float | None
    caused: Sequence[Put] = ()
    _told: str = field(init=False)
    _fates: list[Fate] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._told = rows.attempt_text(self.attempt)
        self._fates = fates(self.recipients)
        if self.next_try is None and Fate.WAITING in self._fates:
            raise LocalMisuse(f"{self.id} would never be tried again")

    def __call__(self, changing: Changing) -> bool:
        is_ours = self._record(changing)
        for put in self.caused:
            if is_ours and not put.was_there(changing):
                put(changing)
            else:
                changing.leftover.append(put.file)
        return is_ours

    def _record(self, changing: Changing) -> bool:
        execute = changing.database.execute
        found = execute(_ITEM_OF, (self.id,)).fetchone()
        if found is None:
            past = execute("SELECT item FROM past WHERE id = ?", (self.id,)).fetchone()
            if past is not None:
                execute(_ADD_ATTEMPT, (past[0], past[0], self._told))
            return False
        key, owner, message, hop, domain, arrived, hold_until, held, old = found
        execute(_ADD_ATTEMPT, (key, key, self._told))
        if owner != self.owner:
            return False
        changing.days.tried(
            domain, arrived, self.attempt, rows.fates_of(old), self._fates
        )
        if Fate.WAITING not in self._fates:
            changing.remove(key, self.id, message, hop)
            return True
        next_try = self.next_try or 0.0
        ready = None if held else max(next_try, hold_until or 0.0)
        recipients = rows.text_of(self.recipients)
        execute(_PUT_OFF, (next_try, ready, recipients, key))
        changing.touch(hop)
        return True


@define(eq=False)
class Seal:
    """Give a message its last form."""

    message: str
    head: bytes = field(repr=False)
    file: str
    """Where it was written anew; empty: it was not."""
    size: int
    """Of that file."""
    sealed: MessageFile | None = field(init=False, default=None)
    """Where it is now; ``None``: it had its last form before."""

    def __call__(self, changing: Changing) -> None:
        execute = changing.database.execute
        found = execute(_MESSAGE, (storable(self.message),)).fetchone()
        if found is None:
            raise NoSuchItem(self.message)
        key, file, size, is_sealed = found
        if is_sealed:
            if self.file:
                changing.leftover.append(self.file)
            return
        if self.file:
            changing.leftover.append(file)
            file, size = self.file, self.size
        size += len(self.head)
        execute(_SEAL, (file, self.head, size, key))
        self.sealed = MessageFile(file, self.head, size)


def _row(item: QueueItem, lease: tuple[float, str, float] | None) -> tuple[object, ...]:
    """The columns of an item but for its message's and hop's keys."""
    ready = None if item.held else max(item.next_try, item.hold_until or 0.0)
    return (
        storable(item.id),
        item.arrived,
        item.next_try,
        *(lease or (ready, None, None)),
        item.hold_until,
        storable(item.held),
        item.attempts,
        None if item.account is None else storable(item.account),
        storable(item.rate) if item.rate else None,
        rows.told_of(item),
        rows.text_of(item.recipients),
    )


_INSERT = """
    INSERT INTO item VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_DUE = f"""
    SELECT {rows.ITEM}, message.file, message.head, item.owner, hop.key FROM hop
    CROSS JOIN item INDEXED BY item_due ON item.hop = hop.key
    CROSS JOIN message ON message.key = item.message
    WHERE hop.domain = ? AND hop.route = ? AND item.ready <= ?
    ORDER BY item.ready LIMIT ?
"""
_LEASE = "UPDATE item SET owner = ?, until = ?, ready = ? WHERE key = ?"
_RENEW = """
    UPDATE item SET until = ?, ready = iif(held = '', ?, NULL)
    WHERE id = ? AND owner = ? RETURNING hop
"""
_GIVE_BACK = """
    UPDATE item SET owner = NULL, until = NULL, next_try = ?,
        ready = iif(held = '', max(?, ifnull(hold_until, 0)), NULL)
    WHERE id = ? AND owner = ? RETURNING hop
"""
_END = """
    UPDATE item SET until = ?, ready = iif(held = '', ?, NULL)
    WHERE key = ? AND owner = ? RETURNING hop
"""
_ITEM_OF = """
    SELECT item.key, item.owner, item.message, item.hop, hop.domain, item.arrived,
        item.hold_until, item.held, item.recipients
    FROM item CROSS JOIN hop ON hop.key = item.hop WHERE item.id = ?
"""
_ADD_ATTEMPT = """
    INSERT INTO attempt SELECT ?, ifnull(max(number), 0) + 1, ?3
    FROM attempt WHERE item = ?2
"""
_PUT_OFF = """
    UPDATE item SET owner = NULL, until = NULL, attempts = attempts + 1,
        next_try = ?, ready = ?, recipients = ? WHERE key = ?
"""
_MESSAGE = """
    SELECT key, file, size - length(head), is_sealed FROM message WHERE name = ?
"""
_SEAL = """
    UPDATE message SET file = ?, head = ?, size = ?, is_sealed = 1 WHERE key = ?
"""
