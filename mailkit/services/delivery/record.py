"""What is told of a delivery: to the event record, the metrics and the log."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from mailkit.errors import MailkitError, Unavailable
from mailkit.interfaces.delivery import Origin
from mailkit.interfaces.events import IEvents
from mailkit.metrics import Metrics
from mailkit.model.address import AccountName
from mailkit.model.event import MailEvent, Step
from mailkit.model.path import Path
from mailkit.model.queueitem import QueueItem

LOCAL = "this machine"
"""Where mail comes from that was handed in without a network."""


@define(eq=False)
class Record:
    """The steps of one transaction."""

    log = Logger()

    _events: IEvents
    _metrics: Metrics
    _clock: IReactorTime
    _id: str
    _sender: str
    _origin: Origin
    message_id: str = field(default="", init=False)
    """Set as soon as it is known."""

    @property
    def kind(self) -> str:
        """What the metrics call the way in."""
        if self._origin.is_submission:
            return "submission"
        return "lmtp" if "LMTP" in self._origin.protocol else "smtp"

    def refused(self, path: Path | AccountName, error: MailkitError) -> None:
        """A recipient does not get it, now or ever."""
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        self._note(Step.REFUSED, str(path), "", reason)
        outcome = "unavailable" if isinstance(error, Unavailable) else "refused"
        self._metrics.delivered(self.kind, outcome)

    def accepted(self, everybody: str, notes: Sequence[str], size: int) -> None:
        """The message as a whole is kept."""
        by = self._origin.account.name if self._origin.account is not None else ""
        detail = "; ".join(filter(None, (self._origin.protocol, ", ".join(notes))))
        self._note(Step.ACCEPTED, everybody, by, detail, size)

    def kept(
        self, account: AccountName, address: str, mailboxes: Sequence[str], size: int
    ) -> None:
        """An account has it, or has thrown it away."""
        step = Step.DELIVERED if mailboxes else Step.DISCARDED
        self._note(step, address, account, ", ".join(mailboxes), size)
        self._metrics.delivered(self.kind, "kept" if mailboxes else "discarded")

    def queued(self, item: QueueItem) -> None:
        """Part of it waits for its next hop."""
        names = ", ".join(str(each.path) for each in item.recipients)
        where = f"{item.id} for {item.hop}"
        self._note(Step.QUEUED, names, item.account or "", where, item.size)
        self._metrics.delivered(self.kind, "queued")

    def done(self, everybody: str, size: int, began: float) -> None:
        """All of that is durable."""
        took = self._clock.seconds() - began
        self._metrics.kept(self.kind, size, took)
        self.log.info(
            "{queue_id} from <{sender}> to {recipients}: kept, "
            "{size} octets from {peer} in {took:.3f} s",
            queue_id=self._id,
            sender=self._sender,
            recipients=everybody,
            size=size,
            peer=LOCAL if self._origin.peer == "unix" else self._origin.peer,
            took=took,
        )

    def _note(
        self, step: Step, recipient: str, account: str, detail: str, size: int = 0
    ) -> None:
        self._events.record(
            MailEvent(
                self._clock.seconds(),
                step,
                self._id,
                self.message_id,
                self._sender,
                recipient,
                self._origin.peer,
                account,
                detail,
                size,
            )
        )
