"""What holds for every page, whoever wrote it: walls, headers, and no script inline."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from mailkit.web.answers import Kind
from mailkit.web.headers import headers_of
from mailkit.web.webmail.pages import all_routes
from mailkit.web.webmail.rooms import Needs, Route
from tests.web.world import ALICE, HOST, ORIGIN, PASSWORD, Heard, WebWorld

PAGE_HEADERS = """\
Content-Security-Policy: default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; frame-src 'self'; img-src 'self' data: blob:; manifest-src 'self'; object-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'; require-trusted-types-for 'script'; trusted-types mailkit
X-Content-Type-Options: nosniff
X-Frame-Options: DENY
Referrer-Policy: no-referrer
Cross-Origin-Opener-Policy: same-origin
Cross-Origin-Resource-Policy: same-origin
Origin-Agent-Cluster: ?1
Permissions-Policy: accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()
Strict-Transport-Security: max-age=31536000
Cache-Control: no-store
"""  # noqa: E501  # as it goes over the wire

MESSAGE_HEADERS = """\
Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; img-src https://mail.example.test/part/ https://mail.example.test/img/ data:; style-src 'unsafe-inline'; sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox
X-Content-Type-Options: nosniff
X-Frame-Options: SAMEORIGIN
Referrer-Policy: no-referrer
Cross-Origin-Resource-Policy: same-origin
Cache-Control: no-store
"""  # noqa: E501  # as it goes over the wire

ROUTES = all_routes()
GETS = [route for route in ROUTES if route.method == "GET"]
CHANGES = [route for route in ROUTES if route.method != "GET"]

# Nobody in the world below has these: pages of ours tell that they are not there.
PARTS = {
    "box": "inbox",
    "slug": "travel",
    "name": "Work",
    "number": "1",
    "mid": "Mnone",
    "cid": "Tnone",
}


def path_of(route: Route) -> str:
    """An address that the route is asked at."""

    def part(found: re.Match[str]) -> str:
        name = found[1].rpartition(":")[2]
        return PARTS.get(name, "x")

    return re.sub("<([^>]+)>", part, route.path)


def lines(text: str) -> dict[str, str]:
    pairs = (line.split(": ", 1) for line in text.splitlines())
    return {name.lower(): value for name, value in pairs}


def has_page_headers(heard: Heard) -> bool:
    wanted = lines(PAGE_HEADERS)
    return {name: heard.headers.get(name) for name in wanted} == wanted


@pytest.fixture(scope="module")
def signed_in() -> WebWorld:
    world = WebWorld()
    world.sign_in()
    return world


@pytest.fixture(scope="module")
def world() -> WebWorld:
    """In which nobody is signed in."""
    return WebWorld()


def names(routes: list[Route]) -> list[Any]:  # pytest's, which has no public type
    return [pytest.param(one, id=f"{one.method} {one.path}") for one in routes]


@pytest.mark.parametrize("route", names(ROUTES))
def test_headers_of_what_strangers_get(route: Route, world: WebWorld) -> None:
    heard = world.ask(route.method, path_of(route))
    assert has_page_headers(heard), heard.headers
    assert heard.status in (200, 303, 401, 403, 404), heard.text
    assert "TwistedWeb" not in str(heard.headers)


@pytest.mark.parametrize("route", names(GETS))
def test_headers_of_pages(route: Route, signed_in: WebWorld) -> None:
    heard = signed_in.get(path_of(route))
    assert heard.status in (200, 303, 403, 404), heard.text
    assert has_page_headers(heard), heard.headers
    assert not inline(heard.text), inline(heard.text)


@pytest.mark.parametrize("route", names(ROUTES))
def test_strangers_are_led_to_sign_in(route: Route, world: WebWorld) -> None:
    if route.needs is Needs.NOBODY:
        return
    site = {"Sec-Fetch-Site": "same-origin"}
    if "document" in route.dests:
        heard = world.ask(
            route.method, path_of(route),
            headers={**site, "Sec-Fetch-Dest": "document"},
        )  # fmt: skip
        is_led = heard.location.startswith("/login")
        assert is_led if route.method == "GET" else heard.status == 401
    dest = sorted(route.dests)[0] if route.method == "GET" else "empty"
    heard = world.ask(
        route.method, path_of(route),
        headers={**site, "Sec-Fetch-Dest": dest, "X-Mailkit-Swap": "main"},
    )  # fmt: skip
    assert heard.status == 401
    assert heard.headers["x-mailkit-session"] == "ended"


@pytest.mark.parametrize("route", names(CHANGES))
def test_other_sites_send_no_forms(route: Route, signed_in: WebWorld) -> None:
    token = signed_in.token(route.action)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ):
        more = {"X-CSRF": token, "Sec-Fetch-Dest": "document", **headers}
        heard = signed_in.ask(route.method, path_of(route), b"", more)
        assert heard.status == 403, headers
        assert "That was not done" in heard.text
        assert has_page_headers(heard)


@pytest.mark.parametrize("route", names(CHANGES))
def test_no_form_without_its_token(route: Route, signed_in: WebWorld) -> None:
    assert route.action
    other = "act" if route.action != "act" else "settings"
    site = {"Sec-Fetch-Site": "same-origin"}
    for token in ("", "x", "A" * 86, signed_in.token(other)):
        heard = signed_in.ask(
            route.method, path_of(route), b"", {**site, "X-CSRF": token}
        )
        assert heard.status == 403, token
        assert "That was not done" in heard.text


@pytest.mark.parametrize("route", names(GETS))
def test_other_sites_may_only_lead_here(route: Route, signed_in: WebWorld) -> None:
    path = path_of(route)
    cross = {"Sec-Fetch-Site": "cross-site"}
    for dest in ("image", "iframe", "script", "style", "empty", "object", "embed"):
        headers = {**cross, "Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": "no-cors"}
        assert signed_in.get(path, headers).status == 403, dest
    headers = {
        **cross, "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate",
    }  # fmt: skip
    heard = signed_in.get(path, headers)
    if route.links and "document" in route.dests:
        assert "That was not done" not in heard.text
    else:
        assert heard.status == 403
    # What a page of ours wants it for, and nothing else.
    for dest in ("script", "style", "worker", "object"):
        headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": dest}
        assert signed_in.get(path, headers).status == 403, dest


@pytest.mark.parametrize("route", names(ROUTES))
def test_only_at_our_address(route: Route, signed_in: WebWorld) -> None:
    path = path_of(route)
    for host in ("evil.example", "", "a b", "mail.example.test.evil.example"):
        heard = signed_in.ask(route.method, path, host=host)
        assert heard.status == 421, host
        assert has_page_headers(heard)


@pytest.mark.parametrize("route", names(ROUTES))
def test_in_the_clear_only_on_this_machine(
    route: Route, world: WebWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = path_of(route) + "?a=%20b"
    heard = world.ask(route.method, path, is_secure=False)
    if route.method == "GET":
        assert (heard.status, heard.location) == (301, ORIGIN + path)
    else:
        assert heard.status == 403
    assert "strict-transport-security" not in heard.headers
    near = world.ask(route.method, path_of(route), is_secure=False, peer="127.0.0.1")
    assert near.status != 301
    monkeypatch.setattr(world, "https", "")
    assert world.ask(route.method, path, is_secure=False).status == 403


def test_nobody_else_leads_into_a_message() -> None:
    """Parts of messages, and what only scripts of ours ask, are no pages to link to."""
    closed = ("/m/", "/part/", "/img/", "/att/", "/events", "/people")
    inner = [route for route in GETS if route.path.startswith(closed)]
    assert len(inner) >= 10
    assert [route.path for route in inner if route.links] == []


def test_there_is_nothing_else() -> None:
    world = WebWorld()
    heard = world.get("/nothing")
    assert heard.status == 404
    assert "There is nothing here" in heard.text
    assert has_page_headers(heard)
    assert world.get("/nothing", host="evil.example").status == 421
    assert world.ask("PATCH", "/login").status == 405
    for path in ("/logout", "/compose/x/send"):  # only forms are sent there
        heard = world.get(path)
        assert (heard.status, "There is nothing here" in heard.text) == (404, True)
    assert world.get("/%ff").status == 404
    heard = world.ask("OPTIONS", "*")
    assert (heard.status, heard.octets) == (405, b"")
    assert has_page_headers(heard)
    assert heard.headers["server"] == "mailkit"


def test_the_document_of_a_message_has_its_own_headers() -> None:
    found = {name.lower(): v for name, v in headers_of(Kind.MESSAGE, ORIGIN).items()}
    assert found == {**lines(MESSAGE_HEADERS), "server": "mailkit"}


class _Inline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name: value or "" for name, value in attrs}
        for name, value in names.items():
            if name.startswith("on") or name == "style":
                self.found.append(f"{tag} {name}")
            if value.strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)


def inline(page: str) -> list[str]:
    """What a page has of script and style in itself."""
    parser = _Inline()
    parser.feed(page)
    return parser.found


def test_inline_is_found() -> None:
    for page in (
        "<p onclick=x>", "<p style='a:b'>", "<script>x</script>", "<style>a{}</style>",
        "<a href=' JavaScript:x'>", "<svg><path ONload=x>",
    ):  # fmt: skip
        assert inline(page), page
    assert not inline("<script src=/x></script><p class=on>")


def test_the_origin_that_is_set_is_the_only_one() -> None:
    world = WebWorld(origin=ORIGIN)
    assert world.get("/login").status == 200
    for host in ("example.test", "localhost", "192.0.2.1", f"{HOST}:8443"):
        assert world.get("/login", host=host).status == 421


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (HOST, 200),
        (f"{HOST}:8443", 200),
        ("MAIL.Example.Test", 200),
        ("mail.example.test.", 200),
        ("example.test", 200),
        ("webmail.other.test", 200),
        ("a.webmail.other.test", 421),
        ("192.0.2.1", 200),
        ("[2001:db8::1]:443", 200),
        ("localhost", 421),
        ("test", 421),
        ("example.test@evil.example", 421),
    ],
)
def test_without_one_any_name_of_ours_is_right(host: str, status: int) -> None:
    assert WebWorld().get("/login", host=host).status == status
    if host == "localhost":
        near = WebWorld().get("/login", host=host, peer="127.0.0.1")
        assert near.status == 200


def test_a_token_of_another_browser_is_none() -> None:
    one, other = WebWorld(), WebWorld()
    form = {"username": ALICE, "password": PASSWORD, "t": other.token("session")}
    one.get("/login")
    assert one.post("/login", form).status == 403
    assert other.post("/login", form).status == 303
    one.sign_in()
    form = {"t": other.token("session")}
    assert one.post("/logout", form).status == 403
    assert one.post("/logout", action="session").status == 303
