"""The people of a sending: a table with a line of column names, one row each."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from io import StringIO

from attrs import frozen

from mailkit.errors import CannotName, Malformed
from mailkit.model.address import a_labels
from mailkit.model.path import Path
from mailkit.protocols.smtp.limits import DEFAULT_LIMITS
from mailkit.protocols.smtp.parse import read_path
from mailkit.services.admin.names import domain_name
from mailkit.services.sendings.errors import BadRow, BadSending

ADDRESS_COLUMNS = ("email", "e_mail", "mail", "address", "to")
"""Names of the column with addresses; of the first of these that is there."""

_NOT_IN_NAMES = re.compile(r"\W+")
_DELIMITERS = ",;\t"
_LONGEST_SHOWN = 200
_ENDED = "unexpected end of data"
"""How `csv` says that a quotation mark is open."""


@frozen
class Row:
    """One recipient."""

    line: int
    """Where its row ends in the file."""
    path: Path
    values: Mapping[str, str]
    """By column, as a template names them."""


@frozen
class Rows:
    """All of a file."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_rows(text: str) -> Rows:
    """
    Read a table; commas, semicolons or tabs divide its columns.

    :raises BadSending: with all that is wrong with it.
    """
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    problems: list[str] = []
    found: list[Row] = []
    columns: tuple[str, ...] = ()
    seen: dict[object, int] = {}
    at = 0
    line = 0
    try:
        columns, at = _columns(next(reader, []))
        line = reader.line_num
        for cells in reader:
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue  # spreadsheets leave rows of nothing
            try:
                row = _row(line, columns, cells, at)
            except BadRow as error:
                problems.append(f"line {line}: {error}")
                continue
            first = seen.setdefault(row.path.address, line)
            if first != line:
                problems.append(f"line {line}: {row.path} is in line {first} already")
                continue
            found.append(row)
    except csv.Error as error:
        words = str(error)
        if reader.line_num > line + 1 or words == _ENDED:
            words = "a cell begins with a quotation mark, and does not end with one"
        problems.append(f"line {line + 1}: {words}")
    if problems:
        raise BadSending(problems)
    if not found:
        raise BadSending(["there are no rows"])
    return Rows(columns, tuple(found))


def read_address(text: str) -> Path:
    """
    An address as people type it; a domain that is not ASCII as DNS has it.

    :raises BadRow: if it is none.
    """
    try:
        path, rest = read_path(f"<{text.strip()}>", DEFAULT_LIMITS)
        if rest or not path.domain:
            raise BadRow(f"{text!r} is not an address")
        domain = path.domain
        if not domain.startswith("["):
            domain = a_labels(domain_name(domain)) or domain
        return Path(path.local_part, domain)
    except (Malformed, CannotName) as error:
        raise BadRow(f"{text!r} is not an address") from error


def _columns(cells: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The names, and where the address is. :raises BadSending:"""
    columns = tuple(
        _NOT_IN_NAMES.sub("_", cell.strip().lower()).strip("_") for cell in cells
    )
    if not all(columns) or len(set(columns)) < len(columns):
        raise BadSending(
            ["line 1: expects a name for each column, each another, such as email,name"]
        )
    for name in ADDRESS_COLUMNS:
        if name in columns:
            return columns, columns.index(name)
    there = ", ".join(columns)[:_LONGEST_SHOWN] or "none"
    raise BadSending([f"line 1: no column is called email; there are {there}"])


def _row(line: int, columns: Sequence[str], cells: Sequence[str], at: int) -> Row:
    if len(cells) != len(columns):
        raise BadRow(f"{len(cells)} columns instead of {len(columns)}")
    values = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    return Row(line, read_address(cells[at]), values)
