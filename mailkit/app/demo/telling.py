"""How the story is printed: what happened, then what shows it."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from attrs import define, field
from rich.console import Console
from rich.text import Text

WIDTH = 88
MARGIN = "   "
BAR = "   │ "


@define(eq=False)
class Telling:
    """Prints steps, words and evidence, calmly."""

    console: Console
    _steps: int = field(default=0, init=False)

    def title(self, words: str) -> None:
        """What all of it is about."""
        self.console.print()
        self.console.print(Text(words, style="bold"))

    def step(self, words: str) -> None:
        """The next thing that happens."""
        self._steps += 1
        self.console.print()
        self.console.print(Text(f"{self._steps}  {words}", style="bold"))

    def says(self, words: str) -> None:
        """What happened."""
        lines = wrap(
            words, self._width, initial_indent=MARGIN, subsequent_indent=MARGIN
        )
        for line in lines:
            self.console.print(Text(line), soft_wrap=True)

    def shows(self, lines: Iterable[str]) -> None:
        """What it looked like."""
        for line in lines:
            plain = "".join(one if one.isprintable() else " " for one in line)
            pieces = wrap(
                plain.rstrip(),
                self._width - len(BAR),
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
            )
            for piece in pieces or [""]:
                whole = f"{BAR}{piece}".rstrip()
                self.console.print(Text(whole, style="cyan"), soft_wrap=True)

    def ran(self, command: str, printed: Iterable[str]) -> None:
        """A command that anybody may type, and what it printed."""
        self.shows([f"$ {command}", *printed])

    @property
    def _width(self) -> int:
        return min(self.console.width, WIDTH)
