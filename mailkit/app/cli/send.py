"""``mailkit send``: one message to many, each their own."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from twisted.internet import reactor

from mailkit.app.assemble import House, open_house
from mailkit.app.cli.account import is_terminal
from mailkit.app.cli.desk import Desk, enter, pass_desk
from mailkit.app.cli.printed import Row, print_facts, print_rows, say_time
from mailkit.app.sendings import make_sendings_house, warnings
from mailkit.app.settings import Settings
from mailkit.config.units import say_about
from mailkit.errors import Refused, Unavailable
from mailkit.formats import compose
from mailkit.metrics import Metrics
from mailkit.model.sending import Rate
from mailkit.net.gatheringlanes import GatheringLanes
from mailkit.net.startlanes import finish
from mailkit.services.sendings.order import Order
from mailkit.services.sendings.plan import Plan, make_plan
from mailkit.services.sendings.putting import Putting
from mailkit.services.sendings.rows import read_address, read_rows
from mailkit.services.sendings.template import Template

LONG = 200
"""Rows from which on the command shows how far it is."""

MOST_ATTACHED = 25 * 1000 * 1000
"""Octets of all attached files: most hosts take no more in one message."""

_SHOWN = 20
_BASE64 = re.compile(r"([\w+/]{76}\r\n)(?:[\w+/]{76}\r\n){3,}([\w+/=]+\r\n)", re.A)
"""Lines of a file in a message, but for short ones."""


class Stopped(Unavailable):
    """Somebody pressed Ctrl-C; the text says how to go on."""


class RateType(click.ParamType[Rate]):
    """A pace on the command line: ``300/h``."""

    name = "rate"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Rate:
        if isinstance(value, Rate):
            return value
        rate = Rate.parse(str(value))
        if rate is None:
            self.fail(f"expects a rate such as 300/h or 5/s, not {value!r}")
        return rate


_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--from", "sender", required=True, metavar="ADDRESS", help="Who sends.")
@click.option(
    "--to",
    "table",
    required=True,
    type=_file,
    metavar="FILE.csv",
    help="Who gets it: a line of column names, one of them email, then a row each.",
)
@click.option(
    "--template",
    required=True,
    type=_file,
    metavar="FILE.eml.j2",
    help="The message: fields, an empty line, text; {{ name }} is the column name.",
)
@click.option("--rate", type=RateType(), help="So many at most: 300/h, 5/s, 2000/d.")
@click.option(
    "--attach",
    type=_file,
    multiple=True,
    metavar="FILE",
    help="Attach a file; may be given again.",
)
@click.option(
    "--name", default="", help="What the sending is called; else as the template is."
)
@click.option(
    "--skip-suppressed", is_flag=True, help="Leave suppressed addresses out, unasked."
)
@click.option("--yes", is_flag=True, help="Begin without asking.")
@click.option("--dry-run", is_flag=True, help="Show the plan and one message; no more.")
@pass_desk
def send(
    desk: Desk,
    sender: str,
    table: Path,
    template: Path,
    rate: Rate | None,
    attach: tuple[Path, ...],
    name: str,
    skip_suppressed: bool,
    yes: bool,
    dry_run: bool,
) -> None:
    """Send a message to everybody in a table, each their own.

    Every row is looked at before anything is sent. What was put into the queue leaves
    by itself, at its rate, also when this command has ended. After a stop run it again
    with the same name: nobody gets the message twice.
    """
    order = read_order(sender, table, template, rate, attach, name)
    settings = desk.config().settings
    with _opened(settings) as whole:
        house = make_sendings_house(whole, settings)
        try:
            with _progress(len(order.rows.rows), "looked at") as step:
                plan = finish(make_plan(house, order, step))
            _tell(desk, plan, warnings(settings))
            if dry_run:
                _tell_example(desk, plan)
                return
            _ask(plan, skip_suppressed, yes)
            put = _put(whole, Putting(house, plan), len(plan.rows))
        except KeyboardInterrupt as error:
            raise Stopped(
                "stopped: what is in the queue leaves all the same, see `mailkit queue"
                f" list`; for the rest call it again with --name {order.name}"
            ) from error
        finally:
            finish(house.sendings.close())
    _tell_result(desk, plan, put)


def read_order(
    sender: str,
    table: Path,
    template: Path,
    rate: Rate | None,
    attach: Sequence[Path],
    name: str,
) -> Order:
    """What the options say. :raises Refused: if a file is not what it should be."""
    files = [(path.name, path.read_bytes()) for path in attach]
    size = sum(len(octets) for _, octets in files)
    if size > MOST_ATTACHED:
        raise Refused(
            f"{say_about(size)} are attached: most hosts take no more than"
            f" {say_about(MOST_ATTACHED)}"
        )
    text = _read(template)
    path = read_address(sender)
    digest = hashlib.sha256(f"{path.address}\0{text}".encode("utf-8", "replace"))
    for file, octets in files:
        digest.update(b"\0%b\0%d\0" % (file.encode("utf-8", "replace"), len(octets)))
        digest.update(octets)
    return Order(
        name=name or _name_of(template),
        sender=path,
        template=Template.read(text),
        rows=read_rows(_read(table)),
        attachments=tuple(
            compose.attachment(file, mimetypes.guess_type(file)[0] or "", octets)
            for file, octets in files
        ),
        digest=digest.hexdigest(),
        rate=rate,
    )


def _read(path: Path) -> str:
    octets = path.read_bytes()
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"{path}, line {line}: that is not UTF-8; save the file in that encoding"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _name_of(template: Path) -> str:
    """``spring`` of ``Spring.eml.j2``."""
    stem = template.name.partition(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:40] or "sending"


@contextmanager
def _opened(settings: Settings) -> Iterator[House]:
    """All that a server has: what a sending is put together with, too."""
    enter(settings)
    house = open_house(settings, reactor, Metrics())
    try:
        yield house
    finally:
        finish(house.close())


def _put(house: House, putting: Putting, count: int) -> int:
    lanes = GatheringLanes()
    house.lanes.start(lanes)
    with _progress(count, "put into the queue") as step:
        return lanes.finish(putting.run(step))


def _ask(plan: Plan, skip_suppressed: bool, yes: bool) -> None:
    """:raises Refused: if nobody says that it may begin."""
    count = len(plan.suppressed)
    if count and not skip_suppressed:
        question = f"Leave out {_many(count, 'suppressed address')} and go on?"
        if not is_terminal():
            raise Refused(
                f"{_many(count, 'address')} of the table may get no bulk mail:"
                " --skip-suppressed leaves them out"
            )
        if not click.confirm(question, err=True):
            raise Refused("nothing is sent")
    question = f"Send {_many(len(plan.rows), 'message')}?"
    is_asked = plan.rows and not yes and is_terminal()
    if is_asked and not click.confirm(question, err=True):
        raise Refused("nothing is sent")


def _many(count: int, what: str) -> str:
    if count == 1:
        return f"1 {what}"
    return f"{count} {what}es" if what.endswith("s") else f"{count} {what}s"


@contextmanager
def _progress(total: int, words: str) -> Iterator[Callable[[int], object]]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    is_wanted = console.is_terminal and total >= LONG
    with Progress(*columns, console=console, disable=not is_wanted) as bar:
        yield partial(bar.advance, bar.add_task(words, total=total))


# -- in words


def _tell(desk: Desk, plan: Plan, warned: Sequence[str]) -> None:
    for words in warned:
        click.echo(f"mailkit: {words}", err=True)
    if not plan.is_heard:
        sender = plan.order.sender
        click.echo(f"mailkit: nobody has {sender}: answers to it go back", err=True)
    for entry in plan.suppressed[:_SHOWN]:
        words = f"{entry.cause.value}, {say_time(entry.since)}: {entry.reason}"
        click.echo(f"suppressed: {entry.address} ({words.rstrip(': ')})", err=True)
    if len(plan.suppressed) > _SHOWN:
        more = len(plan.suppressed) - _SHOWN
        click.echo(f"suppressed: and {more} more", err=True)
    if not desk.as_json:
        print_facts(_facts(plan), as_json=False)


def _tell_example(desk: Desk, plan: Plan) -> None:
    example = plan.example.decode("utf-8", "replace")
    if desk.as_json:
        facts = {**_facts(plan), "put": 0, "example": example}
        print_facts(facts, as_json=True)
    else:
        click.echo(f"\n{_BASE64.sub(_shorten, example)}", nl=False)


def _shorten(lines: re.Match[str]) -> str:
    """What nobody reads of an attached file."""
    more = lines[0].count("\n") - 2
    return f"{lines[1]}[{more} more lines]\r\n{lines[2]}"


def _facts(plan: Plan) -> Row:
    finishes = plan.finishes
    return {
        "sending": plan.order.name,
        "from": str(plan.order.sender),
        "messages": len(plan.rows),
        "put_before": plan.put_before,
        "suppressed": len(plan.suppressed),
        "size": say_about(plan.octets),
        "rate": str(plan.order.rate or "as fast as it goes"),
        "begins": say_time(plan.begins),
        "finishes": "as soon as it goes" if finishes is None else say_time(finishes),
    }


def _tell_result(desk: Desk, plan: Plan, put: int) -> None:
    if desk.as_json:
        print_facts({**_facts(plan), "put": put}, as_json=True)
        return
    click.echo()
    again = len(plan.rows) - put
    counts = [
        ("put into the queue", put),
        ("were there already", plan.put_before + again),
        ("left out: suppressed", len(plan.suppressed)),
    ]
    rows: list[Row] = [{"messages": what, "count": count} for what, count in counts]
    print_rows(["messages", "count"], rows, as_json=False)
