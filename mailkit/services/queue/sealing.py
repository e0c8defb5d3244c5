"""Each message is signed once, whichever of its items leaves first."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred

from mailkit.errors import BadMessage, LocalMisuse, Refused, Unavailable
from mailkit.interfaces.storage import IContent
from mailkit.model.event import Step
from mailkit.model.queueitem import QueueItem, Sealed
from mailkit.services.delivery.content import Rewritten
from mailkit.services.queue.house import SendingHouse
from mailkit.services.queue.remembered import Remembered

_REMEMBERED = 10_000


@frozen(eq=False)
class Ahead:
    """A message as it is put into the queue."""

    content: IContent
    items: Sequence[QueueItem]
    head: bytes = field(repr=False)
    is_signed: bool = False


@define(eq=False)
class Sealing:
    """Signs what is not signed yet; of items that come together, the others wait."""

    _house: SendingHouse
    _sealed: Remembered[str, bool] = field(init=False)
    _checked: Remembered[str, bool] = field(init=False)
    _waiting: dict[str, list[Deferred[None]]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self._sealed = Remembered(_REMEMBERED)
        self._checked = Remembered(_REMEMBERED)

    async def content(self, item: QueueItem) -> IContent:
        """
        The message as it leaves.

        :raises NoSuchItem: if the item is gone.
        :raises Unavailable: if it cannot be signed now.
        :raises Refused: if it cannot be signed at all, or the signature does not hold.
        """
        house = self._house
        while self._needs_seal(item) and item.message in self._waiting:
            turn: Deferred[None] = Deferred()
            self._waiting[item.message].append(turn)
            await turn
        if not self._needs_seal(item):
            content: IContent = await house.queue.content(item.id)
            await self._look(item, content)
            return content
        self._waiting[item.message] = []
        try:
            content = await house.queue.content(item.id)
            sealed = await self._seal(item, content)
        finally:
            for turn in self._waiting.pop(item.message):
                turn.callback(None)
        if sealed is not None:
            content = await house.queue.content(item.id)
        await self._look(item, content)
        return content

    async def ahead(
        self, content: IContent, items: Sequence[QueueItem], head: bytes
    ) -> Ahead:
        """
        Sign a message that leaves as soon as it is in the queue.

        What cannot be signed now stays as it is: its first attempt meets that as well,
        and tells of it. A large one is signed then, too: its 250 does not wait.
        """
        seal, octets = self._house.seal, content.octets
        if seal is None or octets is None or items[0].is_sealed:
            return Ahead(content, items, head)
        try:
            sealed = await seal(items[0], Rewritten(head + octets)) or Sealed()
        except (Refused, Unavailable):
            return Ahead(content, items, head)
        if sealed.octets is not None:
            content, head = Rewritten(sealed.octets), b""
        head = sealed.head + head
        size = len(head) + content.size
        items = [evolve(item, is_sealed=True, size=size) for item in items]
        return Ahead(content, items, head, bool(sealed.head))

    async def _look(self, item: QueueItem, content: IContent) -> None:
        """Once a message and process: whether what leaves is what was signed."""
        check = self._house.check
        if check is None or self._checked.get(item.message) is not None:
            return
        problem = await check(item, content)
        if problem:
            raise BadMessage(f"the signature does not hold: {problem}")
        self._checked.put(item.message, True)

    def _needs_seal(self, item: QueueItem) -> bool:
        if item.is_sealed or self._house.seal is None:
            return False
        return self._sealed.get(item.message) is None

    async def _seal(self, item: QueueItem, content: IContent) -> Sealed | None:
        house = self._house
        if house.seal is None:
            raise LocalMisuse("nobody signs")
        sealed = await house.seal(item, content)
        await house.queue.seal(item.message, sealed or Sealed())
        self._sealed.put(item.message, True)
        if sealed is not None:
            house.note(item, Step.SIGNED, "", "", "")
        return sealed
