"""Each word that a search knows, in the page, against letters that are all known."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

import pytest
from attrs import frozen
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, sign_in
from tests.browser.site import ALICE, BOB, Site

DAY = 24 * 3600.0


@frozen
class Letter:
    """One; its name is its subject's last word."""

    name: str
    subject: str = "About"
    text: str = "Nothing much."
    sender: str = "Ingrid Solheim <ingrid@far.example>"
    to: str = ALICE
    cc: str = ""
    bcc: str = ""
    mailbox: str = "INBOX"
    flags: str = "\\Seen"
    age: float = 100 * DAY
    file: str = ""
    padding: int = 0
    list_id: str = ""


LETTERS = (
    Letter("amber", "Kitchen drawings", "The sink is under the window."),
    Letter("birch", "Lunch", "Kitchen chairs for nine.", sender=f"Bob Lund <{BOB}>"),
    Letter("cedar", "Tickets", "Two seats.", to=f"{ALICE}, wei@near.example"),
    Letter("dahlia", cc="Tomas Hruby <tomas@near.example>"),
    Letter("elder", bcc="secret@near.example", sender=ALICE, mailbox="Sent"),
    Letter("fennel", "Plans", "See page three.", file="ground-floor.pdf"),
    Letter("ginger", flags="\\Seen \\Flagged"),
    Letter("hazel", flags=""),
    Letter("iris", flags="\\Seen $l_house"),
    Letter("jasmine", text="Buy a sink, cheap!", mailbox="Junk"),
    Letter("kelp", text="An old sink.", mailbox="Trash"),
    Letter("lily", text="A tap and a basin.", mailbox="Archive"),
    Letter("maple", list_id="<choir.lists.near.example>", text="Choir on Tuesday."),
    Letter("nettle", age=3 * DAY, text="Fresh bread."),
    Letter("olive", age=800 * DAY, text="Long ago."),
    Letter("poppy", padding=300_000, text="A long report."),
    Letter("quince", text="Über die Größe der Küche."),
    Letter("rose", text="Kitchen table and window seat, but no tap."),
)

AMBER_ID = "<amber@letters.example>"

FOUND: dict[str, str] = {
    "from:ingrid tickets": "cedar",
    "from:bob@example.test": "birch",
    "from:lund": "birch",
    "to:wei": "cedar",
    "cc:tomas": "dahlia",
    "bcc:secret": "elder",
    "subject:kitchen": "amber",
    "subject:(lunch OR tickets)": "birch cedar",
    "body:kitchen": "birch rose",
    "filename:ground": "fennel",
    "filename:pdf": "fennel",
    "has:attachment": "fennel",
    "has:star": "ginger",
    "is:starred": "ginger",
    "is:unread": "hazel",
    "is:read bread": "nettle",
    "in:sent": "elder",
    "in:spam": "jasmine",
    "in:trash": "kelp",
    "in:archive": "lily",
    "in:inbox sink": "amber",
    "sink": "amber",
    "in:anywhere sink": "amber jasmine kelp",
    "label:house": "iris",
    "list:choir": "maple",
    "after:{recent}": "nettle",
    "before:{long_ago}": "olive",
    "before:{long_ago_slashes}": "olive",
    "older_than:2y": "olive",
    "newer_than:7d": "nettle",
    "newer_than:1m": "nettle",
    "larger:100K": "poppy",
    "larger:100K smaller:1K": "",
    f"rfc822msgid:{AMBER_ID}": "amber",
    "rfc822msgid:amber@letters.example": "amber",
    '"window seat"': "rose",
    '"under the window"': "amber",
    "window": "amber rose",
    "kitchen -window": "birch",
    "tap OR bread": "lily nettle rose",
    "kitchen (tap OR chairs)": "birch rose",
    "kitchen -(tap OR chairs)": "amber",
    "-is:read -from:nobody": "hazel",
    "KUCHE grosse": "quince",
    "küch": "quince",
    "wind": "amber rose",
    "zeppelin": "",
}
"""What is typed, and the letters that are found, in the order of their names."""


def _put(client: imaplib.IMAP4, letter: Letter) -> None:
    message = EmailMessage()
    message["From"] = letter.sender
    message["To"] = letter.to
    for name, value in (("Cc", letter.cc), ("Bcc", letter.bcc)):
        if value:
            message[name] = value
    message["Subject"] = f"{letter.subject} {letter.name}"
    message["Date"] = formatdate(time.time() - letter.age)
    message["Message-ID"] = f"<{letter.name}@letters.example>"
    if letter.list_id:
        message["List-Id"] = letter.list_id
    message.set_content(letter.text + "\n" + "-- \n" * (letter.padding // 4))
    if letter.file:
        message.add_attachment(b"%PDF", "application", "pdf", filename=letter.file)
    at = imaplib.Time2Internaldate(time.time() - letter.age)
    octets = message.as_bytes(policy=SMTP)
    answer = client.append(letter.mailbox, f"({letter.flags})", at, octets)
    assert answer[0] == "OK", answer


@pytest.fixture(scope="module")
def finder(chromium: Browser, site: Site) -> Iterator[Page]:
    """Alice, who has these letters."""
    with site.imap() as client:
        there = str(client.list())
        for mailbox in {letter.mailbox for letter in LETTERS} - {"INBOX"}:
            if mailbox not in there:
                client.create(mailbox)
        for letter in LETTERS:
            _put(client, letter)
    page = chromium.new_page(base_url=site.origin, locale="en-GB")
    page.set_default_timeout(PATIENCE)
    sign_in(page)
    yield page
    page.close()


def _typed(text: str) -> str:
    """With the dates of today."""
    recent = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 10 * DAY))
    long_ago = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 400 * DAY))
    return text.format(
        recent=recent, long_ago=long_ago, long_ago_slashes=long_ago.replace("-", "/")
    )


def _search(page: Page, text: str) -> None:
    typed = _typed(text)
    page.get_by_role("searchbox", name="Search mail").fill(typed)
    page.keyboard.press("Enter")
    # It comes together with what was found.
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Results for {typed}")


def _names(page: Page) -> str:
    subjects = page.locator(".row .st").all_inner_texts()
    return " ".join(sorted(subject.split()[-1] for subject in subjects))


@pytest.mark.parametrize(("text", "names"), FOUND.items())
def test_it_finds_these(finder: Page, text: str, names: str) -> None:
    _search(finder, text)
    assert _names(finder) == names


def test_hits_are_marked(finder: Page) -> None:
    _search(finder, "kitchen")
    marks = finder.locator(".row mark").all_inner_texts()
    assert {mark.lower() for mark in marks} == {"kitchen"}


def test_an_unknown_operator_is_a_word_and_said_to_be(finder: Page) -> None:
    _search(finder, "colour:red")
    expect(finder.locator("#list .banner")).to_contain_text("colour:")
    assert _names(finder) == ""


def test_spam_and_trash_are_offered_where_nothing_is_found(finder: Page) -> None:
    _search(finder, '"old sink"')
    assert _names(finder) == ""
    finder.get_by_role("link", name="Search in Spam and Trash too").click()
    expect(finder.locator(".row")).to_have_count(1)
    assert _names(finder) == "kelp"


def test_the_form_writes_what_one_would_type(finder: Page) -> None:
    finder.goto("/search/options")
    finder.get_by_label("From", exact=True).fill("bob")
    finder.get_by_role("main").get_by_role("button", name="Search").click()
    finder.wait_for_url(re.compile(r"/search\?q=from"))  # with all of its rows
    field = finder.get_by_role("searchbox", name="Search mail")
    expect(field).to_have_value("from:bob")
    assert _names(finder) == "birch"
