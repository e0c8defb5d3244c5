"""Says what in a document could run, fetch or lead away, as a browser would read it."""

from __future__ import annotations

import re
from typing import Any

import html5lib

from mailkit.formats.htmltokens import words
from tests.web.hostile.vectors import EVIL

_XHTML = "{http://www.w3.org/1999/xhtml}"
_TAGS = words(
    "html head body title meta style a abbr acronym address article aside b bdi bdo"
    " big"
    " blockquote br caption center cite code col colgroup dd del details dfn dir div dl"
    " dt em fieldset figcaption figure footer font h1 h2 h3 h4 h5 h6 header hr i img"
    " ins"
    " kbd label li main mark nav nobr ol p pre q rp rt ruby s samp section small span"
    " strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var"
    " wbr"
)
_ATTRIBUTES = words(
    "abbr align alt bgcolor border cellpadding cellspacing class color colspan datetime"
    " dir face height href hspace id lang name noshade nowrap rel rowspan size span src"
    " start style summary target text title type valign value vspace width"
)
_LINK = re.compile(r"https?://[^/\\]|/compose\?|#")
_IMAGE = re.compile(r"/part/|/img/|data:image/(?:png|gif|jpe?g|webp|avif);base64,")
_STYLE = re.compile(
    r"url|image|expression|import|@(?!media)|src|binding|behavior|\\|<|attr\(|paint"
    r"|element|cross-fade|javascript|&",
    re.IGNORECASE,
)


def faults(document: str) -> list[str]:
    """What is wrong with it; empty: nothing."""
    found: list[str] = []
    tree = html5lib.parse(document, treebuilder="etree", namespaceHTMLElements=True)
    for element in tree.iter():
        if not isinstance(element.tag, str):
            found.append("a comment")
            continue
        name = element.tag.removeprefix(_XHTML)
        if name not in _TAGS:
            found.append(f"<{name}>")
        if name == "style":
            found += _style_faults(element.text or "")
        if name == "meta" and set(element.attrib) - {"charset", "name", "content"}:
            found.append(f"meta {element.attrib}")
        elif name != "meta":
            found += _attribute_faults(name, element.attrib)
    return found


def _attribute_faults(name: str, attributes: Any) -> list[str]:
    found: list[str] = []
    for key, value in attributes.items():
        if key not in _ATTRIBUTES:
            found.append(f"{name} {key}={value[:80]!r}")
        elif key == "href" and not (name == "a" and _LINK.match(value)):
            found.append(f"{name} href={value[:80]!r}")
        elif key == "src" and not (name == "img" and _IMAGE.match(value)):
            found.append(f"{name} src={value[:80]!r}")
        elif key == "style" and not value.startswith("all:initial!important"):
            found += _style_faults(value)
        elif key == "target" and value != "_blank":
            found.append(f"target={value}")
    return found


def _style_faults(css: str) -> list[str]:
    match = _STYLE.search(css)
    if match is None and EVIL not in css:
        return []
    return [f"style {css[:120]!r}"]
