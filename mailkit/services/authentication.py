"""
Who may come in: what the sessions of every protocol ask.

A session that authenticates by SASL (RFC 4422) does, whatever the mechanism::

    mechanisms = authentication.mechanisms(peer)      # to announce; () says: not here
    exchange = authentication.begin(name, "imap", peer)
    answer = await exchange.step(initial)             # None: no initial response
    while not isinstance(answer, Account):
        ...send encode_challenge(answer) as the protocol says, read a line...
        answer = await exchange.step(decode_response(line))

``mailkit.protocols.sasl.framing`` has ``encode_challenge``, ``decode_response`` and
``decode_initial``; octets here are never base64. The first step with ``None`` makes
the challenge that a client without initial response waits for. A mechanism with
a last word of the server (SCRAM) sends it as one more challenge, to which the client
answers with nothing (RFC 4422 §5); a protocol that can carry it with its success
sends `Exchange.final` instead and takes the account at once from `Exchange.account`.

`begin` raises `NeedsEncryption` and `NoSuchMechanism`; `step` and `login` raise

* `NotAuthenticated`: wrong name, wrong secret, suspended: always the same words;
* `Malformed` (`Cancelled` for ``*``): the client does not keep to the mechanism;
* `Busy`: too many failures of this peer or account: come back later;
* `NeedsEncryption` (`login` alone): not over this connection.

After any of them the exchange is over and a new one may begin.

LOGIN of IMAP and USER/PASS of POP3 call `Authentication.login`; whether to announce
LOGINDISABLED says `Authentication.may_send_password`.

``service`` is one of ``smtp``, ``imap``, ``pop3``, ``sieve``, ``web``.
"""

from __future__ import annotations

from attrs import define

from mailkit.errors import LocalMisuse
from mailkit.interfaces.session import IPeer
from mailkit.model.account import Account


@define(eq=False)
class Exchange:
    """One authentication under way."""

    final: bytes = b""
    """The server's last word, once the client has proved itself; mostly empty."""
    account: Account | None = None
    """Who it is, once that is proved."""

    async def step(self, response: bytes | None) -> bytes | Account:
        """
        Hear the client; a challenge to send, or who it is.

        :param response: what the client sent, base64 undone; ``None`` in the first
            step when it sent no initial response.
        :raises NotAuthenticated: :raises Malformed: :raises Busy:
        """
        raise LocalMisuse("not there yet")


@define(eq=False)
class Authentication:
    """Checks names and secrets against the directory."""

    def may_send_password(self, peer: IPeer) -> bool:
        """Whether ``[auth] plaintext`` lets this peer say a password."""
        raise LocalMisuse("not there yet")

    def mechanisms(self, peer: IPeer) -> tuple[str, ...]:
        """What to announce to this peer, best first; empty: nothing, as it is."""
        raise LocalMisuse("not there yet")

    def begin(self, mechanism: str, service: str, peer: IPeer) -> Exchange:
        """
        Start an exchange; the name of the mechanism in any case.

        :raises NeedsEncryption: :raises NoSuchMechanism:
        """
        raise LocalMisuse("not there yet")

    async def login(
        self, name: str, password: str, service: str, peer: IPeer
    ) -> Account:
        """
        Check a name and a password that came as they are.

        :raises NeedsEncryption: :raises NotAuthenticated: :raises Busy:
        """
        raise LocalMisuse("not there yet")
