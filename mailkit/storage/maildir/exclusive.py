"""One POP3 session at a time holds a mailbox, in all processes (RFC 1939 §4)."""

from __future__ import annotations

import fcntl
import os
from hashlib import blake2b

from attrs import define
from zope.interface import implementer

from mailkit.errors import MailboxInUse
from mailkit.interfaces.storage import IWatch
from mailkit.model.address import AccountName


@implementer(IWatch)
@define(eq=False)
class Hold:
    """Held until it is stopped, or until the process ends in any way."""

    _descriptor: int

    def stop(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def hold(run: str, account: AccountName, mailbox_id: str) -> Hold:
    """:raises MailboxInUse:"""
    folder = f"{run}/pop3"
    for one in (run, folder):  # the mode is that of the last one made
        os.makedirs(one, mode=0o700, exist_ok=True)
    name = blake2b(f"{account}/{mailbox_id}".encode(), digest_size=16).hexdigest()
    descriptor = os.open(
        f"{folder}/{name}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        # The file stays: taking it away would let two hold it.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise MailboxInUse(mailbox_id) from None
    except BaseException:
        os.close(descriptor)
        raise
    return Hold(descriptor)
