"""
Every page that links lead to is there, and every page's parts find one another.

What a browser would follow is followed, from the inbox on: links, addresses of forms,
icons, and what names another element by its id.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from attrs import define, field
from werkzeug.exceptions import HTTPException

from mailkit.interfaces.storage import NewMessage
from mailkit.model.flags import FLAGGED, SEEN
from mailkit.model.label import Label
from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from tests.web.letters import PNG, multipart, part
from tests.web.world import ALICE, STATICS, WebWorld

REFERENCES = (
    "for", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget",
)  # fmt: skip
FILE = "Content-Disposition: attachment; filename="
HEAD = """\
From: Ingrid <ingrid@far.example>
To: alice@example.test, Team <team@far.example>
Subject: Letter {number}
Message-ID: <{number}@far.example>
"""
NEWS = (
    "List-Unsubscribe: <https://l.example/u>\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
    "Content-Type: text/html\n\n"
    "<p style='color:red'>News<img src=https://p.example/a.png>"
)
_SPRITE = STATICS.find(STATICS.version, "icons.svg")
assert _SPRITE is not None
ICONS = set(re.findall(rb'id="([^"]+)"', _SPRITE.octets))


@define(eq=False)
class Form:
    """One form of a page, and where its buttons send it."""

    action: str
    method: str
    targets: list[str] = field(factory=list)


class Seen(HTMLParser):
    """What a page has that leads elsewhere, and what has no name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self.ids: list[str] = []
        self.wanted: list[str] = []
        self.nameless: list[str] = []
        self.icons: list[str] = []
        self.headings = 0
        self._open: list[list[str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: value or "" for name, value in attrs}
        self.headings += tag == "h1"
        if "id" in names:
            self.ids.append(names["id"])
        for name in REFERENCES:
            self.wanted += names.get(name, "").split()
        if tag == "form":
            self.forms.append(Form(names.get("action", ""), names.get("method", "get")))
        if "formaction" in names:
            self.forms[-1].targets.append(names["formaction"])
        if tag == "use":
            self.icons.append(names["href"])
        elif "href" in names:
            self.links.append(names["href"])
        elif "src" in names:
            self.links.append(names["src"])
        if tag == "img" and "alt" not in names:
            self.nameless.append(f"img {names.get('src')}")
        if tag == "iframe" and not names.get("title"):
            self.nameless.append("iframe")
        if tag in ("a", "button"):
            said = names.get("aria-label", "")
            hidden = "hidden" if names.get("aria-hidden") == "true" else ""
            self._open.append([tag, said or hidden])

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one[1] += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1][0] == tag:
            _, said = self._open.pop()
            if not said:
                self.nameless.append(f"{tag} before {self.getpos()}")


def keep(
    world: WebWorld,
    number: int,
    octets: bytes,
    *flags: str,
    mailbox: MailboxName = INBOX,
) -> None:
    """A letter, read by Alice."""
    letter = HEAD.format(number=number).replace("\n", "\r\n").encode() + octets
    new = NewMessage(
        OctetsContent(letter), frozenset((SEEN, *flags)), 1767225600.0 + number
    )
    at_once(world.store.append(ALICE, mailbox, [new]))


@pytest.fixture(scope="module")
def world() -> WebWorld:
    """Mail of all kinds, everywhere, and settings that were used."""
    made = WebWorld(aliases=2, registration="open", is_whole=True)
    made.sign_in()
    work = MailboxName("Work & more/2026")
    for name in (MailboxName("Work & more"), work):
        at_once(made.store.create(ALICE, name))
    at_once(made.personal.put_labels(ALICE, [Label("$l_travel", "Travel <b>", 2, 1)]))
    files = multipart(
        "mixed",
        part("text/plain", b"See the files."),
        part("image/png", PNG, f"{FILE}a b.png"),
        part("application/pdf", b"%PDF-1.4", f"{FILE}plan.pdf"),
        part("image/svg+xml", b"<svg/>", f"{FILE}x.svg"),
    )
    keep(made, 1, b"\r\nHello")
    keep(made, 2, NEWS.replace("\n", "\r\n").encode())
    keep(made, 3, files, FLAGGED, "$l_travel", "Odd")
    for number, box in enumerate((work, "Sent", "Archive", "Junk", "Trash"), 4):
        keep(made, number, b"\r\nHello there", mailbox=MailboxName(box))
    made.post("/settings/addresses", {"name": "ally", "domain": "other.test"},
              action="settings")  # fmt: skip
    return made


@define(eq=False)
class Crawl:
    """All pages that links lead to from some."""

    world: WebWorld
    pages: dict[str, Seen] = field(factory=dict)
    wrong: list[str] = field(factory=list)
    kinds: Counter[str] = field(factory=Counter)

    def go(self, *begin: str) -> None:
        waiting = [(path, "the beginning") for path in begin]
        while waiting:
            path, whence = waiting.pop()
            path = urldefrag(path)[0]
            if path in self.pages or not self._is_new(path):
                continue
            heard = self.world.get(path)
            self.pages[path] = seen = Seen(
                heard.text if "text/html" in heard.headers["content-type"] else ""
            )
            if heard.status == 303:
                waiting.append((urljoin(path, heard.location), path))
            elif heard.status != 200:
                self.wrong.append(f"{heard.status} {path} from {whence}")
            for link in seen.links:
                if link.startswith("/"):
                    waiting.append((link, path))
                elif not link.startswith(("#", "https://", "mailto:", "data:")):
                    self.wrong.append(f"{link} in {path}")

    def _is_new(self, path: str) -> bool:
        """A few of each kind: drafts alone would lead to more drafts for ever."""
        kind = re.sub(r"\b[0-9a-f]{16,}\b|=[^&]*", "*", path)
        self.kinds[kind] += 1
        return self.kinds[kind] <= 3


@pytest.fixture(scope="module")
def crawl(world: WebWorld) -> Crawl:
    made = Crawl(world)
    made.go("/mail/inbox", "/empty/trash", "/search?q=hello", "/settings/general")
    return made


def pages(crawl: Crawl) -> Iterator[tuple[str, Seen]]:
    """Those of ours, not documents of messages."""
    for path, seen in crawl.pages.items():
        if seen.ids and not path.startswith("/m/"):
            yield path, seen


def test_no_link_is_dead(crawl: Crawl) -> None:
    assert crawl.wrong == []
    routes = {route.path.split("<")[0] for route in crawl.world.site._house.routes
              if route.method == "GET"}  # fmt: skip
    led = {
        prefix for prefix in routes for path in crawl.pages if path.startswith(prefix)
    }
    # What only forms and scripts ask, what documents of messages and the front page
    # lead to, and what comes by a letter.
    alone = {
        "/act", "/people", "/events", "/compose/", "/part/", "/img/",
        "/login", "/register", "/register/free", "/password/",
    }  # fmt: skip
    assert routes - led - alone == set()


def test_every_form_has_a_page(crawl: Crawl) -> None:
    adapter = crawl.world.site._map
    wrong = []
    for path, seen in pages(crawl):
        for form in seen.forms:
            for target in (form.action, *form.targets):
                at = urlsplit(urljoin(path, target)).path
                try:
                    adapter.match(at, method=form.method.upper())
                except HTTPException:
                    wrong.append(f"{form.method} {at} in {path}")
    assert wrong == []


def test_ids_are_there_once(crawl: Crawl) -> None:
    wrong = []
    for path, seen in pages(crawl):
        twice = {one for one, count in Counter(seen.ids).items() if count > 1}
        lost = set(seen.wanted) - set(seen.ids)
        here = {link[1:] for link in seen.links if link.startswith("#")}
        if twice or lost or here - set(seen.ids):
            wrong.append((path, twice, lost, here - set(seen.ids)))
    assert wrong == []


def test_everything_has_a_name_and_its_icon(crawl: Crawl) -> None:
    for path, seen in pages(crawl):
        assert seen.nameless == [], path
        assert seen.headings == 1, path
        for icon in seen.icons:
            place, _, name = icon.partition("#")
            assert place == STATICS.address("icons.svg"), path
            assert name.encode() in ICONS, f"{name} in {path}"
