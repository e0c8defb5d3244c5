"""Commands about whole mailboxes: SELECT to STATUS (RFC 9051 §6.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mailkit.errors import Malformed
from mailkit.model.mailbox import MailboxName, SpecialUse
from mailkit.protocols.imap.events import Create, Rename, Status
from mailkit.protocols.imap.items import StatusItem
from mailkit.protocols.imap.lexer import Declined, Lexer

T = TypeVar("T")

STATUS_ITEMS: dict[bytes, StatusItem] = {item.value: item for item in StatusItem}
_USES = {use.value.upper().encode(): use for use in SpecialUse}


def one_mailbox(make: Callable[[MailboxName], T]) -> Callable[[Lexer], T]:
    """The reader of a command whose one argument is a mailbox."""

    def read(lexer: Lexer) -> T:
        lexer.space("mailbox name")
        return make(lexer.mailbox())

    return read


def read_create(lexer: Lexer) -> Create:
    r"""``CREATE mailbox [(USE (\Use …))]`` (RFC 9051 §6.3.4, RFC 6154 §3)."""
    lexer.space("mailbox name")
    mailbox = lexer.mailbox()
    if not lexer.try_space():
        return Create(mailbox)
    lexer.expect(b"(", "before the parameters of CREATE")
    parameter = lexer.word("parameter of CREATE")
    if parameter != b"USE":
        raise Malformed("CREATE knows the parameter USE only")
    lexer.space("list of special uses")
    lexer.expect(b"(", "before the special uses")
    uses: list[SpecialUse] = []
    while not lexer.skip(b")"):
        if uses:
            lexer.space("special use")
        lexer.expect(b"\\", "before a special use")
        use = _USES.get(b"\\" + lexer.word("special use"))
        if use is None:
            raise Declined("No such special use", b"USEATTR")
        if use not in uses:
            uses.append(use)
    lexer.expect(b")", "after the parameters of CREATE")
    return Create(mailbox, tuple(uses))


def read_rename(lexer: Lexer) -> Rename:
    """``RENAME old new`` (RFC 9051 §6.3.6)."""
    lexer.space("mailbox name")
    mailbox = lexer.mailbox()
    lexer.space("new mailbox name")
    return Rename(mailbox, lexer.mailbox("new mailbox name"))


def read_status(lexer: Lexer) -> Status:
    """``STATUS mailbox (item …)`` (RFC 9051 §6.3.11)."""
    lexer.space("mailbox name")
    mailbox = lexer.mailbox()
    lexer.space("list of status items")
    return Status(mailbox, read_status_items(lexer))


def read_status_items(lexer: Lexer) -> tuple[StatusItem, ...]:
    """``(item …)``, each told once."""
    lexer.expect(b"(", "before the status items")
    items: dict[StatusItem, None] = {}
    while True:
        items[lexer.one_of(STATUS_ITEMS, "status item")] = None
        if lexer.skip(b")"):
            return tuple(items)
        lexer.space("status item")
