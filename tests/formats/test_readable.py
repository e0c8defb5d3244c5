"""Which parts are the text of a message."""

from __future__ import annotations

import pytest

from mailkit.formats import mime
from mailkit.formats.readable import is_attachment, texts

MIXED = b"""Content-Type: multipart/mixed; boundary=a

--a
Content-Type: multipart/alternative; boundary=b

--b

first
--b
Content-Type: text/html

second
--b--
--a
Content-Type: text/plain
Content-Disposition: attachment; filename=x

not me
--a
Content-Type: message/rfc822

Content-Type: text/plain

nor me
--a
Content-Type: text/calendar

third
--a
Content-Type: image/png

nor me
--a--
"""


def test_the_text_parts_in_their_order() -> None:
    octets = MIXED.replace(b"\n", b"\r\n")
    found = [octets[part.body : part.end].strip() for part in texts(mime.scan(octets))]
    assert found == [b"first", b"second", b"third"]


@pytest.mark.parametrize(
    ("value", "attached"),
    [
        (b"", False),
        (b"Content-Disposition: inline\r\n", False),
        (b"Content-Disposition: ATTACHMENT\r\n", True),
        (b"Content-Disposition: ;\r\n", False),
    ],
)
def test_what_is_attached(value: bytes, attached: bool) -> None:
    assert is_attachment(mime.scan(value + b"\r\nx\r\n")) is attached
