"""Is this password right: against what the directory keeps."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from attrs import define
from twisted.logger import Logger
from zope.interface import implementer

from mailkit.errors import NotAuthenticated, Unavailable
from mailkit.interfaces.directory import IDirectory, IDirectoryChanges, IPasswordCheck
from mailkit.interfaces.lanes import ILanes
from mailkit.model.account import Account, Credential
from mailkit.model.address import AccountName, Address
from mailkit.services.logins import Logins
from mailkit.services.passwords.passwords import Examined, Passwords
from mailkit.services.remembered import RememberedLogins

WRONG = "the name or the password is wrong"
"""The words for every login that fails, whatever the reason."""


def account_name(text: str) -> AccountName:
    """The folded form of a name as somebody typed it; it may be nobody's."""
    address = Address.parse(text.strip())
    return AccountName(str(address) if address else text)


@implementer(IPasswordCheck)
@define(eq=False)
class DirectoryPasswordCheck:
    """
    Hashes in threads, at most four at a time; what was right is remembered.

    A hash of another server, one made with other settings, or one without SCRAM keys
    is replaced once its password has been seen.
    """

    _directory: IDirectory
    _changes: IDirectoryChanges
    _lanes: ILanes
    _passwords: Passwords
    _remembered: RememberedLogins
    _logins: Logins
    log = Logger()

    async def check(self, name: str, password: str, service: str, peer: str) -> Account:
        return await self.check_as(name, password, service, peer, "password")

    async def check_as(
        self, name: str, password: str, service: str, peer: str, mechanism: str
    ) -> Account:
        """`check`, counted under the name of the mechanism that the client used."""
        folded = account_name(name)
        async with self._logins.turn(peer, folded, service, mechanism):
            return await self._look(folded, password, service, peer, mechanism)

    async def _look(
        self,
        folded: AccountName,
        password: str,
        service: str,
        peer: str,
        mechanism: str,
    ) -> Account:
        digest = self._remembered.digest(folded, password, service)
        known = self._remembered.find(digest)
        if known is not None:
            await self._logins.succeeded(
                peer, *known, service, mechanism, outcome="remembered"
            )
            return known[0]
        account = await self._directory.account(folded)
        credentials = await self._credentials(account, service)
        examined = await self._lanes.hash(
            lambda: self._passwords.examine(credentials, password)
        )
        credential = examined.credential
        is_same = account and self._is_same(account)
        if account is None or credential is None or not is_same:
            tried = await self._tried(folded, password)
            self._logins.failed(peer, folded, service, mechanism, tried)
            raise NotAuthenticated(WRONG)
        await self._renew(credential, examined)
        self._remembered.remember(digest, account, credential.id)
        await self._logins.succeeded(peer, account, credential.id, service, mechanism)
        return account

    async def _tried(self, name: AccountName, password: str) -> bytes:
        """What a wrong attempt is known by, in all processes."""
        octets = f"{len(name)}:{name}{password}".encode("utf-8", "surrogatepass")
        key = await self._directory.server_secret()
        return blake2b(octets, digest_size=8, key=key, person=b"wrong login").digest()

    async def _credentials(
        self, account: Account | None, service: str
    ) -> Sequence[Credential]:
        if account is None or account.is_suspended:
            return ()
        return [
            credential
            for credential in await self._directory.credentials(account.name)
            if credential.secret
            and (not credential.scopes or service in credential.scopes)
        ]

    def _is_same(self, account: Account) -> bool:
        """Whether nothing happened to the account while its password was hashed."""
        return self._directory.generation(account.name) == account.generation

    async def _renew(self, credential: Credential, examined: Examined) -> None:
        kept = examined.renewed
        if kept is None:
            return
        try:
            await self._changes.renew_credential(credential, kept.secret, kept.scram)
        except Unavailable as error:
            # The old form stays good: nobody is locked out because the disk is full.
            self.log.warn(
                "password of {account} not renewed: {error}",
                account=credential.account,
                error=error,
            )
