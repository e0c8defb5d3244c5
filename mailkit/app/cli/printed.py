"""What the command prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click

from mailkit.config.units import say_about

Value = str | int | float | bool | Sequence[str] | None
Row = Mapping[str, Value]


def print_rows(columns: Sequence[str], rows: Sequence[Row], *, as_json: bool) -> None:
    """
    Print a table; each row has a value for each column.

    As JSON: a list of objects, with every value that a row has.
    """
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    # Late, as rich takes a tenth of a command's time, and most print no table.
    from mailkit.app.cli.tables import print_table

    names = [column.replace("_", " ") for column in columns]
    print_table(names, [[say(row[column]) for column in columns] for row in rows])


def print_facts(facts: Row, *, as_json: bool) -> None:
    """Print one thing: a line a fact, or one JSON object."""
    if as_json:
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    # Late, as above.
    from mailkit.app.cli.tables import print_pairs

    print_pairs([(name.replace("_", " "), say(one)) for name, one in facts.items()])


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
