"""The small parts of pages: dates, colours, names, cookies, answers."""

from __future__ import annotations

import json

import pytest
from jinja2 import Environment
from markupsafe import Markup

from mailkit.config.units import GB, MB
from mailkit.errors import LocalMisuse, Malformed
from mailkit.model.conversation import Person
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from mailkit.web.answers import Kind
from mailkit.web.asking import Asked
from mailkit.web.brand import Brand, contrast
from mailkit.web.cookies import Cookies
from mailkit.web.dates import Dates, zone
from mailkit.web.fetchmetadata import is_opened_by_hand
from mailkit.web.fields import MOST_FIELDS, Fields
from mailkit.web.rendering import Kept, Rendering, say_size
from mailkit.web.webmail.people import colour_of, first_name, initials, together
from tests.web.world import ALICE, LANGUAGES, STATICS, WebWorld

ENGLISH = LANGUAGES.choose("en", "")
ARABIC = LANGUAGES.choose("ar", "")
DAY = 86400.0
NOON = NEW_YEAR + 10 * DAY + 43200  # 11 January 2026, a Sunday


def dates(where: str = "") -> Dates:
    return Dates(ENGLISH, zone(where), NOON)


@pytest.mark.parametrize(
    ("days", "short", "group"),
    [
        (0.0, "12:00", "Today"),
        (-1.0, "12:00", "Yesterday"),
        (-2.0, "Fri", "Earlier this week"),
        (-7.0, "4 Jan", "Earlier this month"),
        (-20.0, "22 Dec", "December"),
        (-400.0, "Dec 2024", "2024"),
        (2.0, "Jan 2026", "Later"),
    ],
)
def test_times_of_a_list(days: float, short: str, group: str) -> None:
    then = NOON + days * DAY
    assert dates().short(then) == short
    assert dates().group(then) == group


def test_times_are_in_the_persons_zone() -> None:
    assert dates("Europe/Oslo").short(NOON) == "13:00"
    assert dates("Europe/Oslo").iso(NOON) == "2026-01-11T13:00:00+01:00"
    assert dates("No/Where").iso(NOON) == "2026-01-11T12:00:00+00:00"
    assert dates("../../etc/passwd").short(NOON) == "12:00"
    assert dates("Pacific/Kiritimati").group(NOON - DAY) == "Yesterday"


def test_longer_times() -> None:
    assert dates().long(NOON) == "Sunday, January 11, 2026, 12:00"
    assert dates().medium(NOON) == "12:00"
    assert dates().medium(NOON - DAY) == "Jan 10, 2026, 12:00"
    assert dates().iso(1e30).startswith("1970-01-01")
    assert Dates(ARABIC, zone(""), NOON).group(NOON) == "اليوم"


@pytest.mark.parametrize(
    ("octets", "words"),
    [(0, "0 KB"), (1, "1 KB"), (62_000, "62 KB"), (5 * MB, "5 MB"),
     (1_600 * MB, "1.6 GB"), (2 * GB, "2 GB")],
)  # fmt: skip
def test_sizes(octets: int, words: str) -> None:
    assert say_size(octets, ENGLISH) == words


def test_what_was_made_is_kept_for_as_long_as_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mailkit.web.rendering.MOST_KEPT", 2)
    made: list[tuple[str, int]] = []

    def make(name: str, number: int) -> Markup:
        made.append((name, number))
        return Markup("{} {}").format(name, number)

    kept = Kept(make)
    assert kept.made("<a>", 1) == "&lt;a&gt; 1"
    assert kept.made("<a>", 2) == "&lt;a&gt; 2"
    assert kept.made("<a>", 1) == "&lt;a&gt; 1"
    assert made == [("<a>", 1), ("<a>", 2)]
    kept.made("b", 1)
    kept.made("<a>", 1)
    kept.made("<a>", 2)
    assert made == [("<a>", 1), ("<a>", 2), ("b", 1), ("<a>", 2)]


def test_templates_are_compiled_once_for_all_languages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendering = Rendering(STATICS)
    rendering.warm(LANGUAGES.choose("en", ""))
    monkeypatch.setattr(Environment, "compile", None)
    for language in LANGUAGES.all:
        rendering.warm(language)


def test_a_colour_that_everybody_can_read() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert Brand().style == ""
    style = Brand("Fernhill", "#7a3b00", "#ffb86b").style
    assert "--accent:light-dark(#7a3b00,#ffb86b)" in style
    assert "#62d2ba" in Brand(accent="#7a3b00").style
    for wrong in ("#ffee00", "red", "#12345", "#7a3b00;}*{"):
        with pytest.raises(ValueError, match=r"contrast|colour"):
            Brand(accent=wrong)
    with pytest.raises(ValueError, match="contrast"):
        Brand(accent_dark="#7a3b00")


@pytest.mark.parametrize(
    ("name", "address", "letters"),
    [
        ("Ingrid Solheim", "i@x", "IS"),
        ("Ruben van der Berg", "r@x", "RB"),
        ("", "nobody@x", "N"),
        ("“Quoted” (x)", "q@x", "QX"),
        ("ليلى حداد", "l@x", "لح"),
        ("", "", "?"),
        ("!!!", "!@x", "?"),
    ],
)
def test_initials(name: str, address: str, letters: str) -> None:
    assert initials(name, address) == letters


def test_people_together() -> None:
    me, ruben = Person("Alice", "ALICE@x"), Person("Ruben Berg", "r@x")
    papa, list_ = Person("", "papa@x"), Person("Solheim, Ingrid", "i@x")

    def said(*people: Person) -> str:
        return together(people, "alice@x", "me")

    assert said(ruben) == "Ruben Berg"
    assert said(me) == "me"
    assert said(ruben, me) == "Ruben, me"
    assert said(ruben, papa, list_, me) == "Ruben … Solheim, Ingrid, me"
    assert first_name(papa) == "papa@x"
    assert 1 <= colour_of("r@x") <= 6
    assert colour_of("r@x") == colour_of("R@X")


def test_cookies_of_developers() -> None:
    plain = Cookies(is_insecure=True)
    assert "Secure" not in plain.set_session("x", is_public=True)
    assert plain.session({"cookie": "a=b; mailkit=x"}) == "x"
    assert Cookies().session({"cookie": "mailkit=x; __Host-mailkit=" + "y" * 300}) == ""
    assert Cookies().session({}) == ""
    assert Cookies().drop_session().startswith("__Host-mailkit=; Path=/; Max-Age=0;")


def test_what_is_opened_by_hand() -> None:
    assert is_opened_by_hand({})
    assert is_opened_by_hand({"sec-fetch-site": "same-origin"})
    assert not is_opened_by_hand({"sec-fetch-site": "cross-site"})
    for header in ("sec-purpose", "purpose"):
        assert not is_opened_by_hand({header: "prefetch;prerender"})


def test_fields_of_a_form() -> None:
    fields = Fields.parse(b"a=%20x+&a=y&b=&n=12&n2=x&%ff=%ff&on=1&off=0")
    assert fields.text("a") == "x"
    assert fields.exact("a") == " x "
    assert fields.all("a") == (" x ", "y")
    assert fields.text("none", "else") == fields.exact("none", "else") == "else"
    assert (fields.number("n", 0), fields.number("n2", 7)) == (12, 7)
    assert fields.number("none", 3) == 3
    assert "b" in fields
    assert "none" not in fields
    assert fields.is_on("on")
    assert not (fields.is_on("off") or fields.is_on("b"))
    assert fields.text("\ufffd") == "\ufffd"
    with pytest.raises(Malformed):
        Fields.parse(b"a=1&" * (MOST_FIELDS + 1))


def asked(world: WebWorld) -> Asked:
    return Asked(world.house, "GET", "/", Fields(), ENGLISH)


def test_answers() -> None:
    page = asked(WebWorld())
    assert page.redirect("/a", undo="t&").headers["Location"] == "/a?done=t%26"
    assert page.redirect("/a?b=c", undo="t").headers["Location"] == "/a?b=c&done=t"
    octets = page.json({"ü": 1}).body
    assert isinstance(octets, bytes)
    assert json.loads(octets) == {"ü": 1}
    assert page.empty(undo="t").headers == {"X-Mailkit-Undo": "t"}
    file = page.file("image/png", b"x", 'a"b\r\nü.png', length=1, etag="e")
    assert file.headers == {
        "Content-Disposition": "attachment; filename*=UTF-8''a%22b%0D%0A%C3%BC.png",
        "Content-Length": "1",
    }
    assert file.kind is Kind.FILE
    shown = page.file("image/png", b"x", is_download=False)
    assert shown.headers == {"Content-Disposition": "inline"}
    assert page.document(b"").kind is Kind.MESSAGE
    assert page.csrf("act") == ""
    with pytest.raises(LocalMisuse):
        _ = page.account


def test_who_is_signed_in_elsewhere_can_be_asked() -> None:
    world = WebWorld()
    world.sign_in()
    sign_in = world.house.sign_in
    account = at_once(world.directory.account(ALICE))
    assert account is not None
    at_once(sign_in.confirm(account, "correct horse", "192.0.2.1"))
    [browser] = at_once(sign_in.browsers(account.name))
    assert sign_in.ends(browser) == NEW_YEAR + 12 * 3600
