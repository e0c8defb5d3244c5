"""Wherever a page takes an address to go on with, it is one of ours."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit

import pytest

from tests.web.letters import put
from tests.web.world import ORIGIN, PASSWORD, Heard, WebWorld

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "/%09/evil.example/",
    "/%2f/evil.example/",
    "/%5cevil.example/",
    "/.//evil.example/",
    "/..//evil.example/",
    "/mail/..//evil.example/",
    "/mail/%2e%2e//evil.example",
    "/mail/\\..\\..\\\\evil.example",
    "@evil.example/",
    ".evil.example/",
    ":80@evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example/",
    "\u3000//evil.example/",
    "\u2028//evil.example/",
    "/\u2044/evil.example/",
    "/\r\nSet-Cookie: a=b",
    "/mail/inbox\r\nLocation: https://evil.example/",
    "/mail/inbox\x00//evil.example/",
    "http:evil.example",
    "https:/evil.example",
    "",
]


def leads_to(location: str) -> str:
    """The host where a browser goes on, as the URL standard reads addresses."""
    plain = re.sub(r"[\t\n\r]", "", location.strip("\x00\x20")).replace("\\", "/")
    parts = urlsplit(urljoin(f"{ORIGIN}/some/page", plain))
    assert parts.scheme == "https", location
    return parts.netloc


def stays(heard: Heard) -> bool:
    if not heard.location:
        return heard.status != 303
    assert "a=b" not in "".join(heard.cookies)
    return leads_to(heard.location) == urlsplit(ORIGIN).netloc


def test_what_would_lead_elsewhere_is_seen() -> None:
    """Or the tests below would say nothing."""
    for location in (
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "\\/e.x",
    ):
        assert leads_to(location) != urlsplit(ORIGIN).netloc


@pytest.fixture(scope="module")
def world() -> WebWorld:
    made = WebWorld()
    made.sign_in()
    put(made, "List-Unsubscribe: <https://l.example/u>\n\nhello")
    return made


@pytest.mark.parametrize("address", ELSEWHERE)
def test_signing_in(world: WebWorld, address: str) -> None:
    assert stays(world.get(f"/login?next={quote(address, safe='')}"))
    form = {"username": "alice@example.test", "password": PASSWORD, "next": address}
    heard = world.post("/login", form, action="session")
    assert heard.status == 303
    assert stays(heard)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_forms(world: WebWorld, address: str) -> None:
    back = {"back": address}
    assert stays(world.get(f"/act?back={quote(address, safe='')}"))
    draft = "0" * 32
    for path, action, form in (
        ("/act", "act", {"op": "read", "box": "inbox"}),
        ("/act", "act", {"op": "read", "m": "m1", "box": "inbox"}),
        ("/m/m1/pictures", "act", {}),
        ("/m/m1/unsubscribe", "act", {}),
        (f"/compose/{draft}/discard", "compose", {}),
        (f"/compose/{draft}", "compose", {"rev": "0", "purpose": "new", "to": "x@y.z"}),
    ):
        assert stays(world.post(path, {**form, **back}, action=action)), path
