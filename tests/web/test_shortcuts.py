"""The table of keys: what it lists is bound, and what is bound is listed."""

from __future__ import annotations

import re
from importlib.resources import files

from mailkit.services.sorting.actions import Op
from mailkit.web.webmail.shortcuts import GROUPS, key_map, shown
from tests.web.world import WebWorld

KEYS_JS = files("mailkit.web").joinpath("static", "keys.js").read_text("utf-8")
ALL = [one for group in GROUPS for one in group.shortcuts]


def test_no_key_does_two_things() -> None:
    keys = [key for one in ALL for key in one.keys]
    assert len(keys) == len(set(keys))


def test_no_key_begins_two_keys_and_does_something() -> None:
    keys = {key for one in ALL for key in one.keys}
    assert not {key.split(" ")[0] for key in keys if " " in key} & keys


def test_keys_of_the_browser_are_left_alone() -> None:
    keys = {key.lower() for one in ALL for key in one.keys}
    assert not keys & {f"ctrl+{key}" for key in "rpfltw"}


def test_whatever_is_listed_is_done_by_the_script() -> None:
    table = KEYS_JS[KEYS_JS.index("const ACTIONS = {") :]
    bound = set(re.findall(r"^  (\w+)[:,(]", table[: table.index("\n};")], re.M))
    boxes = {"goinbox", "gostarred", "gosnoozed", "gosent", "godrafts", "goall"}
    ops = {op.value for op in Op}
    does = {one.does for one in ALL}
    assert does - bound - boxes - ops == set()
    assert bound - does == set()


def test_the_page_lists_them_all() -> None:
    world = WebWorld()
    world.sign_in()
    page = world.get("/settings/shortcuts").text
    assert re.findall(r'data-does="(\w+)"', page) == [one.does for one in ALL]
    assert "<kbd>g</kbd> then <kbd>i</kbd>" in page
    assert "<kbd>Shift+u</kbd>" in page


def test_scripts_are_told_the_same() -> None:
    pairs = [entry.rsplit("=", 1) for entry in key_map().split("|")]
    assert ["g i", "goinbox"] in pairs
    assert len(pairs) == sum(len(one.keys) for one in ALL)
    assert shown("Ctrl+C") == ["Ctrl+Shift+c"]


def test_single_letters_can_be_switched_off_and_on() -> None:
    world = WebWorld()
    world.sign_in()
    path = "/settings/shortcuts"
    assert '<meta name="mailkit-keys" content="on">' in world.get(path).text
    assert world.post(path, action="settings").location == path
    assert '<meta name="mailkit-keys" content="off">' in world.get(path).text
    world.post(path, {"shortcuts": "1"}, action="settings")
    assert '<meta name="mailkit-keys" content="on">' in world.get(path).text
