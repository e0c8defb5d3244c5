"""Mail as people look at it: conversations across all mailboxes of an account."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zope.interface import Interface

from mailkit.model.address import AccountName
from mailkit.model.conversation import (
    ConversationChange,
    Counts,
    Cursor,
    Page,
    Place,
    Row,
    Summary,
    View,
)


class IConversations(Interface):
    """
    Lists of conversations, and what is shown of messages without reading them.

    A conversation's id is the THREADID of its messages, a message's its EMAILID (RFC
    8474 §5). Lists are newest first, by when messages came. Nothing here changes
    anything; what does is `mailkit.interfaces.storage.IMailStore`, whose notices on
    the board (``mail:<account>``) say when `changes` has something to tell.
    """

    async def page(
        account: AccountName,
        view: View,
        after: Cursor | None = None,
        most: int = 50,
        *,
        grouped: bool = True,
    ) -> Page:
        """
        Rows below a cursor, or the first ones; the work does not grow with depth.

        :param grouped: a row a conversation, where its newest message within the view
            would be; otherwise a row a message.
        :raises NoSuchMailbox:
        """

    async def neighbours(
        account: AccountName, view: View, thread_id: str
    ) -> tuple[str | None, str | None]:
        """
        The conversations next to one in a view: the newer and the older one.

        Neither, if it is not in the view.

        :raises NoSuchMailbox:
        """

    async def conversation(account: AccountName, thread_id: str) -> Sequence[Summary]:
        """
        All messages of a conversation, oldest first, each once; empty if it is none.

        Of all mailboxes, Drafts, Trash and Junk too: `Summary.places` says where.
        """

    async def message(account: AccountName, email_id: str) -> Summary | None:
        """One message, with all of its places."""

    async def messages(
        account: AccountName, email_ids: Sequence[str]
    ) -> Sequence[Summary]:
        """Those of them that exist, in that order; ask for some hundreds."""

    async def summaries(
        account: AccountName, places: Sequence[Place]
    ) -> Sequence[Summary]:
        """
        What lies at places, in their order; what is not there is left out.

        Each summary has that one place and its flags.
        """

    async def rows(
        account: AccountName, places: Sequence[Place], *, grouped: bool = True
    ) -> Sequence[Row]:
        """
        A line of a list for each place, in their order; what is not there is left out.

        As of `Everything`: of a conversation whose message here is in Trash or Junk,
        what lies elsewhere is shown beside it, or else this message alone.
        """

    async def places(
        account: AccountName,
        view: View,
        thread_ids: Collection[str] | None = None,
        after: Place | None = None,
        most: int = 1000,
    ) -> Sequence[Place]:
        """
        Where messages lie within a view, in an order that stays.

        :param thread_ids: of these conversations only; ``None``: of the whole view.
        :param after: the last place that was answered before: goes on behind it.
        :raises NoSuchMailbox:
        """

    async def count(account: AccountName, view: View) -> Counts:
        """Counters, which are kept, not counted. :raises NoSuchMailbox:"""

    async def counts(
        account: AccountName, views: Sequence[View]
    ) -> Sequence[Counts | None]:
        """
        Those of several views, in one look: what a page has beside its navigation.

        ``None`` stands for a mailbox that there is not.
        """

    async def mod_seq(account: AccountName) -> int:
        """The state that the account is in, for `changes`."""

    async def changes(
        account: AccountName, mod_seq: int, most: int = 500
    ) -> ConversationChange:
        """
        What somebody missed who knew the state ``mod_seq``.

        :param most: messages beyond which the answer is not whole.
        """
