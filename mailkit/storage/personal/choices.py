"""What people choose: preferences, labels, searches, identities, trusted senders."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from mailkit.errors import AlreadyExists, TooMany
from mailkit.model.identity import Identity
from mailkit.model.label import Label
from mailkit.model.preferences import Preferences
from mailkit.model.savedsearch import MOST_SEARCHES, SavedSearch
from mailkit.storage.index.database import Database
from mailkit.storage.personal.tables import folded_address, storable

MOST_LABELS = 500
MOST_IDENTITIES = 100
MOST_TRUSTED = 10_000
MOST_MUTED = 5_000


def preferences(database: Database) -> Preferences:
    """What the person has chosen."""
    return Preferences.of_facts(dict(database.all("SELECT * FROM preference")))


def change(database: Database, chosen: Preferences) -> None:
    """Keep it all."""
    with database.transaction(is_full=True):
        database.executemany(
            "INSERT OR REPLACE INTO preference VALUES (?, ?)",
            [(name, storable(value)) for name, value in chosen.to_facts().items()],
        )


def labels(database: Database) -> list[Label]:
    """Those with a name, in their order."""
    rows = database.all(
        "SELECT keyword, name, colour, position FROM label"
        " ORDER BY position, folded_name, folded"
    )
    return [Label(*row) for row in rows]


def put_labels(database: Database, put: Sequence[Label]) -> None:
    """
    Make or change labels.

    :raises AlreadyExists: :raises TooMany:
    """
    with database.transaction(is_full=True):
        # First without them, so that two may change names.
        database.executemany(
            "DELETE FROM label WHERE folded = ?",
            [(storable(label.keyword.lower()),) for label in put],
        )
        try:
            database.executemany(
                "INSERT INTO label VALUES (?, ?, ?, ?, ?, ?)", map(_label_row, put)
            )
        except sqlite3.IntegrityError as error:
            raise AlreadyExists("label") from error
        _check(database, "label", MOST_LABELS)


def drop_label(database: Database, keyword: str) -> None:
    """Forget a name."""
    with database.transaction(is_full=True):
        database.execute(
            "DELETE FROM label WHERE folded = ?", (storable(keyword.lower()),)
        )


def searches(database: Database) -> list[SavedSearch]:
    """By their names."""
    rows = database.all("SELECT id, name, words FROM search ORDER BY folded_name")
    return [SavedSearch(*row) for row in rows]


def put_search(database: Database, search: SavedSearch) -> None:
    """Keep or change one. :raises AlreadyExists: :raises TooMany:"""
    number, name = storable(search.id), storable(search.name)
    with database.transaction(is_full=True):
        database.execute("DELETE FROM search WHERE id = ?", (number,))
        try:
            database.execute(
                "INSERT INTO search VALUES (?, ?, ?, ?)",
                (number, name, name.casefold(), storable(search.words)),
            )
        except sqlite3.IntegrityError as error:
            raise AlreadyExists("search") from error
        _check(database, "search", MOST_SEARCHES)


def drop_search(database: Database, search_id: str) -> None:
    """Forget one."""
    with database.transaction(is_full=True):
        database.execute("DELETE FROM search WHERE id = ?", (storable(search_id),))


def identities(database: Database) -> list[Identity]:
    """The default first."""
    rows = database.all(
        "SELECT id, name, address, signature_text, signature_html, is_default"
        " FROM identity ORDER BY is_default DESC, name, address, id"
    )
    return [
        Identity(number, name, address, text, html, bool(is_default))
        for number, name, address, text, html, is_default in rows
    ]


def put_identity(database: Database, identity: Identity) -> None:
    """Make or change one. :raises TooMany:"""
    texts = (
        identity.id,
        identity.name,
        identity.address,
        identity.signature_text,
        identity.signature_html,
    )
    with database.transaction(is_full=True):
        if identity.is_default:
            database.execute("UPDATE identity SET is_default = 0")
        database.execute(
            "INSERT OR REPLACE INTO identity VALUES (?, ?, ?, ?, ?, ?)",
            (*map(storable, texts), identity.is_default),
        )
        _check(database, "identity", MOST_IDENTITIES)


def drop_identity(database: Database, identity_id: str) -> None:
    """Forget one."""
    with database.transaction(is_full=True):
        database.execute("DELETE FROM identity WHERE id = ?", (storable(identity_id),))


def trusted(database: Database) -> list[str]:
    """Whose pictures are shown."""
    rows = database.all("SELECT address FROM trusted ORDER BY address")
    return [address for (address,) in rows]


def is_trusted(database: Database, address: str) -> bool:
    """Whether pictures of one are shown."""
    found = database.one(
        "SELECT 1 FROM trusted WHERE address = ?", folded_address(address)
    )
    return found is not None


def trust(database: Database, address: str) -> None:
    """Show pictures of one from now on. :raises TooMany:"""
    with database.transaction(is_full=True):
        database.execute(
            "INSERT OR IGNORE INTO trusted VALUES (?)", (folded_address(address),)
        )
        _check(database, "trusted", MOST_TRUSTED)


def distrust(database: Database, address: str) -> None:
    """Do so no more."""
    with database.transaction(is_full=True):
        database.execute(
            "DELETE FROM trusted WHERE address = ?", (folded_address(address),)
        )


def muted(database: Database) -> frozenset[str]:
    """Message-IDs whose answers do not go into the inbox."""
    rows = database.all("SELECT message_id FROM muted")
    return frozenset(message_id for (message_id,) in rows)


def mute(database: Database, message_ids: Collection[str]) -> None:
    """Keep answers to them out; the oldest are forgotten where there are too many."""
    with database.transaction(is_full=True):
        database.executemany(
            "INSERT OR IGNORE INTO muted (message_id) VALUES (?)",
            [(storable(one),) for one in message_ids],
        )
        database.execute(
            "DELETE FROM muted WHERE number <="
            " (SELECT number FROM muted ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (MOST_MUTED,),
        )


def unmute(database: Database, message_ids: Collection[str]) -> None:
    """Do so no more."""
    with database.transaction(is_full=True):
        database.executemany(
            "DELETE FROM muted WHERE message_id = ?",
            [(storable(one),) for one in message_ids],
        )


def _label_row(label: Label) -> tuple[object, ...]:
    keyword, name = storable(label.keyword), storable(label.name)
    colour, position = label.colour, label.position
    return keyword.lower(), keyword, name, name.casefold(), colour, position


def _check(database: Database, table: str, most: int) -> None:
    row = database.one(f"SELECT count(*) FROM {table}")
    if row is not None and row[0] > most:
        raise TooMany(table)
