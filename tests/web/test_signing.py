"""Signing in and out, by browsers and by others."""

from __future__ import annotations

import re

import pytest

from mailkit.model.websession import WebSession
from mailkit.storage.memory.websessions import MemoryWebSessions
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


def test_a_session_that_ends_elsewhere_is_over_within_a_second() -> None:
    world = WebWorld()
    world.sign_in()
    assert world.get("/settings/security").status == 200
    [session] = at_once(world.house.sign_in.browsers(ALICE))
    at_once(world.sessions.drop(session.key))
    world.clock.advance(0.9)
    assert world.get("/settings/security").status == 200
    world.clock.advance(0.2)
    assert world.get("/settings/security").status == 303


def test_a_session_that_ends_here_is_over_at_once() -> None:
    world = WebWorld()
    sign_in = world.house.sign_in
    for end in (
        lambda one: sign_in.end(one),
        lambda one: sign_in.end_all(one.account),
        lambda one: world.directory.remove_account(one.account),
    ):
        world.cookies.clear()
        world.sign_in()
        assert world.get("/settings/security").status == 200
        [session] = at_once(sign_in.browsers(ALICE))
        at_once(end(session))
        assert world.get("/settings/security").status == 303


def test_what_ends_while_it_is_looked_up_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = WebWorld()
    sign_in = world.house.sign_in
    world.sign_in()
    cookie = world.cookies["__Host-mailkit"]
    [session] = at_once(sign_in.browsers(ALICE))
    find = MemoryWebSessions.find

    async def slow(sessions: MemoryWebSessions, key: str) -> WebSession | None:
        found = await find(sessions, key)
        await sign_in.end(session)
        return found

    monkeypatch.setattr(MemoryWebSessions, "find", slow)
    assert at_once(sign_in.find(cookie, "")) is not None
    monkeypatch.undo()
    assert at_once(sign_in.find(cookie, "")) is None


def test_no_more_sessions_are_remembered_than_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mailkit.services.signin.signin._MOST_FRESH", 1)
    world = WebWorld()
    cookies = []
    for _ in range(2):
        world.cookies.clear()
        world.sign_in()
        assert world.get("/settings/security").status == 200
        cookies.append(world.cookies["__Host-mailkit"])
    for one in at_once(world.house.sign_in.browsers(ALICE)):
        at_once(world.sessions.drop(one.key))
    assert at_once(world.house.sign_in.find(cookies[0], "")) is None
    assert at_once(world.house.sign_in.find(cookies[1], "")) is not None


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


def test_who_signs_in_again_ends_the_session_before() -> None:
    """No session stays behind that nobody can end who has the browser."""
    world = WebWorld(registration="open")
    world.sign_in()
    first = dict(world.cookies)
    world.post(
        "/login", {"username": "bob@example.test", "password": PASSWORD},
        action="session",
    )  # fmt: skip
    second = dict(world.cookies)
    assert first != second
    form = {"name": "carol", "domain": "example.test", "password": "long enough",
            "again": "long enough"}  # fmt: skip
    assert world.post("/register", form, action="session").status == 303
    for cookies in (first, second):
        world.cookies = cookies
        assert world.get("/mail/inbox").location == "/login?over=1"
