"""Writing mail in the browser, and what of it comes to others."""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import sign_in
from tests.browser.lines import lose
from tests.browser.site import BOB, Site
from tests.browser.waiting import wait_for, wait_for_stream
from tests.interop.outside import Hosts, Outside, outside
from tests.interop.server import free_ports, wait_until

SINK = "127.4.0.9"
RECORDS = f"""\
sink.test. MX 10 mx.sink.test.
mx.sink.test. A {SINK}
far.example. MX 10 mx.sink.test.
"""
"""Answers to those who wrote arrive, too: else a later test would be told of it."""

AWAY = "dora@sink.test"

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c"
    "4944415408d763f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def world() -> Iterator[Outside]:
    """Everybody else."""
    with outside() as world:
        yield world


@pytest.fixture(scope="module")
def port() -> int:
    """At which the hosts of others listen."""
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def sink(world: Outside, port: int) -> Hosts:
    """What leaves comes here."""
    return world.hosts(port, [SINK])


@pytest.fixture(scope="module")
def site_settings(world: Outside, port: int, sink: Hosts) -> str:
    names = world.names(RECORDS)
    return (
        f'[relay]\nallow = ["127.0.0.0/8"]\nport = {port}\n'
        f'[dns]\nservers = ["{names.place}"]\n'
    )


def compose(page: Page, query: str = "") -> Locator:
    """A composer on a page of its own, brought to life."""
    page.goto(f"/compose{query}")
    form = page.locator("#composer[data-ready]")
    expect(form).to_be_visible()
    return form


def address(page: Page, to: str = AWAY) -> None:
    page.get_by_role("combobox", name="To").fill(to)
    page.get_by_role("combobox", name="To").press("Enter")


def body(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Message", exact=True)


def is_back(page: Page, subject: str) -> None:
    """A draft was called back: not the page from which it was sent, which may stay."""
    form = page.locator("#composer[data-ready]:not([data-sent])")
    expect(form).to_be_visible()
    expect(form.get_by_label("Subject")).to_have_value(subject)


def saved(page: Page) -> None:
    expect(page.locator("#cstate")).to_contain_text("Saved")


def drafts(site: Site) -> list[EmailMessage]:
    return read(site.messages("Drafts"))


def text_of(draft: EmailMessage, kind: str = "plain") -> str:
    """What is written in it; empty: nothing yet."""
    part = draft.get_body((kind,))
    return part.get_content() if part is not None else ""


def has_pictures(draft: EmailMessage, *names: str) -> bool:
    """Whether the text shows those of the files that have these names, and no other."""
    files = {part.get_filename(): part["Content-ID"] or "" for part in draft.walk()}
    html = text_of(draft, "html")
    return html.count("<img") == len(names) and all(
        f'cid:{files.get(name, "").strip("<>")}"' in html for name in names
    )


def read(found: list[bytes]) -> list[EmailMessage]:
    return [email.message_from_bytes(one, policy=email.policy.default) for one in found]


def has_saved(site: Site, is_so: Callable[[EmailMessage], bool]) -> None:
    """Wait until the mailbox has one draft that is so; "Saved" may be of before."""
    wait_until(
        "it is saved", lambda: [is_so(one) for one in drafts(site)].count(True) == 1, 60
    )


def left(sink: Hosts, subject: str) -> list[EmailMessage]:
    """What came to the sink under a subject."""
    return [
        one
        for one in read([each.text for each in sink.kept])
        if one["Subject"] == subject
    ]


def test_a_draft_is_kept_while_somebody_writes(alice: Page, site: Site) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("A letter")
    body(alice).press_sequentially("Dear Dora,")
    saved(alice)
    has_saved(site, lambda one: "Dear Dora," in text_of(one))
    # The version before goes behind it.
    wait_until("it is there once", lambda: len(drafts(site)) == 1)
    [draft] = drafts(site)
    assert (draft["Subject"], draft["To"]) == ("A letter", AWAY)
    site.server.kill()
    body(alice).press_sequentially(" how are you?")
    expect(alice.locator("#cstate")).to_contain_text("Trying again")
    site.server.start()
    expect(body(alice)).to_contain_text("Dear Dora, how are you?")
    expect(alice.locator("#cstate")).to_contain_text("Saved", timeout=60_000)
    has_saved(site, lambda one: "Dear Dora, how are you?" in text_of(one))
    alice.get_by_role("button", name="Send", exact=True).click()
    alice.wait_for_url("**/mail/inbox**")
    assert drafts(site) == []


def test_the_text_is_there_behind_signing_in(alice: Page, site: Site) -> None:
    compose(alice)
    wait_for_stream(alice)  # begun without cookies, it asks for the password
    alice.get_by_label("Subject").fill("Kept")
    body(alice).fill("Before")
    saved(alice)
    has_saved(site, lambda one: "Before" in text_of(one))
    alice.context.clear_cookies()
    # At once: the dialog may come while somebody types.
    body(alice).fill("Before and behind")
    dialog = alice.get_by_role("dialog", name="Sign in")
    expect(dialog).to_be_visible()
    fates = ("proxy", "taken")
    lose(alice, "**/login", *fates)
    dialog.get_by_label("Password", exact=True).fill("correct horse battery")
    for fate in fates:
        over = "requestfailed" if fate == "taken" else "requestfinished"
        with alice.expect_event(over, lambda one: one.url.endswith("/login")):
            dialog.get_by_role("button", name="Sign in").click()
        expect(dialog.get_by_role("alert")).to_contain_text("no connection")
    dialog.get_by_role("button", name="Sign in").click()
    expect(dialog).to_have_count(0)
    expect(body(alice)).to_contain_text("Before and behind")
    saved(alice)
    has_saved(site, lambda one: "Before and behind" in text_of(one))


def test_another_page_has_changed_it(alice: Page) -> None:
    compose(alice)
    wait_for_stream(alice)
    alice.get_by_label("Subject").fill("Two pages")
    saved(alice)
    other = alice.context.new_page()
    other.goto(alice.url)
    other.get_by_label("Subject").fill("Two pages, changed")
    saved(other)
    newer = alice.get_by_role("alert").filter(has_text="Another page has changed")
    expect(newer).to_be_visible()
    alice.get_by_label("Subject").fill("Two pages, mine")
    expect(newer.get_by_role("button", name="Keep what I wrote")).to_be_visible()
    newer.get_by_role("button", name="Keep what I wrote").click()
    saved(alice)
    expect(newer).to_have_count(0)
    alice.reload()
    expect(alice.get_by_label("Subject")).to_have_value("Two pages, mine")


def test_reloading_is_the_same_draft(alice: Page, site: Site) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Reloaded")
    body(alice).press_sequentially("Not yet saved")
    alice.locator("input[type=file]").set_input_files(
        {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
    )
    expect(alice.get_by_role("link", name="plan.pdf")).to_be_visible()
    body(alice).press_sequentially(", nor this")
    alice.reload()
    expect(alice.locator("#composer[data-ready]")).to_be_visible()
    expect(body(alice)).to_contain_text("Not yet saved, nor this")
    expect(alice.get_by_label("Subject")).to_have_value("Reloaded")
    expect(alice.get_by_role("button", name=f"Remove {AWAY}")).to_be_visible()
    expect(alice.get_by_role("link", name="plan.pdf")).to_be_visible()
    alice.get_by_role("button", name="Discard draft").click()
    alice.wait_for_url("**/mail/inbox**")


def test_what_was_on_its_way_when_the_page_went_is_no_other_version(
    alice: Page,
) -> None:
    compose(alice)
    subject = alice.get_by_label("Subject")
    subject.fill("First")
    saved(alice)
    kept: list[str] = []

    def answer_never(route: Route) -> None:
        if route.request.method == "PUT":
            route.fetch()
            kept.append(route.request.post_data or "")
        else:
            route.continue_()

    alice.route("**/compose/*", answer_never)
    subject.fill("Second")
    wait_for(alice, lambda: any("subject=Second" in one for one in kept))
    subject.fill("Third")
    alice.reload()
    expect(alice.locator("#composer[data-ready]")).to_be_visible()
    expect(subject).to_have_value("Third")
    expect(alice.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("is_taken", [True, False])
def test_an_answer_that_is_lost_is_no_other_version(
    alice: Page, site: Site, is_taken: bool
) -> None:
    compose(alice)
    subject = alice.get_by_label("Subject")
    subject.fill("First")
    saved(alice)
    lost: list[str] = []

    def lose(route: Route) -> None:
        if route.request.method == "PUT" and not lost:
            lost.append(route.fetch().text() if is_taken else "")
            route.abort()
        else:
            route.continue_()

    alice.route("**/compose/*", lose)
    subject.fill("Second")
    state = alice.locator("#cstate")
    expect(state).to_contain_text("Trying again")
    last = f"Third, {is_taken}"
    subject.fill(last)
    expect(state).to_contain_text("Saved", timeout=60_000)
    expect(alice.get_by_role("alert")).to_have_count(0)
    # What is asked for meanwhile goes by the route.
    wait_for(alice, lambda: last in [one["Subject"] for one in drafts(site)])


def test_sending_is_told_once_whatever_is_lost(alice: Page, site: Site) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Pressed again")
    body(alice).press_sequentially("Hello.")
    saved(alice)
    lose(alice, "**/send", "proxy", "gone", "taken")
    send = alice.get_by_role("button", name="Send", exact=True)
    alert = alice.get_by_role("alert")
    for _ in range(3):
        send.click()
        expect(alert).to_contain_text("no connection")
        expect(alice.locator("#cstate")).to_have_text("")
        alert.get_by_role("button", name="Dismiss").click()
        expect(alert).to_have_count(0)
    send.click()
    alice.wait_for_url("**/mail/inbox**")
    subjects = [one["Subject"] for one in read(site.messages("Sent"))]
    assert subjects.count("Pressed again") == 1


def test_calling_back_is_tried_again(alice: Page) -> None:
    form = compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Tomorrow, or not")
    body(alice).press_sequentially("Hello.")
    lose(alice, "**/unsend", "gone", "taken")
    form.evaluate("form => { form.dataset.sent = ''; }")
    # It waits for longer than any machine needs.
    alice.get_by_text("Send later").click()
    alice.get_by_role("radio", name=re.compile("Tomorrow")).check()
    alice.get_by_role("button", name="Schedule").click()
    alice.locator("#toast").get_by_role("button", name="Undo").click()
    alert = alice.get_by_role("alert")
    for _ in range(2):
        expect(alert).to_contain_text("no connection")
        alert.get_by_role("button", name="Undo").click()
    is_back(alice, "Tomorrow, or not")


def test_what_is_written_behind_a_sending_becomes_another_draft(
    alice: Page, site: Site
) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Written on")
    body(alice).press_sequentially("Hello.")
    saved(alice)
    lose(alice, "**/send", "taken")
    send = alice.get_by_role("button", name="Send", exact=True)
    send.click()
    expect(alice.get_by_role("alert")).to_contain_text("may not be done")
    body(alice).press_sequentially(" And more.")
    told = alice.get_by_role("alert").filter(has_text="sent or thrown away already")
    with alice.expect_navigation():
        told.get_by_role("button", name="Keep what I wrote").click()
    expect(body(alice)).to_contain_text("Hello. And more.")
    expect(alice.get_by_role("button", name=f"Remove {AWAY}")).to_be_visible()
    saved(alice)
    has_saved(site, lambda one: "Hello. And more." in text_of(one))


def test_nothing_leaves_without_its_files(alice: Page, site: Site) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Two files")
    saved(alice)
    lose(alice, "**/att", "taken", "gone")
    alice.evaluate(DROP, [[["one.bin", [1]]], "drop"])
    expect(alice.get_by_role("link", name="one.bin")).to_be_visible()
    expect(alice.get_by_role("alert")).to_have_count(0)
    alice.evaluate(DROP, [[["two.bin", [2, 2]]], "drop"])
    send = alice.get_by_role("button", name="Send", exact=True)
    send.click()
    question = alice.get_by_role("alert").filter(has_text="two.bin could not be")
    expect(question.get_by_role("button", name="Send anyway")).to_be_focused()
    alice.evaluate(DROP, [[["two.bin", [2, 2]]], "drop"])
    send.click()
    alice.wait_for_url("**/mail/inbox**")
    [sent] = [
        one for one in read(site.messages("Sent")) if one["Subject"] == "Two files"
    ]
    names = [part.get_filename() for part in sent.iter_attachments()]
    assert names == ["one.bin", "two.bin"]


def test_what_was_too_long_is_saved_once_it_is_not(alice: Page) -> None:
    compose(alice)
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        if route.request.method == "PUT" and not refused:
            refused.append(route)
            route.fulfill(status=413, json={"error": "large"})
        else:
            route.continue_()

    alice.route("**/compose/*", refuse)
    alice.get_by_label("Subject").fill("Long")
    alert = alice.get_by_role("alert").filter(has_text="too long")
    expect(alert).to_be_visible()
    alice.get_by_label("Subject").fill("Short")
    saved(alice)
    expect(alert).to_have_count(0)


def test_what_was_taken_out_does_not_come_back(alice: Page) -> None:
    compose(alice)
    alice.clock.install()
    subject = alice.get_by_label("Subject")
    subject.fill("Short")
    saved(alice)
    alice.clock.pause_at(datetime.now() + timedelta(hours=1))
    subject.fill("Short and long")
    alice.clock.run_for(500)  # less than until it is saved
    subject.fill("Short")
    alice.clock.run_for(500)
    alice.reload()
    expect(alice.locator("#composer[data-ready]")).to_be_visible()
    expect(subject).to_have_value("Short")


def test_it_leaves_though_the_tab_is_closed(
    alice: Page, site: Site, sink: Hosts
) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Closed at once")
    body(alice).press_sequentially("Bye")
    with alice.expect_response("**/send") as answer:
        alice.get_by_role("button", name="Send", exact=True).click()
    until = answer.value.json()["holdUntil"]
    alice.close()
    assert left(sink, "Closed at once") == [] or time.time() > until
    wait_until("it leaves", lambda: bool(left(sink, "Closed at once")), 90)
    [message] = left(sink, "Closed at once")
    assert message.get_content_type() == "multipart/alternative"


def test_it_is_called_back(alice: Page, site: Site, sink: Hosts) -> None:
    form = compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Called back")
    body(alice).press_sequentially("Wait")
    form.evaluate("form => { form.dataset.sent = ''; }")
    alice.get_by_role("button", name="Send", exact=True).click()
    undo = alice.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    undo.click()
    is_back(alice, "Called back")
    alice.wait_for_timeout(14_000)  # so that it would have left
    assert left(sink, "Called back") == []
    assert [one["Subject"] for one in drafts(site)].count("Called back") == 1


def test_a_file_that_is_missing_is_asked_for(alice: Page, sink: Hosts) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("No file")
    body(alice).press_sequentially("See attached.")
    alice.get_by_role("button", name="Send", exact=True).click()
    question = alice.get_by_role("alert").filter(has_text="Send without a file?")
    expect(question).to_be_visible()
    above = alice.get_by_label("Subject").bounding_box()
    below = body(alice).bounding_box()
    assert above is not None
    assert below is not None
    assert below["y"] - above["y"] < 60  # the text has the room that is left
    alice.locator("input[type=file]").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": b"a"}
    )
    expect(alice.get_by_role("link", name="a.txt")).to_be_visible()
    alice.get_by_role("button", name="Send", exact=True).click()
    alice.wait_for_url("**/mail/inbox**")


def test_words_of_others_do_not_ask_for_files(alice: Page, site: Site) -> None:
    site.deliver("Quoted words", "See the attached plan.\n")
    alice.goto("/mail/inbox")
    alice.get_by_role("link", name=re.compile("Quoted words")).click()
    alice.get_by_role("link", name="Reply", exact=True).last.click()
    expect(alice.locator("#composer[data-ready]")).to_be_visible()
    expect(body(alice)).to_be_focused()
    alice.keyboard.type("Thanks!")
    alice.get_by_role("button", name="Send", exact=True).click()
    expect(alice.get_by_role("status").filter(has_text="Sent")).to_be_visible()
    expect(alice.locator("#composer")).to_have_count(0)


DROP = """([names, kind]) => {
  const data = new DataTransfer();
  for (const [name, octets] of names)
    data.items.add(new File([new Uint8Array(octets)], name, {type: "image/png"}));
  const form = document.querySelector("#composer");
  const target = kind === "paste" ? document.querySelector("#body") : form;
  const about = {bubbles: true, cancelable: true};
  target.dispatchEvent(
    kind === "paste"
      ? new ClipboardEvent("paste", {...about, clipboardData: data})
      : new DragEvent("drop", {...about, dataTransfer: data}));
}"""


def test_files_by_drop_and_paste(alice: Page, site: Site, sink: Hosts) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("With files")
    body(alice).press_sequentially("Here they are.")
    one, two = bytes(range(256)) * 300, bytes(reversed(range(256))) * 200
    alice.evaluate(DROP, [[["one.bin", list(one)], ["two.bin", list(two)]], "drop"])
    for name in ("one.bin", "two.bin"):
        expect(alice.get_by_role("link", name=name)).to_be_visible()
    alice.evaluate(DROP, [[["image.png", list(PNG)]], "paste"])
    expect(alice.locator("#ups .up")).to_have_count(3)
    expect(alice.get_by_role("link", name="image.png")).to_be_visible()
    picture = body(alice).get_by_role("img", name="image.png")
    expect(picture).to_have_js_property("naturalWidth", 1)
    expect(alice.locator("#ups [role=progressbar]")).to_have_count(0)
    assert alice.get_by_role("button", name=re.compile("Attach files")).get_attribute(
        "title"
    )
    alice.get_by_role("button", name="Remove one.bin").click()
    expect(alice.locator("#ups .up")).to_have_count(2)
    # A picture that is removed from the files is not in the text any more.
    alice.evaluate(DROP, [[["other.png", list(PNG)]], "paste"])
    expect(body(alice).get_by_role("img")).to_have_count(2)
    alice.get_by_role("button", name="Remove other.png").click()
    expect(body(alice).get_by_role("img")).to_have_count(1)
    saved(alice)
    has_saved(site, lambda one: has_pictures(one, "image.png"))
    alice.reload()
    expect(picture).to_have_js_property("naturalWidth", 1)
    expect(alice.locator("#composer[data-ready]")).to_be_visible()
    alice.get_by_role("button", name="Send", exact=True).click()
    alice.wait_for_url("**/mail/inbox**")
    wait_until("it leaves", lambda: bool(left(sink, "With files")), 90)
    [message] = left(sink, "With files")
    found = {
        part.get_filename(): (part.get_content(), part.get_content_disposition())
        for part in message.walk()
        if part.get_filename()
    }
    assert found == {"two.bin": (two, "attachment"), "image.png": (PNG, "inline")}
    rich = message.get_body(("html",))
    [shown] = [part for part in message.walk() if part.get_filename() == "image.png"]
    assert rich is not None
    assert f'src="cid:{shown["Content-ID"].strip("<>")}"' in rich.get_content()


def test_a_file_is_removed_while_another_one_comes(alice: Page) -> None:
    compose(alice)
    alice.evaluate(DROP, [[["one.bin", [1]]], "drop"])
    away = alice.get_by_role("button", name="Remove one.bin")
    expect(away).to_be_visible()
    held: list[Route] = []
    alice.route("**/att", lambda route: held.append(route))
    alice.evaluate(DROP, [[["two.bin", [2]]], "drop"])
    wait_for(alice, lambda: len(held) == 1)
    away.hover()
    alice.mouse.down()
    held.pop().continue_()
    expect(alice.get_by_role("link", name="two.bin")).to_be_visible()
    alice.mouse.up()
    expect(alice.get_by_role("link", name="one.bin")).to_have_count(0)
    expect(alice.locator("#ups .up")).to_have_count(1)


def test_answers_that_overtake_each_other_take_no_file_away(alice: Page) -> None:
    compose(alice)
    held: list[Route] = []
    alice.route("**/att", lambda route: held.append(route))
    alice.evaluate(DROP, [[["one.bin", [1]], ["two.bin", [2]]], "drop"])
    wait_for(alice, lambda: len(held) == 2)
    files = [
        {"n": n, "name": name, "type": "", "size": 1, "cid": "", "url": "/"}
        for n, name in ((1, "one.bin"), (2, "two.bin"))
    ]
    for many in (2, 1):  # the second had come to the server behind the first
        facts = {"attachments": files[:many], "added": files[many - 1 : many]}
        held.pop().fulfill(json=facts)
        expect(alice.locator("#ups [role=progressbar]")).to_have_count(many - 1)
    for name in ("one.bin", "two.bin"):
        expect(alice.get_by_role("link", name=name)).to_be_visible()


FOCUS = """async (area, at) => {
  while (document.readyState === "loading")  // the text may not be whole
    await new Promise((done) => setTimeout(done, 10));
  area.focus();
  area.setSelectionRange(at, at);
}"""


def test_words_that_are_typed_while_the_script_comes(tab: Page, site: Site) -> None:
    """Above a quotation with markup, and among words of their own."""
    site.deliver("With markup", html="<p>A <b>bold</b> plan.</p>")
    held: list[Route] = []
    tab.route("**/compose.js", lambda route: held.append(route))
    sign_in(tab)
    tab.get_by_role("link", name="With markup").click()
    reply = tab.get_by_role("link", name="Reply", exact=True).last
    address = reply.get_attribute("href")
    assert address
    tab.goto(address, wait_until="commit")
    area = tab.locator("#text")
    area.evaluate(FOCUS, 0)
    tab.keyboard.type("Dear Ingrid,\nyes.")
    wait_for(tab, lambda: bool(held))
    for route in held:
        route.continue_()
    body = tab.locator("#body")
    expect(body.locator("b")).to_have_text("bold")
    expect(body).to_be_focused()
    tab.keyboard.type(" Gladly.")
    expect(body.locator("div").nth(1)).to_have_text("yes. Gladly.")
    expect(body.locator("div").first).to_have_text("Dear Ingrid,")

    # In the middle of what is quoted it is the text that counts.
    held.clear()
    tab.goto(f"{address}&all=1", wait_until="commit")
    area.evaluate(FOCUS, 99999)
    tab.keyboard.type("And below.")
    wait_for(tab, lambda: bool(held))
    for route in held:
        route.continue_()
    expect(body).to_contain_text("> Some words.")
    expect(body.locator("div").last).to_contain_text("And below.")
    expect(body).to_be_focused()


def test_files_that_are_chosen_while_the_script_comes(alice: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    alice.route("**/compose.js", hold)
    alice.goto("/compose", wait_until="commit")
    field = alice.locator("#file")
    field.set_input_files({"name": "early.txt", "mimeType": "", "buffer": b"Early."})
    wait_for(alice, lambda: bool(held))
    with alice.expect_file_chooser() as opened:
        field.click()
    for route in held:
        route.continue_()
    expect(alice.get_by_role("link", name="early.txt")).to_be_visible()

    # The dialogue was open while the script began.
    late = FilePayload(name="late.txt", mimeType="", buffer=b"Late.")
    opened.value.set_files([late])
    expect(alice.get_by_role("link", name="late.txt")).to_be_visible()
    expect(alice.locator(".up")).to_have_count(2)


def test_people_by_a_few_letters(alice: Page, site: Site) -> None:
    for name in ("Amara Okafor", "Sami Amundsen", "Amara Okafor"):
        local = name.split()[0].lower()
        site.deliver(f"From {name}", sender=f'"{name}" <{local}@far.example>')
    alice.goto("/mail/inbox")
    for name in ("Amara Okafor", "Sami Amundsen"):
        alice.get_by_role("link", name=re.compile(f"From {name}")).first.click()
        alice.get_by_role("link", name="Reply", exact=True).last.wait_for()
        alice.goto("/mail/inbox")
    compose(alice)
    to = alice.get_by_role("combobox", name="To")
    to.press_sequentially("am")
    options = alice.get_by_role("option")
    # Those of the first letter may come before.
    expect(options.first.locator("mark").first).to_have_text("Am")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("Amara Okafor")
    expect(to).to_have_attribute("aria-expanded", "true")
    expect(to).to_have_attribute("aria-activedescendant", "to-people-0")
    to.press("ArrowDown")
    expect(to).to_have_attribute("aria-activedescendant", "to-people-1")
    assert not violations(alice)
    to.press("Enter")
    expect(alice.get_by_role("button", name="Remove Sami Amundsen")).to_be_visible()
    expect(options).to_have_count(0)
    to.press_sequentially("am")
    expect(options).to_have_count(1)
    to.press("Shift+Delete")
    expect(options).to_have_count(0)
    to.fill("")
    alice.reload()
    expect(alice.locator("#composer[data-ready]")).to_be_visible()
    to.press_sequentially("ok")
    alice.wait_for_timeout(500)
    expect(options).to_have_count(0)
    to.fill("")
    to.evaluate(
        """field => {
          const data = new DataTransfer();
          data.setData("text/plain", 'Ann <ann@x.test>, b@y.test; nobody');
          field.dispatchEvent(new ClipboardEvent(
            "paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    expect(alice.locator(".to")).to_have_count(4)
    expect(alice.locator(".to.bad")).to_contain_text("not an address")


def test_over_quota(tab: Page, site: Site) -> None:
    site.server.add("carl@example.test", "--quota", "3 KB")
    site.server.await_known("carl@example.test")
    site.deliver("Nearly full", "x" * 60 + "\n" * 900, to="carl@example.test")
    sign_in(tab, "carl@example.test")
    compose(tab)
    tab.get_by_label("Subject").fill("No room")
    body(tab).press_sequentially("All of this is kept.")
    alert = tab.get_by_role("alert").filter(has_text="mailbox is full")
    expect(alert).to_be_visible()
    tab.reload()
    expect(body(tab)).to_contain_text("All of this is kept.")
    expect(tab.get_by_label("Subject")).to_have_value("No room")


def test_beside_what_is_read(alice: Page, site: Site) -> None:
    alice.set_viewport_size({"width": 1280, "height": 800})
    alice.goto("/mail/inbox")
    alice.get_by_role("link", name="Compose").first.click()
    dialog = alice.get_by_role("dialog", name="New message")
    expect(dialog.locator("#composer[data-ready]")).to_be_visible()
    expect(dialog.get_by_role("combobox", name="To")).to_be_focused()
    assert not violations(alice)
    dialog.get_by_label("Subject").fill("In the corner")
    dialog.get_by_label("Subject").press("Escape")
    expect(dialog).to_have_count(0)
    expect(alice.get_by_role("link", name="Compose").first).to_be_focused()
    assert "In the corner" in [one["Subject"] for one in drafts(site)]


def test_marks_lists_and_links(alice: Page, site: Site, tmp_path: Path) -> None:
    compose(alice)
    alice.get_by_label("Subject").fill("Marks")
    body(alice).click()
    alice.keyboard.type("plain ")
    alice.get_by_role("button", name="Bold").click()
    alice.keyboard.type("bold")
    expect(alice.get_by_role("button", name="Bold")).to_have_attribute(
        "aria-pressed", "true"
    )
    body(alice).evaluate(
        """body => {
          const data = new DataTransfer();
          data.setData("text/html", '<p onclick="x()" style="color:red">In' +
            '<script>alert(1)</script><img src=x onerror=alert(1)>' +
            '<a href="javascript:alert(1)">bad</a><a href="https://a.test/">good</a>');
          body.dispatchEvent(new ClipboardEvent(
            "paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    html = str(body(alice).evaluate("body => body.innerHTML"))
    assert "plain <b>bold" in html
    assert "<script" not in html and "onclick" not in html and "style" not in html
    assert "javascript:" not in html and "<img" not in html
    assert '<a href="https://a.test/">good</a>' in html
    saved(alice)
    has_saved(site, lambda one: "plain <b>bold" in text_of(one, "html"))


def test_enter_twice_leaves_one_line_empty(alice: Page) -> None:
    compose(alice)
    body(alice).click()
    alice.keyboard.type("Hello")
    alice.keyboard.press("Enter")
    alice.keyboard.press("Enter")
    alice.keyboard.type("World")
    html = body(alice).evaluate("body => body.innerHTML")
    assert html == "<div>Hello</div><div><br></div><div>World</div>"


def test_signed_in_again_by_another_tab(alice: Page, site: Site) -> None:
    compose(alice)
    wait_for_stream(alice)  # begun without cookies, it asks for the password
    alice.get_by_label("Subject").fill("Two sessions")
    saved(alice)
    alice.context.clear_cookies()
    sign_in(alice.context.new_page())
    body(alice).press_sequentially("Behind it")
    has_saved(site, lambda one: "Behind it" in text_of(one))
    expect(alice.get_by_role("dialog")).to_have_count(0)


def test_another_account_in_another_tab_gets_nothing(alice: Page, site: Site) -> None:
    compose(alice)
    wait_for_stream(alice)  # begun without cookies, it asks for the password
    alice.get_by_label("Subject").fill("Not Bob's")
    saved(alice)
    alice.context.clear_cookies()
    sign_in(alice.context.new_page(), BOB)
    body(alice).press_sequentially("Nor this")
    expect(alice.locator("#cstate")).to_contain_text("Trying again")
    assert site.messages("Drafts", BOB) == []
    expect(body(alice)).to_contain_text("Nor this")


def test_it_leaves_later(alice: Page) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Not before tomorrow")
    alice.get_by_text("Send later").click()
    alice.get_by_role("radio", name=re.compile("Tomorrow")).check()
    alice.get_by_role("button", name="Schedule").click()
    expect(alice.get_by_role("status").filter(has_text="Leaves")).to_be_visible()
    alice.goto("/mail/scheduled")
    expect(alice.get_by_text("Not before tomorrow").first).to_be_visible()


def test_many_people_are_counted(alice: Page) -> None:
    people = ", ".join(f"p{n}@sink.test" for n in range(11))
    compose(alice, f"?to={people}")
    send = alice.locator("#send")
    expect(send).to_have_text("Send to 11 people")
    alice.get_by_role("button", name="Remove p3@sink.test").click()
    expect(send).to_have_text("Send")


def test_what_cannot_be_delivered_is_said(alice: Page, sink: Hosts) -> None:
    def refuse(host: str, verb: str, line: str) -> str:
        is_meant = verb == "RCPT" and "nobody@" in line
        return "550 5.1.1 Nobody of that name" if is_meant else ""

    sink.script = refuse
    compose(alice)
    wait_for_stream(alice)
    address(alice, "nobody@sink.test")
    alice.get_by_label("Subject").fill("Into the void")
    alice.get_by_role("button", name="Send", exact=True).click()
    alert = alice.get_by_role("alert").filter(has_text="could not be delivered")
    expect(alert).to_contain_text("Nobody of that name", timeout=90_000)


def test_only_once(alice: Page, sink: Hosts) -> None:
    compose(alice)
    address(alice)
    alice.get_by_label("Subject").fill("Pressed twice")
    alice.get_by_role("button", name="Send", exact=True).dblclick()
    alice.wait_for_url("**/mail/inbox**")
    wait_until("it leaves", lambda: bool(left(sink, "Pressed twice")), 90)
    assert len(left(sink, "Pressed twice")) == 1
