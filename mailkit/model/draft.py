"""Messages that somebody of ours is writing, as values."""

from __future__ import annotations

import re
from enum import Enum
from typing import NewType

from attrs import field, frozen

DraftId = NewType("DraftId", str)
"""32 hexadecimal digits that nobody guesses."""

_ID = re.compile(r"[0-9a-f]{32}")


def is_draft_id(text: str) -> bool:
    """Whether a text may be the id of a draft."""
    return _ID.fullmatch(text) is not None


def local_part_of(id: DraftId, moment: float) -> str:
    """
    What a draft's Message-ID has before the host.

    :param moment: when the draft was begun: an id may be used again.
    """
    return f"{id}.{int(moment * 1000):x}"


def draft_in(local_part: str) -> DraftId | None:
    """The draft whose Message-ID has that before the host; ``None``: it is of none."""
    id = local_part.partition(".")[0]
    return DraftId(id) if is_draft_id(id) else None


class Purpose(Enum):
    """What a draft was begun for, which says what becomes of the original."""

    NEW = "new"
    REPLY = "reply"
    REPLY_ALL = "all"
    FORWARD = "fwd"
    """The text of the original below, and its files."""
    FORWARD_ATTACHED = "fwdatt"
    """The original as a file."""
    AS_NEW = "as"
    """A copy of the original to begin with."""
    EDIT = "edit"
    """The original is a draft of another program; this one takes its place."""

    @property
    def is_answer(self) -> bool:
        """Whether the original has been answered once this is sent."""
        return self in (Purpose.REPLY, Purpose.REPLY_ALL)

    @property
    def is_forward(self) -> bool:
        """Whether the original has been forwarded once this is sent."""
        return self in (Purpose.FORWARD, Purpose.FORWARD_ATTACHED)


class DraftState(Enum):
    """How far a draft has come."""

    WRITING = "writing"
    SENDING = "sending"
    """It is being put into the queue; whether it came so far, the queue knows. What was
    kept back is on its way."""
    HELD = "held"
    """It is in the queue, or kept back, and does not leave before its time."""


@frozen
class Opening:
    """How a draft begins."""

    purpose: Purpose = Purpose.NEW
    original: str = ""
    """EMAILID of the message that it is about; empty: none."""


@frozen
class DraftFile:
    """A file that goes with a draft."""

    number: int
    """The same for its life, and no other file's of this draft."""
    name: str
    kind: str
    """Media type, as the browser or the original said it."""
    size: int
    content_id: str = ""
    """Without angle brackets; not empty: a picture within the text."""


@frozen(kw_only=True)
class Writing:
    """What a person has written so far, as it was typed."""

    sender: str = ""
    """The address it is from; empty: the account's own."""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    text: str = field(default="", repr=False)
    """The whole text, or with ``html`` what stands for it where that is not shown."""
    html: str = field(default="", repr=False)
    """Cleaned; empty: plain text alone."""


@frozen(kw_only=True)
class Draft:
    """One message that is being written, or waits to leave."""

    id: DraftId
    version: int = 1
    """One more with each change that is kept."""
    revision: int = 0
    """One more with each change of `writing`; what a page says it knows."""
    changed: float = 0.0
    """When `writing` changed, in seconds since 1970."""
    writing: Writing = Writing()
    opening: Opening = Opening()
    message_id: str = ""
    """With its angle brackets; the same until it is sent."""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[DraftFile, ...] = ()
    next_file: int = 1
    state: DraftState = DraftState.WRITING
    transaction: str = ""
    """Under which it leaves; once `state` is HELD the queue has it under that name."""
    hold_until: float = 0.0
    """Seconds since 1970."""
    is_later: bool = False
    """Whether a person chose `hold_until`."""
    is_kept_back: bool = False
    """Whether it waits here, because there is no queue that would hold it."""
    peer: str = ""
    """From where it was sent, for what was kept back: an IP address, or ``unix``."""

    @property
    def file_size(self) -> int:
        """Octets of all files."""
        return sum(file.size for file in self.files)
