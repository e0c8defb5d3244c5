"""What the command prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailkit.config.units import say_about

Value = str | int | float | bool | Sequence[str] | None
Row = Mapping[str, Value]

WIDE = 10_000
"""Columns of what is no terminal: nothing is folded or cut for a program."""


def print_rows(columns: Sequence[str], rows: Sequence[Row], *, as_json: bool) -> None:
    """
    Print a table; each row has a value for each column.

    As JSON: a list of objects, with every value that a row has.
    """
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(say(row[column])) for column in columns))
    _print(table)


def print_facts(facts: Row, *, as_json: bool) -> None:
    """Print one thing: a line a fact, or one JSON object."""
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), Text(say(value)))
    _print(table)


def say(value: Value) -> str:
    """A value in words, without anything that would move a terminal's cursor."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        text = str(value)
    else:
        text = ", ".join(value) or "-"
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def say_time(seconds: float | None) -> str | None:
    """``2026-11-21 10:45:30Z``."""
    if seconds is None:
        return None
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"


def say_quota(quota: int | None, default: int) -> str:
    """A quota as people ask for it."""
    octets = default if quota is None else quota
    text = say_about(octets) if octets else "unlimited"
    return f"{text} (default)" if quota is None else text


def _print(table: Table) -> None:
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    wide = Console(highlight=False, width=WIDE)
    with wide.capture() as captured:
        wide.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
