"""Which of many routes mean a recipient, and which of them comes first."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.address import AccountName, Address
from mailkit.model.target import ToError
from mailkit.services.routes.choice import choose
from mailkit.services.routes.matcher import Mailing, Matcher, best
from mailkit.services.routes.pattern import Pattern
from mailkit.services.routes.route import Route

ANNA = Address.of("anna", "example.org")
SHOP = Address.of("shop-anna", "example.org")
OTHER = Address.of("bob", "mail.example.org")
NULL = Address.of("", "")
BY_CAROL = Mailing(Address.of("carol", "ours.test"), AccountName("carol@ours.test"))
BY_STRANGER = Mailing(Address.of("mallory", "bad.test"))


def patterns(texts: str) -> tuple[Pattern, ...]:
    return tuple(map(Pattern.parse, texts.split()))


def route(
    name: str,
    recipient: str = "",
    sender: str = "",
    account: str = "",
    is_also: bool = False,
    is_for_strangers: bool = True,
) -> Route:
    return Route(
        name=name,
        target=ToError(),
        recipients=patterns(recipient),
        senders=patterns(sender),
        accounts=patterns(account),
        is_also=is_also,
        is_for_strangers=is_for_strangers,
    )


MANY = [
    route("any", "*"),
    route("below", "*.org"),
    route("deeper", "*.example.org"),
    route("domain", "example.org"),
    route("wide", "*@example.org"),
    route("pattern", "*-anna@example.org"),
    route("address", "bob@example.org anna@example.org"),
    route("from-carol", "", "carol@ours.test"),
    route("from-ours", "", "ours.test"),
    route("by-carol", "", "", "carol@ours.test"),
    route("domain-by-carol", "example.org", "", "ours.test"),
    route("domain-from-carol", "example.org", "carol@ours.test"),
    route("notices", "example.org", "<>"),
]


def names(
    recipient: Address, mailing: Mailing, routes: Sequence[Route] = MANY
) -> list[str]:
    return [one.route.name for one in Matcher(routes).matches(recipient, mailing)]


ORDERS = [
    (ANNA, BY_STRANGER, ["address", "wide", "domain", "below", "any"]),
    (SHOP, BY_STRANGER, ["pattern", "wide", "domain", "below", "any"]),
    (OTHER, BY_STRANGER, ["deeper", "below", "any"]),
    (
        Address.of("x", "example.net"),
        BY_CAROL,
        ["any", "from-carol", "from-ours", "by-carol"],
    ),
    (
        Address.of("x", "example.org"),
        BY_CAROL,
        ["wide", "domain-from-carol", "domain-by-carol", "domain", "below", "any",
         "from-carol", "from-ours", "by-carol"],
    ),
    (
        Address.of("x", "example.org"),
        Mailing(NULL),
        ["wide", "notices", "domain", "below", "any"],
    ),
    (Address.of("anna+x", "example.org"), Mailing(),
     ["address", "wide", "domain", "below", "any"]),
]  # fmt: skip


@pytest.mark.parametrize(("recipient", "mailing", "order"), ORDERS)
def test_the_most_exact_comes_first(
    recipient: Address, mailing: Mailing, order: list[str]
) -> None:
    assert names(recipient, mailing) == order


def test_among_equals_the_first_comes_first() -> None:
    twins = [route("b", "example.org"), route("a", "example.org")]
    assert names(ANNA, BY_STRANGER, twins) == ["b", "a"]


def test_why() -> None:
    [match] = Matcher([route("x", "a.test *.org", "*", "ours.test")]).matches(
        ANNA, BY_CAROL
    )
    assert match.why == "recipient *.org, sender *, account ours.test"
    assert not Matcher(())
    assert best((), ANNA) is None


TEXTS = ["anna@example.org", "*a@example.org", "example.org", "*.org", "*", "*@*", ""]


@given(
    st.lists(st.sampled_from(TEXTS), max_size=8),
    st.sampled_from([ANNA, SHOP, OTHER, NULL]),
)
def test_tables_find_what_a_look_at_each_would(
    texts: list[str], recipient: Address
) -> None:
    routes = [route(str(place), text) for place, text in enumerate(texts)]
    wanted = [
        one.name
        for one in routes
        if not one.recipients or best(one.recipients, recipient) is not None
    ]
    assert sorted(names(recipient, BY_STRANGER, routes)) == sorted(wanted)


# -- what is done of it: whether the domain is ours, whether mail leaves anyway

CHOICES = [
    (route("r", "example.org"), True, False, True),
    (route("r", "*"), True, False, False),
    (route("r"), True, True, False),
    (route("r", "*"), False, True, True),
    (route("r", "*"), False, False, False),
    (route("r"), False, False, False),
    (route("r", "*@*"), False, False, False),
    (route("r", "example.org"), False, False, True),
    (route("r", "*@example.org"), False, False, True),
    (route("r", "*.org"), False, False, True),
    (route("r", "example.org", is_for_strangers=False), False, False, False),
    (route("r", "example.org", is_for_strangers=False), False, True, True),
    (route("r", "example.org", "bad.test"), False, False, True),
]


@pytest.mark.parametrize(("one", "is_ours", "is_open", "is_taken"), CHOICES)
def test_choices(one: Route, is_ours: bool, is_open: bool, is_taken: bool) -> None:
    matches = Matcher([one]).matches(ANNA, BY_STRANGER)
    choice = choose(matches, is_ours=is_ours, is_open=is_open)
    assert (choice.instead is not None) is is_taken


def test_all_copies_and_one_instead() -> None:
    routes = [
        route("archive", "*", is_also=True),
        route("domain", "example.org"),
        route("copy", "anna@example.org", is_also=True),
        route("address", "anna@example.org"),
    ]
    matches = Matcher(routes).matches(ANNA, BY_STRANGER)
    choice = choose(matches, is_ours=True, is_open=False)
    assert choice.instead is not None
    assert choice.instead.route.name == "address"
    assert [one.route.name for one in choice.also] == ["copy", "archive"]
