"""Lists with keyboard and mouse: quick, undone, and back where they were."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, Route, expect

from mailkit.web.webmail.shortcuts import GROUPS, shown
from tests.browser.conftest import sign_in
from tests.browser.site import Site
from tests.interop.server import wait_until

SUBJECTS = [f"Letter {n}" for n in range(8, 0, -1)]
"""As the list has them: the newest on top."""


@pytest.fixture
def inbox(tab: Page, site: Site) -> Page:
    """Alice's inbox with eight letters, and nothing else anywhere."""
    with site.imap() as client:
        for mailbox in ("INBOX", "Archive", "Trash"):
            answer, count = client.select(mailbox)
            if answer == "OK" and count != [b"0"]:
                client.store("1:*", "+FLAGS", "(\\Deleted)")
                client.expunge()
    for subject in reversed(SUBJECTS):
        site.deliver(subject)
    # Where it is switched on under an open page, a request soon after may pass by.
    tab.route("**/nothing-but-switching-on", lambda route: route.continue_())
    sign_in(tab)
    expect(tab.locator(".row")).to_have_count(8)
    return tab


def subjects(page: Page) -> list[str]:
    return page.locator(".row .st").all_inner_texts()


def focused(page: Page) -> str:
    """The subject of the row that has the keyboard."""
    row = page.locator(".row:focus-within .st")
    return row.inner_text() if row.count() else ""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def ticked(page: Page) -> list[str]:
    return page.locator(".row:has(.ck :checked) .st").all_inner_texts()


def without(*gone: str) -> list[str]:
    return [one for one in SUBJECTS if one not in gone]


def test_delete_and_undo_by_keys(inbox: Page) -> None:
    press(inbox, "j", "j", "x", "#")
    expect(inbox.locator(".row")).to_have_count(7)
    assert subjects(inbox) == without("Letter 7")
    assert focused(inbox) == "Letter 6"
    expect(inbox.get_by_role("status")).to_contain_text("Moved to the Trash")
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(8)
    assert subjects(inbox) == SUBJECTS
    assert focused(inbox) == "Letter 7"
    inbox.reload()
    # What came within one second stands in the order in which it came to the mailbox.
    assert sorted(subjects(inbox)) == sorted(SUBJECTS)


def test_what_is_done_is_done_on_the_server(inbox: Page, site: Site) -> None:
    press(inbox, "j", "e")
    expect(inbox.locator("#toast")).to_contain_text("Archived")
    assert len(site.messages("Archive")) == 1
    inbox.locator("#toast").get_by_role("button", name="Undo").click()
    expect(inbox.locator(".row")).to_have_count(8)
    expect(inbox.locator("#toast")).to_have_count(0)
    inbox.reload()
    assert sorted(subjects(inbox)) == sorted(SUBJECTS)


def test_the_last_row_gives_the_keyboard_to_the_one_before(inbox: Page) -> None:
    press(inbox, "j", "End", "e")
    expect(inbox.locator(".row")).to_have_count(7)
    assert focused(inbox) == "Letter 2"
    press(inbox, "*", "a", "e")
    expect(inbox.get_by_text("Nothing waiting")).to_be_visible()
    assert inbox.evaluate("document.activeElement.tagName") == "H1"
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(7)


def test_ranges(inbox: Page) -> None:
    press(inbox, "j", "Shift+J", "Shift+J")
    assert ticked(inbox) == SUBJECTS[:3]
    press(inbox, "*", "n")
    assert ticked(inbox) == []
    boxes = inbox.locator(".row .ck")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    assert ticked(inbox) == SUBJECTS[1:5]
    expect(inbox.get_by_role("group", name="Actions for selected")).to_be_visible()
    inbox.get_by_role("button", name="Archive", exact=True).first.click()
    assert subjects(inbox) == [*SUBJECTS[:1], *SUBJECTS[5:]]
    expect(inbox.locator("#toast")).to_contain_text("4 archived")
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(8)
    assert ticked(inbox) == []


def test_choosing_by_what_rows_are(inbox: Page) -> None:
    press(inbox, "j", "Shift+I")
    expect(inbox.locator(".row").first).not_to_have_class(re.compile(r"\bun\b"))
    press(inbox, "j", "s")
    press(inbox, "*", "r")
    assert ticked(inbox) == ["Letter 8"]
    press(inbox, "*", "u")
    assert ticked(inbox) == SUBJECTS[1:]
    press(inbox, "*", "s")
    assert ticked(inbox) == ["Letter 7"]
    press(inbox, "*", "t")
    assert ticked(inbox) == without("Letter 7")
    everything = inbox.get_by_label("Select all on this page")
    everything.check()
    assert ticked(inbox) == SUBJECTS
    everything.uncheck()
    assert ticked(inbox) == []


def test_a_star_is_there_at_once_and_after_a_reload(inbox: Page) -> None:
    star = inbox.get_by_role("button", name="Star: Letter 5")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(inbox.locator("#toast")).to_contain_text("Starred")
    inbox.reload()
    expect(star).to_have_attribute("aria-pressed", "true")
    star.click()
    expect(inbox.locator("#toast")).to_contain_text("Star removed")
    inbox.reload()
    expect(star).to_have_attribute("aria-pressed", "false")


def test_one_row_at_a_time_is_in_the_order_of_tab(inbox: Page) -> None:
    press(inbox, "j", "ArrowDown", "ArrowDown")
    assert focused(inbox) == "Letter 6"
    press(inbox, "Home")
    assert focused(inbox) == "Letter 8"
    press(inbox, " ")
    assert ticked(inbox) == ["Letter 8"]
    reached = "[...document.querySelectorAll('.row a, .row button, .row input')]"
    rows = inbox.evaluate(
        f"new Set({reached}.filter(e => e.tabIndex === 0).map(e => e.closest('.row')))"
        ".size"
    )
    assert rows == 1


@pytest.mark.parametrize("where", ["search", "composer", "dialog"])
def test_letters_are_letters_where_one_writes(inbox: Page, where: str) -> None:
    if where == "search":
        inbox.get_by_role("searchbox").focus()
    elif where == "composer":
        inbox.goto("/compose")
        inbox.get_by_label("Subject").focus()
    else:
        press(inbox, "?")
        expect(inbox.get_by_role("dialog")).to_be_visible()
    address = inbox.url
    press(inbox, "j", "x", "#", "g", "s", "c")
    assert inbox.url == address
    if where == "dialog":
        press(inbox, "Escape")
        expect(inbox.get_by_role("dialog")).to_have_count(0)
    if where != "composer":
        assert subjects(inbox) == SUBJECTS
        assert ticked(inbox) == []


def test_letters_can_be_switched_off(inbox: Page) -> None:
    inbox.goto("/settings/shortcuts")
    switch = inbox.get_by_label("Single letters are commands")
    switch.uncheck()
    inbox.get_by_role("button", name="Save").click()
    try:
        expect(switch).not_to_be_checked()
        inbox.goto("/mail/inbox")
        inbox.locator(".row .subj").first.focus()
        press(inbox, "x", "#", "?", "c")
        assert subjects(inbox) == SUBJECTS
        assert ticked(inbox) == []
        expect(inbox.get_by_role("dialog")).to_have_count(0)
        press(inbox, "ArrowDown")
        assert focused(inbox) == "Letter 7"
    finally:
        inbox.goto("/settings/shortcuts")
        switch.check()
        inbox.get_by_role("button", name="Save").click()
        expect(switch).to_be_checked()


def test_the_dialog_lists_every_key(inbox: Page) -> None:
    inbox.locator(".row .subj").first.focus()
    press(inbox, "?")
    dialog = inbox.get_by_role("dialog")
    expect(dialog).to_be_visible()
    heading = dialog.get_by_role("heading", level=1, name="Shortcuts")
    expect(heading).to_be_in_viewport()
    expect(dialog).to_have_accessible_name("Shortcuts")
    listed = set(dialog.locator("kbd").all_inner_texts())
    assert listed == {
        part
        for group in GROUPS
        for one in group.shortcuts
        for key in one.keys
        for part in shown(key)
    }
    bound = inbox.locator("meta[name=mailkit-key-map]").get_attribute("content") or ""
    does = {pair.rsplit("=", 1)[1] for pair in bound.split("|")}
    assert dialog.locator("[data-does]").count() == len(does)
    press(inbox, "Escape")
    expect(dialog).to_have_count(0)
    assert focused(inbox) == "Letter 8"


def test_two_keys_in_a_row_go_places(inbox: Page) -> None:
    press(inbox, "g", "s")
    expect(inbox).to_have_url(re.compile("/mail/starred$"))
    expect(inbox).to_have_title("Starred – mailkit")
    expect(inbox.locator("#nav [aria-current]")).to_have_text("Starred")
    press(inbox, "g", "i")
    expect(inbox).to_have_url(re.compile("/mail/inbox$"))
    press(inbox, "/")
    assert inbox.evaluate("document.activeElement.id") == "q"


def test_back_and_forward_after_swaps(inbox: Page) -> None:
    inbox.set_viewport_size({"width": 1000, "height": 300})
    inbox.evaluate("document.body.dataset.same = 'page'")
    inbox.locator(".row .ck").nth(2).click()
    inbox.evaluate("scrollTo(0, 120)")
    wait_until("it is known", lambda: inbox.evaluate("history.state?.y") == 120)
    names = ["Letter 5", "Starred", "Sent", "Trash"]
    inbox.get_by_role("link", name="Letter 5").click()
    expect(inbox).to_have_title("Letter 5 – mailkit")
    for name in names[1:]:
        inbox.locator("#nav").get_by_role("link", name=name).click()
        expect(inbox).to_have_title(f"{name} – mailkit")
    for name in reversed(names[:-1]):
        inbox.go_back()
        expect(inbox).to_have_title(f"{name} – mailkit")
    inbox.go_back()
    expect(inbox).to_have_title(re.compile("Inbox"))
    assert inbox.url.endswith("/mail/inbox")
    assert inbox.evaluate("scrollY") == 120
    assert focused(inbox) == "Letter 5"
    assert ticked(inbox) == []
    inbox.go_forward()
    expect(inbox).to_have_title("Letter 5 – mailkit")
    assert inbox.locator("h1").inner_text() == "Letter 5"
    assert inbox.evaluate("document.body.dataset.same") == "page"
    inbox.reload()
    expect(inbox).to_have_title("Letter 5 – mailkit")


def test_offline(inbox: Page, context: BrowserContext) -> None:
    inbox.get_by_role("link", name="Letter 8").click()
    expect(inbox.locator("h1")).to_have_text("Letter 8")
    context.set_offline(True)
    expect(inbox.get_by_text("You are offline")).to_be_visible()
    expect(inbox.locator(".body")).to_have_text("Some words.")
    press(inbox, "u")
    expect(inbox.get_by_role("alert")).to_contain_text("no connection")
    expect(inbox.locator("h1")).to_have_text("Letter 8")
    context.set_offline(False)
    press(inbox, "u")
    expect(inbox.locator(".row")).to_have_count(8)
    context.set_offline(True)
    press(inbox, "j", "e")
    expect(inbox.get_by_role("alert")).to_contain_text("Not done")
    assert subjects(inbox) == SUBJECTS
    context.set_offline(False)
    expect(inbox.get_by_text("You are offline")).to_have_count(0)


def test_what_was_asked_before_does_not_undo_what_is_done(
    inbox: Page, site: Site
) -> None:
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        held.append((route, route.fetch()))

    inbox.route("**/mail/inbox", hold)
    with site.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Seen)")
    wait_for(inbox, lambda: bool(held))
    press(inbox, "j", "s")
    star = inbox.get_by_role("button", name="Star: Letter 8")
    expect(inbox.locator("#toast")).to_contain_text("Starred")
    route, answer = held[0]
    route.fulfill(response=answer)
    wait_for(inbox, lambda: len(held) > 1)  # it is asked for anew
    expect(star).to_have_attribute("aria-pressed", "true")


def wait_for(page: Page, is_so: Callable[[], bool]) -> None:
    """Until something is so that the page does not show."""
    for _ in range(300):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("not within 15 s")


def test_lists_are_fresh_when_the_connection_is_back(
    inbox: Page, context: BrowserContext, site: Site
) -> None:
    context.set_offline(True)
    expect(inbox.get_by_text("You are offline")).to_be_visible()
    site.deliver("Letter 9")
    context.set_offline(False)
    expect(inbox.locator(".row .st").first).to_have_text("Letter 9")


def test_a_refusal_says_why_and_brings_the_row_back(inbox: Page) -> None:
    inbox.route("**/act", refuse)
    press(inbox, "j", "j", "e")
    expect(inbox.get_by_role("alert")).to_contain_text("Over quota")
    expect(inbox.get_by_role("alert")).to_contain_text("Reference 4f2a")
    assert subjects(inbox) == SUBJECTS
    assert focused(inbox) == "Letter 7"
    inbox.get_by_role("alert").get_by_role("button", name="Dismiss").click()
    expect(inbox.get_by_role("alert")).to_have_count(0)


def refuse(route: Route) -> None:
    html = "<main><h1>Over quota.</h1><p>Make room.</p><p>Reference 4f2a</p></main>"
    route.fulfill(status=507, content_type="text/html", body=html)


def test_a_skeleton_only_where_it_takes_long(inbox: Page) -> None:
    inbox.clock.install()
    held: list[Route] = []
    is_slow = True

    def hold(route: Route) -> None:
        if is_slow:
            held.append(route)
        else:
            route.continue_()

    inbox.route("**/mail/starred", hold)
    inbox.locator("#nav").get_by_role("link", name="Starred").click()
    inbox.clock.run_for(250)
    expect(inbox.locator(".row")).to_have_count(8)
    expect(inbox.locator(".sk")).to_have_count(0)
    inbox.clock.run_for(100)
    expect(inbox.locator(".sk")).to_be_visible()
    expect(inbox.locator("#main")).to_have_attribute("aria-busy", "true")
    is_slow = False
    for route in held:
        route.continue_()
    expect(inbox).to_have_title("Starred – mailkit")
    expect(inbox.locator(".sk")).to_have_count(0)


def test_a_button_is_pressed_once(inbox: Page) -> None:
    press(inbox, "j", "v")
    button = inbox.get_by_role("button", name="Archive")
    asked: list[Route] = []
    inbox.route("**/act", lambda route: asked.append(route))
    button.dblclick()
    expect(button).to_have_attribute("aria-busy", "true")
    assert len(asked) == 1
    asked[0].continue_()
    expect(inbox.locator("#toast")).to_contain_text("Moved")
    expect(inbox.locator(".row")).to_have_count(7)
    assert len(asked) == 1


def test_a_form_that_leads_on_is_sent_once(inbox: Page) -> None:
    sent: list[str] = []
    inbox.goto("/settings/labels")
    inbox.on("request", lambda one: sent.append(one.method))
    inbox.get_by_label("New label").fill("Travel")
    inbox.get_by_role("button", name="Create label").dblclick()
    expect(inbox.locator("#nav").get_by_text("Travel")).to_be_visible()
    assert sent.count("POST") == 1


def test_a_toast_waits_while_somebody_points_at_it(inbox: Page) -> None:
    inbox.clock.install()
    press(inbox, "j", "e")
    toast = inbox.locator("#toast")
    expect(toast).to_contain_text("Archived")
    toast.hover()
    inbox.clock.run_for(20_000)
    expect(toast).to_be_visible()
    inbox.mouse.move(5, 5)
    inbox.clock.run_for(11_000)
    expect(toast).to_have_count(0)
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(8)


def test_the_session_ends_and_nothing_is_lost(inbox: Page) -> None:
    inbox.get_by_role("searchbox").fill("half a thought")
    inbox.context.clear_cookies()
    inbox.locator(".row .subj").first.focus()
    press(inbox, "e")
    dialog = inbox.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password", exact=True).fill("not that one")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    dialog.get_by_label("Password", exact=True).fill("correct horse battery")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(inbox.locator("#toast")).to_contain_text("Archived")
    expect(inbox.get_by_role("searchbox")).to_have_value("half a thought")
    assert subjects(inbox) == SUBJECTS[1:]


def test_the_session_ends_while_one_writes(inbox: Page) -> None:
    inbox.goto("/compose")
    inbox.get_by_label("Subject").fill("Before")
    expect(inbox.locator("#cstate")).to_contain_text("Saved")
    inbox.context.clear_cookies()
    inbox.get_by_label("Subject").fill("Words that must not be lost")
    dialog = inbox.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Password", exact=True).fill("correct horse battery")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(inbox.get_by_label("Subject")).to_have_value("Words that must not be lost")
    expect(inbox.locator("#cstate")).to_contain_text("Saved")
    inbox.goto("/mail/drafts")
    expect(inbox.get_by_role("link", name="Words that must not")).to_be_visible()


def test_all_of_a_mailbox(inbox: Page, site: Site) -> None:
    with site.imap() as client:
        for n in range(50):
            octets = f"From: a@far.example\r\nSubject: Old {n}\r\n\r\nx\r\n".encode()
            client.append("INBOX", "(\\Seen)", '"04-Mar-2025 10:00:00 +0000"', octets)
    inbox.goto("/mail/inbox")
    expect(inbox.locator(".row")).to_have_count(50)
    press(inbox, "j", "Shift+J", "Shift+J", "e")
    expect(inbox.locator("#toast")).to_contain_text("3 archived")
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(50)
    every = inbox.get_by_label("Select all 58 in Inbox")
    expect(every).to_be_hidden()
    inbox.get_by_label("Select all on this page").check()
    every.check()
    inbox.get_by_role("button", name="Archive", exact=True).first.click()
    expect(inbox.get_by_text("Nothing waiting")).to_be_visible()
    expect(inbox.locator("#toast")).to_contain_text("58 archived")
    assert len(site.messages("Archive")) == 58
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(50)
    inbox.get_by_role("link", name="Older", exact=True).click()
    expect(inbox.locator(".row")).to_have_count(8)
    assert "after=" in inbox.url
    press(inbox, "*", "a", "#")
    expect(inbox.get_by_text("Nothing older")).to_be_visible()


def test_a_label_is_chosen_and_put_on(inbox: Page) -> None:
    press(inbox, "j", "j", "x", "l")
    expect(inbox.locator("h1")).to_have_text("Add a label")
    inbox.get_by_label("New label").fill("Kitchen")
    inbox.get_by_role("button", name="Create and add").click()
    expect(inbox.locator("#toast")).to_contain_text("Labelled")
    row = inbox.locator(".row", has_text="Letter 7")
    expect(row.locator(".chip")).to_have_text("Kitchen")
    press(inbox, "z")
    expect(row.locator(".chip")).to_have_count(0)
