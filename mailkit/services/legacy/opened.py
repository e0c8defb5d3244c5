"""A mailbox that was looked at: what the adapters to twisted.mail begin with.

twisted.mail asks many things without waiting for an answer (how many messages, which
flags), so the look comes first, and `twisted.python.components` adapts what it found::

    opened = await open_mailbox(store, account, INBOX)
    imap4.IMailbox(opened)
    pop3.IMailbox(opened)
"""

from __future__ import annotations

from attrs import define
from twisted.mail.interfaces import IMailboxIMAP, IMailboxPOP3
from twisted.python.components import registerAdapter

from mailkit.interfaces.storage import IMailbox, IMailStore
from mailkit.model.address import AccountName
from mailkit.model.mailbox import MailboxName, MessageRecord, Snapshot, Want
from mailkit.model.uidset import UIDSet
from mailkit.services.legacy.imap4 import IMAP4Mailbox
from mailkit.services.legacy.pop3 import POP3Mailbox

BATCH = 500
"""Rows asked for at once."""


@define(eq=False)
class Opened:
    """A mailbox, what it was at the first look, and the facts of its messages."""

    mailbox: IMailbox
    snapshot: Snapshot
    records: list[MessageRecord]


async def open_mailbox(
    store: IMailStore, account: AccountName, name: MailboxName
) -> Opened:
    """Look at a mailbox. :raises NoSuchMailbox:"""
    mailbox = await store.open(account, name)
    snapshot = await mailbox.snapshot(True)
    records: list[MessageRecord] = []
    for start in range(0, len(snapshot.uids), BATCH):
        piece = snapshot.uids[start : start + BATCH]
        uids = UIDSet(((piece[0], piece[-1]),))
        records += await mailbox.fetch(uids, Want.FACTS | Want.FLAGS)
    return Opened(mailbox, snapshot, records)


def _imap4(opened: Opened) -> IMAP4Mailbox:
    return IMAP4Mailbox(opened.mailbox, opened.snapshot, opened.records)


def _pop3(opened: Opened) -> POP3Mailbox:
    return POP3Mailbox(opened.mailbox, opened.records)


registerAdapter(_imap4, Opened, IMailboxIMAP)
registerAdapter(_pop3, Opened, IMailboxPOP3)
