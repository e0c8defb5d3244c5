"""Writing mail, put together from the services of one process."""

from __future__ import annotations

from functools import partial

from mailkit.app.settings import Settings
from mailkit.factories import Services, new_id
from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.drafts import IDraftStore
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.queue import IQueueStore
from mailkit.model.address import AccountName
from mailkit.model.draft import DraftId
from mailkit.services.composing.composing import Composing
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.settings import ComposingSettings
from mailkit.services.live.news import tell_draft, tell_sent


def make_composing(
    services: Services,
    settings: Settings,
    conversations: IConversations,
    drafts: IDraftStore,
    personal: IPersonal,
    queue: IQueueStore,
    board: INoticeBoard,
) -> Composing:
    """What one process has for writing mail; it lives as long as the process."""
    house = ComposingHouse(
        hostname=settings.hostname,
        store=services.store,
        conversations=conversations,
        drafts=drafts,
        personal=personal,
        directory=services.directory,
        queue=queue,
        events=services.events,
        destination=services.submitted(),
        door=services.own_people(),
        lanes=services.lanes,
        clock=services.reactor,
        new_id=new_id,
        settings=composing_settings(settings),
        saved=partial(tell_draft, board),
        has_queue=services.outbound is not None,
        came_back=partial(_tell_of_failure, board),
    )
    return Composing(house)


def reload_composing(
    composing: Composing, services: Services, settings: Settings
) -> None:
    """Have it keep to settings that were read again; drafts and timers stay."""
    house = composing.house
    house.destination = services.submitted()
    house.door = services.own_people()
    house.settings = composing_settings(settings)
    house.has_queue = services.outbound is not None


def _tell_of_failure(
    board: INoticeBoard, account: AccountName, draft: DraftId, reason: str
) -> None:
    tell_sent(board, account, draft, "failed", reason)


def composing_settings(settings: Settings) -> ComposingSettings:
    """What the composer is told of the whole file."""
    limits = settings.limits
    return ComposingSettings(
        message_size=limits.message_size, recipients=limits.recipients
    )
