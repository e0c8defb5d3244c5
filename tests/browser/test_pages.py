"""Every page: readable on each screen, for everybody; nothing gets past its walls."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import PATIENCE, keep_picture, sign_in
from tests.browser.site import Site

WIDTHS = (360, 768, 1280)
THEMES = ("light", "dark")

HTML = '<p>Hello <b>there</b>, look at <a href="https://far.example/">the plan</a>.</p>'
WORD = "Donaudampfschifffahrtsgesellschaftskapitaenskajuetenschluesselloch"

PAGES = {
    "inbox": "/mail/inbox",
    "starred": "/mail/starred",
    "trash": "/mail/trash",
    "drafts": "/mail/drafts",
    "scheduled": "/mail/scheduled",
    "search": "/search?q=kitchen",
    "options": "/search/options",
    "searches": "/search/saved?q=kitchen",
    "nothing-found": "/search?q=nowhere",
    "conversation": "Kitchen drawings, second round",
    "long-names": WORD,
    "compose": "/compose",
    "empty": "/empty/trash",
    "general": "/settings/general",
    "labels": "/settings/labels",
    "identities": "/settings/identities",
    "addresses": "/settings/addresses",
    "shortcuts": "/settings/shortcuts",
    "security": "/settings/security",
    "not-here": "/mail/nowhere",
}

OUTSIDE = {"login": "/login", "login-again": "/login?over=1"}


def seed(site: Site) -> None:
    """A few letters of all kinds."""
    site.deliver(
        WORD,
        "A long word, and https://far.example/" + "x" * 300 + "\n",
        sender=f'"{WORD}" <them@far.example>',
        files=[(f"{WORD} " * 3 + ".pdf", "application/pdf", b"%PDF-1.4\n")],
    )
    for name in ("Wei Zhang", "Parish newsletter", "City library"):
        site.deliver(f"From {name}", sender=f'"{name}" <them@far.example>')
    first = site.deliver(
        "Kitchen drawings, second round",
        "I moved the sink.\n\nOn Monday, Alice wrote:\n> What about the window?\n",
        files=[("plan.pdf", "application/pdf", b"%PDF-1.4\n")],
    )
    answer = [("In-Reply-To", first), ("References", first)]
    site.deliver("Re: Kitchen drawings, second round", fields=answer)
    pictures = f'{HTML}<img src="https://far.example/x.png">'
    site.deliver("Re: Kitchen drawings, second round", html=pictures, fields=answer)
    with site.imap() as client:
        client.select("INBOX")
        client.store("1:2", "+FLAGS", "(\\Flagged $l_travel)")


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """One profile for all pages of this file, in which Alice is signed in."""
    seed(site)
    context = chromium.new_context(
        base_url=site.origin, locale="en-GB", timezone_id="Europe/Oslo"
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    sign_in(page)
    page.goto("/search/saved?q=kitchen")
    page.get_by_label("Name").fill(WORD)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Results for kitchen")).to_be_visible()
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    page = signed_in.new_page()
    yield page
    page.close()


def go(page: Page, where: str) -> None:
    """To an address, or to the letter of that subject."""
    if where.startswith("/"):
        page.goto(where)
        return
    page.goto("/mail/inbox")
    page.locator("#main").get_by_role("link", name=where).first.click()
    expect(page.locator("#conv")).to_be_visible()


SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

SMALL = """() => {
  const found = [];
  const kinds = ":is(a, button, input, select, summary):not(.vh)";
  for (const one of document.querySelectorAll(kinds)) {
    const box = one.getBoundingClientRect();
    const inline = one.matches("p a, li a:not(.btn, .ib), td a, dd a, .body a, bdi a");
    const target = one.matches("label input") ? one.closest("label")
      .getBoundingClientRect() : box;
    if (one.checkVisibility({opacityProperty: true, visibilityProperty: true})
        && box.width > 1 && !inline && Math.min(target.width, target.height) < 24)
      found.push(`${one.outerHTML.slice(0, 90)} ${target.width}x${target.height}`);
  }
  return found;
}"""


CUT = """() => [...document.querySelectorAll(".card, .btn, .chip, .ib, .in, .sel, h1")]
  .filter((one) => {
    const box = one.getBoundingClientRect();
    return one.checkVisibility({visibilityProperty: true}) && !one.closest(".vh")
      && box.width > 1 && (box.left < -1 || box.right > innerWidth + 1);
  }).map((one) => one.outerHTML.slice(0, 90))"""
"""What lies beyond the edges, where nobody can scroll to."""


def look_at(page: Page, name: str) -> list[str]:
    """What is wrong with a page on six screens; pictures of four are kept."""
    wrong = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]  # one of the two
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            screen = f"{width} {theme}"
            wrong += [f"{screen}: {one}" for one in violations(page)]
            if page.evaluate(SIDEWAYS) > 0:
                wrong.append(f"{screen}: scrolls sideways")
            wrong += [f"{screen}: cut off: {one}" for one in page.evaluate(CUT)]
            if width == 360 and theme == "light":
                wrong += [f"too small: {one}" for one in page.evaluate(SMALL)]
            if width != 768:
                keep_picture(page, f"{name}-{width}-{theme}")
    return wrong


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody(page: Page, name: str) -> None:
    go(page, PAGES[name])
    assert look_at(page, name) == []


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_page_outside_is_for_everybody(tab: Page, name: str) -> None:
    tab.goto(OUTSIDE[name])
    assert look_at(tab, name) == []


def test_dialogs_and_toasts_are_for_everybody(page: Page) -> None:
    page.goto("/mail/inbox")
    page.locator(".row .subj").first.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert look_at(page, "keys") == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("e")
    # It stays while somebody is in it.
    page.locator("#toast").get_by_role("button", name="Undo").focus()
    found = look_at(page, "toast")
    expect(page.locator("#toast")).to_be_visible()
    with page.expect_response("**/undo/*") as answer:
        page.keyboard.press("z")
    assert answer.value.ok, "other tests want that letter back"
    expect(page.locator("#toast")).to_have_count(0)
    assert found == []


def test_a_phone_reaches_everything(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/mail/inbox")
    expect(page.locator("a.fab")).to_be_in_viewport()
    page.get_by_role("button", name="Open navigation").click()
    expect(page.locator("#nav").get_by_role("link", name="Starred")).to_be_visible()
    page.keyboard.press("Escape")
    for n in (0, 1):
        page.locator(".row .ck").nth(n).click()
    bar = page.get_by_role("group", name="Actions for selected conversations")
    buttons = bar.get_by_role("button")
    expect(buttons.nth(5)).to_be_visible()
    for n in range(buttons.count()):
        box = buttons.nth(n).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    assert page.evaluate(SIDEWAYS) == 0
    keep_picture(page, "inbox-selected-360-light")
    go(page, PAGES["conversation"])
    page.get_by_role("button", name="More actions").click()
    for name in ("Snooze", "Label", "Move to", "Star", "Mute"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()


BOXES = """() => {
  const x = (selector) => {
    const box = document.querySelector(selector).getBoundingClientRect();
    return [box.left, box.right];
  };
  return {check: x(".row .ck"), subject: x(".row .subj"), time: x(".row time"),
    nav: x("#nav"), main: x("#main")};
}"""


def test_from_right_to_left(chromium: Browser, site: Site, page: Page) -> None:
    cookies = page.context.cookies()
    context = chromium.new_context(base_url=site.origin, locale="ar")
    context.add_cookies(cookies)  # type: ignore[arg-type]  # what they are given as
    arabic = context.new_page()
    arabic.set_viewport_size({"width": 1280, "height": 800})
    arabic.goto("/mail/inbox")
    assert arabic.locator("html").get_attribute("dir") == "rtl"
    at = arabic.evaluate(BOXES)
    assert at["main"][1] <= at["nav"][0] + 1
    assert at["check"][0] >= at["subject"][1]
    assert at["subject"][0] >= at["time"][1]
    mirrored = "e => getComputedStyle(e).transform"
    arrow = arabic.locator(".pager svg").first
    assert arrow.evaluate(mirrored) == "matrix(-1, 0, 0, 1, 0, 0)"
    for width in WIDTHS:
        arabic.set_viewport_size({"width": width, "height": 800})
        assert arabic.evaluate(SIDEWAYS) == 0
        assert violations(arabic) == []
        keep_picture(arabic, f"inbox-rtl-{width}")
    context.close()


class Inline(HTMLParser):
    """Collects what a browser would run or draw out of the page itself."""

    found: list[str]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name[:2] == "on"]


def test_nothing_runs_inline(page: Page) -> None:
    for where in (*PAGES.values(), *OUTSIDE.values()):
        if not where.startswith("/"):
            go(page, where)
            where = page.url
        parser = Inline()
        parser.found = []
        parser.feed(page.request.get(where).text())
        assert parser.found == [], where


def test_no_page_breaks_its_own_policy(page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda line: said.append(f"{line.type}: {line.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    for where in PAGES.values():
        go(page, where)
    # A page that is left while it is drawn over is no fault of its own.
    fine = ("Transition was", "404", "info:")
    wrong = [one for one in said if not any(part in one for part in fine)]
    assert wrong == []


def test_text_does_not_become_elements(page: Page) -> None:
    page.goto("/mail/inbox")
    failed = page.evaluate(
        """() => {
          const tries = [
            () => { document.body.innerHTML = "<b>x</b>"; },
            () => { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); },
            () => { new DOMParser().parseFromString("<b>x</b>", "text/html"); },
            () => { trustedTypes.createPolicy("other", {createHTML: (x) => x}); },
            () => { trustedTypes.createPolicy("mailkit", {createHTML: (x) => x}); },
            () => { document.createElement("script").src = "/x.js"; },
          ];
          return tries.map((one) => {
            try { one(); return "done"; } catch (error) { return error.name; }
          });
        }"""
    )
    assert failed == ["TypeError"] * 6


EVIL = """<form method="post" action="{origin}/act">
<input name="op" value="delete"><input name="c" value="{thread}">
<input name="box" value="inbox"><button>Win a kitchen</button></form>"""


def test_other_sites_change_nothing(page: Page, site: Site) -> None:
    page.goto("/mail/inbox")
    row = page.locator(".row").first
    thread = row.get_attribute("data-c") or ""
    rows = page.locator(".row").count()
    body = {"op": "delete", "c": thread, "box": "inbox"}
    send = """body => fetch("/act", {method: "POST", body: new URLSearchParams(body)})
        .then((answer) => answer.status)"""
    assert page.evaluate(send, body) == 403  # no token
    assert page.evaluate(send, {**body, "t": "of my own"}) == 403

    def evil(route: Route) -> None:
        html = EVIL.format(origin=site.origin, thread=thread)
        route.fulfill(content_type="text/html", body=html)

    page.context.route("http://evil.example/**", evil)
    page.goto("http://evil.example/")
    with page.expect_response("**/act") as answer:
        page.get_by_role("button").click()
    assert answer.value.status == 403
    page.wait_for_url("**/act")
    image = """url => new Promise((done) => Object.assign(new Image(),
        {src: url, onload: () => done("shown"), onerror: () => done("refused")}))"""
    page.goto("http://evil.example/")
    assert page.evaluate(image, site.url("/mail/inbox")) == "refused"
    page.goto("/mail/inbox")
    expect(page.locator(".row")).to_have_count(rows)


def test_words_twice_as_large_stay_within_the_page(page: Page) -> None:
    page.set_viewport_size({"width": 640, "height": 800})
    for where in ("/mail/inbox", "Kitchen drawings, second round", "/compose"):
        go(page, where)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert page.evaluate(SIDEWAYS) == 0, where
    page.set_viewport_size({"width": 320, "height": 700})
    for where in PAGES.values():
        go(page, where)
        assert page.evaluate(SIDEWAYS) == 0, where
