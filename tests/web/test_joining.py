"""Accounts that people make for themselves, passwords by links, own addresses."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mailkit.errors import AlreadyExists, TooMany
from mailkit.model.account import Account
from mailkit.model.address import AccountName, Address
from mailkit.services.admin.accounts import Accounts, NewAccount
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.aliases import Aliases
from mailkit.services.passwords.passwords import Kept
from mailkit.services.signin.registration import Mode
from mailkit.testing.at_once import at_once
from tests.web.world import ALICE, BOB, PASSWORD, ROOT, WebWorld

GOOD = {
    "name": "carol",
    "domain": "example.test",
    "password": "three words here",
    "again": "three words here",
}
CAROL = AccountName("carol@example.test")


def invitation(world: WebWorld, domain: str = "", address: str = "") -> str:
    return world.house.registration.invite(domain, address, 3600.0)


def test_anybody_registers_where_that_is_open() -> None:
    world = WebWorld(registration="open")
    assert 'href="/register"' in world.get("/login").text
    page = world.get("/register").text
    assert 'name="name"' in page
    assert "other.test" in page
    heard = world.post("/register", GOOD, action="session")
    assert heard.location == "/mail/inbox"
    assert "carol@example.test" in world.get("/mail/inbox").text
    world.cookies.clear()
    assert world.sign_in(CAROL, "three words here").status == 303


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"again": "other words"}, 422, "The two passwords differ."),
        ({"password": "short", "again": "short"}, 422, "at least 8 characters"),
        ({"name": "alice"}, 409, "alice@example.test cannot be had"),
        ({"name": "ALICE"}, 409, "cannot be had"),
        ({"name": "Postmaster"}, 409, "cannot be had"),
        ({"name": "abuse"}, 409, "cannot be had"),
        ({"name": "list-request"}, 409, "cannot be had"),
        ({"name": "carol+x"}, 422, "make a name"),
        ({"name": "carol@x"}, 422, "make a name"),
        ({"name": "ca rol"}, 422, "make a name"),
        ({"name": ""}, 422, "make a name"),
        ({"domain": "strange.test"}, 422, "make a name"),
        ({"website": "http://spam.example"}, 403, "You may not do that"),
    ],
)
def test_what_nobody_may_have(changed: dict[str, str], status: int, words: str) -> None:
    world = WebWorld(registration="open")
    heard = world.post("/register", {**GOOD, **changed}, action="session")
    assert heard.status == status
    assert words in heard.text
    assert at_once(world.directory.account(CAROL)) is None


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_nobody_comes_uninvited(mode: Mode) -> None:
    world = WebWorld(registration=mode)
    assert 'href="/register"' not in world.get("/login").text
    assert world.get("/register").status == 403
    assert world.get("/register?invitation=x.y").status == 403
    assert world.post("/register", GOOD, action="session").status == 403
    assert world.get("/register/free?name=x&domain=example.test").status == 403
    assert at_once(world.directory.account(CAROL)) is None


def test_an_invitation_is_good_for_one_account() -> None:
    world = WebWorld(registration="invite")
    ticket = invitation(world)
    assert world.get(f"/register?invitation={ticket}").status == 200
    form = {**GOOD, "invitation": ticket}
    # What cannot be done does not use it up.
    short = {**form, "password": "x", "again": "x"}
    assert world.post("/register", short, action="session").status == 422
    assert world.post("/register", form, action="session").status == 303
    world.cookies.clear()
    again = world.post("/register", {**form, "name": "dave"}, action="session")
    assert again.status == 403
    assert at_once(world.directory.account(AccountName("dave@example.test"))) is None


def test_an_invitation_to_one_domain_or_address() -> None:
    world = WebWorld(registration="invite")
    page = world.get(f"/register?invitation={invitation(world, 'other.test')}").text
    assert "example.test" not in page.replace("mail.example.test", "")
    ticket = invitation(world, address="postmistress@other.test")
    page = world.get(f"/register?invitation={ticket}").text
    assert "postmistress@other.test" in page
    form = {**GOOD, "invitation": ticket}
    assert world.post("/register", form, action="session").status == 303
    name = AccountName("postmistress@other.test")
    assert at_once(world.directory.account(name)) is not None
    assert at_once(world.directory.account(CAROL)) is None


def test_an_invitation_gets_old_and_nobody_else_makes_one() -> None:
    world = WebWorld(registration="invite")
    ticket = invitation(world)
    body, _, signature = ticket.partition(".")
    assert world.get(f"/register?invitation={body}x.{signature}").status == 403
    world.clock.advance(3601)
    assert world.get(f"/register?invitation={ticket}").status == 403


def test_whether_a_name_is_free() -> None:
    world = WebWorld(registration="open")

    def ask(name: str) -> str:
        return world.get(f"/register/free?name={name}&domain=example.test").text

    assert '"isFree":true' in ask("carol")
    for name in ("alice", "postmaster", "a%20b", ""):
        assert '"isFree":false' in ask(name)
    for _ in range(60):
        ask("carol")
    assert "Too many questions" in ask("carol")
    world.clock.advance(61)
    assert '"isFree":true' in ask("carol")


def test_robots_make_few_accounts() -> None:
    world = WebWorld(registration="open")
    for number in range(6):
        world.cookies.clear()
        form = {**GOOD, "name": f"carol{number}"}
        heard = world.post("/register", form, action="session")
    assert heard.status == 429
    assert "Too many accounts" in heard.text
    heard = world.post("/register", form, action="session", peer="198.51.100.1")
    assert heard.status == 303


def test_a_link_to_choose_a_password_works_once() -> None:
    world = WebWorld()
    ticket = at_once(world.links.make(BOB, 3600.0))
    assert BOB in world.get(f"/password/{ticket}").text
    bad = {"password": "x", "again": "x"}
    assert world.post(f"/password/{ticket}", bad, action="session").status == 422
    bad = {"password": "other words here", "again": "x"}
    assert world.post(f"/password/{ticket}", bad, action="session").status == 422
    good = {"password": "other words here", "again": "other words here"}
    heard = world.post(f"/password/{ticket}", good, action="session")
    assert heard.location == "/mail/inbox"
    world.cookies.clear()
    assert world.get(f"/password/{ticket}").status == 404
    assert world.post(f"/password/{ticket}", good, action="session").status == 404
    assert world.sign_in(BOB, PASSWORD).status == 403
    assert world.sign_in(BOB, "other words here").status == 303


def test_a_link_gets_old_and_ends_with_its_account() -> None:
    world = WebWorld()
    ticket = at_once(world.links.make(BOB, 3600.0))
    at_once(world.admin.accounts.suspend(ROOT, BOB))
    assert world.get(f"/password/{ticket}").status == 404
    ticket = at_once(world.links.make(ALICE, 3600.0))
    assert world.get(f"/password/{ticket}").status == 200
    world.clock.advance(3601)
    assert world.get(f"/password/{ticket}").status == 404
    assert world.get("/password/x").status == 404


def test_two_who_use_a_link_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the password of the first is being hashed, the second gets nothing."""
    world = WebWorld()
    ticket = at_once(world.links.make(BOB, 3600.0))
    own, passwd, second = world.house.own, Accounts.passwd, []

    async def slow(
        accounts: Accounts, actor: Actor, text: str, password: str, generation: int
    ) -> None:
        monkeypatch.undo()
        second.append(await own.set_password(ticket, "words of the other", "", ""))
        await passwd(accounts, actor, text, password, generation)

    monkeypatch.setattr(Accounts, "passwd", slow)
    assert at_once(own.set_password(ticket, "words of one", "", "")) is None
    assert len(second) == 1
    assert world.sign_in(BOB, "words of one").status == 403
    assert world.sign_in(BOB, "words of the other").status == 303


def test_two_who_want_the_same_address_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the password of the first is being hashed, the second asks."""
    world = WebWorld(registration="open")
    registration, add = world.house.registration, Accounts._add
    made = []

    async def slow(
        accounts: Accounts, actor: Actor, action: str, new: NewAccount, kept: Kept
    ) -> Account:
        monkeypatch.undo()
        words = "words of the other"
        made.append(
            await registration.register("carol", "example.test", words, "", None)
        )
        return await add(accounts, actor, action, new, kept)

    monkeypatch.setattr(Accounts, "_add", slow)
    words = "words of one"
    with pytest.raises(AlreadyExists):
        at_once(registration.register("carol", "example.test", words, "", None))
    assert [one.name for one in made] == [CAROL]
    assert world.sign_in(CAROL, "words of one").status == 403
    assert world.sign_in(CAROL, "words of the other").status == 303


def test_own_addresses() -> None:
    world = WebWorld(aliases=2)
    world.sign_in()
    page = "/settings/addresses"

    def add(name: str, domain: str = "other.test") -> int:
        form = {"name": name, "domain": domain}
        return world.post(page, form, action="settings").status

    assert add("ally") == 303
    assert "ally@other.test" in world.get(page).text
    for taken in ("ally", "postmaster"):
        assert add(taken) in (409, 422)
    assert add("bob", "example.test") == 409
    assert add("a b") == 422
    assert add("x", "strange.test") == 422
    assert add("second") == 303
    assert add("third") == 403
    drop = f"{page}/drop"
    form = {"address": "ally@other.test"}
    assert world.post(drop, form, action="settings").status == 303
    assert "ally@other.test" not in world.get(page).text
    assert world.post(drop, {"address": BOB}, action="settings").status == 404


def test_addresses_that_are_asked_for_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They are counted one after the other: nobody gets more than is allowed."""
    world = WebWorld(aliases=1)
    own, add = world.house.own, Aliases.add
    account = at_once(world.directory.account(ALICE))
    assert account is not None
    second: list[Address] = []

    async def slow(
        aliases: Aliases, actor: Actor, text: str, targets: Sequence[str], most: int
    ) -> None:
        monkeypatch.undo()
        second.append(await own.add_address(account, "two@other.test"))
        await add(aliases, actor, text, targets, most)

    monkeypatch.setattr(Aliases, "add", slow)
    with pytest.raises(TooMany):
        at_once(own.add_address(account, "one@other.test"))
    assert at_once(own.addresses(account)) == second
    assert [str(one) for one in second] == ["two@other.test"]


def test_nobody_looks_for_the_addresses_of_others() -> None:
    world = WebWorld(aliases=3)
    world.sign_in()
    page = "/settings/addresses"
    form = {"name": "bob", "domain": "example.test"}
    for _ in range(50):
        assert world.post(page, form, action="settings").status == 409
    heard = world.post(page, form, action="settings")
    assert (heard.status, "Too many" in heard.text) == (429, True)
    world.clock.advance(86400)
    world.cookies.clear()
    assert world.sign_in().status == 303
    assert world.post(page, form, action="settings").status == 409


def test_nobody_makes_addresses_where_that_is_not_allowed() -> None:
    world = WebWorld()
    world.sign_in()
    page = "/settings/addresses"
    assert 'name="name"' not in world.get(page).text
    form = {"name": "ally", "domain": "other.test"}
    assert world.post(page, form, action="settings").status == 403
