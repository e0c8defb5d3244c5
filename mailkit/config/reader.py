"""TOML turned into settings classes; each complaint names the key and the line.

A settings class is a frozen attrs class: a field is a key, its default is used where
the key is absent, a field that is such a class itself is a table. Everything else
follows from the annotations: ``str``, ``int``, ``bool``, `Octets`, `Seconds`,
``Path``, networks, ``Literal`` for a choice, ``tuple[X, ...]`` for a list, and
``X | None`` for what may be absent.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import attrs
from attrs import frozen

from mailkit.config.lines import find_lines
from mailkit.config.units import Unit, parse_octets, parse_seconds
from mailkit.errors import Refused

S = TypeVar("S")
Network = IPv4Network | IPv6Network
"""``192.0.2.0/24``, ``2001:db8::/32``, or one address."""

PREFIX = "MAILKIT_"


class Misconfigured(Refused):
    """A setting is wrong; ``str`` is the one line that an administrator needs."""

    def __init__(self, source: str, line: int | None, key: str, problem: str) -> None:
        self.source = source
        self.line = line
        self.key = key
        self.problem = problem
        where = source if line is None else f"{source}:{line}"
        super().__init__(": ".join(part for part in (where, key, problem) if part))


class WrongKeyError(ValueError):
    """
    What a settings class raises where one key of it does not go with the others.

    :param key: the name of the field.
    """

    def __init__(self, key: str, problem: str) -> None:
        self.key = key
        super().__init__(problem)


@frozen
class Source:
    """Where settings came from, to say so when one of them turns out wrong."""

    path: Path | None
    """The file; ``None`` if there is none."""
    text: str
    variables: frozenset[str]
    """Keys whose values came from the environment."""

    def misconfigured(self, key: str, problem: str) -> Misconfigured:
        """The error to raise because of the value of ``key``."""
        if key in self.variables:
            return Misconfigured(variable_of(key), None, key, problem)
        name = str(self.path) if self.path else "mailkit"
        lines = find_lines(self.text)
        place = key
        while place and place not in lines:
            place = place.rpartition(".")[0]
        return Misconfigured(name, lines.get(place), key, problem)


@frozen
class Config(Generic[S]):
    """Settings and where they came from."""

    settings: S
    source: Source
    strays: tuple[str, ...]
    """Variables named like ours that no setting goes by: worth a warning."""


def read(
    settings: type[S],
    text: str,
    path: Path | None,
    environment: Mapping[str, str],
    folder: Path,
) -> Config[S]:
    """
    Settings from a file's text and from variables, which win.

    :param path: the file's name for complaints; ``None`` if there is none.
    :param folder: what relative paths are relative to.
    :raises Misconfigured: at the first thing that is wrong.
    """
    source = Source(path, text, frozenset())
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(source, error) from error
    named, strays = _variables(settings, environment)
    for key, written in named.items():
        _plant(tree, key, _value_of(written))
    source = attrs.evolve(source, variables=frozenset(named))
    reading = _Reading(source, folder)
    return Config(reading.table(settings, tree, ""), source, strays)


def read_table(settings: type[S], tree: dict[str, Any], folder: Path) -> S:
    """
    Settings from a table that stands in no file.

    :raises Misconfigured: with the key, and without a line.
    """
    source = Source(None, "", frozenset())
    return _Reading(source, folder).table(settings, tree, "")


def value_of(written: str) -> object:
    """A value written as in TOML, a bare word being a text."""
    return _value_of(written)


def variable_of(key: str) -> str:
    """``listen.smtp`` → ``MAILKIT_LISTEN__SMTP``."""
    return PREFIX + key.replace(".", "__").upper()


def keys_of(settings: type[Any], prefix: str = "") -> list[str]:
    """Every key of a settings class and of the tables in it, as written in words."""
    keys: list[str] = []
    hints = get_type_hints(settings, include_extras=True)
    for field in attrs.fields(settings):
        key = prefix + field.name
        keys.append(key)
        if attrs.has(hints[field.name]):
            keys += keys_of(hints[field.name], f"{key}.")
    return keys


def _variables(
    settings: type[Any], environment: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    known = {variable_of(key): key for key in keys_of(settings)}
    tables = {name + "__" for name in known}
    named: dict[str, str] = {}
    strays: list[str] = []
    for name in sorted(name for name in environment if name.startswith(PREFIX)):
        if name in known:
            named[known[name]] = environment[name]
        elif any(name.startswith(table) for table in tables):
            raise Misconfigured(name, None, "", _unknown(name, list(known)))
        else:
            # Not refused: the name space is not ours alone (orchestrators set
            # MAILKIT_PORT and the like for a service that is called mailkit).
            strays.append(name)
    return named, tuple(strays)


def _value_of(written: str) -> object:
    try:
        tree = tomllib.loads(f"value = {written}")
    except tomllib.TOMLDecodeError:
        return written
    return tree["value"] if len(tree) == 1 else written


def _plant(tree: dict[str, Any], key: str, value: object) -> None:
    *tables, name = key.split(".")
    for table in tables:
        below = tree.setdefault(table, {})
        if not isinstance(below, dict):
            return  # the file's own mistake, which is found when it is read
        tree = below
    tree[name] = value


def _not_toml(source: Source, error: tomllib.TOMLDecodeError) -> Misconfigured:
    problem, _, where = str(error).partition(" (at ")
    match = re.match(r"line (\d+)", where)
    line = int(match[1]) if match else source.text.count("\n") + 1
    return Misconfigured(str(source.path), line, "", f"not TOML: {problem}")


def _unknown(name: str, known: list[str], prefix: str = "") -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return "no such setting" + (f"; did you mean {prefix}{near[0]}?" if near else "")


class _MisfitError(Exception):
    """A value does not fit; turned into `Misconfigured` where the key is known."""


@frozen
class _Reading:
    """One pass over one file."""

    source: Source
    folder: Path

    def table(self, settings: type[S], tree: dict[str, Any], prefix: str) -> S:
        """One settings class from one TOML table."""
        hints = get_type_hints(settings, include_extras=True)
        fields = {
            field.name: field
            for field in attrs.fields(settings)  # type: ignore[arg-type]  # attrs wants AttrsInstance, which no TypeVar can say
        }
        for name in tree:
            if name not in fields:
                problem = _unknown(name, list(fields), prefix)
                raise self.source.misconfigured(prefix + name, problem)
        values: dict[str, object] = {}
        for name, field in fields.items():
            key = prefix + name
            if name in tree:
                values[name] = self._checked(key, field, hints[name], tree[name])
            elif attrs.has(hints[name]):
                values[name] = self.table(hints[name], {}, f"{key}.")
            elif field.default is attrs.NOTHING:
                raise self.source.misconfigured(key, "is missing")
        try:
            return settings(**values)
        except WrongKeyError as error:
            raise self.source.misconfigured(prefix + error.key, str(error)) from error
        except ValueError as error:
            raise self.source.misconfigured(prefix.rstrip("."), str(error)) from error

    def _checked(
        self, key: str, field: attrs.Attribute[Any], hint: Any, raw: object
    ) -> object:
        try:
            value = self._value(key, hint, raw)
            if field.validator is not None:
                field.validator(None, field, value)
        except (_MisfitError, ValueError) as error:
            problem = str(error.args[0]).removeprefix(f"'{field.name}' ")
            raise self.source.misconfigured(key, problem) from error
        return value

    def _value(self, key: str, hint: Any, raw: object) -> object:
        """``raw`` as the annotation ``hint`` wants it. :raises _MisfitError:"""
        if hint == Network:
            return ip_network(_text(raw), strict=False)
        if hint is Path:
            return self.folder / _text(raw)
        if attrs.has(hint):
            if not isinstance(raw, dict):
                raise _MisfitError(f"expects a table, not {_name_of(raw)}")
            return self.table(hint, raw, f"{key}.")
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return _amount(arguments[1], raw)
        if origin is Literal:
            return _choice(arguments, raw)
        if origin is tuple:
            if not isinstance(raw, list):
                raise _MisfitError(f"expects a list, not {_name_of(raw)}")
            return tuple(
                self._value(f"{key}.{place}", arguments[0], one)
                for place, one in enumerate(raw)
            )
        if origin in (Union, UnionType):
            (present,) = (one for one in arguments if one is not NoneType)
            return self._value(key, present, raw)
        return _PLAIN[hint](raw)


def _text(raw: object) -> str:
    if not isinstance(raw, str):
        raise _MisfitError(f"expects a text, not {_name_of(raw)}")
    return raw


def _number(raw: object) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise _MisfitError(f"expects a whole number, not {_name_of(raw)}")
    return raw


def _switch(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise _MisfitError(f"expects true or false, not {_name_of(raw)}")
    return raw


_PLAIN: dict[type, Callable[[object], object]] = {
    str: _text,
    int: _number,
    bool: _switch,
}


def _amount(unit: Unit, raw: object) -> float:
    parse: Callable[[str], float]
    parse = parse_octets if unit.counts == "octets" else parse_seconds
    if isinstance(raw, str):
        return parse(raw)
    if isinstance(raw, bool) or not isinstance(raw, int | float) or raw < 0:
        return parse(str(raw))
    return parse(str(int(raw))) if unit.counts == "octets" else float(raw)


def _choice(choices: tuple[Any, ...], raw: object) -> object:
    if raw in choices:
        return raw
    allowed = ", ".join(f'"{one}"' for one in choices)
    raise _MisfitError(f"expects one of {allowed}, not {_name_of(raw)}")


_NAMES = {dict: "a table", list: "a list", bool: "true or false", int: "a number"}


def _name_of(raw: object) -> str:
    if isinstance(raw, str):
        return f'"{raw}"'
    return _NAMES.get(type(raw), f"a {type(raw).__name__}")
