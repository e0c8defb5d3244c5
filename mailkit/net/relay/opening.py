"""The first words with a host: greeting, EHLO, STARTTLS, AUTH."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import define, field

from mailkit.errors import Unreachable
from mailkit.interfaces.queue import NextHost
from mailkit.model.reply import Reply
from mailkit.model.tlspolicy import TLSLevel, TLSPolicy
from mailkit.net.relay.authenticating import authenticate
from mailkit.net.relay.conversation import Conversation, HungUp, one_line
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.relay.tls import (
    FAILED,
    NOT_OFFERED,
    Handshake,
    Judgement,
    words_of_failure,
)
from mailkit.protocols.smtp.events import Hello, StartTLS


class TLSTrouble(Unreachable):
    """
    TLS is not there, or not what the policy demands.

    :param judgement: what is wrong, as reports tell it.
    """

    def __init__(self, words: str, judgement: Judgement) -> None:
        # Cryptographic failure (RFC 3463 §3.8).
        super().__init__(words, "4.7.5")
        self.judgement = judgement


def forgives(policy: TLSPolicy) -> bool:
    """Whether mail goes on where TLS fails (RFC 8461 §5)."""
    return policy.level is TLSLevel.OPPORTUNISTIC or policy.is_testing


_WHO = {
    "config": "our config",
    "dane": "DANE",
    "mta-sts": "its MTA-STS policy",
    "requiretls": "the sender",
    "route": "the route",
}


def _demand(policy: TLSPolicy, problem: str) -> str:
    """Who wants more than TLS where it is offered, and what; empty: nobody."""
    who = _WHO.get(policy.origin)
    if who is None or forgives(policy):
        return ""
    match policy.level:
        case TLSLevel.PKIX if problem != NOT_OFFERED:
            return f"{who} demands one for {', '.join(policy.names)}"
        case TLSLevel.DANE if problem != NOT_OFFERED:
            return f"{who} demands one that its TLSA records stand for"
        case _:
            return f"{who} demands TLS"


@define(eq=False)
class Opening:
    """Brings one connection as far as taking a sender."""

    talk: Conversation
    host: NextHost
    hostname: str
    """Ours, for EHLO."""
    settings: RelaySettings
    handshake: Handshake
    nonce: Callable[[], bytes]
    """Something new and printable each time, for AUTH."""
    _is_tls: bool = field(default=False, init=False)

    async def run(self, in_the_clear: bool) -> Judgement:
        """
        Say hello, begin TLS as the policy has it, log in.

        :param in_the_clear: TLS has been tried, and failed.
        :returns: how TLS went; what the policy forgives is in it.
        :raises Unreachable: of the kind `TLSTrouble` where that was the reason.
        """
        judgement = Judgement()
        if self.host.tls_first:
            judgement = await self._under_tls(self._greeting)
            await self._hello()
        else:
            await self._greeting()
            await self._hello()
            # A Unix socket never leaves the machine: nobody listens there.
            if not (in_the_clear or self.talk.peer.is_secure):
                judgement = await self._start_tls()
        if self.host.username:
            await self._log_in()
        return judgement

    async def _greeting(self) -> None:
        """220, or a host that wants no mail (RFC 5321 §3.1)."""
        reply = await self._said("its greeting", self.settings.greeting)
        if reply.code != 220:
            raise self._unreachable("it greeted with", reply)

    async def _hello(self) -> None:
        """EHLO, and HELO where that is not known (RFC 5321 §4.1.4)."""
        self.talk.say(Hello(self.hostname))
        reply = await self._said("its reply to EHLO", self._patience)
        if reply.code >= 500 and not self.host.is_lmtp:
            self.talk.say(Hello(self.hostname, is_extended=False))
            reply = await self._said("its reply to HELO", self._patience)
        if reply.code != 250:
            raise self._unreachable("it answered our hello with", reply)

    @property
    def _patience(self) -> float:
        return self.settings.handshake if self._is_tls else self.settings.hello

    async def _start_tls(self) -> Judgement:
        """RFC 3207 §4."""
        talk = self.talk
        words = "it offers no STARTTLS"
        if talk.machine.offers("STARTTLS"):
            talk.say(StartTLS())
            reply = await self._said("its reply to STARTTLS", self.settings.hello)
            if reply.code == 220:
                await talk.peer.start_tls()
                return await self._under_tls(self._hello)
            words = f"it refused STARTTLS: {one_line(reply)}"
        missing = Judgement(NOT_OFFERED, words)
        if forgives(self.handshake.policy):
            return missing
        raise self._trouble(missing)

    async def _under_tls(self, first: Callable[[], Awaitable[None]]) -> Judgement:
        """The first words within TLS: what goes wrong with them is TLS's fault."""
        talk = self.talk
        self._is_tls = True
        try:
            await first()
        except _Gone as gone:
            lost = None if talk.line is None else talk.line.lost
            words = words_of_failure(lost)
            raise self._trouble(Judgement(FAILED, words)) from gone
        judgement = self.handshake.judge()
        if judgement.problem and not forgives(self.handshake.policy):
            raise self._trouble(judgement)
        return judgement

    def _trouble(self, judgement: Judgement) -> TLSTrouble:
        """What is wrong, and who minds."""
        said = f"{self.talk.where}: {judgement.words}"
        demand = _demand(self.handshake.policy, judgement.problem)
        return TLSTrouble(f"{said} ({demand})" if demand else said, judgement)

    async def _log_in(self) -> None:
        try:
            await authenticate(self.talk, self.host, self.settings, self.nonce())
        except HungUp as gone:
            raise _Gone(f"{self.talk.where}: {gone}, while we logged in") from gone

    async def _said(self, what: str, wait: float) -> Reply:
        try:
            return await self.talk.reply(wait)
        except HungUp as gone:
            raise _Gone(f"{self.talk.where}: {gone}, before {what}") from gone

    def _unreachable(self, what: str, reply: Reply) -> Unreachable:
        status = f"4.{reply.detail}" if reply.detail else "4.3.2"
        return Unreachable(f"{self.talk.where}: {what} {one_line(reply)}", status)


class _Gone(Unreachable):
    """It hung up."""
