"""The reference says what the classes say."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from attrs import Factory, field, frozen

from mailkit.config.reader import Network, read
from mailkit.config.reference import (
    Setting,
    commented_toml,
    describe,
    markdown,
    words_under_fields,
)
from mailkit.config.units import Octets, Seconds


@frozen
class Pair:
    """One more pair."""

    key: Path
    """Where it is."""


@frozen
class Garden:
    """What grows."""

    size: Octets = 5 * 2**20
    """How large,
    in octets."""

    wait: Seconds = 90.0
    rows: int = field(default=3)
    """How many `rows`."""

    is_green: bool = True
    """Is it?"""

    colour: Literal["red", "blue"] = "blue"
    """Which."""

    trusted: tuple[Network, ...] = ()
    """Whom."""

    names: tuple[str, ...] = Factory(lambda: ("rose", "oak"))
    """What they are called."""

    owner: str | None = None
    """Whose."""

    also: tuple[Pair, ...] = ()

    count = 3
    """Not a setting."""


@frozen
class Land:
    """All."""

    name: str
    """How it is called."""

    garden: Garden = Garden()


def test_words_stand_under_their_fields() -> None:
    words = words_under_fields(Garden)
    assert words["size"] == "How large,\nin octets."
    assert set(words) == {
        "size",
        "rows",
        "is_green",
        "colour",
        "trusted",
        "names",
        "owner",
    }


def test_every_table_and_setting() -> None:
    top, garden, also = describe(Land)
    assert top.settings == (Setting("name", "text", None, True, "How it is called."),)
    assert (garden.name, garden.is_array, garden.meaning) == (
        "garden",
        False,
        "What grows.",
    )
    assert (also.name, also.is_array) == ("garden.also", True)
    kinds = {one.key: (one.kind, one.default) for one in garden.settings}
    assert kinds == {
        "garden.size": ('size, such as `"50 MiB"`', '"5 MiB"'),
        "garden.wait": ('time, such as `"4 h"`', '"90 s"'),
        "garden.rows": ("whole number", "3"),
        "garden.is_green": ("`true` or `false`", "true"),
        "garden.colour": ('`"red"` or `"blue"`', '"blue"'),
        "garden.trusted": ("list of networks", "[]"),
        "garden.names": ("list of texts", '["rose", "oak"]'),
        "garden.owner": ("text", None),
    }


def test_the_page() -> None:
    page = markdown(describe(Land))
    assert "### `name`\n\nHow it is called.\n\n* Value: text\n* Required\n" in page
    assert "## `[garden]`\n\nWhat grows.\n" in page
    assert "* Default: `90 s`" not in page
    assert '* Default: `"90 s"`\n* Variable: `MAILKIT_GARDEN__WAIT`\n' in page
    assert "* Default: absent\n" not in page
    assert "* Default: `absent`\n* Variable: `MAILKIT_GARDEN__OWNER`" in page
    assert "## `[[garden.also]]`" in page
    assert "MAILKIT_GARDEN__ALSO__KEY" not in page


def test_the_file_with_all_defaults_is_read_as_all_defaults() -> None:
    text = commented_toml(describe(Land))
    assert "# How large, in octets.\n" in text
    assert "# How many rows.\n" in text
    tomllib.loads(text)
    wanted = text.replace("#name = …", 'name = "x"')
    assert wanted != text
    assert read(Land, wanted, None, {}, Path()).settings == Land("x")
