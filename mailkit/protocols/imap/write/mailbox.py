"""Responses about one mailbox: its size, flags and counters (RFC 9051 §7.1 to §7.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mailkit.model.mailbox import MailboxStatus
from mailkit.protocols.imap.items import StatusItem
from mailkit.protocols.imap.response import Response
from mailkit.protocols.imap.write import strings
from mailkit.protocols.imap.write.flags import flag_list

_STATUS: dict[StatusItem, Callable[[MailboxStatus], object]] = {
    StatusItem.MESSAGES: lambda status: status.exists,
    StatusItem.RECENT: lambda status: status.recent,
    StatusItem.UIDNEXT: lambda status: status.uid_next,
    StatusItem.UIDVALIDITY: lambda status: status.uid_validity,
    StatusItem.UNSEEN: lambda status: status.unseen,
    StatusItem.DELETED: lambda status: status.deleted,
    StatusItem.SIZE: lambda status: status.size,
    StatusItem.MAILBOXID: lambda status: f"({status.mailbox_id})",
}


def untagged(response: Response) -> bytes:
    """An untagged OK, NO or BAD with its code (RFC 9051 §7.1)."""
    return b"* %b\r\n" % bytes(response)


def exists(count: int) -> bytes:
    """How many messages there are (RFC 9051 §7.4.1)."""
    return b"* %d EXISTS\r\n" % count


def recent(count: int) -> bytes:
    r"""How many of them are ``\Recent`` (RFC 3501 §7.3.2)."""
    return b"* %d RECENT\r\n" % count


def expunged(numbers: Iterable[int]) -> bytes:
    """Messages that are no more, in the order given (RFC 9051 §7.5.1)."""
    return b"".join([b"* %d EXPUNGE\r\n" % number for number in numbers])


def flags(names: Iterable[str]) -> bytes:
    """Flags that are in use (RFC 9051 §7.3.5)."""
    return b"* FLAGS %b\r\n" % flag_list(names)


def status(
    name: str,
    found: MailboxStatus,
    items: Sequence[StatusItem],
    *,
    is_utf8: bool,
) -> bytes:
    """The counters that were asked for (RFC 9051 §7.3.4)."""
    words = [f"{item.value.decode('ascii')} {_STATUS[item](found)}" for item in items]
    mailbox = strings.mailbox(name, is_utf8=is_utf8)
    return b"* STATUS %b (%b)\r\n" % (mailbox, " ".join(words).encode("ascii"))
