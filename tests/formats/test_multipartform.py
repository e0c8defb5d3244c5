"""Forms with files (RFC 7578): whole, octet by octet, and broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import Malformed
from mailkit.formats.multipartform import (
    LONGEST_HEAD,
    MOST_PARTS,
    FormReader,
    Found,
    PartBegins,
    PartEnds,
    PartOctets,
    boundary_of,
)

FORM = (
    b"a preamble\r\n"
    b"--b0undary\r\n"
    b'Content-Disposition: form-data; name="subject"\r\n\r\n'
    b"Gr\xc3\xbc\xc3\x9fe\r\n--not\r\n"
    b"\r\n--b0undary  \r\n"
    b'content-disposition: form-data; name="file"; filename="C:\\\\a\\b%22c.pdf"\r\n'
    b"X-Other: y\r\n"
    b"Content-Type: Application/PDF; x=y\r\n\r\n"
    b"\x00\r\n--b0undarx\r\n\xff"
    b"\r\n--b0undary\r\n"
    b'Content-Disposition: form-data; name=empty; filename=""\r\n\r\n'
    b"\r\n--b0undary--\r\nepilogue --b0undary\r\n"
)
PARTS = [
    (PartBegins("subject", None, "text/plain"), "Grüße\r\n--not\r\n".encode()),
    (PartBegins("file", 'b"c.pdf', "application/pdf"), b"\x00\r\n--b0undarx\r\n\xff"),
    (PartBegins("empty", "", "text/plain"), b""),
]


def joined(found: list[Found]) -> list[tuple[PartBegins, bytes]]:
    parts: list[tuple[PartBegins, bytes]] = []
    begun: PartBegins | None = None
    octets = b""
    for one in found:
        match one:
            case PartBegins():
                assert begun is None
                begun, octets = one, b""
            case PartOctets(more):
                assert more
                octets += more
            case PartEnds():
                assert begun is not None
                parts.append((begun, octets))
                begun = None
    assert begun is None
    return parts


def read(octets: bytes, size: int = 1 << 20) -> list[tuple[PartBegins, bytes]]:
    reader = FormReader(b"b0undary")
    found: list[Found] = []
    for at in range(0, len(octets), size):
        found += reader.feed(octets[at : at + size])
    reader.finish()
    return joined(found)


@pytest.mark.parametrize("size", [1 << 20, 1, 2, 3, 7, 50])
def test_in_pieces_of_any_size(size: int) -> None:
    assert read(FORM, size) == PARTS


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_octets_come_back(octets: bytes, size: int) -> None:
    if b"\r\n--b0undary" in b"\r\n" + octets:
        return
    form = b'--b0undary\r\nContent-Disposition: form-data; name="f"\r\n\r\n'
    form += octets + b"\r\n--b0undary--"
    [(_, found)] = read(form, size)
    assert found == octets


@given(st.binary(max_size=400))
def test_garbage_is_malformed_or_a_form(octets: bytes) -> None:
    try:
        read(b"--b0undary" + octets)
    except Malformed:
        return


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"--b0undary",
        b"--b0undary\r\n",
        b"--b0undary\r\nA: b\r\n\r\nx",
        b"--b0undary x\r\n\r\n",
        b"--b0undary" + b" " * (LONGEST_HEAD + 10),
        b"--b0undary\r\nA: " + b"b" * (LONGEST_HEAD + 10),
        b"--b0undary\r\nA: " + b"b" * LONGEST_HEAD + b"\r\n\r\n\r\n--b0undary--",
        b"--b0undary\r\n\r\n\r\n" * (MOST_PARTS + 1) + b"--b0undary--",
    ],
)
def test_what_is_no_form(octets: bytes) -> None:
    with pytest.raises(Malformed):
        read(octets)


def test_names_of_files() -> None:
    form = (
        b"--b0undary\r\nContent-Disposition: form-data; name=f; "
        b"filename*=utf-8''%e2%82%ac%2Fa.txt\r\n\r\n\r\n--b0undary\r\n"
        b"Content-Disposition: form-data; name=f; filename*=x'y\r\n\r\n"
        b"\r\n--b0undary--"
    )
    assert [part.file_name for part, _ in read(form)] == ["a.txt", None]


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=x; boundary="a b"', b"a b"),
        ("multipart/form-data", None),
        ("multipart/form-data; boundary=", None),
        ("multipart/mixed; boundary=abc", None),
        ("multipart/form-data; boundary=" + "a" * 71, None),
        ("application/x-www-form-urlencoded", None),
    ],
)
def test_the_boundary(content_type: str, boundary: bytes | None) -> None:
    assert boundary_of(content_type) == boundary
