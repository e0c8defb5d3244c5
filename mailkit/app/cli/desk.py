"""What every subcommand works with."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from attrs import define, frozen

from mailkit.app.cli.options import Options
from mailkit.app.cli.printed import Row, print_facts, print_rows
from mailkit.app.find import find_config, read_config
from mailkit.app.foundation import Foundation, make_administration, open_foundation
from mailkit.app.privileges import (
    become,
    check_writable,
    is_root,
    look_up,
    make_folder,
)
from mailkit.app.settings import Settings
from mailkit.app.stillreactor import StillReactor
from mailkit.config.reader import Config
from mailkit.config.units import parse_octets, parse_seconds
from mailkit.errors import Refused
from mailkit.net.startlanes import finish
from mailkit.services.admin.actor import Actor
from mailkit.services.admin.administration import Administration

T = TypeVar("T")
P = ParamSpec("P")


@frozen
class Open:
    """What is kept here, and the one way to change who there is."""

    foundation: Foundation
    administration: Administration
    actor: Actor
    settings: Settings

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What it returns; there is no reactor, and nothing that needs one."""
        return finish(coroutine)


@define
class Desk:
    """What the options before the noun say."""

    named: str | None = None
    """The config file, if one was named."""
    as_json: bool = False

    def config(self) -> Config[Settings]:
        """
        The settings that the server has too.

        :raises Refused: if there are none, nor a server to try.
        """
        folder = Path.cwd()
        path = find_config(self.named, os.environ, folder)
        config = read_config(path, os.environ, folder)
        if path is None and not config.settings.data.exists():
            raise Refused(
                f"no mailkit.toml, and no {config.settings.data} of a server to try:"
                " name one with --config, or begin with `mailkit init`"
            )
        return config

    def open(self) -> AbstractContextManager[Open]:
        """`open_with` what the config says, as the server would; it may be running."""
        return open_with(self.config().settings)

    def rows(self, columns: list[str], rows: list[Row]) -> None:
        """Print a table."""
        print_rows(columns, rows, as_json=self.as_json)

    def facts(self, facts: Row) -> None:
        """Print one thing."""
        print_facts(facts, as_json=self.as_json)

    def done(self, words: str, facts: Row) -> None:
        """Say that something was done."""
        if self.as_json:
            print_facts(facts, as_json=True)
        else:
            click.echo(words)


@contextmanager
def open_with(settings: Settings) -> Iterator[Open]:
    """
    Open the data folder, which is made if there is none.

    :raises MailkitError: if that cannot be.
    """
    actor = enter(settings)
    foundation = open_foundation(settings, StillReactor())
    try:
        administration = make_administration(foundation, settings)
        yield Open(foundation, administration, actor, settings)
    finally:
        finish(foundation.close())


def enter(settings: Settings) -> Actor:
    """
    Make the data folder if there is none, and become who the server is; who we were.

    :raises MailkitError: if that cannot be.
    """
    actor = Actor.command(pwd.getpwuid(os.getuid()).pw_name)
    owner = None
    if settings.process.user is not None and is_root():
        owner = look_up(settings.process.user)
    make_folder(settings.data, owner)
    if owner is not None:
        # What is made here, the server has to be able to change.
        become(owner)
    check_writable(settings.data)
    return actor


class OctetsType(click.ParamType[int]):
    """A size on the command line: ``500 MB``."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:  # Any: click's own word for what it was given
        try:
            return parse_octets(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class SecondsType(click.ParamType[float]):
    """A time on the command line: ``2 d``."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:  # Any: as above
        if isinstance(value, float):
            return value
        try:
            return parse_seconds(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def pass_desk(command: Callable[Concatenate[Desk, P], T]) -> Callable[P, T]:
    """Give a command its desk, as the options before the noun say."""

    @wraps(command)
    def with_desk(*args: P.args, **named: P.kwargs) -> T:
        options = click.get_current_context().find_object(Options) or Options()
        return command(Desk(options.named, options.as_json), *args, **named)

    return with_desk
