"""What every `IDraftStore` has to do."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from zope.interface.verify import verifyObject

from mailkit.errors import DraftChanged, NoSuchDraft, TooMany
from mailkit.interfaces.drafts import IDraftStore, IDraftUpload
from mailkit.interfaces.storage import IContent
from mailkit.model.address import AccountName
from mailkit.model.draft import (
    Draft,
    DraftFile,
    DraftId,
    DraftState,
    Opening,
    Purpose,
    Writing,
)
from mailkit.storage.content import all_octets
from mailkit.testing.contracts.messages import coroutine

ANNA = AccountName("anna@example.test")
BOB = AccountName("bob@example.test")
ONE = Draft(
    id=DraftId("0" * 31 + "1"),
    revision=3,
    changed=100.5,
    writing=Writing(
        sender="anna@example.test",
        to="Böb <bob@example.test>",
        cc="c",
        bcc="d",
        subject="Grüße",
        text="Hallo\n",
        html="<p>Hallo</p>",
    ),
    opening=Opening(Purpose.REPLY_ALL, "M0123"),
    message_id="<1@example.test>",
    in_reply_to="<0@example.test>",
    references=("<a@example.test>", "<0@example.test>"),
    files=(DraftFile(1, "ä.pdf", "application/pdf", 5, "c@d"),),
    next_file=2,
    state=DraftState.HELD,
    transaction="abc",
    hold_until=200.25,
    is_later=True,
)
TWO = Draft(id=DraftId("0" * 31 + "2"), changed=200.0)


class DraftsContract:
    """Versions follow each other, files come whole, marks stay until taken away."""

    store: IDraftStore
    assertRaises: Any  # of the TestCase that this is mixed into

    def make_store(self, most: int) -> IDraftStore:
        """One with nothing in it, for so many drafts an account."""
        raise NotImplementedError

    def setUp(self) -> None:
        self.store = self.make_store(3)

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IDraftStore, self.store)

    @coroutine
    async def test_nothing_is_there(self) -> None:
        assert list(await self.store.drafts(ANNA)) == []
        for id in (ONE.id, DraftId("../../etc"), DraftId("")):
            with self.assertRaises(NoSuchDraft):
                await self.store.draft(ANNA, id)
        with self.assertRaises(NoSuchDraft):
            await self.store.begin_file(ANNA, ONE.id, 1)
        with self.assertRaises(NoSuchDraft):
            await self.store.put(ANNA, evolve(ONE, version=2))
        await self.store.remove(ANNA, ONE.id)
        await self.store.remove_file(ANNA, ONE.id, 1)

    @coroutine
    async def test_all_of_it_is_kept(self) -> None:
        await self.store.put(ANNA, ONE)
        await self.store.put(ANNA, TWO)
        assert await self.store.draft(ANNA, ONE.id) == ONE
        assert list(await self.store.drafts(ANNA)) == [TWO, ONE]
        assert list(await self.store.drafts(BOB)) == []
        with self.assertRaises(NoSuchDraft):
            await self.store.draft(BOB, ONE.id)

    @coroutine
    async def test_versions_follow_each_other(self) -> None:
        await self.store.put(ANNA, ONE)
        with self.assertRaises(DraftChanged):
            await self.store.put(ANNA, evolve(ONE, revision=9))
        next_one = evolve(ONE, version=2, revision=4)
        await self.store.put(ANNA, next_one)
        with self.assertRaises(DraftChanged):
            await self.store.put(ANNA, evolve(next_one, revision=5))
        assert await self.store.draft(ANNA, ONE.id) == next_one

    @coroutine
    async def test_as_many_as_there_may_be(self) -> None:
        for number in range(3):
            await self.store.put(ANNA, evolve(ONE, id=DraftId(f"{number:032x}")))
        with self.assertRaises(TooMany):
            await self.store.put(ANNA, evolve(ONE, id=DraftId("f" * 32)))
        await self.store.put(ANNA, evolve(ONE, id=DraftId(f"{1:032x}"), version=2))

    @coroutine
    async def test_files(self) -> None:
        await self.store.put(ANNA, ONE)
        upload = await self.store.begin_file(ANNA, ONE.id, 1)
        verifyObject(IDraftUpload, upload)
        await upload.write(b"ab")
        await upload.write(b"c")
        assert upload.size == 3
        with self.assertRaises(NoSuchDraft):
            await self.store.file(ANNA, ONE.id, 1)
        await upload.finish()
        await upload.discard()
        content = await self.store.file(ANNA, ONE.id, 1)
        verifyObject(IContent, content)
        assert await all_octets(content) == b"abc"
        assert await content.read(1, 1) == b"b"
        await self.store.remove_file(ANNA, ONE.id, 1)
        with self.assertRaises(NoSuchDraft):
            await self.store.file(ANNA, ONE.id, 1)

    @coroutine
    async def test_files_that_do_not_come(self) -> None:
        await self.store.put(ANNA, ONE)
        upload = await self.store.begin_file(ANNA, ONE.id, 1)
        await upload.write(b"ab")
        await upload.discard()
        await upload.discard()
        with self.assertRaises(NoSuchDraft):
            await self.store.file(ANNA, ONE.id, 1)

    @coroutine
    async def test_files_of_a_draft_that_went(self) -> None:
        await self.store.put(ANNA, ONE)
        upload = await self.store.begin_file(ANNA, ONE.id, 1)
        await self.store.remove(ANNA, ONE.id)
        with self.assertRaises(NoSuchDraft):
            await upload.finish()

    @coroutine
    async def test_removed(self) -> None:
        await self.store.put(ANNA, ONE)
        upload = await self.store.begin_file(ANNA, ONE.id, 1)
        await upload.write(b"ab")
        await upload.finish()
        await self.store.mark(ANNA, ONE.id)
        await self.store.remove(ANNA, ONE.id)
        assert list(await self.store.drafts(ANNA)) == []
        assert list(await self.store.marked()) == []
        with self.assertRaises(NoSuchDraft):
            await self.store.file(ANNA, ONE.id, 1)

    @coroutine
    async def test_marks(self) -> None:
        assert list(await self.store.marked()) == []
        await self.store.mark(BOB, TWO.id)
        await self.store.mark(ANNA, ONE.id)
        await self.store.mark(ANNA, ONE.id)
        assert list(await self.store.marked()) == [(ANNA, ONE.id), (BOB, TWO.id)]
        await self.store.unmark(ONE.id)
        await self.store.unmark(ONE.id)
        assert list(await self.store.marked()) == [(BOB, TWO.id)]
