"""Chromium for the whole run, a server for each file, a tab for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    expect,
    sync_playwright,
)

from tests.browser.site import ALICE, BOB, Site
from tests.interop.server import PASSWORD, STARTING
from tests.order import begin_with

PICTURES = Path(
    os.environ.get("MAILKIT_PICTURES", Path(__file__).parents[2] / "browser-out")
)
"""Where screenshots are kept."""


FIRST = (
    "test_day.py",
    "test_searching.py",
    "test_pages.py",
    # xdist gives whoever has one test another file at once: a short one.
    "test_by_program.py",
    "test_lists.py",
    "test_composing.py",
    "test_pictures.py",
    "test_long_lists.py",
)
"""Files that take longest, so that none of them is begun when all others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    begin_with(FIRST, Path(__file__).parent, items)


PATIENCE = 30_000
"""Milliseconds until a test gives up, on a machine that has much else to do."""

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's browser, without a window."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    # Its sandbox wants a user of its own, which root in a container is not.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=arguments, timeout=STARTING * 1000
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site_settings() -> str:
    """A file of tests that wants other settings has a fixture of this name."""
    return ""


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, site_settings: str
) -> Iterator[Site]:
    """A server with two accounts."""
    site = Site(tmp_path_factory.mktemp("site"), site_settings)
    site.server.add_all(ALICE, BOB)
    site.server.start()
    try:
        yield site
    finally:
        site.server.stop()


@pytest.fixture
def context(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A fresh profile, whose language and zone are known."""
    context = chromium.new_context(
        base_url=site.origin, locale="en-GB", timezone_id="Europe/Oslo"
    )
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def tab(context: BrowserContext) -> Page:
    """One page of it."""
    return context.new_page()


def sign_in(page: Page, address: str = ALICE, password: str = PASSWORD) -> None:
    """Through the form."""
    page.goto("/login")
    page.get_by_label("Email").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/mail/inbox**")


@pytest.fixture
def alice(tab: Page) -> Page:
    """A tab in which Alice is signed in."""
    sign_in(tab)
    return tab


def keep_picture(page: Page, name: str) -> Path:
    """A screenshot of the whole page, for people to look at."""
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
