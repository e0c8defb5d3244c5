"""What a person may do with mail, as values."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from mailkit.model.conversation import Place, View
from mailkit.model.mailbox import INBOX, MailboxName

MOST = 10_000
"""Messages that one action takes; the rest is left, and the answer says so."""


class Op(Enum):
    """One kind of action."""

    ARCHIVE = "archive"
    DELETE = "delete"
    """Into the Trash."""
    FOREVER = "forever"
    """Out of Trash or Junk, for good: the one thing that nobody undoes."""
    SPAM = "spam"
    NOT_SPAM = "notspam"
    STAR = "star"
    UNSTAR = "unstar"
    READ = "read"
    UNREAD = "unread"
    LABEL = "label"
    UNLABEL = "unlabel"
    MOVE = "move"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"
    """Back now, as it was."""
    MUTE = "mute"
    """Out of the inbox, and answers to it as well."""
    UNMUTE = "unmute"


@frozen
class Action:
    """What is to be done."""

    op: Op
    label: str = ""
    """A keyword, for `Op.LABEL` and `Op.UNLABEL`."""
    to: MailboxName = INBOX
    """For `Op.MOVE`."""
    until: float = 0.0
    """Seconds since 1970, for `Op.SNOOZE`."""


@frozen
class Targets:
    """
    To which messages it is to be done.

    To conversations of a view, single messages, or what a search found; where none of
    the three is given, to all of the view.
    """

    view: View
    thread_ids: Sequence[str] | None = None
    email_ids: Sequence[str] | None = None
    found: Sequence[Place] | None = None


class Kind(Enum):
    """What was done, for the words about it: an action, or to what is kept by name."""

    ACTION = "action"
    FOLDER_DELETED = "folder-deleted"
    FOLDER_RENAMED = "folder-renamed"
    LABEL_DELETED = "label-deleted"
    SEARCH_DELETED = "search-deleted"


@frozen
class Done:
    """What was done, and how to undo it."""

    action: Action | None
    """``None``: something else was done, see ``kind``."""
    messages: int = 0
    """That were changed."""
    conversations: int = 0
    """To which they belong."""
    token: str = ""
    """For `Undoing.undo`; empty: nothing was changed, or it cannot be undone."""
    is_whole: bool = True
    """False: there were more than `MOST`, and the rest is as it was."""
    kind: Kind = Kind.ACTION
    name: str = ""
    """Of the folder, label or search."""
