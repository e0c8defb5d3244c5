"""Messages for hosts that take 7-bit text only."""

from __future__ import annotations

import email
from email import policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import BadMessage, MailkitError, NeedsSMTPUTF8
from mailkit.formats.downgrade import CannotDowngrade, downgrade, is_seven_bit

TOP = b"From: a@b.test\r\nSubject: s\r\nMIME-Version: 1.0\r\n"
PLAIN = TOP + b"Content-Type: text/plain; charset=utf-8\r\n"
EIGHT = b"Content-Transfer-Encoding: 8bit\r\n"
WORDS = "Viele Grüße an alle, die das hier noch lesen können.\r\n".encode()
LONG = b"x" * 2000 + b"\r\n"


def multipart(kind: bytes, *parts: bytes, top: bytes = TOP, cte: bytes = b"") -> bytes:
    """A message of parts, whose boundary is ``=b``."""
    return b"".join(
        (
            top,
            b"Content-Type: multipart/",
            kind,
            b'; boundary="=b"\r\n',
            cte,
            b"\r\npreamble\r\n",
            *(b"--=b\r\n" + part + b"\r\n" for part in parts),
            b"--=b--\r\nepilogue\r\n",
        )
    )


def bodies(octets: bytes) -> list[bytes]:
    """What a stranger's parser makes of the leaves."""
    message = email.message_from_bytes(octets, policy=policy.compat32)
    found = []
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            found.append(payload)
    return found


@pytest.mark.parametrize(
    ("octets", "is_one"),
    [
        (b"", True),
        (b"abc\r\n", True),
        (b"abc", True),
        (WORDS, False),
        (b"a\0b", False),
        (b"a\nb", False),
        (b"a\rb", False),
        (b"x" * 998 + b"\r\n", True),
        (LONG, False),
    ],
)
def test_is_seven_bit(octets: bytes, is_one: bool) -> None:
    assert is_seven_bit(octets) is is_one
    assert is_seven_bit(b"\xff" + octets, 1) is is_one


def test_nothing_to_do() -> None:
    octets = PLAIN + b"\r\nHello\r\n"
    assert downgrade(octets) is octets


def test_text() -> None:
    assert downgrade(PLAIN + EIGHT + b"\r\n" + WORDS) == (
        PLAIN + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"Viele Gr=C3=BC=C3=9Fe an alle, die das hier noch lesen k=C3=B6nnen.\r\n"
    )


def test_text_in_other_letters() -> None:
    """Where most is not ASCII base64 is shorter."""
    text = "Привет, мир\r\n".encode()
    octets = downgrade(PLAIN + EIGHT + b"\r\n" + text)
    assert b"Encoding: base64\r\n\r\n0J/RgNC4" in octets
    assert octets.endswith(b"\r\n")
    assert bodies(octets) == [text]


@pytest.mark.parametrize("body", [b"a\nb\n", b"a\rb\r\n", b"a\0b\r\n", b"\xff\n"])
def test_text_of_other_lines(body: bytes) -> None:
    """Octet by octet the same, for whoever decodes it."""
    octets = downgrade(PLAIN + b"Content-Transfer-Encoding: binary\r\n\r\n" + body)
    assert is_seven_bit(octets)
    assert bodies(octets) == [body]


def test_no_mime_at_all() -> None:
    """RFC 1428 §3: the charset is not known, and is called so."""
    octets = downgrade(b"From: a@b.test\r\n\r\n" + WORDS)
    assert octets.startswith(
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\nFrom: a@b.test\r\n\r\n"
    )
    assert bodies(octets) == [WORDS]


def test_long_lines() -> None:
    octets = downgrade(TOP + b"\r\n" + LONG)
    assert b"charset" not in octets
    assert bodies(octets) == [LONG]


def test_a_long_line_of_the_header() -> None:
    octets = TOP + b"X: " + LONG + b"\r\nHello\r\n"
    assert downgrade(octets) == octets


def test_parts() -> None:
    image = bytes(range(256)) * 3
    octets = multipart(
        b"mixed",
        b"Content-Type: text/plain; charset=utf-8\r\n" + EIGHT + b"\r\n" + WORDS,
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n" + image,
        b"\r\nplain",
        cte=b"Content-Transfer-Encoding: binary\r\n",
    )
    down = downgrade(octets)
    assert is_seven_bit(down)
    assert bodies(down) == [WORDS, image, b"plain"]
    assert b'boundary="=b"\r\nContent-Transfer-Encoding: 7bit\r\n\r\npreamble' in down
    assert max(map(len, down.split(b"\r\n"))) <= 76
    assert downgrade(down) is down


def test_what_is_between_parts() -> None:
    octets = multipart(b"mixed", b"\r\nplain").replace(b"preamble", b"pr\xe9amb\nle\0")
    down = downgrade(octets)
    assert b"\r\npr?amb\r\nle?\r\n--=b\r\n" in down
    assert is_seven_bit(down)


def test_a_message_in_a_message() -> None:
    inner = PLAIN + EIGHT + b"\r\n" + WORDS
    octets = TOP + b"Content-Type: message/rfc822\r\n" + EIGHT + b"\r\n" + inner
    down = downgrade(octets)
    assert is_seven_bit(down)
    assert down.startswith(
        TOP + b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n"
    )
    assert bodies(down) == [WORDS]


def test_a_message_in_utf8_within_one_that_is_not() -> None:
    """RFC 6532 §3.7 lets message/global be encoded."""
    inner = "Subject: Grüße\r\n\r\nx\r\n".encode()
    octets = TOP + b"Content-Type: message/global\r\n" + EIGHT + b"\r\n" + inner
    down = downgrade(octets)
    assert is_seven_bit(down)
    assert b"Content-Transfer-Encoding: base64" in down


@pytest.mark.parametrize("encoding", [b"quoted-printable", b"base64"])
def test_what_was_encoded_badly(encoding: bytes) -> None:
    head = PLAIN + b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    down = downgrade(head + b"Gr\xc3\xbc=C3=9Fe\r\n")
    assert is_seven_bit(down)


def test_an_encoding_that_nobody_knows() -> None:
    head = PLAIN + b"Content-Transfer-Encoding: x-uuencode\r\n\r\n"
    with pytest.raises(CannotDowngrade, match="not known: x-uuencode"):
        downgrade(head + WORDS)


SIGNED = b"signed; protocol=x"


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (multipart(SIGNED, EIGHT + b"\r\n" + WORDS), "multipart/signed"),
        (multipart(b"encrypted", b"\r\n\xff"), "multipart/encrypted"),
        (TOP + b"Content-Type: application/pkcs7-mime\r\n\r\n\xff\r\n",
         "application/pkcs7-mime"),
        (multipart(b"mixed", multipart(SIGNED, b"\r\n\xff", top=b"").replace(
            b"=b", b"=c")), "multipart/signed"),
        (multipart(SIGNED, b"\r\na\nb"), "multipart/signed"),
    ],
)  # fmt: skip
def test_what_is_signed_stays(octets: bytes, kind: str) -> None:
    with pytest.raises(CannotDowngrade, match=f"a part that is {kind} has to stay"):
        downgrade(octets)


def test_what_is_signed_and_fits() -> None:
    """Only its neighbour is encoded; long lines are carried as they are."""
    signed = multipart(SIGNED, b"\r\n" + LONG, top=b"").replace(b"=b", b"=c")
    octets = multipart(b"mixed", signed, EIGHT + b"\r\n" + WORDS)
    down = downgrade(octets)
    assert signed in down
    assert down.isascii()


@pytest.mark.parametrize(
    "octets",
    [
        "Subject: Grüße\r\n\r\nx\r\n".encode(),
        multipart(b"mixed", "Content-Description: ü\r\n\r\nx".encode()),
        TOP + b"Content-Type: message/rfc822\r\n\r\n"
        + "Subject: Grüße\r\n\r\nx\r\n".encode(),
    ],
)  # fmt: skip
def test_headers(octets: bytes) -> None:
    with pytest.raises(NeedsSMTPUTF8):
        downgrade(octets)


def test_parts_that_are_none() -> None:
    octets = TOP + b'Content-Type: multipart/mixed; boundary="=b"\r\n\r\n' + WORDS
    with pytest.raises(CannotDowngrade, match="cannot be read"):
        downgrade(octets)


@given(st.binary(max_size=300))
def test_garbage(octets: bytes) -> None:
    """Whatever comes: 7-bit text, or a refusal; but for the ends of header lines."""
    try:
        down = downgrade(octets)
    except MailkitError:
        return
    assert down.isascii()


@given(st.text(max_size=500), st.booleans())
def test_any_text(text: str, in_parts: bool) -> None:
    body = text.replace("\r", "").replace("\n", "\r\n").encode()
    part = b"Content-Type: text/plain; charset=utf-8\r\n" + EIGHT + b"\r\n" + body
    octets = multipart(b"mixed", part) if in_parts else TOP + part
    try:
        down = downgrade(octets)
    except BadMessage:
        assert in_parts  # what looks like a delimiter
        return
    assert is_seven_bit(down)
    if b"--=b" not in body:
        (found,) = bodies(down)
        assert found.rstrip(b"\r\n") == body.rstrip(b"\r\n")
