"""A conversation for paper: with its HTML, and as safe as it was on the screen."""

from __future__ import annotations

import pytest
from attrs import evolve

from mailkit.errors import Unavailable
from mailkit.model.address import AccountName
from mailkit.model.conversation import Summary
from mailkit.model.mailbox import MailboxName
from mailkit.model.preferences import Preferences
from mailkit.services.reading.message import OpenMessage, Reading
from mailkit.services.reading.sheets import own_root
from mailkit.testing.at_once import at_once
from mailkit.web.webmail import printing
from tests.web.conversations import summary
from tests.web.hostile.judge import faults
from tests.web.hostile.vectors import EVIL, VECTORS
from tests.web.letters import PASSED, PNG, multipart, part, put
from tests.web.test_documents import DOCUMENT_HEADERS
from tests.web.world import ALICE, Heard, WebWorld

HERE = "/mail/inbox/c/t1"
PRINT = f"{HERE}/print"
TREE = '<template shadowrootmode="open">'
HTML = "Content-Type: text/html; charset=utf-8\n\n"
REMOTE = HTML + "<p>x<img src=https://p.example/a>"


@pytest.fixture
def world() -> WebWorld:
    made = WebWorld()
    made.sign_in()
    return made


def faults_of(heard: Heard) -> list[str]:
    """What is wrong with a printed page, its trees looked into."""
    text = heard.text
    assert text.count(TREE) == text.count("</template>") == text.count("<template")
    return faults(text.replace(TREE, "").replace("</template>", ""))


def test_html_is_printed_as_html_each_in_a_tree_of_its_own(world: WebWorld) -> None:
    styled = "<style>p{color:red}body{margin:9px}</style><p>Hello <b>you</b>"
    put(world, HTML + styled, 1)
    put(world, "\nSecond <i>", 2)
    heard = world.get(PRINT)
    assert heard.status == 200
    for name, value in DOCUMENT_HEADERS.items():
        assert heard.headers[name] == value
    first, second = heard.text.split("<article>")[1:]
    assert "<p>Hello <b>you</b></p>" in first
    head, _, tree = first.partition(TREE)
    assert "Ingrid Solheim" in head
    assert "<style>p{color:red}.mk-body{margin:9px}</style>" in tree
    assert "color:red" not in heard.text.replace(first, "")
    assert "Second &lt;i&gt;" in second
    assert heard.text.index("Hello") < heard.text.index("Second")
    assert "<iframe" not in heard.text
    assert faults_of(heard) == []


def test_what_is_folded_on_the_screen_is_on_the_paper(world: WebWorld) -> None:
    put(world, HTML + "<p>New<blockquote type=cite><p>Old words</blockquote>", 1)
    put(world, "\nNew\n> a\n> b\n> c\n> d\n", 2)
    text = world.get(PRINT).text
    assert '<details class="mk-quote" open>' in text
    assert '<details class="quoted" open>' in text
    assert text.count("<details") == 2


def test_pictures_of_others_are_there_where_the_page_shows_them(
    world: WebWorld,
) -> None:
    put(world, REMOTE, 1, verdict=PASSED)
    put(world, REMOTE, 2, verdict=PASSED)
    heard = world.get(PRINT)
    assert "/img/" not in heard.text + heard.headers["content-security-policy"]
    page = world.get(f"{HERE}?m=m1&pictures=m1").text
    assert f'href="{PRINT}?pictures=m1"' in page
    heard = world.get(f"{PRINT}?pictures=m1")
    assert heard.text.count('src="/img/') == 1
    assert "/img/ data:" in heard.headers["content-security-policy"]
    assert f'href="{PRINT}"' in world.get(f"{HERE}?pictures=m9").text
    at_once(world.personal.trust(ALICE, "ingrid@far.example"))
    assert world.get(PRINT).text.count('src="/img/') == 2


def test_pictures_within_and_names_of_files(world: WebWorld) -> None:
    picture = part(
        "image/png", PNG, "Content-ID: <p@x>", "Content-Transfer-Encoding: 8bit"
    )
    file = part(
        "application/pdf", b"x", 'Content-Disposition: attachment; filename="a<b.pdf"'
    )
    put(world, multipart("mixed", part("text/html", b"<img src=cid:p@x>"), picture,
                         file))  # fmt: skip
    heard = world.get(PRINT)
    assert '<img src="/part/m1/2" alt="">' in heard.text
    assert "<footer>Attachments: <bdi>" in heard.text
    assert "<b.pdf" not in heard.text


def test_it_is_in_the_reader_s_language(world: WebWorld) -> None:
    at_once(world.personal.change(ALICE, Preferences(language="ar")))
    put(world, "\nx")
    text = world.get(PRINT).text
    assert '<html lang="ar" dir="rtl">' in text
    assert "كانون" in text or "يناير" in text


async def unreadable(
    self: object, account: AccountName, summary: Summary
) -> OpenMessage:
    raise Unavailable("a disk")


def test_what_cannot_be_read_is_said_in_its_place(
    world: WebWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(world, "\nFirst", 1)
    world.conversations.all.append(
        evolve(summary(2, mailbox=MailboxName("No more")), thread_id="t1")
    )
    text = world.get(PRINT).text
    assert text.count("<article>") == 2
    assert text.count("This message is not there any more.") == 1
    assert text.count(TREE) == 1
    monkeypatch.setattr(Reading, "open_known", unreadable)
    put(world, "\nThird", 3)
    assert "This message cannot be read just now. Try again." in world.get(PRINT).text


def test_of_too_much_the_newest_is_printed(
    world: WebWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "LARGEST", 150)
    for number in (1, 2, 3):
        put(world, HTML + f"<p>Letter {number} {'x' * 90}", number)
    text = world.get(PRINT).text
    assert "2 earlier messages are left out." not in text
    assert "1 earlier message is left out." in text
    assert "Letter 1" not in text
    assert text.index("Letter 2") < text.index("Letter 3")


def test_nothing_hostile_comes_through(world: WebWorld) -> None:
    names = [name for name in VECTORS if not name.startswith("huge")]
    for start in range(0, len(names), printing.MOST_PRINTED):
        some = names[start : start + printing.MOST_PRINTED]
        for number, name in enumerate(some, start):
            octets = HTML.replace("\n", "\r\n").encode() + VECTORS[name].encode(
                "utf-8", "replace"
            )
            put(world, octets, number, thread=f"t{start}")
        heard = world.get(f"/mail/inbox/c/t{start}/print")
        assert heard.text.count("<article>") == len(some)
        assert faults_of(heard) == []
        sources = [part.partition('"')[0] for part in heard.text.split(' src="')[1:]]
        assert not [one for one in sources if EVIL in one]


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("body{margin:0}", ".mk-body{margin:0}"),
        ("HTML,Body p{a:b}", ".mk-body,.mk-body p{a:b}"),
        (":root{a:b}", ".mk-body{a:b}"),
        (".body,#html,body-x,a[body]{a:b}", ".body,#html,body-x,a[body]{a:b}"),
        ("@media screen{body{a:b}}", "@media screen{.mk-body{a:b}}"),
        ("p{a:b}body{c:d}", "p{a:b}.mk-body{c:d}"),
        (":host{position:fixed}", ":not(*){position:fixed}"),
        ('[a="}"],:HOST(p){a:b}', '[a="}"],:not(*)(p){a:b}'),
        (":host-context(body){a:b}", ":not(*)(.mk-body){a:b}"),
        ("p{font-family:body}", "p{font-family:body}"),
    ],
)
def test_a_style_sheet_in_a_tree(css: str, expected: str) -> None:
    assert own_root(css) == expected
