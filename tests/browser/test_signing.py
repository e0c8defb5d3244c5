"""What scripts add where people sign in, and that all of them can be read."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from mailkit.web.statics import Statics
from tests.browser.conftest import sign_in

IMPORT = """async (addresses) => {
  const form = document.createElement("form");
  const field = document.createElement("input");
  field.dataset.free = "";
  form.append(field);
  document.body.append(form);
  const wrong = [];
  for (const address of addresses)
    await import(address).catch((error) => wrong.push(`${address}: ${error}`));
  return wrong;
}"""
"""The field is what one of them begins with; every other asks for it when started."""


def test_times_are_those_of_the_browser(tab: Page) -> None:
    sign_in(tab)
    tab.goto("/settings/general")
    chosen = tab.get_by_label("Time zone").locator("option:checked")
    expect(chosen).to_have_text("The browser's: Europe/Oslo")


def test_all_scripts_can_be_read(alice: Page) -> None:
    """As they are served, without their comments."""
    statics = Statics.load()
    scripts = [one for one in statics.names if one.endswith(".js")]
    addresses = [statics.address(one) for one in scripts]
    assert alice.evaluate(IMPORT, addresses) == []
