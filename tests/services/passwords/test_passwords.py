"""Passwords made and checked, in all their forms."""

from __future__ import annotations

import base64
import hashlib

import pytest
from attrs import evolve

from mailkit.model.account import Credential
from mailkit.model.address import AccountName
from mailkit.protocols.sasl.scram import make_keys
from mailkit.services.authsettings import AuthSettings
from mailkit.services.passwords.passwords import Passwords, UnfitPassword

PASSWORDS = Passwords(AuthSettings(scram_iterations=4096))
ALICE = AccountName("alice@example.test")


def credential(secret: str, with_keys: bool = True) -> Credential:
    keys = make_keys(b"anything", b"salt", 4096) if with_keys else None
    return Credential(1, ALICE, "password", "", frozenset(), secret, keys)


def test_what_is_kept() -> None:
    kept = PASSWORDS.make("wonderland")
    assert kept.secret.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert kept.scram is not None
    assert kept.scram == make_keys(b"wonderland", kept.scram.salt, 4096)
    assert "argon2" not in repr(kept)
    again = PASSWORDS.make("wonderland")
    assert again.secret != kept.secret
    assert again.scram != kept.scram


def test_without_scram_no_keys_are_made() -> None:
    passwords = Passwords(AuthSettings(scram="off"))
    kept = passwords.make("wonderland")
    assert kept.scram is None
    examined = passwords.examine([credential(kept.secret, False)], "wonderland")
    assert examined.credential is not None
    assert examined.renewed is None


@pytest.mark.parametrize("password", ["", "a\x07b", "a\u200bb", "x" * 1025])
def test_unfit_passwords(password: str) -> None:
    with pytest.raises(UnfitPassword):
        PASSWORDS.make(password)


def test_right_and_wrong() -> None:
    known = credential(PASSWORDS.make("wonderland").secret)
    right = PASSWORDS.examine([known], "wonderland")
    assert (right.credential, right.renewed) == (known, None)
    for wrong in ("wonderlanD", "", "x" * 1025, "\ud800"):
        assert PASSWORDS.examine([known], wrong).credential is None
    assert PASSWORDS.examine([], "wonderland").credential is None


def test_one_of_several_credentials() -> None:
    one = credential(PASSWORDS.make("one").secret)
    two = evolve(credential(PASSWORDS.make("two").secret), id=2)
    assert PASSWORDS.examine([one, two], "two").credential == two
    assert PASSWORDS.examine([one, two], "three").credential is None


def test_all_forms_of_a_password_are_tried() -> None:
    """Composed or decomposed, whichever the keyboard gives."""
    known = credential(PASSWORDS.make("Ängste").secret)
    assert PASSWORDS.examine([known], "A\u0308ngste").credential == known
    # What SASLprep makes of it was hashed by whoever kept it before.
    kept = base64.b64encode(hashlib.sha1(b"IX").digest()).decode()
    assert PASSWORDS.examine([credential("{SHA}" + kept)], "\u2168").credential
    kept = base64.b64encode(hashlib.sha1("A\u0308".encode()).digest()).decode()
    assert PASSWORDS.examine([credential("{SHA}" + kept)], "A\u0308").credential


RENEWED = [
    "{PLAIN}wonderland",
    "{SSHA}RFMKYeWLidwCuUudsQKImRUtrq1zYWx0",
    "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$rDvgd6v0zbggNBGT2tho7Q",
]


@pytest.mark.parametrize("secret", RENEWED)
def test_hashes_of_others_and_weaker_ones_are_renewed(secret: str) -> None:
    examined = PASSWORDS.examine([credential(secret)], "wonderland")
    assert examined.credential is not None
    assert examined.renewed is not None
    assert examined.renewed.scram is not None
    again = PASSWORDS.examine([credential(examined.renewed.secret)], "wonderland")
    assert again.credential is not None
    assert again.renewed is None


def test_keys_are_made_where_there_are_none() -> None:
    kept = PASSWORDS.make("wonderland")
    examined = PASSWORDS.examine([credential(kept.secret, False)], "wonderland")
    assert examined.renewed is not None
    assert examined.renewed.scram is not None


def test_a_damaged_secret_is_never_right() -> None:
    for secret in ("{NONSENSE}x", "$argon2id$broken", "{PLAIN}"):
        assert PASSWORDS.examine([credential(secret)], "x").credential is None


def test_a_wrong_password_costs_the_same_whatever_is_kept() -> None:
    """One argon2id a form at least, and no more."""
    counted: list[str] = []

    class Counting(Passwords):
        def _argon2(self, form: str) -> str:
            counted.append(form)
            return ""

    passwords = Counting(AuthSettings())
    weak = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$rDvgd6v0zbggNBGT2tho7Q"
    for secrets in ([], ["{PLAIN}x"], ["{NONSENSE}x"], ["$argon2id$broken"], [weak]):
        counted.clear()
        passwords.examine([credential(one) for one in secrets], "wrong")
        assert counted == ["wrong"]
    counted.clear()
    passwords.examine([], "A\u0308\u2168")
    assert len(counted) == 3
    counted.clear()
    known = credential(PASSWORDS.make("x").secret)
    passwords.examine([known], "wrong")
    assert counted == []
    for nobody_or_somebody in ([], [known]):  # too long for anybody's
        counted.clear()
        passwords.examine(nobody_or_somebody, "x" * 1025)
        assert counted == [""]
