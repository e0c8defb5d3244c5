"""What a form or a query brings: names with values, read with limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

from attrs import field, frozen

from mailkit.errors import Malformed

MOST_FIELDS = 5000
"""Fields of one form: a page of rows that are all ticked has far less."""


@frozen
class Fields:
    """Values by name; a name may come more than once."""

    _values: Mapping[str, tuple[str, ...]] = field(factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Fields:
        """From names and values in the order in which they came."""
        values: dict[str, list[str]] = {}
        for name, value in pairs:
            values.setdefault(name, []).append(value)
        return cls({name: tuple(found) for name, found in values.items()})

    @classmethod
    def parse(cls, octets: bytes) -> Fields:
        """
        Read ``application/x-www-form-urlencoded`` or the part behind ``?``.

        What is not UTF-8 is replaced by U+FFFD.

        :raises Malformed: for more than `MOST_FIELDS`.
        """
        try:
            pairs = parse_qsl(
                octets.decode("ascii", "replace"),
                keep_blank_values=True,
                encoding="utf-8",
                errors="replace",
                max_num_fields=MOST_FIELDS,
            )
        except ValueError as error:
            raise Malformed("the form has too many fields") from error
        return cls.of(pairs)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        """The first value of a name, without white space around it."""
        values = self._values.get(name)
        return values[0].strip() if values else default

    def exact(self, name: str, default: str = "") -> str:
        """The first value as it came: for passwords and what people wrote."""
        values = self._values.get(name)
        return values[0] if values else default

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a name, in the order in which they came."""
        return self._values.get(name, ())

    def number(self, name: str, default: int) -> int:
        """A value that is a number of at most nine digits; else ``default``."""
        text = self.text(name)
        is_number = text.isascii() and text.isdigit() and len(text) <= 9
        return int(text) if is_number else default

    def is_on(self, name: str) -> bool:
        """Whether a box of this name was ticked."""
        return self.text(name) not in ("", "0", "off")
