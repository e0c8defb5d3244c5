"""
Reports that come in about mail of ours, tied to the message that they are about.

Bulk mail is known by the address to which it comes back, which nobody can make up.
People's own is known by ENVID, else by the Message-ID of what is returned, and only if
the report came to the account that sent it: anybody may write a report.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import MailkitError
from mailkit.formats import reported
from mailkit.formats.limits import KIB, Limits
from mailkit.formats.plainwords import is_for_good
from mailkit.formats.reported import Complaint, DeliveryReport, ReportedRecipient
from mailkit.interfaces.delivery import Arriving, Filed, IFiling
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.suppression import ISuppressionList
from mailkit.metrics import Metrics
from mailkit.model.address import AccountName, Address
from mailkit.model.event import MailEvent, Step
from mailkit.model.notice import NoticeKind
from mailkit.model.path import Path
from mailkit.model.suppression import Cause, Suppressed
from mailkit.services.notices.returnaddresses import ReturnAddresses

LONGEST_REPORT = 512 * KIB
"""Octets of a message that are looked at for a report."""

LIMITS = Limits(
    header_size=64 * KIB, parts=100, depth=10, addresses=1000, parameters=50
)
"""What is read of a report."""

_SENT = (Step.ACCEPTED, Step.QUEUED, Step.SENT, Step.DEFERRED)
_NOT_SPAM = "not-spam"
_LONGEST_DETAIL = 500


@define(eq=False)
class Reports:
    """Reads reports, and writes down what they say."""

    log = Logger()

    _events: IEvents
    _suppression: ISuppressionList
    _addresses: ReturnAddresses
    _metrics: Metrics
    _clock: IReactorTime
    _limits: Limits = LIMITS

    async def returned(self, id: str, octets: bytes) -> None:
        """
        Note what came back to the address of one bulk message.

        Recipients that failed for good, or complained, are suppressed from now on.

        :param id: what `ReturnAddresses.bulk_id` read.
        :raises Unavailable: if that could not be written down.
        """
        report = reported.parse(octets, self._limits)
        steps = await self._events.find(id.partition(".")[0])
        if isinstance(report, Complaint):
            await self._complained(report, steps)
        elif report is not None:
            await self._bounced(report, steps)
        else:
            self._metrics.reported("other", "known" if steps else "unknown")
            self.log.info("what came back for {queue_id} is no report", queue_id=id)

    async def arrived(self, account: AccountName, octets: bytes) -> None:
        """
        Note a report that came to somebody's mailbox, if it is about mail of theirs.

        :raises Unavailable: if the record cannot be read.
        """
        report = reported.parse(octets, self._limits)
        if report is None:
            return
        if isinstance(report, Complaint):
            id = self._bulk_id(report.sender)
            if id is not None:
                await self._complained(
                    report, await self._events.find(id.partition(".")[0])
                )
                return
        steps: Sequence[MailEvent] = ()
        for what in (report.envid, report.message_id):
            if what and not steps:
                steps = _sent_by(account, await self._events.find(what))
        if isinstance(report, Complaint):
            self._record_complaint(report, steps)
        else:
            self._record_report(report, steps)

    def _bulk_id(self, sender: str) -> str | None:
        local_part, _, domain = sender.rpartition("@")
        return self._addresses.bulk_id(Path(local_part, domain))

    async def _bounced(
        self, report: DeliveryReport, steps: Sequence[MailEvent]
    ) -> None:
        self._record_report(report, steps)
        now = self._clock.seconds()
        gone: list[Suppressed] = []
        for each in report.recipients:
            if each.kind is NoticeKind.FAILED and is_for_good(
                each.status, each.diagnostic
            ):
                address = _meant(each, steps)
                if address is not None:
                    reason = _detail(each, report)
                    gone.append(Suppressed(address, Cause.FAILED, now, reason))
        await self._suppression.add(gone)

    async def _complained(
        self, complaint: Complaint, steps: Sequence[MailEvent]
    ) -> None:
        self._record_complaint(complaint, steps)
        if complaint.kind == _NOT_SPAM:
            return
        now = self._clock.seconds()
        told = {Address.parse(one) for one in complaint.recipients}
        ours = _recipients(steps)
        # Most of those who complain are left out of the complaint (RFC 5965 §3.2).
        meant = ours & told if told else ours
        await self._suppression.add(
            [
                Suppressed(address, Cause.COMPLAINED, now, _said(complaint))
                for address in sorted(ours if len(ours) == 1 else meant, key=str)
            ]
        )

    # -- the record

    def _record_report(
        self, report: DeliveryReport, steps: Sequence[MailEvent]
    ) -> None:
        known = "known" if steps else "unknown"
        for each in report.recipients:
            step = Step.RETURNED if each.kind is NoticeKind.FAILED else Step.REPORTED
            recipient = _meant(each, steps)
            name = each.address if recipient is None else str(recipient)
            if _was_told(each, name, steps):
                continue
            self._metrics.reported(step.value, known)
            if steps:
                peer = each.host or report.reporter
                self._record(step, steps[-1], name, peer, _detail(each, report))

    def _record_complaint(
        self, complaint: Complaint, steps: Sequence[MailEvent]
    ) -> None:
        self._metrics.reported("complained", "known" if steps else "unknown")
        if steps:
            everybody = complaint.recipients or sorted(map(str, _recipients(steps)))
            self._record(
                Step.COMPLAINED,
                steps[-1],
                ", ".join(everybody),
                complaint.agent,
                _said(complaint),
            )

    def _record(
        self, step: Step, about: MailEvent, recipient: str, peer: str, detail: str
    ) -> None:
        self._events.record(
            MailEvent(
                when=self._clock.seconds(),
                step=step,
                transaction=about.transaction,
                message_id=about.message_id,
                sender=about.sender,
                recipient=recipient,
                peer=peer,
                account=about.account,
                detail=detail,
            )
        )


@implementer(IFiling)
@define(eq=False)
class NotingFiling:
    """
    Notes reports on their way into a mailbox; where they go, another filing says.

    A report that is offered twice, because it could not be kept the first time, is
    noted twice.
    """

    log = Logger()

    _filing: IFiling
    _reports: Reports

    async def file(self, arriving: Arriving) -> Filed:
        filed = await self._filing.file(arriving)
        content = arriving.content
        if content is not None and reported.is_likely(arriving.header):
            name = arriving.account.name
            try:
                octets = await content.read(0, LONGEST_REPORT)
                await self._reports.arrived(name, octets)
            except MailkitError as error:  # it has to arrive all the same
                self.log.warn(
                    "a report to {account} is not noted: {error}",
                    account=name,
                    error=error,
                )
        return filed


def _sent_by(account: AccountName, steps: Sequence[MailEvent]) -> list[MailEvent]:
    """Those of the newest message that the account sent."""
    mine = {
        step.transaction
        for step in steps
        if step.step is Step.ACCEPTED and step.account == account
    }
    mine_in_order = [step for step in steps if step.transaction in mine]
    if not mine_in_order:
        return []
    newest = mine_in_order[-1].transaction
    return [step for step in mine_in_order if step.transaction == newest]


def _recipients(steps: Sequence[MailEvent]) -> set[Address]:
    """Whom a message went to."""
    found = {
        Address.parse(name.strip())
        for step in steps
        if step.step in _SENT
        for name in step.recipient.split(",")
    }
    return {one for one in found if one is not None}


def _meant(each: ReportedRecipient, steps: Sequence[MailEvent]) -> Address | None:
    """
    Which of our recipients a report is about; ``None``: none.

    Mail may have been forwarded, so that the one who reports knows another address;
    what went to one alone is about that one.
    """
    ours = _recipients(steps)
    for text in (each.original, each.address):
        address = Address.parse(text)
        if address in ours:
            return address
    return next(iter(ours)) if len(ours) == 1 else None


def _was_told(
    each: ReportedRecipient, recipient: str, steps: Sequence[MailEvent]
) -> bool:
    """Whether the report is a notice of our own, which was written down as such."""
    return any(
        step.step is Step.TOLD
        and step.detail.startswith(each.kind.value)
        and recipient in step.recipient.split(", ")
        for step in steps
    )


def _detail(each: ReportedRecipient, report: DeliveryReport) -> str:
    who = each.host or report.reporter
    words = each.diagnostic or "no reason given"
    text = f"{each.kind.value} {each.status}: {words}"
    return (f"{who}: {text}" if who else text)[:_LONGEST_DETAIL]


def _said(complaint: Complaint) -> str:
    by = f" by {complaint.agent}" if complaint.agent else ""
    return f"{complaint.kind}{by}"[:_LONGEST_DETAIL]
