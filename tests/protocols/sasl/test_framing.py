"""Base64, ``=`` and ``*`` (RFC 4422 §3.5, RFC 4954 §4)."""

from __future__ import annotations

import re
from base64 import b64encode
from itertools import product

import pytest
from hypothesis import given
from hypothesis.strategies import binary, characters, text

from mailkit.errors import Cancelled, Malformed
from mailkit.protocols.sasl.framing import (
    Limits,
    decode_base64,
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
    (b"AAAA=", None),
    (b"AAAA==", None),
    (b"AAAA====", None),
    (b"=AAA", None),
    (b"AAA=BBB", None),
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


GRAMMAR = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
"""``base64`` of RFC 4954 §8."""


def test_pads_stand_where_the_grammar_has_them() -> None:
    """Python's own strictness takes any number of them after whole groups."""
    for length in range(10):
        for octets in product(b"A=", repeat=length):
            line = bytes(octets)
            try:
                decode_base64(line)
            except Malformed:
                assert not GRAMMAR.fullmatch(line), line
            else:
                assert GRAMMAR.fullmatch(line), line


@given(binary() | text(characters(codec="ascii")).map(str.encode))
def test_what_is_taken_is_in_the_grammar(line: bytes) -> None:
    try:
        decode_base64(line)
    except Malformed:
        assert not GRAMMAR.fullmatch(line)
    else:
        assert GRAMMAR.fullmatch(line)


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
