"""What every `IMailbox` has to do with the messages in it."""

from __future__ import annotations

import re

from mailkit.errors import MailboxGone, NoSuchMailbox, OverQuota, TooMany
from mailkit.interfaces.storage import IMailbox, Placement
from mailkit.model.flags import FlagAction, FlagChange
from mailkit.model.layout import Layout, Stretch
from mailkit.model.mailbox import INBOX, FlagRecord, MailboxName, Want
from mailkit.model.query import HasFlag
from mailkit.model.uidset import ALL_UIDS, NO_UIDS, UIDSet
from mailkit.storage.content import OctetsContent
from mailkit.testing.contracts.messages import (
    ALICE,
    WORK,
    StoreCase,
    coroutine,
    flags_of,
    message,
    new,
    octets_of,
    raises,
)

ARCHIVE = MailboxName("Archive")


def add(*flags: str) -> FlagChange:
    return FlagChange(FlagAction.ADD, frozenset(flags))


def remove(*flags: str) -> FlagChange:
    return FlagChange(FlagAction.REMOVE, frozenset(flags))


def replace(*flags: str) -> FlagChange:
    return FlagChange(FlagAction.REPLACE, frozenset(flags))


class MailboxContract(StoreCase):
    """Messages, flags, numbers, changes and watches."""

    async def inbox(self, messages: int = 0, *flags: str) -> IMailbox:
        """Alice's INBOX with so many messages in it."""
        await self.store.create_account(ALICE)
        mailbox = await self.store.open(ALICE, INBOX)
        if messages:
            numbers = range(1, messages + 1)
            await mailbox.append([new(message(n), *flags) for n in numbers])
        return mailbox

    @coroutine
    async def test_an_empty_mailbox(self) -> None:
        inbox = await self.inbox()
        status = await inbox.status()
        assert (status.name, status.mailbox_id) == (INBOX, inbox.mailbox_id)
        assert status.uid_validity == inbox.uid_validity > 0
        assert (status.uid_next, status.exists, status.size) == (1, 0, 0)
        assert status.highest_mod_seq > 0
        snapshot = await inbox.snapshot(True)
        assert (list(snapshot.uids), snapshot.first_unseen) == ([], 0)
        assert not snapshot.recent
        assert await inbox.fetch(ALL_UIDS, Want.FLAGS) == []
        assert await inbox.contents(ALL_UIDS) == []

    @coroutine
    async def test_append_gives_ascending_uids(self) -> None:
        inbox = await self.inbox()
        assert await inbox.append([new(message(1)), new(message(2))]) == [1, 2]
        assert await inbox.append([new(message(3))]) == [3]
        assert await inbox.append([]) == []
        assert await octets_of(inbox) == {n: message(n) for n in (1, 2, 3)}
        status = await inbox.status()
        assert (status.uid_next, status.exists, status.unseen) == (4, 3, 3)
        assert status.size == sum(len(message(n)) for n in (1, 2, 3))

    @coroutine
    async def test_append_keeps_flags_date_and_every_octet(self) -> None:
        inbox = await self.inbox()
        octets = b"Subject: \xff\x00 x\r\n\r\n\x00\xfe.\r\n..\r\nno end of line"
        made = new(octets, "\\Seen", "$Label", internal_date=1_000_000_000)
        await inbox.append([made])
        [record] = await inbox.fetch(ALL_UIDS, Want.FLAGS | Want.FACTS)
        assert record.flags == {"\\Seen", "$Label"}
        assert record.internal_date == 1_000_000_000
        assert record.size == len(octets)
        assert await octets_of(inbox) == {1: octets}

    @coroutine
    async def test_a_large_message_is_read_in_pieces(self) -> None:
        inbox = await self.inbox()
        octets = message(1, "0123456789abcdef\r\n" * 40_000)
        await inbox.append([new(octets)])
        [(_, content)] = await inbox.contents(ALL_UIDS)
        assert content.size == len(octets)
        assert await content.read(0, 10) == octets[:10]
        assert await content.read(100_000, 5) == octets[100_000:100_005]
        assert await content.read(len(octets) - 3, 100) == octets[-3:]
        assert await content.read(len(octets), 100) == b""

    @coroutine
    async def test_fetch_reads_no_more_than_is_wanted(self) -> None:
        inbox = await self.inbox(1)
        [flags] = await inbox.fetch(ALL_UIDS, Want.FLAGS)
        assert (flags.uid, flags.size, flags.envelope) == (1, 0, b"")
        [shown] = await inbox.fetch(
            ALL_UIDS, Want.ENVELOPE | Want.BODY | Want.BODYSTRUCTURE | Want.PREVIEW
        )
        assert b'"Number 1"' in shown.envelope
        assert shown.body.startswith(b'("text" "plain"')
        assert shown.bodystructure.startswith(b'("text" "plain"')
        assert shown.preview == b'"Hello"'
        assert shown.header_fields == b""
        [fields] = await inbox.fetch(ALL_UIDS, Want.HEADER_FIELDS)
        assert b"Subject: Number 1\r\n" in fields.header_fields

    @coroutine
    async def test_fetch_takes_only_what_is_there_in_order(self) -> None:
        inbox = await self.inbox(5)
        uids = UIDSet.of_ranges([(4, 9), (2, 2)])
        assert [r.uid for r in await inbox.fetch(uids, Want.FLAGS)] == [2, 4, 5]
        assert [uid for uid, _ in await inbox.contents(uids)] == [2, 4, 5]

    @coroutine
    async def test_no_more_is_read_at_once_than_is_asked_for(self) -> None:
        inbox = await self.inbox(1)
        subject = "x" * 30_000
        large = f"Subject: {subject}\r\n\r\n".encode()
        await inbox.append([new(large)] * 4 + [new(message(6))])
        await inbox.store(UIDSet.of([3]), add("\\Deleted"))
        await inbox.expunge(UIDSet.of([3]))
        uids = UIDSet.of_ranges([(1, 2), (4, 9)])
        seen = []
        while uids:
            found = await inbox.fetch(uids, Want.ENVELOPE, 70_000)
            seen.append([(r.uid, len(r.envelope) > 30_000) for r in found])
            uids = found.rest
        assert seen == [[(1, False), (2, True), (4, True)], [(5, True), (6, False)]]
        [first] = await inbox.fetch(UIDSet.of([2]), Want.ENVELOPE, 1)
        assert len(first.envelope) > 30_000
        assert len(await inbox.fetch(ALL_UIDS, Want.ENVELOPE)) == 5
        assert len(await inbox.fetch(ALL_UIDS, Want.FLAGS, 1)) == 5

    @coroutine
    async def test_what_is_laid_out_is_what_the_rows_say(self) -> None:
        inbox = await self.inbox(2)
        date = 1_000_000_000
        await inbox.append(
            [
                new(message(3), "\\Seen", "\\Draft", internal_date=date),
                new(message(4), "$Label", "Work", internal_date=date),
                new(message(5), "\\Flagged", "$Label", internal_date=date),
            ]
        )
        await inbox.store(UIDSet.of([4]), add("\\Deleted"))
        await inbox.expunge(UIDSet.of([4]))
        layout = Layout(
            b"%d ",
            (
                (b" (", "uid"),
                (b" %s ", "flags"),
                (b" ", "internal_date"),
                (b" ", "size"),
                (b" '", "envelope"),
            ),
            b")\r\n",
            Want.FLAGS | Want.FACTS | Want.ENVELOPE,
        )
        stretches = [Stretch(7, 1, 1), Stretch(20, 3, 5)]
        laid = await inbox.lay_out(stretches, layout, 1_000_000)
        if laid is None:
            return
        rows = await inbox.fetch(UIDSet.of([1, 3, 5]), layout.want)
        lines = b"".join(laid.octets).split(b"\r\n")
        assert (laid.count, laid.rest, lines.pop()) == (3, (), b"")
        for line, row, number in zip(lines, rows, (7, 20, 22), strict=True):
            head, flags, tail = re.split(rb"%s \((.*?)\) ", line, maxsplit=1)
            assert head == b"%%d %d (%d " % (number, row.uid)
            assert set(flags.decode().split()) == row.flags
            written, envelope = tail.split(b" '", 1)
            assert written.endswith(b'" %d' % row.size)
            assert row.uid == 1 or b'"09-Sep-2001 01:46:40 +0000"' in written
            assert envelope == row.envelope + b")"

    @coroutine
    async def test_flags_are_added_removed_and_replaced(self) -> None:
        inbox = await self.inbox(3, "\\Flagged")
        assert await inbox.store(UIDSet.of([1]), add("\\Seen")) == NO_UIDS
        await inbox.store(UIDSet.of([2]), remove("\\Flagged", "\\Seen"))
        await inbox.store(UIDSet.of([3, 4]), replace("\\Draft", "Work"))
        assert await flags_of(inbox) == {
            1: {"\\Flagged", "\\Seen"},
            2: frozenset(),
            3: {"\\Draft", "Work"},
        }
        status = await inbox.status()
        assert (status.exists, status.unseen, status.deleted) == (3, 2, 0)

    @coroutine
    async def test_keywords_are_compared_without_case(self) -> None:
        inbox = await self.inbox(2, "$Forwarded")
        await inbox.store(UIDSet.of([1]), add("$FORWARDED", "\\seen"))
        assert (await flags_of(inbox))[1] == {"$Forwarded", "\\Seen"}
        await inbox.store(UIDSet.of([1]), remove("$forwarded"))
        assert (await flags_of(inbox))[1] == {"\\Seen"}
        assert await inbox.search(HasFlag("$forwardED")) == UIDSet.of([2])
        assert "$Forwarded" in (await inbox.snapshot(False)).keywords

    @coroutine
    async def test_more_keywords_than_letters(self) -> None:
        inbox = await self.inbox(1)
        keywords = frozenset(f"k{n}" for n in range(60))
        await inbox.store(ALL_UIDS, FlagChange(FlagAction.ADD, keywords))
        assert (await flags_of(inbox))[1] == keywords
        await inbox.copy(ALL_UIDS, ARCHIVE)
        archive = await self.store.open(ALICE, ARCHIVE)
        assert (await flags_of(archive))[1] == keywords
        await inbox.store(ALL_UIDS, remove("k59", "k0"))
        assert (await flags_of(inbox))[1] == keywords - {"k59", "k0"}

    @coroutine
    async def test_a_thousand_keywords_are_the_most(self) -> None:
        inbox = await self.inbox(2)
        keywords = frozenset(f"k{n}" for n in range(1000))
        await inbox.store(UIDSet.of([1]), FlagChange(FlagAction.ADD, keywords - {"k9"}))
        assert (await inbox.snapshot(False)).takes_keywords
        await inbox.store(UIDSet.of([1]), FlagChange(FlagAction.ADD, keywords))
        assert not (await inbox.snapshot(False)).takes_keywords
        await inbox.store(UIDSet.of([2]), add("k7"))
        await raises(TooMany, inbox.store(ALL_UIDS, add("another")))
        await raises(TooMany, inbox.append([new(message(3), "another")]))
        await inbox.store(ALL_UIDS, remove("another"))
        assert (await flags_of(inbox))[2] == {"k7"}

    @coroutine
    async def test_store_leaves_alone_what_changed_since(self) -> None:
        inbox = await self.inbox(3)
        before = (await inbox.status()).highest_mod_seq
        await inbox.store(UIDSet.of([2]), add("\\Seen"))
        left = await inbox.store(ALL_UIDS, add("\\Flagged"), before)
        assert left == UIDSet.of([2])
        assert await flags_of(inbox) == {
            1: {"\\Flagged"},
            2: {"\\Seen"},
            3: {"\\Flagged"},
        }

    @coroutine
    async def test_mod_seqs_only_rise(self) -> None:
        inbox = await self.inbox(2)
        seen = [(await inbox.status()).highest_mod_seq]
        for change in (add("\\Seen"), remove("\\Seen"), add("\\Deleted")):
            await inbox.store(UIDSet.of([1]), change)
            seen.append((await inbox.status()).highest_mod_seq)
            one, two = await inbox.fetch(ALL_UIDS, Want.FLAGS | Want.MOD_SEQ)
            assert one.mod_seq == seen[-1] > two.mod_seq
        await inbox.expunge(ALL_UIDS)
        seen.append((await inbox.status()).highest_mod_seq)
        await inbox.append([new(message(3))])
        seen.append((await inbox.status()).highest_mod_seq)
        assert seen == sorted(set(seen))

    @coroutine
    async def test_a_change_that_changes_nothing_tells_nobody(self) -> None:
        inbox = await self.inbox(1, "\\Seen")
        before = (await inbox.status()).highest_mod_seq
        await inbox.store(ALL_UIDS, add("\\Seen"))
        assert not await inbox.changes_since(before)

    @coroutine
    async def test_expunge_takes_what_is_deleted(self) -> None:
        inbox = await self.inbox(4, "\\Deleted")
        await inbox.store(UIDSet.of([2]), remove("\\Deleted"))
        assert await inbox.expunge(UIDSet.of([1, 2, 9])) == UIDSet.of([1])
        assert await inbox.expunge(ALL_UIDS) == UIDSet.of([3, 4])
        assert await inbox.expunge(ALL_UIDS) == NO_UIDS
        status = await inbox.status()
        assert (status.exists, status.deleted, status.uid_next) == (1, 0, 5)
        assert status.size == len(message())
        assert await inbox.append([new(message(5))]) == [5]

    @coroutine
    async def test_the_last_uid_is_not_given_again(self) -> None:
        inbox = await self.inbox(3, "\\Deleted")
        await inbox.expunge(ALL_UIDS)
        assert await inbox.append([new(message(4))]) == [4]

    @coroutine
    async def test_copy_keeps_flags_dates_and_ids(self) -> None:
        inbox = await self.inbox()
        made = new(message(1), "\\Seen", "Work", internal_date=1_000_000_000)
        await inbox.append([new(message(0)), made])
        copied = await inbox.copy(UIDSet.of([2, 7]), ARCHIVE)
        archive = await self.store.open(ALICE, ARCHIVE)
        assert copied.uid_validity == archive.uid_validity
        assert copied.uids == ((2, 1),)
        wanted = Want.FLAGS | Want.FACTS | Want.IDS
        [source] = await inbox.fetch(UIDSet.of([2]), wanted)
        [copy] = await archive.fetch(ALL_UIDS, wanted)
        assert copy.flags == {"\\Seen", "Work"}
        assert copy.internal_date == 1_000_000_000
        assert (copy.email_id, copy.thread_id) == (source.email_id, source.thread_id)
        assert await octets_of(archive) == {1: message(1)}
        assert len(await flags_of(inbox)) == 2

    @coroutine
    async def test_copy_into_itself(self) -> None:
        inbox = await self.inbox(2)
        copied = await inbox.copy(ALL_UIDS, INBOX)
        assert copied.uids == ((1, 3), (2, 4))
        assert await octets_of(inbox) == {n: message(2 - n % 2) for n in (1, 2, 3, 4)}

    @coroutine
    async def test_move_leaves_nothing_behind(self) -> None:
        inbox = await self.inbox(3, "\\Answered")
        before = (await inbox.status()).highest_mod_seq
        moved = await inbox.move(UIDSet.of([1, 3]), ARCHIVE)
        archive = await self.store.open(ALICE, ARCHIVE)
        assert moved.uid_validity == archive.uid_validity
        assert moved.uids == ((1, 1), (3, 2))
        assert await octets_of(inbox) == {2: message(2)}
        assert await octets_of(archive) == {1: message(1), 2: message(3)}
        assert await flags_of(archive) == {1: {"\\Answered"}, 2: {"\\Answered"}}
        assert (await inbox.changes_since(before)).vanished == UIDSet.of([1, 3])

    @coroutine
    async def test_copy_and_move_of_nothing(self) -> None:
        inbox = await self.inbox(1)
        assert (await inbox.copy(UIDSet.of([5]), ARCHIVE)).uids == ()
        assert (await inbox.move(NO_UIDS, ARCHIVE)).uids == ()
        await raises(NoSuchMailbox, inbox.copy(ALL_UIDS, WORK))
        await raises(NoSuchMailbox, inbox.move(ALL_UIDS, WORK))
        assert len(await flags_of(inbox)) == 1

    @coroutine
    async def test_quota_holds_for_append_and_copy(self) -> None:
        await self.store.close()
        self.store = self.make_store(quota=2 * len(message()))
        inbox = await self.inbox(1)
        await raises(OverQuota, inbox.append([new(message(2)), new(message(3))]))
        assert len(await flags_of(inbox)) == 1
        await inbox.append([new(message(2))])
        await raises(OverQuota, inbox.copy(UIDSet.of([1]), ARCHIVE))
        await inbox.move(ALL_UIDS, ARCHIVE)
        assert (await self.store.status(ALICE, ARCHIVE)).exists == 2

    @coroutine
    async def test_a_snapshot_tells_what_select_tells(self) -> None:
        inbox = await self.inbox(4, "Work")
        await inbox.store(UIDSet.of([1, 2]), add("\\Seen"))
        await inbox.store(UIDSet.of([1]), add("\\Deleted"))
        await inbox.expunge(ALL_UIDS)
        snapshot = await inbox.snapshot(False)
        assert list(snapshot.uids) == [2, 3, 4]
        assert snapshot.first_unseen == 3
        assert snapshot.keywords == ("Work",)
        assert snapshot.status == await inbox.status()

    @coroutine
    async def test_sessions_share_the_uids_of_one_state(self) -> None:
        inbox = await self.inbox(3)
        other = await self.store.open(ALICE, INBOX)
        one, two = await inbox.snapshot(False), await other.snapshot(False)
        assert one.uids is two.uids
        await inbox.append([new(message(4))])
        assert list(one.uids) == [1, 2, 3]
        assert list((await inbox.snapshot(False)).uids) == [1, 2, 3, 4]

    @coroutine
    async def test_recent_messages_are_taken_once(self) -> None:
        inbox = await self.inbox(2)
        assert (await inbox.status()).recent == 2
        assert not (await inbox.snapshot(False)).recent
        assert (await inbox.snapshot(True)).recent == UIDSet.of([1, 2])
        assert not (await inbox.snapshot(True)).recent
        assert (await inbox.status()).recent == 0
        await self.store.deliver(OctetsContent(message()), [Placement(ALICE, INBOX)])
        assert (await inbox.status()).recent == 1
        assert (await inbox.snapshot(True)).recent == UIDSet.of([3])

    @coroutine
    async def test_changes_are_told_once_each(self) -> None:
        inbox = await self.inbox(4, "\\Deleted")
        before = (await inbox.status()).highest_mod_seq
        assert not await inbox.changes_since(before)
        await inbox.store(UIDSet.of([2]), replace("\\Seen"))
        await inbox.store(UIDSet.of([2]), add("\\Flagged"))
        await inbox.expunge(UIDSet.of([1, 3]))
        await inbox.append([new(message(5), "Work")])
        change = await inbox.changes_since(before)
        [flagged] = change.flagged
        [arrived] = change.arrived
        assert (flagged.uid, flagged.flags) == (
            2,
            frozenset({"\\Seen", "\\Flagged"}),
        )
        assert (arrived.uid, arrived.flags) == (5, frozenset({"Work"}))
        assert change.vanished == UIDSet.of([1, 3])
        assert not change.is_gone
        assert change.mod_seq == (await inbox.status()).highest_mod_seq
        assert not await inbox.changes_since(change.mod_seq)

    @coroutine
    async def test_changes_from_the_beginning_are_everything(self) -> None:
        inbox = await self.inbox(3)
        await inbox.store(UIDSet.of([2]), add("\\Seen"))
        change = await inbox.changes_since(0)
        assert [record.uid for record in change.arrived] == [1, 2, 3]
        assert isinstance(change.arrived[0], FlagRecord)
        assert change.flagged == ()

    @coroutine
    async def test_what_came_and_went_is_not_told(self) -> None:
        inbox = await self.inbox(1)
        before = (await inbox.status()).highest_mod_seq
        await inbox.append([new(message(2), "\\Deleted")])
        await inbox.expunge(ALL_UIDS)
        change = await inbox.changes_since(before)
        assert not change
        assert change.mod_seq > before

    @coroutine
    async def test_whoever_watches_hears_each_kind_of_change(self) -> None:
        inbox = await self.inbox(1)
        other = await self.store.open(ALICE, INBOX)
        heard: list[str] = []
        watch = other.watch(lambda: heard.append("inbox"))
        changes = [
            lambda: inbox.append([new(message(2))]),
            lambda: inbox.store(UIDSet.of([1]), add("\\Deleted")),
            lambda: inbox.expunge(ALL_UIDS),
            lambda: self.store.deliver(
                OctetsContent(message(3)), [Placement(ALICE, INBOX)]
            ),
            lambda: inbox.copy(UIDSet.of([2]), INBOX),
            lambda: inbox.move(UIDSet.of([2]), ARCHIVE),
        ]
        for change in changes:
            heard.clear()
            await change()
            await self.settle()
            assert heard
        watch.stop()
        watch.stop()
        heard.clear()
        await inbox.append([new(message(4))])
        await self.settle()
        assert not heard

    @coroutine
    async def test_a_mailbox_that_was_deleted_says_so(self) -> None:
        await self.inbox()
        await self.store.create(ALICE, WORK)
        work = await self.store.open(ALICE, WORK)
        heard: list[str] = []
        work.watch(lambda: heard.append("work"))
        state = (await work.status()).highest_mod_seq
        await self.store.delete(ALICE, WORK)
        await self.settle()
        assert heard
        assert (await work.changes_since(state)).is_gone
        await raises(MailboxGone, work.status())
        await raises(MailboxGone, work.snapshot(True))
        await raises(MailboxGone, work.fetch(ALL_UIDS, Want.FLAGS))
        await raises(MailboxGone, work.contents(ALL_UIDS))
        await raises(MailboxGone, work.append([new(message())]))
        await raises(MailboxGone, work.store(ALL_UIDS, add("\\Seen")))
        await raises(MailboxGone, work.expunge(ALL_UIDS))
        await raises(MailboxGone, work.search(HasFlag("\\Seen")))
        await raises(MailboxGone, work.copy(ALL_UIDS, ARCHIVE))
        await raises(MailboxGone, work.move(ALL_UIDS, ARCHIVE))
        await self.store.create(ALICE, WORK)
        await raises(MailboxGone, work.status())

    @coroutine
    async def test_a_mailbox_that_was_renamed_stays_open(self) -> None:
        await self.inbox()
        await self.store.create(ALICE, WORK)
        work = await self.store.open(ALICE, WORK)
        await work.append([new(message())])
        await self.store.rename(ALICE, WORK, MailboxName("Job"))
        await work.store(ALL_UIDS, add("\\Seen"))
        assert await octets_of(work) == {1: message()}
        job = await self.store.open(ALICE, MailboxName("Job"))
        assert await flags_of(job) == {1: {"\\Seen"}}
