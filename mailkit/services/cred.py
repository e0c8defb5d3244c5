"""Our logins for programs that know ``twisted.cred``."""

from __future__ import annotations

from attrs import define
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mailkit.errors import Busy, NotAuthenticated
from mailkit.interfaces.directory import IPasswordCheck


@implementer(ICredentialsChecker)
@define(eq=False)
class DirectoryChecker:
    """
    Checks ``IUsernamePassword``; the avatar id is the account's name in UTF-8.

    :param check: what decides, such as `Authentication.password_check`.
    :param service: one of the services that a credential may be limited to.
    :param peer: what the log and the last login name, since cred knows no peers;
        anything that is not an IP address is never made to wait.
    """

    _check: IPasswordCheck
    _service: str = "imap"
    _peer: str = "cred"
    credentialInterfaces = (IUsernamePassword,)  # noqa: N815 (cred asks for it)

    def requestAvatarId(
        self, credentials: IUsernamePassword
    ) -> Deferred[bytes | tuple[()]]:
        return Deferred.fromCoroutine(self._avatar_id(credentials))

    async def _avatar_id(self, credentials: IUsernamePassword) -> bytes | tuple[()]:
        name = _text(credentials.username)
        password = _text(credentials.password)
        try:
            account = await self._check.check(name, password, self._service, self._peer)
        except (NotAuthenticated, Busy) as error:
            raise UnauthorizedLogin(str(error)) from error
        return account.name.encode()


def _text(said: bytes | str) -> str:
    """The older protocols give octets, some newer ones text."""
    return said if isinstance(said, str) else said.decode("utf-8", "replace")
