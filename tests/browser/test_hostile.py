"""
Every hostile vector by SMTP into the page: nothing runs, nobody else is asked.

Vectors come as answers to one another, twenty at a time, so that a page shows them all.
"""

from __future__ import annotations

import base64
import re

import pytest
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Frame,
    Page,
    Request,
)

from tests.browser.conftest import PATIENCE, sign_in
from tests.browser.site import ALICE, Site
from tests.interop.server import wait_until
from tests.web.hostile.vectors import EVIL, VECTORS

AT_ONCE = 20

NAMES = [name for name in VECTORS if not name.startswith("huge")]
GROUPS = [NAMES[n : n + AT_ONCE] for n in range(0, len(NAMES), AT_ONCE)]

MAY_BE_ASKED = re.compile(r"/(?:mail|m|part|static|events|att)[/?]|/events\Z")
"""Addresses of ours that a page of a conversation asks for."""


def _message(subject: str, html: str, identity: str, parent: str) -> bytes:
    body = base64.encodebytes(html.encode("utf-8", "replace")).replace(b"\n", b"\r\n")
    references = f"References: {parent}\r\nIn-Reply-To: {parent}\r\n" if parent else ""
    return (
        f"From: Evil <evil@{EVIL}>\r\nTo: {ALICE}\r\nSubject: {subject}\r\n"
        f"Message-ID: {identity}\r\n{references}MIME-Version: 1.0\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + body


class Watched:
    """What a browser does while pages are open that it should not."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._origin = origin
        self.wrong: list[str] = []
        context.on("request", self._ask)
        context.on("dialog", self._talk)
        context.on("page", self._open)
        context.on("console", self._hear)

    def _ask(self, request: Request) -> None:
        url = request.url
        if url.startswith("data:image/"):
            return
        path = url.removeprefix(self._origin)
        if path == url or not MAY_BE_ASKED.match(path):
            self.wrong.append(f"asked for {url}")

    def _talk(self, dialog: Dialog) -> None:
        self.wrong.append(f"a dialog says {dialog.message}")
        dialog.dismiss()

    def _open(self, page: Page) -> None:
        self.wrong.append(f"a window is opened on {page.url}")

    def _hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.wrong.append(message.text)


@pytest.fixture
def reader(context: BrowserContext) -> Page:
    """A tab in which Alice is signed in."""
    page = context.new_page()
    sign_in(page)
    return page


@pytest.mark.parametrize("number", range(len(GROUPS)))
def test_nothing_runs_and_nobody_is_asked(
    site: Site, reader: Page, number: int
) -> None:
    names = GROUPS[number]
    parent = ""
    for n, name in enumerate(names):
        identity = f"<{number}.{n}@{EVIL}>"
        subject = (
            f"Group {number} of all" if n == 0 else f"Re: Group {number} and {name}"
        )
        site.deliver_octets(_message(subject, VECTORS[name], identity, parent))
        parent = parent or identity
    reader.goto("/mail/inbox")
    rows = reader.locator("main li").filter(has_text=f"Group {number} ")
    address = rows.locator("a[href*='/c/']").first.get_attribute("href")
    assert address is not None
    watched = Watched(reader.context, site.origin)
    reader.goto(address, wait_until="domcontentloaded")
    # Those further down would wait until somebody comes near.
    reader.evaluate(
        "document.querySelectorAll('iframe').forEach(one => one.loading = 'eager')"
    )
    reader.wait_for_function(
        "n => frames.length == n && [...document.querySelectorAll('iframe')]"
        ".every(one => one.contentDocument?.URL.includes('/m/'))",
        arg=len(names),
        timeout=2 * PATIENCE,
    )

    def frames() -> list[Frame]:
        return [frame for frame in reader.frames[1:] if "/m/" in frame.url]

    wait_until(
        "all are known here as well",
        lambda: reader.evaluate("1") and len(frames()) == len(names),
    )
    for frame in frames():
        frame.wait_for_load_state()
        assert frame.evaluate("document.scripts.length") == 0
    assert reader.evaluate("Object.keys(window).includes('hostile')") is False
    assert watched.wrong == []
