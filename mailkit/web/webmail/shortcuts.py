"""Keys and what they do: one table, which the scripts and the page of keys read."""

from __future__ import annotations

from attrs import evolve, frozen

from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.rooms import Room

room = Room()


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


@frozen
class Shortcut:
    """One thing that keys do."""

    does: str
    """What ``static/keys.js`` calls it."""
    words: str
    keys: tuple[str, ...]
    """Each as browsers name it (``KeyboardEvent.key``); of two in a row, both with a
    space between; with ``Ctrl+`` where that (or Cmd) is held."""


@frozen
class Group:
    """Shortcuts that are listed together."""

    name: str
    shortcuts: tuple[Shortcut, ...]


def _one(does: str, words: str, *keys: str) -> Shortcut:
    return Shortcut(does, words, keys)


GROUPS = (
    Group(
        _("Moving"),
        (
            _one("next", _("Next, older conversation"), "j"),
            _one("previous", _("Previous, newer conversation"), "k"),
            _one("nextmessage", _("Next message of the conversation"), "n"),
            _one("previousmessage", _("Previous message of the conversation"), "p"),
            _one("open", _("Open"), "o"),
            _one("back", _("Back to the list"), "u", "Escape"),
            _one("unfold", _("Open all messages"), ";"),
            _one("fold", _("Fold all messages"), ":"),
            _one("main", _("To the list"), "Shift+Escape"),
        ),
    ),
    Group(
        _("Choosing"),
        (
            _one("select", _("Select the conversation"), "x"),
            _one("extendnext", _("Select, and on to the next"), "J"),
            _one("extendprevious", _("Select, and on to the previous"), "K"),
            _one("selectall", _("Select all"), "* a"),
            _one("selectnone", _("Select none"), "* n"),
            _one("selectread", _("Select what is read"), "* r"),
            _one("selectunread", _("Select what is unread"), "* u"),
            _one("selectstarred", _("Select what is starred"), "* s"),
            _one("selectunstarred", _("Select what is not starred"), "* t"),
        ),
    ),
    Group(
        _("Sorting"),
        (
            _one("archive", _("Archive"), "e"),
            _one("delete", _("Delete"), "#", "Delete"),
            _one("spam", _("Report spam, or not spam"), "!"),
            _one("star", _("Star, or remove the star"), "s"),
            _one("snooze", _("Snooze"), "b"),
            _one("label", _("Label"), "l"),
            _one("move", _("Move to"), "v"),
            _one("read", _("Mark as read"), "I"),
            _one("unread", _("Mark as unread"), "U"),
            _one("mute", _("Mute"), "m"),
            _one("archiveprevious", _("Archive, and to the previous"), "["),
            _one("archivenext", _("Archive, and to the next"), "]"),
            _one("more", _("More actions"), "."),
            _one("undo", _("Undo"), "z"),
        ),
    ),
    Group(
        _("Writing"),
        (
            _one("compose", _("Compose"), "c"),
            _one("composetab", _("Compose in a new tab"), "d"),
            _one("reply", _("Reply"), "r"),
            _one("replyall", _("Reply to all"), "a"),
            _one("forward", _("Forward"), "f"),
            _one("send", _("Send"), "Ctrl+Enter"),
            _one("save", _("Save the draft now"), "Ctrl+s"),
            _one("cc", _("Add Cc"), "Ctrl+C"),
            _one("bcc", _("Add Bcc"), "Ctrl+B"),
        ),
    ),
    Group(
        _("Going"),
        (
            _one("search", _("Search"), "/"),
            _one("goinbox", _("Inbox"), "g i"),
            _one("gostarred", _("Starred"), "g s"),
            _one("gosnoozed", _("Snoozed"), "g b"),
            _one("gosent", _("Sent"), "g t"),
            _one("godrafts", _("Drafts"), "g d"),
            _one("goall", _("All mail"), "g a"),
            _one("golabels", _("To the labels"), "g l"),
            _one("keys", _("This list"), "?"),
        ),
    ),
)

_SHOWN = {
    "Escape": "Esc",
    "Shift+Escape": "Shift+Esc",
    "Delete": "Del",
    "Ctrl+C": "Ctrl+Shift+c",
    "Ctrl+B": "Ctrl+Shift+b",
}


def key_map() -> str:
    """All of it in one line, for the scripts: what a key does, key by key."""
    return "|".join(
        f"{key}={one.does}"
        for group in GROUPS
        for one in group.shortcuts
        for key in one.keys
    )


def shown(key: str) -> list[str]:
    """A shortcut as people read it, one after the other."""
    if len(key) == 1 and key.isupper():
        return [f"Shift+{key.lower()}"]
    return [_SHOWN.get(one, one) for one in key.split(" ")]


@room.get("/settings/shortcuts")
async def shortcuts(asked: Asked) -> Answer:
    """All keys, and whether single letters are among them."""
    return asked.page("shortcuts.html", {"key_groups": GROUPS, "shown_key": shown})


@room.post("/settings/shortcuts", action="settings")
async def switch(asked: Asked) -> Answer:
    """Single letters are commands, or not."""
    preferences = evolve(asked.preferences, shortcuts=asked.form.is_on("shortcuts"))
    await asked.house.personal.change(asked.name, preferences)
    return asked.redirect("/settings/shortcuts")
