"""
Templates: one environment a language, everything escaped, nothing undefined.

The one place where text becomes HTML that is not escaped is `trusted_html`; a test
holds that no template and no other module does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from types import CodeType
from typing import Protocol

from attrs import define, field
from babel.numbers import format_decimal
from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from jinja2.runtime import BlockReference
from markupsafe import Markup

from mailkit.config.units import GB, KB, MB
from mailkit.web.answers import Swap, Template
from mailkit.web.statics import Statics
from mailkit.web.words import Language

MOST_KEPT = 2000
"""Rows of lists, for each language, that are not made again; about 2 KiB each."""


_KEPT = {
    "row": "rows.html",
    "place": "kept.html",
    "words": "kept.html",
    "bulk": "kept.html",
    "line": "message.html",
    "details": "message.html",
    "answers": "message.html",
}
"""Macros whose words are kept, and where each is."""


def trusted_html(html: str) -> Markup:
    """
    HTML that our own cleaner or writer has made, put into a page as it is.

    Only for the output of `mailkit.formats.htmlclean` and `mailkit.formats.plainhtml`,
    and of `marked` below: they escape what they were given.
    """
    return Markup(html)


@define(eq=False)
class Compiled(BytecodeCache):
    """What templates were compiled to, by whichever thread and for all languages."""

    _codes: dict[str, tuple[str, CodeType]] = field(factory=dict, init=False)

    def load_bytecode(self, bucket: Bucket) -> None:
        """As it was kept, if it was made of the same text."""
        checksum, code = self._codes.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        if bucket.code is not None:
            self._codes[bucket.key] = bucket.checksum, bucket.code


@define(eq=False)
class Rendering:
    """Makes HTML of templates and facts."""

    _statics: Statics
    _environments: dict[str, Environment] = field(factory=dict, init=False)
    _compiled: Compiled = field(factory=Compiled, init=False)

    def warm(self, language: Language) -> None:
        """
        Compile every template: a quarter of a second, spent in a thread.

        A page that is asked for meanwhile compiles what it needs by itself.
        """
        environment = self._environment(language)
        for name in environment.list_templates():
            environment.get_template(name)

    def page(
        self, template: Template, facts: Mapping[str, object], to: Language
    ) -> str:
        """The whole page."""
        found = self._environment(to).get_template(template.name)
        return found.render({**facts, **template.facts})

    def element(
        self,
        template: Template,
        facts: Mapping[str, object],
        to: Language,
        swap: Swap,
    ) -> tuple[str, str] | None:
        """
        One element of a page, and the page's title.

        :returns: ``None`` where the page has no such element.
        """
        environment = self._environment(to)
        found = environment.get_template(template.name)
        context = found.new_context({**facts, **template.facts})
        # Blocks are known once the templates above were read, which writes nothing yet.
        pieces = found.root_render_func(context)
        next(iter(pieces), None)
        blocks = context.blocks
        if swap.value not in blocks:
            return None
        html = BlockReference(swap.value, context, blocks[swap.value], 0)()
        title = BlockReference("title", context, blocks["title"], 0)()
        return str(html), Markup(title).unescape().strip()

    def _environment(self, language: Language) -> Environment:
        known = self._environments.get(language.tag)
        if known is None:
            known = self._environments[language.tag] = self._make(language)
        return known

    def _make(self, language: Language) -> Environment:
        environment = Environment(
            loader=PackageLoader("mailkit.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=self._compiled,
            extensions=["jinja2.ext.i18n"],
        )
        # The extension adds it, which no type says.
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            language.words, newstyle=True
        )
        environment.globals.update(
            _=Said(language).say,
            static=self._statics.address,
            version=self._statics.version,
            language=language.tag,
            direction=language.direction,
            number=lru_cache(MOST_KEPT)(
                partial(format_decimal, locale=language.locale)
            ),
            size=lru_cache(MOST_KEPT)(partial(say_size, language=language)),
        )
        pieces = Pieces(self._statics.address("icons.svg"), language)
        environment.globals.update(icon=pieces.icon, acts=pieces.acts)
        module = environment.get_template("ui.html").module
        vars(module).update(icon=pieces.icon)
        environment.globals["ui"] = module
        for name, template in _KEPT.items():
            macros = vars(environment.get_template(template).module)
            environment.globals[f"kept_{name}"] = Kept(macros[name]).made
        return environment


@define(eq=False)
class Said:
    """
    ``_`` of templates, as newstyle gettext of `jinja2.ext.i18n` has it.

    A page has dozens of words that nothing is put into: each is made once.
    """

    _language: Language
    _alone: dict[str, Markup] = field(factory=dict, init=False)

    def say(self, text: str, **named: object) -> Markup:
        """Words of ours in the language; what is put into them is escaped."""
        if named:
            return self._said(text) % named
        known = self._alone.get(text)
        if known is None:
            # ``%%`` is a percent sign in words with and without names.
            known = self._alone[text] = self._said(text) % {}
        return known

    def _said(self, text: str) -> Markup:
        return Markup(self._language.words.gettext(text))


class Named(Protocol):
    """A button of a row."""

    @property
    def op(self) -> str:
        """What it does, which is its name."""

    @property
    def name(self) -> str:
        """What it is called, in English."""

    @property
    def icon(self) -> str:
        """A symbol of ``icons.svg``."""


@define(eq=False)
class Pieces:
    """
    What a page has hundreds of, made once for each language.

    All of it is of names that stand in our own sources.
    """

    _icons: str
    """The address of ``icons.svg``."""
    _language: Language
    _made: dict[tuple[str, bool], Markup] = field(factory=dict, init=False)
    _acts: dict[tuple[str, ...], list[tuple[Markup, Markup]]] = field(
        factory=dict, init=False
    )

    def icon(self, name: str, small: bool = False) -> Markup:
        """One symbol."""
        known = self._made.get((name, small))
        if known is None:
            markup = Markup(
                '<svg class="i{}" aria-hidden="true"><use href="{}#{}"/></svg>'
            )
            known = markup.format(" s" if small else "", self._icons, name)
            self._made[name, small] = known
        return known

    def acts(self, buttons: Sequence[Named]) -> list[tuple[Markup, Markup]]:
        """Buttons of a row: what stands before its id, and behind it."""
        key = tuple(one.op for one in buttons)
        known = self._acts.get(key)
        if known is None:
            known = self._acts[key] = [self._act(one) for one in buttons]
        return known

    def _act(self, button: Named) -> tuple[Markup, Markup]:
        head = Markup(
            '<button class="ib" type="submit" aria-label="{0}" title="{0}" '
            'name="{1}" value="'
        )
        tail = Markup('">{}</button>').format(self.icon(button.icon))
        name = self._language.words.gettext(button.name)
        return head.format(name, button.op), tail


@define(eq=False)
class Kept:
    """
    What a template has made of values, for as long as it is asked for.

    :param make: what it writes is said by its arguments alone.
    """

    _make: Callable[..., Markup]  # Any arguments: those of a macro
    made: Callable[..., Markup] = field(init=False)
    """The same as the last time, where it was made before."""

    def __attrs_post_init__(self) -> None:
        self.made = lru_cache(MOST_KEPT)(self._make)


def say_size(octets: int, language: Language) -> str:
    """``1.6 GB``, ``37 KB``: two digits are enough."""
    for unit, name in ((GB, "GB"), (MB, "MB")):
        if octets >= unit:
            text = format_decimal(octets / unit, "#,##0.#", locale=language.locale)
            return f"{text} {name}"
    return f"{format_decimal(-(-octets // KB), locale=language.locale)} KB"
