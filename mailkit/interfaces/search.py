"""Finding messages by their words, over all mailboxes of an account."""

from __future__ import annotations

from attrs import frozen
from zope.interface import Interface

from mailkit.model.address import AccountName
from mailkit.model.conversation import Place
from mailkit.model.finding import Sought


@frozen
class Hit:
    """One message that was found."""

    place: Place
    """One of those where it lies and is what was sought."""
    email_id: str
    thread_id: str
    rank: int
    """Falls from hit to hit; `Found.next` is one of them."""


@frozen
class Found:
    """Some hits, the newest first."""

    hits: tuple[Hit, ...]
    next: int | None = None
    """To go on with; ``None``: that was all."""
    unread: int = 0
    """Messages that nobody has looked into yet: the newest ones, where a search began
    while the index of an old mailbox was made."""


class ISearch(Interface):
    """
    An index of words, derived from the messages; what it lacks is read when asked.

    Words are compared as `mailkit.formats.searchable` says. A plain word of three
    letters and more finds what begins with it, a phrase what is written so.
    """

    async def find(
        account: AccountName,
        sought: Sought,
        after: int | None = None,
        most: int = 50,
        *,
        grouped: bool = False,
    ) -> Found:
        """
        Messages that match, the newest first, each once.

        :param sought: made out: without `Within`, `Labelled`, `Dated` and `Aged`.
        :param after: `Found.next` of the page before.
        :param grouped: of a conversation only the newest that matches.
        """

    def begin(account: AccountName) -> None:
        """
        Look into the account's mail behind, from soon on.

        Until somebody asks for this, or searches, nothing is spent on the account.
        """

    async def catch_up(account: AccountName, most: int = 1000) -> int:
        """
        Look into messages that nobody looked into, the oldest first.

        :returns: how many are left; of very many, that there are some.
        """

    async def rebuild(account: AccountName) -> None:
        """Throw the index away; `catch_up` makes it again."""

    async def close() -> None:
        """Let go of every file."""
