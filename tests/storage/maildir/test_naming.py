"""File names say what STORE.md §1 says they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.address import AccountName
from mailkit.storage.maildir import naming
from mailkit.storage.maildir.naming import FileName, NewNames, parse

BASE = "1700000000.M12P34Q5.host"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        (f"{BASE},S=10,W=12,U=7:2,FSa", FileName(BASE, 10, 12, 7, 5, "a")),
        (f"{BASE},S=10,W=12,U=7:2,", FileName(BASE, 10, 12, 7, 0, "")),
        (BASE, FileName(BASE, 0, 0, 0, 0, "")),
        (f"{BASE}:2,ST", FileName(BASE, 0, 0, 0, 9, "")),
        (f"{BASE}:2,baT", FileName(BASE, 0, 0, 0, 8, "ab")),
        (f"{BASE}:1,x", FileName(BASE, 0, 0, 0, 0, "")),
        (f"{BASE},U=:2,P", FileName(BASE, 0, 0, 0, 0, "")),
        (f"{BASE},U=x,S=1x,W=²:2,", FileName(BASE, 0, 0, 0, 0, "")),
        (f"{BASE},U=4294967296:2,", FileName(BASE, 0, 0, 0, 0, "")),
        (f"{BASE},Z=4:2,", FileName(BASE, 0, 0, 0, 0, "")),
    ],
)
def test_names_are_taken_apart(name: str, parts: FileName) -> None:
    assert parse(name) == parts


@given(
    st.integers(0, 1 << 40),
    st.integers(1, (1 << 32) - 1),
    st.integers(0, 31),
    st.sets(st.sampled_from("abcxyz")),
)
def test_what_is_built_is_read(size: int, uid: int, bits: int, keys: set[str]) -> None:
    keywords = "".join(sorted(keys))
    flags = naming.LETTERS_OF[bits] + keywords
    assert list(flags) == sorted(flags)
    name = naming.build(BASE, size, size + 1, uid, flags)
    assert parse(name) == FileName(BASE, size, size + 1, uid, bits, keywords)
    assert naming.base_of(name) == BASE
    assert parse(naming.with_flags(name, "S")).bits == 1
    moved = parse(naming.with_uid(name, 9, flags))
    assert moved == FileName(BASE, size, size + 1, 9, bits, keywords)


@given(st.text())
def test_any_name_is_something(name: str) -> None:
    assert parse(name).base == naming.base_of(name)


def test_new_names_never_repeat() -> None:
    moments = iter([5.0, 5.0, 4.0])
    names = NewNames("host", lambda: next(moments))
    made = [names.next() for _ in range(3)]
    assert len(set(made)) == 3
    assert [name.partition(".")[0] for name in made] == ["5", "5", "5"]


def test_what_is_delivered_once_has_one_id_under_all_its_names() -> None:
    names = NewNames("host", lambda: 5.0)
    one, again, other = (names.next(once) for once in ("a.1", "a.1", "a.2"))
    assert len({one, again, other}) == 3
    assert naming.email_id(one) == naming.email_id(again) != naming.email_id(other)
    plain = {naming.email_id(name) for name in (names.next(), names.next(), one)}
    assert len(plain) == 3
    # Other programs name their files as they like.
    assert naming.email_id("5.Kabc.host") != naming.email_id("6.Kabc.host")


@pytest.mark.parametrize(
    ("account", "folder"),
    [
        ("alice@example.org", "example.org/alice"),
        ("a/b%c@example.org", "example.org/a%2Fb%25c"),
        ("..@example.org", "example.org/%2E."),
        (".@example.org", "example.org/%2E"),
        ("Ä\x00@example.org", "example.org/ä%00"),
        ("@", "%/%"),
    ],
)
def test_accounts_have_folders(account: str, folder: str) -> None:
    assert naming.account_folder(AccountName(account)) == folder


def test_hosts_are_fit_for_names() -> None:
    assert naming.host_in_names("a:b/c,d") == "a-b-c-d"
    assert naming.host_in_names("") == "localhost"


def test_ids_follow_from_what_stays() -> None:
    assert naming.email_id(BASE) == naming.email_id(BASE)
    assert naming.email_id(BASE) != naming.email_id("x")
    assert naming.thread_id(b"<a@b>").startswith("T")
