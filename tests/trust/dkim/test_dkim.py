"""Signatures (RFC 6376, RFC 8463, RFC 8301), with dkimpy as witness."""

from __future__ import annotations

import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256

import dkim  # type: ignore[import-untyped]  # it has no types
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from hypothesis import given
from hypothesis import strategies as st

from mailkit.errors import StorageBroken
from mailkit.formats.header import find_end
from mailkit.trust.dkim.canonical import BodyHash, relaxed_field
from mailkit.trust.dkim.keys import (
    Algorithm,
    PublicKey,
    SigningKey,
    make_key,
    read_key,
    write_key,
)
from mailkit.trust.dkim.signing import sign
from mailkit.trust.dkim.verifying import BrokenSignature, algorithm_of, verify_ours

NOW = 1_800_000_000.0
LASTS = 6 * 86400.0
RSA = SigningKey("example.org", "r1", make_key(Algorithm.RSA))
ED25519 = SigningKey("example.org", "e1", make_key(Algorithm.ED25519))
HEADER = (
    b"Received: from somewhere\r\n"
    b"From: Alice <alice@example.org>\r\n"
    b"To: bob@example.net\r\n"
    b"Subject: Hello  there,\r\n\t  folded \r\n"
    b"Date: Sat, 21 Nov 2026 13:00:00 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"\r\n"
)
BODY = b"Some  text \r\n\tand more\r\n\r\n"


def hash_of(body: bytes) -> bytes:
    hashed = BodyHash()
    hashed.update(body)
    return hashed.digest()


def signed(header: bytes = HEADER, body: bytes = BODY, now: float = NOW) -> bytes:
    """The header with both signatures above it."""
    return sign(header, hash_of(body), [RSA, ED25519], now, LASTS) + header


def key_of(domain: str, selector: str, algorithm: str) -> PublicKey | None:
    for key in (RSA, ED25519):
        if (domain, selector) == (key.domain, key.selector):
            assert algorithm == key.algorithm.value
            return key.private.public_key()
    return None


def check(header: bytes, body: bytes = BODY, now: float = NOW) -> int:
    return verify_ours(header, hash_of(body), key_of, now)


# -- forms (RFC 6376 §3.4)


def test_relaxed_fields() -> None:
    # RFC 6376 §3.4.5.
    assert relaxed_field(b"A", b" X\r\n") == b"a:X\r\n"
    assert relaxed_field(b"B ", b" Y\t\r\n\tZ  \r\n") == b"b:Y Z\r\n"


BODIES = [
    (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"),  # RFC 6376 §3.4.5
    (b"", b""),
    (b"\r\n\r\n", b""),
    (b" \r\n\t\r\n", b""),
    (b"no end", b"no end\r\n"),
    (b"no end  ", b"no end\r\n"),
    (b"a\r\n\r\nb\r\n\r\n", b"a\r\n\r\nb\r\n"),
    (b"\r\n\r\na\r\n", b"\r\n\r\na\r\n"),
]


@pytest.mark.parametrize(("body", "relaxed"), BODIES)
def test_relaxed_bodies(body: bytes, relaxed: bytes) -> None:
    assert hash_of(body) == sha256(relaxed).digest()
    pieces = BodyHash()
    for at in range(len(body)):
        pieces.update(body[at : at + 1])
    assert pieces.digest() == sha256(relaxed).digest()


LINES = st.lists(st.sampled_from([b"a", b" ", b"\t", b"\r\n", b"bc", b".", b"\xff"]))


@given(LINES, st.integers(1, 7))
def test_pieces_of_a_body_hash_as_the_whole(words: list[bytes], step: int) -> None:
    body = b"".join(words)
    lines = [
        re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")
    ]
    while lines and not lines[-1]:
        lines.pop()
    expected = b"".join(line + b"\r\n" for line in lines)
    pieces = BodyHash()
    for at in range(0, len(body), step):
        pieces.update(body[at : at + step])
    assert pieces.digest() == sha256(expected).digest()


def test_a_line_without_end_costs_what_others_cost() -> None:
    """Fed in pieces, the line so far is neither copied nor searched at each."""
    pieces, piece = BodyHash(), b"x" * 65_536
    began = time.process_time()
    for _ in range(400):
        pieces.update(piece)
    took = time.process_time() - began
    assert pieces.digest() == sha256(piece * 400 + b"\r\n").digest()
    assert took < 0.5  # 25 MiB; 5 GiB were copied


# -- both ways


def test_the_example_of_the_standard_holds() -> None:
    # RFC 8463 appendix A; its RSA key is one of 1,024 bits, which we never make.
    rsa = serialization.load_der_public_key(
        b64decode(
            "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWR"
            "iGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutAC"
            "DfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3"
            "Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
        )
    )
    edwards = ed25519.Ed25519PublicKey.from_public_bytes(
        b64decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    )
    keys = {"brisbane": edwards, "test": rsa}
    message = (
        b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        b" d=football.example.com; i=@football.example.com;\r\n"
        b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        b" subject : date : message-id : from : subject : date;\r\n"
        b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        b" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
        b" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
        b" d=football.example.com; i=@football.example.com;\r\n"
        b" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
        b" date : message-id : from : subject : date;\r\n"
        b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
        b" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
        b" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
        b" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
        b"From: Joe SixPack <joe@football.example.com>\r\n"
        b"To: Suzie Q <suzie@shopping.example.net>\r\n"
        b"Subject: Is dinner ready?\r\n"
        b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
        b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
        b"\r\n"
        b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
    )
    end = find_end(message)

    def known(domain: str, selector: str, algorithm: str) -> PublicKey | None:
        key = keys[selector]
        assert isinstance(key, ed25519.Ed25519PublicKey | RSAPublicKey)
        return key

    assert verify_ours(message[:end], hash_of(message[end:]), known, NOW) == 2


def test_dkimpy_agrees() -> None:
    records = {f"{key.name}.".encode(): key.record.encode() for key in (RSA, ED25519)}
    message = signed(now=time.time()) + BODY  # the witness has no other clock
    for number in (0, 1):
        witness = dkim.DKIM(message)
        assert witness.verify(number, dnsfunc=lambda name, timeout: records[name])
    changed = message.replace(b"bob@", b"eve@")
    witness = dkim.DKIM(changed)
    assert not witness.verify(0, dnsfunc=lambda name, timeout: records[name])


@given(LINES, st.lists(st.sampled_from([b"To: x", b" y ", b"\tz", b"Cc: w", b"X: v"])))
def test_dkimpy_agrees_about_anything(body: list[bytes], lines: list[bytes]) -> None:
    more = b"".join(line + b"\r\n" for line in lines)
    header = b"From: a@example.org\r\n" + more + b"\r\n"
    text = b"".join(body) + b"\r\n"  # as all that leaves by SMTP
    above = sign(header, hash_of(text), [ED25519], time.time(), LASTS)
    records = {f"{ED25519.name}.".encode(): ED25519.record.encode()}
    witness = dkim.DKIM(above + header + text)
    assert witness.verify(dnsfunc=lambda name, timeout: records[name])
    assert check(above + header, text, 0) == 1


def test_what_we_signed_holds() -> None:
    assert check(signed()) == 2
    # Fields that nobody signed may come on top on the way.
    assert check(b"Received: by the way\r\n" + signed()) == 2
    assert check(HEADER) == 0


def test_lines_are_short() -> None:
    assert all(len(line) <= 80 for line in signed().split(b"\r\n"))


CHANGES = [
    (lambda top: top.replace(b"Alice", b"Mallory"), BODY, NOW, "the header is another"),
    (lambda top: b"From: x@example.org\r\n" + top, BODY, NOW, "the header is another"),
    (lambda top: b"Subject: more\r\n" + top, BODY, NOW, "the header is another"),
    (lambda top: top, BODY + b"more\r\n", NOW, "the body is another one"),
    (lambda top: top, BODY, NOW + LASTS + 1, "its time is over"),
    (lambda top: top.replace(b"x=1", b"x=y"), BODY, NOW, "its time is over"),
    (lambda top: top.replace(b"relaxed/", b"simple/"), BODY, NOW, "not in the form"),
    (lambda top: top.replace(b"bh=", b"bh=!"), BODY, NOW, "not base64"),
    (lambda top: top.replace(b"\tb=", b"\tb=!"), BODY, NOW, "not base64"),
]


@pytest.mark.parametrize(("change", "body", "now", "words"), CHANGES)
def test_what_was_changed_does_not(
    change: Callable[[bytes], bytes], body: bytes, now: float, words: str
) -> None:
    with pytest.raises(BrokenSignature, match=words):
        check(change(signed()), body, now)


def test_a_field_that_is_there_thrice_cannot_be_swapped() -> None:
    header = HEADER.replace(
        b"To:", b"To: one@example.net\r\nTo: two@example.net\r\nTo:"
    )
    assert check(signed(header)) == 2
    swapped = signed(header).replace(b"one@", b"tmp@")
    with pytest.raises(BrokenSignature):
        check(swapped)


# -- keys


@pytest.mark.parametrize("key", [RSA, ED25519])
def test_keys_are_written_and_read(key: SigningKey) -> None:
    again = SigningKey(key.domain, key.selector, read_key(write_key(key.private)))
    assert again.record == key.record
    assert algorithm_of(again.private.public_key()) is key.algorithm
    assert repr(key.private) not in repr(key)


def test_what_is_no_key() -> None:
    with pytest.raises(StorageBroken, match="not a private key"):
        read_key(b"rubbish")
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(StorageBroken, match="neither"):
        read_key(other)


def test_records_name_the_key() -> None:
    assert RSA.name == "r1._domainkey.example.org"
    assert RSA.record.startswith("v=DKIM1; k=rsa; p=MIIB")
    public = ED25519.private.public_key()
    assert isinstance(public, ed25519.Ed25519PublicKey)
    octets = b64encode(public.public_bytes_raw()).decode()
    assert ED25519.record == f"v=DKIM1; k=ed25519; p={octets}"
