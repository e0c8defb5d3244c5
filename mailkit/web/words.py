"""
The languages of the pages: gettext catalogues in ``web/locale/<language>.po``.

English is in the templates. A catalogue is read at the start as it is written; nothing
is compiled beforehand. ``python -m tests.web.catalogues`` puts new words into each of
them, and a test says whether one lacks any.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from attrs import frozen
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ENGLISH = "en"


@frozen(eq=False)
class Language:
    """One language that pages may be in."""

    tag: str
    """As HTML has it (RFC 5646)."""
    words: NullTranslations
    locale: Locale
    """How dates and numbers are written."""

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return str(self.locale.text_direction)

    @property
    def name(self) -> str:
        """What its speakers call it."""
        return self.locale.get_display_name(self.locale) or self.tag


@frozen(eq=False)
class Languages:
    """All of them, English included."""

    _by_tag: Mapping[str, Language]

    @classmethod
    def load(cls) -> Languages:
        """Read every catalogue. Blocks, so it is done at the start."""
        found = {ENGLISH: Language(ENGLISH, NullTranslations(), Locale.parse(ENGLISH))}
        for entry in files("mailkit.web").joinpath("locale").iterdir():
            tag, _, kind = entry.name.rpartition(".")
            if kind == "po":
                found[tag] = _read(tag, entry.read_bytes())
        return cls(found)

    @property
    def all(self) -> list[Language]:
        """By their tags."""
        return [self._by_tag[tag] for tag in sorted(self._by_tag)]

    def choose(self, wish: str, accepted: str) -> Language:
        """
        The best that there is.

        :param wish: what the person has chosen; empty: nothing.
        :param accepted: ``Accept-Language`` of the browser (RFC 9110 §12.5.4).
        """
        for tag in (wish, *_accepted(accepted)):
            found = self._by_tag.get(tag) or self._by_tag.get(tag.partition("-")[0])
            if found is not None:
                return found
        return self._by_tag[ENGLISH]


def _read(tag: str, octets: bytes) -> Language:
    catalogue = read_po(BytesIO(octets), locale=tag.replace("-", "_"))
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    locale = Locale.parse(tag, sep="-")
    return Language(tag, GNUTranslations(compiled), locale)


def _accepted(header: str) -> list[str]:
    """Tags of the header, the ones that are wanted most first; at most ten."""
    found: list[tuple[float, str]] = []
    for part in header.split(",")[:10]:
        tag, _, quality = part.strip().partition(";")
        _, _, number = quality.strip().partition("q=")
        try:
            weight = float(number) if number else 1.0
        except ValueError:
            weight = 0.0
        if tag and weight > 0:
            found.append((weight, tag.strip().lower()))
    found.sort(key=lambda one: one[0], reverse=True)
    return [tag for _, tag in found]
