"""``mailkit doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import sys
import time
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.text import Text
from twisted.internet import reactor as twisted_reactor
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailkit.app.cli.desk import Desk, Open, pass_desk
from mailkit.app.cli.printed import say
from mailkit.app.doctor.outside import free_on, greet, time_of
from mailkit.app.doctor.ports import look_at_ports
from mailkit.app.nameserver import mail_host, tlsa_of
from mailkit.app.outbound import policy_fetch
from mailkit.app.settings import Settings
from mailkit.errors import NoSuchDomain, Unavailable
from mailkit.formats.dnsrecords import MailHost
from mailkit.metrics import Metrics
from mailkit.model.address import a_labels, fold_domain
from mailkit.net.resolver.resolver import Resolver
from mailkit.services.doctor.examining import Doctor
from mailkit.services.doctor.finding import Finding, State, unknown
from mailkit.services.doctor.machine import (
    Greeting,
    judge_clock,
    judge_disk,
    judge_port_25,
)
from mailkit.services.together import each, together
from mailkit.services.zones import DirectoryZones

T = TypeVar("T")

MACHINE = "this server"
AT_ONCE = 8
"""Domains that are asked about at the same time: where DNS is silent, it takes long."""
Found = list[tuple[str, Finding]]
"""Domain, or `MACHINE`, and what was found of it."""

_COLOURS = {
    State.GOOD: "green",
    State.NOTE: "yellow",
    State.UNKNOWN: "red",
    State.WRONG: "bold red",
}


@click.command()
@click.argument("name", metavar="[DOMAIN]", default="")
@pass_desk
def doctor(desk: Desk, name: str) -> None:
    """Look at DOMAIN, or at all of ours, as other servers see it.

    DNS is compared with what `mailkit domain dns` prints, the certificates of our
    ports, the way out, blocklists, clock and disk are looked at. For each: ok, or what
    is wrong and the next step. "note" is no fault. Status 1: something is wrong, or
    could not be looked at.
    """
    with desk.open() as at:
        settings = at.settings
        host = mail_host(settings, tlsa_of(_certificate(settings)))
        found = [
            *_ask(at, host, name),
            *((MACHINE, finding) for finding in _look_here(settings)),
        ]
    if desk.as_json:
        desk.rows([], [_row(where, finding) for where, finding in found])
    else:
        _print(found)
    if any(finding.state.is_bad for _, finding in found):
        sys.exit(1)


# -- what is looked at


def _ask(at: Open, host: MailHost, name: str) -> Found:
    """What needs the reactor, which runs for as long as this takes."""
    reactor: Any = twisted_reactor  # it has no type of its own
    settings = at.settings
    directory, keys = at.foundation.directory, at.foundation.keys
    domains = [_labels(name)] if name else []
    for domain in domains or [one.name for one in at.do(directory.domains())]:
        # Keys are made where there are none yet, as by `domain dns`.
        at.do(at.administration.domains.keys(at.actor, domain))
    zones = DirectoryZones(directory, lambda: host, keys)
    resolver = Resolver(reactor, settings.dns, Metrics())
    examining = Doctor(resolver, policy_fetch(settings, reactor, resolver), host)

    async def ask() -> tuple[Found, list[tuple[str, str]]]:
        others = settings.doctor.reach if settings.relay.enabled else ()
        found, of_host, listed, hosts = await together(
            ask_of(domains or await zones.origins()),
            examining.host(),
            examining.blocklists(settings.doctor.blocklists),
            examining.exchangers(others),
        )
        await resolver.close()
        return [*found, *((MACHINE, one) for one in (*of_host, *listed))], hosts

    async def ask_of(domains: Sequence[str]) -> Found:
        found: Found = []
        for first in range(0, len(domains), AT_ONCE):
            some = domains[first : first + AT_ONCE]
            for several in await each(map(ask_one, some)):
                found += several
        return found

    async def ask_one(domain: str) -> Found:
        ours = await zones.records(domain)
        return [(domain, one) for one in await examining.domain(domain, ours)]

    found, hosts = run(reactor, ask())
    if settings.relay.enabled and settings.doctor.reach:
        found.append((MACHINE, _reach(hosts, settings.relay.port)))
    return found


def run(reactor: Any, coroutine: Coroutine[Any, Any, T]) -> T:
    """
    Run the reactor until a coroutine is done; once in a process.

    :param reactor: Twisted's, which has no type of its own.
    """
    results: list[T] = []
    failures: list[Failure] = []

    def begin() -> None:
        done = Deferred.fromCoroutine(coroutine)
        done.addCallbacks(results.append, failures.append)
        done.addBoth(lambda _: reactor.running and reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run(installSignalHandlers=True)
    for failure in failures:
        failure.raiseException()
    if not results:  # Ctrl-C
        raise click.Abort
    return results[0]


def _reach(hosts: Sequence[tuple[str, str]], port: int) -> Finding:
    tried: list[Greeting] = []
    for host, address in hosts:
        words, is_reached = greet(address, port)
        tried.append(Greeting(host, words, is_reached))
        if is_reached:
            break
    return judge_port_25(port, tried)


def _look_here(settings: Settings) -> list[Finding]:
    """What needs no DNS."""
    found = look_at_ports(settings, lambda: datetime.now(UTC))
    page = settings.doctor.clock
    if page:
        began = time.time()
        try:
            theirs = time_of(page, settings.tls.trust)
        except Unavailable as error:
            step = "see why, or name another page in [doctor] clock"
            found.append(unknown("clock", f"nobody tells the time: {error}", step))
        else:
            # It was told at some moment since then.
            ours = min(max(began, theirs), time.time())
            found.append(judge_clock(ours, theirs, page))
    found.append(judge_disk(str(settings.data), *free_on(settings.data)))
    return found


def _certificate(settings: Settings) -> Path:
    return settings.tls.certificate or settings.data / "tls" / "certificate.pem"


def _labels(name: str) -> str:
    labels = a_labels(fold_domain(name))
    if not labels:
        raise NoSuchDomain(f"{name} is no name of a domain")
    return labels


# -- in words


def _row(where: str, finding: Finding) -> dict[str, str]:
    return {
        "of": where,
        "subject": finding.subject,
        "state": finding.state.value,
        "words": finding.words,
        "next_step": finding.next_step,
    }


def _print(found: Found) -> None:
    console = Console(highlight=False)
    last = ""
    for where, finding in found:
        if where != last:
            console.print(Text(f"{chr(10) if last else ''}{where}", style="bold"))
            last = where
        state = finding.state
        line = Text("  ")
        line.append(f"{state.value:<8}", style=_COLOURS[state])
        line.append(f"{finding.subject}: ", style="bold")
        line.append(say(finding.words))
        console.print(line, soft_wrap=True)
        if finding.next_step:
            console.print(Text(f"          → {say(finding.next_step)}"), soft_wrap=True)
    counts = {
        state: sum(finding.state is state for _, finding in found) for state in State
    }
    said = ", ".join(
        f"{count} {state.value}" for state, count in counts.items() if count
    )
    console.print(Text(f"\n{said}", style="bold"))
