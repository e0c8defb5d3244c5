"""Pictures of other servers: none before somebody wants them, then by our server."""

from __future__ import annotations

import re
import struct
import sys
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from tests.browser import checked
from tests.browser.conftest import sign_in
from tests.browser.site import ALICE, Site
from tests.interop import server

FRIEND = "Greta Friend <greta@pass.example>"
HONEST, FORGED, SILENT = "x@pass.example", "x@fail.example", "x@none.example"


def picture(width: int, height: int) -> bytes:
    """A PNG."""
    rows = b"".join(b"\0" + b"\x33\x99\x66" * width for _ in range(height))

    def chunk(kind: bytes, octets: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + octets))
        return struct.pack(">I", len(octets)) + kind + octets + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body


class Strangers(ThreadingHTTPServer):
    """A web server that senders of mail have, and what was asked of it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def html(self, name: str) -> str:
        """A message with one of its pictures."""
        return f"<p>Look at this:</p>{self.image(name)}"

    def image(self, name: str, size: str = "") -> str:
        """One of them."""
        source = f"http://127.0.0.1:{self.port}/{name}.png"
        return f'<img src="{source}" alt="the lake"{size}>'


class _Answer(BaseHTTPRequestHandler):
    server: Strangers

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        octets = picture(40, 30)
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.send_header("Content-Length", str(len(octets)))
        self.send_header("Set-Cookie", "seen=1")
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody wants to know."""


@pytest.fixture(scope="module")
def strangers() -> Iterator[Strangers]:
    web = Strangers()
    Thread(target=web.serve_forever, daemon=True).start()
    yield web
    web.shutdown()
    web.server_close()


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, strangers: Strangers
) -> Iterator[Site]:
    """A server that was told what to think of whom, and that may ask this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(server.ENVIRONMENT, checked.PORT, str(strangers.port))
        settings = '[relay]\nallow = ["127.0.0.0/8"]\n'
        site = Site(tmp_path_factory.mktemp("checked"), settings)
        site.server.program = (sys.executable, str(Path(checked.__file__)))
        site.server.add(ALICE)
        site.server.start()
        try:
            yield site
        finally:
            site.server.stop()


@pytest.fixture
def reader(context: BrowserContext, strangers: Strangers) -> Iterator[Page]:
    """Alice, whose browser is watched: it never asks strangers."""
    wrong: list[str] = []
    page = context.new_page()
    origin = f"http://127.0.0.1:{strangers.port}"
    context.on("request", lambda one: _note(wrong, one.url, origin))
    strangers.asked.clear()
    sign_in(page)
    yield page
    assert wrong == []


def _note(wrong: list[str], url: str, origin: str) -> None:
    if url.startswith(origin):
        wrong.append(url)


def _open(page: Page, subject: str) -> None:
    page.goto("/mail/inbox")
    page.locator(".row").filter(has_text=subject).locator("a.subj").click()
    expect(page.locator("#subj")).to_have_text(subject)
    expect(_message(page).get_by_text("Look at this:")).to_be_visible()


def _message(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[data-message]")


def _is_shown(page: Page) -> None:
    image = _message(page).locator("img[alt='the lake']")
    expect(image).to_have_js_property("naturalWidth", 40)
    expect(image).to_have_attribute("src", re.compile(r"/img/"))


def test_none_is_asked_for_before_consent_and_one_after(
    site: Site, reader: Page, strangers: Strangers
) -> None:
    site.deliver("A stranger", html=strangers.html("once"))
    _open(reader, "A stranger")
    assert strangers.asked == []
    expect(reader.get_by_role("button", name="Always for")).to_have_count(0)
    expect(reader.get_by_text("Not checked").first).to_be_visible()
    expect(reader.get_by_text("Verified")).to_have_count(0)
    reader.get_by_role("button", name="Load pictures").click()
    _is_shown(reader)
    ((path, headers),) = strangers.asked
    assert path == "/once.png"
    assert "mailkit picture proxy" in headers["User-Agent"]
    assert not {"Cookie", "Referer", "X-Forwarded-For", "Forwarded"} & set(headers)
    # Only this time; what was fetched is still at hand.
    _open(reader, "A stranger")
    expect(reader.get_by_role("button", name="Load pictures")).to_be_visible()
    assert len(strangers.asked) == 1


def test_always_is_for_whom_they_seem_to_be(
    site: Site, reader: Page, strangers: Strangers, chromium: Browser
) -> None:
    html = strangers.html
    site.deliver("First of Greta", html=html("a"), sender=FRIEND, path=HONEST)
    _open(reader, "First of Greta")
    expect(reader.get_by_text("Verified").first).to_be_visible()
    reader.get_by_role("button", name="Always for Greta Friend").click()
    _is_shown(reader)
    assert [path for path, _ in strangers.asked] == ["/a.png"]

    # In another browser, another day.
    site.deliver("Second of Greta", html=html("b"), sender=FRIEND, path=HONEST)
    site.deliver("Not of Greta", html=html("c"), sender=FRIEND, path=FORGED)
    site.deliver("Perhaps of Greta", html=html("d"), sender=FRIEND, path=SILENT)
    other = chromium.new_context(base_url=site.origin, locale="en-GB")
    try:
        page = other.new_page()
        sign_in(page)
        _open(page, "Second of Greta")
        _is_shown(page)
        expect(page.get_by_role("button", name="Load pictures")).to_have_count(0)

        _open(page, "Not of Greta")
        expect(page.get_by_text("Looks forged").first).to_be_visible()
        expect(page.get_by_text("Be careful with this message.")).to_be_visible()
        expect(page.get_by_role("button", name="Load pictures")).to_be_visible()
        expect(page.get_by_role("button", name="Always for")).to_have_count(0)

        _open(page, "Perhaps of Greta")
        expect(page.get_by_text("Could not be verified").first).to_be_visible()
        expect(page.get_by_role("button", name="Load pictures")).to_be_visible()
        expect(page.get_by_role("button", name="Always for")).to_have_count(0)
    finally:
        other.close()
    assert [path for path, _ in strangers.asked] == ["/a.png", "/b.png"]


def test_trackers_are_counted_and_never_asked(
    site: Site, reader: Page, strangers: Strangers
) -> None:
    pixel = strangers.image("pixel", ' width="1" height="1"')
    site.deliver("A newsletter", html=strangers.html("shown") + pixel)
    _open(reader, "A newsletter")
    expect(reader.get_by_text("1 tracker blocked.")).to_be_visible()
    reader.get_by_role("button", name="Load pictures").click()
    image = _message(reader).locator("img[src*='/img/']").first
    expect(image).to_have_js_property("naturalWidth", 40)
    assert "/pixel.png" not in [path for path, _ in strangers.asked]
