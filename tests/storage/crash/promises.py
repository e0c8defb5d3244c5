"""What has to be true after any stop (STORE.md §3, §6)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import define, evolve, frozen

from mailkit.interfaces.storage import IMailStore
from mailkit.model.flags import DELETED, SEEN, Flags
from mailkit.model.mailbox import MailboxName
from mailkit.storage.index.rows import SHIFT, UIDS, FlagSets
from mailkit.storage.maildir import naming
from mailkit.storage.maildir.home import folder_of
from mailkit.testing.contracts.messages import ALICE, new
from tests.storage.crash.disk import opened as opened_database
from tests.storage.crash.world import Box, Seen, State, Step, Whole, look


class BrokenPromiseError(AssertionError):
    """A promise was not kept."""


@frozen
class Client:
    """What one that looked at a mailbox knows of it."""

    mailbox_id: str
    mod_seq: int
    uid_next: int
    flags: Mapping[int, Flags]


@define(eq=False)
class Expected:
    """What was promised up to a stop, and what was under way."""

    before: State
    after: State
    """The same as ``before`` if nothing was under way."""
    step: Step | None = None
    clients: Sequence[Client] = ()
    is_told_again: bool = False
    """Power or the index was lost: what came lately may be told as new again."""


def clients_of(index: bytes) -> list[Client]:
    """Everybody who looked at the account after that commit."""
    database = opened_database(index)
    sets = FlagSets()
    if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return []
    clients = []
    rows = database.execute(
        "SELECT id, mailbox_id, mod_seq, uid_next FROM mailbox WHERE boot <> ''"
    ).fetchall()
    for id, mailbox_id, mod_seq, uid_next in rows:
        messages = database.execute(
            "SELECT id, flags, keywords FROM message WHERE id BETWEEN ? AND ?",
            (id << SHIFT, id << SHIFT | UIDS),
        )
        flags = {key & UIDS: sets[bits, text] for key, bits, text in messages}
        clients.append(Client(mailbox_id, mod_seq, uid_next, flags))
    database.close()
    return clients


async def check(store: IMailStore, expected: Expected) -> State:
    """
    Look at the store and hold it to every promise; then change each mailbox once.

    :raises BrokenPromiseError:
    """
    actual = await look(store)
    _agree(actual, expected)
    await _check_counters(store, actual)
    for client in expected.clients:
        await _check_client(store, actual, client, expected)
    await _check_next_uids(store, actual, expected)
    return actual


# --- messages ---


def _agree(actual: State, expected: Expected) -> None:
    sides: dict[str, str] = {}
    before, after = expected.before, expected.after
    extra = list(expected.step.new) if expected.step else []
    made = expected.step.made if expected.step else ()
    for name in sorted({*before.boxes, *after.boxes, *actual.boxes}):
        was, will = before.boxes.get(name), after.boxes.get(name)
        now = actual.boxes.get(name)
        if was is not None and will is not None and _same(was, will):
            if now is None or not _same(now, was):
                raise BrokenPromiseError(f"{name}: {now} instead of {was}")
            _agree_on(name, now, was, will, extra, sides)
        elif now is None:
            if was is not None and will is not None:
                raise BrokenPromiseError(f"{name} is gone")
            sides[f"{name} absent"] = "after" if will is None else "before"
        elif was is not None and _same(now, was):
            sides[f"{name} there"] = "before"
            _agree_on(name, now, was, was, extra, sides)
        elif will is not None and _same(now, will):
            sides[f"{name} there"] = "after"
            was = evolve(will, messages={}) if name in made else will
            _agree_on(name, now, was, will, extra, sides)
        elif was is None and will is None:
            raise BrokenPromiseError(f"{name}: where does it come from?")
        else:
            raise BrokenPromiseError(f"{name}: {now} instead of {was} or {will}")
    if actual.subscribed != before.subscribed:
        sides["subscriptions"] = "after"
        if actual.subscribed != after.subscribed:
            raise BrokenPromiseError(f"subscribed to {actual.subscribed}")
    for one in made:
        sides.pop(f"{one} there", None)
        sides.pop(f"{one} absent", None)
    step = expected.step
    if step and step.whole is Whole.ALL_OR_NONE and len(set(sides.values())) > 1:
        raise BrokenPromiseError(f"half of {step.name} was done: {sides}")


def _same(one: Box, other: Box) -> bool:
    return (one.mailbox_id, one.uid_validity) == (other.mailbox_id, other.uid_validity)


def _agree_on(
    name: MailboxName,
    now: Box,
    was: Box,
    will: Box,
    extra: list[bytes],
    sides: dict[str, str],
) -> None:
    for uid in sorted({*now.messages, *was.messages, *will.messages}):
        found = now.messages.get(uid)
        old, new_ = was.messages.get(uid), will.messages.get(uid)
        if old == new_:
            if found == old:
                continue
            if old is None and found is not None and found.octets in extra:
                # It was never answered, and has been found under another UID.
                extra.remove(found.octets)
                continue
            raise BrokenPromiseError(f"{name} {uid}: {found} instead of {old}")
        if found == old:
            sides[f"{name} {uid}"] = "before"
        elif found == new_:
            sides[f"{name} {uid}"] = "after"
            if found is not None and found.octets in extra:
                extra.remove(found.octets)
        elif old is None and found is not None and found.octets in extra:
            # Somebody else's message has the UID that was meant for another.
            extra.remove(found.octets)
            sides[f"{name} {uid}"] = "before"
        else:
            raise BrokenPromiseError(f"{name} {uid}: {found}, not {old} or {new_}")


# --- numbers ---


async def _check_counters(store: IMailStore, actual: State) -> None:
    used = 0
    for name, box in actual.boxes.items():
        status = await store.status(ALICE, name)
        messages = box.messages.values()
        size = sum(len(seen.octets) for seen in messages)
        used += size
        counted = (
            len(box.messages),
            sum(SEEN not in seen.flags for seen in messages),
            sum(DELETED in seen.flags for seen in messages),
            size,
        )
        kept = (status.exists, status.unseen, status.deleted, status.size)
        if counted != kept:
            raise BrokenPromiseError(f"{name}: {kept} are kept, {counted} counted")
        if box.messages and max(box.messages) >= box.uid_next:
            raise BrokenPromiseError(f"{name}: UIDNEXT {box.uid_next} is too low")
    if await store.used(ALICE) != used:
        raise BrokenPromiseError(
            f"{await store.used(ALICE)} octets kept, {used} counted"
        )


async def _check_client(
    store: IMailStore, actual: State, client: Client, expected: Expected
) -> None:
    """A client that knows an old state and asks what changed knows all of it then."""
    for name, box in actual.boxes.items():
        if box.mailbox_id != client.mailbox_id:
            continue
        if box.mod_seq < client.mod_seq:
            raise BrokenPromiseError(
                f"{name}: HIGHESTMODSEQ {box.mod_seq} < {client.mod_seq}"
            )
        if box.uid_next < client.uid_next:
            raise BrokenPromiseError(
                f"{name}: UIDNEXT {box.uid_next} < {client.uid_next}"
            )
        mailbox = await store.open(ALICE, name)
        change = await mailbox.changes_since(client.mod_seq)
        if change.mod_seq < client.mod_seq:
            raise BrokenPromiseError(
                f"{name}: {change.mod_seq} follows {client.mod_seq}"
            )
        flags = dict(client.flags)
        for uid in client.flags:
            if uid in change.vanished:
                del flags[uid]
        for record in (*change.arrived, *change.flagged):
            flags[record.uid] = record.flags
        again = {record.uid for record in change.arrived} & client.flags.keys()
        if again and not expected.is_told_again:
            raise BrokenPromiseError(f"{name}: {again} arrived, and were there")
        there = {uid: seen.flags for uid, seen in box.messages.items()}
        if flags != there:
            raise BrokenPromiseError(
                f"{name}: a client at {client} believes {flags}, not {there}"
            )


async def _check_next_uids(
    store: IMailStore, actual: State, expected: Expected
) -> None:
    """No UID is given twice, whoever may have seen one."""
    seen = {client.mailbox_id: 1 for client in expected.clients}
    for client in expected.clients:
        seen[client.mailbox_id] = max(seen[client.mailbox_id], client.uid_next)
    for name, box in actual.boxes.items():
        mailbox = await store.open(ALICE, name)
        octets = f"Subject: after the stop\r\n\r\n{name}\r\n".encode()
        [uid] = await mailbox.append([new(octets)])
        least = max(box.uid_next, seen.get(box.mailbox_id, 1))
        if uid < least:
            raise BrokenPromiseError(f"{name}: UID {uid} again; {least} was next")
        change = await mailbox.changes_since(box.mod_seq)
        if [record.uid for record in change.arrived] != [uid]:
            raise BrokenPromiseError(f"{name}: a new message is told as {change}")


# --- files ---


def check_files(data: Path, state: State) -> None:
    """After the last names were written behind: a file a message, as its row says."""
    maildir = data / "mail/example.test/alice/Maildir"
    for name, box in state.boxes.items():
        folder = maildir / (folder_of(name) or ".")
        found: dict[int, Seen] = {}
        for entry in sorted(os.listdir(folder / "cur")):
            parts = naming.parse(entry)
            if parts.uid in found:
                raise BrokenPromiseError(f"{name}: two files of UID {parts.uid}")
            octets = (folder / "cur" / entry).read_bytes()
            flags = frozenset(FlagSets()[parts.bits, ""])
            found[parts.uid] = Seen(octets, flags)
        wanted = {
            uid: Seen(seen.octets, frozenset(f for f in seen.flags if f[0] == "\\"))
            for uid, seen in box.messages.items()
        }
        if found != wanted:
            raise BrokenPromiseError(f"{name}: files {found}, rows {wanted}")


def same_messages(one: State, other: State) -> None:
    """
    UIDs, octets, flags and keywords are the same.

    :raises BrokenPromiseError:
    """
    for name in {*one.boxes, *other.boxes}:
        mine, yours = one.boxes.get(name), other.boxes.get(name)
        if mine is None or yours is None or mine.messages != yours.messages:
            raise BrokenPromiseError(f"{name}: {mine} has become {yours}")
        if not _same(mine, yours) or yours.uid_next < mine.uid_next:
            raise BrokenPromiseError(f"{name}: {mine} has become {yours}")
        if yours.mod_seq < mine.mod_seq:
            raise BrokenPromiseError(
                f"{name}: MODSEQ {mine.mod_seq} has become {yours.mod_seq}"
            )
