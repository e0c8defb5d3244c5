"""Logging in to a smarthost (RFC 4954)."""

from __future__ import annotations

from collections.abc import Iterator

from mailkit.errors import Malformed, NotAuthenticated, Unreachable
from mailkit.interfaces.queue import NextHost
from mailkit.net.relay.conversation import Conversation, one_line
from mailkit.net.relay.settings import RelaySettings
from mailkit.protocols.sasl.client import Limits, ScramSHA256Client, plain_message
from mailkit.protocols.smtp.client import Answered, Challenged
from mailkit.protocols.smtp.events import AuthBegins, AuthCancelled, AuthResponse

_LIMITS = Limits(iterations=100_000)
"""All hashing happens in the reactor's thread."""

_STATUS = "4.7.8"
"""RFC 4954 §6 has 5.7.8; the mail waits for somebody who mends the password."""


async def authenticate(
    talk: Conversation, host: NextHost, settings: RelaySettings, nonce: bytes
) -> None:
    """
    Log in by the best mechanism that both know: SCRAM-SHA-256, PLAIN, LOGIN.

    A password leaves under TLS only, or to this very machine (RFC 4954 §4).

    :raises Unreachable: :raises HungUp:
    """
    if not (talk.peer.tls or talk.peer.is_loopback):
        raise _trouble(talk, "without TLS no password is sent")
    offered = talk.machine.extensions.get("AUTH", "").upper().split()
    for mechanism in ("SCRAM-SHA-256", "PLAIN", "LOGIN"):
        if mechanism in offered:
            break
    else:
        raise _trouble(talk, "it offers no way to log in that we know")
    if mechanism == "SCRAM-SHA-256":
        await _scram(talk, host, settings, nonce)
        return
    answers = _answers(mechanism, host)
    initial = next(answers) if mechanism == "PLAIN" else None
    talk.say(AuthBegins(mechanism, initial))
    while isinstance(heard := await talk.hear(settings.auth), Challenged):
        answer = next(answers, None)
        talk.say(AuthCancelled() if answer is None else AuthResponse(answer))
    _check(talk, heard)


def _answers(mechanism: str, host: NextHost) -> Iterator[bytes]:
    """What is said, whatever the questions are (draft-murchison-sasl-login)."""
    if mechanism == "PLAIN":
        yield plain_message(host.username, host.password)
    else:
        yield host.username.encode()
        yield host.password.encode()


async def _scram(
    talk: Conversation, host: NextHost, settings: RelaySettings, nonce: bytes
) -> None:
    """RFC 7677; the server has to prove itself too."""
    scram = ScramSHA256Client(host.username, host.password, nonce, _LIMITS)
    talk.say(AuthBegins("SCRAM-SHA-256", scram.first()))
    steps = iter((scram.final, scram.check))
    has_proved = False
    while isinstance(heard := await talk.hear(settings.auth), Challenged):
        step = next(steps, None)
        try:
            if step is None:
                raise Malformed("it asks too much")
            answer = step(heard.octets)
        except (Malformed, NotAuthenticated) as problem:
            talk.say(AuthCancelled())
            await talk.hear(settings.auth)
            raise _trouble(talk, str(problem)) from problem
        has_proved = step == scram.check
        talk.say(AuthResponse(answer))
    _check(talk, heard)
    if not has_proved:
        raise _trouble(talk, "it took our word without knowing the password")


def _check(talk: Conversation, heard: Answered) -> None:
    if heard.reply.code != 235:
        raise _trouble(talk, f"it did not let us in: {one_line(heard.reply)}")


def _trouble(talk: Conversation, words: str) -> Unreachable:
    return Unreachable(f"{talk.where}: {words}", _STATUS)
