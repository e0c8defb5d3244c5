"""Pages of a list, and conversations that lie in several mailboxes."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import ALICE, Site

MANY = 130
LOADS = 100


def _letter(number: int) -> bytes:
    return (
        f"From: Ingrid <ingrid@far.example>\r\nTo: {ALICE}\r\n"
        f"Subject: Letter {number:03}\r\nMessage-ID: <{number}@many.example>\r\n"
        f"\r\nWord {number}.\r\n"
    ).encode()


@pytest.fixture(scope="module")
def many(site: Site) -> Iterator[None]:
    """More letters than a page has, in a folder of their own."""
    with site.imap() as client:
        client.create("Many")
        now = time.time()
        for number in range(MANY):
            at = imaplib.Time2Internaldate(now - 7200 * (MANY - number))
            client.append("Many", "(\\Seen)", at, _letter(number))
    yield


def _subjects(html: str) -> list[str]:
    return re.findall(r'class="st">(Letter \d+)<', html)


def test_fifty_rows_however_often_by_cursors(
    site: Site, alice: Page, many: None
) -> None:
    first = [f"Letter {number:03}" for number in range(MANY - 1, MANY - 51, -1)]
    for _ in range(LOADS):
        answer = alice.request.get(site.url("/mail/folder/Many"))
        assert _subjects(answer.text()) == first
    alice.goto("/mail/folder/Many")
    found: list[str] = []
    for expected in (50, 50, 30):
        expect(alice.locator(".row")).to_have_count(expected)
        found += alice.locator(".row .st").all_inner_texts()
        assert not re.search("offset|page=|from=", alice.url)
        older = alice.get_by_role("link", name="Older", exact=True)
        if expected < 50:
            expect(older).to_have_count(0)
            break
        assert "?after=" in str(older.get_attribute("href"))
        top = alice.locator(".row .st").first.inner_text()
        older.click()
        expect(alice.locator(".row .st").first).not_to_have_text(top)
    assert found == [f"Letter {number:03}" for number in range(MANY - 1, -1, -1)]


def test_what_comes_meanwhile_moves_no_page(
    site: Site, alice: Page, many: None
) -> None:
    alice.goto("/mail/folder/Many")
    older = alice.get_by_role("link", name="Older", exact=True).get_attribute("href")
    with site.imap() as client:
        client.append("Many", "(\\Seen)", imaplib.Time2Internaldate(0), _letter(999))
        late = imaplib.Time2Internaldate(time.time())
        client.append("Many", "(\\Seen)", late, _letter(998))
    alice.goto(str(older))
    subjects = [f"Letter {number:03}" for number in range(79, 29, -1)]
    expect(alice.locator(".row .st")).to_have_text(subjects)


def test_a_conversation_has_the_answers_that_were_sent(site: Site, alice: Page) -> None:
    with site.imap() as client:
        client.create("Sent")
        parent = ""
        for box, author, words, age in (
            ("INBOX", "Ingrid Solheim <ingrid@far.example>", "First: whose is it?", 60),
            ("Sent", ALICE, "Second: it is mine.", 30),
        ):
            name = f"<{box}@fence.example>"
            octets = (
                f"From: {author}\r\nTo: {ALICE}\r\nSubject: Re: Garden fence\r\n"
                f"Message-ID: {name}\r\n{parent}\r\n{words}\r\n"
            ).encode()
            at = imaplib.Time2Internaldate(time.time() - age)
            client.append(box, "(\\Seen)", at, octets)
            parent = f"In-Reply-To: {name}\r\nReferences: {name}\r\n"
    site.deliver(
        "Re: Garden fence",
        "Third: then mend it.\n",
        fields=[("In-Reply-To", "<Sent@fence.example>")],
    )
    for box in ("inbox", "sent", "all"):
        alice.goto(f"/mail/{box}")
        row = alice.locator(".row").filter(has_text="Garden fence")
        expect(row).to_have_count(1)
        expect(row.locator(".cnt")).to_have_text("3")
        row.locator("a.subj").click()
        expect(alice.locator("#subj")).to_have_text("Re: Garden fence")
        expect(alice.locator(".msgs .msg")).to_have_count(3)
        previews = alice.locator(".msgs .msg .pv").all_text_contents()
        assert [text.split(":")[0].strip() for text in previews] == [
            "First",
            "Second",
            "Third",
        ], box
        whose = alice.locator(".msgs .msg .who").all_inner_texts()
        assert whose[0] == whose[2] == "Ingrid Solheim" != whose[1]
