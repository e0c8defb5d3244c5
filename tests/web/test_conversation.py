"""A conversation's page: what is unfolded, told, marked and offered."""

from __future__ import annotations

import re

import html5lib
import pytest
from attrs import evolve

from mailkit.errors import Unavailable
from mailkit.model.conversation import Person, Place
from mailkit.model.flags import SEEN
from mailkit.model.identity import Identity
from mailkit.model.label import Label, unnamed
from mailkit.model.mailbox import MailboxName
from mailkit.model.preferences import Images, MarkRead, Preferences
from mailkit.testing.at_once import at_once
from tests.web.letters import (
    FAILED,
    NOTHING,
    PASSED,
    PNG,
    flags_of,
    multipart,
    part,
    put,
)
from tests.web.world import ALICE, Heard, WebWorld

HERE = "/mail/inbox/c/t1"
NAVIGATION = {
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
}
LIST = b"List-Unsubscribe: <https://l.example/u>\r\n"
ONE_CLICK = LIST + b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
REMOTE = "Content-Type: text/html\n\n<p>x<img src=https://p.example/a>"


@pytest.fixture
def world() -> WebWorld:
    made = WebWorld()
    made.sign_in()
    return made


def opened(heard: Heard) -> list[str]:
    """Ids of the messages that are unfolded."""
    return re.findall(r'<details class="msg" id="m-([^"]+)"[^>]* open', heard.text)


def test_oldest_first_and_open_at_the_first_unread(world: WebWorld) -> None:
    put(world, "\nFirst <b>", 1, is_read=True)
    put(world, "\nSecond", 2)
    put(world, "\nThird", 3)
    heard = world.get(HERE)
    assert heard.status == 200
    assert opened(heard) == ["m2", "m3"]
    ids = re.findall(r'id="m-(m\d)"', heard.text)
    assert ids == ["m1", "m2", "m3"]
    assert "First &lt;b&gt;" in heard.text
    assert "autofocus" not in heard.text
    for n in (4, 5):
        put(world, "\nMore", n, thread="t2", is_read=True)
    put(world, "\nMore", 6, thread="t2", is_read=True)
    put(world, "\nNew", 7, thread="t2")
    text = world.get("/mail/inbox/c/t2").text
    assert re.findall(r'id="m-(m\d)"[^>]*><summary autofocus', text) == ["m7"]


def test_the_last_is_open_where_all_are_read(world: WebWorld) -> None:
    put(world, "\nFirst", 1, is_read=True)
    put(world, "\nSecond", 2, is_read=True)
    assert opened(world.get(HERE)) == ["m2"]
    assert opened(world.get(f"{HERE}?m=m1")) == ["m1"]
    assert "2 messages" in world.get(HERE).text


def test_opening_marks_as_read(world: WebWorld) -> None:
    made = put(world, "\nx")
    world.get(HERE, NAVIGATION)
    assert SEEN in flags_of(world, made)
    known = at_once(world.personal.known(ALICE, ["ingrid@far.example"]))
    assert known["ingrid@far.example"].received == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch", **NAVIGATION},
        {"Sec-Purpose": "prefetch;prerender", **NAVIGATION},
        {**NAVIGATION, "Sec-Fetch-Site": "cross-site"},
        {**NAVIGATION, "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_nobody_else_marks_as_read(world: WebWorld, headers: dict[str, str]) -> None:
    made = put(world, "\nx")
    world.get(HERE, headers)
    assert SEEN not in flags_of(world, made)


def test_looking_at_the_head_does_not(world: WebWorld) -> None:
    made = put(world, "\nx")
    world.ask("HEAD", HERE, headers=NAVIGATION)
    assert SEEN not in flags_of(world, made)


@pytest.mark.parametrize("wish", [MarkRead.AFTER_2_S, MarkRead.NEVER])
def test_nor_does_it_where_it_is_not_wished(world: WebWorld, wish: MarkRead) -> None:
    at_once(world.personal.change(ALICE, Preferences(mark_read=wish)))
    made = put(world, "\nx")
    heard = world.get(HERE, NAVIGATION)
    assert SEEN not in flags_of(world, made)
    assert ("data-read-after" in heard.text) is (wish is MarkRead.AFTER_2_S)


def test_what_is_only_in_the_trash_is_left_out(world: WebWorld) -> None:
    put(world, "\nkept", 1)
    put(world, "\nthrown", 2, mailbox=MailboxName("Trash"))
    assert "thrown" not in world.get(HERE).text
    assert "thrown" in world.get("/mail/trash/c/t1").text


def test_a_conversation_that_was_thrown_away_is_shown_all_the_same(
    world: WebWorld,
) -> None:
    put(world, "\nthrown", 2, mailbox=MailboxName("Trash"))
    assert "thrown" in world.get(HERE).text


def test_my_own_words_are_among_them(world: WebWorld) -> None:
    identity = Identity("i", "Alice", "alice@other.example")
    at_once(world.personal.put_identity(ALICE, identity))
    put(world, "\nx", 1, to=[Person("Alice", str(ALICE))])
    put(
        world,
        "\nmine",
        2,
        mailbox=MailboxName("Sent"),
        sender=Person("Alice", "alice@other.example"),
        is_read=True,
    )
    put(world, "\ndraft", 3, mailbox=MailboxName("Drafts"), flags=["\\Draft"])
    text = world.get(HERE).text
    assert '<bdi class="who">Me</bdi>' in text
    assert "to me" in text
    assert 'href="/compose?draft=m3"' in text
    assert 'href="/compose?reply=m2&amp;back=/mail/' in text
    assert "ingrid@far.example" in text.partition('class="rail"')[2]


def test_only_a_draft(world: WebWorld) -> None:
    put(world, "\ndraft", 3, mailbox=MailboxName("Drafts"), flags=["\\Draft"])
    assert world.get("/mail/drafts/c/t1").status == 200


def test_labels_and_folders_have_their_addresses(world: WebWorld) -> None:
    at_once(world.personal.put_labels(ALICE, [Label("$l_studio", "Studio", 3)]))
    at_once(world.store.create(ALICE, MailboxName("A/B")))
    put(world, "\nx", 1, keywords=["$l_studio", "Todo"], mailbox=MailboxName("A/B"))
    for path in ("/mail/label/studio/c/t1", "/mail/folder/A/B/c/t1"):
        text = world.get(path).text
        assert re.search(r'class="chip a3"><bdi>Studio', text)
        # The colour that it has in lists.
        colour = unnamed("Todo").colour
        assert f'class="chip a{colour}"><bdi>Todo</bdi>' in text
        assert "<bdi>A/B</bdi>" in text
        assert world.get(f"{path}/print").status == 200
    assert world.get("/mail/label/studio/c/nope").status == 404
    assert world.get("/mail/nowhere/c/t1").status == 404


def test_neighbours(world: WebWorld) -> None:
    for n in (1, 2, 3):
        put(world, "\nx", n, thread=f"t{n}")
    text = world.get("/mail/inbox/c/t2").text
    assert 'href="/mail/inbox/c/t3"' in text
    assert 'href="/mail/inbox/c/t1"' in text


def follow(world: WebWorld, heard: Heard) -> Heard:
    """Go where an answer leads, as browsers do: without what is behind ``#``."""
    return world.get(heard.location.partition("#")[0])


TRUSTS = [
    (PASSED, "Verified", True),
    (FAILED, "Looks forged", False),
    (NOTHING, "Could not be verified", False),
    (None, "Not checked", False),
]


@pytest.mark.parametrize("verdict,words,always", TRUSTS)
def test_is_it_really_from_them(
    world: WebWorld, verdict: object, words: str, always: bool
) -> None:
    put(world, REMOTE, verdict=verdict)  # type: ignore[arg-type]  # one of TRUSTS
    rail = world.get(HERE).text
    assert words in rail
    assert ("Verified" in rail) is (words == "Verified")
    assert ("Always for Ingrid Solheim" in rail) is always
    assert ("TLS 1.3" in rail) is (verdict is PASSED)
    assert ("Be careful" in rail) is (verdict is FAILED)
    assert "First message from this address" in rail


def test_how_long_one_knows_them(world: WebWorld) -> None:
    for when in (1_560_000_000.0, 1_700_000_000.0):
        person = Person("", "ingrid@far.example")
        at_once(world.personal.note(ALICE, [person], when, is_sent=True))
    put(world, "\nx", is_read=True)
    assert "2 messages since 2019" in world.get(HERE).text


def test_addresses_that_deceive(world: WebWorld) -> None:
    friend = Person("", "x@solheim-studio.example")
    at_once(world.personal.note(ALICE, [friend], 1.7e9, is_sent=True))
    put(world, "\nx", 1, sender=Person("I", "i@solheirn-studio.example"), thread="t1")
    put(world, "\nx", 2, sender=Person("I", "i@p\u0430ypal.example"), thread="t2")
    put(world, "\nx", 3, sender=Person("a@bank.example", "i@x.example"), thread="t3")
    text = world.get(HERE).text
    assert "looks like solheim-studio.example" in text
    assert "Looks forged" in text
    assert "mixes letters of several scripts" in world.get("/mail/inbox/c/t2").text
    assert "comes from another: i@x.example" in world.get("/mail/inbox/c/t3").text


def test_pictures_once_and_always(world: WebWorld) -> None:
    put(world, REMOTE, 1, verdict=PASSED)
    put(world, REMOTE, 2, verdict=FAILED, thread="t2")
    text = world.get(HERE).text
    assert 'src="/m/m1/html"' in text
    heard = world.post("/m/m1/pictures", {"back": HERE}, action="act")
    assert heard.location == f"{HERE}?m=m1&pictures=m1#m-m1"
    assert 'src="/m/m1/html?pictures=1"' in follow(world, heard).text
    assert 'src="/m/m1/html"' in world.get(HERE).text
    world.post("/m/m1/pictures", {"back": HERE, "always": "1"}, action="act")
    assert 'src="/m/m1/html?pictures=1"' in world.get(HERE).text
    # The same name, and it has not sent it.
    assert 'src="/m/m2/html"' in world.get("/mail/inbox/c/t2").text
    heard = world.post("/m/m2/pictures", {"back": HERE, "always": "1"}, action="act")
    assert heard.status == 403


CHOICES = [
    (Images.ALWAYS, PASSED, False, True),
    (Images.ALWAYS, None, False, True),
    (Images.ALWAYS, FAILED, False, False),
    (Images.KNOWN, PASSED, False, False),
    (Images.KNOWN, PASSED, True, True),
    (Images.KNOWN, None, True, False),
    (Images.ASK, PASSED, True, False),
]


@pytest.mark.parametrize("images,verdict,is_known,shows", CHOICES)
def test_pictures_by_choice(
    world: WebWorld, images: Images, verdict: object, is_known: bool, shows: bool
) -> None:
    at_once(world.personal.change(ALICE, Preferences(images=images)))
    if is_known:
        person = Person("", "ingrid@far.example")
        at_once(world.personal.note(ALICE, [person], 1.7e9, is_sent=True))
    put(world, REMOTE, verdict=verdict)  # type: ignore[arg-type]  # one of CHOICES
    assert ("?pictures=1" in world.get(HERE).text) is shows


def test_back_is_an_address_of_ours(world: WebWorld) -> None:
    put(world, REMOTE)
    for back in (
        "https://evil.example/",
        "//evil.example",
        "/mail//x",
        "/mail/\\x",
        "/settings",
        "/mail/x?y",
        "",
    ):
        heard = world.post("/m/m1/pictures", {"back": back}, action="act")
        assert heard.status == 400
    heard = world.post("/m/m9/pictures", {"back": HERE}, action="act")
    assert heard.status == 404
    assert world.post("/m/m1/pictures", {"back": HERE}).status == 403


def test_one_click_leaves_a_list(world: WebWorld) -> None:
    put(world, ONE_CLICK + b"\r\nx")
    assert 'action="/m/m1/unsubscribe"' in world.get(HERE).text
    heard = world.post("/m/m1/unsubscribe", {"back": HERE}, action="act")
    assert world.elsewhere.asked == ["https://l.example/u"]
    assert "want no more of this" in follow(world, heard).text


def test_other_ways_to_leave(world: WebWorld) -> None:
    put(world, LIST + b"\r\nx", 1, thread="t1")
    put(world, b"List-Unsubscribe: <mailto:l@l.example>\r\n\r\nx", 2, thread="t2")
    put(world, ONE_CLICK + b"\r\nx", 3, thread="t3", verdict=FAILED)
    assert 'href="https://l.example/u"' in world.get(HERE).text
    assert "/compose?to=l%40l.example" in world.get("/mail/inbox/c/t2").text
    assert "Unsubscribe" not in world.get("/mail/inbox/c/t3").text
    heard = world.post("/m/m1/unsubscribe", {"back": HERE}, action="act")
    assert heard.status == 403


def test_a_sender_who_does_not_listen(
    world: WebWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(self: object, url: str) -> None:
        raise Unavailable(url)

    monkeypatch.setattr(type(world.elsewhere), "unsubscribe", deaf)
    put(world, ONE_CLICK + b"\r\nx")
    heard = world.post("/m/m1/unsubscribe", {"back": HERE}, action="act")
    assert "did not take that" in follow(world, heard).text


def test_files_are_offered(world: WebWorld) -> None:
    octets = multipart(
        "mixed",
        part("text/plain", b"x"),
        part("image/png", PNG, "Content-Disposition: attachment; filename=a.png"),
        part("application/x-tar", b"x", "Content-Disposition: attachment; filename=b"),
    )
    put(world, octets)
    text = world.get(HERE).text
    assert 'href="/att/m1/2/view"' in text
    assert 'src="/att/m1/2/view"' in text
    assert 'href="/att/m1/3/b"' in text
    assert 'href="/att/m1/all.zip"' in text


def test_html_is_in_a_frame_without_scripts(world: WebWorld) -> None:
    put(world, "Content-Type: text/html\n\n<p style='color:red'>x")
    text = world.get(HERE).text
    [frame] = re.findall("<iframe[^>]*>", text)
    assert frame == (
        '<iframe title="Message from Ingrid Solheim" sandbox="allow-same-origin '
        'allow-popups allow-popups-to-escape-sandbox" src="/m/m1/html" '
        'referrerpolicy="no-referrer" loading="lazy" data-message="m1">'
    )
    assert "allow-scripts" not in text
    turned = re.search(r'href="([^"]*dark=m1[^"]*)"', text)
    assert turned is not None
    text = world.get(turned[1].replace("&amp;", "&").partition("#")[0]).text
    assert 'src="/m/m1/html?dark=1"' in text


HEIGHTS = [
    ("x", 1),
    ("<p>a</p>" * 8, 2),
    ("<p>a</p>" * 14, 3),
    ("<p>a</p>" * 99, 4),
    ("x" * 30_000, 4),
]


@pytest.mark.parametrize("source,height", HEIGHTS)
def test_frames_are_as_high_as_they_seem(
    world: WebWorld, source: str, height: int
) -> None:
    put(world, f"Content-Type: text/html\n\n{source}")
    assert f'class="paper h{height} ' in world.get(HERE).text


def test_text_beside_html_is_in_the_frame(world: WebWorld) -> None:
    put(world, multipart("mixed", part("text/html", b"<p>a"), part("text/plain", b"b")))
    assert "paper h4" in world.get(HERE).text
    assert '<div class="mk-text"><p dir="auto">b' in world.get("/m/m1/html").text


def test_invitations_are_text(world: WebWorld) -> None:
    ics = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Tea\r\nEND:VEVENT\r\n"
    put(world, part("text/calendar", ics))
    assert "Tea" in world.get(HERE).text


def test_what_cannot_be_read_says_so(world: WebWorld) -> None:
    put(world, part("application/pkcs7-mime", b"x"), 1)
    put(world, "Content-Type: text/plain\n\n", 2, thread="t2")
    made = put(world, "\nx", 3, thread="t3")
    assert "This message is encrypted" in world.get(HERE).text
    assert "This message has no text" in world.get("/mail/inbox/c/t2").text
    world.conversations.all.remove(made)
    gone = Place(made.places[0].mailbox, 999)
    world.conversations.all.append(evolve(made, places=(gone,)))
    assert "not there any more" in world.get("/mail/inbox/c/t3").text


def test_long_conversations_are_cut_in_pages(world: WebWorld) -> None:
    for n in range(1, 201):
        put(world, "\nx", n, is_read=n < 150)
    text = world.get(HERE).text
    assert "Show 140 earlier messages" in text
    assert _lines(text) == 60
    assert 'href="/compose?reply=m200' in text
    text = world.get(f"{HERE}?from=0").text
    assert _lines(text) == 200
    assert 'href="/compose?reply=m200' in text
    assert _lines(world.get(f"{HERE}?from=9999").text) == 1
    assert _lines(world.get(f"{HERE}?from=x").text) == 200


def _lines(text: str) -> int:
    return text.count("msg stub") + text.count('<details class="msg"')


def test_long_texts_have_a_frame(world: WebWorld) -> None:
    put(world, "\n" + "words and more words\n" * 20_000)
    text = world.get(HERE).text
    assert 'src="/m/m1/html"' in text
    assert len(text) < 50_000


def test_unread_from_the_first_on(world: WebWorld) -> None:
    for n in range(1, 101):
        put(world, "\nx", n)
    text = world.get(HERE).text
    assert "Show 40 later messages" in text
    assert len(opened(world.get(HERE))) <= 20


def test_many_recipients(world: WebWorld) -> None:
    people = [Person(f"P{n}", f"p{n}@x.example") for n in range(2000)]
    put(world, "\nx", to=people)
    text = world.get(HERE).text
    assert "P0, P1, P2" in text
    assert "and 1997 more" in text
    assert "and 1801 more" in text
    assert len(text) < 100_000


def test_bidirectional_tricks_stay_in_their_place(world: WebWorld) -> None:
    name = "\u202egnp.exe"
    put(world, "\nx", sender=Person(name, "a@x.example"), subject=f"{name} more")
    text = world.get(HERE).text
    assert f'<bdi class="who">{name}</bdi>' in text
    assert '<h1 id="subj" dir="auto">' in text


def test_broken_charsets_are_readable(world: WebWorld) -> None:
    put(world, b"Content-Type: text/plain; charset=x-none\r\n\r\nGr\xfc\xdfe \xff")
    assert "Gr\u00fc\u00dfe \u00ff" in world.get(HERE).text


def test_no_page_has_a_style_or_script_of_its_own(world: WebWorld) -> None:
    put(world, REMOTE, 1, verdict=FAILED)
    put(world, "\nwww.a.example\n> a\n> b\n> c\n-- \nme", 2)
    tree = html5lib.parse(world.get(HERE).text, namespaceHTMLElements=False)
    for element in tree.iter():
        assert element.tag != "style"
        assert element.tag != "script" or element.get("src")
        for name in element.attrib:
            assert not str(name).startswith("on")
            assert name != "style"


def test_a_swap_is_the_conversation_alone(world: WebWorld) -> None:
    put(world, "\nx")
    heard = world.get(
        HERE,
        {
            "X-Mailkit-Swap": "conv",
            "Sec-Fetch-Dest": "empty",
            "Sec-Fetch-Site": "same-origin",
        },
    )
    assert heard.text.strip().startswith('<div class="conv" id="conv"')
