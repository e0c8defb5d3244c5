"""What every `IMailStore` has to do with accounts and names of mailboxes."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from mailkit.errors import (
    CannotName,
    MailboxExists,
    MailboxInUse,
    NoSuchMailbox,
)
from mailkit.interfaces.storage import Appended, IMailbox, IMailStore, Placement
from mailkit.model.address import AccountName
from mailkit.model.mailbox import (
    INBOX,
    SPECIAL_MAILBOXES,
    MailboxEntry,
    MailboxName,
    SpecialUse,
    Want,
)
from mailkit.model.uidset import ALL_UIDS
from mailkit.storage.content import OctetsContent
from mailkit.testing.contracts.messages import (
    ALICE,
    BOB,
    NOTES,
    WORK,
    StoreCase,
    coroutine,
    flags_of,
    message,
    new,
    octets_of,
    raises,
)


class MailStoreContract(StoreCase):
    """Accounts, names, subscriptions, delivery and exclusive use."""

    async def entries(self, account: AccountName = ALICE) -> dict[str, MailboxEntry]:
        return {entry.name: entry for entry in await self.store.mailboxes(account)}

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IMailStore, self.store)
        await self.store.create_account(ALICE)
        verifyObject(IMailbox, await self.store.open(ALICE, INBOX))

    @coroutine
    async def test_an_account_is_made_with_its_mailboxes(self) -> None:
        await self.store.create_account(ALICE)
        entries = await self.store.mailboxes(ALICE)
        assert [entry.name for entry in entries] == [
            "INBOX",
            *sorted(SPECIAL_MAILBOXES),
        ]
        assert all(entry.is_selectable for entry in entries)
        uses = {e.name: e.special_use for e in entries if e.special_use}
        assert uses == SPECIAL_MAILBOXES
        assert all(e.is_subscribed for e in entries if e.special_use)

    @coroutine
    async def test_making_an_account_again_changes_nothing(self) -> None:
        await self.store.create_account(ALICE)
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.append([new(message())])
        await self.store.create_account(ALICE)
        status = await self.store.status(ALICE, INBOX)
        assert (status.exists, status.uid_validity) == (1, inbox.uid_validity)

    @coroutine
    async def test_accounts_know_nothing_of_each_other(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create_account(BOB)
        await self.store.create(ALICE, WORK)
        assert WORK not in await self.entries(BOB)

    @coroutine
    async def test_an_account_that_was_removed_begins_anew(self) -> None:
        await self.store.create_account(ALICE)
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.append([new(message())])
        await self.store.remove_account(ALICE, purge=True)
        await self.store.create_account(ALICE)
        assert (await self.store.status(ALICE, INBOX)).exists == 0
        assert await self.store.used(ALICE) == 0

    @coroutine
    async def test_an_account_may_be_set_aside(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.remove_account(ALICE, purge=False)
        await self.store.create_account(ALICE)
        assert (await self.store.status(ALICE, INBOX)).exists == 0

    @coroutine
    async def test_create_makes_those_above(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, NOTES)
        entries = await self.entries()
        assert entries[WORK].is_selectable
        assert entries[WORK].has_children
        assert entries[NOTES].is_selectable
        assert not entries[NOTES].has_children
        assert not entries[NOTES].is_subscribed

    @coroutine
    async def test_create_refuses_a_name_twice(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, WORK)
        await raises(MailboxExists, self.store.create(ALICE, WORK))
        await raises(MailboxExists, self.store.create(ALICE, INBOX))

    @coroutine
    async def test_create_refuses_names_by_name(self) -> None:
        await self.store.create_account(ALICE)
        for name in ("", "/a", "a//b", "a/", "a\r\nb", "a\x00b", "a" * 256):
            await raises(CannotName, self.store.create(ALICE, MailboxName(name)))

    @coroutine
    async def test_names_keep_every_character(self) -> None:
        await self.store.create_account(ALICE)
        names = [
            "a.b",
            "100%",
            "%2E",
            "Entwürfe",
            "日本語/メール",
            "..",
            " x ",
            "a\\b~&",
        ]
        for name in names:
            await self.store.create(ALICE, MailboxName(name))
        entries = await self.entries()
        assert set(names) <= set(entries)

    @coroutine
    async def test_a_name_is_one_name_in_every_composition(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, MailboxName("Entwu\u0308rfe"))
        assert (await self.store.status(ALICE, MailboxName("Entwürfe"))).exists == 0

    @coroutine
    async def test_a_mailbox_that_is_not_there(self) -> None:
        await self.store.create_account(ALICE)
        await raises(NoSuchMailbox, self.store.open(ALICE, WORK))
        await raises(NoSuchMailbox, self.store.status(ALICE, WORK))
        await raises(NoSuchMailbox, self.store.delete(ALICE, WORK))
        await raises(NoSuchMailbox, self.store.rename(ALICE, WORK, NOTES))

    @coroutine
    async def test_uid_validity_is_never_given_twice(self) -> None:
        await self.store.create_account(ALICE)
        seen: list[int] = []
        for _ in range(3):
            await self.store.create(ALICE, WORK)
            seen.append((await self.store.status(ALICE, WORK)).uid_validity)
            await self.store.delete(ALICE, WORK)
        assert seen == sorted(set(seen))

    @coroutine
    async def test_mailbox_ids_are_unique_and_stay(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, WORK)
        before = await self.store.status(ALICE, WORK)
        await self.store.rename(ALICE, WORK, MailboxName("Job"))
        await self.store.create(ALICE, WORK)
        job = await self.store.status(ALICE, MailboxName("Job"))
        assert job.mailbox_id == before.mailbox_id
        assert job.uid_validity == before.uid_validity
        assert (await self.store.status(ALICE, WORK)).mailbox_id != job.mailbox_id

    @coroutine
    async def test_delete_takes_the_messages_along(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, WORK)
        await (await self.store.open(ALICE, WORK)).append([new(message())])
        await self.store.delete(ALICE, WORK)
        assert WORK not in await self.entries()
        assert await self.store.used(ALICE) == 0
        await self.store.create(ALICE, WORK)
        assert (await self.store.status(ALICE, WORK)).exists == 0

    @coroutine
    async def test_delete_refuses_inbox(self) -> None:
        await self.store.create_account(ALICE)
        await raises(CannotName, self.store.delete(ALICE, INBOX))

    @coroutine
    async def test_a_name_lives_on_while_others_are_below_it(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, NOTES)
        await self.store.delete(ALICE, WORK)
        entries = await self.entries()
        assert not entries[WORK].is_selectable
        assert entries[WORK].has_children
        await raises(NoSuchMailbox, self.store.open(ALICE, WORK))
        await self.store.create(ALICE, WORK)
        assert (await self.entries())[WORK].is_selectable

    @coroutine
    async def test_rename_takes_all_below_along(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, NOTES)
        await (await self.store.open(ALICE, NOTES)).append([new(message())])
        await self.store.rename(ALICE, WORK, MailboxName("Old/Job"))
        entries = await self.entries()
        assert WORK not in entries
        assert NOTES not in entries
        assert {"Old", "Old/Job", "Old/Job/Notes"} <= set(entries)
        status = await self.store.status(ALICE, MailboxName("Old/Job/Notes"))
        assert status.exists == 1

    @coroutine
    async def test_rename_refuses_what_is_there(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create(ALICE, WORK)
        await raises(MailboxExists, self.store.rename(ALICE, WORK, MailboxName("Sent")))
        await raises(MailboxExists, self.store.rename(ALICE, WORK, INBOX))
        await raises(CannotName, self.store.rename(ALICE, WORK, MailboxName("a//b")))
        await raises(CannotName, self.store.rename(ALICE, WORK, NOTES))
        assert WORK in await self.entries()

    @coroutine
    async def test_a_special_mailbox_keeps_its_use_when_renamed(self) -> None:
        await self.store.create_account(ALICE)
        trash, bin_ = MailboxName("Trash"), MailboxName("Bin")
        await self.store.rename(ALICE, trash, bin_)
        assert (await self.entries())[bin_].special_use is SpecialUse.TRASH

    @coroutine
    async def test_renaming_inbox_moves_its_messages(self) -> None:
        await self.store.create_account(ALICE)
        below = MailboxName("INBOX/Below")
        await self.store.create(ALICE, below)
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.append([new(message(1), "\\Seen"), new(message(2), "$Label")])
        await self.store.rename(ALICE, INBOX, MailboxName("Archived/2026"))
        moved = await self.store.open(ALICE, MailboxName("Archived/2026"))
        assert sorted((await octets_of(moved)).values()) == [message(1), message(2)]
        assert set((await flags_of(moved)).values()) == {
            frozenset({"\\Seen"}),
            frozenset({"$Label"}),
        }
        status = await inbox.status()
        assert (status.exists, status.uid_next) == (0, 3)
        assert below in await self.entries()

    @coroutine
    async def test_subscriptions_are_of_names(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.subscribe(ALICE, WORK, True)
        entry = (await self.entries())[WORK]
        assert entry.is_subscribed
        assert not entry.is_selectable
        await self.store.create(ALICE, WORK)
        await self.store.delete(ALICE, WORK)
        assert (await self.entries())[WORK].is_subscribed
        await self.store.subscribe(ALICE, WORK, False)
        assert WORK not in await self.entries()
        await self.store.subscribe(ALICE, WORK, False)

    @coroutine
    async def test_a_message_is_delivered_to_several_at_once(self) -> None:
        await self.store.create_account(ALICE)
        await self.store.create_account(BOB)
        to = [
            Placement(ALICE, INBOX),
            Placement(BOB, MailboxName("Lists/News"), frozenset({"\\Flagged"})),
            Placement(BOB, INBOX, head=b"Delivered-To: bob@example.test\r\n"),
        ]
        uids = await self.store.deliver(OctetsContent(message()), to)
        assert uids == [1, 1, 1]
        inbox = await self.store.open(ALICE, INBOX)
        assert await octets_of(inbox) == {1: message()}
        news = await self.store.open(BOB, MailboxName("Lists/News"))
        assert await octets_of(news) == {1: message()}
        assert await flags_of(news) == {1: frozenset({"\\Flagged"})}
        bobs = await self.store.open(BOB, INBOX)
        text = b"Delivered-To: bob@example.test\r\n" + message()
        assert await octets_of(bobs) == {1: text}
        assert (await bobs.status()).size == len(text)

    @coroutine
    async def test_one_message_may_go_twice_to_one_account(self) -> None:
        await self.store.create_account(ALICE)
        to = [Placement(ALICE, INBOX), Placement(ALICE, MailboxName("Archive"))]
        assert await self.store.deliver(OctetsContent(message()), to) == [1, 1]
        [one] = await (await self.store.open(ALICE, INBOX)).fetch(ALL_UIDS, Want.IDS)
        archive = await self.store.open(ALICE, MailboxName("Archive"))
        [two] = await archive.fetch(ALL_UIDS, Want.IDS)
        assert one.email_id == two.email_id
        assert await self.store.used(ALICE) == 2 * len(message())

    @coroutine
    async def test_what_is_delivered_once_is_not_delivered_again(self) -> None:
        archive = MailboxName("Archive")
        to = [Placement(ALICE, INBOX, once="1"), Placement(ALICE, archive, once="1")]
        assert await self.store.deliver(OctetsContent(message()), to[:1]) == [1]
        assert await self.store.deliver(OctetsContent(message()), to) == [1, 1]
        assert await self.store.deliver(OctetsContent(message()), to) == [1, 1]
        for name in (INBOX, archive):
            assert await octets_of(await self.store.open(ALICE, name)) == {1: message()}
        others = [
            Placement(ALICE, INBOX, once="2"),
            Placement(BOB, INBOX, once="1"),
            Placement(ALICE, INBOX),
        ]
        for _ in range(2):
            await self.store.deliver(OctetsContent(message()), others)
        assert (await self.store.status(ALICE, INBOX)).exists == 4
        assert (await self.store.status(BOB, INBOX)).exists == 1
        assert await self.store.used(ALICE) == 5 * len(message())

    @coroutine
    async def test_what_was_moved_since_is_not_delivered_again(self) -> None:
        to = [Placement(ALICE, INBOX, once="1")]
        await self.store.deliver(OctetsContent(message()), to)
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.move(ALL_UIDS, MailboxName("Trash"))
        assert await self.store.deliver(OctetsContent(message()), to) == [0]
        assert (await self.store.status(ALICE, INBOX)).exists == 0
        assert (await self.store.status(ALICE, MailboxName("Trash"))).exists == 1

    @coroutine
    async def test_what_is_appended_by_name_goes_to_what_has_the_name(self) -> None:
        plans = MailboxName("Plans")
        await self.store.create(ALICE, WORK)
        work = await self.store.open(ALICE, WORK)
        letters = [new(message(1), "\\Seen"), new(message(2))]
        kept = await self.store.append(ALICE, WORK, letters)
        assert kept == Appended(work.uid_validity, [1, 2])
        assert await octets_of(work) == {n: message(n) for n in (1, 2)}
        assert (await flags_of(work))[1] == {"\\Seen"}
        assert await self.store.append(ALICE, WORK, []) == Appended(
            work.uid_validity, []
        )
        await self.store.rename(ALICE, WORK, plans)
        with_that_name = self.store.append(ALICE, WORK, [new(message(3))])
        await raises(NoSuchMailbox, with_that_name)
        await raises(
            NoSuchMailbox,
            self.store.append(ALICE, MailboxName("a//b"), [new(message(3))]),
        )
        kept = await self.store.append(ALICE, plans, [new(message(3))])
        assert kept == Appended(work.uid_validity, [3])

    @coroutine
    async def test_used_follows_every_change(self) -> None:
        await self.store.create_account(ALICE)
        inbox = await self.store.open(ALICE, INBOX)
        await inbox.append([new(message(1), "\\Deleted"), new(message(2))])
        size = len(message())
        assert await self.store.used(ALICE) == 2 * size
        await inbox.copy(ALL_UIDS, MailboxName("Archive"))
        assert await self.store.used(ALICE) == 4 * size
        await inbox.move(ALL_UIDS, MailboxName("Trash"))
        assert await self.store.used(ALICE) == 4 * size
        trash = await self.store.open(ALICE, MailboxName("Trash"))
        await trash.expunge(ALL_UIDS)
        assert await self.store.used(ALICE) == 3 * size

    @coroutine
    async def test_only_one_holds_a_mailbox_exclusively(self) -> None:
        await self.store.create_account(ALICE)
        held = await self.store.exclusively(ALICE, INBOX)
        await raises(MailboxInUse, self.store.exclusively(ALICE, INBOX))
        await self.store.deliver(OctetsContent(message()), [Placement(ALICE, INBOX)])
        held.stop()
        held.stop()
        again = await self.store.exclusively(ALICE, INBOX)
        again.stop()
