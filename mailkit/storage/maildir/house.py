"""What all accounts of one Maildir store share."""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from attrs import Factory, define, field, frozen
from attrs.validators import ge, gt

from mailkit.model.address import AccountName
from mailkit.storage.index.pool import Pool
from mailkit.storage.maildir.naming import NewNames, account_folder, host_in_names
from mailkit.storage.safefile import Files


@frozen
class MaildirSettings:
    """How the store on disk works; sizes in octets, times in seconds."""

    open_accounts: int = field(default=256, validator=ge(1))
    """Accounts whose databases are open at the same time."""

    close_after: float = field(default=30.0, validator=gt(0))
    """How long the databases of an account stay open that nobody uses."""

    write_behind: float = field(default=5.0, validator=ge(0))
    """How long flags may be in the index alone before file names carry them."""

    look_every: float = field(default=1.0, validator=gt(0))
    """How often the ``new/`` of a watched mailbox is looked at."""

    list_every: float = field(default=30.0, validator=gt(0))
    """How often the ``cur/`` of a mailbox in use is looked at."""

    held_in_memory: int = field(default=1 << 20, validator=ge(0))
    """Messages up to this size are read when they are asked for, others in pieces."""

    mailboxes: int = field(default=20_000, validator=ge(1))
    """Of one account."""

    keywords: int = field(default=1000, validator=ge(26))
    """Different ones in one mailbox."""

    expunge_log: int = field(default=50_000, validator=ge(0))
    """Entries of one mailbox that are kept for clients that were away (RFC 7162)."""


def boot_id() -> str:
    """Which boot of this machine it is; what was not synced is gone after another."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        # A system without it: every start counts as another boot, which is safe.
        return f"start-{os.getpid()}-{os.urandom(8).hex()}"


@define(eq=False)
class House:
    """The data folder, the hands that change it, and who this process is."""

    data: Path
    now: Callable[[], float]
    """Seconds since 1970."""
    settings: MaildirSettings = MaildirSettings()
    files: Files = field(factory=Files)
    boot: str = field(factory=boot_id)
    host: str = field(factory=socket.gethostname)
    names: NewNames = field(
        default=Factory(
            lambda self: NewNames(host_in_names(self.host), self.now), takes_self=True
        )
    )
    pool: Pool = field(
        default=Factory(lambda self: Pool(self.settings.open_accounts), takes_self=True)
    )

    sync_seconds: float = field(init=False, default=0.0)
    """What syncing a folder took of late: a quarter of them took less."""
    _mutex: Lock = field(init=False, factory=Lock)
    _syncs: deque[float] = field(init=False, factory=lambda: deque(maxlen=16))

    def note_sync(self, seconds: float) -> None:
        """Remember what the sync of a folder took."""
        with self._mutex:
            self._syncs.append(seconds)
            self.sync_seconds = sorted(self._syncs)[len(self._syncs) // 4]

    def path_of(self, account: AccountName) -> str:
        """The folder of an account."""
        return f"{self.data}/mail/{account_folder(account)}"

    @property
    def spool(self) -> str:
        """Where a message is written that goes to several accounts."""
        return f"{self.data}/spool"

    @property
    def run_folder(self) -> str:
        """Locks and sockets; may be emptied while the server is down."""
        return f"{self.data}/run"

    @property
    def removed(self) -> str:
        """Where accounts that were removed lie for a while."""
        return f"{self.data}/removed"
