"""What killed processes had claimed of the queue is free as soon as somebody looks."""

from __future__ import annotations

from functools import partial

from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.queue import IQueueStore
from mailkit.storage.state.living import Living


async def free_claims(
    living: Living, queue: IQueueStore, lanes: ILanes, now: float
) -> int:
    """
    End the claims of those who are known to be no more; how many there were.

    :raises OSError: if nobody can be looked for. :raises Unavailable:
    """
    freed = 0
    for name in await lanes.run(living, living.dead):
        freed += await queue.end_claims(name, now)
        await lanes.run(living, partial(living.forget, name))
    return freed
