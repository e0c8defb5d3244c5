"""Who asks, and what proxies say of them (RFC 7239)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from mailkit.web.webmail.security import PAGE
from tests.web.world import ALICE, HOST, ORIGIN, PASSWORD, WebWorld

PROXY = "10.0.0.1"


def world() -> WebWorld:
    return WebWorld(origin=ORIGIN, trusted=(ip_network("10.0.0.0/8"),))


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ("for=198.51.100.9;proto=https", "198.51.100.9"),
        ('for="[2001:db8::9]:1234";proto=https', "2001:db8::9"),
        ("for=6.6.6.6, for=198.51.100.9;proto=https", "198.51.100.9"),
        ("for=198.51.100.9;proto=https, for=10.0.0.2;proto=https", "198.51.100.9"),
        (f"for=198.51.100.9;proto=https;host={HOST}", "198.51.100.9"),
        ("proto=https", "unknown"),
    ],
)
def test_a_proxy_that_is_trusted(header: str, shown: str) -> None:
    site = world()
    headers = {"Forwarded": header}
    form = {
        "username": ALICE,
        "password": PASSWORD,
        "t": site.token("session"),
    }
    heard = site.post("/login", form, headers=headers, peer=PROXY, is_secure=False)
    assert heard.status == 303
    assert heard.headers["strict-transport-security"]
    assert (
        f"<p>{shown}, since"
        in site.get(PAGE, headers, peer=PROXY, is_secure=False).text
    )


def test_what_it_says_counts() -> None:
    site = world()
    heard = site.get("/login", {"Forwarded": "for=198.51.100.9;proto=http"}, peer=PROXY)
    assert (heard.status, heard.location) == (301, f"{ORIGIN}/login")
    heard = site.get(
        "/login", {"Forwarded": "for=198.51.100.9;host=evil.example"}, peer=PROXY
    )
    assert heard.status == 421


def test_nobody_else_is_believed() -> None:
    site = world()
    headers = {"Forwarded": "for=127.0.0.1;proto=https"}
    heard = site.get("/login", headers, is_secure=False)
    assert heard.status == 301
    # Malformed: as if there were none.
    heard = site.get("/login", {"Forwarded": "for=a,,"}, peer=PROXY, is_secure=False)
    assert heard.status == 301


def test_another_header_is_none() -> None:
    site = world()
    headers = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "https"}
    assert site.get("/login", headers, peer=PROXY, is_secure=False).status == 301
