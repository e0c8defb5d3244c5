"""
What expressions of a template may do: nothing to this machine, and nothing without end.

Jinja's sandbox keeps them from files and from Python; here is how much they may make.
"""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

from jinja2 import StrictUndefined, TemplateRuntimeError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from mailkit.config.units import MIB

LONGEST_TEXT = 50 * MIB
"""Characters of a text: as many as the largest message has octets. Of lists, items."""

LARGEST_NUMBER = 10_000
"""Bits of a whole number; what has more could not be written out."""


class Environment(SandboxedEnvironment):
    """
    Makes templates whose texts and numbers have an end.

    What would be larger is an error like any other mistake in an expression.
    """

    intercepted_binops = frozenset(("*", "**", "+"))

    def __init__(self, *, is_html: bool) -> None:
        super().__init__(
            undefined=StrictUndefined, autoescape=is_html, keep_trailing_newline=True
        )

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """As Jinja asks for it, with whatever stands on both sides."""
        _check(operator, left, right)
        return super().call_binop(context, operator, left, right)

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        """Join what was rendered; the pieces are made while they are asked for."""
        kept: list[str] = []
        length = 0
        for piece in pieces:
            length += len(piece)
            if length > LONGEST_TEXT:
                raise _too_long()
            kept.append(piece)
        return "".join(kept)


def _check(operator: str, left: object, right: object) -> None:
    """:raises TemplateRuntimeError: if the result would be too large."""
    match left, right:
        case int(), int():
            if _bits(operator, left, right) > LARGEST_NUMBER:
                raise TemplateRuntimeError(
                    f"a number has more than {LARGEST_NUMBER} bits"
                )
            return
        case Sized() as text, int() as times:
            length = len(text) * times
        case int() as times, Sized() as text:
            length = len(text) * times
        case Sized(), Sized():
            length = len(left) + len(right)
        case _:
            return
    if length > LONGEST_TEXT:
        raise _too_long()


def _bits(operator: str, left: int, right: int) -> int:
    """How many a result has at most, nearly."""
    if operator == "**":
        return max(left.bit_length() - 1, 0) * max(right, 0)
    if operator == "*":
        return left.bit_length() + right.bit_length() - 1
    return max(left.bit_length(), right.bit_length())


def _too_long() -> TemplateRuntimeError:
    return TemplateRuntimeError(f"a text has more than {LONGEST_TEXT} characters")
