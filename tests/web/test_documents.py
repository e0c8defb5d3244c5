"""Messages, their parts and their files, each behind its own headers."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from mailkit.formats.picture import picture_path
from mailkit.interfaces.pictures import Picture
from mailkit.model.preferences import Preferences, Theme
from mailkit.testing.at_once import at_once
from tests.web.hostile.judge import faults
from tests.web.letters import PNG, multipart, part, put
from tests.web.world import ALICE, BOB, ORIGIN, WebWorld

FRAME = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"}
IMAGE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"}
DOCUMENT_HEADERS = {
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action "
    f"'none'; frame-ancestors 'self'; img-src {ORIGIN}/part/ data:; style-src "
    "'unsafe-inline'; sandbox allow-same-origin allow-popups "
    "allow-popups-to-escape-sandbox",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.fixture
def world() -> WebWorld:
    made = WebWorld()
    made.sign_in()
    return made


def html(source: str, *more: bytes) -> bytes:
    return multipart("related", part("text/html", source.encode()), *more)


PICTURE = part("image/png", PNG, "Content-ID: <p@x>", "Content-Transfer-Encoding: 8bit")


def test_a_document_has_its_headers_to_the_letter(world: WebWorld) -> None:
    put(world, html("<p>Hi <script>x</script><img src=cid:p@x>", PICTURE))
    heard = world.get("/m/m1/html", FRAME)
    assert heard.status == 200
    assert heard.headers["content-type"] == "text/html; charset=utf-8"
    for name, value in DOCUMENT_HEADERS.items():
        assert heard.headers[name] == value
    assert '<img src="/part/m1/2" alt="">' in heard.text
    assert faults(heard.text) == []


def test_pictures_of_others_come_from_us_on_wish(world: WebWorld) -> None:
    put(
        world,
        html("<img src=https://p.example/a><img src=https://p.example/t width=1>"),
    )
    assert "/img/" not in world.get("/m/m1/html", FRAME).text
    heard = world.get("/m/m1/html?pictures=1", FRAME)
    assert (
        f"img-src {ORIGIN}/part/ {ORIGIN}/img/ data:"
        in (heard.headers["content-security-policy"])
    )
    [path] = re.findall(r'src="(/img/[^"]+)"', heard.text)
    world.elsewhere.pictures["https://p.example/a"] = Picture("image/png", PNG)
    seen = world.get(path, IMAGE)
    assert (seen.status, seen.octets) == (200, PNG)
    assert seen.headers["content-type"] == "image/png"
    assert seen.headers["x-content-type-options"] == "nosniff"
    assert world.get(path, IMAGE).status == 200
    assert world.elsewhere.asked == ["https://p.example/a"]
    assert world.get(path, ELSEWHERE).status == 403


def test_nobody_has_pictures_fetched_that_we_did_not_sign(world: WebWorld) -> None:
    path = picture_path(BOB, "https://p.example/a", [b"a secret"])
    assert world.get(path, IMAGE).status == 403
    assert world.get("/img/x/y", IMAGE).status == 403
    path = picture_path(ALICE, "https://p.example/a", [b"another"])
    assert world.get(path, IMAGE).status == 403
    assert world.elsewhere.asked == []


def test_colours_need_paper_and_themes_are_followed(world: WebWorld) -> None:
    put(world, html("<p style='color:red'>x"))
    put(world, html("<p>x"), 2)
    assert "color-scheme:light}" in world.get("/m/m1/html", FRAME).text
    assert "invert(" not in world.get("/m/m1/html", FRAME).text
    assert "invert(" in world.get("/m/m1/html?dark=1", FRAME).text
    assert "light-dark(" in world.get("/m/m2/html?dark=1", FRAME).text
    at_once(world.personal.change(ALICE, Preferences(theme=Theme.DARK)))
    assert ":root{color-scheme:dark}" in world.get("/m/m2/html", FRAME).text


def test_text_and_source(world: WebWorld) -> None:
    octets = multipart(
        "alternative",
        part("text/plain; charset=utf-8", "Gr\u00fc\u00dfe".encode()),
        part("text/html", b"<p>no"),
    )
    put(world, octets)
    heard = world.get("/m/m1/text")
    assert heard.text == "Gr\u00fc\u00dfe"
    assert heard.headers["content-type"] == "text/plain; charset=utf-8"
    assert heard.headers["content-security-policy"] == "default-src 'none'; sandbox"
    heard = world.get("/m/m1/source")
    assert heard.octets == octets
    assert heard.headers["content-type"] == "text/plain; charset=utf-8"
    assert heard.headers["content-disposition"] == "inline"
    heard = world.get("/m/m1/source?download=1")
    assert heard.headers["content-type"] == "message/rfc822"
    assert heard.headers["content-disposition"].startswith("attachment;")


def test_html_alone_as_text_and_source_in_any_octets(world: WebWorld) -> None:
    put(world, part("text/html", b"<p>One<br>two</p><style>x</style><p>three \xfc"))
    assert world.get("/m/m1/text").text == "One\ntwo\nthree \u00fc"
    heard = world.get("/m/m1/source")
    assert heard.headers["content-type"] == "text/plain; charset=iso-8859-1"


def test_parts_are_pictures_by_their_octets_alone(world: WebWorld) -> None:
    svg = part("image/png", b"<svg onload=alert(1)>", "Content-ID: <s@x>")
    put(world, html("<p>x", PICTURE, svg))
    heard = world.get("/part/m1/2", IMAGE)
    assert (heard.status, heard.octets) == (200, PNG)
    assert heard.headers["content-type"] == "image/png"
    assert world.get("/part/m1/3", IMAGE).status == 404
    assert world.get("/part/m1/1", IMAGE).status == 404
    assert world.get("/part/m1/2", ELSEWHERE).status == 403


FILES = [
    ("application/pdf", b"%PDF", "application/pdf", True),
    ("image/png", PNG, "image/png", True),
    ("image/svg+xml", b"<svg>", "application/octet-stream", False),
    ("text/html", b"<p>", "application/octet-stream", False),
    ("application/x-msdownload", b"MZ", "application/octet-stream", False),
    ("application/zip", b"PK", "application/zip", False),
    ("text/plain; charset=iso-8859-1", b"\xfc", "text/plain", True),
    ("image/gif", b"<html>", "image/gif", False),
]


@pytest.mark.parametrize("kind,octets,saved,viewed", FILES)
def test_files(
    world: WebWorld, kind: str, octets: bytes, saved: str, viewed: bool
) -> None:
    name = "Content-Disposition: attachment; filename*=utf-8''%C3%BC%E2%80%AEfdp.exe"
    put(world, multipart("mixed", part(kind, octets, name)))
    heard = world.get("/att/m1/1/whatever")
    assert heard.octets == octets
    assert heard.headers["content-type"] == saved
    assert heard.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%C3%BCfdp.exe"
    )
    assert heard.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert heard.headers["x-content-type-options"] == "nosniff"
    heard = world.get("/att/m1/1/view")
    how = heard.headers["content-disposition"].partition(";")[0]
    assert (how == "inline") is viewed
    if viewed:
        assert heard.headers["content-security-policy"].endswith("sandbox")
    else:
        assert heard.headers["content-type"] == saved


def test_text_is_viewed_in_one_charset(world: WebWorld) -> None:
    name = "Content-Disposition: attachment; filename=view"
    put(world, multipart("mixed", part("text/plain; charset=latin1", b"\xfc", name)))
    assert world.get("/att/m1/1/view").text == "\u00fc"
    assert "/att/m1/1/file" in world.get("/mail/inbox/c/t1").text


def test_all_files_in_one(world: WebWorld) -> None:
    name = "Content-Disposition: attachment; filename=a.txt"
    put(
        world,
        multipart(
            "mixed",
            part("text/plain", b"hello"),
            part("text/plain", b"one", name),
            part("text/plain", b"two", name),
            PICTURE,
        ),
        subject="a/b\u202ec",
    )
    put(world, "\nx", 2)
    heard = world.get("/att/m1/all.zip")
    assert heard.headers["content-type"] == "application/zip"
    assert heard.headers["content-disposition"].endswith("''a_bc.zip")
    packed = zipfile.ZipFile(io.BytesIO(heard.octets))
    assert packed.testzip() is None
    assert packed.namelist() == ["a.txt", "a (2).txt", "picture.png"]
    assert packed.read("a (2).txt") == b"two"
    assert world.get("/att/m2/all.zip").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/m/{0}/html",
        "/m/{0}/text",
        "/m/{0}/source",
        "/part/{0}/1",
        "/att/{0}/1/x",
        "/att/{0}/1/view",
        "/att/{0}/all.zip",
    ],
)
def test_what_is_not_ones_own_is_not_there(world: WebWorld, path: str) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
    assert world.get(path.format("m9"), headers).status == 404


def test_a_message_that_vanished_is_not_there(world: WebWorld) -> None:
    put(world, "\nx")
    assert world.get("/m/m1/text").status == 200
    world.conversations.all.clear()
    assert world.get("/m/m1/text").status == 404


def test_files_that_are_not_there(world: WebWorld) -> None:
    put(world, "\nx")
    assert world.get("/att/m1/7/x").status == 404
    assert world.get("/att/m1/7/view").status == 404
