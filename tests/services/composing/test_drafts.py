"""Drafts: saved again and again, one message in the mailbox, files."""

from __future__ import annotations

import re

import pytest
from attrs import evolve

from mailkit.errors import (
    DraftChanged,
    HasLeft,
    NoSuchDraft,
    OverQuota,
    TooLarge,
    TooMany,
)
from mailkit.formats.compose import CannotCompose
from mailkit.model.draft import Draft, DraftId, Opening, Purpose, Writing
from mailkit.model.flags import DRAFT, SEEN
from mailkit.model.mailbox import MailboxName, Want
from mailkit.model.query import Everything
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.composing.errors import FilesTooLarge
from mailkit.services.composing.placing import remove
from mailkit.services.composing.settings import ComposingSettings
from mailkit.storage.content import OctetsContent, all_octets
from mailkit.storage.memory.drafts import MemoryDrafts
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.messages import message
from tests.services.composing.world import HELLO, Desk, text_of
from tests.services.smtp.world import ALICE, BOB

DRAFTS = MailboxName("Drafts")


def test_the_mailbox_shows_it_once() -> None:
    desk = Desk()
    draft = desk.begin()
    assert draft.revision == 1
    assert re.fullmatch(f"<{draft.id}.[0-9a-f]+@mx.example.org>", draft.message_id)
    for text in ("Hi B", "Hi Bo", "Hi Bobby"):
        draft = desk.save(draft, evolve(HELLO, text=text))
        [shown] = desk.messages("Drafts")
        assert text_of(shown).strip() == text
    assert draft.revision == 4
    assert desk.flags("Drafts") == [{SEEN, DRAFT}]
    assert shown["From"] == "alice@example.org"
    assert list(at_once(desk.composing.drafts.all(ALICE))) == [draft]
    assert list(at_once(desk.drafts.marked())) == []


def test_what_was_saved_may_be_saved_again() -> None:
    desk = Desk()
    draft = desk.begin()
    assert desk.save(evolve(draft, revision=0), HELLO) == draft
    assert desk.save(draft, HELLO) == draft
    assert len(desk.subjects("Drafts")) == 1


def test_two_pages_do_not_overwrite_each_other() -> None:
    desk = Desk()
    draft = desk.begin()
    desk.save(draft, evolve(HELLO, text="from one page"))
    with pytest.raises(DraftChanged):
        desk.save(draft, evolve(HELLO, text="from the other"))
    assert text_of(desk.messages("Drafts")[0]).strip() == "from one page"


def test_two_processes_keep_one_message() -> None:
    desk = Desk()
    draft = desk.begin()
    other = desk.make()
    saved = at_once(
        other.drafts.save(desk.alice, draft.id, evolve(HELLO, text="there"), 1)
    )
    desk.save(saved.draft, evolve(HELLO, text="here"))
    at_once(other.drafts.save(desk.alice, draft.id, evolve(HELLO, text="again"), 3))
    [shown] = desk.messages("Drafts")
    assert text_of(shown).strip() == "again"


def test_what_cannot_be_a_recipient_is_kept_all_the_same() -> None:
    desk = Desk()
    draft = desk.begin(Writing(to="bob@example.org, car", bcc="dora@example.net"))
    assert draft.writing.to == "bob@example.org, car"
    [shown] = desk.messages("Drafts")
    assert shown["To"] == "bob@example.org"
    assert shown["Bcc"] == "dora@example.net"


def test_drafts_of_nobody() -> None:
    desk = Desk()
    drafts = desk.composing.drafts
    for id in (DraftId("x"), DraftId("0" * 31)):
        with pytest.raises(NoSuchDraft):
            at_once(drafts.save(desk.alice, id, HELLO, 0))
    with pytest.raises(NoSuchDraft):  # it was sent, or thrown away
        at_once(drafts.save(desk.alice, DraftId("a" * 32), HELLO, 5))
    with pytest.raises(NoSuchDraft):
        at_once(drafts.of_message(ALICE, "M99"))
    draft = desk.begin()
    with pytest.raises(NoSuchDraft):
        at_once(drafts.open(BOB, draft.id))


def test_too_much() -> None:
    desk = Desk(settings=ComposingSettings(text=10, line=20, files=1))
    with pytest.raises(TooLarge):
        desk.begin(Writing(text="x" * 11))
    with pytest.raises(TooLarge):
        desk.begin(Writing(html="x" * 11))
    with pytest.raises(TooLarge):
        desk.begin(Writing(to="x" * 21))
    draft = desk.attach(desk.begin().id, b"one")
    with pytest.raises(TooMany):
        desk.attach(draft.id, b"two")


def test_rich_text_is_cleaned_and_has_a_plain_part() -> None:
    desk = Desk()
    html = "<p>Hi <b onclick=x>Bob</b></p><script>x</script>"
    draft = desk.begin(evolve(HELLO, html=html, text="whatever"))
    assert draft.writing.html == "<p>Hi <b>Bob</b></p>"
    assert draft.writing.text == "Hi Bob"
    large = desk.save(draft, evolve(HELLO, html="<p>long</p>" * 5000))
    assert large.writing.text.startswith("long\n\nlong")
    [shown] = desk.messages("Drafts")
    assert shown.get_content_type() == "multipart/alternative"


def test_a_mailbox_that_is_not_there_is_made() -> None:
    desk = Desk()
    draft = desk.begin()
    at_once(desk.store.delete(ALICE, DRAFTS))
    desk.save(draft, evolve(HELLO, text="again"))
    assert desk.subjects("Drafts") == ["Hello"]


def test_without_room_the_text_is_kept() -> None:
    desk = Desk()
    draft = desk.begin()

    async def little(account: object) -> int:
        return 1

    desk.store.quota_of = little
    drafts = desk.composing.drafts
    save = drafts.save(desk.alice, draft.id, evolve(HELLO, text="more"), 1)
    saved = at_once(save)
    assert isinstance(saved.problem, OverQuota)
    assert at_once(drafts.open(ALICE, draft.id)).writing.text == "more"
    again = at_once(drafts.save(desk.alice, draft.id, evolve(HELLO, text="more"), 1))
    assert isinstance(again.problem, OverQuota)
    assert again.draft.revision == 2

    async def much(account: object) -> int:
        return 0

    desk.store.quota_of = much
    again = at_once(drafts.save(desk.alice, draft.id, evolve(HELLO, text="more"), 1))
    assert again.problem is None
    assert text_of(desk.messages("Drafts")[0]).strip() == "more"


def test_what_cannot_be_written_is_kept() -> None:
    desk = Desk()
    drafts = desk.composing.drafts
    writing = Writing(text="x", sender="nobody")
    saved = at_once(drafts.save(desk.alice, drafts.next_id(), writing, 0))
    assert isinstance(saved.problem, CannotCompose)


def test_files() -> None:
    desk = Desk()
    draft = desk.attach(desk.begin().id, b"abc", "..\\evil/Report\r\n.pdf", "a/b")
    draft = desk.attach(draft.id, b"x" * 100_000, "b.bin", "application/zip")
    draft = desk.attach(draft.id, b"png", "c.png", "image/png", is_within=True)
    assert [(f.number, f.name, f.size) for f in draft.files] == [
        (1, "Report .pdf", 3),
        (2, "b.bin", 100_000),
        (3, "c.png", 3),
    ]
    assert draft.files[2].content_id == f"3.{draft.id}@mailkit"
    assert draft.revision == 1  # the text did not change
    [shown] = desk.messages("Drafts")
    parts = list(shown.iter_attachments())
    assert [part.get_filename() for part in parts] == ["Report .pdf", "b.bin", "c.png"]
    assert parts[1].get_content() == b"x" * 100_000
    file, content = at_once(desk.composing.drafts.file(ALICE, draft.id, 2))
    assert file.name == "b.bin"
    assert len(at_once(all_octets(content))) == 100_000
    saved = at_once(desk.composing.drafts.detach(ALICE, draft.id, 2))
    assert [f.number for f in saved.draft.files] == [1, 3]
    at_once(desk.composing.drafts.detach(ALICE, draft.id, 2))
    with pytest.raises(NoSuchDraft):
        at_once(desk.composing.drafts.file(ALICE, draft.id, 2))
    again = desk.attach(draft.id, b"d")
    assert [f.number for f in again.files] == [1, 3, 4]
    [shown] = desk.messages("Drafts")
    assert len(list(shown.iter_attachments())) == 3


def test_pictures_within_the_text() -> None:
    desk = Desk()
    draft = desk.begin()
    draft = desk.attach(draft.id, b"png", "", "image/png", is_within=True)
    assert draft.files[0].name == "file"
    html = f'<p><img src="cid:{draft.files[0].content_id}"></p>'
    desk.save(draft, evolve(HELLO, html=html))
    [shown] = desk.messages("Drafts")
    kinds = [part.get_content_type() for part in shown.walk()]
    assert kinds == [
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
    ]


def test_files_before_the_first_save() -> None:
    desk = Desk()
    draft = desk.attach(desk.composing.drafts.next_id(), b"abc")
    assert draft.revision == 0
    draft = desk.save(draft, HELLO)
    assert (draft.revision, len(draft.files)) == (1, 1)


def test_files_that_are_too_large() -> None:
    desk = Desk(settings=ComposingSettings(message_size=1371))
    draft = desk.attach(desk.begin().id, b"x" * 900)
    with pytest.raises(FilesTooLarge) as caught:
        desk.attach(draft.id, b"x" * 200)
    assert caught.value.left == 100
    drafts = desk.composing.drafts
    attach = drafts.attach
    first = at_once(attach(desk.alice, draft.id, "a", "a/b"))
    second = at_once(attach(desk.alice, draft.id, "b", "a/b"))
    assert first.file.number != second.file.number
    for one in (first, second):
        at_once(one.take(OctetsContent(b"x" * 100)))
    at_once(first.finish())
    with pytest.raises(FilesTooLarge):
        at_once(second.finish())
    at_once(second.discard())
    assert at_once(drafts.open(ALICE, draft.id)).file_size == 1000
    with pytest.raises(FilesTooLarge):
        at_once(attach(desk.alice, draft.id, "c", "a/b"))


def test_large_files_are_not_written_anew_at_each_letter() -> None:
    desk = Desk(settings=ComposingSettings(large=1000, rewritten_every=30))
    draft = desk.attach(desk.begin().id, b"x" * 2000)
    draft = desk.save(draft, evolve(HELLO, text="one"))
    assert text_of(desk.messages("Drafts")[0]).strip() == "Hi Bob"
    desk.advance(31)
    draft = desk.save(draft, evolve(HELLO, text="two"))
    assert text_of(desk.messages("Drafts")[0]).strip() == "two"
    draft = desk.save(draft, evolve(HELLO, text="three"))
    at_once(desk.composing.drafts.detach(ALICE, draft.id, 1))
    assert text_of(desk.messages("Drafts")[0]).strip() == "three"


def test_thrown_away() -> None:
    desk = Desk()
    draft = desk.begin()
    drafts = desk.composing.drafts
    at_once(drafts.discard(ALICE, draft.id))
    at_once(drafts.discard(ALICE, draft.id))
    assert desk.subjects("Drafts") == []
    assert desk.subjects("Trash") == ["Hello"]
    with pytest.raises(NoSuchDraft):
        at_once(drafts.open(ALICE, draft.id))


def test_thrown_away_without_mailboxes() -> None:
    desk = Desk()
    draft = desk.begin()
    at_once(desk.store.delete(ALICE, DRAFTS))
    at_once(desk.composing.drafts.discard(ALICE, draft.id))
    assert list(at_once(desk.drafts.drafts(ALICE))) == []


def test_what_is_being_sent_is_not_changed() -> None:
    desk = Desk()
    draft = desk.send(desk.begin())
    drafts = desk.composing.drafts
    with pytest.raises(HasLeft):
        desk.save(draft, evolve(HELLO, text="too late"))
    with pytest.raises(HasLeft):
        desk.attach(draft.id, b"x")
    with pytest.raises(HasLeft):
        at_once(drafts.detach(ALICE, draft.id, 1))
    with pytest.raises(HasLeft):
        at_once(drafts.discard(ALICE, draft.id))
    assert list(at_once(drafts.all(ALICE))) == []


def test_which_draft_a_message_is() -> None:
    desk = Desk()
    draft = desk.begin()
    [uid] = _uids(desk)
    drafts = desk.composing.drafts
    assert at_once(drafts.of_message(ALICE, uid)) == draft.id
    foreign = desk.receive(message(), mailbox="Drafts")
    assert at_once(drafts.of_message(ALICE, foreign)) is None
    at_once(desk.drafts.remove(ALICE, draft.id))
    assert at_once(drafts.of_message(ALICE, uid)) is None


def _uids(desk: Desk) -> list[str]:
    opened = at_once(desk.store.open(ALICE, DRAFTS))
    return [record.email_id for record in at_once(opened.fetch(ALL_UIDS, Want.IDS))]


def test_a_draft_of_another_program_is_replaced() -> None:
    desk = Desk()
    foreign = desk.receive(message(), "\\Draft", mailbox="Drafts")
    opening = Opening(Purpose.EDIT, foreign)
    draft = desk.begin(evolve(HELLO, subject="Better"), opening)
    assert desk.subjects("Drafts") == ["Better"]
    desk.save(draft, evolve(HELLO, subject="Best"))
    assert desk.subjects("Drafts") == ["Best"]


class _Stop(BaseException):
    """The process is gone."""


class _Stopping(MemoryDrafts):
    """Ends the process where a test says so."""

    stops = ""

    async def mark(self, account: object, id: DraftId) -> None:
        if self.stops == "before mark":
            raise _Stop
        await super().mark(ALICE, id)
        if self.stops == "after mark":
            raise _Stop

    async def unmark(self, id: DraftId) -> None:
        if self.stops == "before unmark":
            raise _Stop
        await super().unmark(id)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("stops", ["before mark", "after mark", "before unmark"])
def test_stopped_while_it_is_placed(stops: str, first: bool) -> None:
    store = _Stopping()
    desk = Desk(drafts=store)
    id = desk.composing.drafts.next_id()
    if not first:
        at_once(desk.composing.drafts.save(desk.alice, id, HELLO, 0))
    store.stops = stops
    new = evolve(HELLO, text="new")
    with pytest.raises(_Stop):
        at_once(desk.composing.drafts.save(desk.alice, id, new, 0 if first else 1))
    store.stops = ""
    other = desk.make()
    at_once(other.outbox.recover())
    kept = at_once(store.draft(ALICE, id))
    assert kept.writing.text == "new"
    assert len(desk.subjects("Drafts")) == (0 if first and "before m" in stops else 1)
    at_once(other.drafts.save(desk.alice, id, new, kept.revision))
    [shown] = desk.messages("Drafts")
    assert text_of(shown).strip() == "new"
    assert list(at_once(store.marked())) == []


def test_stopped_between_the_new_and_the_old() -> None:
    """Both are there; the old one goes when somebody looks."""
    desk = Desk()
    draft = desk.begin()
    opened = at_once(desk.store.open(ALICE, DRAFTS))
    octets = desk.world.mailbox(ALICE, "Drafts")[0].replace(b"Hi Bob", b"Newer")
    desk.receive(octets, "\\Draft", mailbox="Drafts")
    at_once(desk.drafts.mark(ALICE, draft.id))
    other = desk.make()
    at_once(other.outbox.recover())
    [shown] = desk.messages("Drafts")
    assert text_of(shown).strip() == "Newer"
    assert list(at_once(desk.drafts.marked())) == []
    at_once(remove(opened, at_once(opened.search(Everything()))))
    at_once(desk.drafts.mark(ALICE, draft.id))
    at_once(other.outbox.recover())
    assert desk.subjects("Drafts") == ["Hello"]
    at_once(desk.store.delete(ALICE, DRAFTS))
    at_once(desk.drafts.mark(ALICE, draft.id))
    at_once(other.outbox.recover())
    assert desk.subjects("Drafts") == ["Hello"]


def test_marks_of_what_is_gone_go() -> None:
    desk = Desk()
    at_once(desk.drafts.mark(ALICE, DraftId("a" * 32)))
    at_once(desk.composing.outbox.recover())
    assert list(at_once(desk.drafts.marked())) == []


class _Busy(MemoryDrafts):
    """Another process keeps a version each time, so often."""

    times = 0

    async def put(self, account: object, draft: Draft) -> None:
        if self.times and draft.version > 1:
            self.times -= 1
            await super().put(
                ALICE, evolve(await self.draft(ALICE, draft.id), version=draft.version)
            )
        await super().put(ALICE, draft)


def test_another_process_at_the_same_moment() -> None:
    store = _Busy()
    desk = Desk(drafts=store)
    draft = desk.begin()
    store.times = 3
    draft = desk.save(draft, evolve(HELLO, text="new"))
    assert (draft.revision, draft.writing.text) == (2, "new")
    store.times = 1000
    with pytest.raises(DraftChanged):
        desk.save(draft, evolve(HELLO, text="newer"))


def test_drafts_that_nobody_has_any_more_are_forgotten() -> None:
    """Somebody threw their messages away, in whatever program, long ago."""
    desk = Desk(settings=ComposingSettings(many_drafts=3))
    kept, trashed, gone = (desk.begin() for _ in range(3))
    at_once(desk.composing.placing.unplace(ALICE, trashed, MailboxName("Trash")))
    at_once(desk.composing.placing.unplace(ALICE, gone))
    held = desk.send(desk.begin(), at=desk.world.clock.seconds() + 40 * 86400)
    desk.advance(29 * 86400)
    desk.begin()
    assert len(at_once(desk.drafts.drafts(ALICE))) == 5
    desk.advance(2 * 86400)
    last = desk.begin()
    left = {draft.id for draft in at_once(desk.drafts.drafts(ALICE))}
    assert gone.id not in left
    assert {kept.id, trashed.id, held.id, last.id} <= left
    at_once(desk.store.delete(ALICE, MailboxName("Trash")))
    desk.begin()
    assert trashed.id not in {one.id for one in at_once(desk.drafts.drafts(ALICE))}
