"""AUTHENTICATE, LOGIN, STARTTLS and LOGOUT (RFC 9051 §6.1.3, §6.2)."""

from __future__ import annotations

from mailkit.errors import MailkitError, Malformed, Refused, TooMany, Unavailable
from mailkit.model.account import Account
from mailkit.protocols.imap.events import Authenticate, Login
from mailkit.protocols.imap.response import Response, bad, no, ok
from mailkit.protocols.imap.write import codes
from mailkit.services.imap.answers import answer_for
from mailkit.services.imap.capability import capabilities
from mailkit.services.imap.dialogue import Dialogue


async def login(talk: Dialogue, command: Login) -> Response:
    """A name and a password as they are."""
    authentication = talk.house.authentication
    try:
        account = await authentication.login(
            command.name, command.password, "imap", talk.peer
        )
        return _enter(talk, account)
    except (Malformed, Refused, Unavailable) as error:
        return _failed(talk, error)


async def authenticate(talk: Dialogue, command: Authenticate) -> Response | None:
    """Begin a SASL exchange; ``None`` while the client is to answer a challenge."""
    try:
        talk.exchange = talk.house.authentication.begin(
            command.mechanism, "imap", talk.peer
        )
    except (Malformed, Refused, Unavailable) as error:
        return _failed(talk, error)
    return await go_on(talk, command.initial_response)


async def go_on(talk: Dialogue, response: bytes | None) -> Response | None:
    """One step of the exchange."""
    exchange = talk.exchange
    assert exchange is not None
    try:
        answer = await exchange.step(response)
        if isinstance(answer, bytes):
            talk.machine.challenge(answer)
            return None
        talk.exchange = None
        return _enter(talk, answer)
    except (Malformed, Refused, Unavailable) as error:
        talk.exchange = None
        return _failed(talk, error)


def cancelled(talk: Dialogue, problem: str) -> Response:
    """The client gave up (RFC 9051 §6.2.2)."""
    talk.exchange = None
    return bad(problem)


async def start_tls(talk: Dialogue) -> Response | None:
    """Answer, then TLS; what was said before it is forgotten (RFC 9051 §11.1)."""
    if not talk.peer.can_start_tls:
        return bad("TLS is on already, or there is none")
    talk.machine.answer(ok("Begin TLS"))
    await talk.peer.start_tls()
    return None


def log_out(talk: Dialogue) -> Response:
    """Untagged BYE, then OK (RFC 9051 §6.1.3)."""
    talk.machine.bye("Goodbye")
    return ok("Logged out")


def _enter(talk: Dialogue, account: Account) -> Response:
    try:
        talk.registration = talk.house.sessions.register(
            account.name, account.generation, talk.peer.interrupt
        )
    except TooMany:
        return no("Too many connections of this account", b"LIMIT")
    talk.who = account
    return ok(f"Welcome, {account.name}", codes.capability(capabilities(talk)))


def _failed(talk: Dialogue, error: MailkitError) -> Response:
    talk.failures += 1
    if talk.failures >= talk.settings.failures:
        talk.end("Too many failed logins")
    return answer_for(error)
