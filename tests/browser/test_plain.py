"""Without scripts: everything goes by links and forms."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.site import Site


@pytest.fixture(params=["switched off", "not fetched"])
def plain(
    request: pytest.FixtureRequest, chromium: Browser, site: Site
) -> Iterator[Page]:
    """Alice, whose browser runs no scripts of ours."""
    context = chromium.new_context(
        base_url=site.origin,
        locale="en-GB",
        java_script_enabled=request.param == "not fetched",
    )
    context.set_default_timeout(30_000)
    context.route(re.compile(r"/static/.*\.js$"), lambda route: route.abort())
    page = context.new_page()
    sign_in(page)
    yield page
    context.close()


def test_two_rows_are_archived_and_come_back(plain: Page, site: Site) -> None:
    subjects = ("First of two", "Second of two")
    for subject in subjects:
        site.deliver(subject)
    plain.goto("/mail/inbox")
    for subject in subjects:
        plain.get_by_label(f"Select conversation: {subject}").first.check()
    bar = plain.get_by_role("group", name="Actions for selected conversations")
    bar.get_by_role("button", name="Archive").click()
    toast = plain.locator("#toast")
    expect(toast).to_contain_text("2 archived")
    for subject in subjects:
        expect(plain.get_by_role("link", name=subject)).to_have_count(0)
    toast.get_by_role("button", name="Undo").click()
    for subject in subjects:
        expect(plain.get_by_role("link", name=subject)).to_have_count(1)
    plain.get_by_label("Select all on this page").check()
    bar.get_by_role("button", name="Delete").click()
    expect(plain.get_by_text("Nothing waiting")).to_be_visible()


def test_answer_send_undo_and_find_the_draft(plain: Page, site: Site) -> None:
    site.deliver("Sunday lunch")
    # Who goes by whole pages may need longer than ten seconds.
    plain.goto("/settings/general")
    plain.get_by_label("Undo is offered for").select_option("30")
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_text("Saved.")).to_be_visible()
    plain.goto("/mail/inbox")
    plain.get_by_role("link", name="Sunday lunch").first.click()
    expect(plain.locator("h1")).to_have_text("Sunday lunch")
    plain.get_by_role("link", name="Reply", exact=True).last.click()
    words = "Gladly, at one."
    box = plain.get_by_role("textbox", name="Message")
    expect(box).to_be_visible()
    box.fill(words)
    plain.get_by_role("button", name="Send", exact=True).click()
    toast = plain.locator("#toast")
    expect(toast).to_contain_text("Sent")
    toast.get_by_role("button", name="Undo").click()
    expect(box).to_have_value(words)
    plain.goto("/mail/drafts")
    expect(plain.get_by_text(words)).to_be_visible()
    plain.goto("/mail/inbox")
    plain.get_by_label("Select all on this page").check()
    bar = plain.get_by_role("group", name="Actions for selected conversations")
    bar.get_by_role("button", name="Delete").click()
    expect(plain.get_by_text("Nothing waiting")).to_be_visible()
    plain.goto("/mail/drafts")
    plain.get_by_label("Select all on this page").check()
    bar.get_by_role("button", name="Delete").click()
    expect(plain.get_by_text("No drafts")).to_be_visible()


def test_a_star_is_a_form(plain: Page, site: Site) -> None:
    site.deliver("To be starred")
    plain.goto("/mail/inbox")
    plain.get_by_role("button", name="Star: To be starred").click()
    expect(plain.locator("#toast")).to_contain_text("Starred")
    plain.goto("/mail/starred")
    expect(plain.get_by_role("link", name="To be starred")).to_have_count(1)
    plain.get_by_role("button", name="Star: To be starred").click()
    expect(plain.locator("#toast")).to_contain_text("Star removed")
    plain.goto("/mail/starred")
    expect(plain.get_by_text("No stars yet")).to_be_visible()
    plain.goto("/mail/inbox")
    plain.get_by_label("Select all on this page").check()
    bar = plain.get_by_role("group", name="Actions for selected conversations")
    bar.get_by_role("button", name="Delete").click()
    expect(plain.get_by_text("Nothing waiting")).to_be_visible()
