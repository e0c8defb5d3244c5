"""Searches that are kept under a name: they stand in the navigation."""

from __future__ import annotations

from attrs import frozen

from mailkit.errors import AlreadyExists, CannotName, Malformed, TooMany
from mailkit.model.savedsearch import LONGEST_NAME, LONGEST_WORDS
from mailkit.web.answers import Answer
from mailkit.web.asking import Asked
from mailkit.web.webmail.facts import CURRENT
from mailkit.web.webmail.rooms import Room
from mailkit.web.webmail.searchlinks import PAGE, address

room = Room()


@frozen
class _Error:
    """What was wrong, and with which form."""

    where: str = ""
    """The id of a search; empty: the form of a new one."""
    text: str = ""


_NO_ERROR = _Error()


@room.get("/search/saved")
async def searches(asked: Asked) -> Answer:
    """All of them, and a form that keeps one more (``q``)."""
    return await _page(asked)


@room.post("/search/saved", action="settings")
async def create(asked: Asked) -> Answer:
    """Keep one; its page comes next."""
    form = asked.form
    try:
        search = await asked.house.sorting.searches.create(
            asked.name, form.exact("name"), form.exact("words")
        )
    except (AlreadyExists, CannotName, TooMany) as error:
        return await _page(asked, _Error("", _words(asked, error)))
    return asked.redirect(address(search))


@room.post("/search/saved/<id>", action="settings")
async def change(asked: Asked, id: str) -> Answer:
    """Another name or other words; or away (``do``)."""
    form, searches = asked.form, asked.house.sorting.searches
    match form.text("do"):
        case "delete":
            done = await searches.delete(asked.name, id)
            return asked.redirect(PAGE, undo=done.token)
        case "":
            try:
                await searches.change(
                    asked.name, id, form.exact("name"), form.exact("words")
                )
            except (AlreadyExists, CannotName) as error:
                return await _page(asked, _Error(id, _words(asked, error)))
            return asked.redirect(PAGE)
        case _:
            raise Malformed("do")


async def _page(asked: Asked, error: _Error = _NO_ERROR) -> Answer:
    form, words = asked.form, asked.query.text("q")[:LONGEST_WORDS]
    if error.text:
        words = form.exact("words")[:LONGEST_WORDS]
    facts = {
        CURRENT: "search",
        "searches": await asked.house.sorting.searches.searches(asked.name),
        "address": address,
        "words": words,
        "name": form.exact("name")[:LONGEST_NAME] if error.text else words[:40],
        "longest_name": LONGEST_NAME,
        "longest_words": LONGEST_WORDS,
        "error": error,
    }
    return asked.page("searches.html", facts, status=422 if error.text else 200)


def _words(asked: Asked, error: Exception) -> str:
    match error:
        case AlreadyExists():
            return asked.say("There is a search of that name already.")
        case TooMany():
            return asked.say("There are as many searches as there can be.")
        case _:
            return asked.say("A search has a name of 1 to 100 letters, and words.")
