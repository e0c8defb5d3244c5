"""What was done, in words: "2 archived"."""

from __future__ import annotations

from collections.abc import Callable
from gettext import NullTranslations

from mailkit.services.sorting.actions import MOST, Action, Done, Kind, Op

_Words = Callable[[NullTranslations, int], str]

_ACTIONS: dict[Op, _Words] = {
    Op.ARCHIVE: lambda w, n: w.ngettext("Archived", "%(num)s archived", n),
    Op.DELETE: lambda w, n: w.ngettext(
        "Moved to the Trash", "%(num)s moved to the Trash", n
    ),
    Op.FOREVER: lambda w, n: w.ngettext(
        "Deleted for ever", "%(num)s deleted for ever", n
    ),
    Op.SPAM: lambda w, n: w.ngettext("Reported as spam", "%(num)s reported as spam", n),
    Op.NOT_SPAM: lambda w, n: w.ngettext(
        "Moved to the inbox: not spam", "%(num)s moved to the inbox: not spam", n
    ),
    Op.STAR: lambda w, n: w.ngettext("Starred", "%(num)s starred", n),
    Op.UNSTAR: lambda w, n: w.ngettext("Star removed", "%(num)s stars removed", n),
    Op.READ: lambda w, n: w.ngettext("Marked as read", "%(num)s marked as read", n),
    Op.UNREAD: lambda w, n: w.ngettext(
        "Marked as unread", "%(num)s marked as unread", n
    ),
    Op.LABEL: lambda w, n: w.ngettext("Labelled", "%(num)s labelled", n),
    Op.UNLABEL: lambda w, n: w.ngettext("Label removed", "%(num)s labels removed", n),
    Op.MOVE: lambda w, n: w.ngettext("Moved", "%(num)s moved", n),
    Op.SNOOZE: lambda w, n: w.ngettext("Snoozed", "%(num)s snoozed", n),
    Op.UNSNOOZE: lambda w, n: w.ngettext("Brought back", "%(num)s brought back", n),
    Op.MUTE: lambda w, n: w.ngettext("Muted", "%(num)s muted", n),
    Op.UNMUTE: lambda w, n: w.ngettext("No longer muted", "%(num)s no longer muted", n),
}

_OTHERS: dict[Kind, Callable[[NullTranslations], str]] = {
    Kind.ACTION: lambda w: w.gettext("Done"),
    Kind.FOLDER_DELETED: lambda w: w.gettext("Folder %(name)s deleted"),
    Kind.FOLDER_RENAMED: lambda w: w.gettext("Folder %(name)s changed"),
    Kind.LABEL_DELETED: lambda w: w.gettext("Label %(name)s deleted"),
    Kind.SEARCH_DELETED: lambda w: w.gettext("Search %(name)s deleted"),
}


def said(done: Done, words: NullTranslations) -> str:
    """What a toast says of it."""
    if done.action is None:
        return _OTHERS[done.kind](words) % {"name": done.name}
    text = _said_of(done.action, done, words)
    if not done.is_whole:
        more = words.gettext("There are more: at most %(most)s go at once.")
        text = f"{text}. {more % {'most': MOST}}"
    return text


def _said_of(action: Action, done: Done, words: NullTranslations) -> str:
    number = done.conversations
    return _ACTIONS[action.op](words, number) % {"num": number}
