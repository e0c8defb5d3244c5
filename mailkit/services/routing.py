"""Whose address it is, and who may write as whom.

First the routes of the administrator are asked, which may lead mail elsewhere or have
copies of it. Then, in this order: an account, an alias, the same without what follows
``+`` (RFC 5233 §1), the people behind ``postmaster`` and ``abuse`` (RFC 5321 §4.5.1,
RFC 2142 §5), an alias that is a pattern, such as ``*-anna@example.org``, the catch-all
of the domain.

``postmaster@`` and ``abuse@`` go to the account or alias of that name, else to the
domain's administrators, else to the account without a password that came with the
domain, else to the administrators of the server.

An address elsewhere is where somebody's alias leads, or what one of our own people
names; it becomes mail that leaves, if there is a queue.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen

from mailkit.errors import (
    NoSuchAddress,
    NotOurs,
    Refused,
    Suspended,
    TurnedAwayForNow,
    Unavailable,
)
from mailkit.interfaces.delivery import ForeignRecipient, LocalRecipient, Routed
from mailkit.interfaces.directory import IDirectory
from mailkit.interfaces.storage import IWatch
from mailkit.model.account import Account, Alias, Role
from mailkit.model.address import AccountName, Address, DomainName, fold_domain
from mailkit.model.path import Path
from mailkit.services.routes.book import RouteBook
from mailkit.services.routes.choice import NO_CHOICE, Choice, choose
from mailkit.services.routes.matcher import NOBODYS, Mailing, Match
from mailkit.services.routes.pattern import Pattern

ROLES = ("postmaster", "abuse")
"""Local parts that somebody has to answer for in each domain."""


_TOO_MANY = "The address leads to more people than it may"


@frozen
class Limits:
    """How far aliases lead."""

    addresses: int = 1000
    """Addresses that one recipient may become, those on the way included."""


LIMITS = Limits()

Owner = Account | Alias | list[Account]
"""What stands in the directory for an address; an empty list: nothing."""


@define(eq=False)
class _Ends:
    """What is behind an address of ours."""

    accounts: list[tuple[Account, str]]
    """The suspended ones too, each with a detail."""
    elsewhere: list[ForeignRecipient] = field(factory=list)
    copies: list[ForeignRecipient] = field(factory=list)
    """By routes; they go there only if there is somebody besides."""
    is_cut: bool = False
    """There are more of them than are looked for."""


@frozen
class Explanation:
    """What becomes of mail for an address, and why."""

    address: Address
    is_ours: bool
    matches: Sequence[Match]
    """All routes that match, most exact first, those that change nothing too."""
    choice: Choice
    routed: Routed | None
    """``None``: it is not taken."""
    problem: Refused | Unavailable | None
    """Why not."""


@define(eq=False)
class Routing:
    """
    Looks addresses up in the directory.

    :param hostname: what this server is called: ``<postmaster>`` without a domain, or
        with this one, is that of the domain which it is, or is in.
    :param sends: whether there is a queue for mail to other servers; without it no
        route leads anywhere.
    :param book: the routes.
    """

    _directory: IDirectory
    _hostname: str
    _limits: Limits = LIMITS
    sends: bool = False
    book: RouteBook = field()
    _patterns: dict[DomainName, list[tuple[Pattern, Alias]]] = field(
        init=False, factory=dict
    )
    _administrators: dict[DomainName | None, list[Account]] = field(
        init=False, factory=dict
    )
    _watch: IWatch = field(init=False)

    @book.default
    def _make_book(self) -> RouteBook:
        return RouteBook(self._directory)

    def __attrs_post_init__(self) -> None:
        self._watch = self._directory.watch(self._forget)

    async def route(
        self, path: Path, may_send: bool = False, mailing: Mailing = NOBODYS
    ) -> Routed:
        """
        All that a forward-path leads to, each once.

        :param may_send: whether who asks is one of our own people, who may name
            addresses elsewhere.
        :param mailing: what routes may ask about the message.
        :raises NotOurs: if the domain is not ours, and is not sent to.
        :raises NoSuchAddress: if nobody has the address.
        :raises Suspended: if only accounts have it that are suspended.
        :raises TurnedAway: if a route does that.
        :raises TurnedAwayForNow: if a route does that, or an alias leads to more
            people than `Limits` allow.
        """
        address = await self._whole(path.address)
        is_ours = await self._directory.domain(address.domain) is not None
        may_leave = may_send and self.sends and bool(address.domain)
        choice = await self._choose(address, mailing, is_ours, may_leave)
        if choice.instead is None and not is_ours and not may_leave:
            raise NotOurs(str(address))
        if choice.instead is not None or not is_ours:
            choice.check()
            return Routed((), (choice.leaving(path), *choice.copies(path)))
        said = str(address)
        ends = await self._ends(address, mailing)
        if ends.is_cut:  # nobody's mail is left out unsaid
            raise TurnedAwayForNow(_TOO_MANY, 450, "4.2.4")
        if not ends.accounts and not ends.elsewhere:
            raise NoSuchAddress(said)
        local = tuple(
            LocalRecipient(account.name, said, detail)
            for account, detail in ends.accounts
            if not account.is_suspended
        )
        if not local and not ends.elsewhere:
            raise Suspended(said)
        foreign = [*ends.elsewhere, *choice.copies(path), *ends.copies]
        return Routed(local, tuple(dict.fromkeys(foreign)))

    async def explain(
        self, path: Path, may_send: bool = False, mailing: Mailing = NOBODYS
    ) -> Explanation:
        """What `route` would make of it, and by which routes."""
        address = await self._whole(path.address)
        is_ours = await self._directory.domain(address.domain) is not None
        may_leave = may_send and self.sends and bool(address.domain)
        matches: Sequence[Match] = ()
        if self.sends:
            matches = (await self.book.matcher()).matches(address, mailing)
        choice = choose(matches, is_ours=is_ours, is_open=may_leave)
        routed: Routed | None = None
        problem: Refused | Unavailable | None = None
        try:
            routed = await self.route(path, may_send, mailing)
        except (Refused, Unavailable) as error:
            problem = error
        return Explanation(address, is_ours, matches, choice, routed, problem)

    async def is_known(self, path: Path) -> bool:
        """Whether mail for the address goes anywhere; suspended accounts count."""
        address = path.address
        choice = await self._choose(address, NOBODYS, is_ours=True, may_leave=False)
        if choice.instead is not None:
            return not choice.is_turned_away
        ends = await self._ends(address)
        return bool(ends.accounts or ends.elsewhere)

    async def may_send_as(self, account: Account, address: Address) -> bool:
        """
        Whether the account has that address, or was granted it.

        By its own name, a sub-address, an alias or catch-all that leads to it, or as
        one of those behind ``postmaster``; a grant of ``@domain`` is one of all.
        """
        if str(address) == account.name:
            return True
        base, _ = _split(address)
        catch_all = Address("", address.domain)
        for granted in {address, base, catch_all}:
            if await self._directory.may_send_as(account.name, granted):
                return True
        ends = await self._ends(address)
        return any(owner.name == account.name for owner, _ in ends.accounts)

    def close(self) -> None:
        """Hear of no more changes."""
        self._watch.stop()
        self.book.close()

    def _forget(self) -> None:
        self._administrators.clear()
        self._patterns.clear()

    async def _whole(self, address: Address) -> Address:
        """
        The address, with our domain where it has none; that of this very server, which
        people know by its name alone, has one.
        """
        if address.local_part not in ROLES:
            return address
        domain, hostname = address.domain, fold_domain(self._hostname)
        is_own = domain == hostname and await self._directory.domain(hostname) is None
        if domain and not is_own:
            return address
        return Address(address.local_part, await self.own_domain() or domain)

    async def _choose(
        self, address: Address, mailing: Mailing, is_ours: bool, may_leave: bool
    ) -> Choice:
        """What the routes say of one address."""
        if not self.sends:
            return NO_CHOICE
        matcher = await self.book.matcher()
        if not matcher:  # nearly always
            return NO_CHOICE
        matches = matcher.matches(address, mailing)
        return choose(matches, is_ours=is_ours, is_open=may_leave)

    async def _ends(self, address: Address, mailing: Mailing = NOBODYS) -> _Ends:
        """What is behind an address of ours; what routes say of it counts not."""
        owner, detail = await self._owner(address)
        if isinstance(owner, Account):  # nearly always
            return _Ends([(owner, detail)])
        ends = _Ends([])
        said = str(address)
        found: dict[AccountName, tuple[Account, str]] = {}
        seen = {address}
        waiting: list[tuple[Owner, str]] = [(owner, detail)]
        while waiting:
            owner, detail = waiting.pop()
            match owner:
                case Account(name):
                    found.setdefault(name, (owner, detail))
                case Alias(_, targets):
                    for target in targets:
                        if target in seen:
                            continue
                        if len(seen) >= self._limits.addresses:
                            ends.is_cut = True
                            continue
                        seen.add(target)
                        if await self._leaves(target, said, ends, mailing):
                            continue
                        next_owner, own_detail = await self._owner(target)
                        waiting.append((next_owner, detail or own_detail))
                case list(accounts):
                    waiting += [(account, detail) for account in accounts]
        ends.accounts = sorted(found.values(), key=lambda pair: pair[0].name)
        ends.elsewhere.sort(key=lambda foreign: str(foreign.path.address))
        return ends

    async def _leaves(
        self, target: Address, said: str, ends: _Ends, mailing: Mailing
    ) -> bool:
        """Whether an alias leads to somebody who has no mailbox here."""
        is_ours = await self._directory.domain(target.domain) is not None
        choice = await self._choose(target, mailing, is_ours, may_leave=True)
        path = Path(target.local_part, target.domain)
        ends.copies += choice.copies(path)
        if is_ours and choice.instead is None:
            return False
        if self.sends and not choice.is_turned_away:
            ends.elsewhere.append(choice.leaving(path, said))
        return True

    async def _owner(self, address: Address) -> tuple[Owner, str]:
        """What stands in the directory for one address, and the detail in it."""
        base, detail = _split(address)
        owner = await self._exact_owner(address)
        if owner is None and base is not address:
            found = await self._exact_owner(base)
            if found is not None:
                return found, detail
        if owner is not None:
            return owner, ""
        catch_all = Address("", address.domain)
        owner = await self._pattern_owner(address)
        owner = owner or await self._directory.alias(catch_all) or []
        return owner, detail if owner else ""

    async def _exact_owner(self, address: Address) -> Owner | None:
        """What stands in the directory under that very name."""
        directory = self._directory
        name = AccountName(str(address))
        account = await directory.account(name)
        if account is not None and address.local_part not in ROLES:
            return account
        alias = await directory.alias(address) if address.local_part else None
        if alias is not None and account is None:
            return alias
        if address.local_part in ROLES:
            return await self._role(address, account, alias)
        return None

    async def _pattern_owner(self, address: Address) -> Alias | None:
        """The alias with a ``*`` that means the address most exactly."""
        known = self._patterns.get(address.domain)
        if known is None:
            known = self._patterns[address.domain] = [
                (Pattern.parse(str(alias.address)), alias)
                for alias in await self._directory.patterns(address.domain)
            ]
        ranked = [
            (rank, alias.address.local_part, alias)
            for pattern, alias in known
            if (rank := pattern.rank(address)) is not None
        ]
        return min(ranked, key=lambda one: one[:2])[2] if ranked else None

    async def _role(
        self, address: Address, account: Account | None, alias: Alias | None
    ) -> Owner:
        if await self._directory.domain(address.domain) is None:
            return []
        if account is not None and await self._has_password(account):
            return account
        if alias is not None:
            return alias
        administrators = await self._administrators_of(address.domain)
        if administrators:
            return administrators
        if account is not None:
            return account
        if address.local_part != ROLES[0]:
            owner, _ = await self._owner(Address(ROLES[0], address.domain))
            return owner
        # Nobody is left in the domain: those who run the server answer for it.
        return await self._administrators_of(None)

    async def _has_password(self, account: Account) -> bool:
        credentials = await self._directory.credentials(account.name)
        return any(credential.secret for credential in credentials)

    async def _administrators_of(self, domain: DomainName | None) -> list[Account]:
        """Those of a domain, or those of the whole server."""
        known = self._administrators.get(domain)
        if known is None:
            roles = (Role.ADMIN, Role.DOMAIN_ADMIN) if domain else (Role.ADMIN,)
            known = self._administrators[domain] = [
                account
                for account in await self._directory.accounts(domain)
                if account.role in roles and not account.is_suspended
            ]
        return known

    async def own_domain(self) -> DomainName:
        """The domain that this server is, or is in; else the oldest of ours."""
        name = fold_domain(self._hostname)
        while name:
            if await self._directory.domain(name) is not None:
                return name
            name = DomainName(name.partition(".")[2])
        domains = await self._directory.domains()
        if not domains:
            return DomainName("")
        return min(domains, key=lambda domain: domain.made).name


def _split(address: Address) -> tuple[Address, str]:
    """The address without its detail, and the detail (RFC 5233 §1)."""
    local_part, plus, detail = address.local_part.partition("+")
    if not plus or not local_part:
        return address, ""
    return Address(local_part, address.domain), detail
