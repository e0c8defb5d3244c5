"""What is wrong with a sending before it begins."""

from __future__ import annotations

from collections.abc import Sequence

from mailkit.errors import Refused

_MOST_SHOWN = 20


class BadTemplate(Refused):
    """The template cannot be what messages are made of; the text says why."""


class BadRow(Refused):
    """A row cannot become a message; the text says why."""


class BadSending(Refused):
    """Nothing is sent: some rows are wrong. The text has a line for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        shown = list(problems[:_MOST_SHOWN])
        if len(problems) > _MOST_SHOWN:
            shown.append(f"and {len(problems) - _MOST_SHOWN} more")
        super().__init__("nothing is sent:\n  " + "\n  ".join(shown))
        self.problems = tuple(problems)
