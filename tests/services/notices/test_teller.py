"""Who is told what, how often, and what is written down of it (RFC 3461 §5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path as FilePath

import pytest
from attrs import evolve
from zope.interface.verify import verifyObject

from mailkit.errors import (
    Busy,
    NoSuchAddress,
    StorageFull,
    TooLarge,
)
from mailkit.formats import header, reported
from mailkit.formats.reported import DeliveryReport
from mailkit.interfaces.storage import IContent
from mailkit.interfaces.tellers import Accepted, ITeller, WrittenNotice
from mailkit.model.address import Address, DomainName
from mailkit.model.envelope import (
    BodyType,
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.event import Step
from mailkit.model.notice import NoticeKind
from mailkit.model.path import NULL_PATH, Path
from mailkit.model.queueitem import Attempt, Fate, QueuedRecipient, QueueItem
from mailkit.model.suppression import Cause, Suppressed
from mailkit.services.delivery.content import Rewritten
from mailkit.services.notices.settings import NoticeSettings
from mailkit.storage.memory.queue import MemoryQueue
from mailkit.storage.memory.suppression import MemorySuppressionList
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.state.local import LocalBoard
from mailkit.testing.at_once import at_once
from mailkit.testing.lanes import DirectLanes
from tests.services.notices.desk import (
    ALICE_PATH,
    BOB,
    DAVE,
    MESSAGE,
    Desk,
    failed,
)

EVERY = list(NoticeKind)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def report(octets: bytes) -> DeliveryReport:
    found = reported.parse(octets)
    assert isinstance(found, DeliveryReport)
    return found


def test_it_is_a_teller(desk: Desk) -> None:
    verifyObject(ITeller, desk.teller)


def test_a_person_of_ours_is_told(desk: Desk) -> None:
    desk.tell(desk.item())
    [item] = desk.items()
    assert str(item.hop) == "example.org by local"
    assert item.envelope.reverse_path == NULL_PATH
    [recipient] = item.recipients
    assert recipient.path == ALICE_PATH
    assert recipient.recipient.parameters.notify == frozenset((Notify.NEVER,))
    assert item.account is None
    octets = desk.notice()
    assert octets.startswith(b"Received: by mx.example.org with local id ")
    assert header.first(octets, b"To") == b"<alice@example.org>"
    assert header.first(octets, b"Message-ID") == item.message_id.encode()
    assert b"<postmaster@example.org>" in (header.first(octets, b"From") or b"")
    found = report(octets)
    assert found.message_id == "<1@example.org>"
    [one] = found.recipients
    assert (one.address, one.status, one.host, one.diagnostic) == (
        "bob@example.net",
        "5.1.1",
        "mx.example.net",
        "550 5.1.1 No such user",
    )
    assert b"Today?" in octets


def test_a_stranger_is_told_where_it_lives(desk: Desk) -> None:
    desk.tell(desk.item(DAVE, None))
    [item] = desk.items()
    assert str(item.hop) == "example.net"
    octets = desk.notice()
    assert b"<postmaster@example.org>" in (header.first(octets, b"From") or b"")
    assert b"Today?" not in octets


def test_it_is_written_down(desk: Desk) -> None:
    desk.tell(desk.item())
    [item] = desk.items()
    told, accepted, queued = desk.events.steps
    assert (told.step, told.transaction, told.recipient, told.message_id) == (
        Step.TOLD,
        "T1",
        "bob@example.net",
        "<1@example.org>",
    )
    assert told.detail == f"failed: notice {item.message} to <alice@example.org>"
    assert (accepted.step, accepted.transaction) == (Step.ACCEPTED, item.message)
    assert accepted.detail == "notice (failed) about T1"
    assert (queued.step, queued.detail) == (
        Step.QUEUED,
        f"{item.id} for example.org by local",
    )


def test_one_notice_for_those_that_fail_together(desk: Desk) -> None:
    desk.tell(desk.item(), failed(), failed(DAVE, "5.2.2", "552 full"))
    found = report(desk.notice())
    assert [one.status for one in found.recipients] == ["5.1.1", "5.2.2"]


@pytest.mark.parametrize(
    "sender",
    [
        NULL_PATH,
        Path("MAILER-DAEMON", "example.net"),
        Path("mailer-daemon", "example.org"),
        Path("#", "[]"),
    ],
)
def test_who_is_never_told(desk: Desk, sender: Path) -> None:
    for kind in EVERY:
        notify = frozenset((Notify.SUCCESS, Notify.FAILURE, Notify.DELAY))
        asked = Recipient(BOB, RecipientParameters(notify))
        desk.tell(desk.item(sender), QueuedRecipient(asked), kind=kind)
    assert desk.items() == []


@pytest.mark.parametrize(
    ("notify", "kinds"),
    [
        (None, {NoticeKind.FAILED, NoticeKind.DELAYED}),
        ({Notify.NEVER}, set()),
        ({Notify.FAILURE}, {NoticeKind.FAILED}),
        ({Notify.DELAY}, {NoticeKind.DELAYED}),
        (
            {Notify.SUCCESS},
            {NoticeKind.DELIVERED, NoticeKind.RELAYED, NoticeKind.EXPANDED},
        ),
    ],
)
def test_notify(notify: set[Notify] | None, kinds: set[NoticeKind]) -> None:
    for kind in EVERY:
        desk = Desk()
        chosen = None if notify is None else frozenset(notify)
        recipient = Recipient(BOB, RecipientParameters(chosen))
        desk.tell(desk.item(), QueuedRecipient(recipient), kind=kind)
        told = [report(desk.octets(item)).recipients[0] for item in desk.items()]
        assert [one.kind for one in told] == ([kind] if kind in kinds else [])


def test_only_those_who_asked_are_told_of(desk: Desk) -> None:
    never = RecipientParameters(frozenset((Notify.NEVER,)))
    desk.tell(desk.item(), failed(), QueuedRecipient(Recipient(DAVE, never)))
    assert [one.address for one in report(desk.notice()).recipients] == [str(BOB)]


@pytest.mark.parametrize(
    ("ret", "account", "size", "whole"),
    [
        (None, True, 100, True),
        (None, True, 2000, False),
        (None, False, 100, False),
        ("HDRS", True, 100, False),
        ("FULL", True, 2000, True),
        ("full", False, 2000, True),
        ("FULL", True, 4000, False),
    ],
)
def test_ret(ret: str | None, account: bool, size: int, whole: bool) -> None:
    desk = Desk(settings=NoticeSettings(whole=1000, whole_if_asked=3000))
    envelope = Envelope(ALICE_PATH, SenderParameters(ret=ret))
    item = desk.item(envelope=envelope)
    if not account:
        item = evolve(item, account=None)
    message = MESSAGE + b"x\r\n" * ((size - len(MESSAGE)) // 3)
    desk.tell(item, message=message)
    assert (b"Today?" in desk.notice()) is whole


@pytest.mark.parametrize("ret", [None, "FULL"])
def test_what_asked_for_tls_does_not_come_back_whole(
    desk: Desk, ret: str | None
) -> None:
    """RFC 8689 §5."""
    parameters = SenderParameters(ret=ret, require_tls=True)
    desk.tell(desk.item(envelope=Envelope(ALICE_PATH, parameters)))
    assert b"Today?" not in desk.notice()
    [item] = desk.items()
    assert item.require_tls


def test_only_of_failures_the_message_comes_back(desk: Desk) -> None:
    envelope = Envelope(ALICE_PATH, SenderParameters(ret="FULL"))
    desk.tell(desk.item(envelope=envelope), kind=NoticeKind.DELAYED)
    assert b"Today?" not in desk.notice()


def test_envid_orcpt_and_until(desk: Desk) -> None:
    envelope = Envelope(ALICE_PATH, SenderParameters(envid="QQ1"))
    asked = Recipient(BOB, RecipientParameters(orcpt="rfc822;b@example.edu"))
    desk.tell(
        desk.item(envelope=envelope),
        QueuedRecipient(asked, status="4.4.1"),
        kind=NoticeKind.DELAYED,
        until=desk.world.clock.seconds() + 86400,
    )
    octets = desk.notice()
    assert report(octets).envid == "QQ1"
    assert report(octets).recipients[0].original == "b@example.edu"
    assert b"Will-Retry-Until: Fri, 2 Jan 2026 00:00:00 +0000" in octets


def test_a_sender_that_needs_utf8(desk: Desk) -> None:
    desk.tell(desk.item(Path("änne", "example.org")))
    [item] = desk.items()
    parameters = item.envelope.parameters
    assert parameters.smtputf8
    assert parameters.body is BodyType.EIGHT_BIT


def test_a_domain_that_is_not_ascii(desk: Desk) -> None:
    at_once(desk.world.directory.add_domain(DomainName("bücher.example")))
    desk.tell(desk.item(Path("a", "xn--bcher-kva.example")))
    value = header.first(desk.notice(), b"From") or b""
    assert b"<postmaster@xn--bcher-kva.example>" in value


def test_a_server_that_is_in_no_domain_of_its_own() -> None:
    """It speaks in the name of one of ours: that can be signed."""
    desk = Desk()
    at_once(desk.world.directory.add_domain(DomainName("example.com")))
    desk.teller._hostname = desk.teller._routing._hostname = "mail.elsewhere.example"
    desk.tell(desk.item(DAVE, None))
    value = header.first(desk.notice(), b"From") or b""
    assert b"<postmaster@example.com>" in value
    [item] = desk.items()
    assert item.is_ours


def test_a_rewritten_sender_is_told_at_home(desk: Desk) -> None:
    desk.tell(desk.item(desk.addresses.rewrite(DAVE), None))
    [item] = desk.items()
    assert item.recipients[0].path == DAVE


def test_asked_again_it_is_written_once(desk: Desk) -> None:
    desk.tell(desk.item())
    desk.tell(desk.item())
    assert len(desk.items()) == 1
    [item] = desk.items()
    now = desk.world.clock.seconds()
    [claimed] = at_once(desk.queue.claim(item.hop, "me", now, now + 60, 10))
    attempt = Attempt(began=now, took=0)
    at_once(desk.queue.record("me", claimed.id, attempt, (), None))
    assert desk.items() == []
    desk.tell(desk.item())
    assert desk.items() == []


def test_what_differs_is_told_of_its_own(desk: Desk) -> None:
    desk.tell(desk.item())
    desk.tell(desk.item(), failed(DAVE))
    desk.tell(desk.item(), kind=NoticeKind.DELAYED)
    desk.tell(desk.item(number=2))
    assert len(desk.items()) == 4


def test_too_many_to_a_stranger_are_not_told() -> None:
    desk = Desk(settings=NoticeSettings(to_one_stranger=2))
    for number in range(4):
        desk.tell(desk.item(DAVE, None, number=number))
    assert len(desk.items()) == 2
    assert desk.events.steps[-1].detail == (
        "2 notices to <dave@example.net> in this hour"
    )
    desk.tell(desk.item(BOB, None, number=9))
    assert len(desk.items()) == 3
    desk.world.clock.advance(3600)
    desk.tell(desk.item(DAVE, None, number=5))
    assert len(desk.items()) == 4


def test_too_many_to_one_of_ours_are_told_later() -> None:
    desk = Desk(settings=NoticeSettings(to_one_account=1))
    desk.tell(desk.item())
    with pytest.raises(Busy):
        desk.tell(desk.item(number=2))
    desk.world.clock.advance(3600)
    desk.tell(desk.item(number=2))
    assert len(desk.items()) == 2


def test_nobody_is_sent_to_where_nothing_leaves(desk: Desk) -> None:
    desk.world.routing.sends = False
    desk.tell(desk.item(DAVE, None))
    assert desk.items() == []
    [step] = desk.events.steps
    assert step.detail == "nobody can be told at <dave@example.net>: dave@example.net"


def test_those_who_were_refused(desk: Desk) -> None:
    accepted = Accepted(
        transaction="T1",
        envelope=Envelope(DAVE),
        arrived=desk.world.clock.seconds(),
        message_id="<1@example.org>",
    )
    refused = [
        (Recipient(Path("x", "example.org")), NoSuchAddress("x@example.org")),
        (Recipient(Path("y", "example.org")), TooLarge("y")),
    ]
    at_once(desk.teller.tell_refused(accepted, Rewritten(MESSAGE), refused))
    found = report(desk.notice())
    assert [(one.status, one.diagnostic, one.host) for one in found.recipients] == [
        ("5.1.1", "550 5.1.1 No such address here", ""),
        ("5.3.4", "552 5.3.4 The message is larger than we take", ""),
    ]
    assert desk.suppression.listed == {}


def test_what_failed_for_good_is_suppressed(desk: Desk) -> None:
    full = failed(DAVE, "5.2.2", "552 full")
    ours = failed(Path("Gone", "example.NET"), "5.1.2", "no such domain")
    desk.tell(desk.item(), failed(), full, evolve(ours, host=""))
    now = desk.world.clock.seconds()
    bob, gone = (Address.of(name, "example.net") for name in ("bob", "gone"))
    assert desk.suppression.listed == {
        bob: Suppressed(
            bob, Cause.FAILED, now, "mx.example.net: 550 5.1.1 No such user"
        ),
        gone: Suppressed(gone, Cause.FAILED, now, "no such domain"),
    }


def test_what_others_sent_suppresses_nobody(desk: Desk) -> None:
    desk.tell(desk.item(DAVE, None))
    desk.tell(desk.item(), kind=NoticeKind.DELAYED)
    assert desk.suppression.listed == {}


def test_what_is_written_is_kept_by_somebody_else(desk: Desk) -> None:
    told = (failed(), failed(DAVE))
    item, content = desk.item(), Rewritten(MESSAGE)
    notice = at_once(desk.teller.write(item, content, told, NoticeKind.FAILED))
    assert notice is not None
    assert desk.items() == []
    assert desk.events.steps == []
    assert (notice.item, notice.told) == ("T1.1", told)
    message = notice.message
    at_once(desk.queue.put(message.content, message.items, message.head))
    desk.teller.kept(notice)
    assert [step.step for step in desk.events.steps] == [
        Step.TOLD,
        Step.ACCEPTED,
        Step.QUEUED,
    ]
    assert len(report(desk.notice()).recipients) == 2
    desk.tell(item, *told)
    assert len(desk.items()) == 1


def test_what_is_kept_counts() -> None:
    desk = Desk(settings=NoticeSettings(to_one_account=1))
    content = Rewritten(MESSAGE)
    write, told = desk.teller.write, (failed(),)
    written: list[WrittenNotice] = []
    for number in (1, 2):
        item = desk.item(number=number)
        notice = at_once(write(item, content, told, NoticeKind.FAILED))
        assert notice is not None
        written.append(notice)
    desk.teller.kept(written[0])
    with pytest.raises(Busy):
        at_once(write(desk.item(), content, told, NoticeKind.FAILED))


@pytest.mark.parametrize(
    ("sender", "words"),
    [
        (NULL_PATH, "nobody is told: a notice came back"),
        (
            Path("mailer-daemon", "example.net"),
            "nobody is told: mail of <mailer-daemon@example.net> came back",
        ),
    ],
)
def test_a_notice_that_comes_back_is_written_down(
    desk: Desk, sender: Path, words: str
) -> None:
    never = RecipientParameters(frozenset((Notify.NEVER,)))
    told = evolve(failed(), recipient=Recipient(BOB, never))
    for kind in EVERY:
        desk.tell(desk.item(sender, None), told, kind=kind)
    [step] = desk.events.steps
    assert (step.step, step.transaction) == (Step.TOLD, "T1")
    assert (step.recipient, step.detail) == ("bob@example.net", words)


class FullList(MemorySuppressionList):
    """A list on a disk that is full."""

    async def add(self, entries: Sequence[Suppressed]) -> None:
        raise StorageFull


def test_a_list_that_cannot_grow_hinders_no_notice() -> None:
    desk = Desk(suppression=FullList())
    desk.tell(desk.item())
    assert len(desk.items()) == 1


class FullQueue(MemoryQueue):
    """A queue on a disk that is full."""

    async def put(
        self,
        content: IContent,
        items: Sequence[QueueItem],
        head: bytes = b"",
        owner: str = "",
        until: float = 0.0,
    ) -> None:
        raise StorageFull


def test_a_notice_that_cannot_be_kept_is_told(desk: Desk) -> None:
    clock, queue = desk.world.clock, desk.queue
    desk.teller._queue = FullQueue(LocalBoard(clock), clock.seconds)
    with pytest.raises(StorageFull):
        desk.tell(desk.item())
    assert desk.events.steps == []
    desk.teller._queue = queue
    desk.tell(desk.item())
    assert len(desk.items()) == 1


def test_a_queue_on_disk_knows_what_was_told(desk: Desk, tmp_path: FilePath) -> None:
    """Also after the notice has left, and in another process."""
    clock = desk.world.clock
    queue = QueueStore(tmp_path, DirectLanes(), LocalBoard(clock), clock)
    desk.queue = desk.teller._queue = queue
    desk.tell(desk.item())
    desk.tell(desk.item())
    [item] = desk.items()
    assert reported.parse(desk.notice()) is not None
    now = clock.seconds()
    [claimed] = at_once(queue.claim(item.hop, "me", now, now + 60, 10))
    gone = [evolve(each, fate=Fate.SENT) for each in claimed.recipients]
    attempt = Attempt(began=now, took=0)
    assert at_once(queue.record("me", claimed.id, attempt, gone, None))
    at_once(queue.close())
    queue = QueueStore(tmp_path, DirectLanes(), LocalBoard(clock), clock)
    desk.queue = desk.teller._queue = queue
    desk.tell(desk.item())
    assert desk.items() == []
    at_once(queue.close())
