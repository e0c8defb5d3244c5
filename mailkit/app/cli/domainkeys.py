"""``mailkit domain keys``: what mail of a domain is signed with."""

from __future__ import annotations

from collections.abc import Sequence

import click

from mailkit.app.cli.desk import Desk, SecondsType, pass_desk
from mailkit.app.cli.printed import Row, say_time
from mailkit.interfaces.keys import DomainKey
from mailkit.services.admin.domains import ROTATED_AFTER


@click.command("keys")
@click.argument("name", metavar="DOMAIN")
@click.argument("action", type=click.Choice(["list", "rotate"]), default="list")
@click.option(
    "--wait",
    type=SecondsType(),
    default=ROTATED_AFTER,
    show_default="2 d",
    help="How long until new keys sign: their records have to be in DNS by then.",
)
@pass_desk
def keys(desk: Desk, name: str, action: str, wait: float) -> None:
    """
    List the DKIM keys of DOMAIN, or rotate them.

    Rotating makes new keys. Publish their records (`mailkit domain dns DOMAIN`); after
    two days they sign, and the old ones stop. Their records may go when they are no
    longer listed.
    """
    with desk.open() as at:
        domains = at.administration.domains
        if action == "rotate":
            found = at.do(domains.rotate(at.actor, name, wait))
        else:
            found = at.do(domains.keys(at.actor, name))
        now = at.foundation.reactor.seconds()
    desk.rows(
        ["record", "algorithm", "made", "state", "until", "text"], _rows(found, now)
    )


def _rows(keys: Sequence[DomainKey], now: float) -> list[Row]:
    return [
        {
            "record": key.name,
            "algorithm": key.algorithm,
            "made": say_time(key.made),
            "state": _state(key, now),
            "until": _until(key, now),
            "text": key.record,
        }
        for key in keys
    ]


def _state(key: DomainKey, now: float) -> str:
    if now < key.signs_from:
        return "to be published"
    if key.signs_until is not None and now >= key.signs_until:
        return "to be kept in DNS"
    return "signs"


def _until(key: DomainKey, now: float) -> str | None:
    """When that state ends."""
    if now < key.signs_from:
        return say_time(key.signs_from)
    if key.signs_until is None or key.published_until is None:
        return ""
    return say_time(key.signs_until if now < key.signs_until else key.published_until)
