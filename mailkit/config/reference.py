"""Writes the reference of all settings from their classes.

The words are the strings under the fields, the defaults are the fields' own: the
page cannot tell anything else than what the program does.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from mailkit.config.reader import Network, variable_of
from mailkit.config.units import say_octets, say_seconds


@frozen
class Setting:
    """One key as the reference tells it."""

    key: str
    kind: str
    """What may be written, in words."""
    default: str | None
    """As it would be written in the file; ``None``: there is none."""
    is_required: bool
    meaning: str


@frozen
class Table:
    """A table of the file, or its top; in the order of the classes."""

    name: str
    is_array: bool
    meaning: str
    settings: tuple[Setting, ...]


def describe(settings: type[Any], name: str = "") -> list[Table]:
    """All tables of a settings class, itself first."""
    return list(_tables(settings, name, is_array=False))


def markdown(tables: list[Table]) -> str:
    """The page ``docs/reference/config.md``, below its title."""
    lines: list[str] = []
    for table in tables:
        if table.name:
            brackets = ("[[", "]]") if table.is_array else ("[", "]")
            lines += [f"## `{table.name.join(brackets)}`", "", table.meaning, ""]
        for setting in table.settings:
            lines += [f"### `{setting.key}`", "", setting.meaning, ""]
            lines += [f"* Value: {setting.kind}"]
            if setting.is_required:
                lines += ["* Required"]
            else:
                default = "absent" if setting.default is None else setting.default
                lines += [f"* Default: `{default}`"]
            if not table.is_array:
                lines += [f"* Variable: `{variable_of(setting.key)}`"]
            lines += [""]
    return "\n".join(lines)


def commented_toml(tables: list[Table]) -> str:
    """A file that says all defaults, every line of it explained."""
    lines: list[str] = []
    for table in tables:
        if table.name:
            brackets = ("#[[", "]]") if table.is_array else ("[", "]")
            lines += [*_comment(table.meaning), table.name.join(brackets), ""]
        for setting in table.settings:
            name = setting.key.rpartition(".")[2]
            lines += [*_comment(setting.meaning), *_comment(f"({setting.kind})")]
            is_set = setting.default is not None and not setting.is_required
            is_off = table.is_array or not is_set
            value = setting.default if is_set else "…"
            lines += [f"{'#' if is_off else ''}{name} = {value}", ""]
    return "\n".join(lines)


def words_under_fields(settings: type[Any]) -> dict[str, str]:
    """The string that stands under each field of a class."""
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(settings))).body
    assert isinstance(node, ast.ClassDef)
    words: dict[str, str] = {}
    name = ""
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)):
                pass
            case ast.Expr(value=ast.Constant(value=str(text))) if name:
                words[name] = inspect.cleandoc(text)
                name = ""
            case _:
                name = ""
    return words


def _tables(settings: type[Any], name: str, *, is_array: bool) -> Iterator[Table]:
    words = words_under_fields(settings)
    hints = get_type_hints(settings, include_extras=True)
    prefix = f"{name}." if name else ""
    rows: list[Setting] = []
    below: list[Table] = []
    for field in attrs.fields(settings):
        hint = hints[field.name]
        key = prefix + field.name
        element = get_args(hint)[0] if get_origin(hint) is tuple else hint
        if attrs.has(element):
            below += _tables(element, key, is_array=element is not hint)
            continue
        is_required = field.default is attrs.NOTHING
        default = None if is_required else _written(hint, _default(field))
        meaning = words.get(field.name, "")
        rows.append(Setting(key, _kind(hint), default, is_required, meaning))
    yield Table(name, is_array, inspect.getdoc(settings) or "", tuple(rows))
    yield from below


def _default(field: attrs.Attribute[Any]) -> object:
    if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]  # annotated as a function, is a class
        return field.default.factory()  # type: ignore[union-attr]  # mypy sees no class
    return field.default


def _kind(hint: Any) -> str:
    if hint == Network:
        return "network"
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _AMOUNTS[arguments[1].counts]
    if origin is Literal:
        return ", ".join(f'`"{one}"`' for one in arguments[:-1]) + (
            f' or `"{arguments[-1]}"`'
        )
    if origin is tuple:
        return f"list of {_kind(arguments[0])}s"
    if origin in (Union, UnionType):
        return _kind(next(one for one in arguments if one is not NoneType))
    return _KINDS[hint]


_AMOUNTS = {"octets": 'size, such as `"50 MiB"`', "seconds": 'time, such as `"4 h"`'}
_KINDS = {str: "text", int: "whole number", bool: "`true` or `false`", Path: "path"}


def _written(hint: Any, value: object) -> str | None:
    if value is None:
        return None
    if get_origin(hint) in (Union, UnionType) and hint != Network:
        hint = next(one for one in get_args(hint) if one is not NoneType)
    if isinstance(value, tuple):
        element = get_args(hint)[0]
        return "[" + ", ".join(str(_written(element, one)) for one in value) + "]"
    if get_origin(hint) is Annotated:
        say: Any = say_octets if get_args(hint)[1].counts == "octets" else say_seconds
        return f'"{say(value)}"'
    if isinstance(value, bool | int):
        return str(value).lower()
    return f'"{value}"'


def _comment(text: str) -> list[str]:
    plain = text.replace("`", "").replace("\n", " ")
    return [f"# {line}" for line in textwrap.wrap(plain, 76)]
