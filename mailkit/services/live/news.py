"""What pages are told while they are open, and how the rest of the server says it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from mailkit.interfaces.notices import INoticeBoard
from mailkit.model.address import AccountName
from mailkit.model.conversation import Counts, Summary
from mailkit.model.draft import draft_in
from mailkit.model.flags import Flags
from mailkit.model.mailbox import MailboxName, SpecialUse

Uses = Mapping[MailboxName, SpecialUse | None]
"""What each mailbox of an account is for."""


@frozen
class Arrived:
    """A message is new where it lies."""

    summary: Summary
    notify: bool
    """Whether a person wants to hear of it: it came to the inbox just now."""
    uses: Uses = field(repr=False)


@frozen
class ThreadChanged:
    """A conversation has other messages, flags or places."""

    thread_id: str
    flags: Flags
    """Of all of its messages."""
    mailboxes: tuple[MailboxName, ...]
    total: int
    uses: Uses = field(repr=False)


@frozen
class ThreadsGone:
    """Conversations that have no message any more."""

    thread_ids: tuple[str, ...]


@frozen
class Counted:
    """The numbers of mailboxes that changed."""

    counts: Mapping[MailboxName, Counts]
    uses: Uses = field(repr=False)


@frozen
class DraftSaved:
    """A draft was saved, by whichever page."""

    draft: str
    revision: int


@frozen
class SentState:
    """What became of something that was sent."""

    draft: str
    """Under which it was written."""
    state: str
    """``queued``, ``sent``, ``deferred``, ``failed``."""
    reason: str


@frozen
class SessionsChanged:
    """Somebody was signed out: whoever listens looks whether it was this browser."""


@frozen
class LookAnew:
    """More happened than is told."""


News = (
    Arrived
    | ThreadChanged
    | ThreadsGone
    | Counted
    | DraftSaved
    | SentState
    | SessionsChanged
    | LookAnew
)


@frozen
class LiveEvent:
    """One thing to be told, and the state that is known with it."""

    mod_seq: int
    news: News


# -- what others of this server put on the board


def topic(account: AccountName) -> str:
    """Under which pages of an account are told what is no change of mail."""
    return f"web:{account}"


def tell_draft(
    board: INoticeBoard, account: AccountName, draft: str, revision: int
) -> None:
    """A draft was saved."""
    board.publish(topic(account), f"draft {draft} {revision}")


def tell_sent(
    board: INoticeBoard, account: AccountName, draft: str, state: str, reason: str
) -> None:
    """Something more is known of what an account sent."""
    board.publish(topic(account), f"sent {draft} {state} {reason[:1000]}")


def tell_sessions(board: INoticeBoard, account: AccountName) -> None:
    """A browser was signed out, or all of them."""
    board.publish(topic(account), "sessions")


def draft_of(message_id: str) -> str:
    """The draft that a message was; empty: none of this server's pages."""
    if not message_id.startswith("<"):
        return ""
    return draft_in(message_id[1:].partition("@")[0]) or ""


def read_notice(text: str) -> News | None:
    """What a notice says; ``None``: nothing that is known here."""
    kind, _, rest = text.partition(" ")
    draft, _, rest = rest.partition(" ")
    match kind:
        case "draft" if rest.isascii() and rest.isdigit():
            return DraftSaved(draft, int(rest))
        case "sent":
            state, _, reason = rest.partition(" ")
            return SentState(draft, state, reason)
        case "sessions":
            return SessionsChanged()
        case _:
            return None
