"""Groups of commands: listed in whole sentences, loaded when they are called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from attrs import frozen

from mailkit.app.garbage import loading

LONGEST = 1000
"""Characters of a summary: all of the first sentence, folded where lines end."""


@frozen
class Late:
    """A command that is not loaded yet."""

    module: str
    """Where it is, by its own name."""
    summary: str
    """The first sentence of its help, for lists of commands."""


class WholeGroup(click.Group):
    """A group that lists its commands by whole sentences, where click cuts them off."""

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(one, self.say(one)) for one in self.list_commands(ctx)]
            )

    def say(self, name: str) -> str:
        """The first sentence of a command's help."""
        return self.commands[name].get_short_help_str(LONGEST)


class LateGroup(WholeGroup):
    """
    A group that knows of some of its commands no more than where they are.

    One needs nothing but the directory, another all that a server has, which takes
    ten times as long to load. Nobody shall wait for what others call.
    """

    def __init__(self, *args: Any, **named: Any) -> None:  # Any: click's own words
        super().__init__(*args, **named)
        self.late: dict[str, Late] = {}
        """Those commands, by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self.commands, *self.late])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        late = self.late.get(cmd_name)
        if late is None:
            return super().get_command(ctx, cmd_name)
        with loading():
            module = import_module(late.module)
        command: click.Command = getattr(module, cmd_name)
        return command

    def say(self, name: str) -> str:
        late = self.late.get(name)
        return super().say(name) if late is None else late.summary
