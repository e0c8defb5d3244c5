"""
The picture of the inbox in README: ``python -m tests.browser.picture [FILE]``.

A real page of a real server, with letters that somebody might have.
"""

from __future__ import annotations

import imaplib
import sys
import tempfile
import time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from pathlib import Path

from attrs import frozen
from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import sign_in
from tests.browser.site import ALICE, Site

FILE = Path(__file__).parents[2] / "docs" / "pictures" / "inbox.png"
MOST = 150_000
"""Octets that a picture may have."""

HOUR = 3600.0
DAY = 24 * HOUR
LABELS = {"Family": "c2", "House": "c4", "Book": "c3"}


@frozen
class Letter:
    """One that lies in the inbox."""

    sender: str
    subject: str
    text: str
    age: float
    """Seconds."""
    flags: str = "\\Seen"
    file: str = ""
    answers: int = 0
    """How many came after it."""


LETTERS = (
    Letter(
        "Ingrid Solheim",
        "Kitchen drawings, second round",
        "I moved the sink under the window and it changes everything. See page 3.",
        0.2 * HOUR,
        "$l_house",
        "kitchen-2.pdf",
        3,
    ),
    Letter(
        "Wei Zhang",
        "Lisbon in March: flights and the small hotel",
        "The hotel keeps two rooms for us until Friday. Shall I book for four?",
        0.9 * HOUR,
        "$l_family \\Flagged",
    ),
    Letter(
        "City library",
        "Two books wait for you",
        "The Summer Book and A Field Guide to Getting Lost, until 4 December.",
        2.5 * HOUR,
    ),
    Letter(
        "Tomas Hruby",
        "Chapter seven, with your remarks worked in",
        "The lighthouse keeper stays, but he does not speak any more. Better?",
        4 * HOUR,
        "\\Seen \\Flagged $l_book",
        "chapter-7.odt",
        1,
    ),
    Letter(
        "Amara Okafor",
        "Sunday lunch",
        "We are nine. Bring the folding chairs, and nothing to eat.",
        1.1 * DAY,
        "\\Seen $l_family",
        "",
        5,
    ),
    Letter(
        "Northern Railways",
        "Your ticket Oslo to Bergen, 28 November",
        "Coach 5, seats 31 and 32 by the window. Show the code on your phone.",
        1.3 * DAY,
        "\\Seen",
        "ticket.pdf",
    ),
    Letter(
        "Ruth Lindqvist",
        "Choir: new rehearsal times",
        "From January we meet on Tuesdays at seven, in the old school.",
        1.6 * DAY,
        "",
    ),
    Letter(
        "Pavel Novak",
        "Roof: the offer you asked for",
        "Slate on the north side, and the gutter renewed. Valid until New Year.",
        2.2 * DAY,
        "\\Seen $l_house",
        "offer.pdf",
    ),
    Letter(
        "Leila Haddad",
        "Photographs from the lake",
        "All forty of them, and the one where you fell in.",
        3.1 * DAY,
        "\\Seen $l_family",
        "lake.zip",
    ),
    Letter(
        "Parish newsletter",
        "The bells are back",
        "After eight months in the workshop they ring again on Sunday at ten.",
        4.2 * DAY,
    ),
)


def seed(client: imaplib.IMAP4) -> None:
    """The letters, the oldest first."""
    for letter in reversed(LETTERS):
        first = ""
        for number in range(letter.answers + 1):
            age = letter.age + 1.5 * HOUR * (letter.answers - number)
            message = EmailMessage()
            local_part = letter.sender.lower().replace(" ", ".")
            message["From"] = f"{letter.sender} <{local_part}@far.example>"
            message["To"] = ALICE
            message["Subject"] = ("Re: " if number else "") + letter.subject
            message["Date"] = formatdate(time.time() - age)
            message["Message-ID"] = f"<{number}.{local_part}@far.example>"
            if number:
                message["References"] = first
            else:
                first = str(message["Message-ID"])
            message.set_content(letter.text + "\n")
            if letter.file:
                message.add_attachment(
                    b"%PDF-1.4\n", "application", "octet-stream", filename=letter.file
                )
            flags = letter.flags if number == letter.answers else "\\Seen"
            at = imaplib.Time2Internaldate(time.time() - age)
            client.append("INBOX", f"({flags})", at, message.as_bytes(policy=SMTP))


def make_labels(page: Page) -> None:
    """As a person would."""
    for name, colour in LABELS.items():
        page.goto("/settings/labels")
        page.get_by_label("New label").fill(name)
        page.locator("#new-colour").select_option(index=int(colour[1:]) - 1)
        page.get_by_role("button", name="Create label").click()
        page.get_by_role("navigation").get_by_role("link", name=name).wait_for()


def main(path: Path) -> None:
    """A server, a browser, a picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Site(Path(folder))
        site.server.add(ALICE)
        site.server.start()
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        try:
            page = browser.new_page(
                base_url=site.origin,
                viewport={"width": 1200, "height": 720},
                color_scheme="light",
                locale="en-GB",
            )
            sign_in(page)
            page.get_by_role("button", name="Got it").click()
            page.locator(".tips").wait_for(state="detached")
            make_labels(page)
            with site.imap() as client:
                seed(client)
            page.goto("/mail/inbox")
            page.locator(".row").nth(len(LETTERS) - 1).wait_for()
            page.mouse.move(0, 0)
            path.parent.mkdir(exist_ok=True)
            page.screenshot(path=path)
        finally:
            browser.close()
            site.server.stop()
    size = path.stat().st_size
    if size > MOST:
        raise SystemExit(f"{path} has {size:,} octets, more than {MOST:,}")
    sys.stdout.write(f"{path}: {size:,} octets\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FILE)
