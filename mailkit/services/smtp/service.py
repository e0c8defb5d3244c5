"""One listening service of the SMTP kind, and what its sessions share."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.interfaces import IReactorTime

from mailkit.interfaces.delivery import IDestination
from mailkit.interfaces.events import IEvents
from mailkit.metrics import Metrics
from mailkit.protocols.smtp.dialect import SMTP, Dialect
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS, Limits
from mailkit.services.sessions import Sessions
from mailkit.services.smtp.doors import SenderDoor
from mailkit.services.smtp.finish import Finish, all_or_none
from mailkit.services.smtp.replies import REPLIES, Words
from mailkit.services.smtp.settings import SMTPSettings


@define(eq=False)
class SMTPHouse:
    """What all three services need alike."""

    hostname: str
    clock: IReactorTime
    events: IEvents
    metrics: Metrics
    sessions: Sessions
    limits: Limits = DEFAULT_LIMITS


@define(eq=False)
class SMTPService:
    """
    One of port 25, submission and LMTP.

    What differs between them are the values given here; the session is the same.
    """

    name: str
    """``smtp``, ``submission`` or ``lmtp``, for the log and the metrics."""
    house: SMTPHouse
    destination: IDestination
    door: SenderDoor
    dialect: Dialect = SMTP
    finish: Finish = all_or_none
    words: Words = field(factory=lambda: REPLIES)
    settings: SMTPSettings = field(factory=SMTPSettings)
    sends: bool = False
    """Whether there is a queue for mail to other servers."""
