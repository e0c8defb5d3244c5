"""Who is logged in now, so that a change of the account ends what it has to end.

A session registers once it has its account::

    watch = sessions.register(account.name, account.generation, peer.interrupt)

and stops the watch when it closes. A new password, a suspension or a removal raises
the account's generation; whichever process did it, ``end`` is called within two
seconds: within a moment by the notice, otherwise by the directory's look each second.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import TooMany
from mailkit.interfaces.counts import ICounts
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.storage import IWatch
from mailkit.model.address import AccountName


@define(eq=False)
class Sessions:
    """
    The sessions of this process, by account.

    :param counts: what other processes of the same server count.
    """

    _directory: IDirectory
    most: int = 50
    """Sessions an account may have at once (``[limits] connections_per_account``)."""
    _counts: ICounts | None = None
    _by_account: dict[AccountName, set[_Registered]] = field(init=False, factory=dict)
    _watch: IWatch = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._watch = self._directory.watch(self._look)

    def count(self, account: AccountName) -> int:
        """How many sessions of that account there are."""
        return len(self._by_account.get(account, ()))

    def register(
        self, account: AccountName, generation: int, end: Callable[[], None]
    ) -> IWatch:
        """
        Have ``end`` called, once, when the account is no longer what it was.

        At once if that has happened already. It must not raise.

        :param generation: `Account.generation` of the login.
        :raises TooMany: if the account has as many sessions as it may.
        """
        elsewhere = 0
        if self._counts is not None:
            elsewhere = self._counts.elsewhere(f"account {account}")
        if self.count(account) + elsewhere >= self.most:
            raise TooMany("the account has too many connections")
        registered = _Registered(self, account, generation, end)
        self._by_account.setdefault(account, set()).add(registered)
        if self._counts is not None:
            self._counts.count(f"account {account}", 1)
        if self._directory.generation(account) != generation:
            registered.over()
        return registered

    def close(self) -> None:
        """Look no more."""
        self._watch.stop()

    def _look(self) -> None:
        for account, sessions in list(self._by_account.items()):
            generation = self._directory.generation(account)
            for session in list(sessions):
                if session.generation != generation:
                    session.over()

    def _forget(self, session: _Registered) -> None:
        sessions = self._by_account.get(session.account, set())
        if session not in sessions:
            return
        sessions.discard(session)
        if self._counts is not None:
            self._counts.count(f"account {session.account}", -1)
        if not sessions:
            self._by_account.pop(session.account, None)


@implementer(IWatch)
@define(eq=False)
class _Registered:
    _sessions: Sessions
    account: AccountName
    generation: int
    _end: Callable[[], None]

    def stop(self) -> None:
        self._sessions._forget(self)

    def over(self) -> None:
        """The account is not what it was."""
        self.stop()
        self._end()
