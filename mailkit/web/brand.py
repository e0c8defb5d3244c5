"""How a server of somebody else's is called, and its colour."""

from __future__ import annotations

import re

from attrs import field, frozen

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_ENOUGH = 4.5
"""Contrast of text that everybody can read (WCAG 2.2 §1.4.3)."""
LIGHT_PAPER, DARK_PAPER = "#ffffff", "#1a1d1b"
LIGHT_ON, DARK_ON = "#ffffff", "#05231d"


@frozen
class Brand:
    """What pages say of themselves."""

    name: str = "mailkit"
    accent: str = field(default="")
    """``#rrggbb`` of links and buttons on light paper; empty: ours."""
    accent_dark: str = field(default="")
    """The same on dark paper."""
    login_text: str = ""
    """Below the form to sign in; empty: whom to ask."""

    @accent.validator
    def _check_accent(self, _: object, value: str) -> None:
        check_accent(value, LIGHT_PAPER, LIGHT_ON)

    @accent_dark.validator
    def _check_accent_dark(self, _: object, value: str) -> None:
        check_accent(value, DARK_PAPER, DARK_ON)

    @property
    def style(self) -> str:
        """CSS behind ours."""
        if not (self.accent or self.accent_dark):
            return ""
        light = self.accent or "#0b665a"
        dark = self.accent_dark or "#62d2ba"
        both = f"light-dark({light},{dark})"
        soft = f"color-mix(in srgb,{both} 14%,var(--surface))"
        hover = f"color-mix(in srgb,{both} 85%,var(--ink))"
        return (
            f":root{{--accent:{both};--accent-hover:{hover};"
            f"--accent-soft:{soft};--accent-ink:var(--ink)}}\n"
        )


def check_accent(colour: str, paper: str, on: str) -> None:
    """
    Whether everybody can read text of that colour on paper, and text on it.

    :param colour: ``#rrggbb``; empty is fine.
    :raises ValueError: with the contrast that it has.
    """
    if not colour:
        return
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f'expects a colour such as "#0b665a", not "{colour}"')
    least = min(contrast(colour, paper), contrast(colour, on))
    if least < _ENOUGH:
        raise ValueError(
            f"{colour} has a contrast of {least:.1f}, and {_ENOUGH} is what people need"
        )


def contrast(one: str, other: str) -> float:
    """From 1 to 21 (WCAG 2.2, "contrast ratio")."""
    first, second = _luminance(one), _luminance(other)
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
