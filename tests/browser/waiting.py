"""Waiting for what a page does not show."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

_STEP = 50
_STEPS = 600

_LISTENS = """() => new Promise((done, fail) => {
  const channel = new BroadcastChannel("mailkit");
  channel.onmessage = ({data: [kind]}) => kind === "hello" && done(channel.close());
  channel.postMessage(["?"]);
  setTimeout(() => fail("nobody has a stream"), 30000);
})"""


def wait_for(page: Page, is_so: Callable[[], bool]) -> None:
    """Until something is so, while handlers of routes and events run."""
    for _ in range(_STEPS):
        if is_so():
            return
        page.wait_for_timeout(_STEP)
    raise AssertionError(f"not within {_STEP * _STEPS // 1000} s")


def wait_for_stream(page: Page) -> None:
    """Until the server tells this page, or another tab of its browser, what happens."""
    page.evaluate(_LISTENS)
