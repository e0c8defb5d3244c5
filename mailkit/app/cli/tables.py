"""Tables for people, by rich."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 10_000
"""Columns of what is no terminal: nothing is folded or cut for a program."""


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Cells below the names of their columns."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    _print(table, rows)


def print_pairs(rows: Sequence[Sequence[str]]) -> None:
    """A name and what it stands for, a line each."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    _print(table, rows)


def _print(table: Table, rows: Sequence[Sequence[str]]) -> None:
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(table)
        return
    wide = Console(highlight=False, width=WIDE)
    with wide.capture() as captured:
        wide.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())
