"""
The way in for whoever opens ports: port 25, submission and LMTP.

Each function gives what `mailkit.net.pump.Pump` is made with.
"""

from __future__ import annotations

from collections.abc import Collection

from mailkit.interfaces.delivery import IDestination
from mailkit.interfaces.session import Build, IPeer, ISession
from mailkit.protocols.machine import Machine
from mailkit.protocols.smtp.dialect import LMTP
from mailkit.protocols.smtp.server import SMTPServer
from mailkit.services.authentication import Authentication
from mailkit.services.routing import Routing
from mailkit.services.smtp.doors import Anybody, Limit, OwnPeople
from mailkit.services.smtp.finish import all_or_none, one_by_one, whom_it_can
from mailkit.services.smtp.replies import SUBMISSION_REPLIES
from mailkit.services.smtp.service import SMTPHouse, SMTPService
from mailkit.services.smtp.session import SMTPSession
from mailkit.services.smtp.settings import TRUSTING, SMTPSettings


def smtp(
    house: SMTPHouse,
    destination: IDestination,
    settings: SMTPSettings | None = None,
    sends: bool = False,
    required_from: Collection[str] = (),
) -> Build:
    """
    Mail from other servers (RFC 5321).

    :param destination: with the rules of `mailkit.services.delivery.arrival`.
    :param sends: whether ``destination`` has a queue for mail to other servers.
    :param required_from: domains whose mail is taken under TLS alone.
    """
    return _build(
        SMTPService(
            "smtp",
            house,
            destination,
            Anybody(required_from=required_from),
            finish=whom_it_can if sends else all_or_none,
            settings=settings or SMTPSettings(),
            sends=sends,
        )
    )


def submission(
    house: SMTPHouse,
    destination: IDestination,
    authentication: Authentication,
    routing: Routing,
    settings: SMTPSettings | None = None,
    sends: bool = False,
    limit: Limit | None = None,
) -> Build:
    """
    Mail from our own people (RFC 6409).

    :param destination: with the rules of `mailkit.services.delivery.submitted`.
    :param sends: whether ``destination`` has a queue for mail to other servers.
    :param limit: how much each of them may send.
    """
    return _build(
        SMTPService(
            "submission",
            house,
            destination,
            OwnPeople(authentication, routing, limit=limit),
            finish=whom_it_can if sends else all_or_none,
            words=SUBMISSION_REPLIES,
            settings=settings or SMTPSettings(),
            sends=sends,
        )
    )


def lmtp(house: SMTPHouse, destination: IDestination) -> Build:
    """
    Mail from a server in front of this one (RFC 2033).

    :param destination: with the rules of `mailkit.services.delivery.arrival`.
    """
    return _build(
        SMTPService(
            "lmtp", house, destination, Anybody(), LMTP, one_by_one, settings=TRUSTING
        )
    )


def _build(service: SMTPService) -> Build:
    def build(peer: IPeer) -> tuple[Machine, ISession]:
        machine = SMTPServer(service.dialect, service.house.limits)
        return machine, SMTPSession(service, machine, peer)

    return build
