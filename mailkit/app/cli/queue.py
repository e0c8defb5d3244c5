"""``mailkit queue``: mail that waits to leave."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mailkit.app.cli.desk import Desk, Open, pass_desk
from mailkit.app.cli.late import WholeGroup
from mailkit.app.cli.printed import Row, print_facts, print_rows, say_time
from mailkit.app.freeing import free_claims
from mailkit.config.units import say_about
from mailkit.errors import Refused
from mailkit.model.address import DomainName, fold_domain
from mailkit.model.queueitem import Attempt, QueuedRecipient, QueueItem, Selection
from mailkit.services.admin.names import account_name
from mailkit.services.queue.control import PAGE, QueueControl, Shown
from mailkit.services.queue.control import Progress as Step
from mailkit.services.queue.outcome import say_reply
from mailkit.storage.state.living import Living

_HOST = re.compile(r"\A[^ ]* ?\[[^]]*\]:\d+: ")
"""What words of ours begin with where no host said any."""

LONG = 2000
"""Items from which on a command shows how far it is."""

IS_TRIED = "is tried"
TRIED_NOW = "It is being tried at the moment; what comes of it will stand here."

Work = Callable[[QueueControl, Selection, Step], Coroutine[Any, Any, int]]
Command = Callable[..., None]


@click.group(cls=WholeGroup)
def queue() -> None:
    """Mail that waits to leave: see it, hold it, try it now, take it out."""


def selecting(command: Command) -> Command:
    """Give a command the arguments that say which items it means."""
    for option in (
        click.option("--all", "everything", is_flag=True, help="All of the queue."),
        click.option("--account", default="", help="Those that an account submitted."),
        click.option("--domain", default="", help="Those for a domain."),
        click.argument("ids", nargs=-1, metavar="[ID...]"),
    ):
        command = option(command)
    return command


@queue.command("list")
@click.option("--domain", default="", help="Those for a domain.")
@click.option("--account", default="", help="Those that an account submitted.")
@click.option("--held", is_flag=True, help="Those that are held.")
@click.option("--after", default="", metavar="ID", help="Those that came after it.")
@click.option("--limit", type=click.IntRange(min=1), help="So many at most.")
@pass_desk
def list_items(
    desk: Desk,
    domain: str,
    account: str,
    held: bool,
    after: str,
    limit: int | None,
) -> None:
    """List what waits, the oldest first: an item a message and next hop."""
    selection = _selection((), domain, account, is_held=True if held else None)
    with desk.open() as at:
        pages = _pages(at, selection, after, limit)
        if desk.as_json:
            _print_json(pages, at)
            return
        shown = 0
        for page in pages:
            rows = [_row(item, at.foundation.reactor.seconds()) for item in page]
            print_rows(COLUMNS, rows, as_json=False)
            shown += len(page)
        if not shown:
            click.echo("the queue is empty" if selection == Selection() else "none")


@queue.command()
@click.argument("id", metavar="ID")
@pass_desk
def show(desk: Desk, id: str) -> None:
    """Tell all about an item: its recipients, and every attempt in the peer's words.

    ID is that of an item, or of a message, as its sender was told.
    """
    with desk.open() as at:
        found = at.do(_control(at).show(id))
        now = at.foundation.reactor.seconds()
    if desk.as_json:
        whole = [_whole(one, now) for one in found]
        click.echo(json.dumps(whole, indent=2, ensure_ascii=False))
        return
    for number, one in enumerate(found):
        if number:
            click.echo()
        _print(one, now)


@queue.command()
@selecting
@click.option("--reason", default="", help="Why, in words.")
@pass_desk
def hold(
    desk: Desk,
    ids: tuple[str, ...],
    domain: str,
    account: str,
    everything: bool,
    reason: str,
) -> None:
    """Try items no more until they are released."""
    selection = _chosen(ids, domain, account, everything)
    words = reason or "by an administrator"

    def work(
        control: QueueControl, which: Selection, step: Step
    ) -> Coroutine[Any, Any, int]:
        return control.hold(which, words, step)

    _do(desk, selection, "held", "the rest was held", work)


@queue.command()
@selecting
@pass_desk
def release(
    desk: Desk, ids: tuple[str, ...], domain: str, account: str, everything: bool
) -> None:
    """End holds, also those that senders asked for, and try soon."""
    selection = _chosen(ids, domain, account, everything)
    _do(desk, selection, "released", "the rest was not held", QueueControl.release)


@queue.command()
@selecting
@pass_desk
def retry(
    desk: Desk, ids: tuple[str, ...], domain: str, account: str, everything: bool
) -> None:
    """Try items soon, whatever their next time is; held ones stay held.

    Bulk mail keeps its pace, unless ID names it.
    """
    selection = _chosen(ids, domain, account, everything)
    rest = "the rest is due, being tried, held until it is released, or bulk mail"
    _do(desk, selection, "to be tried", rest, QueueControl.retry)


@queue.command()
@selecting
@pass_desk
def drop(
    desk: Desk, ids: tuple[str, ...], domain: str, account: str, everything: bool
) -> None:
    """Take items out of the queue for good; their senders are not told."""
    selection = _chosen(ids, domain, account, everything)
    _do(desk, selection, "dropped", "the rest is being tried", QueueControl.drop)


@queue.command()
@click.option("--domain", default="", help="Of a domain alone.")
@click.option("--days", default=7, show_default=True, help="Today and those before.")
@pass_desk
def stats(desk: Desk, domain: str, days: int) -> None:
    """Count what became of mail, by day (UTC) and domain."""
    with desk.open() as at:
        found = at.do(_control(at).stats(_domain(domain), days))
    if not found and not desk.as_json:
        click.echo("no mail in that time")
        return
    desk.rows(
        ["day", "domain", "accepted", "delivered", "deferred", "bounced", "median"],
        [
            {
                "day": one.day,
                "domain": one.domain,
                "accepted": one.accepted,
                "delivered": one.delivered,
                "deferred": one.deferred,
                "bounced": one.bounced,
                "median": one.median if desk.as_json else _say_span(one.median),
            }
            for one in found
        ],
    )


# -- which items


def _control(at: Open) -> QueueControl:
    if not at.settings.relay.enabled:
        raise Refused("this server sends no mail: [relay] enabled is false")
    here = at.foundation
    return QueueControl(here.queue, here.events, here.reactor, at.actor.who)


def _domain(text: str) -> DomainName | None:
    return fold_domain(text) if text else None


def _selection(
    ids: tuple[str, ...], domain: str, account: str, is_held: bool | None = None
) -> Selection:
    return Selection(
        ids=ids,
        domain=_domain(domain),
        account=account_name(account) if account else None,
        is_held=is_held,
    )


def _chosen(
    ids: tuple[str, ...], domain: str, account: str, everything: bool
) -> Selection:
    """What a command that changes something means; never all by mistake."""
    if everything == bool(ids or domain or account):
        raise click.UsageError(
            "either name items or give --domain or --account, or else --all"
        )
    return _selection(ids, domain, account)


def _pages(
    at: Open, selection: Selection, after: str, limit: int | None
) -> Iterator[Sequence[QueueItem]]:
    control = _control(at)
    left = limit
    while left is None or left > 0:
        most = PAGE if left is None else min(PAGE, left)
        page = at.do(control.page(selection, after, most))
        if page:
            yield page
        if len(page) < most:
            return
        after = page[-1].id
        left = None if left is None else left - len(page)


# -- long work


def _do(desk: Desk, selection: Selection, done: str, rest: str, work: Work) -> None:
    """
    Do something to all of a selection, and say to how many.

    :param rest: why it was not done to all.
    """
    with desk.open() as at:
        control = _control(at)
        _free_claims(at)
        total = at.do(control.count(selection))
        with _progress(total, done) as step:
            count = at.do(work(control, selection, step))
    what = "1 item" if count == 1 else f"{count} items"
    more, why = (f" of {total}", f"; {rest}") if count < total else ("", "")
    desk.done(f"{what}{more} {done}{why}", {"items": count, "of": total})


def _free_claims(at: Open) -> None:
    """What a server was at that was killed is nobody's, also while none is there."""
    here = at.foundation
    living = Living(str(at.settings.data / "run"))
    at.do(free_claims(living, here.queue, here.lanes, here.reactor.seconds()))


@contextmanager
def _progress(total: int, words: str) -> Iterator[Step]:
    """A bar on the terminal, for those who would wait otherwise."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    is_wanted = console.is_terminal and total >= LONG
    with Progress(*columns, console=console, disable=not is_wanted) as bar:
        task = bar.add_task(words, total=total)
        yield partial(bar.advance, task)


# -- in words

COLUMNS = ["id", "arrived", "from", "to", "size", "tries", "next_try", "state", "reply"]


def _row(item: QueueItem, now: float) -> Row:
    waiting = item.waiting
    first = str(waiting[0].path) if waiting else ""
    more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
    return {
        "id": item.id,
        "arrived": say_time(item.arrived),
        "from": f"<{item.envelope.reverse_path}>",
        "to": f"{first}{more}",
        "size": say_about(item.size),
        "tries": item.attempts,
        "next_try": say_time(_next_try(item)),
        "state": _state(item, now),
        "reply": _reply(waiting[0]) if waiting else "",
    }


def _next_try(item: QueueItem) -> float | None:
    return None if item.held else max(item.next_try, item.hold_until or 0.0)


def _state(item: QueueItem, now: float) -> str:
    if item.held:
        return f"held: {item.held}"
    if (item.hold_until or 0.0) > now:
        return "held until then"
    if (item.claimed_until or 0.0) > now:
        return IS_TRIED
    return "due" if item.next_try <= now else "waits"


def _reply(one: QueuedRecipient) -> str:
    """What was last heard of a recipient, and from whom."""
    said = say_reply(one.status, _plain(one.words, one.host))
    return f"{one.host}: {said}" if one.host else said


def _plain(words: str, host: str) -> str:
    """A reply, without the host where that has a column of its own."""
    return _HOST.sub("", words, count=1) if host else words


def _facts(item: QueueItem, now: float) -> Row:
    return {
        "id": item.id,
        "message_id": item.message_id,
        "subject": item.subject,
        "from": f"<{item.envelope.reverse_path}>",
        "account": item.account or "",
        "next_hop": str(item.hop),
        "arrived": say_time(item.arrived),
        "size": item.size,
        "state": _state(item, now),
        "next_try": say_time(_next_try(item)),
        "attempts": item.attempts,
        "sealed": item.is_sealed,
        "require_tls": item.require_tls,
        "rate": item.rate,
    }


def _recipient(one: QueuedRecipient) -> Row:
    return {
        "recipient": str(one.path),
        "fate": one.fate.value,
        "status": one.status,
        "words": _plain(one.words, one.host),
        "host": one.host,
    }


def _attempt(one: Attempt) -> Row:
    return {
        "began": say_time(one.began),
        "took": round(one.took, 3),
        "host": one.host,
        "address": one.address,
        "tls": one.tls,
        "words": one.words,
    }


def _print_json(pages: Iterator[Sequence[QueueItem]], at: Open) -> None:
    """One list, printed as it is read: it may be long."""
    now = at.foundation.reactor.seconds()
    between = "["
    for page in pages:
        for item in page:
            whole = {**_facts(item, now), "recipients": _recipients(item)}
            click.echo(f"{between}\n{json.dumps(whole, ensure_ascii=False)}", nl=False)
            between = ","
    click.echo("[]" if between == "[" else "\n]")


def _recipients(item: QueueItem) -> list[Row]:
    return [_recipient(one) for one in item.recipients]


def _whole(shown: Shown, now: float) -> dict[str, object]:
    attempts = [
        {
            **_attempt(one),
            "reports": [
                {
                    "recipient": str(report.path),
                    "fate": report.fate.value,
                    "status": report.status,
                    "words": report.words,
                }
                for report in one.reports
            ],
        }
        for one in shown.attempts
    ]
    item = shown.item
    facts: Row = (
        {"id": shown.id, "state": "gone"} if item is None else _facts(item, now)
    )
    recipients = [] if item is None else _recipients(item)
    return {**facts, "recipients": recipients, "tried": attempts}


def _print(shown: Shown, now: float) -> None:
    item = shown.item
    is_tried = False
    if item is None:
        print_facts({"id": shown.id, "state": "gone"}, as_json=False)
    else:
        facts = _facts(item, now)
        is_tried = facts["state"] == IS_TRIED
        print_facts({**facts, "next_try": "now"} if is_tried else facts, as_json=False)
        click.echo()
        columns = ["recipient", "fate", "status", "words", "host"]
        print_rows(columns, _recipients(item), as_json=False)
    if shown.attempts:
        _print_attempts(shown.attempts)
    if is_tried:
        click.echo(f"\n{TRIED_NOW}")


def _print_attempts(attempts: Sequence[Attempt]) -> None:
    click.echo()
    rows: list[Row] = []
    for one in attempts:
        attempt = _attempt(one)
        said = [
            f"<{report.path}> {report.fate.value}: "
            + say_reply(report.status, _plain(report.words, one.host))
            for report in one.reports
        ]
        ours = [_plain(one.words, one.host)] if one.words or not said else []
        for number, words in enumerate(said + ours):
            top = attempt if not number else dict.fromkeys(attempt, "")
            rows.append({**top, "reply": words})
    columns = ["began", "took", "host", "address", "tls", "reply"]
    print_rows(columns, rows, as_json=False)


def _say_span(seconds: float | None) -> str | None:
    """``3.2 s``, ``12 min``, ``5.4 h``."""
    if seconds is None:
        return None
    if seconds < 100:
        return f"{seconds:.1f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
