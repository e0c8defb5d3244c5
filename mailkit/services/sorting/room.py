"""Everything that sorts mail, put together."""

from __future__ import annotations

from attrs import define
from twisted.internet.interfaces import IReactorTime

from mailkit.interfaces.conversations import IConversations
from mailkit.interfaces.notices import INoticeBoard
from mailkit.interfaces.personal import IPersonal
from mailkit.interfaces.storage import IMailStore
from mailkit.services.sorting.choosing import Choosing
from mailkit.services.sorting.folders import Folders
from mailkit.services.sorting.labels import Labels
from mailkit.services.sorting.searches import Searches
from mailkit.services.sorting.sorting import Sorting
from mailkit.services.sorting.undoing import Undoing


@define(eq=False)
class SortingRoom:
    """What pages ask for what is done with mail."""

    actions: Sorting
    undoing: Undoing
    folders: Folders
    labels: Labels
    searches: Searches

    @classmethod
    def over(
        cls,
        store: IMailStore,
        personal: IPersonal,
        conversations: IConversations,
        board: INoticeBoard,
        clock: IReactorTime,
    ) -> SortingRoom:
        """Over one store."""
        undoing = Undoing(store, personal, conversations, board, clock)
        choosing = Choosing(store, conversations)
        actions = Sorting(
            store, personal, conversations, choosing, undoing, board, clock
        )
        return cls(
            actions,
            undoing,
            Folders(store, actions),
            Labels(store, personal, conversations, actions),
            Searches(personal, actions),
        )
