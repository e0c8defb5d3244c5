"""Labels: those that people made, and keywords that other programs set."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import define, evolve

from mailkit.errors import MailboxGone, NoSuchMailbox
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.storage import IMailStore
from mailkit.model.address import AccountName
from mailkit.model.conversation import Labelled
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.label import (
    COLOURS,
    LONGEST_NAME,
    Label,
    is_label,
    new_keyword,
    stands_for,
    unnamed,
)
from mailkit.model.mailbox import Want
from mailkit.model.query import HasFlag
from mailkit.model.uidset import UIDSet
from mailkit.services.sorting.actions import MOST, Done, Kind
from mailkit.services.sorting.naming import checked_name
from mailkit.services.sorting.sorting import Sorting
from mailkit.services.sorting.steps import Flagged, Step, Unnamed, batches
from mailkit.services.together import together

_AT_ONCE = 500


@define(eq=False)
class Labels:
    """Of all accounts."""

    _store: IMailStore
    _personal: IPersonal
    _conversations: IConversations
    _sorting: Sorting

    async def labels(self, account: AccountName) -> Sequence[Label]:
        """
        All of an account in their order, then what other programs set.

        The latter as long as there is a message that has it.
        """
        named, keywords = await together(
            self._personal.labels(account), self._personal.keywords(account)
        )
        unknown = without_name(named, keywords)
        counts = await self._conversations.counts(
            account, [Labelled(one) for one in unknown]
        )
        others = [
            unnamed(keyword)
            for keyword, one in zip(unknown, counts, strict=True)
            if one is not None and one.total
        ]
        return [*named, *others]

    async def create(self, account: AccountName, name: str, colour: int = 0) -> Label:
        """
        Make one, of a keyword that a mail program uses under that name if there is one.

        :param colour: 0: one after the other.
        :raises CannotName: :raises AlreadyExists: :raises TooMany:
        """
        named = await self._personal.labels(account)
        keywords = await self._personal.keywords(account)
        taken = {*keywords, *(one.keyword for one in named)}
        wanted = _checked(name)
        position = max((one.position for one in named), default=-1) + 1
        there = [
            one for one in without_name(named, keywords) if stands_for(one, wanted)
        ]
        label = Label(
            there[0] if there else new_keyword(wanted, taken),
            wanted,
            colour or len(named) % COLOURS + 1,
            position,
        )
        await self._personal.put_labels(account, [label])
        return label

    async def change(
        self, account: AccountName, keyword: str, name: str, colour: int
    ) -> Label:
        """
        Give one a name and a colour, also one that another program made.

        :raises CannotName: :raises AlreadyExists: :raises TooMany:
        """
        named = await self._personal.labels(account)
        before = {one.keyword.lower(): one for one in named}
        position = max((one.position for one in named), default=-1) + 1
        label = before.get(keyword.lower(), Label(keyword, name, position=position))
        label = evolve(label, name=_checked(name), colour=colour)
        await self._personal.put_labels(account, [label])
        return label

    async def step(self, account: AccountName, keyword: str, by: int) -> None:
        """Move one up (-1) or down (1) in the order."""
        named = list(await self._personal.labels(account))
        folded = [one.keyword.lower() for one in named]
        if keyword.lower() not in folded:
            return
        at = folded.index(keyword.lower())
        to = min(max(at + by, 0), len(named) - 1)
        named.insert(to, named.pop(at))
        await self._personal.put_labels(
            account, [evolve(one, position=number) for number, one in enumerate(named)]
        )

    async def delete(self, account: AccountName, keyword: str) -> Done:
        """
        Take one away from all messages; up to `MOST` of them it can be undone.

        :raises StorageFull: :raises StorageBroken:
        """
        named = await self._personal.labels(account)
        label = next(
            (one for one in named if one.keyword.lower() == keyword.lower()), None
        )
        steps: list[Step] = []
        touched = 0
        for entry in await self._store.mailboxes(account):
            if entry.is_selectable:
                try:
                    mailbox = await self._store.open(account, entry.name)
                    uids = await mailbox.search(HasFlag(keyword))
                except (NoSuchMailbox, MailboxGone):
                    continue  # somebody deletes it meanwhile
                change = FlagChange(FlagAction.REMOVE, frozenset({keyword}))
                for some in batches(list(uids), _AT_ONCE):
                    records = await mailbox.fetch(UIDSet.of(some), Want.IDS)
                    await mailbox.store(UIDSet.of(some), change)
                    step = Flagged(
                        mailbox.name,
                        tuple(records.column("uid")),
                        tuple(records.column("email_id")),
                        cleared=(keyword,),
                    )
                    steps.append(step)
                    touched += len(step.uids)
        if label is not None:
            await self._personal.drop_label(account, keyword)
            steps.append(Unnamed(label))
        name = (label or unnamed(keyword)).name
        done = Done(None, touched, kind=Kind.LABEL_DELETED, name=name)
        if touched > MOST:
            return done
        return await self._sorting.keep(account, done, steps)


def without_name(named: Sequence[Label], keywords: Collection[str]) -> list[str]:
    """Keywords that are labels, in their order, and have no name yet."""
    known = {one.keyword.lower() for one in named}
    found: list[str] = []
    for keyword in sorted(keywords):
        if is_label(keyword) and keyword.lower() not in known:
            known.add(keyword.lower())
            found.append(keyword)
    return found


def _checked(name: str) -> str:
    """:raises CannotName:"""
    return checked_name(name, LONGEST_NAME)
