"""Signing in and out, by browsers and by others."""

from __future__ import annotations

import pytest

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
