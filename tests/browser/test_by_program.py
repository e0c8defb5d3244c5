"""The same as without scripts in a browser, asked by a program of a few lines."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from tests.browser.forms import PlainBrowser, Shown
from tests.browser.site import ALICE, Site
from tests.interop.server import PASSWORD


class PlainTests(TestCase):
    """Sign in, read, answer, think again; archive, think again."""

    site: Site
    timeout = 300

    @pytest.fixture(autouse=True)
    def _with(self, site: Site) -> None:
        self.site = site

    def _signed_in(
        self, work: Callable[[PlainBrowser], Awaitable[None]]
    ) -> Deferred[None]:
        async def run() -> None:
            browser = PlainBrowser(self.site.origin)
            page = await browser.get("/login")
            fields = {"username": ALICE, "password": PASSWORD}
            page = await browser.press(page, "Sign in", fields)
            self.assertEqual((page.status, "Inbox" in page.words), (200, True))
            await work(browser)

        return Deferred.fromCoroutine(run())

    def _opened(self, page: Shown, words: str) -> str:
        return next(href for said, href in page.links.items() if words in said)

    def test_answer_send_undo_and_find_the_draft(self) -> Deferred[None]:
        self.site.deliver("Sunday lunch", "At one?\n")

        async def work(browser: PlainBrowser) -> None:
            page = await browser.get("/mail/inbox")
            page = await browser.get(self._opened(page, "Sunday lunch"))
            self.assertIn("At one?", page.words)
            page = await browser.get(page.links["Reply"])
            page = await browser.press(page, "Send", {"text": "Gladly, at one."})
            self.assertEqual(page.status, 200)
            self.assertIn("Undo", page.words)
            page = await browser.press(page, "Undo")
            self.assertIn("Gladly, at one.", page.text)
            page = await browser.get("/mail/drafts")
            page = await browser.get(self._opened(page, "Re: Sunday lunch"))
            self.assertIn("Gladly, at one.", page.text)
            self.assertEqual(len(self.site.messages("Drafts")), 1)
            self.assertEqual(self.site.messages("Sent"), [])

        return self._signed_in(work)

    def test_two_rows_are_archived_and_come_back(self) -> Deferred[None]:
        subjects = ("First of two", "Second of two")
        for subject in subjects:
            self.site.deliver(subject)

        async def work(browser: PlainBrowser) -> None:
            page = await browser.get("/mail/inbox")
            ticks = [f"Select conversation: {subject}" for subject in subjects]
            page = await browser.press(page, "Archive", ticks=ticks)
            self.assertIn("2 archived", page.words)
            for subject in subjects:
                self.assertNotIn(subject, page.words)
            page = await browser.press(page, "Undo")
            for subject in subjects:
                self.assertIn(subject, page.words)

        return self._signed_in(work)
