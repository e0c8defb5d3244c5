"""What an attempt came to, and what follows for each recipient."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import evolve, frozen

from mailkit.errors import (
    BadMessage,
    DNSTrouble,
    MailkitError,
    MailLoop,
    NeedsSMTPUTF8,
    NeedsTLS,
    NoSuchHost,
    Refused,
    StorageBroken,
    StorageFull,
    TooLarge,
    TurnedAway,
    TurnedAwayForNow,
    Unavailable,
    Unreachable,
)
from mailkit.formats.downgrade import CannotDowngrade
from mailkit.interfaces.queue import Carried, NextHost
from mailkit.model.notice import NoticeKind
from mailkit.model.path import Path
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    QueuedRecipient,
    QueueItem,
    Report,
)
from mailkit.services.queue.schedule import Schedule

STATUSES: dict[type[MailkitError], str] = {
    Unavailable: "4.3.0",
    StorageFull: "4.3.1",
    StorageBroken: "4.3.0",
    DNSTrouble: "4.4.3",
    Refused: "5.0.0",
    TooLarge: "5.3.4",
    BadMessage: "5.6.0",
    CannotDowngrade: "5.6.3",
    NeedsSMTPUTF8: "5.6.7",
    MailLoop: "5.4.6",
}
"""The nearest class in the ancestry wins (RFC 3463 §3)."""

_UNTOLD = "4.4.0"  # RFC 3463 §3.5: something about the connection, nothing is known


@frozen(kw_only=True)
class Tried:
    """What trying an item came to."""

    host: str = ""
    address: str = ""
    """As in `Attempt`."""
    tls: str = ""
    reports: tuple[Report, ...] = ()
    """About the recipients that a host was asked about."""
    fate: Fate = Fate.WAITING
    """That of all others."""
    status: str = _UNTOLD
    words: str = ""
    is_final: bool = False
    """Whoever took it is where mail ends."""
    is_busy: bool = False
    is_doubtful: bool = False

    @property
    def is_reached(self) -> bool:
        """Whether somebody was asked about recipients."""
        return bool(self.reports)


def carried(
    done: Carried, host: str = "", address: str = "", *, is_final: bool = False
) -> Tried:
    """An item was handed to a host."""
    return Tried(
        host=done.host or host,
        address=done.address or address,
        tls=done.tls,
        reports=done.reports,
        words="" if done.reports else "no answer",
        is_final=is_final,
        is_busy=done.is_busy,
        is_doubtful=done.is_doubtful,
    )


def failed(error: MailkitError, host: str = "", address: str = "") -> Tried:
    """An item could not be handed to anybody, now or ever."""
    return Tried(
        host=host,
        address=address,
        fate=Fate.FAILED if isinstance(error, Refused) else Fate.WAITING,
        status=_status(error),
        words=str(error) or type(error).__name__,
    )


def _status(error: MailkitError) -> str:
    if isinstance(
        error, NoSuchHost | NeedsTLS | Unreachable | TurnedAway | TurnedAwayForNow
    ):
        return error.status
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return _UNTOLD


def say_reply(status: str, words: str) -> str:
    """A status code and the words that came with it, which mostly have it in them."""
    return words if status in words else f"{status} {words}"


def say_who(recipients: Sequence[Path]) -> str:
    """The one that it is about, or how many they are."""
    if len(recipients) == 1:
        return f"<{recipients[0]}>"
    return f"{len(recipients)} recipients"


def place(host: NextHost) -> str:
    """As `Attempt.address`."""
    if host.address.startswith("/"):
        return host.address
    if ":" in host.address:
        return f"[{host.address}]:{host.port}"
    return f"{host.address}:{host.port}"


@frozen(kw_only=True)
class Outcome:
    """What is recorded of an attempt, and whom to tell of what."""

    attempt: Attempt
    recipients: tuple[QueuedRecipient, ...]
    """All of the item, as they stand now."""
    next_try: float | None
    passed: tuple[QueuedRecipient, ...]
    """Those that somebody took."""
    returned: tuple[QueuedRecipient, ...]
    """Those that nobody takes, or not in time."""
    delayed: tuple[QueuedRecipient, ...]
    """Those that wait, whose sender is to be told so now."""
    waiting: tuple[QueuedRecipient, ...]
    """All that wait."""
    is_over: bool = False
    """Time is over: some were returned that wait would have helped."""


def weigh(
    item: QueueItem,
    tried: Tried,
    schedule: Schedule,
    began: float,
    now: float,
    untellable: Collection[NoticeKind] = (),
) -> Outcome:
    """
    Decide about each recipient; one that has to wait holds up nobody else.

    :param untellable: of these no sender can be told now: who would be returned waits,
        so that nobody's mail vanishes unsaid.
    """
    attempts = item.attempts + 1
    reports = {report.path: report for report in tried.reports}
    time_is_over = schedule.is_over(item, attempts, now)
    is_late = schedule.is_late(item, now) and NoticeKind.DELAYED not in untellable
    may_return = NoticeKind.FAILED not in untellable
    recipients: list[QueuedRecipient] = []
    passed: list[QueuedRecipient] = []
    returned: list[QueuedRecipient] = []
    delayed: list[QueuedRecipient] = []
    waiting: list[QueuedRecipient] = []
    is_over = False
    for each in item.recipients:
        if each.fate is not Fate.WAITING:
            recipients.append(each)
            continue
        report = reports.get(each.path)
        if report is None:  # our words
            fate, status, words, host = tried.fate, tried.status, tried.words, ""
        else:
            fate, status, words = report.fate, report.status, report.words
            host = tried.host
        is_told = each.is_delay_told
        if fate is Fate.WAITING and time_is_over and may_return:
            fate = Fate.FAILED
            is_over = True
        elif fate is Fate.FAILED and not may_return:
            fate = Fate.WAITING
        if fate is Fate.WAITING and is_late and not is_told:
            is_told = True
        new = QueuedRecipient(each.recipient, fate, status, words, host, is_told)
        recipients.append(new)
        if fate is Fate.WAITING:
            waiting.append(new)
            if is_told and not each.is_delay_told:
                delayed.append(new)
        elif fate is Fate.FAILED:
            returned.append(new)
        else:
            passed.append(new)
    next_try = None
    if waiting:
        all_told = all(each.is_delay_told for each in waiting)
        next_try = schedule.next_try(item, attempts, now, all_told)
    return Outcome(
        attempt=Attempt(
            began=began,
            took=now - began,
            host=tried.host,
            address=tried.address,
            tls=tried.tls,
            words=tried.words,
            reports=tried.reports,
        ),
        recipients=tuple(recipients),
        next_try=next_try,
        passed=tuple(passed),
        returned=tuple(returned),
        delayed=tuple(delayed),
        waiting=tuple(waiting),
        is_over=is_over,
    )


def notices(
    outcome: Outcome, tried: Tried
) -> Sequence[tuple[NoticeKind, Sequence[QueuedRecipient]]]:
    """Whom to tell of what before it is recorded; `ITeller` knows who cares."""
    found: list[tuple[NoticeKind, Sequence[QueuedRecipient]]] = []
    if outcome.returned:
        found.append((NoticeKind.FAILED, outcome.returned))
    if outcome.delayed:
        found.append((NoticeKind.DELAYED, outcome.delayed))
    relayed = [each for each in outcome.passed if each.fate is Fate.RELAYED]
    if relayed:
        kind = NoticeKind.DELIVERED if tried.is_final else NoticeKind.RELAYED
        found.append((kind, relayed))
    return found


def still(item: QueueItem, outcome: Outcome) -> QueueItem:
    """The item as it stands after an attempt."""
    return evolve(item, recipients=outcome.recipients, attempts=item.attempts + 1)
