"""Whatever the server leaves below its data folder is named in the reference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attrs import evolve
from twisted.internet import reactor

from mailkit.app.assemble import House, open_house
from mailkit.app.find import read_config
from mailkit.interfaces.policies import KeptPolicy
from mailkit.interfaces.storage import Placement
from mailkit.metrics import Metrics
from mailkit.model.account import Role
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.draft import Draft, DraftId
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.model.path import Path as MailPath
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem
from mailkit.model.snooze import Snooze
from mailkit.model.suppression import Cause, Suppressed
from mailkit.model.uidset import ALL_UIDS
from mailkit.net.startlanes import finish
from mailkit.storage.content import OctetsContent
from mailkit.storage.drafts import DraftFolders
from tests.docs.rfcs import ROOT

PAGE = (ROOT / "docs/reference/files.md").read_text(encoding="utf-8")
DOMAIN = DomainName("example.org")
KEPT, REMOVED = AccountName("kept@example.org"), AccountName("removed@example.org")
DRAFT = "0" * 32
MESSAGE = OctetsContent(b"Subject: one\r\n\r\nHello.\r\n")


def use(folder: Path) -> None:
    """All that a server does there."""
    settings = read_config(None, {}, folder).settings
    settings = evolve(settings, relay=evolve(settings.relay, enabled=True))
    house = open_house(settings, reactor, Metrics())
    finish(house.directory.add_domain(DOMAIN))
    finish(house.keys.make(DOMAIN))
    send(house)
    for name in (KEPT, REMOVED):
        finish(house.directory.add_account(name, Role.USER, None))
        finish(house.store.create_account(name))
        finish(house.store.create(name, MailboxName("Work/2026")))
        finish(house.store.deliver(MESSAGE, [Placement(name, INBOX)]))
    inbox = finish(house.store.open(KEPT, INBOX))
    tag = FlagChange(FlagAction.ADD, frozenset({"$Tag"}))
    finish(inbox.store(ALL_UIDS, tag, None))
    finish(house.personal.snooze(KEPT, [Snooze("M1", 0.0, INBOX)]))
    draft = Draft(id=DraftId(DRAFT))
    drafts = DraftFolders(settings.data, house.lanes)
    finish(drafts.put(KEPT, draft))
    finish(finish(drafts.begin_file(KEPT, draft.id, 1)).finish())
    finish(drafts.mark(KEPT, draft.id))
    finish(house.store.exclusively(KEPT, INBOX))
    finish(house.store.remove_account(REMOVED, purge=False))
    finish(house.close())


def send(house: House) -> None:
    """What is written on the way out."""
    hop = NextHop(DomainName("example.net"))
    path = MailPath("carol", "example.net")
    item = QueueItem(
        id=QueueId("1.1"),
        message="1",
        hop=hop,
        envelope=Envelope(MailPath("kept", DOMAIN)),
        recipients=(QueuedRecipient(Recipient(path)),),
        arrived=0.0,
        next_try=0.0,
        size=MESSAGE.size,
        message_id="<1@example.org>",
        subject="one",
    )
    finish(house.queue.put(MESSAGE, [item]))
    address = Address("carol", DomainName("example.net"))
    entry = Suppressed(address, Cause.UNSUBSCRIBED, 0.0, "wants no more")
    finish(house.suppression.add([entry]))
    assert house.way_out is not None
    policy = KeptPolicy(id="1", octets=b"", fetched=0.0, expires=1.0)
    finish(house.way_out.tls.keep(hop.domain, policy))


def names(folder: Path) -> Iterator[str]:
    """Files and folders; of mailboxes and of accounts only what is in them."""
    for path in folder.iterdir():
        name = path.name.removesuffix("-wal").removesuffix("-shm")
        parent = path.parent.name
        if parent not in (
            "cur",
            "mail",
            "example.org",
            "removed",
            "pop3",
            "content",
            "dkim",
            "drafts",
            DRAFT,
        ):
            yield "." if name.startswith(".") else name
        if path.is_dir():
            yield from names(path)


def test_what_is_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "mailkit-data").mkdir()
    use(tmp_path)
    [data] = tmp_path.iterdir()
    found = set(names(data))
    assert found >= {"directory.sqlite", "removed", "spool", "index.sqlite", "cur"}
    assert found >= {"waking.sqlite", "drafts"}
    assert found >= {"queue", "content", "tls.sqlite", "dkim", "suppression.sqlite"}
    unnamed = {
        name for name in found if f"`{name}" not in PAGE and f"/{name}" not in PAGE
    }
    assert unnamed == set()
