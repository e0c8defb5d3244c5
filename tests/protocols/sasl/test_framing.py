"""Base64, ``=`` and ``*`` (RFC 4422 §3.5, RFC 4954 §4)."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis.strategies import binary

from mailkit.errors import Cancelled, Malformed
from mailkit.protocols.sasl.framing import (
    Limits,
    decode_initial,
    decode_response,
    encode_challenge,
)

RESPONSES = [
    (b"", b""),
    (b"dGVzdA==", b"test"),  # RFC 4954 §4.1
    (b"AHRlc3QAMTIzNA==", b"\0test\x001234"),
    (b"dGVzdA=", None),
    (b"dGVzdA", None),
    (b"dGVzdA===", None),
    (b"dGVz dA==", None),
    (b"dGVz\x00dA==", None),
    (b"====", None),
    (b"!", None),
    (b"**", None),
]


@pytest.mark.parametrize(("line", "octets"), RESPONSES)
def test_responses(line: bytes, octets: bytes | None) -> None:
    if octets is None:
        with pytest.raises(Malformed):
            decode_response(line)
    else:
        assert decode_response(line) == octets


def test_an_equals_sign_is_an_empty_initial_response() -> None:
    assert decode_initial(b"=") == b""
    assert decode_initial(b"dGVzdA==") == b"test"


def test_an_equals_sign_is_nothing_later() -> None:
    with pytest.raises(Malformed):
        decode_response(b"=")


def test_a_star_cancels() -> None:
    with pytest.raises(Cancelled):
        decode_response(b"*")


def test_a_long_line_is_not_decoded() -> None:
    assert decode_response(b"A" * 12288) == bytes(9216)
    with pytest.raises(Malformed, match="too long"):
        decode_response(b"A" * 12292)
    with pytest.raises(Malformed, match="too long"):
        decode_initial(b"dGVzdA==", Limits(line=4))


def test_challenges_are_one_line() -> None:
    assert encode_challenge(b"") == b""
    assert encode_challenge(b"Username:") == b"VXNlcm5hbWU6"
    assert b"\n" not in encode_challenge(bytes(1000))


@given(binary())
def test_what_is_encoded_is_decoded(octets: bytes) -> None:
    assert decode_response(encode_challenge(octets)) == octets
    assert encode_challenge(octets) == b64encode(octets)


@given(binary())
def test_garbage_is_malformed_at_worst(line: bytes) -> None:
    try:
        octets = decode_initial(line)
    except Malformed:
        return
    assert line == b"=" or encode_challenge(octets) == line
