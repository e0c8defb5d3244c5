"""Reports that come in are tied to what was sent."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from zope.interface.verify import verifyObject

from mailkit.errors import StorageBroken
from mailkit.interfaces.delivery import Arriving, Filed, IFiling
from mailkit.model.account import Account
from mailkit.model.address import AccountName, Address
from mailkit.model.envelope import Envelope
from mailkit.model.event import MailEvent, Step
from mailkit.model.path import NULL_PATH
from mailkit.model.suppression import Cause
from mailkit.services.delivery.content import Rewritten
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.notices.incoming import NotingFiling
from mailkit.storage.memory.events import MemoryEvents
from mailkit.testing.at_once import at_once
from tests.formats.garbage import message
from tests.services.notices.desk import Desk
from tests.services.smtp.world import ALICE, BOB

SENT = MailEvent(
    1767225500.0,
    Step.ACCEPTED,
    "5f3c",
    "<1@example.org>",
    "alice@example.org",
    "bob@example.net",
    "192.0.2.1",
    ALICE,
)
REPORT = [
    "Final-Recipient: rfc822; bob@example.net",
    "Action: failed",
    "Status: 5.1.1",
    "Remote-MTA: dns; mx.example.net",
    "Diagnostic-Code: smtp; 550 5.1.1 gone",
]


def dsn(*lines: str, envid: str = "", message_id: str = "<1@example.org>") -> bytes:
    return message(
        "From: MAILER-DAEMON@mx.example.net",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
        "",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; relay.example.net",
        *([f"Original-Envelope-Id: {envid}"] if envid else []),
        "",
        *(lines or REPORT),
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {message_id}",
        "--b--",
    )


def complaint(*lines: str, kind: str = "abuse") -> bytes:
    return message(
        "From: feedback@isp.example",
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b",
        "",
        "--b",
        "Content-Type: message/feedback-report",
        "",
        f"Feedback-Type: {kind}",
        "User-Agent: Loop/1",
        *lines,
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        "Message-ID: <1@example.org>",
        "--b--",
    )


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.events.record(SENT)
    return desk


def arrived(desk: Desk, octets: bytes, account: AccountName = ALICE) -> list[MailEvent]:
    """What is written down of a report in somebody's mailbox."""
    before = len(desk.events.steps)
    at_once(desk.reports.arrived(account, octets))
    return desk.events.steps[before:]


def returned(desk: Desk, octets: bytes, id: str = "5f3c.7") -> list[MailEvent]:
    """What is written down of what came to a bulk address."""
    before = len(desk.events.steps)
    at_once(desk.reports.returned(id, octets))
    return desk.events.steps[before:]


def suppressed(desk: Desk) -> dict[str, Cause]:
    return {str(one): it.cause for one, it in desk.suppression.listed.items()}


# -- people's own mail


def test_by_message_id(desk: Desk) -> None:
    [step] = arrived(desk, dsn())
    assert step == MailEvent(
        desk.world.clock.seconds(),
        Step.RETURNED,
        "5f3c",
        "<1@example.org>",
        "alice@example.org",
        "bob@example.net",
        "mx.example.net",
        ALICE,
        "mx.example.net: failed 5.1.1: 550 5.1.1 gone",
    )
    assert list(at_once(desk.events.find("<1@example.org>"))) == [SENT, step]
    assert suppressed(desk) == {}


def test_by_envid(desk: Desk) -> None:
    [step] = arrived(desk, dsn(envid="5f3c", message_id="<other@example.org>"))
    assert step.transaction == "5f3c"
    [step] = arrived(desk, dsn(envid="unknown"))
    assert step.transaction == "5f3c"


def test_what_is_only_reported(desk: Desk) -> None:
    [step] = arrived(
        desk, dsn("Final-Recipient: rfc822; x@example.com", "Action: delayed")
    )
    assert (step.step, step.recipient) == (Step.REPORTED, "bob@example.net")
    assert step.detail == "relay.example.net: delayed 4.0.0: no reason given"


def test_reports_about_what_others_sent(desk: Desk) -> None:
    assert arrived(desk, dsn(), BOB) == []
    assert arrived(desk, dsn(message_id="<2@example.org>")) == []
    assert arrived(desk, dsn(message_id="")) == []
    assert arrived(desk, b"From: a@b\r\n\r\nhello") == []


def test_the_newest_message_of_that_id(desk: Desk) -> None:
    desk.events.record(evolve(SENT, transaction="9999"))
    desk.events.record(evolve(SENT, transaction="8888", account=BOB))
    [step] = arrived(desk, dsn())
    assert step.transaction == "9999"


def test_several_recipients(desk: Desk) -> None:
    desk.events.record(
        evolve(SENT, transaction="5f3d", recipient="a@example.net, b@example.net")
    )
    octets = dsn(
        "Original-Recipient: rfc822;b@example.net",
        "Final-Recipient: rfc822; forwarded@example.com",
        "Action: failed",
        "Status: 5.1.1",
        "",
        "Final-Recipient: rfc822; stranger@example.com",
        "Action: failed",
        "Status: 5.1.1",
        envid="5f3d",
    )
    steps = arrived(desk, octets)
    assert [step.recipient for step in steps] == [
        "b@example.net",
        "stranger@example.com",
    ]


def test_complaints_to_people(desk: Desk) -> None:
    [step] = arrived(desk, complaint())
    assert (step.step, step.recipient, step.peer, step.detail) == (
        Step.COMPLAINED,
        "bob@example.net",
        "Loop/1",
        "abuse by Loop/1",
    )
    assert arrived(desk, complaint(), BOB) == []
    assert suppressed(desk) == {}


def test_complaints_about_bulk_mail_that_came_to_people(desk: Desk) -> None:
    sender = desk.addresses.bulk("5f3c.7", "example.org")
    [step] = arrived(desk, complaint(f"Original-Mail-From: <{sender}>"), BOB)
    assert step.transaction == "5f3c"
    assert suppressed(desk) == {"bob@example.net": Cause.COMPLAINED}


# -- bulk mail


def test_bulk_mail_that_comes_back(desk: Desk) -> None:
    [step] = returned(desk, dsn(message_id="<any@example.org>"))
    assert (step.step, step.transaction) == (Step.RETURNED, "5f3c")
    assert suppressed(desk) == {"bob@example.net": Cause.FAILED}
    [entry] = desk.suppression.listed.values()
    assert entry.reason == "mx.example.net: failed 5.1.1: 550 5.1.1 gone"


@pytest.mark.parametrize(
    "lines",
    [
        ("Final-Recipient: rfc822; bob@example.net", "Action: failed", "Status: 5.2.2"),
        ("Final-Recipient: rfc822; bob@example.net", "Action: delayed"),
    ],
)
def test_bulk_mail_that_may_go_there_again(desk: Desk, lines: Sequence[str]) -> None:
    assert len(returned(desk, dsn(*lines))) == 1
    assert suppressed(desk) == {}


def test_a_report_about_somebody_else_suppresses_nobody(desk: Desk) -> None:
    desk.events.record(evolve(SENT, recipient="carol@example.net"))
    lines = [line.replace("bob@", "dave@") for line in REPORT]
    [step] = returned(desk, dsn(*lines))
    assert step.recipient == "dave@example.net"
    assert suppressed(desk) == {}


def test_a_forwarded_one_is_about_the_only_recipient(desk: Desk) -> None:
    lines = [line.replace("bob@", "dave@") for line in REPORT]
    returned(desk, dsn(*lines))
    assert suppressed(desk) == {"bob@example.net": Cause.FAILED}


def test_what_was_sent_too_long_ago(desk: Desk) -> None:
    assert returned(desk, dsn(), "aaaa.1") == []
    assert returned(desk, complaint(), "aaaa.1") == []
    assert suppressed(desk) == {}


def test_what_is_no_report(desk: Desk) -> None:
    assert returned(desk, b"Subject: Out of office\r\n\r\nBack soon.") == []
    assert returned(desk, b"", "aaaa.1") == []


def test_complaints_about_bulk_mail(desk: Desk) -> None:
    [step] = returned(desk, complaint())
    assert step.step is Step.COMPLAINED
    assert suppressed(desk) == {"bob@example.net": Cause.COMPLAINED}


def test_not_spam_is_no_complaint(desk: Desk) -> None:
    assert len(returned(desk, complaint(kind="not-spam"))) == 1
    assert suppressed(desk) == {}


def test_complaints_of_one_of_several(desk: Desk) -> None:
    desk.events.record(evolve(SENT, recipient="carol@example.net"))
    told = complaint("Original-Rcpt-To: carol@example.net", "Original-Rcpt-To: x")
    [step] = returned(desk, told)
    assert step.recipient == "carol@example.net, x"
    assert suppressed(desk) == {"carol@example.net": Cause.COMPLAINED}


def test_complaints_of_several_untold(desk: Desk) -> None:
    desk.events.record(evolve(SENT, recipient="carol@example.net"))
    returned(desk, complaint())
    assert set(suppressed(desk)) == {"bob@example.net", "carol@example.net"}


# -- on the way into a mailbox


class BrokenEvents(MemoryEvents):
    """A record that cannot be read."""

    async def find(self, what: str) -> Sequence[MailEvent]:
        raise StorageBroken(what)


def arriving(octets: bytes, *, at_hand: bool = True) -> Arriving:
    return Arriving(
        Account(ALICE),
        Envelope(NULL_PATH),
        (),
        "",
        octets[: octets.find(b"\r\n\r\n") + 4],
        len(octets),
        Rewritten(octets) if at_hand else None,
    )


def test_reports_are_noted_on_their_way(desk: Desk) -> None:
    filing = NotingFiling(IntoInbox(), desk.reports)
    verifyObject(IFiling, filing)
    assert at_once(filing.file(arriving(dsn()))) == Filed()
    assert [step.step for step in desk.events.steps] == [Step.ACCEPTED, Step.RETURNED]


def test_other_mail_is_not_looked_at(desk: Desk) -> None:
    filing = NotingFiling(IntoInbox(), desk.reports)
    at_once(filing.file(arriving(dsn(), at_hand=False)))
    at_once(filing.file(arriving(b"From: a@b\r\n\r\nhello")))
    assert len(desk.events.steps) == 1


def test_they_arrive_even_if_they_cannot_be_noted() -> None:
    filing = NotingFiling(IntoInbox(), Desk(events=BrokenEvents()).reports)
    assert at_once(filing.file(arriving(dsn()))) == Filed()


def test_bulk_addresses_are_folded() -> None:
    desk = Desk()
    desk.events.record(evolve(SENT, recipient="Bob@EXAMPLE.net"))
    returned(desk, dsn())
    assert list(desk.suppression.listed) == [Address.of("bob", "example.net")]
