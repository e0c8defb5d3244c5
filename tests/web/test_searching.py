"""Search as a person sees it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from mailkit.model.mailbox import INBOX, MailboxName
from mailkit.testing.at_once import at_once
from mailkit.testing.contracts.finding import kept, letter
from tests.web.world import ALICE, WebWorld


@pytest.fixture
def world() -> WebWorld:
    world = WebWorld()
    # Those of the store itself, not of the double.
    house = world.house
    house.conversations = world.store.conversations
    house.finding._conversations = house.conversations
    world.sign_in()
    for number, subject in enumerate(("Green tea", "Coffee", "Tea & <b>time</b>")):
        message = kept(letter(number, subject), 1767225600.0 + number)
        at_once(world.store.append(ALICE, INBOX, [message]))
    spam = kept(letter(9, "Tea for nothing"), 1767225609.0)
    at_once(world.store.append(ALICE, MailboxName("Junk"), [spam]))
    return world


def test_hits_are_marked_and_escaped(world: WebWorld) -> None:
    page = world.get("/search?q=tea").text
    assert "Green <mark>tea</mark>" in page
    assert "<mark>Tea</mark> &amp; &lt;b&gt;time&lt;/b&gt;" in page
    assert "Coffee" not in page
    assert "for nothing" not in page
    assert 'value="tea"' in page
    assert "in%3Aanywhere" in page
    assert "Tea</mark> for nothing" in world.get("/search?q=tea+in:anywhere").text


def test_nothing_found_offers_spam_and_trash(world: WebWorld) -> None:
    page = world.get("/search?q=cocoa").text
    assert "Nothing found" in page
    assert "Search in Spam and Trash too" in page
    assert "Try fewer words" in world.get("/search?q=cocoa+in:inbox").text


def test_what_is_no_operator_is_told(world: WebWorld) -> None:
    page = world.get("/search?q=tea+-colour:red+-in:").text
    assert "“colour:red” is no search word that we know" in page
    assert "Nothing stands behind “in:”" in page


def test_more_than_a_page(world: WebWorld) -> None:
    letters = [kept(letter(n, f"Cake {n}"), 1767300000.0 + n) for n in range(60)]
    at_once(world.store.append(ALICE, INBOX, letters))
    page = world.get("/search?q=cake").text
    assert page.count('class="row') == 50
    assert "Select everything that was found" in page
    at = page.index("/search?q=cake&amp;after=")
    address = page[at : page.index('"', at)].replace("&amp;", "&")
    assert '<bdi dir="ltr">1–50</bdi></span>' in page
    second = world.get(address).text
    assert second.count('class="row') == 10
    assert '<bdi dir="ltr">51–60</bdi><span class="hide-s"> of 60</span>' in second
    assert world.get("/search?q=cake&after=soon").text.count('class="row') == 50


def test_only_the_list_is_sent_where_it_is_wanted(world: WebWorld) -> None:
    part = world.get("/search?q=tea", {"X-Mailkit-Swap": "list"}).text
    assert part.lstrip().startswith('<form class="list" id="list"')


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("from=ann", "from:ann"),
        ("from=Ann+Lee&has=green+tea", 'from:"Ann Lee" green tea'),
        ("not=spam+ham", "-spam -ham"),
        ("subject=%22a%22", "subject:a"),
        ("filename=plan.pdf&files=1", "filename:plan.pdf has:attachment"),
        ("after=2026-01-02&before=2026-02-03", "after:2026-01-02 before:2026-02-03"),
        ("larger=5M&starred=1&unread=1", "larger:5M is:starred is:unread"),
        ("in=Old+things&label=fun", 'in:"Old things" label:fun'),
    ],
)
def test_the_form_writes_the_words(world: WebWorld, form: str, words: str) -> None:
    answer = world.get(f"/search/options?find=1&{form}")
    assert answer.status == 303
    assert parse_qs(urlsplit(answer.location).query)["q"] == [words]


def test_the_form_is_there_without_words(world: WebWorld) -> None:
    assert world.get("/search").location == "/search/options"
    page = world.get("/search/options?find=1").text
    assert 'name="filename"' in page
    assert "Search options" in page


def test_what_was_found_can_be_archived(world: WebWorld) -> None:
    page = world.get("/search?q=coffee").text
    cid = page.split('data-c="')[1].split('"')[0]
    answer = world.post(
        "/act", {"op": "archive", "q": "coffee", "c": cid}, action="act"
    )
    assert answer.status == 303
    [message] = at_once(world.store.conversations.conversation(ALICE, cid))
    assert [place.mailbox for place in message.places] == ["Archive"]
