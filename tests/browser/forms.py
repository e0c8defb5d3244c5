"""A browser without scripts, styles or a window: it follows links and sends forms."""

from __future__ import annotations

from collections.abc import Iterable
from html.parser import HTMLParser
from io import BytesIO
from typing import Any
from urllib.parse import urljoin, urlsplit

import treq
from attrs import define, field, frozen
from twisted.web.http_headers import Headers

Pairs = list[tuple[str, str]]


@define
class Button:
    """One that sends its form."""

    name: str
    value: str
    action: str
    label: str


@define
class Form:
    """What can be filled in and sent."""

    action: str
    method: str
    is_multipart: bool
    fields: Pairs = field(factory=list)
    ticks: dict[str, Pairs] = field(factory=dict)
    """Checkboxes that are not ticked, by their words."""
    buttons: list[Button] = field(factory=list)


@frozen
class Shown:
    """A page that has come."""

    url: str
    status: int
    text: str

    @property
    def words(self) -> str:
        """What can be read."""
        return " ".join(self._read().words.split())

    @property
    def links(self) -> dict[str, str]:
        """Addresses by the words of their links; of several the last."""
        return self._read().links

    def form(self, button: str) -> tuple[Form, Button]:
        """The form that has a button of that name, and that button; the last one."""
        for form in reversed(self._read().forms):
            for one in form.buttons:
                if one.label == button:
                    return form, one
        raise AssertionError(f"no button {button} at {self.url}")

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.text)
        return reader


class _Reader(HTMLParser):
    """Finds the forms and links of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.words = ""
        self._link = ""
        self._since = 0
        self._tick: tuple[str, str] | None = None
        self._button: Button | None = None
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        form = self.forms[-1] if self.forms else None
        match tag:
            case "form":
                is_multipart = has.get("enctype") == "multipart/form-data"
                method = has.get("method", "get")
                self.forms.append(Form(has.get("action", ""), method, is_multipart))
            case "a":
                self._link, self._since = has.get("href", ""), len(self.words)
                if "aria-label" in has:
                    self.links[has["aria-label"]] = self._link
            case "label":
                self._since = len(self.words)
            case "input" if form is not None:
                self._input(form, has)
            case "textarea":
                self._area, self._since = has.get("name", ""), len(self.words)
            case "button" if has.get("type", "submit") == "submit":
                self._button = Button(
                    has.get("name", ""),
                    has.get("value", ""),
                    has.get("formaction", ""),
                    has.get("aria-label", ""),
                )
                self._since = len(self.words)

    def _input(self, form: Form, has: dict[str, str]) -> None:
        pair = (has.get("name", ""), has.get("value", ""))
        if has.get("type") in ("checkbox", "radio"):
            if "checked" in has:
                form.fields.append(pair)
            self._tick = pair
            label = " ".join(self.words[self._since :].split())
            form.ticks.setdefault(label, []).append(pair)
        elif pair[0] and has.get("type") != "file":
            form.fields.append(pair)

    def handle_endtag(self, tag: str) -> None:
        said = self.words[self._since :]
        match tag:
            case "a" if self._link:
                self.links[" ".join(said.split())] = self._link
                self._link = ""
            case "textarea":
                self.forms[-1].fields.append((self._area, said.lstrip("\n")))
                self._area = ""
            case "button" if self._button is not None:
                if not self._button.label:
                    self._button.label = " ".join(said.split())
                if self.forms:
                    self.forms[-1].buttons.append(self._button)
                self._button = None
            case "form":
                # What comes behind belongs to none.
                self.forms.append(Form("", "get", False))

    def handle_data(self, data: str) -> None:
        self.words += data


@define(eq=False)
class PlainBrowser:
    """Somebody's, with what it keeps between pages."""

    origin: str
    _cookies: dict[str, str] = field(factory=dict)

    async def get(self, path: str) -> Shown:
        """Follow a link, or type an address."""
        return await self._ask("GET", urljoin(self.origin, path))

    async def press(
        self,
        page: Shown,
        label: str,
        fill: dict[str, str] | None = None,
        ticks: Iterable[str] = (),
    ) -> Shown:
        """Fill in the form of a button, and press it."""
        form, button = page.form(label)
        filled = fill or {}
        pairs = [(name, filled.get(name, value)) for name, value in form.fields]
        known = {name for name, _ in pairs}
        assert set(filled) <= known, f"no such field: {set(filled) - known}"
        for words in ticks:
            pairs += form.ticks[words]
        if button.name:
            pairs.append((button.name, button.value))
        url = urljoin(page.url, button.action or form.action)
        if form.is_multipart:
            none = ("file", ("", "application/octet-stream", BytesIO(b"")))
            return await self._ask("POST", url, data=pairs, files=[none])
        return await self._ask("POST", url, data=pairs)

    async def _ask(self, method: str, url: str, **more: Any) -> Shown:  # as treq's
        site = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = Headers(
            {"Cookie": [cookies], "Origin": [site], "Accept-Language": ["en-GB"]}
        )
        answer = await treq.request(
            method,
            url,
            headers=headers,
            allow_redirects=False,
            persistent=False,
            timeout=30,
            **more,
        )
        text = await answer.text("utf-8")
        for line in answer.headers.getRawHeaders("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
        location = answer.headers.getRawHeaders("Location", [""])[0]
        if answer.code == 303:
            return await self._ask("GET", urljoin(url, location))
        return Shown(url, answer.code, text)
