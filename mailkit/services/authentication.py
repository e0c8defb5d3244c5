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

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.errors import (
    LocalMisuse,
    Malformed,
    NeedsEncryption,
    NoSuchMechanism,
    NotAuthenticated,
)
from mailkit.interfaces.directory import IDirectory, IDirectoryChanges
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.session import IPeer
from mailkit.metrics import Metrics
from mailkit.model.account import Account
from mailkit.protocols.sasl.mechanism import (
    Challenge,
    Mechanism,
    Password,
    Proven,
    WantKeys,
)
from mailkit.protocols.sasl.plain import Login, Plain
from mailkit.services.authsettings import AuthSettings
from mailkit.services.logins import Logins
from mailkit.services.passwordcheck import WRONG, DirectoryPasswordCheck, account_name
from mailkit.services.passwords.passwords import Passwords
from mailkit.services.remembered import RememberedLogins
from mailkit.services.scramcheck import Found, ScramCheck
from mailkit.services.slowdown import Network, Slowdown

SCRAM = "SCRAM-SHA-256"


@define(eq=False)
class Exchange:
    """One authentication under way."""

    _check: DirectoryPasswordCheck
    _scram: ScramCheck
    _mechanism: Mechanism
    _name: str
    """Of the mechanism, as the metrics have it."""
    _service: str
    _host: str
    final: bytes = field(default=b"", init=False)
    """The server's last word, once the client has proved itself; mostly empty."""
    account: Account | None = field(default=None, init=False)
    """Who it is, once that is proved."""
    _found: Found | None = field(default=None, init=False)
    _wanted: str = field(default="", init=False)
    """Whose keys were looked for."""
    _is_over: bool = field(default=False, init=False)

    async def step(self, response: bytes | None) -> bytes | Account:
        """
        Hear the client; a challenge to send, or who it is.

        :param response: what the client sent, base64 undone; ``None`` in the first
            step when it sent no initial response.
        :raises NotAuthenticated: :raises Malformed: :raises Busy:
        """
        if self._is_over:
            raise LocalMisuse("this exchange is over")
        self._is_over = True  # unless all goes well
        if self.account is None:
            answer = await self._go_on(response)
        elif response:
            raise Malformed("the answer to the last word is not empty")
        else:
            answer = self.account
        self._is_over = isinstance(answer, Account)
        return answer

    async def _go_on(self, response: bytes | None) -> bytes | Account:
        try:
            step = self._mechanism.next(response)
        except NotAuthenticated:
            return self._fail()
        match step:
            case Challenge(octets):
                return octets
            case Password(authorization, name, password):
                account = await self._check.check_as(
                    name, password, self._service, self._host, self._name
                )
                self._check_authorization(authorization, account)
                self.account = account
                return account
            case WantKeys(authorization, name, answer):
                self._wanted = name
                self._found = await self._scram.find(name, self._service, self._host)
                return answer(self._found.keys).octets
            case Proven(authorization, name, final):
                return await self._prove(authorization, final)

    async def _prove(self, authorization: str, final: bytes) -> bytes | Account:
        if self._found is None:
            raise LocalMisuse("proved without keys")
        account = await self._scram.proved(self._found, self._service, self._host)
        self._check_authorization(authorization, account)
        self.account = account
        self.final = final
        return final

    def _fail(self) -> bytes:
        """A proof was wrong."""
        self._scram.failed(self._wanted, self._service, self._host)
        raise NotAuthenticated(WRONG)

    def _check_authorization(self, authorization: str, account: Account) -> None:
        """Everybody acts as itself (RFC 4422 §3.4.1)."""
        if authorization and account_name(authorization) != account.name:
            raise NotAuthenticated(WRONG)


@define(eq=False)
class Authentication:
    """Checks names and secrets; `over` builds one above a directory."""

    _check: DirectoryPasswordCheck
    _scram: ScramCheck
    _settings: AuthSettings

    @classmethod
    def over(
        cls,
        directory: IDirectory,
        changes: IDirectoryChanges,
        lanes: ILanes,
        clock: IReactorTime,
        settings: AuthSettings | None = None,
        never_limit: Sequence[Network] = (),
        metrics: Metrics | None = None,
        slowdown: Slowdown | None = None,
    ) -> Authentication:
        """
        All of it above one directory.

        :param never_limit: networks whose failures cost nobody time.
        :param slowdown: what counts failures; ``None``: one for this process alone.
        """
        settings = settings or AuthSettings()
        slowdown = slowdown or Slowdown(clock, settings, never_limit)
        logins = Logins(changes, clock, slowdown, metrics or Metrics())
        check = DirectoryPasswordCheck(
            directory,
            changes,
            lanes,
            Passwords(settings),
            RememberedLogins(directory, clock, settings.remember),
            logins,
        )
        return cls(check, ScramCheck(directory, settings, logins), settings)

    @property
    def password_check(self) -> DirectoryPasswordCheck:
        """The `IPasswordCheck` behind it."""
        return self._check

    def may_send_password(self, peer: IPeer) -> bool:
        """Whether ``[auth] plaintext`` lets this peer say a password."""
        if peer.is_secure:
            return True
        rule = self._settings.plaintext
        return rule == "always" or (rule == "tls-or-loopback" and peer.is_loopback)

    def mechanisms(self, peer: IPeer) -> tuple[str, ...]:
        """What to announce to this peer, best first; empty: nothing, as it is."""
        if not self.may_send_password(peer):
            return ()
        if self._scram.is_offered:
            return (SCRAM, "PLAIN", "LOGIN")
        return ("PLAIN", "LOGIN")

    def begin(self, mechanism: str, service: str, peer: IPeer) -> Exchange:
        """
        Start an exchange; the name of the mechanism in any case.

        :raises NeedsEncryption: :raises NoSuchMechanism:
        """
        self._check_peer(peer)
        name = mechanism.upper()
        machine: Mechanism
        if name == "PLAIN":
            machine = Plain()
        elif name == "LOGIN":
            machine = Login()
        elif name == SCRAM and self._scram.is_offered:
            machine = self._scram.mechanism()
        else:
            raise NoSuchMechanism("not a mechanism that is offered")
        return Exchange(
            self._check, self._scram, machine, name.lower(), service, peer.host
        )

    async def login(
        self, name: str, password: str, service: str, peer: IPeer
    ) -> Account:
        """
        Check a name and a password that came as they are.

        :raises NeedsEncryption: :raises NotAuthenticated: :raises Busy:
        """
        self._check_peer(peer)
        return await self._check.check(name, password, service, peer.host)

    def _check_peer(self, peer: IPeer) -> None:
        if not self.may_send_password(peer):
            raise NeedsEncryption("a password may be sent under TLS only")
