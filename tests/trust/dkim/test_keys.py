"""Records of keys, read as they are written (RFC 6376 §3.6.1, RFC 8463 §4)."""

from __future__ import annotations

import pytest

from mailkit.errors import Malformed
from mailkit.trust.dkim.keys import Algorithm, SigningKey, make_key, read_record
from mailkit.trust.dkim.verifying import algorithm_of


@pytest.mark.parametrize("algorithm", Algorithm)
def test_what_is_written_is_read(algorithm: Algorithm) -> None:
    key = SigningKey("example.test", "s1", make_key(algorithm))
    public = read_record(key.record)
    assert public is not None
    assert algorithm_of(public) is algorithm
    assert public == key.private.public_key()


def test_a_key_that_was_withdrawn() -> None:
    assert read_record("v=DKIM1; p=") is None


def test_version_and_kind_may_be_left_out() -> None:
    record = SigningKey("a.test", "s", make_key(Algorithm.RSA)).record
    plain = record.replace("v=DKIM1; k=rsa; ", "")
    assert read_record(plain) == read_record(record)


ED25519 = SigningKey("a.test", "s", make_key(Algorithm.ED25519)).record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=DKIM1; k=rsa",
        "v=DKIM2; p=",
        "v=DKIM1; p=*",
        "v=DKIM1; p=AAAA",
        "v=DKIM1; k=ed25519; p=AAAA",
        "v=DKIM1; p=MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
        "v=spf1 mx -all",
        ED25519.replace("k=ed25519", "k=x25519"),
    ],
    ids=lambda text: text[:20],  # the keys differ from run to run
)
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(Malformed):
        read_record(text)
