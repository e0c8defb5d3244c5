"""Hashes that other servers kept, all of the password ``wonderland``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import binary, sampled_from, text

from mailkit.services.passwords.schemes import (
    SCHEMES,
    UnknownScheme,
    accept,
    check,
    has_scheme,
)
from mailkit.services.passwords.shacrypt import md5_crypt, sha_crypt
from mailkit.services.passwords.systemcrypt import SystemCrypt

SHA512 = (
    "$6$pinch.of.salt$.sBdyPjI9jaCpHpICnGnhX49Ke8b3d.hZpks94f8wy8.sqwqet85Afn450mti"
    "Phbc1RvFjuXfLpuKfb5P2fF11"
)
ROUNDS = (
    "$6$rounds=1400$anotherlongsalts$tZGeJMXt2UUdLz1Lpzg.NcBR8G7RZDN7lFKmiOlS2wJD4GV"
    "AaO1ZY/qYwre808.nuwfSx5QsCJe5WAjhSb7aQ."
)
SHA256 = "$5$pinch.of.salt$kUAVL3ElY0Y29noE3Dr0A3XE6G3ZzbSXFPNZKeq4.K7"
FEW = "$5$rounds=1000$x$z2QVEvLUNmphjMOTNiygkRCsNjZqIZ7js2j5DZzQSF0"
MD5 = "$1$pinch$6axWiH70OjNIiVMW6J5Pf/"
BLOWFISH = "$2y$04$abcdefghijklmnopqrstuujZkTwHUiJ9XdZPwKfcfDo7dMp5DjlTu"
ARGON2ID = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$rDvgd6v0zbggNBGT2tho7Q"
ARGON2I = "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$tgJK2gjW2pYLLhIOsM1T/A"

HASHES = [
    "{PLAIN}wonderland",
    "{cleartext}wonderland",
    "{CLEAR}wonderland",
    "{CRYPT}" + SHA512,
    "{SHA512-CRYPT}" + SHA512,
    "{SHA512-CRYPT}" + ROUNDS,
    "{CRYPT}" + SHA256,
    "{SHA256-CRYPT}" + FEW,
    "{CRYPT}" + MD5,
    "{MD5-CRYPT}" + MD5,
    "{CRYPT}" + BLOWFISH,
    "{BLF-CRYPT}" + BLOWFISH,
    "{BLF-CRYPT}" + BLOWFISH.replace("$2y$", "$2b$"),
    "{BCRYPT}" + BLOWFISH.replace("$2y$", "$2a$"),
    "{MD5}TOyv8rMLvnXOcyIQkWTPtQ==",
    "{LDAP-MD5}TOyv8rMLvnXOcyIQkWTPtQ==",
    "{PLAIN-MD5}4cecaff2b30bbe75ce7322109164cfb5",
    "{SMD5}OBEYMdB7Wuez+ZSKGURozHNhbHQ=",
    "{SHA}tiY7sUhYKUwI5L3866kDY+ENcrQ=",
    "{sha1}tiY7sUhYKUwI5L3866kDY+ENcrQ=",
    "{SHA.HEX}b6263bb14858294c08e4bdfceba90363e10d72b4",
    "{SHA}b6263bb14858294c08e4bdfceba90363e10d72b4",
    "{SHA.B64}tiY7sUhYKUwI5L3866kDY+ENcrQ=",
    "{SSHA}RFMKYeWLidwCuUudsQKImRUtrq1zYWx0",
    "{SHA256}pxp8cBH1OhurNkLsLOElk/BSMKzo3h4+dkX2nvrBRD0=",
    "{SHA256.hex}a71a7c7011f53a1bab3642ec2ce12593f05230ace8de1e3e7645f69efac1443d",
    "{SSHA256}4sQDIwQzUVerYK4wC/EIhCZeQP2HAS8BAeZHau9a/9hzYWx0",
    "{SHA512}ku0fDfoQrWtagdEFYHEbjQ9c9VgiIcfBTHy9WUlYxzC0akkZeapved5X1TI3/zY9iEZN"
    "FBBxylKvMcYzgvbHpg==",
    "{SSHA512}i3DHjD+nG9lZVFneiJOpuHEIlWquKdcJHxr/CK7Y8Xx4RL+1cDf6fOU3ky5nbh14qdt"
    "QTsEJYM8+lw99JwfiAXNhbHQ=",
    "{PBKDF2}$1$salty$2000$b43c1ce0d7392fcf1b880a0268366550a4b30192",
    "{SCRAM-SHA-256}4096,c2FsdHk=,EieSbtKex2oCOOo8Dsmf7m4AU9s7auJTP31OkdQG6F8=,"
    "kOl7+W4/D8gxorZZI3+JIlOe8vEtyelTCAgv9UtLYfw=",
    "{ARGON2ID}" + ARGON2ID,
    "{ARGON2I}" + ARGON2I,
    "{ARGON2}" + ARGON2I,
    "{CRYPT}" + ARGON2ID,
    ARGON2ID,
]


@pytest.mark.parametrize("kept", HASHES)
def test_each_knows_its_password(kept: str) -> None:
    assert check(kept, b"wonderland")
    assert not check(kept, b"wonderlanD")
    assert not check(kept, b"")
    accept(kept)
    assert has_scheme(kept)


DAMAGED = [
    "",
    "wonderland",
    "{NONSENSE}abc",
    "{PLAIN}",
    "{}abc",
    "{SHA}abc",
    "{SHA}AAAA",
    "{SHA}RFMKYeWLidwCuUudsQKImRUtrq1zYWx0",  # with a salt that SHA has not
    "{SSHA}AAAA",
    "{SHA.HEX}xyz",
    "{CRYPT}",
    "{CRYPT}*",
    "{CRYPT}$6$",
    "{CRYPT}$6$salt$",
    "{CRYPT}$9$what",
    "{SHA512-CRYPT}$1$pinch$6axWiH70OjNIiVMW6J5Pf/",
    "{SHA512-CRYPT}$6$rounds=2000000$x$abc",
    "{MD5-CRYPT}$1$pinch",
    "{BLF-CRYPT}$2y$04$short",
    "{BLF-CRYPT}$2y$31$abcdefghijklmnopqrstuujZkTwHUiJ9XdZPwKfcfDo7dMp5DjlTu",
    "{PBKDF2}$1$salt$0$b43c1ce0d7392fcf1b880a0268366550a4b30192",
    "{PBKDF2}whatever",
    "{SCRAM-SHA-256}4096,a,b",
    "{SCRAM-SHA-256}0,c2FsdHk=,c2FsdHk=,c2FsdHk=",
    "{ARGON2ID}$argon2id$what",
    "$argon2id$v=19$m=64",
    "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$rDvgd6v0zbggNBGT2tho7Q",
    "$argon2id$v=19$m=64,t=1000,p=1$c2FsdHNhbHQ$rDvgd6v0zbggNBGT2tho7Q",
]


@pytest.mark.parametrize("kept", DAMAGED)
def test_what_cannot_be_checked_is_refused(kept: str) -> None:
    with pytest.raises(UnknownScheme):
        accept(kept)


def test_a_password_is_no_hash() -> None:
    assert not has_scheme("wonderland")
    assert not has_scheme("{smile wonder}land")


# What the C library makes of seventy x.
LONG = [
    "$6$pinch$KDLE9eTJ784M.3cT0uON5f7QpXFKFuMHfY98YjIiLrdvHCV2hfTIW43wMOVZT2kQIltvc"
    "TPfxNzk2G.2ke5Tz0",
    "$5$pinch$1HAWfuAmo0HOEFDYvhnotWClOsMmsKNGpU7qMVqz0s2",
]


@pytest.mark.parametrize("kept", LONG)
def test_passwords_longer_than_a_digest(kept: str) -> None:
    assert sha_crypt(b"x" * 70, kept) == kept.rpartition("$")[2]


def test_md5_crypt_of_a_long_password() -> None:
    kept = "$1$pinch$9zgnyks7V.5Yg/xvsS1xX1"
    assert md5_crypt(b"x" * 70, kept) == kept.rpartition("$")[2]


def test_bcrypt_counts_72_octets_and_stops_at_nul() -> None:
    kept = "{BLF-CRYPT}" + BLOWFISH
    assert check(kept, b"wonderland\0and more")
    assert not check(kept, b"x" * 100)


def test_a_system_without_crypt_knows_nothing() -> None:
    for name in (None, "libnothing.so.99", "libc.so.6"):
        assert SystemCrypt(name).crypt(b"wonderland", "abbIw0V4oaGvc") is None


YESCRYPT = "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$FF5wSyW3ppJyReaMmYcg7xuMDUTxzbBuNKjU11.3UI4"


def test_the_systems_crypt() -> None:
    system = SystemCrypt()
    if system.crypt(b"x", "$1$x$") is None:
        pytest.skip("this system has no libcrypt")
    assert check("{CRYPT}" + YESCRYPT, b"wonderland")
    assert not check("{CRYPT}" + YESCRYPT, b"wonderlanD")
    assert system.crypt(b"wonder\0land", YESCRYPT) is None


@given(sampled_from(SCHEMES), text(max_size=100), binary(max_size=100))
def test_garbage_is_wrong_or_unknown(scheme: str, kept: str, password: bytes) -> None:
    try:
        is_right = check(f"{{{scheme}}}{kept}", password)
    except UnknownScheme:
        return
    assert not is_right or kept.encode("utf-8", "surrogateescape") == password
