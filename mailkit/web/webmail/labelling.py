"""Settings: labels and folders."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from mailkit.errors import (
    AlreadyExists,
    CannotName,
    MailboxExists,
    Malformed,
    TooMany,
)
from mailkit.model.label import COLOURS, keyword_of
from mailkit.model.mailbox import MailboxName
from mailkit.services.sorting.folders import Folder
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.rooms import Room

room = Room()

PAGE = "/settings/labels"


def _(text: str) -> str:
    """Marks words for the catalogues; they are translated where they are shown."""
    return text


_COLOURS = (
    _("Blue"),
    _("Violet"),
    _("Red"),
    _("Amber"),
    _("Green"),
    _("Grey"),
)


@frozen
class _Error:
    """What was wrong, and with which form."""

    where: str = ""
    """``label``, ``folder``, or the slug or name of one of them."""
    text: str = ""
    value: str = ""
    """What was typed."""


_NO_ERROR = _Error()


@room.get("/settings/labels")
async def labels(asked: Asked) -> Answer:
    """The page of both."""
    return await _page(asked)


@room.post("/settings/labels", action="settings")
async def create(asked: Asked) -> Answer:
    """A new label."""
    name = asked.form.exact("name")
    try:
        await asked.house.sorting.labels.create(asked.name, name, _colour(asked, 0))
    except (AlreadyExists, CannotName, TooMany) as error:
        return await _page(asked, _Error("label", _label_words(asked, error), name))
    return asked.redirect(PAGE)


@room.post("/settings/labels/one/<slug>", action="settings")
async def change(asked: Asked, slug: str) -> Answer:
    """Another name or colour; up, down, or away (``do``)."""
    labels, keyword = asked.house.sorting.labels, keyword_of(slug)
    form = asked.form
    match form.text("do"):
        case "up":
            await labels.step(asked.name, keyword, -1)
        case "down":
            await labels.step(asked.name, keyword, 1)
        case "delete":
            done = await labels.delete(asked.name, keyword)
            return asked.redirect(PAGE, undo=done.token)
        case "":
            name = form.exact("name")
            try:
                await labels.change(asked.name, keyword, name, _colour(asked, 1))
            except (AlreadyExists, CannotName, TooMany) as error:
                wrong = _Error(slug, _label_words(asked, error), name)
                return await _page(asked, wrong)
        case _:
            raise Malformed("do")
    return asked.redirect(PAGE)


@room.post("/settings/folders", action="settings")
async def create_folder(asked: Asked) -> Answer:
    """A new folder, perhaps below another."""
    form = asked.form
    name = form.exact("name")
    try:
        await asked.house.sorting.folders.create(asked.name, name, form.text("above"))
    except (MailboxExists, CannotName, TooMany) as error:
        return await _page(asked, _Error("folder", _folder_words(asked, error), name))
    return asked.redirect(PAGE)


@room.post("/settings/folders/one", action="settings")
async def change_folder(asked: Asked) -> Answer:
    """Another name or place, or away (``do``)."""
    form = asked.form
    folder = MailboxName(form.exact("folder"))
    folders = asked.house.sorting.folders
    match form.text("do"):
        case "delete":
            done = await folders.delete(asked.name, folder)
        case "":
            name = form.exact("name")
            try:
                done = await folders.change(
                    asked.name, folder, name, form.text("above")
                )
            except (MailboxExists, CannotName) as error:
                wrong = _Error(folder, _folder_words(asked, error), name)
                return await _page(asked, wrong)
        case _:
            raise Malformed("do")
    return asked.redirect(PAGE, undo=done.token)


async def _page(asked: Asked, error: _Error = _NO_ERROR) -> Answer:
    sorting = asked.house.sorting
    folders = await sorting.folders.folders(asked.name)
    named = {one.keyword for one in await asked.house.personal.labels(asked.name)}
    shown = await sorting.labels.labels(asked.name)
    facts = {
        CURRENT: "settings",
        "labels": shown,
        "named": named,
        "colours": list(enumerate(map(asked.say, _COLOURS), 1)),
        "folders": [one for one in folders if not one.is_thrown_away],
        "thrown": [one for one in folders if one.is_thrown_away],
        "places": {one.name: _places(one, folders) for one in folders},
        "error": error,
    }
    return asked.page("labels.html", facts, status=422 if error.text else 200)


def _places(folder: Folder, folders: Sequence[Folder]) -> list[MailboxName]:
    """Below which ones it may lie."""
    below = f"{folder.name}/"
    return [
        one.name
        for one in folders
        if one.name != folder.name
        and not one.name.startswith(below)
        and not one.is_thrown_away
    ]


def _colour(asked: Asked, default: int) -> int:
    """:raises Malformed:"""
    colour = asked.form.number("colour", default)
    if not default <= colour <= COLOURS:
        raise Malformed("a colour")
    return colour


def _label_words(asked: Asked, error: Exception) -> str:
    match error:
        case AlreadyExists():
            return asked.say("There is a label of that name already.")
        case TooMany():
            return asked.say("There are as many labels as there can be.")
        case _:
            return asked.say("A label's name has 1 to 100 letters.")


def _folder_words(asked: Asked, error: Exception) -> str:
    match error:
        case MailboxExists():
            return asked.say("There is a folder of that name already.")
        case TooMany():
            return asked.say("There are as many folders as there can be.")
        case _:
            return asked.say("A folder cannot be called that, or lie there.")
