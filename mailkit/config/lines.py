"""Finds the line of each key of a TOML text, which ``tomllib`` does not tell."""

from __future__ import annotations

import tomllib
from typing import Any


def find_lines(text: str) -> dict[str, int]:
    """
    Line numbers, from 1, by dotted key; a table stands where its header does.

    An element of an array has its place in the key, from 0: ``tls.also.0.key``.
    ``text`` must be TOML; this is for messages, not for speed.
    """
    found: dict[str, int] = {}
    lengths: dict[str, int] = {}
    table = ""
    lines = text.splitlines()
    first = 0
    while first < len(lines):
        statement, count = _statement(lines[first:])
        line = first + 1
        if lines[first].lstrip().startswith("["):
            table = ""
            for name, below in _chain(statement):
                table += name
                if isinstance(below, list):
                    lengths[table] = lengths.get(table, -1) + 1
                if table in lengths:
                    found.setdefault(table, line)
                    table += f".{lengths[table]}"
                found.setdefault(table, line)
                table += "."
        else:
            _note(found, table, statement, line)
        first += count
    return found


def _statement(lines: list[str]) -> tuple[dict[str, Any], int]:
    """What the shortest run of whole lines that is TOML by itself says."""
    for count in range(1, len(lines)):
        try:
            return tomllib.loads("\n".join(lines[:count])), count
        except tomllib.TOMLDecodeError:
            continue  # a text or an array that goes on below
    return tomllib.loads("\n".join(lines)), len(lines)


def _chain(tree: dict[str, Any]) -> list[tuple[str, object]]:
    """The names in a table's header, each with what it opens."""
    chain: list[tuple[str, object]] = []
    below: Any = tree
    while below:
        ((name, below),) = below.items()
        chain.append((name, below))
        if isinstance(below, list):
            break
    return chain


def _note(found: dict[str, int], prefix: str, tree: Any, line: int) -> None:
    pairs = enumerate(tree) if isinstance(tree, list) else tree.items()
    for name, below in pairs:
        key = f"{prefix}{name}"
        found.setdefault(key, line)
        if isinstance(below, dict | list):
            _note(found, f"{key}.", below, line)
