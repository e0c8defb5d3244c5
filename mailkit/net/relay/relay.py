"""`Relay`: carries messages to other hosts, over connections that are kept a while."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import Refused, Unavailable, Unreachable
from mailkit.interfaces.queue import Carried, IRelay, NextHost
from mailkit.interfaces.storage import IContent
from mailkit.metrics import Metrics
from mailkit.model.queueitem import Fate, QueuedRecipient, QueueItem, Report
from mailkit.model.tlspolicy import TLSLevel
from mailkit.model.tlsresult import TLSResult
from mailkit.net.relay.connecting import (
    Connecting,
    EndpointFor,
    UpgradeFor,
    describe,
    endpoints,
    upgrades,
)
from mailkit.net.relay.conversation import Conversation
from mailkit.net.relay.fitting import (
    Encode,
    Survey,
    check_tls,
    encode_at_once,
    fit,
    look_at,
)
from mailkit.net.relay.link import Bounds, Key, Link, Pool, bounds_of
from mailkit.net.relay.opening import Opening, TLSTrouble, forgives
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.relay.tls import FAILED, Handshake, Judgement, make_client_context
from mailkit.net.relay.transaction import BROKEN_OFF, Stale, Transaction
from mailkit.net.relay.verdicts import BROKEN, OURS


def _unheard(result: TLSResult) -> None:
    """Nobody counts how TLS went."""


def _nonce() -> bytes:
    return secrets.token_urlsafe(24).encode("ascii")


@implementer(IRelay)
class Relay:
    """
    Speaks SMTP and LMTP to hosts that others have chosen.

    Any number of messages may be carried at once; each has a connection for itself
    while it is. Who limits them is whoever calls.
    """

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        hostname: str,
        metrics: Metrics,
        settings: RelaySettings | None = None,
        context: SSL.Context | None = None,
        on_tls: Callable[[TLSResult], None] = _unheard,
        endpoint_for: EndpointFor | None = None,
        upgrade_for: UpgradeFor | None = None,
        nonce: Callable[[], bytes] = _nonce,
        encode: Encode = encode_at_once,
    ) -> None:
        """
        :param reactor: `IReactorTime`, `IReactorTCP` and `IReactorUNIX`.
        :param hostname: ours, for EHLO; an A-label.
        :param context: TLS of `make_client_context`; the system's authorities if none.
        :param on_tls: hears of each new connection how TLS went, for TLS-RPT.
        :param endpoint_for: how a host is reached, if not by its address.
        :param upgrade_for: how TLS begins, if not as ever.
        :param nonce: printable and never the same, for SCRAM.
        :param encode: makes messages fit hosts that take 7-bit text alone.
        """
        self._clock = reactor
        self._hostname = hostname
        self._metrics = metrics
        self._settings = settings = settings or RelaySettings()
        self._context = context or make_client_context()
        self._on_tls = on_tls
        self._nonce = nonce
        self._encode = encode
        self._connecting = Connecting(
            reactor,
            settings,
            metrics,
            endpoint_for or endpoints(reactor, settings),
            upgrade_for or upgrades(reactor),
        )
        self._pool = Pool(settings)
        self._carrying = 0
        self._connections: set[Conversation] = set()
        self._is_closed = False
        self._all_gone: Deferred[None] | None = None

    async def carry(
        self, host: NextHost, item: QueueItem, content: IContent
    ) -> Carried:
        if self._is_closed:
            raise Unavailable("we are about to stop")
        began = self._clock.seconds()
        protocol = "lmtp" if host.is_lmtp else "smtp"
        self._carrying += 1
        try:
            survey = await look_at(content, self._settings.piece)
            carried = await self._carry(host, item, survey)
        finally:
            self._carrying -= 1
            self._see_who_is_left()
        for report in carried.reports:
            self._metrics.relayed(protocol, report.fate.value)
        self._metrics.relayed_in(protocol, self._clock.seconds() - began)
        return carried

    async def close(self) -> None:
        self._is_closed = True
        self._pool.empty()
        if self._connections or self._carrying:
            self._all_gone = Deferred()
            await self._all_gone

    # -- within

    async def _carry(self, host: NextHost, item: QueueItem, survey: Survey) -> Carried:
        """One transaction after the other, until all recipients were asked for."""
        left: Sequence[QueuedRecipient] = item.waiting
        reports: list[Report] = []
        is_busy = is_doubtful = False
        tls, may_be_old = "", True
        while left:
            try:
                link = await self._link(host, item, may_be_old)
                tls = link.tls
                transaction = await self._transact(link, host, item, survey, left)
            except Stale:
                may_be_old = False
                continue
            except (Refused, Unavailable) as problem:
                if not reports:
                    raise
                # Some have it: they are not to get it again for the others' sake.
                reports += _put_off(left, _status_of(problem), str(problem))
                break
            except CancelledError:
                if not reports:
                    raise
                reports += _put_off(left, OURS, BROKEN_OFF)
                break
            if transaction.is_broken_off and not (reports or transaction.is_taken):
                raise CancelledError
            asked = transaction.recipients
            reports += transaction.reports
            is_busy |= transaction.is_busy
            is_doubtful |= transaction.is_doubtful
            left = [*transaction.again, *left[len(asked) :]]
            if transaction.is_cut and left:
                reports += _put_off(left, BROKEN, "it hung up before")
                break
        return Carried(
            reports=tuple(reports), tls=tls, is_busy=is_busy, is_doubtful=is_doubtful
        )

    async def _transact(
        self,
        link: Link,
        host: NextHost,
        item: QueueItem,
        survey: Survey,
        left: Sequence[QueuedRecipient],
    ) -> Transaction:
        """
        One transaction over one connection, which is free again afterwards.

        :raises Stale: :raises Unreachable: :raises Refused:
        """
        try:
            if not (host.is_lmtp and link.talk.peer.is_loopback):
                check_tls(item, link.talk.machine, link.is_checked)
            fitted = await fit(survey, item, link.talk.machine, self._encode)
            batch = _batch(left, link.bounds)
            transaction = Transaction(link, self._settings, item, fitted, batch)
            if not transaction.is_too_large():
                await transaction.run()
            return transaction
        finally:
            self._let_go(link)

    def _let_go(self, link: Link) -> None:
        self._pool.give(link)
        if self._is_closed:
            self._pool.empty()

    async def _link(self, host: NextHost, item: QueueItem, may_be_old: bool) -> Link:
        """
        A connection that is there, or a new one.

        :raises Unreachable:
        """
        link = self._pool.take(Key.of(host)) if may_be_old else None
        protocol = "lmtp" if host.is_lmtp else "smtp"
        if link is not None:
            self._metrics.dialled(protocol, "reused")
            return link
        try:
            link = await self._dial(host, item)
        except Unreachable:
            self._metrics.dialled(protocol, "failed")
            raise
        self._metrics.dialled(protocol, _kind(link))
        return link

    async def _dial(self, host: NextHost, item: QueueItem) -> Link:
        """A new connection; a second one in the clear where TLS fails and may."""
        if host.policy.level is TLSLevel.NONE:
            return await self._open(host, item, in_the_clear=True)
        try:
            return await self._open(host, item, in_the_clear=False)
        except TLSTrouble as trouble:
            if host.tls_first or not forgives(host.policy):
                raise
            self.log.info("{peer}: going on without TLS, {reason}",
                peer=describe(host), reason=trouble.judgement.words)  # fmt: skip
        return await self._open(host, item, in_the_clear=True)

    async def _open(self, host: NextHost, item: QueueItem, in_the_clear: bool) -> Link:
        """
        Connect, and come as far as taking a sender.

        :raises Unreachable:
        """
        if host.policy.is_barred:  # RFC 8461 §5
            barred = Judgement(FAILED, host.policy.mismatch)
            self._tell(host, item, "", barred)
            raise TLSTrouble(barred.words, barred)
        key = Key.of(host)

        def over(talk: Conversation) -> None:
            self._connections.discard(talk)
            self._see_who_is_left()

        handshake = Handshake(self._context, host.name, host.policy)
        talk = await self._connecting.connect(host, handshake)
        self._connections.add(talk)
        talk.on_end = lambda talk: self._pool.forget(talk, key)
        talk.on_over = over
        opening = Opening(
            talk, host, self._hostname, self._settings, handshake, self._nonce
        )
        is_open = False
        try:
            judgement = await opening.run(in_the_clear)
            is_open = True
        except TLSTrouble as trouble:
            self._tell(host, item, talk.peer.local_host, trouble.judgement)
            raise
        finally:
            if not is_open:
                talk.leave()
        if host.policy.mismatch and not judgement.problem:
            judgement = Judgement(FAILED, host.policy.mismatch)
        if not in_the_clear:
            self._tell(host, item, talk.peer.local_host, judgement)
        tls = talk.peer.tls
        if judgement.is_checked:
            tls += f", checked by {host.policy.origin}"
        bounds = bounds_of(talk.machine.extensions.get("LIMITS", ""), self._settings)
        return Link(talk, key, tls, judgement.is_checked, bounds)

    def _tell(
        self, host: NextHost, item: QueueItem, local: str, judgement: Judgement
    ) -> None:
        if item.hop.route or item.is_tls_report:
            return  # nobody else's hosts, or a report for each report
        self._on_tls(
            TLSResult(
                domain=item.hop.domain,
                host=host.name,
                address=host.address,
                policy=host.policy,
                local_address=local,
                problem=judgement.problem,
                words=judgement.words,
            )
        )

    def _see_who_is_left(self) -> None:
        if self._all_gone is not None and not (self._connections or self._carrying):
            all_gone, self._all_gone = self._all_gone, None
            all_gone.callback(None)


def _kind(link: Link) -> str:
    if link.is_checked:
        return "checked"
    return "tls" if link.tls else "clear"


def _batch(
    left: Sequence[QueuedRecipient], bounds: Bounds
) -> Sequence[QueuedRecipient]:
    """As many as one transaction may have (RFC 9422 §5)."""
    batch = left[: bounds.recipients]
    if bounds.domains is None:
        return batch
    domains: set[str] = set()
    for index, each in enumerate(batch):
        domains.add(each.path.address.domain)
        if len(domains) > bounds.domains:
            return batch[:index]
    return batch


def _status_of(problem: Refused | Unavailable) -> str:
    return problem.status if isinstance(problem, Unreachable) else OURS


def _put_off(
    recipients: Sequence[QueuedRecipient], status: str, words: str
) -> list[Report]:
    return [Report(each.path, Fate.WAITING, status, words) for each in recipients]
