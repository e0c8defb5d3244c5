"""What somebody's mail in the queue leaves later: a view, not a mailbox."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import HasLeft
from mailkit.interfaces.queue import IQueueStore
from mailkit.model.address import AccountName
from mailkit.model.draft import DraftId, DraftState
from mailkit.model.queueitem import QueueItem, Selection
from mailkit.services.composing.handing import everybody_of, path_of
from mailkit.services.composing.house import ComposingHouse

_PAGE = 100
_LOOKED_THROUGH = 5000
"""Items of an account that are looked through."""


@frozen
class Waiting:
    """A message of somebody's own that leaves later."""

    transaction: str
    leaves: float
    """Seconds since 1970."""
    subject: str
    recipients: tuple[str, ...]
    draft: DraftId | None
    """``None``: another program sent it so (RFC 4865)."""


async def waiting(house: ComposingHouse, account: AccountName) -> Sequence[Waiting]:
    """
    What leaves later, the next first.

    What was just sent, and may be called back for some seconds, is not among it.
    """
    now = house.now()
    drafts = {
        draft.transaction: draft
        for draft in await house.drafts.drafts(account)
        if draft.state is DraftState.HELD
    }
    found: dict[str, Waiting] = {}
    for item in await items_of(house.queue, account):
        draft = drafts.get(item.message)
        if item.hold_until is None or item.hold_until <= now or item.held:
            continue
        if draft is not None and not draft.is_later:
            continue
        paths = tuple(str(each.path) for each in item.recipients)
        known = found.get(item.message)
        found[item.message] = Waiting(
            item.message,
            item.hold_until,
            item.subject,
            paths if known is None else (*known.recipients, *paths),
            None if draft is None else draft.id,
        )
    for draft in drafts.values():
        if draft.is_kept_back and draft.is_later and draft.hold_until > now:
            found[draft.transaction] = Waiting(
                draft.transaction,
                draft.hold_until,
                " ".join(draft.writing.subject.split()),
                tuple(
                    str(path_of(each.address))
                    for each in everybody_of(draft, house.settings)
                ),
                draft.id,
            )
    return sorted(found.values(), key=lambda one: one.leaves)


async def cancel(house: ComposingHouse, account: AccountName, transaction: str) -> None:
    """
    Take a message out of the queue that another program put there to leave later.

    :raises HasLeft: if it is not there any more.
    """
    now = house.now()
    selection = Selection(ids=(transaction,), account=account)
    items = await house.queue.items(selection)
    if not any((item.hold_until or 0) > now for item in items):
        raise HasLeft(transaction)
    await house.queue.drop(selection)


async def items_of(queue: IQueueStore, account: AccountName) -> list[QueueItem]:
    """What the queue has of an account, as far as that is looked through."""
    found: list[QueueItem] = []
    selection = Selection(account=account)
    while len(found) < _LOOKED_THROUGH:
        after = found[-1].id if found else None
        page = await queue.items(selection, after, _PAGE)
        found += page
        if len(page) < _PAGE:
            break
    return found
