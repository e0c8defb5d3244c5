"""Mail that is too long, too wide, turned round or broken: still, it can be read."""

from __future__ import annotations

import base64
import smtplib
import urllib.request
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import ALICE, REVERSE_PATH, Site

MIB = 1024 * 1024
OVERRIDE, ISOLATE = "\u202e", "\u2067"

DEADLINE = 90
"""Seconds after which a test gives up waiting for a page."""


@pytest.fixture(scope="module")
def site_settings() -> str:
    return "[limits]\nmessage_size = 41943040\n"


@pytest.fixture(autouse=True)
def nothing_broke(site: Site) -> Iterator[None]:
    """The server has met no bug of its own."""
    yield
    assert "Traceback" not in site.server.log


def _open(page: Page, subject: str) -> None:
    """Opens a conversation, as long as that takes: the bench says how long."""
    page.goto("/mail/inbox")
    row = page.locator(".row").filter(has_text=subject)
    row.locator("a.subj").click()
    page.locator("#conv").wait_for(timeout=DEADLINE * 1000)


def _is_within_the_screen(page: Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"{width} px too wide"


def _head(subject: str, kind: str, more: str = "") -> bytes:
    return (
        f"From: Ingrid <ingrid@far.example>\r\nTo: {ALICE}\r\nSubject: {subject}\r\n"
        f"{more}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
    ).encode()


def test_five_hundred_messages(site: Site, alice: Page) -> None:
    with smtplib.SMTP("127.0.0.1", site.server.ports["smtp"]) as smtp:
        for number in range(500):
            above = [f"<{n}@long.example>" for n in range(max(0, number - 8), number)]
            named = f"References: <0@long.example> {' '.join(above)}\r\n" * bool(above)
            subject = "Re: " * bool(number) + "A long talk"
            more = f"Message-ID: <{number}@long.example>\r\n{named}"
            octets = _head(subject, "text/plain", more) + b"Word %d.\r\n" % number
            smtp.sendmail(REVERSE_PATH, [ALICE], octets)
    alice.goto("/mail/inbox")
    expect(alice.locator(".row")).to_have_count(1)
    expect(alice.locator(".row .cnt")).to_have_text("500")
    _open(alice, "A long talk")
    expect(alice.locator(".convhead .count")).to_have_text("500 messages")
    expect(alice.locator(".msg[open] .body").first).to_have_text("Word 0.")
    messages = alice.locator(".msgs .msg")
    assert messages.count() <= 60
    # All of them can be reached, a page after another.
    seen: set[str] = set()
    for _ in range(12):
        seen |= set(messages.evaluate_all("all => all.map(one => one.id)"))
        later = alice.locator(".msgs > .earlier").last
        if "later" not in later.inner_text():
            break
        before = alice.url
        later.click()
        alice.wait_for_function("before => location.href != before", arg=before)
        alice.locator("#conv").wait_for()
    assert len(seen) == 500
    _is_within_the_screen(alice)


def test_a_part_of_25_mib(site: Site, alice: Page) -> None:
    line = b"<p>All work and no play makes this a <b>dull</b> message.</p>\r\n"
    octets = _head("A flood", "text/html; charset=utf-8") + b"<h1>It begins</h1>\r\n"
    site.deliver_octets(octets + line * (25 * MIB // len(line)))
    stop = Event()
    answered: list[int] = []

    def ask() -> None:
        while True:
            asked = urllib.request.urlopen(site.url("/healthz"), timeout=DEADLINE)
            with asked as answer:
                answered.append(answer.status)
            if stop.wait(0.05):
                break

    asking = Thread(target=ask)
    asking.start()
    try:
        _open(alice, "A flood")
        frame = alice.frame_locator("iframe[data-message]")
        heading = frame.get_by_role("heading", name="It begins")
        expect(heading).to_be_visible(timeout=DEADLINE * 1000)
    finally:
        stop.set()
        asking.join()
    # Others are served meanwhile; the bench says how quickly.
    assert set(answered) == {200}
    expect(alice.get_by_text("This message is very long")).to_be_visible()
    shown = alice.frames[1].evaluate("document.documentElement.outerHTML.length")
    assert shown < 4 * MIB
    with alice.expect_download() as download:
        alice.get_by_role("link", name="Save as a file").first.click()
    assert download.value.path().stat().st_size > 25 * MIB


def test_two_thousand_recipients(site: Site, alice: Page) -> None:
    people = ",\r\n ".join(f"Person {n} <p{n}@crowd.example>" for n in range(2000))
    octets = _head("A crowd", "text/plain", f"Cc: {people}\r\n") + b"Hello all.\r\n"
    site.deliver_octets(octets)
    _open(alice, "A crowd")
    expect(alice.get_by_text("Hello all.").last).to_be_visible()
    summary = alice.locator(".msg[open] > summary").last
    expect(summary).to_contain_text("more")
    assert alice.locator("main").evaluate("one => one.outerHTML.length") < 300_000
    _is_within_the_screen(alice)
    alice.locator(".replybar").get_by_role("link", name="Reply all").click()
    send = alice.get_by_role("button", name="Send to 2,001 people")
    expect(send).to_be_visible(timeout=DEADLINE * 1000)
    _is_within_the_screen(alice)


def test_names_that_turn_round(site: Site, alice: Page) -> None:
    name = f"exe.{OVERRIDE}fdp.ecioovni"
    site.deliver(
        f"Turned {OVERRIDE}dnuor si siht",
        f"Words {OVERRIDE}of the message {ISOLATE}and more.\n",
        sender=f'"moc.knab@ofni {OVERRIDE}{ISOLATE}x" <ingrid@far.example>',
        files=[(name, "application/octet-stream", b"MZ")],
    )
    site.deliver("Upright", "Straight on.\n")
    alice.goto("/mail/inbox")
    # What is behind such a name reads as ever.
    row = alice.locator(".row").filter(has_text="Turned")
    time_box = row.locator("time").bounding_box()
    from_box = row.locator(".from").bounding_box()
    assert time_box is not None and from_box is not None
    assert time_box["x"] > from_box["x"]
    _open(alice, "Turned")
    shown = alice.locator(".att .cap bdi").inner_text()
    assert OVERRIDE not in shown
    assert shown.endswith("ecioovni"), "the end of the name is where it ends"
    with alice.expect_download() as download:
        alice.locator(".att a.open").click()
    assert OVERRIDE not in download.value.suggested_filename
    assert OVERRIDE not in alice.title()
    _is_within_the_screen(alice)


CHARSETS = {
    "nonsense": ("x-nonsense", b"Plain words, and \xe4\xf6\xfc."),
    "not utf-8": ("utf-8", b"Plain words, and \xff\xfe\xc3("),
    "utf-7": ("utf-7", b"Plain words, and +ADw-script+AD4-alert(1)+ADw-/script+AD4-"),
    "cut": ("iso-2022-jp", b"Plain words, and \x1b$B$3"),
    "utf-16": ("utf-16", "Plain words, and more.".encode("utf-16")),
    "empty": ("", b"Plain words, and \xe4"),
    "windows": ("windows-1252", b"Plain words, and \x93quotes\x94 \x81"),
    "gb": ("gb18030", "Plain words, and 漢字".encode("gb18030")),
}


@pytest.mark.parametrize("name", CHARSETS)
def test_broken_charsets(site: Site, alice: Page, name: str) -> None:
    charset, octets = CHARSETS[name]
    head = _head(f"Charset {name} \x80", f'text/plain; charset="{charset}"')
    head = head.replace("\x80".encode(), b"\xe9 =?utf-8?B?4pi?= =?x-no?Q?=E9?=")
    if b"\0" in octets:
        head = head.replace(b"8bit", b"base64")
        octets = base64.b64encode(octets)
    site.deliver_octets(head + octets + b"\r\n")
    _open(alice, f"Charset {name} ")
    expect(
        alice.locator(".msg[open]").get_by_text("Plain words, and").last
    ).to_be_visible()
    assert alice.evaluate("typeof hostile") == "undefined"
