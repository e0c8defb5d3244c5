"""Accounts from a CSV file: ``address,password[,quota]``, a header line or not.

The whole file is read and checked before anything is made, so that a mistake in line
900 does not leave 899 accounts. What is there already is passed over, so that a file
may be given again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

from attrs import define, field, frozen

from mailkit.config.units import parse_octets
from mailkit.errors import AlreadyExists, Refused
from mailkit.services.admin.accounts import Accounts, NewAccount
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.names import account_name
from mailkit.services.passwords.passwords import Kept


class BadImport(Refused):
    """Lines of the file are wrong, and nothing was made."""

    def __init__(self, problems: Iterable[tuple[int, str]]) -> None:
        self.problems = tuple(problems)
        """Each with the number of its line."""
        said = [f"line {line}: {problem}" for line, problem in self.problems[:20]]
        if len(self.problems) > 20:
            said.append(f"and {len(self.problems) - 20} more")
        super().__init__("\n".join(said))


@define
class Imported:
    """What became of a file."""

    made: list[str] = field(factory=list)
    passed_over: list[str] = field(factory=list)
    """Accounts that were there already."""


@frozen
class _Row:
    line: int
    new: NewAccount


async def import_accounts(
    accounts: Accounts, actor: Actor, lines: Iterable[str]
) -> Imported:
    """
    Make the accounts of a file.

    :param lines: its text, as `csv.reader` takes it.
    :raises BadImport: if any line is wrong; nothing is made then.
    """
    rows, problems = _read(lines)
    imported = Imported()
    wanted: list[tuple[NewAccount, Kept]] = []
    for row in rows:
        try:
            await accounts.check_new(actor, row.new)
            wanted.append((row.new, await accounts.keep(row.new)))
        except AlreadyExists:
            imported.passed_over.append(row.new.name)
        except Refused as error:
            problems.append((row.line, str(error)))
    if problems:
        raise BadImport(sorted(problems))
    for new, kept in wanted:
        await accounts.add_imported(actor, new, kept)
        imported.made.append(new.name)
    return imported


def _read(lines: Iterable[str]) -> tuple[list[_Row], list[tuple[int, str]]]:
    rows: list[_Row] = []
    problems: list[tuple[int, str]] = []
    seen: set[str] = set()
    reader = csv.reader(lines, skipinitialspace=True)
    try:
        for fields in reader:
            line = reader.line_num
            if not fields or fields[0].startswith("#"):
                continue
            if line == 1 and fields[0].lower() in ("address", "account"):
                continue
            try:
                new = _account_of(fields)
                if new.name in seen:
                    raise Refused(f"{new.name} is there twice")
            except Refused as error:
                problems.append((line, str(error)))
            else:
                seen.add(new.name)
                rows.append(_Row(line, new))
    except csv.Error as error:
        problems.append((reader.line_num, f"not CSV: {error}"))
    return rows, problems


def _account_of(fields: list[str]) -> NewAccount:
    if not 2 <= len(fields) <= 3:
        raise Refused("expects address,password or address,password,quota")
    text, password = fields[:2]
    quota = fields[2].strip() if len(fields) == 3 else ""
    if not password:
        raise Refused("the password is empty")
    try:
        octets = parse_octets(quota) if quota else None
    except ValueError as error:
        raise Refused(f"the quota {error}") from error
    return NewAccount(account_name(text), password, quota=octets)
