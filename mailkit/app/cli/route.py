"""``mailkit route``: mail that takes another way."""

from __future__ import annotations

from pathlib import Path

import click

from mailkit.app.cli.desk import Desk, pass_desk
from mailkit.app.cli.late import WholeGroup
from mailkit.app.cli.printed import Row, Value
from mailkit.config.reader import value_of
from mailkit.interfaces.delivery import ForeignRecipient
from mailkit.services.routes.matcher import Match
from mailkit.services.routes.route import Route, say_target
from mailkit.services.routing import Explanation
from mailkit.services.smtp.replies import reply_for

LISTS = ("recipient", "sender", "account", "program")
"""Keys of a route that have many values."""


@click.group(cls=WholeGroup)
def route() -> None:
    """Mail that takes another way than DNS and the directory say."""


@route.command()
@click.argument("name")
@click.argument("to", metavar="TO")
@click.argument("settings", nargs=-1, metavar="[KEY=VALUE...]")
@click.option("--recipient", multiple=True, metavar="PATTERN", help="Whom it is for.")
@click.option("--sender", multiple=True, metavar="PATTERN", help="Who it is from.")
@click.option("--account", multiple=True, metavar="PATTERN", help="Who submits it.")
@click.option("--also", is_flag=True, help="In addition to where mail goes anyway.")
@pass_desk
def add(
    desk: Desk,
    name: str,
    to: str,
    settings: tuple[str, ...],
    recipient: tuple[str, ...],
    sender: tuple[str, ...],
    account: tuple[str, ...],
    also: bool,
) -> None:
    """Make the route NAME.

    TO is mx, smarthost, lmtp, mailbox, maildir, redis, http, pipe or error; KEY=VALUE
    are the keys of [[route]], values written as in the config file, a bare word being a
    text.
    """
    keys: dict[str, object] = {"name": name, "to": to}
    for one in settings:
        key, equals, value = one.partition("=")
        if not equals:
            raise click.UsageError(f"{one!r} is not KEY=VALUE")
        keys[key] = _value(key, value)
    for key, patterns in (
        ("recipient", recipient),
        ("sender", sender),
        ("account", account),
    ):
        if patterns:
            keys[key] = list(patterns)
    if also:
        keys["mode"] = "also"
    with desk.open() as at:
        made = at.do(at.administration.routes.add(at.actor, keys, Path.cwd()))
    where = say_target(made.target)
    desk.done(f"route {made.name} leads to {where}", {"route": made.name, "to": where})


@route.command("list")
@pass_desk
def list_routes(desk: Desk) -> None:
    """List all routes, those of the config file first."""
    with desk.open() as at:
        routes = at.do(at.administration.routes.list(at.actor))
    columns = ["route", "from", "recipient", "sender", "account", "mode", "to"]
    desk.rows(columns, list(map(_row, routes)))


@route.command()
@click.argument("name")
@pass_desk
def remove(desk: Desk, name: str) -> None:
    """Take a route of the directory away.

    Mail that waits for it goes on waiting: make the route again, or drop it from the
    queue.
    """
    with desk.open() as at:
        at.do(at.administration.routes.remove(at.actor, name))
    desk.done(f"there is no route {name} any more", {"removed": name})


@route.command()
@click.argument("address")
@click.option(
    "--from", "sender", metavar="SENDER", help="Whom it is from; <>: a notice."
)
@click.option("--account", help="Who submits it; without: a stranger, by port 25.")
@pass_desk
def explain(desk: Desk, address: str, sender: str | None, account: str | None) -> None:
    """Tell where mail for ADDRESS goes, by which rule, and why."""
    with desk.open() as at:
        told = at.do(
            at.administration.routes.explain(at.actor, address, sender, account)
        )
    desk.facts(_facts(told, account))


def _value(key: str, written: str) -> object:
    value = value_of(written)
    if key in LISTS and not isinstance(value, list):
        return [value]
    return value


def _row(route: Route) -> Row:
    return {
        "route": route.name,
        "from": route.origin,
        "recipient": [one.text for one in route.recipients],
        "sender": [one.text for one in route.senders],
        "account": [one.text for one in route.accounts],
        "mode": "also" if route.is_also else "instead",
        "to": say_target(route.target),
    }


def _facts(told: Explanation, account: str | None) -> Row:
    instead, routed = told.choice.instead, told.routed
    facts: dict[str, Value] = {
        "address": str(told.address),
        "asked_by": account or "a stranger, by port 25",
        "rule": "none" if instead is None else instead.route.name,
        "stands_in": None if instead is None else instead.route.origin,
        "why": _why(told),
        "target": _target(told),
        "also": list(map(_say_copy, _also(told))),
        "passed_over": [
            f"{one.route.name} ({_passed_over(told, one)})"
            for one in told.matches
            if one is not instead and not one.route.is_also
        ],
        "result": "taken",
        "next_hops": [],
    }
    if told.problem is not None:
        facts["result"] = str(reply_for(told.problem))
    if routed is not None:
        facts["next_hops"] = list(dict.fromkeys(str(one.hop) for one in routed.foreign))
    return facts


def _say_copy(match: Match) -> str:
    where = say_target(match.route.target)
    return f"{match.route.name}: {where} ({match.why or 'all'})"


def _also(told: Explanation) -> list[Match]:
    """Copies are made of what is taken."""
    return [] if told.routed is None else list(told.choice.also)


def _target(told: Explanation) -> list[str]:
    """Everything that mail goes to but copies."""
    if told.choice.instead is not None:
        return [say_target(told.choice.instead.route.target)]
    if told.routed is None:
        return []
    return [f"account {one.account}" for one in told.routed.local] + [
        _say_foreign(one) for one in told.routed.foreign if not one.is_quiet
    ]


def _say_foreign(foreign: ForeignRecipient) -> str:
    way = f"route {foreign.hop.route}" if foreign.hop.route else "DNS"
    return f"{foreign.path} by {way}"


def _why(told: Explanation) -> str:
    instead = told.choice.instead
    if instead is not None:
        return instead.why or "it is for all mail that leaves"
    domain = told.address.domain
    if told.is_ours:
        return f"{domain} is ours: the directory says who has the address"
    if told.routed is not None:
        return f"{domain} is not ours: DNS says where its mail goes"
    return f"{domain} is not ours, and no route takes its mail from strangers"


def _passed_over(told: Explanation, match: Match) -> str:
    if told.choice.instead is not None:
        return f"{match.why or 'all'} says less"
    if told.is_ours:
        return "it is for mail that leaves"
    return "it is not for strangers"
