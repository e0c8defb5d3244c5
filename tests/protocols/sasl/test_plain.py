"""PLAIN (RFC 4616) and LOGIN."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import binary, text

from mailkit.errors import LocalMisuse, Malformed
from mailkit.protocols.sasl.client import plain_message
from mailkit.protocols.sasl.mechanism import Challenge, Password
from mailkit.protocols.sasl.plain import Limits, Login, Plain, read_plain

MESSAGES = [
    (b"\0tim\0tanstaaftanstaaf", Password("", "tim", "tanstaaftanstaaf")),  # §4
    (
        b"Ursel\0Kurt\0xipj3plmq",  # §4
        Password("Ursel", "Kurt", "xipj3plmq"),
    ),
    ("\0ünï\0pæss".encode(), Password("", "ünï", "pæss")),
    (b"\0a\0 ", Password("", "a", " ")),
    (b"", None),
    (b"\0", None),
    (b"\0\0", None),
    (b"\0alice\0", None),
    (b"\0\0secret", None),
    (b"alice\0secret", None),
    (b"\0alice\0sec\0ret", None),
    (b"\xff\0alice\0secret", None),
    (b"\0al\xffice\0secret", None),
    (b"\0alice\0\xc0\x80", None),
    (b"\0" + b"a" * 1025 + b"\0secret", None),
    (b"a" * 1025 + b"\0alice\0secret", None),
    (b"\0alice\0" + b"a" * 4097, None),
]


@pytest.mark.parametrize(("message", "password"), MESSAGES)
def test_messages(message: bytes, password: Password | None) -> None:
    if password is None:
        with pytest.raises(Malformed):
            read_plain(message)
    else:
        assert read_plain(message) == password
        written = plain_message(
            password.name, password.password, password.authorization
        )
        assert written == message


def test_plain_with_an_initial_response() -> None:
    assert Plain().next(b"\0tim\0secret") == Password("", "tim", "secret")


def test_plain_without_one_asks_for_it() -> None:
    plain = Plain()
    assert plain.next(None) == Challenge(b"")
    assert plain.next(b"\0tim\0secret") == Password("", "tim", "secret")


def test_plain_is_over_after_one_message() -> None:
    plain = Plain()
    with pytest.raises(Malformed):
        plain.next(b"")
    with pytest.raises(LocalMisuse):
        plain.next(b"\0tim\0secret")


def test_a_client_does_not_write_a_part_with_nul() -> None:
    with pytest.raises(LocalMisuse):
        plain_message("tim", "sec\0ret")


def test_login_asks_twice() -> None:
    login = Login()
    assert login.next(None) == Challenge(b"Username:")
    assert login.next(b"alice") == Challenge(b"Password:")
    assert login.next(b"secret") == Password("", "alice", "secret")
    with pytest.raises(LocalMisuse):
        login.next(b"secret")


def test_login_takes_an_initial_response_for_the_name() -> None:
    login = Login()
    assert login.next(b"alice") == Challenge(b"Password:")
    assert login.next(b"secret") == Password("", "alice", "secret")


@pytest.mark.parametrize("name", [b"", b"\xff", b"a\0b", b"a" * 1025])
def test_login_with_a_bad_name_is_over(name: bytes) -> None:
    login = Login()
    with pytest.raises(Malformed):
        login.next(name)
    with pytest.raises(LocalMisuse):
        login.next(b"secret")


@pytest.mark.parametrize("password", [b"", b"\xff", b"a\0b", b"abcde"])
def test_login_with_a_bad_password(password: bytes) -> None:
    login = Login(Limits(password=4))
    login.next(b"alice")
    with pytest.raises(Malformed):
        login.next(password)


def test_secrets_are_not_shown() -> None:
    assert "secret" not in repr(Password("", "alice", "secret"))


@given(binary())
def test_garbage_is_malformed_at_worst(message: bytes) -> None:
    try:
        password = read_plain(message)
    except Malformed:
        return
    assert message.endswith(b"\0" + password.password.encode())


@given(text(min_size=1), text(min_size=1))
def test_any_text_is_carried(name: str, password: str) -> None:
    if "\0" in name + password or not _is_utf8(name + password):
        return
    assert read_plain(plain_message(name, password)) == Password("", name, password)


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)
