"""Lists with keyboard and mouse: quick, undone, and back where they were."""

from __future__ import annotations

import imaplib
import re
import time
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import APIResponse, BrowserContext, Page, Route, expect

from mailkit.web.webmail.shortcuts import GROUPS, shown
from tests.browser.conftest import sign_in
from tests.browser.lines import lose
from tests.browser.site import Site
from tests.browser.waiting import wait_for, wait_for_stream
from tests.interop.server import wait_until

SUBJECTS = [f"Letter {n}" for n in range(8, 0, -1)]
"""As the list has them: the newest on top."""


SLOW_HANDS = """(() => {
  const real = setTimeout;
  window.setTimeout = (does, after, ...more) =>
    real(does, after === 1200 ? 60000 : after, ...more);
})()"""
"""The second of two keys may come as late as it does on a machine with much to do."""


@pytest.fixture
def inbox(tab: Page, site: Site) -> Page:
    """Alice's inbox with eight letters, at which nobody points, and nothing else."""
    with site.imap() as client:
        for mailbox in ("INBOX", "Archive", "Trash"):
            answer, count = client.select(mailbox)
            if answer == "OK" and count != [b"0"]:
                client.store("1:*", "+FLAGS", "(\\Deleted)")
                client.expunge()
        # A second each: what comes within one is in the order in which it came.
        for age, subject in reversed(list(enumerate(SUBJECTS, 60))):
            at = imaplib.Time2Internaldate(time.time() - age)
            client.append("INBOX", "", at, letter(subject))
    tab.add_init_script(SLOW_HANDS)
    # Where it is switched on under an open page, a request soon after may pass by.
    tab.route("**/nothing-but-switching-on", lambda route: route.continue_())
    sign_in(tab)
    expect(tab.locator(".row")).to_have_count(8)
    # Its first word is that there is a server: it ends what a test makes of the line.
    wait_for_stream(tab)
    tab.mouse.move(0, 0)
    return tab


def letter(subject: str) -> bytes:
    return (
        f"From: Ingrid Solheim <ingrid@far.example>\r\nSubject: {subject}\r\n"
        "\r\nSome words.\r\n"
    ).encode()


def shows(page: Page, expected: list[str]) -> None:
    """These rows, in that order."""
    expect(page.locator(".row .st")).to_have_text(expected)


def has_keyboard(page: Page, subject: str) -> None:
    """One row has the focus: that of a subject."""
    expect(page.locator(".row:focus-within .st")).to_have_text([subject])


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def has_ticked(page: Page, expected: list[str]) -> None:
    """Those rows are chosen, and no other."""
    expect(page.locator(".row:has(.ck :checked) .st")).to_have_text(expected)


def stop_clock(page: Page) -> None:
    """Timers of the page run by `Clock.run_for` alone."""
    page.clock.install()
    page.clock.pause_at(datetime.now() + timedelta(hours=1))


def without(*gone: str) -> list[str]:
    return [one for one in SUBJECTS if one not in gone]


def test_delete_and_undo_by_keys(inbox: Page) -> None:
    press(inbox, "j", "j", "x", "#")
    expect(inbox.locator(".row")).to_have_count(7)
    shows(inbox, without("Letter 7"))
    has_keyboard(inbox, "Letter 6")
    expect(inbox.locator("#toast")).to_contain_text("Moved to the Trash")
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(8)
    shows(inbox, SUBJECTS)
    has_keyboard(inbox, "Letter 7")
    inbox.reload()
    shows(inbox, SUBJECTS)


def test_what_is_done_is_done_on_the_server(inbox: Page, site: Site) -> None:
    press(inbox, "j", "e")
    toast = inbox.locator("#toast")
    expect(toast).to_contain_text("Archived")
    toast.hover()  # it stays, however long the server takes
    assert len(site.messages("Archive")) == 1
    toast.get_by_role("button", name="Undo").click()
    expect(inbox.locator(".row")).to_have_count(8)
    expect(toast).to_have_count(0)
    inbox.reload()
    shows(inbox, SUBJECTS)


def test_the_last_row_gives_the_keyboard_to_the_one_before(inbox: Page) -> None:
    press(inbox, "j", "End", "e")
    expect(inbox.locator(".row")).to_have_count(7)
    has_keyboard(inbox, "Letter 2")
    press(inbox, "*", "a", "e")
    expect(inbox.get_by_text("Nothing waiting")).to_be_visible()
    expect(inbox.get_by_role("heading", level=1)).to_be_focused()
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(7)


def test_ranges(inbox: Page) -> None:
    press(inbox, "j", "Shift+J", "Shift+J")
    has_ticked(inbox, SUBJECTS[:3])
    press(inbox, "*", "n")
    has_ticked(inbox, [])
    boxes = inbox.locator(".row .ck")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    has_ticked(inbox, SUBJECTS[1:5])
    expect(inbox.get_by_role("group", name="Actions for selected")).to_be_visible()
    inbox.get_by_role("button", name="Archive", exact=True).first.click()
    shows(inbox, [*SUBJECTS[:1], *SUBJECTS[5:]])
    expect(inbox.locator("#toast")).to_contain_text("4 archived")
    press(inbox, "z")
    expect(inbox.locator(".row")).to_have_count(8)
    has_ticked(inbox, [])


def test_choosing_by_what_rows_are(inbox: Page) -> None:
    press(inbox, "j", "Shift+I")
    expect(inbox.locator(".row").first).not_to_have_class(re.compile(r"\bun\b"))
    press(inbox, "j", "s")
    press(inbox, "*", "r")
    has_ticked(inbox, ["Letter 8"])
    press(inbox, "*", "u")
    has_ticked(inbox, SUBJECTS[1:])
    press(inbox, "*", "s")
    has_ticked(inbox, ["Letter 7"])
    press(inbox, "*", "t")
    has_ticked(inbox, without("Letter 7"))
    everything = inbox.get_by_label("Select all on this page")
    everything.check()
    has_ticked(inbox, SUBJECTS)
    everything.uncheck()
    has_ticked(inbox, [])


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
    has_keyboard(inbox, "Letter 6")
    press(inbox, "Home")
    has_keyboard(inbox, "Letter 8")
    press(inbox, " ")
    has_ticked(inbox, ["Letter 8"])
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
        shows(inbox, SUBJECTS)
        has_ticked(inbox, [])


def test_letters_can_be_switched_off(inbox: Page) -> None:
    inbox.goto("/settings/shortcuts")
    switch = inbox.get_by_label("Single letters are commands")
    switch.uncheck()
    with inbox.expect_navigation():
        inbox.get_by_role("button", name="Save").click()
    try:
        expect(switch).not_to_be_checked()
        inbox.goto("/mail/inbox")
        inbox.locator(".row .subj").first.focus()
        press(inbox, "x", "#", "?", "c")
        shows(inbox, SUBJECTS)
        has_ticked(inbox, [])
        expect(inbox.get_by_role("dialog")).to_have_count(0)
        press(inbox, "ArrowDown")
        has_keyboard(inbox, "Letter 7")
    finally:
        inbox.goto("/settings/shortcuts")
        switch.check()
        with inbox.expect_navigation():
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
    has_keyboard(inbox, "Letter 8")


def test_two_keys_in_a_row_go_places(inbox: Page) -> None:
    press(inbox, "g", "s")
    expect(inbox).to_have_url(re.compile("/mail/starred$"))
    expect(inbox).to_have_title("Starred – mailkit")
    expect(inbox.locator("#nav [aria-current]")).to_have_text("Starred")
    press(inbox, "g", "i")
    expect(inbox).to_have_url(re.compile("/mail/inbox$"))
    press(inbox, "/")
    expect(inbox.locator("#q")).to_be_focused()


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
    expect(inbox).to_have_url(re.compile("/mail/inbox$"))
    assert inbox.evaluate("scrollY") == 120
    has_keyboard(inbox, "Letter 5")
    has_ticked(inbox, [])
    inbox.go_forward()
    expect(inbox).to_have_title("Letter 5 – mailkit")
    expect(inbox.locator("h1")).to_have_text("Letter 5")
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
    alert = inbox.get_by_role("alert")
    expect(alert).to_contain_text("no connection")
    expect(inbox.locator("h1")).to_have_text("Letter 8")
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_have_count(0)
    context.set_offline(False)
    press(inbox, "u")
    expect(inbox.locator(".row")).to_have_count(8)
    context.set_offline(True)
    press(inbox, "j", "e")
    expect(alert).to_contain_text("may not be done")
    shows(inbox, SUBJECTS)
    context.set_offline(False)
    expect(inbox.get_by_text("You are offline")).to_have_count(0)


def test_undo_is_tried_again_until_it_is_told(inbox: Page) -> None:
    lose(inbox, "**/undo/*", "gone", "proxy", "taken")
    press(inbox, "j", "e")
    expect(inbox.locator("#toast")).to_contain_text("Archived")
    # What hears of the archiving asks for the list, and would find the line again.
    inbox.route("**/mail/inbox", lambda route: route.abort())
    press(inbox, "z")
    alert = inbox.get_by_role("alert")
    expect(alert).to_contain_text("no connection")
    expect(inbox.get_by_text("You are offline")).to_be_visible()
    inbox.unroute("**/mail/inbox")
    with inbox.expect_response("**/undo/*"):
        alert.get_by_role("button", name="Undo").click()
    expect(inbox.get_by_text("You are offline")).to_have_count(0)
    expect(alert).to_contain_text("no connection")
    for _ in range(2):
        expect(alert).to_be_visible()
        press(inbox, "z")
    expect(alert).to_have_count(0)
    shows(inbox, SUBJECTS)
    inbox.reload()
    shows(inbox, SUBJECTS)


def test_undo_is_of_what_was_done_last_though_nobody_has_said_so(inbox: Page) -> None:
    press(inbox, "j", "e")
    expect(inbox.locator("#toast")).to_contain_text("Archived")
    held: list[Route] = []
    inbox.route("**/act", lambda route: held.append(route))
    press(inbox, "e")
    wait_for(inbox, lambda: bool(held))
    press(inbox, "z")
    held[0].continue_()
    has_keyboard(inbox, "Letter 7")
    shows(inbox, without("Letter 8"))
    inbox.reload()
    shows(inbox, without("Letter 8"))


def test_what_is_under_way_does_not_come_back(inbox: Page) -> None:
    """An empty list is asked for anew when all is done that emptied it."""
    held: list[Route] = []
    asked: list[Route] = []

    def note(route: Route) -> None:
        asked.append(route)
        route.continue_()

    press(inbox, "j", "End")
    inbox.route("**/act", lambda route: held.append(route))
    press(inbox, "e", "*", "a", "e")
    wait_for(inbox, lambda: len(held) == 2)
    inbox.route("**/mail/inbox", note)
    held[0].continue_()
    expect(inbox.locator("#toast")).to_contain_text("Archived")
    inbox.wait_for_timeout(500)
    assert asked == []
    shows(inbox, [])
    held[1].continue_()
    expect(inbox.get_by_text("Nothing waiting")).to_be_visible()


def test_what_is_done_later_is_done_later(inbox: Page, site: Site) -> None:
    held: list[Route] = []
    inbox.route("**/act", lambda route: held.append(route))
    press(inbox, "j", "s")
    star = inbox.get_by_role("button", name="Star: Letter 8")
    expect(star).to_have_attribute("aria-pressed", "true")
    press(inbox, "s")
    expect(star).to_have_attribute("aria-pressed", "false")
    wait_for(inbox, lambda: bool(held))
    assert len(held) == 1
    held[0].continue_()
    wait_for(inbox, lambda: len(held) == 2)
    held[1].continue_()
    expect(inbox.locator("#toast")).to_contain_text("Star removed")
    inbox.reload()
    expect(star).to_have_attribute("aria-pressed", "false")


def test_a_list_stays_though_it_cannot_be_had_anew(inbox: Page) -> None:
    # Late news of the letters may have it asked for behind its back.
    lose(inbox, "**/mail/inbox", *["proxy"] * 9, method="GET")
    inbox.evaluate("document.body.dataset.same = 'page'")
    inbox.evaluate("dispatchEvent(new Event('online'))")
    expect(inbox.get_by_role("alert")).to_contain_text("no connection")
    assert inbox.evaluate("document.body.dataset.same") == "page"
    shows(inbox, SUBJECTS)


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


def test_what_waits_knows_nothing_of_what_is_done(inbox: Page, site: Site) -> None:
    """News that come while rows are chosen are older than what becomes of those."""
    inbox.locator(".row .ck").nth(2).click()
    site.deliver("Letter 9")
    expect(inbox.get_by_role("button", name="1 new")).to_be_visible()
    held: list[Route] = []
    inbox.route("**/act", lambda route: held.append(route))
    inbox.get_by_role("button", name="Archive", exact=True).first.click()
    wait_for(inbox, lambda: bool(held))
    inbox.mouse.move(0, 0)
    inbox.wait_for_timeout(500)
    shows(inbox, without("Letter 6"))
    held[0].continue_()
    shows(inbox, ["Letter 9", *without("Letter 6")])


def test_what_was_asked_before_does_not_take_back_an_undo(
    inbox: Page, site: Site
) -> None:
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        held.append((route, route.fetch()))

    inbox.route("**/mail/inbox", hold)
    press(inbox, "j", "e")
    expect(inbox.locator("#toast")).to_contain_text("Archived")
    with site.imap() as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Seen)")
    wait_for(inbox, lambda: bool(held))  # without Letter 8
    press(inbox, "z")
    shows(inbox, SUBJECTS)
    has_keyboard(inbox, "Letter 8")
    inbox.evaluate("document.querySelector('.row').dataset.same = 'row'")
    route, answer = held[0]
    route.fulfill(response=answer)
    wait_for(inbox, lambda: len(held) > 1)  # it is asked for anew
    shows(inbox, SUBJECTS)
    expect(inbox.locator(".row").first).to_have_attribute("data-same", "row")
    has_keyboard(inbox, "Letter 8")


def test_lists_are_fresh_when_the_connection_is_back(
    inbox: Page, context: BrowserContext, site: Site
) -> None:
    context.set_offline(True)
    expect(inbox.get_by_text("You are offline")).to_be_visible()
    site.deliver("Letter 9")
    context.set_offline(False)
    expect(inbox.locator(".row .st").first).to_have_text("Letter 9")


def test_what_was_under_way_does_not_end_being_offline(
    inbox: Page, context: BrowserContext, site: Site
) -> None:
    """Neither an answer that comes late nor the first word of a stream."""
    held: list[tuple[Route, APIResponse]] = []

    def hold(route: Route) -> None:
        answer = route.fetch()
        if "Letter 9" in answer.text():
            held.append((route, answer))
        else:
            route.fulfill(response=answer)

    inbox.route("**/mail/inbox", hold)
    site.deliver("Letter 9")
    wait_for(inbox, lambda: bool(held))
    context.set_offline(True)
    banner = inbox.get_by_text("You are offline")
    expect(banner).to_be_visible()
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(inbox.locator(".row .st").first).to_have_text("Letter 9")
    expect(banner).to_be_visible()
    # As such a word does, right behind the browser's own.
    inbox.evaluate(
        "dispatchEvent(new Event('offline'));"
        " document.getElementById('offline').remove()"
    )
    expect(banner).to_be_visible()


def test_a_browser_that_is_wrong_about_being_offline(inbox: Page) -> None:
    assert inbox.evaluate(
        "dispatchEvent(new Event('offline')), document.body.innerText"
    ).count("You are offline")
    expect(inbox.get_by_text("You are offline")).to_have_count(0)


def test_a_refusal_says_why_and_brings_the_row_back(inbox: Page) -> None:
    inbox.route("**/act", refuse)
    press(inbox, "j", "j", "e")
    expect(inbox.get_by_role("alert")).to_contain_text("Over quota")
    expect(inbox.get_by_role("alert")).to_contain_text("Reference 4f2a")
    shows(inbox, SUBJECTS)
    has_keyboard(inbox, "Letter 7")
    inbox.get_by_role("alert").get_by_role("button", name="Dismiss").click()
    expect(inbox.get_by_role("alert")).to_have_count(0)


def refuse(route: Route) -> None:
    html = "<main><h1>Over quota.</h1><p>Make room.</p><p>Reference 4f2a</p></main>"
    route.fulfill(status=507, content_type="text/html", body=html)


def test_a_skeleton_only_where_it_takes_long(inbox: Page) -> None:
    stop_clock(inbox)
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
    expect(inbox.locator("h1")).to_have_text("Move to")
    button = inbox.get_by_role("button", name="Archive")
    asked: list[Route] = []
    inbox.route("**/act", lambda route: asked.append(route))
    button.dblclick()
    expect(button).to_have_attribute("aria-busy", "true")
    wait_for(inbox, lambda: bool(asked))
    asked[0].continue_()
    expect(inbox.locator("#toast")).to_contain_text("Moved")
    expect(inbox.locator(".row")).to_have_count(7)
    assert len(asked) == 1


def test_whoever_goes_on_is_not_held_up(inbox: Page) -> None:
    press(inbox, "j", "v")
    expect(inbox.locator("h1")).to_have_text("Move to")
    inbox.get_by_role("button", name="Archive").click()
    toast = inbox.locator("#toast")
    expect(toast).to_contain_text("Moved")
    held: list[Route] = []
    inbox.route(re.compile("/undo/|/mail/starred$"), lambda one: held.append(one))
    press(inbox, "z")
    wait_for(inbox, lambda: len(held) == 1)
    inbox.locator("#nav").get_by_role("link", name="Starred").click()
    wait_for(inbox, lambda: len(held) == 2)
    held[0].continue_()
    expect(toast).to_contain_text("Undone")
    held[1].continue_()
    expect(inbox).to_have_title("Starred – mailkit")


def test_a_form_that_leads_on_is_sent_once(inbox: Page) -> None:
    sent: list[str] = []
    inbox.goto("/settings/labels")
    inbox.on("request", lambda one: sent.append(one.method))
    inbox.get_by_label("New label").fill("Travel")
    inbox.get_by_role("button", name="Create label").dblclick()
    expect(inbox.locator("#nav").get_by_text("Travel")).to_be_visible()
    assert sent.count("POST") == 1


def test_a_form_that_led_nowhere_is_sent_again(inbox: Page) -> None:
    """As where somebody stops the browser."""
    inbox.clock.install()
    inbox.goto("/settings/labels")
    sent: list[Route] = []

    def lead_nowhere(route: Route) -> None:
        if route.request.method == "GET" or sent:
            route.continue_()
        else:
            sent.append(route)
            route.fulfill(status=204)

    inbox.route("**/settings/labels", lead_nowhere)
    inbox.get_by_label("New label").fill("Stopped")
    create = inbox.get_by_role("button", name="Create label")
    create.click()
    wait_for(inbox, lambda: bool(sent))
    inbox.clock.run_for(11_000)
    expect(create).not_to_have_attribute("aria-busy", "true")
    create.click()
    expect(inbox.locator("#nav").get_by_text("Stopped")).to_be_visible()


def test_a_toast_waits_while_somebody_points_at_it(inbox: Page) -> None:
    stop_clock(inbox)
    press(inbox, "j", "e")
    toast = inbox.locator("#toast")
    expect(toast).to_be_visible()
    inbox.clock.run_for(100)
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
    inbox.locator(".row .subj").first.focus()
    inbox.context.clear_cookies()
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
    shows(inbox, SUBJECTS[1:])


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
    toast = inbox.locator("#toast")
    expect(toast).to_contain_text("3 archived")
    press(inbox, "z")
    # Older ones may have come in the meantime: the keyboard is last to come back.
    has_keyboard(inbox, "Letter 8")
    expect(inbox.locator(".row")).to_have_count(50)
    every = inbox.get_by_label("Select all 58 in Inbox")
    expect(every).to_be_hidden()
    inbox.get_by_label("Select all on this page").check()
    every.check()
    inbox.get_by_role("button", name="Archive", exact=True).first.click()
    expect(inbox.get_by_text("Nothing waiting")).to_be_visible()
    expect(toast).to_contain_text("58 archived")
    assert len(site.messages("Archive")) == 58
    press(inbox, "z")
    expect(toast).to_contain_text("Undone")
    expect(inbox.locator(".row")).to_have_count(50)
    inbox.get_by_role("link", name="Older", exact=True).click()
    expect(inbox.locator(".row")).to_have_count(8)
    expect(inbox).to_have_url(re.compile("after="))
    press(inbox, "*", "a", "#")
    expect(inbox.get_by_text("Nothing older")).to_be_visible()


def test_a_label_is_chosen_and_put_on(inbox: Page) -> None:
    press(inbox, "j", "j", "x", "l")
    expect(inbox.locator("h1")).to_have_text("Add a label")
    inbox.get_by_label("New label").fill("Kitchen")
    # A page of its own, which hears no keys before it is loaded.
    with inbox.expect_navigation():
        inbox.get_by_role("button", name="Create and add").click()
    expect(inbox.locator("#toast")).to_contain_text("Labelled")
    row = inbox.locator(".row", has_text="Letter 7")
    expect(row.locator(".chip")).to_have_text("Kitchen")
    press(inbox, "z")
    expect(row.locator(".chip")).to_have_count(0)
