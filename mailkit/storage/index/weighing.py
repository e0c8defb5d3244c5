"""
How much may be read at once.

Most messages have some hundred rendered octets, and a batch is as many rows as is
fast. Those few that have thousands are known by a partial index, so that a look costs
nothing where there are none, and a batch ends before it is too much to hold.
"""

from __future__ import annotations

from collections import Counter

from mailkit.model.mailbox import Want
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.storage.index.index import Index
from mailkit.storage.index.reading import RENDERED, tables_of
from mailkit.storage.index.rows import MailboxRow
from mailkit.storage.index.schema import HEAVY

_WEIGHTS = {
    "overview": "length(envelope)",
    "structure": "length(bodystructure)",
    "rendered": "length(body) + length(preview) + length(header_fields)",
}


def first_part(
    index: Index, row: MailboxRow, uids: UIDSet, want: Want, most: int
) -> tuple[UIDSet, UIDSet]:
    """
    So many of them, one at least, as have no more than ``most`` octets; and the rest.

    What has `HEAVY` octets or fewer weighs nothing: mind how many are asked for.
    """
    if not uids or not want & RENDERED:
        return uids, NO_UIDS
    low, high = uids.ranges[0][0], uids.ranges[-1][1]
    weights: Counter[int] = Counter()
    for table in tables_of(want & RENDERED):
        weight = _WEIGHTS[table]
        # The lengths are in the heads of the rows: none of the octets is read.
        weights.update(
            dict(
                index.database.execute(
                    f"""
                    SELECT id & 4294967295, {weight}
                    FROM {table} INDEXED BY {table}_heavy
                    WHERE {weight} > {HEAVY} AND id BETWEEN ? AND ?
                    """,
                    (row.key(low), row.key(high)),
                )
            )
        )
    if len(weights) < 2:
        return uids, NO_UIDS
    octets = 0
    for uid in sorted(weights):
        if uid not in uids:
            continue
        if octets and octets + weights[uid] > most:
            above = UIDSet(((uid, high),))
            return uids - above, uids & above
        octets += weights[uid]
    return uids, NO_UIDS
