"""What SCRAM needs of the directory: keys for everybody, real or not."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from collections.abc import Callable

from attrs import define, frozen

from mailkit.errors import NotAuthenticated
from mailkit.interfaces.directory import IDirectory
from mailkit.model.account import Account, ScramKeys
from mailkit.protocols.sasl.scram import ScramSHA256
from mailkit.services.authsettings import AuthSettings
from mailkit.services.logins import Logins
from mailkit.services.passwordcheck import WRONG, account_name

MECHANISM = "scram-sha-256"
"""What it is called in the metrics."""


@frozen
class Found:
    """What a SCRAM exchange goes on with."""

    keys: ScramKeys
    account: Account | None
    """``None``: the keys are nobody's, and no proof will fit them."""
    credential: int = 0


@define(eq=False)
class ScramCheck:
    """Finds keys, and judges what was proved with them."""

    _directory: IDirectory
    _settings: AuthSettings
    _logins: Logins
    _random: Callable[[int], bytes] = secrets.token_bytes

    @property
    def is_offered(self) -> bool:
        """What ``[auth] scram`` says about now."""
        if self._settings.scram == "auto":
            return self._directory.all_have_scram_keys()
        return self._settings.scram == "on"

    def mechanism(self) -> ScramSHA256:
        """A new exchange, with a nonce of 144 random bits."""
        return ScramSHA256(b64encode(self._random(18)))

    async def find(self, name: str, service: str, host: str) -> Found:
        """
        The account's keys, or some that look like an account's.

        :raises Busy: after too many failures.
        """
        folded = account_name(name)
        await self._logins.admit(host, folded, service, MECHANISM)
        # Asked for in any case, so that both kinds of names take the same way.
        dummy = await self._dummy(folded)
        account = await self._directory.account(folded)
        if account is None or account.is_suspended:
            return Found(dummy, None)
        for credential in await self._directory.credentials(account.name):
            is_meant = not credential.scopes or service in credential.scopes
            if credential.scram and credential.secret and is_meant:
                return Found(credential.scram, account, credential.id)
        return Found(dummy, None)

    async def proved(self, found: Found, service: str, host: str) -> Account:
        """
        Whose proof it was, if the account is still what it was.

        :raises NotAuthenticated:
        """
        account = found.account
        if account is None or self._has_changed(account):
            raise NotAuthenticated(WRONG)
        await self._logins.succeeded(
            host, account, found.credential, service, MECHANISM
        )
        return account

    def failed(self, name: str, service: str, host: str) -> None:
        """The proof was wrong."""
        # A nonce makes each attempt another one: no two are known to be the same.
        tried = self._random(16)
        self._logins.failed(host, account_name(name), service, MECHANISM, tried)

    def _has_changed(self, account: Account) -> bool:
        return self._directory.generation(account.name) != account.generation

    async def _dummy(self, name: str) -> ScramKeys:
        """Always the same for a name, in all processes (RFC 5802 §9)."""
        secret = await self._directory.server_secret()
        salt = hmac.digest(secret, b"salt " + name.encode("utf-8", "replace"), "sha256")
        return ScramKeys(
            salt[:16], self._settings.scram_iterations, bytes(32), self._random(32)
        )
