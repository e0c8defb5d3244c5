"""Our SCRAM against somebody else's (RFC 5802, RFC 7677)."""

from __future__ import annotations

import pytest
from scramp import (  # type: ignore[import-untyped]  # it has no types
    ScramClient,
    ScramException,
    ScramMechanism,
)

from mailkit.errors import NotAuthenticated
from mailkit.protocols.sasl.client import ScramSHA256Client
from mailkit.protocols.sasl.mechanism import Proven, WantKeys
from mailkit.protocols.sasl.prepare import scram_form
from mailkit.protocols.sasl.scram import ScramSHA256, make_keys

PASSWORDS = [
    "pencil",
    "with, comma = and more",
    "Ängste",
    "I\u00adX",
    "\u2168",
    "a\u00a0b",
]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_strangers_client_gets_in(password: str) -> None:
    keys = make_keys(scram_form(password).encode(), b"salt of ours", 4096)
    client = ScramClient(["SCRAM-SHA-256"], "alice@example.org", password)
    server = ScramSHA256(b"a nonce".replace(b" ", b"-"))
    want = server.next(client.get_client_first().encode())
    assert isinstance(want, WantKeys)
    assert want.name == "alice@example.org"
    client.set_server_first(want.answer(keys).octets.decode())
    proven = server.next(client.get_client_final().encode())
    assert isinstance(proven, Proven)
    client.set_server_final(proven.final.decode())


def test_a_strangers_client_with_a_wrong_password_does_not() -> None:
    keys = make_keys(b"pencil", b"salt of ours", 4096)
    client = ScramClient(["SCRAM-SHA-256"], "alice", "crayon")
    server = ScramSHA256(b"nonce")
    want = server.next(client.get_client_first().encode())
    assert isinstance(want, WantKeys)
    client.set_server_first(want.answer(keys).octets.decode())
    with pytest.raises(NotAuthenticated):
        server.next(client.get_client_final().encode())


@pytest.mark.parametrize("password", PASSWORDS)
def test_our_client_gets_in_with_a_stranger(password: str) -> None:
    mechanism = ScramMechanism("SCRAM-SHA-256")
    kept = mechanism.make_auth_info(password, iteration_count=4096)
    server = mechanism.make_server(lambda name: kept)
    client = ScramSHA256Client("alice=a,b", password, b"abc")
    server.set_client_first(client.first().decode())
    server.set_client_final(client.final(server.get_server_first().encode()).decode())
    assert client.check(server.get_server_final().encode()) == b""


def test_our_client_with_a_wrong_password_does_not() -> None:
    mechanism = ScramMechanism("SCRAM-SHA-256")
    kept = mechanism.make_auth_info("pencil", iteration_count=4096)
    server = mechanism.make_server(lambda name: kept)
    client = ScramSHA256Client("alice", "crayon", b"abc")
    server.set_client_first(client.first().decode())
    final = client.final(server.get_server_first().encode())
    with pytest.raises(ScramException):
        server.set_client_final(final.decode())
