"""With whom one account exchanges mail, and whom a few letters may mean."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from mailkit.model import correspondent as people
from mailkit.model.conversation import Person
from mailkit.model.correspondent import SENT_WEIGHT, Correspondent
from mailkit.storage.index.database import Database, Row
from mailkit.storage.personal.tables import folded_address, storable

MOST = 20_000
"""People that are remembered of an account."""

_FORGOTTEN_AT_ONCE = 500
_WEIGHED = 200  # likeliest ones, by what they were worth, that are weighed anew
_LONGEST = 320  # characters of an address or a name that are kept
_LAST = "\U0010ffff"

_WIDE = 1000
"""Words that begin alike: from so many on people are gone through by what they are
worth, for there are soon enough of them that fit; else those that fit are sorted."""

_IS_AMONG = """ AND id IN
    (SELECT correspondent FROM correspondent_word WHERE word BETWEEN ? AND ?)"""
_IS_ONE = """ AND EXISTS
    (SELECT 1 FROM correspondent_word WHERE correspondent = one.id
    AND word BETWEEN ? AND ?)"""

_COLUMNS = "address, name, weights, sent, received, first, last"
_PUT = """INSERT INTO correspondent
    (folded, address, name, weights, score, sent, received, first, last)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (folded) DO UPDATE SET
    address = excluded.address, name = excluded.name, weights = excluded.weights,
    score = excluded.score, sent = excluded.sent, received = excluded.received,
    first = excluded.first, last = excluded.last
    RETURNING id"""


def note(
    database: Database, met: Sequence[Person], when: float, *, is_sent: bool
) -> None:
    """Remember with whom mail was exchanged."""
    with database.transaction(is_full=True):
        noted = [
            _note(database, one, when, is_sent=is_sent)
            for one in met
            if one.address and len(one.address) <= _LONGEST
        ]
        _forget(database, noted)


def _note(database: Database, met: Person, when: float, *, is_sent: bool) -> int:
    """The number of whom it was about."""
    address = storable(met.address)
    name = storable(met.name)[:_LONGEST]
    folded = folded_address(address)
    row = database.one(f"SELECT {_COLUMNS} FROM correspondent WHERE folded = ?", folded)
    weights: dict[int, float] = {}
    sent = received = 0
    first = last = when
    if row is not None:
        known, _ = _read(row, when)
        weights = _weights(row)
        sent, received = known.sent, known.received
        first, last = min(known.first, when), max(known.last, when)
        name = name or known.name
    weights = people.added(weights, when, SENT_WEIGHT if is_sent else 1.0)
    score = people.score(weights, last)
    text = json.dumps({str(period): weight for period, weight in weights.items()})
    sent, received = sent + is_sent, received + (not is_sent)
    values = (folded, address, name, text, score, sent, received, first, last)
    # To its end: what RETURNING has left is not written.
    [(number,)] = database.all(_PUT, *values)
    if row is None or row[:2] != (address, name):
        database.execute(
            "DELETE FROM correspondent_word WHERE correspondent = ?", (number,)
        )
        database.executemany(
            "INSERT INTO correspondent_word VALUES (?, ?)",
            [(word, number) for word in people.words_of(name, address)],
        )
    return int(number)


def _forget(database: Database, noted: Collection[int]) -> None:
    """Where there are too many, the least known go; who is hidden or new stays."""
    row = database.one("SELECT count(*) FROM correspondent")
    if row is None or row[0] <= MOST:
        return
    gone = database.all(
        "SELECT id FROM correspondent WHERE NOT is_hidden ORDER BY score LIMIT ?",
        row[0] - MOST + _FORGOTTEN_AT_ONCE,
    )
    gone = [(number,) for (number,) in gone if number not in noted]
    database.executemany("DELETE FROM correspondent_word WHERE correspondent = ?", gone)
    database.executemany("DELETE FROM correspondent WHERE id = ?", gone)


def suggest(
    database: Database, prefix: str, most: int, now: float
) -> list[Correspondent]:
    """Whom one may mean, the likeliest first."""
    words = people.typed_words(storable(prefix))
    begins = [(word, word + _LAST) for word in words]
    is_wide = all(_is_wide(database, *edges) for edges in begins)
    having = "".join([_IS_ONE if is_wide else _IS_AMONG] * len(begins))
    by_score = " INDEXED BY correspondent_score" if is_wide else ""
    rows = database.all(
        f"SELECT {_COLUMNS} FROM correspondent AS one{by_score}"
        f" WHERE NOT is_hidden{having} ORDER BY score DESC LIMIT ?",
        *[edge for pair in begins for edge in pair],
        max(most, _WEIGHED),
    )
    found = [_read(row, now)[0] for row in rows]
    found.sort(key=lambda one: (-one.score, one.address))
    return found[:most]


def _is_wide(database: Database, first: str, last: str) -> bool:
    """Whether so many words lie between two that looking at all of them is slow."""
    row = database.one(
        "SELECT count(*) FROM (SELECT 1 FROM correspondent_word"
        " WHERE word BETWEEN ? AND ? LIMIT ?)",
        first,
        last,
        _WIDE,
    )
    return row is not None and row[0] >= _WIDE


def known(database: Database, addresses: Collection[str]) -> dict[str, Correspondent]:
    """What is known of people."""
    found: dict[str, Correspondent] = {}
    for address in addresses:
        row = database.one(
            f"SELECT {_COLUMNS} FROM correspondent WHERE folded = ? AND last > 0",
            folded_address(address),
        )
        if row is not None:
            found[address] = _read(row, row[-1])[0]
    return found


def hide(database: Database, address: str) -> None:
    """Suggest somebody never again."""
    folded = folded_address(address)
    with database.transaction(is_full=True):
        database.execute(
            "INSERT INTO correspondent (folded, address, name, weights, score, sent,"
            " received, first, last, is_hidden) VALUES (?, ?, '', '{}', 0, 0, 0, 0, 0,"
            " 1) ON CONFLICT (folded) DO UPDATE SET is_hidden = 1",
            (folded, storable(address)),
        )


def _read(row: Row, now: float) -> tuple[Correspondent, dict[int, float]]:
    address, name, _, sent, received, first, last = row
    weights = _weights(row)
    score = people.score(weights, now)
    return Correspondent(address, name, score, sent, received, first, last), weights


def _weights(row: Row) -> dict[int, float]:
    return {int(period): weight for period, weight in json.loads(row[2]).items()}
