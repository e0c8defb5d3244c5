"""What belongs to one person beside the mail: choices, labels, people, times."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from zope.interface import Interface

from mailkit.model.address import AccountName
from mailkit.model.conversation import Person
from mailkit.model.correspondent import Correspondent
from mailkit.model.identity import Identity
from mailkit.model.label import Label
from mailkit.model.preferences import Preferences
from mailkit.model.savedsearch import SavedSearch
from mailkit.model.snooze import Snooze, Woken


class IPersonal(Interface):
    """
    Small things of all accounts, kept with each account's mail.

    What was changed is durable on return, and seen by every process. Addresses are
    compared as the directory compares them (`mailkit.model.address.Address`), and
    keywords without regard to case. Every method may raise `StorageFull`,
    `StorageBroken` or `Busy`.
    """

    # --- choices ---

    async def preferences(account: AccountName) -> Preferences:
        """What the person has chosen, the rest as everybody begins with."""

    async def change(account: AccountName, preferences: Preferences) -> None:
        """Keep what the person has chosen now, all of it."""

    # --- labels ---

    async def labels(account: AccountName) -> Sequence[Label]:
        """Those that were given a name, in their order, then by name."""

    async def put_labels(account: AccountName, labels: Sequence[Label]) -> None:
        """
        Make labels, or change them, by their keywords.

        :raises AlreadyExists: if another label would have the same name.
        :raises TooMany: if there would be more than an account may have.
        """

    async def drop_label(account: AccountName, keyword: str) -> None:
        """Forget the name; the keyword stays at the messages. Nothing if unknown."""

    async def keywords(account: AccountName) -> Collection[str]:
        """
        Every keyword that some message of the account has, or had.

        Those of programs among them; each is spelt as it was first given somewhere.
        """

    # --- searches that are kept ---

    async def searches(account: AccountName) -> Sequence[SavedSearch]:
        """By their names, whatever the case."""

    async def put_search(account: AccountName, search: SavedSearch) -> None:
        """
        Keep one, or change it, by its id.

        :raises AlreadyExists: if another one has that name, whatever the case.
        :raises TooMany: if there would be more than an account may have.
        """

    async def drop_search(account: AccountName, id: str) -> None:
        """Nothing if there is none."""

    # --- as whom one writes ---

    async def identities(account: AccountName) -> Sequence[Identity]:
        """By name and address, the one that is used by itself first."""

    async def put_identity(account: AccountName, identity: Identity) -> None:
        """
        Make one, or change it, by its id; if it is the default, no other is.

        :raises TooMany: if there would be more than an account may have.
        """

    async def drop_identity(account: AccountName, id: str) -> None:
        """Nothing if there is none."""

    # --- whose pictures are shown ---

    async def trusted(account: AccountName) -> Sequence[str]:
        """Addresses whose pictures are always shown."""

    async def is_trusted(account: AccountName, address: str) -> bool:
        """Whether pictures of this sender are always shown."""

    async def trust(account: AccountName, address: str) -> None:
        """:raises TooMany: if there would be more than an account may have."""

    async def distrust(account: AccountName, address: str) -> None:
        """Nothing if it was not trusted."""

    # --- people ---

    async def note(
        account: AccountName, people: Sequence[Person], when: float, is_sent: bool
    ) -> None:
        """
        Remember with whom mail was exchanged.

        Names replace what they were; an empty one does not. The least known are
        forgotten where there are too many.

        :param when: of the message, in seconds since 1970.
        :param is_sent: whether it went to them, or came from them.
        """

    async def suggest(
        account: AccountName, prefix: str, most: int, now: float
    ) -> Sequence[Correspondent]:
        """
        Whom one may mean, the likeliest first.

        A word of the name or the address, or of what is behind its ``@``, begins as
        ``prefix`` does; of several words each has to. An empty prefix means all.
        """

    async def known(
        account: AccountName, addresses: Collection[str]
    ) -> Mapping[str, Correspondent]:
        """What is known of people, by their addresses as asked; not of strangers."""

    async def hide(account: AccountName, address: str) -> None:
        """Suggest somebody never again, however much mail there is."""

    # --- messages that are put off ---

    async def snoozes(account: AccountName) -> Sequence[Snooze]:
        """Messages that are away, the next to come first."""

    async def snooze(account: AccountName, snoozes: Sequence[Snooze]) -> None:
        """Have messages come back at a time; what was said of them before is void."""

    async def unsnooze(account: AccountName, email_ids: Collection[str]) -> None:
        """Have messages not come back by themselves. Nothing of those unknown."""

    async def woke(account: AccountName, woken: Sequence[Woken]) -> None:
        """Remember of messages that they came back, for a while."""

    async def woken(account: AccountName) -> Sequence[Woken]:
        """Messages that came back of late, the latest first."""

    async def forget_woken(account: AccountName, thread_ids: Collection[str]) -> None:
        """Remember no more that these conversations came back."""

    async def due(now: float, most: int) -> Sequence[AccountName]:
        """
        Accounts of all that have a message to come back by ``now``, the oldest first.

        Some may be named that have none; `settle` mends that.
        """

    async def next_due() -> float | None:
        """When the next message of any account comes back; it may be too early."""

    async def settle(account: AccountName) -> None:
        """Look when the next message of this account comes back, for `due`."""

    async def is_settled() -> bool:
        """Whether `due` knows of all accounts; if not, each wants a `settle` once."""

    async def note_settled() -> None:
        """They had it."""

    # --- conversations that are kept out of the inbox ---

    async def muted(account: AccountName) -> Collection[str]:
        """Message-IDs of them, in angle brackets; of some thousands, the newest."""

    async def mute(account: AccountName, message_ids: Collection[str]) -> None:
        """Keep answers to these messages out of the inbox."""

    async def unmute(account: AccountName, message_ids: Collection[str]) -> None:
        """Do so no more. Nothing of those unknown."""

    # --- ways back ---

    async def keep_undo(
        account: AccountName, token: str, steps: str, until: float, now: float
    ) -> None:
        """
        Keep how something is undone, until then; it may be lost with the power.

        What was kept until ``now`` is forgotten.
        """

    async def undo_steps(account: AccountName, token: str, now: float) -> str | None:
        """What was kept under a token, until its time is over or it was dropped."""

    async def drop_undo(account: AccountName, token: str) -> bool:
        """Whether it was there: of several who drop it one alone is told so."""

    async def close() -> None:
        """Let go of every file that is not an account's."""
