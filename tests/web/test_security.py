"""Settings: the password, and the browsers that are signed in."""

from __future__ import annotations

import re

import pytest

from mailkit.testing.at_once import at_once
from mailkit.web.webmail.security import said_of
from tests.web.world import ALICE, BOB, PASSWORD, ROOT, WebWorld

PAGE = "/settings/security"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "another good one"


def change(world: WebWorld, **form: str) -> tuple[int, str]:
    whole = {"current": PASSWORD, "password": NEW, "again": NEW, **form}
    heard = world.post(f"{PAGE}/password", whole, action="session")
    return heard.status, heard.text or heard.location


def test_a_new_password_ends_all_other_sessions() -> None:
    world = WebWorld()
    world.sign_in()
    other = dict(world.cookies)
    world.cookies.clear()
    world.sign_in()
    first = world.cookies["__Host-mailkit"]
    assert change(world) == (303, f"{PAGE}?changed=1")
    assert world.cookies["__Host-mailkit"] != first
    assert "Your password is changed" in world.get(f"{PAGE}?changed=1").text
    for cookies in (other, {"__Host-mailkit": first}):
        world.cookies = cookies
        assert world.get(PAGE).location.startswith("/login?")
    world.cookies = {}
    assert world.sign_in().status == 403
    assert world.sign_in(password=NEW).status == 303


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"current": "wrong"}, 403, "That is not your password."),
        ({"again": "x"}, 422, "The two new passwords differ."),
        ({"password": "short", "again": "short"}, 422, "at least 8 characters"),
        ({"password": ALICE, "again": ALICE}, 422, "not your own name"),
        ({"password": "a\x00bcdefgh", "again": "a\x00bcdefgh"}, 422, "characters"),
    ],
)
def test_what_is_no_new_password(form: dict[str, str], status: int, words: str) -> None:
    world = WebWorld()
    world.sign_in()
    found, text = change(world, **form)
    assert found == status
    assert words in text
    assert world.get(PAGE).status == 200


def test_who_guesses_is_held_up() -> None:
    world = WebWorld()
    heard = [world.sign_in(ALICE, f"guess {number}").status for number in range(20)]
    # Wrong, then wrong after a while (no answer yet), then sent away.
    assert heard[0] == 403
    assert 0 in heard
    assert heard[-1] == 429


def test_browsers_are_listed_and_signed_out() -> None:
    world = WebWorld()
    agent = {"User-Agent": FIREFOX}
    form = {"username": ALICE, "password": PASSWORD, "public": "1"}
    heard = world.post("/login", form, action="session", headers=agent)
    [cookie] = [one for one in heard.cookies if one.startswith("__Host-mailkit=")]
    assert "Max-Age" not in cookie
    public = dict(world.cookies)
    world.cookies.clear()
    world.sign_in()
    page = world.get(PAGE).text
    assert "Firefox, Linux" in page
    assert "Public computer" in page
    assert page.count("This browser") == 1
    key = re.search(r'name="key" value="([0-9a-f]+)"', page)
    assert key is not None
    heard = world.post(f"{PAGE}/sign-out", {"key": key[1]}, action="session")
    assert heard.location == f"{PAGE}?out=1"
    assert "Firefox" not in world.get(f"{PAGE}?out=1").text
    mine, world.cookies = world.cookies, public
    assert world.get(PAGE).location.startswith("/login?")
    world.cookies = {}
    world.sign_in()
    third, world.cookies = world.cookies, mine
    world.post(f"{PAGE}/sign-out", {"key": "others"}, action="session")
    assert world.get(PAGE).status == 200
    world.cookies = third
    assert world.get(PAGE).location.startswith("/login?")


@pytest.mark.parametrize(("is_public", "idle"), [(True, 30 * 60), (False, 12 * 3600)])
def test_a_session_ends_by_itself(is_public: bool, idle: int) -> None:
    world = WebWorld()
    form = {"username": ALICE, "password": PASSWORD, "public": "1" if is_public else ""}
    world.post("/login", form, action="session")
    world.clock.advance(idle - 1)
    assert world.get(PAGE).status == 200
    world.clock.advance(idle - 1)
    assert world.get(PAGE).status == 200
    world.clock.advance(idle)
    assert world.get(PAGE).location.startswith("/login?")


def test_nothing_lasts_for_ever() -> None:
    world = WebWorld()
    world.sign_in()
    for _ in range(70):
        world.clock.advance(12 * 3600 - 1)
        if world.get(PAGE).status != 200:
            break
    assert 29 * 86400 < world.clock.seconds() - 1767225600 <= 30 * 86400 + 43200
    # Nobody remembers it once others sign in.
    world.cookies.clear()
    world.sign_in(BOB)
    assert list(at_once(world.sessions.of(ALICE))) == []


def test_the_session_ends_with_the_account() -> None:
    world = WebWorld()
    world.sign_in(BOB)
    at_once(world.admin.accounts.suspend(ROOT, BOB))
    assert world.get(PAGE).location == "/login?next=%2Fsettings%2Fsecurity&over=1"
    page = world.get("/login?over=1").text
    assert "Please sign in again" in page


def test_a_form_of_a_dead_session_says_so() -> None:
    world = WebWorld()
    world.sign_in()
    token = world.token("settings")
    at_once(world.sessions.drop_all(ALICE))
    heard = world.post("/tips", {"t": token})
    assert heard.status == 401
    assert "What you wrote is kept" in heard.text


@pytest.mark.parametrize(
    ("next", "location"),
    [
        ("/mail/archive", "/mail/archive"),
        ("/search?q=a%20b", "/search?q=a%20b"),
        ("https://evil.example/", "/mail/inbox"),
        ("//evil.example/", "/mail/inbox"),
        ("/\\evil.example/", "/mail/inbox"),
        ("/a\r\nSet-Cookie: x", "/mail/inbox"),
        ("", "/mail/inbox"),
    ],
)
def test_after_signing_in_one_is_where_one_wanted(next: str, location: str) -> None:
    world = WebWorld()
    form = {"username": ALICE, "password": PASSWORD, "next": next}
    assert world.post("/login", form, action="session").location == location
    assert world.get("/login").location == "/mail/inbox"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox, Linux"),
        ("Mozilla/5.0 (iPhone; …) Version/18 Mobile Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Edg/140", "Edge, Windows"),
        ("curl/8.1", "curl"),
        ("", "?"),
    ],
)
def test_what_a_browser_is_called(agent: str, words: str) -> None:
    assert said_of(agent) == words
