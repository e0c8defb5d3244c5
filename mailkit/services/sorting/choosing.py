"""Which messages an action is about, of all that a view shows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

from attrs import define, field, frozen

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.conversation import Everything, InMailbox, Place, Summary
from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.snooze import SNOOZED
from mailkit.model.uidset import UIDSet
from mailkit.services.sorting.actions import MOST, Action, Op, Targets
from mailkit.services.sorting.places import Special

AT_ONCE = 500
"""Messages of one step: few enough that nobody waits for them."""

_WHOLE = frozenset((Op.READ, Op.UNSTAR, Op.LABEL, Op.UNLABEL, Op.MUTE, Op.UNMUTE))
"""What is done to all of a conversation, wherever it lies."""

_NEWEST = frozenset((Op.STAR, Op.UNREAD))
"""What is done to the newest message of a conversation in the view."""


@frozen
class Chosen:
    """The messages, and whether they are all."""

    uids: dict[MailboxName, list[int]]
    is_whole: bool = True


@define(eq=False)
class Choosing:
    """Asks the store and the conversations."""

    _store: IMailStore
    _conversations: IConversations
    most: int = MOST

    async def choose(
        self,
        account: AccountName,
        special: Special,
        action: Action,
        targets: Targets,
    ) -> Chosen:
        """
        The messages of an action, at most ``most``.

        :raises NoSuchMailbox: if the view's is none.
        """
        found = await self._shown(account, action, targets)
        may = cache(partial(_may, action, targets, special))
        places = _Gathered(self.most)
        places.add(one for one in found if may(one.mailbox))
        is_chosen = targets.thread_ids is not None or targets.found is not None
        if action.op in _NEWEST and is_chosen:
            places = await self._newest(account, places)
        return Chosen(places.uids, is_whole=places.is_whole)

    async def _shown(
        self, account: AccountName, action: Action, targets: Targets
    ) -> Iterable[Place]:
        if targets.email_ids is not None:
            messages: list[Summary] = []
            for some in _pieces(targets.email_ids):
                messages += await self._conversations.messages(account, some)
            return [place for one in messages for place in one.places]
        if targets.found is not None:
            return targets.found
        places = await self._all(account, targets)
        if action.op in _WHOLE and targets.thread_ids is not None:
            whole = Targets(Everything(), targets.thread_ids)
            places = {**places, **await self._all(account, whole)}
        return places

    async def _all(self, account: AccountName, targets: Targets) -> dict[Place, None]:
        """Each once, in their order; one more than are wanted, to know of the rest."""
        places: dict[Place, None] = {}
        after: Place | None = None
        while len(places) <= self.most:
            some = await self._conversations.places(
                account, targets.view, targets.thread_ids, after, AT_ONCE
            )
            places.update(dict.fromkeys(some))
            if len(some) < AT_ONCE:
                break
            after = some[-1]
        return places

    async def _newest(self, account: AccountName, places: _Gathered) -> _Gathered:
        newest: dict[str, tuple[int, Place]] = {}
        for name, uids in places.uids.items():
            mailbox = await self._store.open(account, name)
            for start in range(0, len(uids), AT_ONCE):
                some = UIDSet.of(uids[start : start + AT_ONCE])
                for record in await mailbox.fetch(some, Want.IDS | Want.FACTS):
                    this = record.internal_date, Place(name, record.uid)
                    known = newest.get(record.thread_id, this)
                    newest[record.thread_id] = max(known, this)
        chosen = _Gathered(self.most, is_whole=places.is_whole)
        chosen.add(place for _, place in newest.values())
        return chosen


@define(eq=False)
class _Gathered:
    """Places by mailbox, up to a number."""

    _room: int
    is_whole: bool = field(default=True, kw_only=True)
    uids: dict[MailboxName, list[int]] = field(init=False, factory=dict)

    def add(self, places: Iterable[Place]) -> None:
        for place in places:
            if not self._room:
                self.is_whole = False
                return
            self._room -= 1
            self.uids.setdefault(place.mailbox, []).append(place.uid)


@frozen
class _Asked:
    """One mailbox, and what is to be done with what lies there."""

    name: MailboxName
    here: MailboxName | None
    """The mailbox that is looked at; ``None``: many."""
    to: MailboxName
    special: Special

    @property
    def is_out_of_sight(self) -> bool:
        """Where one looks at many mailboxes, archiving is out of the inbox."""
        if self.here is None:
            return self.name in (INBOX, SNOOZED)
        return self.name not in (self.special.archive, self.special.drafts)

    @property
    def is_own(self) -> bool:
        return self.name in self.special.own


def _may(action: Action, targets: Targets, special: Special, name: MailboxName) -> bool:
    """Whether it takes messages of this mailbox, of those that the view shows."""
    here = targets.view.name if isinstance(targets.view, InMailbox) else None
    if here is not None and action.op not in _WHOLE and name != here:
        return False  # whoever looks at a mailbox means what lies there
    takes = _TAKES.get(action.op)
    return takes is None or takes(_Asked(name, here, action.to, special))


_TAKES: dict[Op, Callable[[_Asked], bool]] = {
    Op.ARCHIVE: lambda one: one.is_out_of_sight,
    Op.DELETE: lambda one: not one.special.is_trash(one.name),
    Op.FOREVER: lambda one: one.special.is_unwanted(one.name),
    Op.SPAM: lambda one: one.name != one.special.junk and not one.is_own,
    Op.NOT_SPAM: lambda one: one.name == one.special.junk,
    Op.MOVE: lambda one: (
        one.name != one.to and (one.here is not None or not one.is_own)
    ),
    Op.SNOOZE: lambda one: not one.is_own and not one.special.is_unwanted(one.name),
    Op.UNSNOOZE: lambda one: one.name == SNOOZED,
}


def _pieces(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]
