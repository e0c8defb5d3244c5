"""Logging in to a smarthost (RFC 4954)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from attrs import evolve
from twisted.internet.address import IPv4Address

from mailkit.errors import Unreachable
from mailkit.net.tls import ServerTLS
from mailkit.protocols.sasl.mechanism import Challenge, Proven, WantKeys
from mailkit.protocols.sasl.scram import ScramSHA256, make_keys
from tests.net.relay.authority import certify
from tests.net.relay.sink import CUT, HANG, HELLO, Answers, Sink
from tests.net.relay.world import SINK, World, commands, item, told

TLS = HELLO.replace("250-PIPELINING", "250-PIPELINING\n250-STARTTLS")
SMARTHOST = evolve(SINK, username="us@sink.test", password="sécret")
SENT = ["a sent 2.0.0 250 2.0.0 Taken"]
NAME = b64encode(b"us@sink.test").decode()
SECRET = b64encode("sécret".encode()).decode()
PLAIN = b64encode("\0us@sink.test\0sécret".encode()).decode()


def offering(mechanisms: str) -> str:
    return HELLO.replace("250-PIPELINING", f"250-PIPELINING\n250-AUTH {mechanisms}")


def world(tmp_path: Path, mechanisms: str, answers: Answers) -> World:
    pair = certify("x", "mx.sink.test").write(tmp_path)
    return World(
        {"EHLO": TLS, "*": "500 5.5.1 What?", **answers},
        tls=ServerTLS((pair,)),
        secure_hello=offering(mechanisms),
    )


ROWS: list[tuple[str, str, Answers, list[str]]] = [
    ("plain", "PLAIN LOGIN", {"AUTH": "235 2.7.0 In"}, [f"AUTH PLAIN {PLAIN}"]),
    ("login", "CRAM-MD5 LOGIN",
     {"AUTH": "334 VXNlcm5hbWU6", "other": ["334 UGFzc3dvcmQ6", "235 In"]},
     ["AUTH LOGIN", NAME, SECRET]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mechanisms", "answers", "said"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_logged_in(
    tmp_path: Path, mechanisms: str, answers: Answers, said: list[str]
) -> None:
    here = world(tmp_path, mechanisms, answers)
    assert told(here.carry(item(), host=SMARTHOST)) == SENT
    assert commands(here)[3 : 3 + len(said)] == said


TROUBLE: list[tuple[str, str, Answers, str]] = [
    ("wrong", "PLAIN", {"AUTH": "535 5.7.8 Wrong"},
     "it did not let us in: 535 5.7.8 Wrong"),
    ("asks although it was told", "plain", {"AUTH": "334 ", "*": "501 5.7.0 No"},
     "it did not let us in: 501 5.7.0 No"),
    ("later", "LOGIN", {"AUTH": "454 4.7.0 Later"},
     "it did not let us in: 454 4.7.0 Later"),
    ("asks on and on", "LOGIN", {"AUTH": "334 ", "other": "334 ", "*": "501 No"},
     "it did not let us in: 501 No"),
    ("nothing known", "CRAM-MD5", {}, "it offers no way to log in that we know"),
    ("nothing", "", {}, "it offers no way to log in that we know"),
    ("no base64", "LOGIN", {"AUTH": "334 ?"},
     "it answered with a challenge that is not base64, while we logged in"),
    ("cut", "LOGIN", {"AUTH": CUT}, "it closed the connection, while we logged in"),
    ("hang", "LOGIN", {"AUTH": HANG}, "no reply within 120 s, while we logged in"),
    ("421", "PLAIN", {"AUTH": "421 4.3.2 Bye"},
     "it did not let us in: 421 4.3.2 Bye"),
    ("SCRAM nonsense", "SCRAM-SHA-256", {"AUTH": "334 YWJj", "other": "501 No"},
     "not the first message of a SCRAM server"),
    ("SCRAM taken on trust", "SCRAM-SHA-256", {"AUTH": "235 In"},
     "it took our word without knowing the password"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mechanisms", "answers", "words"),
    [row[1:] for row in TROUBLE],
    ids=[row[0] for row in TROUBLE],
)
def test_not_logged_in(
    tmp_path: Path, mechanisms: str, answers: Answers, words: str
) -> None:
    """The mail waits for somebody who mends it."""
    here = world(tmp_path, mechanisms, answers)
    with pytest.raises(Unreachable) as caught:
        here.carry(item(), host=SMARTHOST)
    assert str(caught.value) == f"mx.sink.test [192.0.2.1]:25: {words}"
    assert "sécret" not in repr(caught.value)


def test_no_password_in_the_clear() -> None:
    here = World({"EHLO": offering("PLAIN")})
    with pytest.raises(Unreachable, match="without TLS no password is sent"):
        here.carry(item(), host=SMARTHOST)
    assert not [line for line in commands(here) if line.startswith("AUTH")]


def test_on_this_machine() -> None:
    """A password may go in the clear to a neighbour process."""
    here = World(
        {"EHLO": offering("PLAIN"), "AUTH": "235 In"},
        address=IPv4Address("TCP", "127.0.0.1", 25),
    )
    assert told(here.carry(item(), host=SMARTHOST)) == SENT


class ScramSink(Sink):
    """Knows the password, or says so."""

    secret = b"s\xc3\xa9cret"
    is_endless = False
    lies = False

    scram: ScramSHA256 | None = None
    is_proven = False

    def dataReceived(self, data: bytes) -> None:
        line = data.decode("latin-1").strip()
        if line.startswith("AUTH "):
            self.scram = ScramSHA256(b"server")
            self._next(b64decode(line.split(" ")[2]))
        elif self.scram and (line == "" or (" " not in line and line != "*")):
            self._next(b64decode(line))
        else:
            super().dataReceived(data)

    def _reply(self, line: bytes) -> None:
        assert self.transport is not None
        self.transport.write(line + b"\r\n")

    def _next(self, response: bytes) -> None:
        if self.is_proven:
            self._reply(b"334 " if self.is_endless else b"235 2.7.0 In")
            return
        assert self.scram is not None
        step = self.scram.next(response)
        if isinstance(step, WantKeys):
            step = step.answer(make_keys(self.secret, b"salt", 4096))
        if isinstance(step, Proven):
            self.is_proven = True
            final = b"v=" + b64encode(b"x" * 32) if self.lies else step.final
            self._reply(b"334 " + b64encode(final))
            return
        assert isinstance(step, Challenge)
        self._reply(b"334 " + b64encode(step.octets))


class LyingSink(ScramSink):
    lies = True


class EndlessSink(ScramSink):
    is_endless = True


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ScramSink, ""),
        (LyingSink, "the server does not know the account"),
        (EndlessSink, "it asks too much"),
    ],
)
def test_scram(tmp_path: Path, kind: type[Sink], words: str) -> None:
    """Both sides prove that they know the password; neither says it (RFC 7677)."""
    here = world(tmp_path, "PLAIN SCRAM-SHA-256", {"*": "501 5.7.0 Cancelled"})
    here.host.kind = kind
    if not words:
        assert told(here.carry(item(), host=SMARTHOST)) == SENT
        return
    with pytest.raises(Unreachable, match=words):
        here.carry(item(), host=SMARTHOST)
