"""Searches that are kept under a name, without scripts."""

from __future__ import annotations

import re
from html import unescape

import pytest

from mailkit.testing.at_once import at_once
from tests.web.test_acting import Desk
from tests.web.world import ALICE, BOB, Heard

PAGE = "/search/saved"


def send(desk: Desk, path: str = PAGE, **form: str) -> Heard:
    return desk.world.post(path, form, action="settings")


def kept(desk: Desk) -> list[tuple[str, str]]:
    found = at_once(desk.world.personal.searches(ALICE))
    return [(one.name, one.words) for one in found]


def one(desk: Desk) -> str:
    """Where the only one is changed."""
    [search] = at_once(desk.world.personal.searches(ALICE))
    return f"{PAGE}/{search.id}"


def nav(page: str) -> str:
    return page.split("<nav ")[1].partition("</nav>")[0]


def test_a_search_is_kept_from_its_results() -> None:
    desk = Desk()
    words = 'from:"Über & Co" larger:2M'
    page = desk.world.get("/search?q=from%3A%22%C3%9Cber+%26+Co%22+larger%3A2M").text
    assert "Searches" not in nav(page)
    link = re.search(r'href="(/search/saved\?[^"]+)"[^>]*title="Save search"', page)
    assert link is not None
    form = desk.world.get(unescape(link[1])).text
    assert f'name="words" dir="auto" maxlength="1000" required value="{words}"' in (
        unescape(form).replace("&#34;", '"')
    )
    heard = send(desk, name=" Big \n ones ", words=words)
    assert heard.status == 303
    assert kept(desk) == [("Big ones", words)]
    page = desk.world.get(heard.location).text
    assert "Results for" in page
    beside = nav(page)
    assert ">Searches</h2>" in beside
    assert '<bdi class="ell">Big ones</bdi>' in beside
    current = re.search(r'<a href="([^"]+)"[^>]*aria-current="page"', beside)
    assert current is not None
    assert unescape(current[1]) == heard.location
    # It stands beside every list, and is nobody else's.
    assert "Big ones" in nav(desk.world.get("/mail/inbox").text)
    assert not at_once(desk.world.personal.searches(BOB))


def test_a_search_is_changed() -> None:
    desk = Desk()
    send(desk, name="Bills", words="invoice")
    heard = send(desk, one(desk), name="Invoices", words="invoice  newer_than:1y")
    assert heard.location == PAGE
    assert kept(desk) == [("Invoices", "invoice newer_than:1y")]
    page = desk.world.get(PAGE).text
    assert '<a class="btn sm" href="/search?q=invoice+newer_than%3A1y"' in page


def test_a_search_is_deleted_and_comes_back() -> None:
    desk = Desk()
    send(desk, name="Bills <b>", words="invoice")
    heard = send(desk, one(desk), do="delete")
    assert kept(desk) == []
    page = desk.world.get(heard.location).text
    assert "Search Bills &lt;b&gt; deleted" in page
    desk.act(("back", PAGE), path=f"/undo/{desk.token_of(heard)}")
    assert kept(desk) == [("Bills <b>", "invoice")]


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("bills", "x", "There is a search of that name already."),
        ("", "x", "A search has a name of 1 to 100 letters, and words."),
        ("n" * 101, "x", "A search has a name of 1 to 100 letters, and words."),
        ("a\u202eb", "x", "A search has a name of 1 to 100 letters, and words."),
        ("New", "  ", "A search has a name of 1 to 100 letters, and words."),
        ("New", "w" * 1001, "A search has a name of 1 to 100 letters, and words."),
    ],
)
def test_what_cannot_be_kept_is_said(name: str, words: str, said: str) -> None:
    desk = Desk()
    send(desk, name="Bills", words="invoice")
    send(desk, name="Trips", words="lisbon")
    trips = at_once(desk.world.personal.searches(ALICE))[1]
    for path in (PAGE, f"{PAGE}/{trips.id}"):
        heard = send(desk, path, name=name, words=words)
        assert heard.status == 422
        assert said in heard.text
        assert heard.text.count('aria-invalid="true"') == 1
    assert kept(desk) == [("Bills", "invoice"), ("Trips", "lisbon")]


def test_there_is_an_end() -> None:
    desk = Desk()
    for number in range(100):
        send(desk, name=f"Search {number}", words="x")
    heard = send(desk, name="One more", words="x")
    assert heard.status == 422
    assert "There are as many searches as there can be." in heard.text


def test_what_is_not_there_or_not_asked_for() -> None:
    desk = Desk()
    assert send(desk, f"{PAGE}/nothing", name="a", words="b").status == 404
    assert send(desk, f"{PAGE}/nothing", do="delete").status == 404
    send(desk, name="Bills", words="invoice")
    assert send(desk, one(desk), do="fly").status == 400
    path = one(desk)
    assert desk.world.post(path, {"do": "delete", "t": "x"}).status == 403
    assert kept(desk) == [("Bills", "invoice")]


def test_a_search_like_no_other_is_just_a_search() -> None:
    desk = Desk()
    send(desk, name="Bills", words="invoice")
    page = desk.world.get("/search?q=lisbon").text
    assert "aria-current" not in nav(page)
