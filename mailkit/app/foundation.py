"""What the server stands on and the command works with: all that is kept below data."""

from __future__ import annotations

from typing import Any

from attrs import define, field

from mailkit.app.settings import Settings
from mailkit.errors import Refused
from mailkit.interfaces.events import IEvents
from mailkit.net.startlanes import StartLanes, finish
from mailkit.services.admin.administration import Administration
from mailkit.services.admin.office import Office
from mailkit.services.allowance import Allowance
from mailkit.services.passwords.passwords import Passwords
from mailkit.services.queue.suspended import SuspendedMail
from mailkit.services.routes.book import RouteBook
from mailkit.services.routing import Routing
from mailkit.services.sentnews import SentNews
from mailkit.storage.directory.directory import SQLiteDirectory
from mailkit.storage.events import Events
from mailkit.storage.keyfolder import KeyFolder
from mailkit.storage.maildir.store import MaildirStore
from mailkit.storage.queue.store import QueueStore
from mailkit.storage.sendingcounts import SendingCounts
from mailkit.storage.state.board import SocketBoard
from mailkit.storage.suppression import SuppressionList
from mailkit.storage.websessions import WebSessions

SIGNED_LONGER = 86_400.0
"""Seconds for which a signature counts beyond the last attempt."""


@define(eq=False)
class Foundation:
    """
    Who there is and what is kept: enough for the command, and loaded quickly.

    It speaks no protocol, sends nothing and has no pages; a `House` is built upon it.
    """

    reactor: Any  # Twisted's, which has no type of its own
    lanes: StartLanes
    board: SocketBoard
    directory: SQLiteDirectory
    allowance: Allowance
    routing: Routing
    store: MaildirStore
    web_sessions: WebSessions
    events: IEvents
    queue: QueueStore
    suppression: SuppressionList
    sending_counts: SendingCounts
    keys: KeyFolder
    """What our domains sign with."""
    secret: bytes = field(repr=False)
    """What addresses and tokens of ours are signed with."""

    async def close(self) -> None:
        """Finish what was promised, and let go of every file."""
        self.routing.close()
        await self.web_sessions.close()
        await self.store.close()
        await self.events.close()
        await self.queue.close()
        await self.suppression.close()
        await self.sending_counts.close()
        await self.directory.close()
        self.board.close()
        await self.lanes.close()


def open_foundation(settings: Settings, reactor: Any) -> Foundation:
    """
    Open what is below the data folder.

    :param reactor: Twisted's, running or not, or what stands in for it.
    :raises MailkitError: with the one line that says why that cannot be.
    """
    data = settings.data
    lanes = StartLanes()
    try:
        board = SocketBoard(str(data / "run"), reactor)
    except OSError as error:
        raise Refused(f"cannot write to {data}: {error.strerror}") from error
    directory = SQLiteDirectory(data / "directory.sqlite", lanes, board, reactor)
    finish(directory.open())
    allowance = Allowance(directory, settings.accounts.quota)
    book = RouteBook(directory, settings.route, data)
    lasts = settings.retry.give_up_after + SIGNED_LONGER
    return Foundation(
        reactor=reactor,
        lanes=lanes,
        board=board,
        directory=directory,
        allowance=allowance,
        routing=Routing(
            directory, settings.hostname, sends=settings.relay.enabled, book=book
        ),
        store=MaildirStore(data, lanes, board, reactor, allowance.of),
        web_sessions=WebSessions(data / "web.sqlite", lanes),
        events=SentNews(Events(data / "events.sqlite", lanes, reactor), board),
        queue=QueueStore(data, lanes, board, reactor),
        suppression=SuppressionList(data / "suppression.sqlite", lanes),
        sending_counts=SendingCounts(data / "sending.sqlite", lanes),
        keys=KeyFolder(data / "keys" / "dkim", lanes, reactor.seconds, lasts),
        secret=finish(directory.server_secret()),
    )


def make_administration(foundation: Foundation, settings: Settings) -> Administration:
    """The one way to change who there is."""
    office = Office(
        directory=foundation.directory,
        changes=foundation.directory,
        audit=foundation.directory,
        store=foundation.store,
        lanes=foundation.lanes,
        passwords=Passwords(settings.auth),
        clock=foundation.reactor,
        keys=foundation.keys,
        waiting=SuspendedMail(foundation.queue, foundation.events, foundation.reactor),
        sending=foundation.sending_counts,
    )
    return Administration(office, foundation.routing, foundation.suppression)
