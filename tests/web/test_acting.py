"""Forms that sort mail, as a browser without scripts sends them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from urllib.parse import unquote

import pytest
from attrs import define, evolve, field

from mailkit.model.mailbox import INBOX, MailboxName, Want
from mailkit.model.snooze import SNOOZED
from mailkit.model.uidset import ALL_UIDS
from mailkit.services.sorting.actions import Action, Done, Kind, Op
from mailkit.services.sorting.room import SortingRoom
from mailkit.services.sorting.waking import Waker
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.testing.contracts.messages import new
from mailkit.web.webmail.acting import back_of, say_undone
from mailkit.web.webmail.done import said
from tests.web.world import ALICE, LANGUAGES, Heard, WebWorld

ENGLISH = LANGUAGES.choose("en", "").words
TRASH = MailboxName("Trash")
ARCHIVE = MailboxName("Archive")


@define(eq=False)
class Desk:
    """Alice, signed in, with conversations of the store itself."""

    world: WebWorld = field(factory=WebWorld)

    def __attrs_post_init__(self) -> None:
        world, house = self.world, self.world.house
        house.conversations = world.store.conversations
        house.sorting = SortingRoom.over(
            world.store, world.personal, house.conversations, world.board, world.clock
        )
        house.undone = partial(say_undone, house.sorting)
        house.finding._conversations = house.conversations
        world.sign_in()

    def put(
        self, subject: str, *flags: str, to: MailboxName = INBOX, root: str = ""
    ) -> tuple[str, str]:
        """A message; its EMAILID and THREADID."""
        return at_once(self._put(subject, flags, to, root))

    async def _put(
        self, subject: str, flags: Sequence[str], to: MailboxName, root: str
    ) -> tuple[str, str]:
        references = f"References: <{root}@x>\r\n" if root else ""
        octets = (
            f"From: Carol <carol@far.example>\r\nSubject: {subject}\r\n{references}"
            f"Message-ID: <{subject}@x>\r\n\r\nHello.\r\n"
        ).encode()
        mailbox = await self.world.store.open(ALICE, to)
        [uid] = await mailbox.append(
            [new(octets, *flags, internal_date=self.world.clock.seconds())]
        )
        records = await mailbox.fetch(ALL_UIDS, Want.IDS)
        record = next(one for one in records if one.uid == uid)
        found = await self.world.store.conversations.message(ALICE, record.email_id)
        assert found is not None
        return found.email_id, found.thread_id

    def act(self, *pairs: tuple[str, str], path: str = "/act") -> Heard:
        """Send the form."""
        return self.world.post(path, pairs, action="act")

    def asked(self, *pairs: tuple[str, str]) -> Heard:
        """Send the form, and go where it leads: to a question."""
        return self.world.get(self.act(*pairs).location)

    def subjects(self, name: MailboxName = INBOX) -> list[str]:
        """What lies in a mailbox."""
        return at_once(self._subjects(name))

    async def _subjects(self, name: MailboxName) -> list[str]:
        mailbox = await self.world.store.open(ALICE, name)
        found = []
        for _, content in await mailbox.contents(ALL_UIDS):
            octets = await content.read(0, content.size)
            found.append(octets.split(b"Subject: ")[1].split(b"\r\n")[0].decode())
        return sorted(found)

    def flags(self, name: MailboxName = INBOX) -> list[set[str]]:
        """Flags of what lies in a mailbox."""
        mailbox = at_once(self.world.store.open(ALICE, name))
        return [set(one.flags) for one in at_once(mailbox.fetch(ALL_UIDS, Want.FLAGS))]

    def token_of(self, heard: Heard) -> str:
        """Of the way back that an answer offers."""
        assert heard.status == 303, heard
        return heard.location.partition("done=")[2]


def test_two_conversations_are_archived_and_come_back() -> None:
    desk = Desk()
    (_, one), (_, two) = desk.put("one"), desk.put("two")
    desk.put("three")
    heard = desk.act(
        ("op", "archive"), ("box", "inbox"), ("c", one), ("c", two),
        ("back", "/mail/inbox?after=x"),
    )  # fmt: skip
    assert heard.location.startswith("/mail/inbox?after=x&done=")
    assert desk.subjects() == ["three"]
    token = desk.token_of(heard)
    page = desk.world.get(f"/settings/general?done={token}").text
    assert "2 archived" in page
    assert f'action="/undo/{token}"' in page
    heard = desk.act(("back", "/mail/inbox"), path=f"/undo/{token}")
    assert (heard.status, heard.location) == (303, "/mail/inbox")
    assert desk.subjects() == ["one", "three", "two"]
    assert desk.act(path=f"/undo/{token}").status == 303  # pressed twice
    assert desk.act(path="/undo/none").status == 404


def test_the_box_that_ticks_all_of_a_page() -> None:
    desk = Desk()
    (_, one), (_, two) = desk.put("one"), desk.put("two")
    desk.act(("op", "delete"), ("box", "inbox"), ("c", f"{one} {two}"), ("c", one))
    assert desk.subjects() == []
    assert desk.subjects(TRASH) == ["one", "two"]


def test_all_of_a_mailbox() -> None:
    desk = Desk()
    for number in range(60):
        desk.put(f"n{number}")
    heard = desk.act(("op", "read"), ("box", "inbox"), ("all", "1"))
    assert all("\\Seen" in flags for flags in desk.flags())
    desk.act(path=f"/undo/{desk.token_of(heard)}")
    assert not any("\\Seen" in flags for flags in desk.flags())


def test_a_button_of_a_row_is_for_that_row_alone() -> None:
    desk = Desk()
    (_, one), (_, two) = desk.put("one"), desk.put("two")
    desk.act(("archive", one), ("c", two), ("all", "1"), ("box", "inbox"))
    assert desk.subjects() == ["two"]
    desk.act(("star", two), ("box", "inbox"))
    assert desk.flags() == [{"\\Flagged"}]


def test_without_conversations_a_row_is_a_message() -> None:
    desk = Desk()
    chosen = evolve(desk.world.house.personal._own[ALICE].preferences, grouped=False)  # type: ignore[attr-defined]  # of the memory's
    at_once(desk.world.personal.change(ALICE, chosen))
    (one, _), _ = desk.put("one", root="r"), desk.put("two", root="r")
    desk.act(("archive", one), ("box", "inbox"))
    assert desk.subjects() == ["two"]


def test_a_single_message() -> None:
    desk = Desk()
    (one, _), _ = desk.put("one", root="r"), desk.put("two", root="r")
    desk.act(("op", "delete"), ("m", one), ("box", "inbox"))
    assert desk.subjects() == ["two"]


def test_without_a_box_it_is_of_all_mail() -> None:
    desk = Desk()
    (_, one), _ = desk.put("one", root="r"), desk.put("two", root="r", to=ARCHIVE)
    desk.act(("op", "delete"), ("c", one))
    assert desk.subjects(TRASH) == ["one", "two"]


def test_what_a_search_found() -> None:
    desk = Desk()
    (_, one), (mid, _) = desk.put("apple"), desk.put("apple pie", to=ARCHIVE)
    desk.put("pear")
    desk.act(("op", "star"), ("q", "apple"), ("c", one))
    assert {"\\Flagged"} in desk.flags()
    desk.act(("op", "read"), ("q", "apple"), ("m", mid))
    assert desk.flags(ARCHIVE) == [{"\\Seen"}]
    heard = desk.act(("op", "delete"), ("q", "apple"), ("all", "1"))
    assert desk.subjects() == ["pear"]
    assert desk.subjects(TRASH) == ["apple", "apple pie"]
    desk.act(path=f"/undo/{desk.token_of(heard)}")
    assert desk.subjects() == ["apple", "pear"]


def test_nothing_ticked_is_nothing_done() -> None:
    desk = Desk()
    heard = desk.act(("op", "archive"), ("box", "inbox"), ("back", "/mail/archive"))
    assert heard.location == "/mail/archive"
    _, thread = desk.put("one")
    heard = desk.act(("op", "unstar"), ("c", thread), ("box", "inbox"))
    assert heard.location == "/mail/inbox"


def test_scripts_need_no_page() -> None:
    desk = Desk()
    _, thread = desk.put("one")
    heard = desk.act(("op", "star"), ("c", thread), ("quiet", "1"))
    assert heard.status == 204
    assert unquote(heard.headers["x-mailkit-said"]) == "Starred"
    token = heard.headers["x-mailkit-undo"]
    heard = desk.act(("quiet", "1"), path=f"/undo/{token}")
    assert heard.status == 204
    assert desk.flags() == [set()]
    # Its answer may have been lost.
    assert desk.act(("quiet", "1"), path=f"/undo/{token}").status == 204
    assert 'id="toast"' not in desk.world.get(f"/mail/inbox?done={token}").text


@pytest.mark.parametrize(
    "pairs",
    [
        [("op", "explode"), ("c", "T1")],
        [("c", "T1")],
        [("op", "archive"), ("c", " ".join(f"T{n}" for n in range(1001)))],
    ],
)
def test_what_is_not_understood(pairs: list[tuple[str, str]]) -> None:
    assert Desk().act(*pairs).status == 400


@pytest.mark.parametrize(
    "pairs",
    [
        [("op", "move"), ("to", "Nowhere"), ("c", "T1")],
        [("op", "archive"), ("box", "folder/Nowhere"), ("c", "T1")],
    ],
)
def test_what_is_not_there(pairs: list[tuple[str, str]]) -> None:
    assert Desk().act(*pairs).status == 404


# --- what is asked for on a page of its own ---


def test_a_time_is_asked_for_and_given() -> None:
    desk = Desk()
    _, thread = desk.put("one")
    page = desk.asked(("snooze", thread), ("box", "inbox"), ("back", "/mail/inbox"))
    assert page.status == 200
    for words in ("Snooze until", "Later today", "Tomorrow", "Next week"):
        assert words in page.text
    assert f'name="c" value="{thread}"' in page.text
    heard = desk.act(
        ("op", "snooze"), ("c", thread), ("box", "inbox"), ("until", "tomorrow")
    )
    assert desk.token_of(heard)
    assert desk.subjects(SNOOZED) == ["one"]
    [snooze] = at_once(desk.world.personal.snoozes(ALICE))
    assert snooze.until == NEW_YEAR + 32 * 3600  # the next morning at eight, in UTC


def test_a_question_has_an_address() -> None:
    """Loading it again, or coming back to it, asks again and does nothing."""
    desk = Desk()
    _, thread = desk.put("one")
    chosen = (("op", "label"), ("c", thread), ("box", "inbox"), ("back", "/mail/all"))
    heard = desk.act(*chosen)
    assert (heard.status, heard.location[:5]) == (303, "/act?")
    page = desk.world.get(heard.location)
    assert page.status == desk.world.get(heard.location).status == 200
    assert f'name="c" value="{thread}"' in page.text
    assert 'href="/mail/all" data-swap="main" data-key="back"' in page.text
    desk.world.get(f"{heard.location}&new=Travel&label=travel")
    assert desk.flags() == [set()]
    assert desk.world.get("/act").location == "/mail/inbox"
    assert desk.world.get("/act?op=archive&c=x").location == "/mail/inbox"
    assert desk.world.get("/act?back=//evil.example").location == "/mail/inbox"
    assert desk.world.get("/act?op=what").status == 400
    # What is too long for an address is asked at once.
    many = [("c", f"T{number:024}") for number in range(400)]
    heard = desk.act(("op", "label"), ("box", "inbox"), *many)
    assert (heard.status, "New label" in heard.text) == (200, True)


def test_a_label_that_a_program_has_made_is_taken() -> None:
    desk = Desk()
    _, thread = desk.put("one", "$l_book")
    _, other = desk.put("two")
    desk.world.personal._keywords_of = lambda account: {"$l_book"}
    desk.act(("op", "label"), ("c", other), ("box", "inbox"), ("new", "Book"))
    assert desk.flags() == [{"$l_book"}, {"$l_book"}]
    [label] = at_once(desk.world.house.sorting.labels.labels(ALICE))
    assert (label.keyword, label.name) == ("$l_book", "Book")
    page = desk.world.get(f"/mail/inbox/c/{thread}").text
    assert f'<span class="chip a{label.colour}"><bdi>Book</bdi></span>' in page


@pytest.mark.parametrize("op", ["snooze", "label", "unlabel", "move"])
@pytest.mark.parametrize("more", ["", "?m="])
def test_a_question_given_up_leads_back_to_the_conversation(op: str, more: str) -> None:
    """And what is done leads to the list, as it would without a question."""
    desk = Desk()
    message, thread = desk.put("one")
    here = f"/mail/inbox/c/{thread}" + (more and f"{more}{message}")
    page = desk.world.get(here).text
    form = page[page.index('data-act="conv"') :].partition("</form>")[0]
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    fields = [(name, value) for name, value in hidden if name != "t"]
    question = desk.asked(("op", op), *fields).text
    assert f'<a class="btn" href="{here}" data-swap="main" data-key="back">' in question
    assert 'name="back" value="/mail/inbox"' in question
    # An error does not make it forget.
    wrong = desk.act(("op", op), ("until", "x"), ("label", "x"), *fields)
    assert wrong.status == (303 if op == "move" else 422)
    if op != "move":
        assert f'href="{here}" data-swap="main" data-key="back"' in wrong.text


def test_a_question_given_up_stays_with_us() -> None:
    desk = Desk()
    page = desk.world.get("/act?op=label&c=x&back=/mail/all&here=//evil.example").text
    assert 'href="/mail/all" data-swap="main" data-key="back"' in page


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        ("2026-01-02T09:30", 33.5 * 3600),
        (f"{NEW_YEAR + 7200:.0f}", 7200.0),
        ("later", 3 * 3600.0),
    ],
)
def test_times(until: str, seconds: float) -> None:
    desk = Desk()
    _, thread = desk.put("one")
    desk.act(("op", "snooze"), ("c", thread), ("box", "inbox"), ("until", until))
    [snooze] = at_once(desk.world.personal.snoozes(ALICE))
    assert snooze.until == NEW_YEAR + seconds


@pytest.mark.parametrize("until", ["never", "2025-01-01T00:00", "1", "9999-99-99"])
def test_what_is_no_time_to_come(until: str) -> None:
    desk = Desk()
    _, thread = desk.put("one")
    heard = desk.act(
        ("op", "snooze"), ("c", thread), ("box", "inbox"), ("until", until)
    )
    assert heard.status == 422
    assert "not a time to come" in heard.text
    assert desk.subjects() == ["one"]


def test_a_label_is_asked_for_made_and_given() -> None:
    desk = Desk()
    _, thread = desk.put("one")
    page = desk.asked(("op", "label"), ("c", thread), ("box", "inbox"))
    assert "New label" in page.text
    desk.act(("op", "label"), ("c", thread), ("box", "inbox"), ("new", "Travel"))
    assert desk.flags() == [{"$l_travel"}]
    desk.act(("op", "unlabel"), ("c", thread), ("box", "inbox"), ("label", "travel"))
    assert desk.flags() == [set()]
    # A name that there is already is that label.
    desk.act(("op", "label"), ("c", thread), ("box", "inbox"), ("new", "TRAVEL "))
    assert desk.flags() == [{"$l_travel"}]
    page = desk.asked(("op", "unlabel"), ("c", thread), ("box", "inbox"))
    assert 'name="label" value="travel"' in page.text
    for pair in (("label", "none"), ("new", "x" * 101)):
        heard = desk.act(("op", "label"), ("c", thread), ("box", "inbox"), pair)
        assert heard.status == 422


def test_without_labels_none_is_offered() -> None:
    desk = Desk()
    _, thread = desk.put("one")
    page = desk.asked(("op", "unlabel"), ("c", thread), ("box", "inbox"))
    assert "There are no labels." in page.text


def test_a_mailbox_is_asked_for_and_given() -> None:
    desk = Desk()
    _, thread = desk.put("one")
    at_once(desk.world.store.create(ALICE, MailboxName("Work/Notes")))
    page = desk.asked(("op", "move"), ("c", thread), ("box", "inbox"))
    assert 'name="to" value="Work/Notes"' in page.text
    assert 'name="to" value="Archive"' in page.text
    desk.act(
        ("op", "move"), ("c", thread), ("box", "inbox"), path="/act?to=Work%2FNotes"
    )
    assert desk.subjects(MailboxName("Work/Notes")) == ["one"]


# --- for good ---


def test_emptying_the_trash_is_asked_once() -> None:
    desk = Desk()
    desk.put("one", to=TRASH)
    desk.put("two", to=TRASH)
    page = desk.world.get("/empty/trash")
    assert "Delete 2 messages in Trash for ever?" in page.text
    assert desk.subjects(TRASH) == ["one", "two"]
    heard = desk.act(path="/empty/trash")
    assert heard.location == "/mail/trash"
    assert desk.subjects(TRASH) == []
    page = desk.world.get("/empty/spam")
    assert "in Spam" in page.text
    assert desk.world.get("/empty/inbox").status == 404
    assert desk.act(path="/empty/archive").status == 404


# --- addresses and words ---


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/mail/inbox", "/mail/inbox"),
        ("/mail/inbox?after=a&done=t", "/mail/inbox?after=a"),
        ("/search?q=a%20b&done=t", "/search?q=a+b"),
        ("", "/mail/inbox"),
        ("//evil.example/", "/mail/inbox"),
        ("/\\evil.example/", "/mail/inbox"),
        ("https://evil.example/", "/mail/inbox"),
        ("/a\r\nSet-Cookie: x", "/mail/inbox"),
        ("/ä", "/mail/inbox"),
    ],
)
def test_where_a_form_leads_back_to(path: str, back: str) -> None:
    assert back_of(path) == back


@pytest.mark.parametrize("op", list(Op))
def test_every_action_has_words(op: Op) -> None:
    one = said(Done(Action(op), 1, 1), ENGLISH)
    many = said(Done(Action(op), 3, 2), ENGLISH)
    assert one
    assert "%" not in one
    assert many.startswith("2 ")


@pytest.mark.parametrize("kind", list(Kind))
def test_every_other_change_has_words(kind: Kind) -> None:
    text = said(Done(None, kind=kind, name="Work"), ENGLISH)
    assert ("Work" in text) is (kind is not Kind.ACTION)


def test_the_limit_is_told() -> None:
    text = said(Done(Action(Op.ARCHIVE), 10000, 9000, is_whole=False), ENGLISH)
    assert text == "9000 archived. There are more: at most 10000 go at once."


# --- what came back ---


def test_what_came_back_is_on_top_until_it_is_read() -> None:
    desk = Desk()
    _, old = desk.put("old letter", "\\Seen")
    heard = desk.act(("op", "snooze"), ("c", old), ("box", "inbox"), ("until", "later"))
    assert heard.status == 303
    page = desk.world.get("/mail/snoozed").text
    assert "old letter" in page
    desk.world.clock.advance(3 * 3600)
    for number in range(60):
        desk.put(f"n{number}")
    waker = Waker(
        desk.world.store,
        desk.world.personal,
        desk.world.directory,
        desk.world.board,
        desk.world.clock,
    )
    assert at_once(waker.wake(ALICE)) == 1
    page = desk.world.get("/mail/inbox").text
    assert "Back from snooze" in page
    assert page.index("old letter") < page.index("n59")
    assert "Snoozed, back since" in page
    older = re.search(r'href="(/mail/inbox\?after=[^"]+)"', page)
    assert older is not None
    assert "old letter" not in desk.world.get(older[1]).text
    desk.act(("op", "read"), ("c", old), ("box", "inbox"))
    page = desk.world.get("/mail/inbox").text
    assert "Back from snooze" not in page
    assert "old letter" not in page
