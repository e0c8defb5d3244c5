"""Signing in and out, by browsers and by others."""

from __future__ import annotations

import re

import pytest

from mailkit.testing.at_once import at_once
from tests.web.world import ALICE, PASSWORD, WebWorld


def test_somebody_signs_in_and_out() -> None:
    world = WebWorld()
    assert world.get("/").location == "/login"
    heard = world.sign_in()
    assert (heard.status, heard.location) == (303, "/mail/inbox")
    [cookie] = heard.cookies
    assert cookie.startswith("__Host-mailkit=")
    assert cookie.endswith("; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax")
    assert world.get("/settings/security").status == 200
    heard = world.post("/logout", action="session")
    assert heard.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    assert world.get("/settings/security").location.startswith("/login?next=")


@pytest.mark.parametrize(
    ("name", "password"),
    [(ALICE, "wrong"), ("nobody@example.test", PASSWORD), ("", ""), ("x", "\x00")],
)
def test_the_same_words_for_every_failure(name: str, password: str) -> None:
    world = WebWorld()
    heard = world.sign_in(name, password)
    assert heard.status == 403
    assert "The address or the password is wrong." in heard.text
    assert not any("__Host-mailkit=" in cookie for cookie in heard.cookies)


def test_whose_cookie_it_is_can_be_guessed_as_long_as_the_session_lasts() -> None:
    world = WebWorld()
    sign_in = world.house.sign_in
    world.sign_in()
    cookie = world.cookies["__Host-mailkit"]
    assert sign_in.guess(cookie) is None
    world.get("/settings/security")
    assert sign_in.guess(cookie) == ALICE
    assert sign_in.guess(f"{cookie}x") is None
    assert world.get("/settings/security").status == 200
    [session] = at_once(sign_in.browsers(ALICE))
    # Another process signs them out.
    at_once(world.sessions.drop(session.key))
    assert sign_in.guess(cookie) == ALICE
    assert world.get("/settings/security").status == 303
    assert sign_in.guess(cookie) is None
    world.cookies.clear()
    world.sign_in()
    world.get("/settings/security")
    cookie = world.cookies["__Host-mailkit"]
    assert sign_in.guess(cookie) == ALICE
    at_once(world.directory.remove_account(ALICE))
    assert sign_in.guess(cookie) is None


def test_no_more_is_guessed_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mailkit.services.signin.signin._MOST_GUESSED", 1)
    world = WebWorld()
    world.sign_in()
    world.get("/settings/security")
    first = world.cookies["__Host-mailkit"]
    world.cookies.clear()
    world.sign_in()
    world.get("/settings/security")
    assert world.house.sign_in.guess(first) is None


def test_every_page_offers_to_sign_out() -> None:
    world = WebWorld()
    world.sign_in()
    page = world.get("/mail/inbox").text
    menu = page[page.index('id="account"') : page.index("<nav")]
    assert "alice@example.test" in menu
    token = re.search(r'action="/logout"><input[^>]* value="([^"]+)"', menu)
    assert token is not None
    assert world.post("/logout", {"t": token[1]}).location == "/login?out=1"
    assert world.get("/mail/inbox").location == "/login"
