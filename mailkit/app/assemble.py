"""Where all parts meet: the one file that knows the classes of all rooms."""

from __future__ import annotations

import secrets
import time
from typing import Any

from attrs import define

from mailkit.app.settings import Settings
from mailkit.errors import MailkitError, Refused
from mailkit.interfaces.delivery import IFiling
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.events import IEvents
from mailkit.interfaces.storage import IMailStore
from mailkit.metrics import Metrics
from mailkit.model.address import AccountName
from mailkit.net.lanes import Lanes
from mailkit.net.pump import Build
from mailkit.net.startlanes import StartLanes, finish
from mailkit.protocols.smtp.limits import Limits as SMTPLimits
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.office import Office
from mailkit.services.authentication import Authentication
from mailkit.services.delivery.filing import IntoInbox
from mailkit.services.delivery.local import LocalDelivery
from mailkit.services.delivery.rules import Arrival, Handed, Submitted
from mailkit.services.delivery.settings import DeliverySettings
from mailkit.services.delivery.transaction import DeliveryHouse
from mailkit.services.imap import build as imap_builds
from mailkit.services.imap.dialogue import IMAPHouse
from mailkit.services.imap.settings import IMAPSettings
from mailkit.services.passwords.passwords import Passwords
from mailkit.services.pop3 import build as pop3_builds
from mailkit.services.pop3.house import POP3House
from mailkit.services.routing import Routing
from mailkit.services.sessions import Sessions
from mailkit.services.smtp import build as smtp_builds
from mailkit.services.smtp.service import SMTPHouse
from mailkit.storage.directory.directory import SQLiteDirectory
from mailkit.storage.events import Events
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.spool import Spool
from mailkit.storage.state.board import SocketBoard


@define(eq=False)
class Quotas:
    """How much each account may keep."""

    _directory: IDirectory
    default: int
    """Octets of an account that says nothing else; 0 is without limit."""

    async def of(self, account: AccountName) -> int:
        """Octets that an account may keep; 0 is without limit."""
        known = await self._directory.account(account)
        if known is None or known.quota is None:
            return self.default
        return known.quota


@define(eq=False)
class House:
    """What all services of one process share, and what lives as long as it."""

    reactor: Any  # Twisted's, which has no type of its own
    metrics: Metrics
    lanes: StartLanes
    board: SocketBoard
    directory: SQLiteDirectory
    quotas: Quotas
    store: IMailStore
    spool: Spool
    events: IEvents
    filing: IFiling
    routing: Routing
    sessions: Sessions

    def start(self) -> None:
        """The reactor is about to run: blocking work goes to threads from now on."""
        self.lanes.start(Lanes(self.reactor, self.metrics))

    @property
    def trouble(self) -> str | None:
        """Why there should be no new work; ``None``: there should."""
        try:
            self.spool.check()
        except MailkitError as error:
            return f"no room for mail: {error}"
        return None

    async def close(self) -> None:
        """Finish what was promised, and let go of every file."""
        self.sessions.close()
        self.routing.close()
        await self.store.close()
        await self.events.close()
        await self.directory.close()
        self.board.close()
        await self.lanes.close()


def make_builds(house: House, settings: Settings) -> dict[str, Build]:
    """How each service makes the two halves of a conversation, by its name."""
    limits = SMTPLimits(
        text_line=settings.limits.text_line,
        message_size=settings.limits.message_size,
        recipients=settings.limits.recipients,
    )
    house.sessions.most = settings.limits.connections_per_account
    house.quotas.default = settings.accounts.quota
    authentication = Authentication.over(
        house.directory,
        house.directory,
        house.lanes,
        house.reactor,
        settings.auth,
        settings.proxy.never_limit,
        house.metrics,
    )
    delivery = DeliveryHouse(
        hostname=settings.hostname,
        directory=house.directory,
        routing=house.routing,
        store=house.store,
        spool=house.spool,
        filing=house.filing,
        events=house.events,
        metrics=house.metrics,
        clock=house.reactor,
        new_id=new_id,
        settings=DeliverySettings(quota=settings.accounts.quota),
    )
    smtp = SMTPHouse(
        hostname=settings.hostname,
        clock=house.reactor,
        events=house.events,
        metrics=house.metrics,
        sessions=house.sessions,
        limits=limits,
    )
    arrival = LocalDelivery(delivery, Arrival([settings.hostname.lower()]))
    handed = LocalDelivery(delivery, Handed())
    submitted = LocalDelivery(
        delivery,
        Submitted(settings.hostname, house.routing, house.lanes, time.time, new_id),
    )
    imap = IMAPHouse(
        hostname=settings.hostname,
        store=house.store,
        spool=house.spool,
        authentication=authentication,
        sessions=house.sessions,
        clock=house.reactor,
        metrics=house.metrics,
        quota_of=house.quotas.of,
        settings=IMAPSettings(message_size=settings.limits.message_size),
    )
    pop3 = POP3House(
        hostname=settings.hostname,
        store=house.store,
        authentication=authentication,
        sessions=house.sessions,
        clock=house.reactor,
        metrics=house.metrics,
    )
    return {
        "smtp": smtp_builds.smtp(smtp, arrival, settings.smtp),
        "submission": smtp_builds.submission(
            smtp, submitted, authentication, house.routing, settings.smtp
        ),
        "lmtp": smtp_builds.lmtp(smtp, handed),
        "imap": imap_builds.imap(imap),
        "pop3": pop3_builds.pop3(pop3),
    }


def make_administration(house: House, settings: Settings) -> Administration:
    """The one way to change who there is."""
    office = Office(
        directory=house.directory,
        changes=house.directory,
        audit=house.directory,
        store=house.store,
        lanes=house.lanes,
        passwords=Passwords(settings.auth),
        clock=house.reactor,
    )
    return Administration(office, house.routing)


def open_house(settings: Settings, reactor: Any, metrics: Metrics) -> House:
    """
    Open everything below the data folder, for a server or for the command.

    :param reactor: Twisted's, running or not.
    :raises MailkitError: with the one line that says why that cannot be.
    """
    data = settings.data
    lanes = StartLanes()
    try:
        board = SocketBoard(str(data / "run"), reactor)
        spool = Spool(str(data / "spool"), lanes)
    except OSError as error:
        raise Refused(f"cannot write to {data}: {error.strerror}") from error
    directory = SQLiteDirectory(data / "directory.sqlite", lanes, board, reactor)
    finish(directory.open())
    quotas = Quotas(directory, settings.accounts.quota)
    return House(
        reactor=reactor,
        metrics=metrics,
        lanes=lanes,
        board=board,
        directory=directory,
        quotas=quotas,
        store=MaildirStore(data, lanes, board, reactor, quotas.of),
        spool=spool,
        events=Events(data / "events.sqlite", lanes, reactor),
        filing=IntoInbox(),
        routing=Routing(directory, settings.hostname),
        sessions=Sessions(directory, settings.limits.connections_per_account),
    )


def new_id() -> str:
    """An id that no other message has, on this machine or another."""
    return secrets.token_hex(8)
