"""What every directory has to do, both sides of it."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.errors import (
    AlreadyExists,
    ChangedMeanwhile,
    NoSuchAccount,
    NoSuchAddress,
    NoSuchDomain,
    Refused,
    TooMany,
)
from mailkit.interfaces.directory import IAudit, IDirectory, IDirectoryChanges
from mailkit.model.account import Alias, Role, ScramKeys
from mailkit.model.address import Address, DomainName
from mailkit.model.audit import AuditLine
from mailkit.model.routeentry import RouteEntry
from mailkit.testing.contracts.messages import ALICE, BOB, coroutine, raises

DOMAIN = DomainName("example.test")
SALES = Address("sales", DOMAIN)
KEYS = ScramKeys(b"salt", 4096, b"stored", b"server")


class DirectoryContract:
    """Domains, accounts, aliases, grants and credentials."""

    directory: IDirectory
    changes: IDirectoryChanges

    async def make_directory(self) -> tuple[IDirectory, IDirectoryChanges]:
        """A new, empty directory; both sides may be one object."""
        raise NotImplementedError

    async def close_directory(self) -> None:
        """Let go of what `make_directory` took."""

    def setUp(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        async def make() -> None:
            self.directory, self.changes = await self.make_directory()
            await self.changes.add_domain(DOMAIN)

        return Deferred.fromCoroutine(make())

    def tearDown(self) -> Any:  # Any: as above
        return Deferred.fromCoroutine(self.close_directory())

    @coroutine
    async def test_it_provides_the_interfaces(self) -> None:
        verifyObject(IDirectory, self.directory)
        verifyObject(IDirectoryChanges, self.changes)

    @coroutine
    async def test_patterns(self) -> None:
        pattern = Alias(Address("*-alice", DOMAIN), (Address("alice", DOMAIN),))
        await self.changes.set_alias(pattern)
        await self.changes.set_alias(Alias(SALES, (Address("alice", DOMAIN),)))
        assert await self.directory.patterns(DOMAIN) == [pattern]
        assert await self.directory.patterns(DomainName("other.test")) == []
        await self.changes.remove_alias(pattern.address)
        assert await self.directory.patterns(DOMAIN) == []

    @coroutine
    async def test_routes(self) -> None:
        first = RouteEntry("b", '{"to": "mx"}')
        await self.changes.set_route(first)
        await self.changes.set_route(RouteEntry("a", "{}"))
        assert [one.name for one in await self.directory.routes()] == ["a", "b"]
        changed = RouteEntry("a", '{"to": "error"}')
        await self.changes.set_route(changed)
        assert await self.directory.routes() == [changed, first]
        await self.changes.remove_route("b")
        assert await self.directory.routes() == [changed]
        await raises(Refused, self.changes.remove_route("b"))
        assert "secret" not in repr(RouteEntry("a", "secret"))

    @coroutine
    async def test_domains(self) -> None:
        other = await self.changes.add_domain(DomainName("aa.test"))
        assert other.name == "aa.test"
        await raises(AlreadyExists, self.changes.add_domain(DOMAIN))
        names = [domain.name for domain in await self.directory.domains()]
        assert names == ["aa.test", DOMAIN]
        found = await self.directory.domain(DOMAIN)
        assert found is not None
        assert found.name == DOMAIN
        assert await self.directory.domain(DomainName("none.test")) is None

    @coroutine
    async def test_a_domain_with_accounts_stays(self) -> None:
        await self.changes.add_account(ALICE, Role.USER, None)
        await raises(Refused, self.changes.remove_domain(DOMAIN))
        await self.changes.remove_account(ALICE)
        await self.changes.remove_domain(DOMAIN)
        await raises(NoSuchDomain, self.changes.remove_domain(DOMAIN))
        assert await self.directory.domains() == []

    @coroutine
    async def test_accounts(self) -> None:
        made = await self.changes.add_account(BOB, Role.USER, 5)
        assert (made.name, made.role, made.quota) == (BOB, Role.USER, 5)
        await self.changes.add_account(ALICE, Role.ADMIN, None)
        await raises(AlreadyExists, self.changes.add_account(BOB, Role.USER, None))
        names = [account.name for account in await self.directory.accounts()]
        assert names == [ALICE, BOB]
        assert len(await self.directory.accounts(DOMAIN)) == 2
        assert await self.directory.accounts(DomainName("none.test")) == []
        assert await self.directory.account(BOB) == made

    @coroutine
    async def test_an_account_needs_its_domain(self) -> None:
        await self.changes.remove_domain(DOMAIN)
        await raises(NoSuchDomain, self.changes.add_account(ALICE, Role.USER, None))

    @coroutine
    async def test_changes_raise_the_generation(self) -> None:
        account = await self.changes.add_account(ALICE, Role.USER, None)
        assert self.directory.generation(ALICE) == account.generation >= 0
        changed = await self.changes.change_account(
            evolve(account, is_suspended=True, quota=7, role=Role.DOMAIN_ADMIN)
        )
        assert changed.generation > account.generation
        assert (changed.is_suspended, changed.quota) == (True, 7)
        assert changed.role is Role.DOMAIN_ADMIN
        assert await self.directory.account(ALICE) == changed
        assert self.directory.generation(ALICE) == changed.generation

    @coroutine
    async def test_an_account_made_again_is_another_one(self) -> None:
        before = await self.changes.add_account(ALICE, Role.USER, None)
        await self.changes.set_password(ALICE, "{PLAIN}secret", None, False)
        await self.changes.grant(ALICE, SALES, True)
        await self.changes.remove_account(ALICE)
        assert self.directory.generation(ALICE) == -1
        assert await self.directory.account(ALICE) is None
        after = await self.changes.add_account(ALICE, Role.USER, None)
        assert after.generation > before.generation
        assert await self.directory.credentials(ALICE) == []
        assert await self.directory.grants(ALICE) == []

    @coroutine
    async def test_an_account_that_is_not_there(self) -> None:
        account = await self.changes.add_account(ALICE, Role.USER, None)
        await self.changes.remove_account(ALICE)
        await raises(NoSuchAccount, self.changes.change_account(account))
        await raises(NoSuchAccount, self.changes.remove_account(ALICE))
        await raises(NoSuchAccount, self.changes.set_password(ALICE, "", None, True))
        await raises(NoSuchAccount, self.changes.grant(ALICE, SALES, True))
        assert self.directory.generation(ALICE) == -1

    @coroutine
    async def test_a_password_is_replaced(self) -> None:
        account = await self.changes.add_account(ALICE, Role.USER, None)
        await self.changes.set_password(ALICE, "{PLAIN}one", None, False)
        assert self.directory.generation(ALICE) == account.generation
        await self.changes.set_password(ALICE, "{PLAIN}two", KEYS, True)
        assert self.directory.generation(ALICE) > account.generation
        [credential] = await self.directory.credentials(ALICE)
        assert (credential.kind, credential.secret) == ("password", "{PLAIN}two")
        assert credential.scram == KEYS
        assert credential.last_used is None
        await self.changes.used_credential(credential.id, 1000.0, "192.0.2.1")
        await self.changes.used_credential(credential.id + 1, 1000.0, "192.0.2.1")

    @coroutine
    async def test_a_password_is_set_only_while_nothing_happened(self) -> None:
        account = await self.changes.add_account(ALICE, Role.USER, None)
        as_it_was = account.generation
        set_password = self.changes.set_password
        await set_password(ALICE, "{PLAIN}one", None, True, None, as_it_was)
        late = set_password(ALICE, "{PLAIN}two", None, True, None, as_it_was)
        await raises(ChangedMeanwhile, late)
        [credential] = await self.directory.credentials(ALICE)
        assert credential.secret == "{PLAIN}one"

    @coroutine
    async def test_an_empty_secret_is_no_credential(self) -> None:
        await self.changes.add_account(ALICE, Role.USER, None)
        await self.changes.set_password(ALICE, "{PLAIN}one", None, False)
        await self.changes.set_password(ALICE, "", None, True)
        credentials = await self.directory.credentials(ALICE)
        assert not any(credential.secret for credential in credentials)
        assert self.directory.all_have_scram_keys()

    @coroutine
    async def test_a_secret_is_renewed_if_it_is_still_the_same(self) -> None:
        await self.changes.add_account(ALICE, Role.USER, None)
        await self.changes.set_password(ALICE, "{PLAIN}one", None, False)
        generation = self.directory.generation(ALICE)
        [credential] = await self.directory.credentials(ALICE)
        renew = self.changes.renew_credential
        assert await renew(credential, "{OTHER}one", KEYS)
        assert not await renew(credential, "{OTHER}again", None)
        [renewed] = await self.directory.credentials(ALICE)
        assert (renewed.secret, renewed.scram) == ("{OTHER}one", KEYS)
        assert self.directory.generation(ALICE) == generation

    @coroutine
    async def test_whoever_watches_hears(self) -> None:
        heard: list[int] = []
        watch = self.directory.watch(lambda: heard.append(1))
        await self.changes.add_account(ALICE, Role.USER, None)
        assert heard
        watch.stop()
        watch.stop()
        heard.clear()
        await self.changes.remove_account(ALICE)
        assert not heard

    @coroutine
    async def test_the_server_secret_stays(self) -> None:
        secret = await self.directory.server_secret()
        assert len(secret) == 32
        assert await self.directory.server_secret() == secret

    @coroutine
    async def test_scram_waits_for_the_last_active_account(self) -> None:
        await self.changes.add_account(ALICE, Role.USER, None)
        bob = await self.changes.add_account(BOB, Role.USER, None)
        await self.changes.set_password(ALICE, "{PLAIN}one", KEYS, False)
        assert self.directory.all_have_scram_keys()
        await self.changes.set_password(BOB, "{PLAIN}two", None, False)
        assert not self.directory.all_have_scram_keys()
        await self.changes.change_account(evolve(bob, is_suspended=True))
        assert self.directory.all_have_scram_keys()

    @coroutine
    async def test_aliases(self) -> None:
        one = Alias(SALES, (Address("alice", DOMAIN),))
        catch_all = Alias(Address("", DOMAIN), (Address("bob", DOMAIN),))
        await self.changes.set_alias(one)
        await self.changes.set_alias(catch_all)
        assert await self.directory.alias(SALES) == one
        assert await self.directory.alias(Address("", DOMAIN)) == catch_all
        assert await self.directory.alias(Address("none", DOMAIN)) is None
        more = Alias(SALES, (Address("alice", DOMAIN), Address("bob", DOMAIN)))
        await self.changes.set_alias(more)
        assert await self.directory.aliases() == [catch_all, more]
        assert await self.directory.aliases(DomainName("none.test")) == []
        await self.changes.remove_alias(SALES)
        assert await self.directory.alias(SALES) is None
        await raises(NoSuchAddress, self.changes.remove_alias(SALES))
        other = Alias(Address("x", DomainName("none.test")), ())
        await raises(NoSuchDomain, self.changes.set_alias(other))

    @coroutine
    async def test_an_alias_stands_beside_an_account_without_password(self) -> None:
        await self.changes.add_account(ALICE, Role.USER, None)
        alias = Alias(Address("alice", DOMAIN), (Address("bob", DOMAIN),))
        await self.changes.set_alias(alias)
        assert await self.directory.alias(alias.address) == alias
        await self.changes.remove_alias(alias.address)
        await self.changes.set_password(ALICE, "{PLAIN}one", None, False)
        await raises(AlreadyExists, self.changes.set_alias(alias))

    @coroutine
    async def test_an_alias_that_has_to_be_new(self) -> None:
        to_alice = (Address("alice", DOMAIN),)
        one, two, three = (
            Alias(Address(name, DOMAIN), to_alice) for name in ("one", "two", "three")
        )
        await self.changes.add_account(BOB, Role.USER, None)
        await self.changes.set_alias(one, None, 2)
        for taken in (one, Alias(one.address, (Address("bob", DOMAIN),))):
            await raises(AlreadyExists, self.changes.set_alias(taken, None, 2))
        bobs = Alias(Address("bob", DOMAIN), to_alice)
        await raises(AlreadyExists, self.changes.set_alias(bobs, None, 2))
        await self.changes.set_alias(two, None, 2)
        await raises(TooMany, self.changes.set_alias(three, None, 2))
        assert await self.directory.aliases() == [one, two]

    @coroutine
    async def test_an_account_is_not_made_where_an_alias_is(self) -> None:
        await self.changes.set_alias(Alias(Address("bob", DOMAIN), ()))
        await raises(AlreadyExists, self.changes.add_account(BOB, Role.USER, None))

    @coroutine
    async def test_a_domain_takes_its_aliases_with_it(self) -> None:
        await self.changes.set_alias(Alias(SALES, (Address("alice", DOMAIN),)))
        await self.changes.remove_domain(DOMAIN)
        assert await self.directory.aliases() == []
        assert await self.directory.alias(SALES) is None

    @coroutine
    async def test_grants(self) -> None:
        await self.changes.add_account(ALICE, Role.USER, None)
        assert not await self.directory.may_send_as(ALICE, SALES)
        await self.changes.grant(ALICE, SALES, True)
        await self.changes.grant(ALICE, SALES, True)
        assert await self.directory.may_send_as(ALICE, SALES)
        assert await self.directory.grants(ALICE) == [SALES]
        await self.changes.grant(ALICE, SALES, False)
        assert not await self.directory.may_send_as(ALICE, SALES)


class AuditContract:
    """The lines that come with changes, and those that come alone."""

    async def make_audit(self) -> tuple[IAudit, IDirectoryChanges]:
        """A new, empty audit, and the directory whose lines it keeps."""
        raise NotImplementedError

    async def close_audit(self) -> None:
        """Let go of what `make_audit` took."""

    def setUp(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        async def make() -> None:
            self.audit, self.changes = await self.make_audit()

        return Deferred.fromCoroutine(make())

    def tearDown(self) -> Any:  # Any: as above
        return Deferred.fromCoroutine(self.close_audit())

    @coroutine
    async def test_lines_come_oldest_first(self) -> None:
        verifyObject(IAudit, self.audit)
        one = AuditLine(1.0, "root", "domain add", DOMAIN)
        two = AuditLine(2.0, ALICE, "account add", BOB, after="role=user")
        three = AuditLine(3.0, ALICE, "queue drop", "other.test")
        await self.changes.add_domain(DOMAIN, one)
        await self.changes.add_account(BOB, Role.USER, None, two)
        await self.audit.note(three)
        assert list(await self.audit.lines()) == [one, two, three]
        assert list(await self.audit.lines(limit=1)) == [three]
        assert list(await self.audit.lines(BOB)) == [two]
        assert list(await self.audit.lines(DOMAIN)) == [one, two]
        assert list(await self.audit.lines("example.org")) == []

    @coroutine
    async def test_a_change_that_is_refused_leaves_no_line(self) -> None:
        line = AuditLine(1.0, "root", "account add", BOB)
        await raises(NoSuchDomain, self.changes.add_account(BOB, Role.USER, None, line))
        assert list(await self.audit.lines()) == []
