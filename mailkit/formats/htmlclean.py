"""
HTML of strangers, cleaned for a document of its own.

Three steps, each of which could stand alone: the tokens are written anew in order and
in measure (`htmltokens`), a parser as browsers have it keeps known tags and attributes
(`nh3`), and what it writes, which is regular, is gone through once more: addresses are
judged, pictures sent through our own server or left out, styles cleaned, links that
say one host and lead to another marked. The document's own Content-Security-Policy
stands before all of this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from html import escape, unescape
from types import MappingProxyType
from unicodedata import normalize
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import nh3
from attrs import define, field, frozen

from mailkit.formats.cssclean import clean_declarations, clean_sheet
from mailkit.formats.htmltokens import (
    OURS,
    REOPENED,
    TAGS,
    VOID,
    TokenLimits,
    rewrite,
    words,
)

NO_PART: Mapping[str, str] = MappingProxyType({})


@frozen
class Wishes:
    """How the document is wanted."""

    part_url: Callable[[str], str]
    """Where a part is served, by its number such as ``2.1``."""
    picture_url: Callable[[str], str] | None = None
    """Where our server serves a picture of another; ``None``: it is not shown."""
    parts: Mapping[str, str] = NO_PART
    """Numbers of parts by Content-ID (RFC 2392 §2), without angle brackets."""
    limits: TokenLimits = field(factory=TokenLimits)


@frozen
class CleanHTML:
    """What may be shown."""

    html: str
    """What goes into ``<body>``."""
    css: str
    """What goes into one ``<style>``; it holds no ``<``."""
    has_colours: bool
    """Whether it sets any colour, so that it needs white paper."""
    pictures: int
    """Pictures on other servers, shown or not, without the trackers."""
    trackers: int
    """Pictures that nobody can see; never fetched."""
    hosts: frozenset[str]
    """Whom the pictures come from."""
    shown_parts: frozenset[str]
    """Numbers of parts that are shown in the text."""
    is_cut: bool
    """Whether it was too long to be shown whole."""


_NAMES = frozenset(OURS + name for name in REOPENED)
_PARSED = (TAGS - REOPENED - {"body"}) | _NAMES | {OURS + "body"}
_ANYWHERE = words(
    "abbr align bgcolor border cellpadding cellspacing class color colspan dir face"
    " height hspace id lang noshade nowrap rowspan size span start style summary"
    " text title type valign value vspace width"
)
_ATTRIBUTES = {
    "*": set(_ANYWHERE),
    OURS + "a": {"href", "name"},
    "img": {"src", "alt"},
    "time": {"datetime"},
}
_CLEANER = nh3.Cleaner(
    tags=set(_PARSED),
    clean_content_tags=set(),
    attributes=_ATTRIBUTES,
    strip_comments=True,
    link_rel=None,
    # All addresses are judged below, where it is known what they are for.
    url_schemes={"http", "https", "mailto", "cid", "data"},
    url_relative="pass_through",
)
_COLOUR_ATTRIBUTES = frozenset(("bgcolor", "color", "text"))
_TAG = re.compile(r'<(/?)([a-z][a-z0-9-]*)((?: [^\s=>"]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(r' ([^\s=>"]+)="([^"]*)"')
_SPACES = re.compile(
    r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_DATA_IMAGE = re.compile(
    r"data:image/(?:png|gif|jpe?g|webp|avif);base64,[A-Za-z0-9+/=\s]*\Z", re.IGNORECASE
)
_COLOUR_VALUE = re.compile(r"#?[a-zA-Z0-9]{1,30}\Z")
_TINY = re.compile(r"\s*[01](?:\.0*)?(?:px)?\s*\Z")
_TINY_STYLE = re.compile(
    r"(?:^|;)(?:max-)?(?:width|height):[01](?:px)?(?:;|$|!)"
    r"|(?:^|;)display:none|(?:^|;)visibility:hidden|(?:^|;)opacity:0(?:;|$|!)"
)
_HOST_IN_TEXT = re.compile(
    r"(?:https?://|//)?(?:[^\s/@]*@)?((?:[\w-]+\.)+[^\W\d_]{2,24})(?::\d+)?(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_ADDRESS_IN_TEXT = re.compile(
    r"(?:https?://(?:[^\s/@]*@)?|\b(?=www\.))((?:[\w-]+\.)+[^\W\d_]{2,24})",
    re.IGNORECASE,
)
"""Among other words; what is not written as an address may be something else there."""
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
_NOT_A_TOP_LEVEL = words(
    "pdf doc docx xls xlsx ppt pptx txt jpg jpeg png gif htm html zip csv xml"
)
_SLASHES = "/\\"
_LONGEST_TEXT = 300
_LONGEST_URL = 16 * 1024
_QUOTE_CLASSES = frozenset(
    ("gmail_quote", "moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "mk-quoted")
)
_MARK = (
    # In a size and a direction of its own: nothing around it turns or hides it.
    '<span style="all:initial!important;font:600 12px system-ui,sans-serif!important;'
    "direction:ltr!important;unicode-bidi:isolate!important;"
    "color:#8a5200!important;background:#fff4dc!important;border-radius:4px!important;"
    'padding:0 .3em!important;margin:0 .25em!important"'
    ' title="The text of this link shows another address">\u2192 {host}</span>'
)
_FOLD = (
    '<details class="mk-quote"><summary title="Quoted text">\u2022\u2022\u2022'
    "</summary>"
)


def clean(source: str, wishes: Wishes) -> CleanHTML:
    """Clean a whole HTML part; blocks, so it runs in a thread."""
    tokens = rewrite(source, wishes.limits)
    finisher = _Finisher(wishes)
    html = finisher.finish(_CLEANER.clean(tokens.html))
    sheets = [clean_sheet(sheet) for sheet in tokens.sheets[:_MOST_SHEETS]]
    return CleanHTML(
        html,
        "\n".join(sheet.css for sheet in sheets if sheet.css),
        finisher.has_colours or any(sheet.has_colours for sheet in sheets),
        finisher.pictures,
        finisher.trackers,
        frozenset(finisher.hosts),
        frozenset(finisher.shown),
        tokens.is_cut,
    )


_MOST_SHEETS = 50


def link_address(value: str) -> str | None:
    """
    Where a link of a message may lead: http, https, mailto, or a place in itself.

    ``mailto:`` (RFC 6068) becomes a page of ours that writes a new message.
    """
    value = _SPACES.sub("", value)
    if value.startswith("#"):
        return value
    if value.startswith("//"):
        value = "https:" + value
    scheme, colon, rest = value.partition(":")
    scheme = scheme.lower()
    if not colon or len(value) > _LONGEST_URL:
        return None
    if scheme in ("http", "https"):
        return http_address(value)
    if scheme == "mailto":
        return _compose(rest)
    return None


def http_address(url: str) -> str | None:
    """The same with two slashes before the host, as browsers read it; none if none."""
    scheme, _, rest = url.partition(":")
    if host_of(url) is None:
        return None
    return f"{scheme.lower()}://{rest.lstrip(_SLASHES)}"


def host_of(url: str) -> str | None:
    """The host that an http address names, in lower case; none if there is none."""
    scheme, _, rest = url.partition(":")
    rest = rest.replace("\\", "/").lstrip("/")  # as browsers do
    try:
        found = urlsplit(f"{scheme}://{rest}").hostname
    except ValueError:
        return None
    return found or None


def _compose(rest: str) -> str:
    to, _, query = rest.partition("?")
    facts = [("to", unquote(to))] if to else []
    for name, value in parse_qsl("&".join(query.split("&", 20)[:20])):
        if name.lower() in ("to", "cc", "bcc", "subject", "body"):
            facts.append((name.lower(), value))
    return "/compose?" + urlencode(facts)


@define(eq=False)
class _Link:
    host: str | None
    text: list[str] = field(factory=list)
    length: int = 0


@define(eq=False)
class _Finisher:
    """Goes through what the parser wrote, which is regular."""

    _wishes: Wishes
    has_colours: bool = False
    pictures: int = 0
    trackers: int = 0
    hosts: set[str] = field(factory=set)
    shown: set[str] = field(factory=set)
    _links: list[_Link] = field(factory=list)
    _quote: int = 0
    """How many tags are open in the quote that is folded; 0: none is."""

    def finish(self, html: str) -> str:
        out: list[str] = []
        at = 0
        for match in _TAG.finditer(html):
            if match.start() > at:
                out.append(self._text(html[at : match.start()]))
            at = match.end()
            name = match[2].removeprefix(OURS)
            if match[1]:
                out.append(self._end(name))
            else:
                out.append(self._start(name, match[3]))
        out.append(self._text(html[at:]))
        return "".join(out)

    def _text(self, text: str) -> str:
        if self._links:
            link = self._links[-1]
            if link.length < _LONGEST_TEXT:
                link.text.append(text[:_LONGEST_TEXT])
                link.length += len(text)
        return text

    def _start(self, name: str, written: str) -> str:
        attributes = self._attributes(name, written) if written else {}
        before = ""
        if name == "img":
            return self._image(attributes)
        if self._quote:
            self._quote += name not in VOID
        elif _begins_quote(name, attributes):
            self._quote = 1
            before = _FOLD
        if name == "body":
            name = "div"
            attributes = _as_style(attributes)
        elif name == "a":
            self._link(attributes)
        return f"{before}<{name}{_joined(attributes)}>"

    def _end(self, name: str) -> str:
        after = ""
        if self._quote:
            self._quote -= 1
            if not self._quote:
                after = "</details>"
        if name == "a" and self._links:
            return f"</a>{_mark(self._links.pop())}{after}"
        return f"</{'div' if name == 'body' else name}>{after}"

    def _attributes(self, name: str, written: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in _ATTRIBUTE.findall(written):
            value = unescape(value) if "&" in value else value
            if key == "style":
                style = clean_declarations(value)
                self.has_colours = self.has_colours or style.has_colours
                value = style.css
                if not value:
                    continue
            elif key in _COLOUR_ATTRIBUTES:
                if not _COLOUR_VALUE.match(value):
                    continue
                self.has_colours = True
            found[key] = value
        return found

    def _link(self, attributes: dict[str, str]) -> None:
        address = link_address(attributes.pop("href", ""))
        host = None
        if address is not None:
            attributes["href"] = address
            if not address.startswith("#"):
                attributes["rel"] = "noopener noreferrer nofollow"
                attributes["target"] = "_blank"
                host = host_of(address) if address.startswith("http") else None
        self._links.append(_Link(host))

    def _image(self, attributes: dict[str, str]) -> str:
        source = _SPACES.sub("", attributes.pop("src", ""))
        scheme = source.partition(":")[0].lower()
        if source.startswith("//"):
            source, scheme = "https:" + source, "https"
        if scheme == "cid":
            number = self._wishes.parts.get(unquote(source[4:]))
            if number is not None:
                self.shown.add(number)
                attributes["src"] = self._wishes.part_url(number)
        elif scheme == "data" and _DATA_IMAGE.match(source):
            attributes["src"] = source
        elif scheme in ("http", "https") and len(source) <= _LONGEST_URL:
            host = host_of(source)
            source = http_address(source) or ""
            if host is None:
                return ""
            self.hosts.add(host)
            if _is_tracker(attributes):
                self.trackers += 1
                return ""
            self.pictures += 1
            if self._wishes.picture_url is not None:
                attributes["src"] = self._wishes.picture_url(source)
        if "src" not in attributes:
            attributes["class"] = "mk-blocked"
        attributes.setdefault("alt", "")
        return f"<img{_joined(attributes)}>"


def _joined(attributes: Mapping[str, str]) -> str:
    return "".join(f' {k}="{escape(v)}"' for k, v in attributes.items())


def _as_style(attributes: dict[str, str]) -> dict[str, str]:
    """Say by style what ``<body>`` says by attributes (its own ``<div>`` cannot)."""
    styles = [attributes.get("style", "")]
    for attribute, name in (("bgcolor", "background-color"), ("text", "color")):
        value = attributes.pop(attribute, "")
        if value:
            styles.insert(0, f"{name}:{value}")
    text = ";".join(filter(None, styles))
    return {**attributes, "style": text} if text else attributes


def _begins_quote(name: str, attributes: Mapping[str, str]) -> bool:
    if name == "blockquote":
        return attributes.get("type") == "cite"
    classes = attributes.get("class", "")
    return name == "div" and not _QUOTE_CLASSES.isdisjoint(classes.split())


def _is_tracker(attributes: Mapping[str, str]) -> bool:
    width, height = attributes.get("width", ""), attributes.get("height", "")
    if _TINY.match(width) or _TINY.match(height):
        return True
    return _TINY_STYLE.search(attributes.get("style", "")) is not None


def _mark(link: _Link) -> str:
    """What stands behind a link whose text shows another host than it leads to."""
    if link.host is None:
        return ""
    text = _as_seen(unescape("".join(link.text)))[:_LONGEST_TEXT]
    match = _HOST_IN_TEXT.fullmatch(text) or _ADDRESS_IN_TEXT.search(text)
    if match is None:
        return ""
    said = match[1].lower().rstrip(".")
    if said.rpartition(".")[2] in _NOT_A_TOP_LEVEL and "/" not in text:
        return ""
    if _plain_host(said) == _plain_host(link.host):
        return ""
    return _MARK.format(host=escape(link.host))


def _as_seen(text: str) -> str:
    """Without what nobody sees, and letters that look the same as one."""
    text = normalize("NFKC", _UNSEEN.sub("", text)).replace("\u3002", ".")
    return " ".join(text.split())


def _plain_host(host: str) -> str:
    with suppress(UnicodeError):  # no name that DNS could have: compared as it is
        host = host.encode("idna").decode("ascii")
    return host.removeprefix("www.")
