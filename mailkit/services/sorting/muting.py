"""Answers to conversations that somebody muted do not come into the inbox."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

from attrs import define, evolve, field
from zope.interface import implementer

from mailkit.errors import Unavailable
from mailkit.formats import header
from mailkit.formats.fields import message_ids
from mailkit.interfaces.delivery import Arriving, Filed, IFiling
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.storage import IMailStore, IWatch
from mailkit.model.address import AccountName
from mailkit.model.mailbox import INBOX
from mailkit.services.sorting.places import Special

MUTED = "$muted"
"""Keyword of conversations that are kept out of the inbox."""

MUTING = "muting"
"""Topic of the notice board: an account's conversations were muted, or not any more."""

_MOST_ACCOUNTS = 10_000  # of which it is remembered what they muted


@implementer(IFiling)
@define(eq=False)
class MutedFiling:
    """
    Asks another filing, and puts what answers a muted message into the archive.

    What an account muted is read once, and again when somebody says that it changed;
    nearly always that is nothing.
    """

    _inner: IFiling
    _store: IMailStore
    _personal: IPersonal
    _board: INoticeBoard
    _known: OrderedDict[AccountName, frozenset[str]] = field(
        init=False, factory=OrderedDict
    )
    _watch: IWatch = field(init=False)
    _heard: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self._watch = self._board.hear(MUTING, self._forget)

    async def file(self, arriving: Arriving) -> Filed:
        filed = await self._inner.file(arriving)
        if INBOX not in filed.mailboxes:
            return filed
        account = arriving.account.name
        try:
            muted = await self._muted(account)
            if not muted or muted.isdisjoint(_answered(arriving.header)):
                return filed
            # Answers to this one are answers to the conversation.
            own = _ids(arriving.header, b"message-id")
            await self._personal.mute(account, own)
            self._board.publish(MUTING, account)
            special = await Special.of(self._store, account)
        except Unavailable:
            return filed  # better in the inbox than not at all
        mailboxes = tuple(
            special.archive if name == INBOX else name for name in filed.mailboxes
        )
        flags = filed.flags | {MUTED}
        return evolve(filed, mailboxes=tuple(dict.fromkeys(mailboxes)), flags=flags)

    def close(self) -> None:
        """Hear no more."""
        self._watch.stop()

    async def _muted(self, account: AccountName) -> frozenset[str]:
        known = self._known.get(account)
        if known is not None:
            return known
        heard = self._heard
        known = frozenset(await self._personal.muted(account))
        if heard == self._heard:  # else it may have changed while it was read
            self._known[account] = known
            if len(self._known) > _MOST_ACCOUNTS:
                self._known.popitem(last=False)
        return known

    def _forget(self, text: str) -> None:
        self._heard += 1
        self._known.pop(AccountName(text), None)


def _answered(octets: bytes) -> Collection[str]:
    """Message-IDs of what a message answers."""
    return _ids(octets, b"in-reply-to") | _ids(octets, b"references")


def _ids(octets: bytes, name: bytes) -> frozenset[str]:
    value = header.first(octets, name)
    if value is None:
        return frozenset()
    return frozenset(one.decode("utf-8", "replace") for one in message_ids(value))
