"""A day with mail: what a person does in the browser, and what a mail program sees."""

from __future__ import annotations

import email
import email.policy
import imaplib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.site import BOB, Site
from tests.interop.server import PASSWORD, PATIENCE, wait_until

MAREN = "maren@example.test"
ZONE = ZoneInfo("Asia/Tokyo")  # where no hour comes twice; the browser is elsewhere
PLAN = b"%PDF-1.4\n" + bytes(range(256)) * 40
LONG, AWAY = timedelta(days=2), timedelta(seconds=15)


@pytest.fixture(scope="module")
def site_settings() -> str:
    return '[accounts]\nregistration = "open"\n'


class Program:
    """A mail program that stays connected all day."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self._client = client

    def flags(self, mailbox: str) -> list[set[str]]:
        """Of each message in a mailbox."""
        said, count = self._client.select(f'"{mailbox}"', readonly=True)
        if said != "OK" or count == [b"0"]:
            return []
        _, answer = self._client.fetch("1:*", "(FLAGS)")
        return [
            {flag.decode() for flag in imaplib.ParseFlags(line)}
            for line in answer
            if isinstance(line, bytes)
        ]

    def only(self, mailbox: str) -> EmailMessage:
        """The one message that is there."""
        assert len(self.flags(mailbox)) == 1
        _, answer = self._client.fetch("1", "(BODY.PEEK[])")
        assert isinstance(answer[0], tuple)
        return _read(answer[0][1])

    def sees(
        self, what: str, is_so: Callable[[], bool], seconds: float = PATIENCE
    ) -> None:
        wait_until(f"the mail program sees {what}", is_so, seconds)

    def counts(self, **mailboxes: int) -> None:
        """How many messages lie where."""
        self.sees(
            f"{mailboxes}",
            lambda: all(
                len(self.flags(name)) == count for name, count in mailboxes.items()
            ),
        )


def _read(octets: bytes) -> EmailMessage:
    return email.message_from_bytes(octets, policy=email.policy.default)


def _file(message: EmailMessage) -> tuple[str | None, bytes]:
    (part,) = message.iter_attachments()
    return part.get_filename(), part.get_content()


def _row(page: Page) -> Locator:
    """The conversation that the day is about, in a list where it is alone."""
    row = page.locator("li.row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Kitchen drawings")
    return row


def _attached(page: Page) -> Locator:
    """Her file, when it has come: before, a row says how far it is."""
    return page.locator("#ups").get_by_role("link", name="plan.pdf")


def _open(page: Page, box: str = "inbox") -> None:
    page.goto(f"/mail/{box}")
    _row(page).locator("a.subj").click()
    expect(page.locator("h1#subj")).to_have_text("Kitchen drawings")
    expect(page.locator("#conv[data-ready]")).to_be_visible()


def _set(page: Page, choices: dict[str, str]) -> None:
    """In a tab beside."""
    beside = page.context.new_page()
    beside.goto("/settings/general")
    for label, value in choices.items():
        beside.get_by_label(label).select_option(value)
    beside.get_by_role("button", name="Save").click()
    expect(beside.get_by_text("Saved.")).to_be_visible()
    beside.close()


def _snooze(page: Page, away: timedelta) -> None:
    page.get_by_role("button", name="Snooze (b)").click()
    field = page.get_by_label("Another time")
    field.evaluate("field => (field.step = 1)")
    until = datetime.now(ZONE) + away
    field.fill(until.strftime("%Y-%m-%dT%H:%M:%S"))
    # Whoever leaves at once may take along what was not yet asked.
    with page.expect_response("**/act"):
        page.get_by_role("button", name="Snooze", exact=True).click()


def test_a_name_that_is_typed_before_the_script_comes(tab: Page) -> None:
    held: list[Route] = []
    tab.route("**/joining.js", lambda route: held.append(route))
    tab.goto("/register", wait_until="commit")
    tab.get_by_label("Your address").fill("ingrid")
    wait_until("the script is asked for", lambda: tab.evaluate("1") and held)
    for route in held:
        route.continue_()
    expect(tab.get_by_text("ingrid@example.test is free.")).to_be_visible()


def test_a_day(tab: Page, site: Site, tmp_path: Path) -> None:
    page = tab

    # She makes an account of her own, says where she lives, and that she is slow.
    page.goto("/login")
    page.get_by_role("link", name="Make a new account").click()
    page.get_by_label("Your address").fill("maren")
    expect(page.get_by_text(f"{MAREN} is free.")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url("**/mail/inbox**")
    _set(page, {"Time zone": str(ZONE), "Undo is offered for": "30"})

    with site.imap(MAREN) as client:
        program = Program(client)
        program.counts(INBOX=0)

        # Mail comes while she looks.
        page.goto("/mail/inbox")
        site.deliver(
            "Kitchen drawings",
            "The sink has moved under the window.\n",
            to=MAREN,
            sender=f"Bob Lund <{BOB}>",
        )
        expect(_row(page)).to_have_class(re.compile(r"\bun\b"))
        program.counts(INBOX=1)
        assert "\\Seen" not in program.flags("INBOX")[0]

        # She reads it, ...
        _row(page).locator("a.subj").click()
        expect(
            page.get_by_text("The sink has moved under the window.").last
        ).to_be_visible()
        program.sees("that she read it", lambda: "\\Seen" in program.flags("INBOX")[0])

        # ... gives it a star ...
        page.get_by_role("button", name="Star (s)").click()
        program.sees("a star", lambda: "\\Flagged" in program.flags("INBOX")[0])
        page.goto("/mail/starred")
        _row(page)

        # ... and a label.
        _open(page)
        page.get_by_role("button", name="Label (l)").click()
        page.get_by_label("New label").fill("House")
        page.get_by_role("button", name="Create and add").click()
        program.sees("a label", lambda: "$l_house" in program.flags("INBOX")[0])
        page.get_by_role("navigation").get_by_role("link", name="House").click()
        expect(page.get_by_role("heading", level=1, name="House")).to_be_visible()
        _row(page)

        # She answers with a file, ...
        _open(page)
        page.get_by_role("link", name="Reply", exact=True).last.click()
        plan = tmp_path / "plan.pdf"
        plan.write_bytes(PLAN)
        page.locator("input[type=file]").set_input_files(plan)
        expect(_attached(page)).to_be_visible()
        page.get_by_role("textbox", name="Message").fill("Good. My plan is attached.")
        page.get_by_role("button", name="Send", exact=True).click()

        # ... thinks better of it, ...
        toast = page.get_by_role("status").filter(has_text=re.compile("Undo|Send|sent"))
        toast.get_by_role("button", name="Undo").click()
        expect(page.locator("#composer[data-ready]")).to_be_visible()
        expect(_attached(page)).to_be_visible()
        program.counts(Drafts=1, Sent=0)
        assert _file(program.only("Drafts")) == ("plan.pdf", PLAN)
        assert site.messages("INBOX", BOB) == []

        # ... and sends it after all.
        _set(page, {"Undo is offered for": "5"})
        page.get_by_role("textbox", name="Message").fill(
            "Better: the plan is attached."
        )
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url("**/mail/**")
        wait_until("Bob has it", lambda: bool(site.messages("INBOX", BOB)), 90)
        (sent,) = site.messages("INBOX", BOB)
        assert _file(_read(sent)) == ("plan.pdf", PLAN)
        body = _read(sent).get_body(("plain",))
        assert body is not None
        assert body.get_content().startswith("Better: the plan is attached.")
        program.counts(Drafts=0, Sent=1)
        assert _file(program.only("Sent")) == ("plan.pdf", PLAN)
        program.sees("an answer", lambda: "\\Answered" in program.flags("INBOX")[0])

        # She finds it by a word of Bob's, and puts it away.
        page.get_by_role("searchbox", name="Search mail").fill("from:bob window")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Results for")
        expect(_row(page).locator("mark").first).to_have_text("window")
        page.goto("/mail/inbox")
        _row(page).get_by_role("checkbox").check()
        page.get_by_role("button", name="Archive", exact=True).first.click()
        program.counts(INBOX=0, Archive=1)

        # Into the Trash, and out of it.
        _open(page, "archive")
        page.get_by_role("button", name="Delete (#)").click()
        program.counts(Archive=0, Trash=1)
        _open(page, "trash")
        page.get_by_role("button", name="Move to the inbox").click()
        program.counts(INBOX=1, Trash=0)
        kept = {"\\Seen", "\\Flagged", "\\Answered", "$l_house"}
        assert kept <= program.flags("INBOX")[0]

        # Not now: another day, ...
        _open(page)
        _snooze(page, LONG)
        program.counts(INBOX=0, Snoozed=1)
        page.goto("/mail/snoozed")
        expect(_row(page)).to_contain_text("Back ")

        # ... or rather in some seconds.
        _open(page, "starred")
        _snooze(page, AWAY)
        page.goto("/mail/inbox")
        back = _row(page)
        expect(back).to_contain_text("Snoozed, back since")
        expect(back).to_have_class(re.compile(r"\bun\b"))
        program.counts(INBOX=1, Snoozed=0)
        assert "\\Seen" not in program.flags("INBOX")[0]
        assert {"\\Flagged", "$l_house"} <= program.flags("INBOX")[0]

    # The day is over.
    page.goto("/settings/security")
    page.get_by_role("button", name="Sign out here").click()
    page.wait_for_url("**/login**")
    page.goto("/mail/inbox")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
