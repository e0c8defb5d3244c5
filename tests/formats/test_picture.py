"""Pictures by their octets, and their signed addresses."""

from __future__ import annotations

import pytest

from mailkit.formats.picture import picture_path, picture_type, read_picture_path
from mailkit.formats.signedaddress import sign

KINDS = [
    (b"\x89PNG\r\n\x1a\n....", "image/png"),
    (b"\xff\xd8\xff\xe0", "image/jpeg"),
    (b"GIF89a", "image/gif"),
    (b"GIF87a", "image/gif"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    (b"RIFF\0\0\0\0WAVE", None),
    (b"\0\0\0\x14ftypavif\0\0\0\0avif", "image/avif"),
    (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avis", "image/avif"),
    (b"\0\0\0\x14ftypisom\0\0\0\0isom", None),
    (b"<svg xmlns=", None),
    (b"<html>", None),
    (b"", None),
]


@pytest.mark.parametrize("octets,kind", KINDS)
def test_kinds(octets: bytes, kind: str | None) -> None:
    assert picture_type(octets) == kind


URL = "https://p.example/\u00fc?a=b"


def test_one_signs_for_one_account() -> None:
    path = picture_path("a@example.org", URL, [b"k"])
    _, signature, text = path.strip("/").split("/")
    assert read_picture_path("a@example.org", signature, text, [b"new", b"k"]) == URL
    assert read_picture_path("b@example.org", signature, text, [b"k"]) is None
    assert read_picture_path("a@example.org", signature, text, [b"other"]) is None
    assert read_picture_path("a@example.org", signature, text + "A", [b"k"]) is None
    assert read_picture_path("a@example.org", "x", text, [b"k"]) is None
    assert read_picture_path("a@example.org", signature, "A" * 99_999, [b"k"]) is None


def test_what_we_did_not_write_is_none() -> None:

    for text in ("A", "_w"):
        signature = sign(b"picture", [b"k"], f"a\n{text}", 32)
        assert read_picture_path("a", signature, text, [b"k"]) is None
