"""
Templates: one environment a language, everything escaped, nothing undefined.

The one place where text becomes HTML that is not escaped is `trusted_html`; a test
holds that no template and no other module does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from attrs import define, field
from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.runtime import BlockReference
from markupsafe import Markup

from mailkit.config.units import GB, KB, MB
from mailkit.web.answers import Swap, Template
from mailkit.web.statics import Statics
from mailkit.web.words import Language


def trusted_html(html: str) -> Markup:
    """
    HTML that our own cleaner or writer has made, put into a page as it is.

    Only for the output of `mailkit.formats.htmlclean` and `mailkit.formats.plainhtml`,
    and of `marked` below: they escape what they were given.
    """
    return Markup(html)


@define(eq=False)
class Rendering:
    """Makes HTML of templates and facts."""

    _statics: Statics
    _environments: dict[str, Environment] = field(factory=dict, init=False)

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
            extensions=["jinja2.ext.i18n"],
        )
        # The extension adds it, which no type says.
        environment.install_gettext_translations(  # type: ignore[attr-defined]
            language.words, newstyle=True
        )
        environment.globals.update(
            static=self._statics.address,
            version=self._statics.version,
            language=language.tag,
            direction=language.direction,
            number=partial(format_decimal, locale=language.locale),
            size=partial(say_size, language=language),
        )
        environment.globals["ui"] = environment.get_template("ui.html").module
        return environment


def say_size(octets: int, language: Language) -> str:
    """``1.6 GB``, ``37 KB``: two digits are enough."""
    for unit, name in ((GB, "GB"), (MB, "MB")):
        if octets >= unit:
            text = format_decimal(octets / unit, "#,##0.#", locale=language.locale)
            return f"{text} {name}"
    return f"{format_decimal(-(-octets // KB), locale=language.locale)} KB"
