"""Accounts: who may do what to them, and what is left in the audit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from mailkit.errors import (
    AlreadyExists,
    CannotName,
    NoSuchAccount,
    NoSuchDomain,
    NotAllowed,
    Refused,
)
from mailkit.model.account import Role
from mailkit.model.address import AccountName, Address, DomainName
from mailkit.model.mailbox import INBOX
from mailkit.services.admin.accounts import NewAccount
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.importing import BadImport, import_accounts
from mailkit.services.passwords.passwords import UnfitPassword
from mailkit.services.passwords.schemes import UnknownScheme
from mailkit.testing.at_once import at_once
from tests.services.admin.world import DORA, ROOT, USER, World

ALICE = AccountName("alice@example.test")
BOB = AccountName("bob@example.test")
SSHA = "{SSHA}RFMKYeWLidwCuUudsQKImRUtrq1zYWx0"
QUOTA = 500_000_000


@pytest.fixture
def world() -> World:
    return World()


def test_an_account_is_made_with_mailboxes_and_password(world: World) -> None:
    made = at_once(
        world.admin.accounts.add(ROOT, "Bob@Example.test", "secret", Role.USER, QUOTA)
    )
    assert (made.name, made.quota, made.role) == (BOB, QUOTA, Role.USER)
    assert made == world.account(BOB)
    names = [entry.name for entry in at_once(world.store.mailboxes(BOB))]
    assert names[0] == INBOX
    assert "Sent" in names
    [credential] = at_once(world.directory.credentials(BOB))
    assert credential.secret.startswith("$argon2id$")
    assert credential.scram is not None
    assert world.lines(BOB) == [
        (
            "root (mailkit)",
            "account add",
            BOB,
            "",
            "role=user quota=500000000 active",
        )
    ]


def test_what_cannot_be_made(world: World) -> None:
    def add(text: str, password: str = "x", quota: int | None = None) -> None:
        at_once(world.admin.accounts.add(ROOT, text, password, Role.USER, quota))

    at_once(world.admin.aliases.add(ROOT, "sales@example.test", [ALICE]))
    for error, text in (
        (AlreadyExists, "ALICE@example.test"),
        (AlreadyExists, "sales@example.test"),
        (NoSuchDomain, "bob@example.org"),
        (CannotName, "bob"),
        (CannotName, "b b@example.test"),
    ):
        with pytest.raises(error):
            add(text)
    with pytest.raises(UnfitPassword):
        add(BOB, "")
    with pytest.raises(Refused, match="quota"):
        add(BOB, "x", -1)
    assert world.account(BOB) is None


def test_the_postmaster_that_came_with_the_domain_is_taken_over(world: World) -> None:
    name = AccountName("postmaster@example.test")
    at_once(world.admin.accounts.add(ROOT, name, "secret", Role.ADMIN))
    account = world.account(name)
    assert account is not None
    assert account.role is Role.ADMIN
    assert at_once(world.directory.credentials(name))
    assert world.lines(name)[-1] == (
        "root (mailkit)",
        "account add",
        name,
        "role=user quota=default active",
        "role=admin quota=default active",
    )
    with pytest.raises(AlreadyExists):
        at_once(world.admin.accounts.add(ROOT, name, "secret", Role.ADMIN))


def test_what_is_shown(world: World) -> None:
    at_once(world.admin.aliases.add(ROOT, "sales@example.test", [ALICE]))
    at_once(world.admin.aliases.add(ROOT, "@other.test", [ALICE]))
    at_once(world.admin.accounts.grant(ROOT, ALICE, "postmaster@example.test"))
    at_once(world.directory.used_credential(1, 1000.0, "192.0.2.1"))
    sheet = at_once(world.admin.accounts.show(ROOT, ALICE))
    assert sheet.account == world.account(ALICE)
    assert sheet.used == 0
    assert [str(one) for one in sheet.aliases] == ["@other.test", "sales@example.test"]
    assert [str(one) for one in sheet.grants] == ["postmaster@example.test"]
    [key] = sheet.keys
    assert (key.kind, key.scheme, key.has_scram) == ("password", "argon2id", True)
    assert (key.last_used, key.last_peer) == (1000.0, "192.0.2.1")
    new = NewAccount(BOB, SSHA)
    kept = at_once(world.admin.accounts.keep(new))
    at_once(world.admin.accounts.add_imported(ROOT, new, kept))
    [key] = at_once(world.admin.accounts.show(ROOT, BOB)).keys
    assert (key.scheme, key.has_scram, key.last_used) == ("SSHA", False, None)


def test_who_sees_which_accounts(world: World) -> None:
    def seen(actor: Actor, domain: str = "") -> list[str]:
        return [one.name for one in at_once(world.admin.accounts.list(actor, domain))]

    own = ["alice@example.test", "postmaster@example.test"]
    assert seen(ROOT) == [*own, "postmaster@other.test"]
    assert seen(ROOT, "Other.test") == ["postmaster@other.test"]
    assert seen(DORA) == own
    assert seen(USER) == []
    with pytest.raises(NotAllowed):
        seen(DORA, "other.test")
    with pytest.raises(NoSuchDomain):
        seen(ROOT, "none.test")


def test_passwd(world: World) -> None:
    before = world.directory.generation(ALICE)
    at_once(world.admin.accounts.passwd(ROOT, ALICE, "other"))
    assert world.directory.generation(ALICE) > before
    assert world.lines(ALICE)[-1][1:] == ("account passwd", ALICE, "", "a new password")
    at_once(world.admin.accounts.passwd(USER, ALICE, "mine"))
    assert world.lines(ALICE)[-1][0] == ALICE
    with pytest.raises(UnfitPassword):
        at_once(world.admin.accounts.passwd(ROOT, ALICE, "\x00"))
    at_once(world.admin.accounts.remove(ROOT, ALICE, True))
    with pytest.raises(NoSuchAccount):
        at_once(world.admin.accounts.passwd(USER, ALICE, "mine"))


def test_suspend_and_resume(world: World) -> None:
    before = world.directory.generation(ALICE)
    at_once(world.admin.accounts.suspend(ROOT, ALICE))
    account = at_once(world.admin.accounts.suspend(ROOT, ALICE))
    assert account.is_suspended
    assert account.generation > before
    at_once(world.admin.accounts.resume(ROOT, ALICE))
    assert world.account(ALICE) != account
    active, suspended = (
        f"role=user quota=default {word}" for word in ("active", "suspended")
    )
    assert [line[1:] for line in world.lines(ALICE)[1:]] == [
        ("account suspend", ALICE, active, suspended),
        ("account resume", ALICE, suspended, active),
    ]
    alice = Actor(ALICE, Role.ADMIN, account=ALICE)
    with pytest.raises(NotAllowed):
        at_once(world.admin.accounts.suspend(alice, ALICE))


def test_another_role_and_quota(world: World) -> None:
    changed = at_once(
        world.admin.accounts.change(ROOT, ALICE, Role.DOMAIN_ADMIN, QUOTA)
    )
    assert (changed.role, changed.quota) == (Role.DOMAIN_ADMIN, QUOTA)
    assert world.lines(ALICE)[-1][4] == "role=domain-admin quota=500000000 active"
    assert Actor.of(changed).may_change(DomainName("example.test"))
    assert not Actor.of(changed).may_change(DomainName("other.test"))


def test_remove(world: World) -> None:
    at_once(world.admin.accounts.add(ROOT, BOB, "x"))
    at_once(world.admin.aliases.add(ROOT, "one@example.test", [ALICE]))
    at_once(world.admin.aliases.add(ROOT, "two@example.test", [ALICE, BOB]))
    at_once(world.admin.accounts.grant(ROOT, BOB, ALICE))
    at_once(world.admin.accounts.remove(ROOT, ALICE, False))
    assert world.account(ALICE) is None
    [left] = at_once(world.directory.aliases())
    assert str(left.address) == "two@example.test"
    assert left.targets == (Address("bob", DomainName("example.test")),)
    assert [line[1:] for line in world.lines()[-5:]] == [
        (
            "account suspend",
            ALICE,
            "role=user quota=default active",
            "role=user quota=default suspended",
        ),
        ("account remove", "one@example.test", ALICE, ""),
        ("account remove", "two@example.test", f"{ALICE} {BOB}", BOB),
        ("account remove", BOB, f"as={ALICE}", "as="),
        ("account remove", ALICE, "role=user quota=default suspended", ""),
    ]
    with pytest.raises(NoSuchAccount):
        at_once(world.admin.accounts.remove(ROOT, ALICE, False))


def test_grants(world: World) -> None:
    accounts = world.admin.accounts
    at_once(accounts.grant(ROOT, ALICE, "Bob@example.test"))
    at_once(accounts.grant(ROOT, ALICE, "bob@example.test"))
    at_once(accounts.grant(ROOT, ALICE, "@other.test"))
    at_once(accounts.ungrant(ROOT, ALICE, "bob@example.test"))
    assert [line[1:] for line in world.lines(ALICE)[1:]] == [
        ("account grant", ALICE, "as=", f"as={BOB}"),
        ("account grant", ALICE, f"as={BOB}", f"as={BOB} @other.test"),
        ("account ungrant", ALICE, f"as=@other.test {BOB}", "as=@other.test"),
    ]
    with pytest.raises(Refused, match="anyway"):
        at_once(accounts.ungrant(ROOT, ALICE, "bob@example.test"))
    with pytest.raises(NoSuchDomain):
        at_once(accounts.grant(ROOT, ALICE, "boss@example.org"))
    with pytest.raises(NotAllowed):
        at_once(accounts.grant(DORA, ALICE, "boss@other.test"))


Deed = Callable[[World, Actor], Coroutine[Any, Any, object] | Awaitable[object]]
DEEDS: list[Deed] = [
    lambda world, actor: world.admin.accounts.add(actor, BOB, "x"),
    lambda world, actor: world.admin.accounts.show(actor, ALICE),
    lambda world, actor: world.admin.accounts.passwd(actor, ALICE, "x"),
    lambda world, actor: world.admin.accounts.suspend(actor, ALICE),
    lambda world, actor: world.admin.accounts.resume(actor, ALICE),
    lambda world, actor: world.admin.accounts.change(actor, ALICE, Role.USER, None),
    lambda world, actor: world.admin.accounts.grant(actor, ALICE, BOB),
    lambda world, actor: world.admin.mailboxes.list(actor, ALICE),
    lambda world, actor: world.admin.aliases.add(actor, "x@example.test", [ALICE]),
    lambda world, actor: world.admin.aliases.remove(actor, "y@example.test"),
    lambda world, actor: world.admin.audit(actor, "example.test"),
    lambda world, actor: world.admin.audit(actor, ALICE),
    lambda world, actor: world.admin.accounts.remove(actor, ALICE, True),
]
STRANGER = Actor("eve@other.test", Role.DOMAIN_ADMIN, DomainName("other.test"))
BYSTANDER = Actor("eve@example.test", Role.USER, DomainName("example.test"))


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("actor", [STRANGER, BYSTANDER])
def test_what_needs_a_say_in_the_domain(
    world: World, deed: Callable[[World, Actor], Any], actor: Actor
) -> None:
    at_once(world.admin.aliases.add(ROOT, "y@example.test", [ALICE]))
    before = world.lines()
    with pytest.raises(NotAllowed):
        at_once(deed(world, actor))
    assert world.lines() == before
    at_once(deed(world, DORA))


def test_a_domain_administrator_does_not_touch_the_servers(world: World) -> None:
    accounts = world.admin.accounts
    with pytest.raises(NotAllowed):
        at_once(accounts.add(DORA, BOB, "x", Role.ADMIN))
    with pytest.raises(NotAllowed):
        at_once(accounts.change(DORA, ALICE, Role.ADMIN, None))
    at_once(accounts.add(ROOT, BOB, "x", Role.ADMIN))
    for deed in (
        lambda: accounts.passwd(DORA, BOB, "x"),
        lambda: accounts.suspend(DORA, BOB),
        lambda: accounts.resume(DORA, BOB),
        lambda: accounts.change(DORA, BOB, Role.USER, None),
        lambda: accounts.remove(DORA, BOB, True),
        lambda: accounts.grant(DORA, BOB, ALICE),
    ):
        with pytest.raises(NotAllowed):
            at_once(deed())


FILE = """address,password,quota
bob@example.test,secret,1 MB
# a remark, and an empty line

Carol@example.test, {SSHA}RFMKYeWLidwCuUudsQKImRUtrq1zYWx0
"dora@example.test","with, comma",
alice@example.test,whatever
"""


def test_an_import(world: World) -> None:
    imported = at_once(
        import_accounts(world.admin.accounts, ROOT, FILE.splitlines(keepends=True))
    )
    assert imported.made == [
        "bob@example.test",
        "carol@example.test",
        "dora@example.test",
    ]
    assert imported.passed_over == ["alice@example.test"]
    account = world.account(BOB)
    assert account is not None
    assert account.quota == 1_000_000
    carol = AccountName("carol@example.test")
    [credential] = at_once(world.directory.credentials(carol))
    assert (credential.secret, credential.scram) == (SSHA, None)
    assert world.lines(carol)[0][1] == "account import"
    again = at_once(import_accounts(world.admin.accounts, ROOT, FILE.splitlines()))
    assert again.made == []


BAD = [
    ("bob@example.test", "line 1: expects"),
    ("bob@example.test,", "line 1: the password is empty"),
    ("bob@example.test,x,much", "line 1: the quota expects a size"),
    ("bob,x", "line 1: 'bob' is not an address"),
    ("bob@example.org,x", "line 1: example.org is not a domain"),
    ("bob@example.test,x\nbob@example.test,y", "line 2: bob@example.test is there"),
    ("bob@example.test,{NONSENSE}x", "line 1: NONSENSE is not a scheme"),
    ("bob@example.test,{SSHA}x", "line 1: the hash is damaged"),
    ("bob@example.test,a\x07b", "line 1: not a password"),
    ("carol@example.test,x\nbob@example.test,{SSHA}x", "line 2: the hash"),
    ("bob@example.test," + "x" * 200_000, "line 1: not CSV"),
    ("\n".join("x" for _ in range(30)), "and 10 more"),
]


@pytest.mark.parametrize(("text", "problem"), BAD)
def test_a_bad_import_makes_nothing(world: World, text: str, problem: str) -> None:
    with pytest.raises(BadImport) as raised:
        at_once(
            import_accounts(world.admin.accounts, ROOT, text.splitlines(keepends=True))
        )
    assert problem in str(raised.value)
    assert world.account(BOB) is None
    assert world.account("carol@example.test") is None


def test_what_cannot_be_checked_is_not_kept(world: World) -> None:
    new = NewAccount(BOB, "{NONSENSE}secret")
    with pytest.raises(UnknownScheme):
        at_once(world.admin.accounts.keep(new))
    assert "secret" not in repr(new)
