"""The mailbox that a session has selected (RFC 9051 §3.3)."""

from __future__ import annotations

import math

from attrs import define, field

from mailkit.interfaces.storage import IMailbox
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.protocols.imap.sequence import SequenceSet
from mailkit.services.imap.view import Run, View, merged

LOOK_EVERY = 1.0
"""Seconds that one look at the folder is good for, unless a client asks by NOOP."""


@define(eq=False)
class Selected:
    """One mailbox, as this session sees it."""

    mailbox: IMailbox
    view: View
    is_read_only: bool
    takes_recent: bool
    r"""Whether new messages become ``\Recent`` for this session (STORE.md §2)."""
    keywords: frozenset[str] = frozenset()
    """Those that the client was told of, in lower case."""
    saved: UIDSet = field(default=NO_UIDS)
    """What ``$`` stands for (RFC 5182 §2.1)."""
    looked: float = field(default=-math.inf, init=False)
    """When the store was last asked what happened."""

    def is_quiet(self, now: float) -> bool:
        """
        Whether what was just read of the mailbox tells that there is no news.

        Other programs' changes are not seen so, hence once a second there is a look.
        """
        view = self.view
        is_told = self.mailbox.mod_seq <= view.mod_seq and not view.pending
        return is_told and now - self.looked < LOOK_EVERY

    def runs(self, numbers: SequenceSet, uid: bool) -> list[Run]:
        """
        The messages that a set means, as runs of sequence numbers.

        UIDs that the client knows no message of are left out (RFC 9051 §6.4.9), and
        of ``$`` those whose messages are no more (§6.4.4.1).

        :raises Malformed: if a sequence number has no message.
        """
        view = self.view
        resolve = view.numbers_of_uids if uid else view.numbers
        runs = resolve(numbers.ranges)
        if numbers.is_saved:
            saved = self.saved - view.pending
            runs = merged([*runs, *view.numbers_of_uids(saved.ranges)])
        return runs


def is_by_number(numbers: SequenceSet, uid: bool) -> bool:
    """
    Whether the client named messages by numbers, so that it is told of any that went.

    A UID of no message is passed over (RFC 9051 §6.4.9), and what was expunged is not
    in ``$`` any more (§6.4.4.1).
    """
    return not uid and bool(numbers.ranges)
