"""Passwords as the directory keeps them: argon2id, and keys for SCRAM beside it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

from argon2 import extract_parameters
from argon2.exceptions import InvalidHashError
from argon2.low_level import Type, hash_secret
from attrs import define, field, frozen

from mailkit.errors import Malformed, Refused
from mailkit.model.account import Credential, ScramKeys
from mailkit.protocols.sasl.prepare import opaque_string, password_forms, scram_form
from mailkit.protocols.sasl.scram import make_keys
from mailkit.services.authsettings import AuthSettings
from mailkit.services.passwords.schemes import UnknownScheme, check

_SALT = 16
_HASH = 32
_LONGEST = 1024  # characters: nobody types more, and hashing it costs us


class UnfitPassword(Refused):
    """A password that cannot be kept: empty, too long, or with control characters."""


@frozen
class Kept:
    """What the directory gets to keep of a password."""

    secret: str = field(repr=False)
    """A PHC string."""
    scram: ScramKeys | None = field(repr=False)


@frozen
class Examined:
    """What became of a password that was tried."""

    credential: Credential | None
    """The one that it was right for; ``None``: it was wrong."""
    renewed: Kept | None = None
    """What should be kept from now on; ``None``: what is kept is good."""


@define(eq=False)
class Passwords:
    """
    Makes and checks; every method takes tens of milliseconds and is for a thread.

    (`ILanes.hash`; the GIL is released in what takes long.)
    """

    _settings: AuthSettings = field(factory=AuthSettings)
    _random: Callable[[int], bytes] = secrets.token_bytes

    def make(self, password: str) -> Kept:
        """
        What to keep of a new password.

        :raises UnfitPassword: if OpaqueString does not allow it (RFC 8265 §4.2).
        """
        if len(password) > _LONGEST:
            raise UnfitPassword(f"a password has at most {_LONGEST} characters")
        try:
            form = opaque_string(password)
        except Malformed as error:
            raise UnfitPassword(f"not a password: {error}") from error
        return self._keep(form, password)

    def examine(self, credentials: Sequence[Credential], password: str) -> Examined:
        """
        Try a password in each of its forms.

        A wrong one takes the same time whatever is kept, and if nothing is: one
        argon2id a form at least.
        """
        forms = password_forms(password) if len(password) <= _LONGEST else ()
        is_paid = False
        for credential in credentials:
            is_paid |= bool(forms) and self._is_current(credential.secret)
            for form in forms:
                if _is_right(credential.secret, form):
                    return Examined(credential, self._renew(credential, form, password))
        if not is_paid:
            for form in forms or ("",):
                self._argon2(form)
        return Examined(None)

    def _renew(self, credential: Credential, form: str, password: str) -> Kept | None:
        wants_keys = self._settings.scram != "off" and credential.scram is None
        if not wants_keys and self._is_current(credential.secret):
            return None
        return self._keep(form, password)

    def _is_current(self, secret: str) -> bool:
        if not secret.startswith("$argon2id$"):
            return False
        try:
            known = extract_parameters(secret)
        except InvalidHashError:
            return False
        wanted = self._settings
        return (known.memory_cost, known.time_cost, known.parallelism) == (
            wanted.argon2_memory // 1024,
            wanted.argon2_passes,
            wanted.argon2_lanes,
        )

    def _keep(self, form: str, password: str) -> Kept:
        scram = None
        if self._settings.scram != "off":
            prepared = scram_form(password).encode()
            iterations = self._settings.scram_iterations
            scram = make_keys(prepared, self._random(_SALT), iterations)
        return Kept(self._argon2(form), scram)

    def _argon2(self, form: str) -> str:
        return hash_secret(
            form.encode(),
            self._random(_SALT),
            self._settings.argon2_passes,
            self._settings.argon2_memory // 1024,
            self._settings.argon2_lanes,
            _HASH,
            Type.ID,
        ).decode()


def _is_right(secret: str, form: str) -> bool:
    try:
        return check(secret, form.encode())
    except UnknownScheme:
        return False
