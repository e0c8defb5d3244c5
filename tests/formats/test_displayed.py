"""Which parts are shown, and which are files."""

from __future__ import annotations

import pytest

from mailkit.formats import mime
from mailkit.formats.displayed import (
    Displayed,
    Kind,
    decoded,
    deletes_space,
    display,
    is_flowed,
    media_type,
    plain_name,
    text_of,
)


def shown(message: str) -> Displayed:
    octets = message.replace("\n", "\r\n").encode()
    return display(octets, mime.scan(octets))


def part(head: str, body: str = "x") -> str:
    return f"{head}\n\n{body}"


def multi(subtype: str, *parts: str, boundary: str = "b") -> str:
    inside = "".join(f"--{boundary}\n{one}\n" for one in parts)
    return (
        f"Content-Type: multipart/{subtype}; boundary={boundary}\n\n"
        f"{inside}--{boundary}--\n"
    )


PLAIN = part("Content-Type: text/plain", "plain")
HTML = part("Content-Type: text/html", "<p>x")
PNG = part("Content-Type: image/png; name=a.png\nContent-ID: <p@x>")
PDF = part(
    "Content-Type: application/pdf\nContent-Disposition: attachment; filename=a.pdf"
)
ICS = part("Content-Type: text/calendar; name=i.ics", "BEGIN:VCALENDAR")


def told(found: Displayed) -> tuple[list[str], list[str]]:
    return (
        [f"{one.number} {one.kind.value}" for one in found.texts],
        [f"{one.number} {one.name}" for one in found.files],
    )


ROWS = [
    (PLAIN, ["1 plain"], []),
    (HTML, ["1 html"], []),
    (PDF, [], ["1 a.pdf"]),
    ("Subject: x\n\n", ["1 plain"], []),
    (multi("alternative", PLAIN, HTML), ["2 html"], []),
    (multi("alternative", HTML, PLAIN), ["1 html"], []),
    (multi("alternative", PLAIN, HTML, ICS), ["2 html", "3 calendar"], ["3 i.ics"]),
    (multi("alternative", PDF, PNG), [], ["1 a.pdf", "2 a.png"]),
    (
        multi("alternative", PLAIN, multi("related", HTML, PNG, boundary="c")),
        ["2.1 html"],
        ["2.2 a.png"],
    ),
    (multi("alternative", multi("mixed", PNG, boundary="c"), PLAIN), ["2 plain"], []),
    (
        multi("alternative", part("Content-Type: text/x-y"), PLAIN),
        ["2 plain"],
        [],
    ),
    (multi("mixed", PLAIN, PNG, PLAIN), ["1 plain", "3 plain"], ["2 a.png"]),
    (
        multi("mixed", part("Content-Type: text/x-y; name=z.y"), PLAIN),
        ["2 plain"],
        ["1 z.y"],
    ),
    (multi("mixed", part("Content-Type: text/x-y"), PLAIN), ["1 plain", "2 plain"], []),
    (multi("mixed", part("Content-Type: text/plain", ""), PLAIN), None, []),
    (multi("mixed", PLAIN, part("Content-Type: text/plain", "")), ["1 plain"], []),
    (
        multi("mixed", PLAIN, part("Content-Type: message/rfc822", "Subject: y\n\nz")),
        ["1 plain"],
        ["2 message.eml"],
    ),
    (
        multi("signed", PLAIN, part("Content-Type: application/pgp-signature")),
        ["1 plain"],
        [],
    ),
    (
        multi(
            "encrypted",
            part("Content-Type: application/pgp-encrypted"),
            part("Content-Type: application/octet-stream"),
        ),
        [],
        ["1 application.pgp-encrypted", "2 application.octet-stream"],
    ),
    (part("Content-Type: application/pkcs7-mime"), [], ["1 application.pkcs7-mime"]),
]


@pytest.mark.parametrize("message,texts,files", ROWS)
def test_sorted(message: str, texts: list[str] | None, files: list[str]) -> None:
    found = told(shown(message))
    if texts is not None:
        assert found[0] == texts
    assert found[1] == files


def test_what_is_said_of_it() -> None:
    assert shown(ROWS[17][0]).is_signed
    assert shown(ROWS[18][0]).is_encrypted
    assert shown(ROWS[19][0]).is_encrypted
    signed = part("Content-Type: application/pkcs7-mime; smime-type=signed-data")
    assert not shown(signed).is_encrypted
    found = shown(multi("related", HTML, PNG, PNG, PDF))
    assert found.pictures() == {"p@x": "2"}
    found = shown(multi("alternative", PLAIN, HTML))
    assert found.plain is not None
    assert media_type(found.plain) == "text/plain"
    assert found.texts[0].kind is Kind.HTML


def test_names() -> None:
    head = (
        "Content-Type: image/png; name==?utf-8?q?=C3=BC.png?=\n"
        "Content-Disposition: attachment"
    )
    assert shown(part(head)).files[0].name == "\u00fc.png"
    head = "Content-Disposition: ;\nContent-Type: application/x; name=y"
    assert shown(part(head)).files[0].name == "y"
    assert plain_name("../../etc/passwd") == "_.._etc_passwd"
    assert plain_name("invoice\u202efdp.exe") == "invoicefdp.exe"
    assert plain_name("a\x00b\r\n.txt") == "ab.txt"
    assert plain_name(" .. ", "x") == "x"
    assert plain_name("a" * 200 + ".pdf") == "a" * 116 + ".pdf"
    assert plain_name("a" * 200) == "a" * 120
    assert plain_name("a" * 200 + "." + "b" * 20) == "a" * 120


def test_texts() -> None:
    octets = b"Content-Type: text/plain; charset=iso-8859-1\r\n\r\n\xfcber"
    assert text_of(octets, mime.scan(octets), 100) == ("\u00fcber", False)
    assert text_of(octets, mime.scan(octets), 2) == ("\u00fcb", True)
    octets = b"Content-Transfer-Encoding: x-uu\r\n\r\nabc"
    root = mime.scan(octets)
    assert text_of(octets, root, 100) == ("abc", False)
    assert decoded(octets, root) == b"abc"
    octets = b"Content-Transfer-Encoding: base64\r\n\r\nYWJj"
    assert decoded(octets, mime.scan(octets)) == b"abc"
    octets = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n"
    assert decoded(octets, mime.scan(octets)) == b"Subject: x\r\n\r\n"
    octets = b"Content-Type: text/plain; format=Flowed; delsp=yes\r\n\r\n"
    assert is_flowed(mime.scan(octets))
    assert deletes_space(mime.scan(octets))
    assert not is_flowed(mime.scan(b"\r\n"))


def test_sizes() -> None:
    head = "Content-Type: image/png\nContent-Transfer-Encoding: base64"
    assert shown(part(head, "A" * 400)).files[0].size == 300
    assert shown(PNG).files[0].size == 1
