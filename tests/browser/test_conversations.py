"""Conversations in a browser: what is shown, what stays unread, what is looked at."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.browser.conftest import sign_in
from tests.browser.site import ALICE, Site
from tests.interop.server import wait_until

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
LONG = "".join(f"<p>Paragraph {n} of a long letter.</p>" for n in range(60))


def open_letter(page: Page, subject: str, box: str = "inbox") -> None:
    """From the list, which the page then leads back to."""
    page.goto(f"/mail/{box}")
    page.get_by_role("link", name=subject).click()
    expect(page.locator("h1")).to_have_text(subject)
    expect(page.locator("#conv[data-ready]")).to_be_visible()


def row(page: Page, subject: str) -> str:
    """The class of the row that has the subject."""
    page.goto("/mail/inbox")
    found = page.locator(".row", has_text=subject)
    return found.get_attribute("class") or ""


@pytest.fixture
def dark(tab: Page) -> Page:
    """Alice, on a screen that is dark."""
    tab.emulate_media(color_scheme="dark")
    sign_in(tab)
    return tab


def letter(sender: str, text: str, hour: int, before: Sequence[str]) -> EmailMessage:
    """One of a conversation, at some hour of a day."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = "somebody@far.example"
    message["Subject"] = "Re: Sunday lunch" if before else "Sunday lunch"
    message["Date"] = datetime(2026, 3, 4, hour, tzinfo=UTC)
    message["Message-ID"] = make_msgid(domain="far.example")
    if before:
        message["In-Reply-To"] = before[-1]
        message["References"] = " ".join(before)
    message.set_content(text)
    return message


def test_my_answer_stands_between_two_of_theirs(alice: Page, site: Site) -> None:
    them = "Ingrid Solheim <ingrid@far.example>"
    before: list[str] = []
    with site.imap() as client:
        for mailbox, sender, text, hour in (
            ("INBOX", them, "At ours?", 10),
            ("Sent", ALICE, "Gladly.", 11),
            ("INBOX", them, "At one, then.", 12),
        ):
            message = letter(sender, text, hour, before)
            when = f'"04-Mar-2026 {hour}:00:00 +0000"'
            client.append(mailbox, "", when, message.as_bytes(policy=SMTP))
            before.append(str(message["Message-ID"]))
    for box, link in (("inbox", "Re: Sunday lunch"), ("sent", "Re: Sunday lunch")):
        alice.goto(f"/mail/{box}")
        alice.get_by_role("link", name=link).first.click()
        expect(alice.locator("h1")).to_have_text("Sunday lunch")
        names = alice.locator(".msg .who").all_inner_texts()
        assert names == ["Ingrid Solheim", "Me", "Ingrid Solheim"], box
        alice.keyboard.press(";")
        texts = alice.locator(".msg .body").all_inner_texts()
        assert [text.strip() for text in texts] == [
            "At ours?",
            "Gladly.",
            "At one, then.",
        ]


def test_what_nobody_opened_stays_unread(alice: Page, site: Site) -> None:
    site.deliver("Not opened yet")
    alice.goto("/mail/inbox")
    address = alice.get_by_role("link", name="Not opened yet").get_attribute("href")
    heard: list[int] = []
    alice.on(
        "response",
        lambda answer: (
            heard.append(answer.status) if address and address in answer.url else None
        ),
    )
    alice.evaluate(
        """address => {
          const link = Object.assign(document.createElement("link"),
            {rel: "prefetch", href: address});
          document.head.append(link);
          document.body.append(Object.assign(new Image(), {src: address}));
        }""",
        address,
    )
    wait_until("both were asked for", lambda: alice.evaluate("1") and len(heard) == 2)
    assert 403 in heard
    assert "un" in row(alice, "Not opened yet").split()
    open_letter(alice, "Not opened yet")
    assert "un" not in row(alice, "Not opened yet").split()


def test_a_frame_is_as_high_as_its_message(alice: Page, site: Site) -> None:
    site.deliver("Long", html=f"<html><body>{LONG}</body></html>")
    open_letter(alice, "Long")
    frame = alice.locator("iframe[data-message]")
    expect(frame.content_frame.get_by_text("Paragraph 59 of")).to_be_visible()

    def is_as_high() -> bool:
        inside = frame.content_frame.locator("html").evaluate("e => e.scrollHeight")
        box = frame.bounding_box()
        return (
            box is not None and box["height"] > 1500 and abs(box["height"] - inside) < 4
        )

    wait_until("it is as high", is_as_high)


def test_keys_work_while_the_message_has_the_focus(alice: Page, site: Site) -> None:
    site.deliver("Keys within", html="<p>Words to click on.</p>")
    open_letter(alice, "Keys within")
    frame = alice.locator("iframe[data-message]")
    # It is loaded, then: its height is known.
    expect(frame).to_have_attribute("style", re.compile("block-size"))
    frame.content_frame.get_by_text("Words to click on.").click()
    alice.keyboard.press("u")
    expect(alice.locator("#list")).to_be_visible()


def test_a_key_within_a_message_counts_once(tab: Page, site: Site) -> None:
    """Also where it is there before the script, and its picture later."""
    message = letter("Ingrid <ingrid@far.example>", "Words.", 10, ())
    message.replace_header("Subject", "Slow picture")
    html = '<p>Words to click on.</p><img src="cid:one@far.example">'
    message.add_alternative(html, subtype="html")
    (_, page) = message.iter_parts()
    page.add_related(PIXEL, "image", "png", cid="<one@far.example>")
    site.deliver_octets(message.as_bytes(policy=SMTP))
    scripts: list[Route] = []
    pictures: list[Route] = []
    # Both are held from the beginning.
    tab.route("**/reader.js", lambda route: scripts.append(route))
    tab.route("**/part/**", lambda route: pictures.append(route))
    sign_in(tab)
    address = tab.get_by_role("link", name="Slow picture").get_attribute("href") or ""
    tab.goto(address, wait_until="commit")
    frame = tab.locator("iframe[data-message]").content_frame
    expect(frame.get_by_text("Words to click on.")).to_be_visible()
    wait_until("a picture is held", lambda: tab.evaluate("1") and pictures)
    wait_until("so is the script", lambda: tab.evaluate("1") and scripts)
    # What is held may be that of the list, which asks for it beforehand.
    tab.unroute("**/reader.js")
    for route in scripts:
        route.continue_()
    expect(tab.locator("#conv[data-ready]")).to_be_visible()
    for route in pictures:
        route.continue_()
    tab.wait_for_load_state()
    tab.evaluate(
        """() => {
          window.keys = 0;
          addEventListener("keydown", () => (window.keys += 1));
        }"""
    )
    frame.get_by_text("Words to click on.").click()
    tab.keyboard.press("Q")
    assert tab.evaluate("window.keys") == 1


def test_pictures_wait_for_consent(tab: Page, site: Site) -> None:
    alice = tab
    html = '<p>Look:</p><img src="https://far.example/cat.png" width="300">'
    site.deliver("Cats", html=html)
    asked: list[str] = []
    # Before any page: where it is switched on later, a request may pass by.
    alice.context.route("**/img/**", lambda route: answer_picture(route, asked))
    sign_in(alice)
    alice.on("request", lambda one: asked.append(one.url))
    open_letter(alice, "Cats")
    expect(
        alice.get_by_text("Pictures from the internet are not loaded")
    ).to_be_visible()
    assert not [url for url in asked if not url.startswith(site.origin)]
    assert not [url for url in asked if "/img/" in url]
    alice.get_by_role("button", name="Load pictures").click()
    picture = alice.locator("iframe[data-message]").content_frame.locator("img")
    expect(picture).to_have_attribute("src", re.compile("/img/"))
    wait_until("ours is asked", lambda: alice.evaluate("1") and "IMG" in asked)
    assert not [url for url in asked if "far.example" in url]


def answer_picture(route: Route, asked: list[str]) -> None:
    asked.append("IMG")
    route.fulfill(status=200, content_type="image/png", body=PIXEL)


def test_files_are_looked_at_in_place(alice: Page, site: Site) -> None:
    site.deliver(
        "Three files",
        files=[
            ("plan.png", "image/png", PIXEL),
            ("notes.txt", "text/plain", b"Some <b>notes</b>.\n"),
            ("page.html", "text/html", b"<script>1</script>"),
        ],
    )
    open_letter(alice, "Three files")
    files = alice.get_by_role("list", name="Attachments")
    expect(files.get_by_role("listitem")).to_have_count(3)
    files.get_by_role("link", name="plan.png").first.click()
    dialog = alice.get_by_role("dialog")
    shown = dialog.get_by_role("img", name="plan.png")
    expect(shown).to_be_visible()
    expect(shown).to_have_js_property("naturalWidth", 1)
    alice.keyboard.press("ArrowRight")
    expect(dialog.locator("pre")).to_have_text("Some <b>notes</b>.\n")
    save = dialog.get_by_role("link", name="Download")
    with alice.expect_download() as download:
        save.click()
    assert download.value.suggested_filename == "notes.txt"
    alice.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert "plan.png" in alice.evaluate("document.activeElement.textContent")
    with alice.expect_download() as download:
        files.get_by_role("link", name="page.html").first.click()
    assert download.value.suggested_filename == "page.html"


def test_a_text_that_comes_late_is_not_shown_in_place_of_another(
    tab: Page, site: Site
) -> None:
    texts = [(f"{n}.txt", "text/plain", f"Text {n}.\n".encode()) for n in (1, 2)]
    site.deliver("Two texts", files=texts)
    asked: list[Route] = []
    tab.route("**/view", lambda route: asked.append(route))
    sign_in(tab)
    open_letter(tab, "Two texts")
    tab.get_by_role("link", name="1.txt").first.click()
    dialog = tab.get_by_role("dialog")
    expect(dialog.get_by_role("heading")).to_have_text("1.txt")
    tab.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("heading")).to_have_text("2.txt")
    wait_until("both are asked for", lambda: tab.evaluate("1") and len(asked) == 2)
    first, second = sorted(asked, key=lambda route: route.request.url)
    with tab.expect_event("requestfinished"):
        second.continue_()
    expect(dialog.locator("pre")).to_have_text("Text 2.\n")
    with tab.expect_event("requestfinished"):
        first.continue_()
    tab.evaluate("fetch('/healthz').then((answer) => answer.text())")
    assert dialog.locator("pre").inner_text() == "Text 2.\n"


def test_read_after_two_seconds_where_that_is_wished(alice: Page, site: Site) -> None:
    site.deliver("Read slowly")
    mark_read(alice, "after_2s")
    try:
        alice.clock.install()
        # From now on its seconds are those of this test.
        alice.clock.pause_at(datetime.now(UTC) + timedelta(days=1))
        open_letter(alice, "Read slowly")
        assert unread(site, "Read slowly")
        with alice.expect_response("**/act") as answer:
            alice.clock.run_for(2100)
        assert answer.value.status == 204
        assert not unread(site, "Read slowly")
    finally:
        mark_read(alice, "at_once")


def mark_read(page: Page, when: str) -> None:
    page.goto("/settings/general")
    page.locator("#mark_read").select_option(when)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def unread(site: Site, subject: str) -> bool:
    with site.imap() as client:
        client.select("INBOX", readonly=True)
        _, found = client.search(None, "UNSEEN", "SUBJECT", f'"{subject}"')
        return found != [b""]


def test_dark_screens(dark: Page, site: Site) -> None:
    site.deliver("Plain words", "Nothing but text.\n")
    site.deliver("Own colours", html='<p style="color:#222">Coloured.</p>')
    dark.goto("/mail/inbox")
    colour = "getComputedStyle(document.body).backgroundColor"
    assert dark.evaluate(colour) == "rgb(18, 20, 18)"
    open_letter(dark, "Plain words")
    expect(dark.locator(".msg .body")).to_have_css("color", "rgb(236, 234, 228)")
    open_letter(dark, "Own colours")
    white = ("background-color", "rgb(255, 255, 255)")
    expect(dark.locator(".paper")).to_have_css(*white)
    page = dark.locator("iframe[data-message]").content_frame.locator("body")
    expect(page).to_have_text("Coloured.")
    dark.get_by_role("link", name="Dark", exact=True).click()
    expect(dark.get_by_role("link", name="Light", exact=True)).to_be_visible()
    expect(dark.locator(".paper")).not_to_have_css(*white)


def test_an_action_leads_back_to_the_list(alice: Page, site: Site) -> None:
    site.deliver("To be sorted")
    open_letter(alice, "To be sorted")
    alice.keyboard.press("e")
    expect(alice.locator("#list")).to_be_visible()
    expect(alice.locator("#toast")).to_contain_text("Archived")
    expect(alice).not_to_have_url(re.compile("done="))
    expect(alice.get_by_role("link", name="To be sorted")).to_have_count(0)
    alice.keyboard.press("z")
    expect(alice.get_by_role("link", name="To be sorted")).to_have_count(1)


def test_from_one_to_the_next(alice: Page, site: Site) -> None:
    for n in (1, 2, 3):
        site.deliver(f"Chapter {n}")
    open_letter(alice, "Chapter 3")
    alice.keyboard.press("j")
    expect(alice.locator("h1")).to_have_text("Chapter 2")
    alice.keyboard.press("k")
    expect(alice.locator("h1")).to_have_text("Chapter 3")
    alice.keyboard.press("]")
    expect(alice.locator("h1")).to_have_text("Chapter 2")
    expect(alice.locator("#toast")).to_contain_text("Archived")
    alice.keyboard.press("u")
    expect(alice.locator("#list")).to_be_visible()
    expect(alice.locator(".row:focus-within .st")).to_have_text("Chapter 2")


def test_an_answer_is_written_below_what_it_answers(alice: Page, site: Site) -> None:
    site.deliver("Sunday lunch again")
    open_letter(alice, "Sunday lunch again")
    address = alice.url
    alice.keyboard.press("r")
    composer = alice.locator("#inline #composer")
    expect(composer).to_be_visible()
    assert alice.url == address
    assert alice.evaluate("document.activeElement.closest('#inline') !== null")
    expect(alice.locator("#composer[data-ready]")).to_be_visible()
    with alice.expect_response(is_saved):
        alice.keyboard.type("Gladly.")
    expect(composer.locator("#cstate")).to_contain_text("Saved")
    expect(alice.locator("h1").first).to_have_text("Sunday lunch again")
    assert alice.evaluate("document.activeElement.closest('#inline') !== null")
    alice.goto("/mail/drafts")
    expect(alice.get_by_text("Gladly.")).to_be_visible()


def test_an_answer_is_there_when_its_script_is(tab: Page, site: Site) -> None:
    """What is typed before would be in a field that the script puts away."""
    site.deliver("Quick answer")
    held: list[Route] = []
    tab.route("**/compose.js", lambda route: held.append(route))
    sign_in(tab)
    open_letter(tab, "Quick answer")
    with tab.expect_response(re.compile(r"/compose\?reply=")):
        tab.keyboard.press("r")
    wait_until("the script is asked for", lambda: tab.evaluate("1") and held)
    tab.evaluate("fetch('/healthz').then((answer) => answer.text())")
    assert tab.locator("#inline").count() == 0
    for route in held:
        route.continue_()
    expect(tab.locator("#inline #body")).to_be_focused()
    tab.keyboard.type("Gladly.")
    expect(tab.locator("#body")).to_contain_text("Gladly.")


def is_saved(answer: Response) -> bool:
    """All that was typed is."""
    asked = answer.request
    return asked.method == "PUT" and "Gladly." in (asked.post_data or "")


def test_a_long_letter_is_on_as_many_sheets_as_it_needs(
    alice: Page, site: Site
) -> None:
    """Also where it wants to be elsewhere on the page than it is."""
    style = "<style>body{color:#123456}h1,header{display:none}</style>"
    away = '<p style="position:fixed;top:-9em;left:0">Up and away</p>'
    site.deliver("For paper", html=f"{style}<body>{LONG}{away}</body>")
    open_letter(alice, "For paper")
    alice.goto(f"{alice.url.partition('?')[0]}/print")
    expect(alice.locator("h1")).to_have_text("For paper")
    last = alice.get_by_text("Paragraph 59 of a long letter.")
    expect(last).to_be_visible()
    expect(last).to_have_css("color", "rgb(18, 52, 86)")
    # Its own sheet is as far as it gets.
    sheet, head = alice.locator(".sheet"), alice.locator("header")
    expect(head).to_be_visible()
    expect(sheet).to_have_css("contain", "content")
    assert len(re.findall(rb"/Type\s*/Page\b", alice.pdf())) >= 2
