'''
How a page of the webmail is written.

1. Write ``mailkit/web/webmail/<subject>.py``::

    """Settings: labels."""

    from mailkit.web.answers import Answer
    from mailkit.web.asking import Asked
    from mailkit.web.webmail.rooms import Room

    room = Room()


    @room.get("/settings/labels")
    async def labels(asked: Asked) -> Answer:
        """The labels of the account."""
        labels = await asked.house.personal.labels(asked.name)
        return asked.page("labels.html", {"labels": labels})


    @room.post("/settings/labels/<slug>", action="settings")
    async def rename(asked: Asked, slug: str) -> Answer:
        """Give a label another name."""
        await asked.house.personal.put_label(asked.name, ...asked.form.text("name")...)
        return asked.redirect("/settings/labels")

   What stands in ``<>`` comes decoded, as an argument; ``<path:name>`` takes slashes,
   and ``<slug:box>`` is any list of mail (`mailkit.web.webmail.boxes`).
   Every page needs somebody signed in unless the route says ``needs=Needs.NOBODY``.
   Errors of `mailkit.errors` may just leave the function: `NoSuch…` becomes a page 404,
   another `Refused` 403, `Malformed` 400, `Unavailable` 503, each in plain words.

2. Put ``<subject>.room`` into ``ROOMS`` of ``mailkit/web/webmail/pages.py``.

3. Write ``mailkit/web/templates/labels.html``::

    {% extends "settings.html" %}      {# or "shell.html": sidebar and search bar, or
                                          "plain.html": a card in the middle #}
    {% block title %}{{ _("Labels") }}{% endblock %}
    {% block page %}
    <h1>{{ _("Labels") }}</h1>
    <form method="post" action="/settings/labels/x">{{ ui.token(csrf, "settings") }}
    ...</form>
    {% endblock %}

   There is no ``|safe``: what is HTML comes from `mailkit.web.rendering.trusted_html`,
   the one reviewed place. ``_()`` and ``{% trans %}`` are gettext. Everywhere are
   ``ui`` (templates/ui.html: ``ui.icon("star")``, ``ui.avatar(name)``,
   ``ui.token(csrf, action)``, ``ui.chip(...)``, ``ui.row(...)``), ``static(file)`` (the
   hashed address of a file in web/static), ``csrf(action)``, ``me`` (name, address),
   ``preferences``, ``when(seconds)`` / ``when_long`` / ``day`` (dates in the person's
   zone and language), ``size(octets)``, ``number(n)``, ``language``, ``direction``.

4. Elements that scripts swap: a block called ``list``, ``conv`` or ``main`` holds
   exactly the element with that id. A request with ``X-Mailkit-Swap: list`` then gets
   this block alone, from the same function; ``shell.html`` has ``main`` already.
   The answer's header ``X-Mailkit-Title`` has the page's title, percent-encoded;
   ``X-Mailkit-Said`` and ``X-Mailkit-Undo`` say what was done and the token back.
   Links and forms with ``data-swap="main"`` are such requests (``static/swap.js``);
   leave it out where the sidebar or the whole look changes. An element with
   ``data-module="name"`` is given to ``start`` of ``static/name.js`` when it comes.
   A key that presses an element finds it by ``data-key``; keys stand in
   `mailkit.web.webmail.shortcuts`. Words of scripts are data- attributes of ``#words``
   in ``shell.html``.

5. CSS: ``mailkit/web/static/css/<subject>.css``, and its name into ``STYLES`` of
   ``mailkit/web/statics.py``; icons are symbols of ``static/icons.svg``. Scripts:
   ``mailkit/web/static/*.js`` are served as they are; those that every page begins
   with stand in ``SCRIPTS`` of `mailkit.web.webmail.pages`. No inline style, no inline
   script, no ``on…`` attribute.

6. Services come by ``asked.house``: add a field to `mailkit.web.webmail.house`, and
   fill it in ``mailkit/app/webhouse.py``.

7. A test: `WebWorld` (tests/web/world.py) asks a whole site without a network:
   ``world.sign_in()``, ``world.get("/settings/labels")``,
   ``world.post("/settings/labels/x", {"name": "A"}, action="settings")``.
   ``tests/web/test_every_route.py`` finds the new route by itself and holds that it
   has its headers, refuses other sites, strangers, and forms without a token.

Tokens: ``action`` names a class of forms: ``act`` (sorting mail), ``compose``,
``settings``, ``session``. Scripts send it as header ``X-CSRF``; ``<meta name="csrf-act"
content="…">`` and so on stand in every page.
'''

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

from attrs import define, field, frozen

from mailkit.web.answers import Answer

KIB = 1024

Page = Callable[..., Awaitable[Answer]]  # Any arguments: those in its path


class Needs(Enum):
    """Who may ask."""

    SOMEBODY = "somebody"
    """Whoever is signed in; others are led to sign in, and back."""
    NOBODY = "nobody"
    """Everybody."""


@frozen
class Body:
    """What a request may bring; a larger one is refused before it is taken in."""

    most: int = 64 * KIB
    """Octets in memory: fields of a form, or the whole of anything else."""
    files: Callable[[Any], int] | None = None  # Any: WebmailHouse, which knows no rooms
    """Octets that files of a form may have together, which are written to disk as they
    come; ``None``: no files."""


@frozen
class Route:
    """One page."""

    method: str
    path: str
    page: Page
    needs: Needs = Needs.SOMEBODY
    action: str = ""
    """The class of tokens that a request which changes something has to bring."""
    dests: frozenset[str] = frozenset({"document", "empty"})
    """What the browser may want it for (``Sec-Fetch-Dest``)."""
    links: bool = True
    """Whether other sites may lead here; only where it is wanted as a document."""
    body: Body = Body()


@define(eq=False)
class Room:
    """The pages of one subject."""

    routes: list[Route] = field(factory=list)

    def get(
        self,
        path: str,
        *,
        needs: Needs = Needs.SOMEBODY,
        dests: str = "document empty",
        links: bool = True,
    ) -> Callable[[Page], Page]:
        """
        A page that changes nothing.

        :param dests: see `Route.dests`: ``"iframe"`` for a message's document,
            ``"image empty"`` for pictures, ``"empty"`` for what scripts ask.
        :param links: false for parts of messages, which nobody links to.
        """

        def add(page: Page) -> Page:
            wanted = frozenset(dests.split())
            self.routes.append(
                Route("GET", path, page, needs, dests=wanted, links=links)
            )
            return page

        return add

    def post(
        self,
        path: str,
        *,
        action: str,
        needs: Needs = Needs.SOMEBODY,
        body: Body | None = None,
        method: str = "POST",
    ) -> Callable[[Page], Page]:
        """A form, or what a script sends; ``method`` may be PUT or DELETE too."""

        def add(page: Page) -> Page:
            taken = body or Body()
            self.routes.append(
                Route(method, path, page, needs, action=action, body=taken)
            )
            return page

        return add
