"""Lists of mail."""

from __future__ import annotations

import re
from html import unescape

import pytest

from mailkit.model.conversation import Person, Summary
from mailkit.model.label import Label, unnamed
from mailkit.model.mailbox import MailboxName
from mailkit.model.preferences import Preferences
from mailkit.model.snooze import SNOOZED, Snooze
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.web.conversations import summary
from tests.web.world import ALICE, WebWorld

DAY = 86400.0


def world_with(*found: Summary) -> WebWorld:
    world = WebWorld()
    world.conversations.all.extend(found)
    world.sign_in()
    return world


def test_a_row_says_all_that_a_reader_wants() -> None:
    world = world_with(
        summary(1, "Kitchen <b>drawings</b>", flags=["\\Flagged"], has_attachments=True)
    )
    page = world.get("/mail/inbox").text
    assert "<title>Inbox (1) – mailkit</title>" in page
    assert "Kitchen &lt;b&gt;drawings&lt;/b&gt;" in page
    assert "Ingrid Solheim" in page
    assert '<h2 class="group">Today</h2>' in page
    assert 'class="row un"' in page
    assert re.search(r'<bdi class="vh">Unread. </bdi>', page)
    assert 'href="/mail/inbox/c/t1"' in page
    assert 'name="unstar" value="t1" aria-pressed="true"' in page
    assert "With files" in page
    assert '<time datetime="2026-01-01T00:00:00+00:00"' in page


def test_days_are_told_apart() -> None:
    days = [summary(n, when=NEW_YEAR - n * DAY) for n in range(0, 60, 1)]
    page = world_with(*days).get("/mail/all").text
    groups = re.findall(r'<h2 class="group">([^<]+)</h2>', page)
    assert groups[:4] == ["Today", "Yesterday", "Earlier this week", "December"]


def test_fifty_rows_and_a_cursor() -> None:
    world = world_with(
        *(summary(n, f"Letter {n}", when=NEW_YEAR - n) for n in range(1, 121))
    )
    page = world.get("/mail/inbox").text
    assert page.count('class="row un"') == 50
    [older] = set(re.findall(r'href="(/mail/inbox\?after=[^"]+)"', page))
    assert "offset" not in older
    second = world.get(unescape(older)).text
    assert second.count('class="row un"') == 50
    assert "Letter 51<" in second
    assert '<a class="ib" href="/mail/inbox" data-swap="list" aria-label="Newer"' in (
        second
    )
    paths = re.findall(r'href="(/mail/inbox\?after=[^"]+)"', second)
    third_path = unescape(next(path for path in paths if path != older))
    third = world.get(third_path).text
    assert third.count('class="row un"') == 20
    assert "Older conversations" not in third
    assert f'href="{older}"' in third
    assert world.get("/mail/inbox?after=x").status == 400


def pager(page: str) -> str:
    """What stands beside the arrows."""
    [_, rest] = page.split('<div class="pager">')
    words = re.sub("<[^>]+>", "", rest.partition('class="ib')[0].rpartition("<")[0])
    return unescape(words)


def next_page(page: str) -> str:
    """Where the arrow to older mail leads."""
    found = re.search(r'href="([^"]+)"[^>]*rel="next"', page)
    assert found is not None
    return unescape(found[1])


def ungrouped(world: WebWorld) -> WebWorld:
    at_once(world.personal.change(ALICE, Preferences(grouped=False)))
    return world


def many(count: int) -> list[Summary]:
    return [summary(n, f"Letter {n}", when=NEW_YEAR - n) for n in range(count)]


def test_a_page_says_which_rows_it_shows() -> None:
    world = ungrouped(world_with(*many(1284)))
    page = world.get("/mail/inbox").text
    assert pager(page) == "1–50 of 1,284"
    second = world.get(next_page(page)).text
    assert pager(second) == "51–100 of 1,284"
    third = world.get(next_page(second)).text
    assert pager(third) == "101–150 of 1,284"
    newer = re.search(r'href="([^"]+)"[^>]*rel="prev"', third)
    assert newer is not None
    assert pager(world.get(unescape(newer[1])).text) == "51–100 of 1,284"
    # Whoever comes back from an action is where they were.
    assert f'name="back" value="{next_page(page)}"'.replace("&", "&amp;") in second
    # An address that is older than this, or from elsewhere: what is known is said.
    bare = next_page(page).partition("&")[0]
    assert pager(world.get(bare).text) == "1,284 messages"


def test_the_end_of_a_list_is_known_whatever_went_meanwhile() -> None:
    world = ungrouped(world_with(*many(60)))
    older = next_page(world.get("/mail/inbox").text)
    del world.conversations.all[:7]
    assert pager(world.get(older).text) == "44–53 of 53"


def test_of_conversations_nobody_counts_the_whole() -> None:
    world = world_with(*many(120))
    page = world.get("/mail/inbox").text
    assert pager(page) == "1–50 · 120 messages"
    second = world.get(next_page(page)).text
    assert pager(second) == "51–100 · 120 messages"
    assert pager(world.get(next_page(second)).text) == "101–120 of 120"
    assert pager(world_with(summary(1)).get("/mail/inbox").text) == "1 of 1"
    assert pager(world_with().get("/mail/inbox").text) == ""


def test_a_range_is_in_the_reader_s_language() -> None:
    world = ungrouped(world_with(*many(60)))
    page = world.get("/mail/inbox", {"Accept-Language": "ar"}).text
    assert '<bdi dir="ltr">1–50</bdi><span class="hide-s"> من 60</span>' in page


def test_one_element_alone() -> None:
    world = world_with(summary(1))
    heard = world.get("/mail/inbox", {"X-Mailkit-Swap": "list"})
    assert heard.text.strip().startswith('<form class="list" id="list"')
    assert heard.text.strip().endswith("</form>")
    assert heard.headers["x-mailkit-title"] == "Inbox%20%281%29"
    heard = world.get("/mail/inbox", {"X-Mailkit-Swap": "main"})
    assert heard.text.strip().startswith('<main class="main" id="main"')
    # An element that the page has not: all of it.
    heard = world.get("/mail/inbox", {"X-Mailkit-Swap": "conv"})
    assert heard.text.startswith("<!doctype html>")
    assert "vary" in heard.headers


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("inbox", "Nothing waiting"),
        ("starred", "No stars yet"),
        ("snoozed", "Nothing put off"),
        ("sent", "Nothing sent yet"),
        ("drafts", "No drafts"),
        ("archive", "The archive is empty"),
        ("spam", "No spam"),
        ("trash", "The Trash is empty"),
        ("all", "There is no mail in this list."),
        ("label/travel", "There is no mail in this list."),
    ],
)
def test_where_there_is_nothing(box: str, words: str) -> None:
    page = world_with().get(f"/mail/{box}").text
    assert words in page
    assert 'aria-current="page"' in page or box.startswith("label/")


def test_what_is_not_there() -> None:
    world = world_with()
    for box in ("nothing", "folder/nothing", "Inbox"):
        assert world.get(f"/mail/{box}").status == 404


def test_labels_and_folders() -> None:
    world = WebWorld()
    at_once(world.store.create(ALICE, MailboxName("Work/Ärger & 2%")))
    at_once(world.personal.put_labels(ALICE, [Label("$l_travel", "Reisen", 2)]))
    world.conversations.all += [
        summary(1, keywords=["$l_travel", "Later", "$Forwarded"]),
        summary(2, "In a folder", mailbox=MailboxName("Work/Ärger & 2%")),
    ]
    world.sign_in()
    page = world.get("/mail/inbox").text
    assert '<span class="chip a2"><bdi>Reisen</bdi></span>' in page
    colour = unnamed("Later").colour
    assert f'<span class="chip a{colour}"><bdi>Later</bdi></span>' in page
    assert "Forwarded" not in page
    assert '<span class="dot l2"></span><bdi class="ell">Reisen</bdi>' in page
    path = re.search(r'href="(/mail/folder/Work/[^"]+)"', page)
    assert path is not None
    assert "In a folder" in world.get(path[1]).text


def test_sent_says_to_whom_and_drafts_are_written_on() -> None:
    to = [Person("Ruben", "ruben@far.example"), Person("", "papa@far.example")]
    me = Person("", ALICE)
    world = world_with(
        summary(1, mailbox=MailboxName("Sent"), to=to, sender=me, flags=["\\Seen"]),
        summary(
            2, "", mailbox=MailboxName("Drafts"), sender=me,
            flags=["\\Seen", "\\Draft"],
        ),
    )  # fmt: skip
    page = world.get("/mail/sent").text
    assert "To: Ruben, papa@far.example" in page
    page = world.get("/mail/drafts").text
    assert "Nobody yet" in page
    assert "(no subject)" in page
    assert 'href="/compose?draft=m2"' in page


def test_snoozed_says_when_it_comes_back() -> None:
    world = WebWorld()
    at_once(world.store.create(ALICE, SNOOZED))
    world.conversations.all.append(summary(1, mailbox=SNOOZED))
    until = NEW_YEAR + 3 * DAY
    at_once(world.personal.snooze(ALICE, [Snooze("m1", until, MailboxName("INBOX"))]))
    world.sign_in()
    assert "Back " in world.get("/mail/snoozed").text


def test_the_first_steps_are_shown_until_dismissed() -> None:
    world = world_with(summary(1))
    assert "Three things to know" in world.get("/mail/inbox").text
    assert "Three things to know" not in world.get("/mail/archive").text
    assert world.post("/tips", action="settings").location == "/mail/inbox"
    assert "Three things to know" not in world.get("/mail/inbox").text


def test_names_from_people_are_no_html() -> None:
    world = world_with(
        summary(1, "<script>x</script>", sender=Person('"><img src=x>', "a@b.example"),
                preview="</a><script>", keywords=["<b>"]),
    )  # fmt: skip
    page = world.get("/mail/inbox").text
    for tag in ("<script>x", "<img", "</a><script>", "<bdi><b>"):
        assert tag not in page
    assert "<bdi>&lt;b&gt;</bdi>" in page


def test_fifty_rows_weigh_little() -> None:
    world = world_with(
        *(
            summary(
                n,
                f"Letter number {n} with a subject of the usual length",
                when=NEW_YEAR - n * 4000,
                sender=Person(f"Person Number {n}", f"person{n}@far.example"),
                preview=f"Dear Alice, this is what I wanted to tell you {n} times " * 2,
                keywords=["travel"] if n % 3 else [],
            )
            for n in range(1, 60)
        )
    )
    heard = world.get("/mail/inbox", {"Accept-Encoding": "gzip"})
    assert heard.headers["content-encoding"] == "gzip"
    assert int(heard.headers["content-length"]) <= 16 * 1024
    assert len(heard.octets) <= 120 * 1024


def test_a_mailbox_that_a_mail_program_deleted() -> None:
    world = WebWorld()
    at_once(world.store.delete(ALICE, MailboxName("Sent")))
    world.sign_in()
    page = world.get("/mail/inbox")
    assert page.status == 200
    assert "/mail/scheduled" in page.text
    assert 'href="/mail/sent"' not in page.text
    assert world.get("/mail/sent").status == 404
