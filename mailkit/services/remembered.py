"""Logins that were right a moment ago, so that they need no password hash again."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import blake2b

from attrs import define, field, frozen
from twisted.internet.interfaces import IReactorTime

from mailkit.interfaces.directory import IDirectory
from mailkit.model.account import Account

_MOST = 50_000


@frozen
class _Login:
    account: Account
    credential: int
    until: float


@define(eq=False)
class RememberedLogins:
    """
    Kept in memory only, under a hash keyed with a secret of this process.

    An entry is good for as long as the account has the generation that it logged in
    under: a new password, a suspension or a removal ends it at once.
    """

    _directory: IDirectory
    _clock: IReactorTime
    _seconds: float = 60.0
    _key: bytes = field(
        repr=False, kw_only=True, factory=lambda: secrets.token_bytes(32)
    )
    _logins: OrderedDict[bytes, _Login] = field(init=False, factory=OrderedDict)

    def digest(self, name: str, password: str, service: str) -> bytes:
        """What an attempt is known by."""
        parts = f"{len(name)}:{name}{len(service)}:{service}{password}"
        octets = parts.encode("utf-8", "surrogatepass")
        return blake2b(octets, digest_size=32, key=self._key).digest()

    def find(self, digest: bytes) -> tuple[Account, int] | None:
        """Whose login it is, and the id of the credential that was used."""
        login = self._logins.get(digest)
        if login is None:
            return None
        account = login.account
        if (
            login.until <= self._clock.seconds()
            or self._directory.generation(account.name) != account.generation
        ):
            del self._logins[digest]
            return None
        return account, login.credential

    def remember(self, digest: bytes, account: Account, credential: int) -> None:
        """Keep in mind that this was right."""
        until = self._clock.seconds() + self._seconds
        self._logins[digest] = _Login(account, credential, until)
        self._logins.move_to_end(digest)
        # The oldest are the first to end, so what ended is found at the beginning.
        while len(self._logins) > _MOST or self._is_first_over():
            self._logins.popitem(last=False)

    def _is_first_over(self) -> bool:
        first = next(iter(self._logins.values()))
        return first.until < self._clock.seconds()
