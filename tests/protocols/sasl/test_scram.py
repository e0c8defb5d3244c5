"""SCRAM-SHA-256 (RFC 5802, RFC 7677)."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis.strategies import binary, sampled_from, text

from mailkit.errors import LocalMisuse, Malformed, NotAuthenticated
from mailkit.model.account import ScramKeys
from mailkit.protocols.sasl.client import Limits as ClientLimits
from mailkit.protocols.sasl.client import ScramSHA256Client
from mailkit.protocols.sasl.mechanism import Challenge, Proven, WantKeys
from mailkit.protocols.sasl.prepare import scram_form
from mailkit.protocols.sasl.scram import Limits, ScramSHA256, make_keys

# The exchange of RFC 7677 §3.
CLIENT_NONCE = b"rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE = b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
FIRST = b"n,,n=user,r=" + CLIENT_NONCE
CHALLENGE = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
VERIFIER = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
KEYS = make_keys(b"pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)


def ask(server: ScramSHA256, first: bytes, keys: ScramKeys = KEYS) -> bytes:
    """The server's first message."""
    want = server.next(first)
    assert isinstance(want, WantKeys)
    return want.answer(keys).octets


def test_the_example_of_the_rfc() -> None:
    server = ScramSHA256(SERVER_NONCE)
    assert server.next(None) == Challenge(b"")
    want = server.next(FIRST)
    assert isinstance(want, WantKeys)
    assert (want.authorization, want.name) == ("", "user")
    assert want.answer(KEYS) == Challenge(CHALLENGE)
    assert server.next(FINAL) == Proven("", "user", VERIFIER)


def test_the_example_on_the_client() -> None:
    client = ScramSHA256Client("user", "pencil", CLIENT_NONCE)
    assert client.first() == FIRST
    assert client.final(CHALLENGE) == FINAL
    assert client.check(VERIFIER) == b""


FIRSTS = [
    (b"n,,n=alice,r=abc", ("", "alice")),
    (b"y,,n=alice,r=abc", ("", "alice")),
    (b"n,a=bob,n=alice,r=abc", ("bob", "alice")),
    (b"n,a=,n=alice,r=abc", ("", "alice")),
    (b"n,,n=a=2Cb=3Dc,r=abc", ("", "a,b=c")),
    ("n,,n=ünï@exämple.org,r=abc".encode(), ("", "ünï@exämple.org")),
    (b"n,,n=alice,r=abc,x=what,y=else", ("", "alice")),
    (b"", None),
    (b"n", None),
    (b"n,,", None),
    (b"n,,n=alice", None),
    (b"n,,n=alice,r=", None),
    (b"n,,n=,r=abc", None),
    (b"n,,n=al=ice,r=abc", None),
    (b"n,,n=al=2cice,r=abc", None),
    (b"n,,n=al\0ice,r=abc", None),
    (b"n,,n=al\xffice,r=abc", None),
    (b"n,a=\xff,n=alice,r=abc", None),
    (b"n,,r=abc,n=alice", None),
    (b"n,,n=alice,r=a b", None),
    (b"n,,n=alice,r=a\x7f", None),
    (b"n,,m=must,n=alice,r=abc", None),  # RFC 5802 §5.1: unknown must, so fail
    (b"n,,n=alice,r=abc,x=", None),
    (b"n,,n=alice,r=abc,", None),
    (b"p=tls-unique,,n=alice,r=abc", None),
    (b"q,,n=alice,r=abc", None),
    (b"n,,n=alice,r=" + b"a" * 513, None),
    (b"n,,n=" + b"a" * 1025 + b",r=abc", None),
    (b"n,,n=alice,r=abc,x=" + b"a" * 4096, None),
]


@pytest.mark.parametrize(("message", "names"), FIRSTS)
def test_first_messages(message: bytes, names: tuple[str, str] | None) -> None:
    server = ScramSHA256(b"nonce")
    if names is None:
        with pytest.raises(Malformed):
            server.next(message)
        with pytest.raises(LocalMisuse):
            server.next(FINAL)
    else:
        want = server.next(message)
        assert isinstance(want, WantKeys)
        assert (want.authorization, want.name) == names


PROOF = b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
NONCE = CLIENT_NONCE + SERVER_NONCE
FINALS = [
    (b"", Malformed),
    (b"c=biws,r=" + NONCE, Malformed),
    (b"c=biws,p=" + PROOF, Malformed),
    (b"r=" + NONCE + b",c=biws,p=" + PROOF, Malformed),
    (b"c=biws,r=" + NONCE + b",p=" + PROOF[:-1], Malformed),
    (b"c=biws,r=" + NONCE + b",p=AAAA", Malformed),
    (b"c=biw,r=" + NONCE + b",p=" + PROOF, Malformed),
    (FINAL + b",x=y", Malformed),
    (b"c=biws,r=" + NONCE + b",x=" + b"a" * 4096 + b",p=" + PROOF, Malformed),
    (b"c=eSws,r=" + NONCE + b",p=" + PROOF, NotAuthenticated),
    (b"c=biws,r=" + NONCE + b"x,p=" + PROOF, NotAuthenticated),
    (b"c=biws,r=" + NONCE + b",x=y,p=" + PROOF, NotAuthenticated),
    (b"c=biws,r=" + NONCE + b",p=" + b"A" * 43 + b"=", NotAuthenticated),
]


@pytest.mark.parametrize(("message", "error"), FINALS)
def test_final_messages(message: bytes, error: type[Exception]) -> None:
    server = ScramSHA256(SERVER_NONCE)
    ask(server, FIRST)
    with pytest.raises(error):
        server.next(message)
    with pytest.raises(LocalMisuse):
        server.next(FINAL)


def test_the_binding_is_what_was_said_at_first() -> None:
    """A proof over another header than that of the first message is refused."""
    client = ScramSHA256Client("user", "pencil", b"abc")
    server = ScramSHA256(b"xyz")
    challenge = ask(server, client.first().replace(b"n,,", b"y,,"))
    with pytest.raises(NotAuthenticated):
        server.next(client.final(challenge))


def test_the_nonce_is_the_one_we_gave() -> None:
    """A right proof over a challenge of another exchange is refused."""
    client = ScramSHA256Client("user", "pencil", b"abc")
    ask(ScramSHA256(b"one"), client.first())
    server = ScramSHA256(b"two")
    ask(server, client.first())
    other = ask(ScramSHA256(b"one"), client.first())
    with pytest.raises(NotAuthenticated):
        server.next(client.final(other))


def test_extensions_of_the_client_are_signed_and_left_alone() -> None:
    server = ScramSHA256(b"xyz", Limits())
    challenge = ask(server, b"n,,n=user,r=abc,x=y")
    client = ScramSHA256Client("user", "pencil", b"abc")
    client.first()
    with pytest.raises(NotAuthenticated):  # the client signed it without the extension
        server.next(client.final(challenge))


def test_order_is_kept() -> None:
    server = ScramSHA256(b"nonce")
    want = server.next(FIRST)
    assert isinstance(want, WantKeys)
    with pytest.raises(LocalMisuse):
        server.next(FINAL)
    want.answer(KEYS)
    with pytest.raises(LocalMisuse):
        want.answer(KEYS)
    with pytest.raises(LocalMisuse):
        server.next(None)


def test_keys_are_not_shown() -> None:
    assert repr(KEYS.stored_key) not in repr(KEYS)


CHALLENGES = [
    b"",
    b"r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096",
    b"r=other,s=W22Z,i=4096",
    b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4095",
    b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=10001",
    b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=-1",
    b"r=rOprNGfwEbeRWgbNEkqOx,s=W22,i=4096",
    b"m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4096",
    b"e=unknown-user",
]


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_the_client_is_not_led_astray(challenge: bytes) -> None:
    client = ScramSHA256Client("user", "pencil", CLIENT_NONCE, ClientLimits(10_000))
    client.first()
    with pytest.raises(Malformed):
        client.final(challenge)


def test_the_client_knows_an_impostor() -> None:
    client = ScramSHA256Client("user", "pencil", CLIENT_NONCE)
    client.first()
    with pytest.raises(NotAuthenticated):  # nothing was proved yet
        client.check(VERIFIER)
    client.final(CHALLENGE)
    with pytest.raises(NotAuthenticated):
        client.check(b"v=AAAA")
    for message in (b"e=other-error", b"v=A"):
        with pytest.raises(Malformed):
            client.check(message)


@given(text(min_size=1, max_size=30), sampled_from(["right", "wrong"]))
def test_whoever_knows_the_password_gets_in(password: str, knows: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in password):
        return
    keys = make_keys(scram_form(password).encode(), b"salt", 4096)
    typed = password if knows == "right" else password + "x"
    client = ScramSHA256Client("a,b=c", typed, b"abc")
    server = ScramSHA256(b"xyz")
    final = client.final(ask(server, client.first(), keys))
    if scram_form(typed) != scram_form(password):
        with pytest.raises(NotAuthenticated):
            server.next(final)
    else:
        proven = server.next(final)
        assert isinstance(proven, Proven)
        assert proven.name == "a,b=c"
        client.check(proven.final)


@given(binary(), binary())
def test_garbage_never_gets_in(first: bytes, final: bytes) -> None:
    server = ScramSHA256(b"nonce")
    try:
        want = server.next(b"n,,n=alice,r=" + first)
        assert isinstance(want, WantKeys)
        want.answer(KEYS)
        server.next(b"c=biws,r=" + final)
    except (Malformed, NotAuthenticated):
        return
    raise AssertionError("somebody got in")
