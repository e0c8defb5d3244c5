"""
Telling other domains how TLS to their hosts went, a day at a time (RFC 8460).

The report of a day leaves in the night after it, by mail or by HTTPS, to those whose
DNS asks for one; what nobody asked for is forgotten.
"""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import groupby

from attrs import define
from twisted.logger import Logger

from mailkit.errors import MailkitError, Refused, Unavailable
from mailkit.formats import date
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.policies import (
    IPolicyStore,
    IReportPost,
    ITLSCounts,
    TLSCount,
)
from mailkit.interfaces.queue import IQueueStore
from mailkit.interfaces.resolver import IResolver
from mailkit.model.address import DomainName, a_labels
from mailkit.model.envelope import Envelope, Notify, Recipient, RecipientParameters
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import NextHop, QueuedRecipient, QueueId, QueueItem
from mailkit.services.delivery.content import Rewritten
from mailkit.services.delivery.onward import LOCAL
from mailkit.services.routing import Routing
from mailkit.trust.tls.tlsrpt import (
    Failure,
    PolicyResult,
    TLSReport,
    mailbox_of,
    read_targets,
)

KIND = "application/tlsrpt+gzip"

_NEVER = RecipientParameters(notify=frozenset((Notify.NEVER,)))


@define(eq=False)
class TLSReports:
    """
    Writes reports and sends them.

    They are in the name of the domain that this server is, or is in; it signs them.

    :param new_id: makes ids of transactions.
    """

    log = Logger()

    _hostname: str
    _directory: IDirectory
    _routing: Routing
    _counts: ITLSCounts
    _policies: IPolicyStore
    _resolver: IResolver
    _queue: IQueueStore
    _post: IReportPost
    _now: Callable[[], float]
    _new_id: Callable[[], str]

    async def report(self, day: str) -> int:
        """
        Send all reports of a day that is over; how many were sent.

        What fails is tried again with the next call.
        """
        sent = 0
        for domain in await self._counts.domains(day):
            try:
                sent += await self._report(domain, day)
            except MailkitError as error:
                self.log.warn(
                    "{domain}: no report of TLS on {day}: {reason}",
                    domain=domain,
                    day=day,
                    reason=str(error),
                )
        return sent

    async def _report(self, domain: DomainName, day: str) -> bool:
        name = a_labels(domain)
        targets: list[str] = []
        if name is not None and not domain.startswith("["):
            answer = await self._resolver.txt(f"_smtp._tls.{name}")
            targets = read_targets(answer.records)
        if targets and name is not None:
            counts = await self._counts.counts(domain, day)
            report = TLSReport(
                organization=self._hostname,
                contact=f"postmaster@{await self._author_name()}",
                id=f"{day}T00:00:00Z_{name}_{self._new_id()}",
                domain=name,
                day=day,
                results=await self._results(domain, counts),
            )
            await self._hand_over(report, targets)
        await self._counts.reported(domain, day)
        return bool(targets)

    async def _results(
        self, domain: DomainName, counts: Sequence[TLSCount]
    ) -> list[PolicyResult]:
        def policy(count: TLSCount) -> tuple[str, str]:
            return count.policy, count.details

        results: list[PolicyResult] = []
        for (kind, details), alike in groupby(sorted(counts, key=policy), policy):
            group = list(alike)
            lines = details.splitlines()
            hosts: list[str] = []
            if kind == "sts":
                lines = await self._policy_lines(domain)
                pairs = (line.partition(":") for line in lines)
                hosts = [value.strip() for name, _, value in pairs if name == "mx"]
            results.append(
                PolicyResult(
                    kind=kind,
                    lines=lines,
                    hosts=hosts,
                    successes=sum(one.count for one in group if not one.problem),
                    failures=[_failure(one) for one in group if one.problem],
                )
            )
        return results

    async def _policy_lines(self, domain: DomainName) -> list[str]:
        kept = await self._policies.policy(domain)
        return [] if kept is None else kept.octets.decode("ascii").splitlines()

    async def _hand_over(self, report: TLSReport, targets: Sequence[str]) -> None:
        """:raises Unavailable: if nobody took it."""
        taken = 0
        reason = "no address that it could go to"
        for target in targets:
            mailbox = mailbox_of(target)
            try:
                if mailbox is not None:
                    await self._mail(report, mailbox)
                    taken += 1
                elif target.lower().startswith("https:"):
                    await self._post.post(target, report.compressed(), KIND)
                    taken += 1
            except (Refused, Unavailable) as error:
                reason = str(error) or type(error).__name__
        if not taken:
            raise Unavailable(reason)
        self.log.info(
            "{domain}: told how TLS went on {day}", domain=report.domain, day=report.day
        )

    async def _mail(self, report: TLSReport, mailbox: str) -> None:
        id, now = self._new_id(), self._now()
        local_part, _, domain = mailbox.rpartition("@")
        path = Path(local_part, domain)
        octets = self._message(report, mailbox, id, now)
        item = QueueItem(
            id=QueueId(f"{id}.1"),
            message=id,
            hop=await self._hop(path),
            envelope=Envelope(NULL_PATH),
            recipients=(QueuedRecipient(Recipient(path, _NEVER)),),
            arrived=now,
            next_try=now,
            size=len(octets),
            message_id=f"<{id}@{self._hostname}>",
            subject=_subject(report),
            is_ours=True,
            # RFC 8460 §3: it is to arrive whatever is wrong with TLS.
            tls_optional=True,
            is_tls_report=True,
        )
        await self._queue.put(Rewritten(octets), [item])

    def _message(self, report: TLSReport, to: str, id: str, now: float) -> bytes:
        """RFC 8460 §5.3."""
        written = date.format(datetime.fromtimestamp(now, UTC)).decode("ascii")
        boundary = f"=_{id}"
        attached = encodebytes(report.compressed()).decode("ascii")
        text = f"""\
Date: {written}
From: TLS reports <{report.contact}>
To: <{to}>
Subject: {_subject(report)}
Message-ID: <{id}@{self._hostname}>
TLS-Report-Domain: {report.domain}
TLS-Report-Submitter: {self._hostname}
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: multipart/report; report-type="tlsrpt"; boundary="{boundary}"

--{boundary}
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

This is a report of {self._hostname} for {report.domain}: how TLS went on
connections to your mail hosts on {report.day} (RFC 8460).

--{boundary}
Content-Type: {KIND}
Content-Transfer-Encoding: base64
Content-Disposition: attachment;
 filename="{report.filename}"

{attached}
--{boundary}--
"""
        return text.replace("\n", "\r\n").encode("ascii")

    async def _author_name(self) -> str:
        return a_labels(await self._routing.own_domain()) or self._hostname

    async def _hop(self, path: Path) -> NextHop:
        """:raises Refused: if nothing can be sent there."""
        domain = path.address.domain
        if await self._directory.domain(domain) is not None:
            return NextHop(domain, LOCAL)
        routed = await self._routing.route(path, may_send=True)
        return routed.foreign[0].hop


def _subject(report: TLSReport) -> str:
    return f"Report Domain: {report.domain} Submitter: {report.organization}"


def _failure(count: TLSCount) -> Failure:
    return Failure(
        problem=count.problem,
        count=count.count,
        host=count.host,
        local_address=count.local_address,
        address=count.address,
        words=count.words,
    )
