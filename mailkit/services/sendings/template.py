"""
The template of a sending: a whole message with places for what differs.

It is taken apart once, as it stands in the file: fields, and parts of text. What is put
into a place stays there: it cannot become a field, an address or a part of its own, nor
markup in HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import define, frozen
from jinja2 import Template as Text
from jinja2 import TemplateError, meta

from mailkit.errors import BadMessage
from mailkit.formats import (
    addresslist,
    body,
    charset,
    compose,
    encodedword,
    header,
    mime,
)
from mailkit.formats.limits import Limits
from mailkit.model.address import Address, a_labels, fold_domain
from mailkit.model.path import NULL_PATH, Path
from mailkit.services.sendings.errors import BadRow, BadTemplate
from mailkit.services.sendings.sandbox import Environment

LIMITS = Limits(parts=100, depth=10)
"""What is read of a template."""

OURS = frozenset(
    (
        "date",
        "message-id",
        "mime-version",
        "received",
        "return-path",
        "delivered-to",
        "dkim-signature",
        "content-transfer-encoding",
        "content-type",
    )
)
"""Fields that we write anew; a message saved as a file has them."""

FORBIDDEN = {
    "cc": "each recipient gets a message of its own",
    "bcc": "each recipient gets a message of its own",
    "list-unsubscribe": "we write that one, with an address for each recipient",
    "list-unsubscribe-post": "we write that one",
}
_ADDRESSES = frozenset(("from", "sender", "to", "reply-to"))
_ONCE = frozenset(("from", "sender", "to", "reply-to", "subject", "list-id"))
_PLACE = re.compile(rb"\{[{%#]")
_COMMENTS = re.compile(r"\A\s*(?:\{#.*?#\}\s*)*", re.S)
_CHARSETS = (b"", b"utf-8", b"us-ascii", b"ascii")
_MISTAKES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TemplateError,
    TypeError,
    ValueError,
)
"""What an expression may raise, whatever its author had in mind."""
_TOO_MUCH = (MemoryError, RecursionError, SyntaxError, ValueError)
"""What Jinja lets through: Python's own limits of depth, of blocks and of digits."""


_PLAIN = Environment(is_html=False)
_HTML = Environment(is_html=True)


@frozen
class Field:
    """A field of the header."""

    name: str
    text: Text


@frozen
class TextPart:
    """A part of text."""

    subtype: str
    fields: bytes
    text: Text


@frozen
class OtherPart:
    """A part that is the same for all."""

    octets: bytes


@frozen
class Parts:
    """A multipart."""

    subtype: str
    fields: bytes
    parameters: bytes
    parts: tuple[TextPart | OtherPart | Parts, ...]


@frozen
class Merged:
    """The template with one row's values in it."""

    fields: bytes
    """Without those that say what the body is."""
    body: bytes
    """Those, an empty line, and the body."""
    subject: str


@define(eq=False)
class Template:
    """What all messages of a sending are made of."""

    fields: tuple[Field, ...]
    part: TextPart | OtherPart | Parts
    names: frozenset[str]
    """What is asked of each row."""

    @classmethod
    def read(cls, text: str) -> Template:
        """:raises BadTemplate: with what is wrong with it."""
        text = text.removeprefix("\ufeff")
        begun = _COMMENTS.sub("", text, 1)
        line = text.count("\n", 0, len(text) - len(begun)) + 1
        octets = begun.encode("utf-8", "replace")
        names: set[str] = set()
        root = mime.scan(octets, LIMITS)
        fields = tuple(_fields(octets[: root.body], names, line))
        part = _part(octets, root, names, line, is_root=True)
        return cls(fields, part, frozenset(names))

    def has(self, name: str) -> bool:
        """Whether it has a field; ``name`` in lower case."""
        return any(field.name.lower() == name for field in self.fields)

    def check_columns(self, columns: Sequence[str]) -> None:
        """:raises BadTemplate: if it asks for what no row has."""
        missing = sorted(self.names.difference(columns))
        if missing:
            asked = ", ".join(f"{{{{ {name} }}}}" for name in missing)
            raise BadTemplate(
                f"the template asks for {asked}; there are {', '.join(columns)}"
            )

    def merge(self, values: Mapping[str, str], author: Address, to: Path) -> Merged:
        """
        Put one row's values in.

        :param author: who From has to be; without that field it is written.
        :param to: who To has to be; likewise.
        :raises BadRow: if that makes no message.
        """
        lines: list[bytes] = []
        subject = ""
        seen: set[str] = set()
        try:
            for field in self.fields:
                text = field.text.render(values).strip()
                name = field.name.lower()
                compose.check_text(field.name, text)
                if not text:
                    continue
                seen.add(name)
                if name in _ADDRESSES:
                    lines.append(_addresses(field.name, text, author, to))
                else:
                    lines.append(compose.text_field(field.name, text))
                if name == "subject":
                    subject = text
            if "from" not in seen:
                lines.insert(0, compose.address_field("From", [("", str(author))]))
            if "to" not in seen:
                lines.append(compose.address_field("To", [("", str(to))]))
            return Merged(b"".join(lines), _write(self.part, values), subject)
        except BadMessage as error:
            raise BadRow(str(error)) from error
        except _MISTAKES as error:
            words = str(error) or type(error).__name__
            raise BadRow(f"the template says: {words}") from error


def _compiled(
    environment: Environment, text: str, where: str, names: set[str], line: int
) -> Text:
    """
    :param line: of the file, in which the text begins.
    :raises BadTemplate:
    """
    try:
        tree = environment.parse(text)
        names |= meta.find_undeclared_variables(tree) - set(environment.globals)
        return environment.from_string(text)
    except TemplateError as error:
        line += getattr(error, "lineno", 1) - 1
        raise BadTemplate(f"line {line} ({where}): {error}") from error
    except _TOO_MUCH as error:
        words = f"{type(error).__name__}, {error}"
        raise BadTemplate(f"line {line} ({where}): {words}") from error


def _fields(top: bytes, names: set[str], line: int) -> Iterator[Field]:
    """:raises BadTemplate:"""
    found = header.scan(top, 0, len(top), LIMITS)
    if sum(len(line) for line, _, _ in found) < len(top.rstrip(b"\r\n")):
        raise BadTemplate(
            "the template begins with fields, each on a line, such as 'Subject: Hello';"
            " then an empty line; then the text"
        )
    seen: set[str] = set()
    following = line
    for whole, octets, value in found:
        line, following = following, following + whole.count(b"\n")
        name = octets.decode("utf-8", "replace")
        key = name.lower()
        if key in OURS:
            continue
        if key in FORBIDDEN or key.startswith("resent-"):
            why = FORBIDDEN.get(key, "nothing is sent again")
            raise BadTemplate(f"{name}: {why}")
        if key in seen and key in _ONCE:
            raise BadTemplate(f"{name} is there twice")
        seen.add(key)
        if key.startswith("content-"):
            continue  # of the body: see `_part`
        text = encodedword.decode(header.unfold(value))
        yield Field(name, _compiled(_PLAIN, text, name, names, line))
    if "subject" not in seen:
        raise BadTemplate("the template has no Subject")


def _part(
    octets: bytes,
    part: mime.Part,
    names: set[str],
    line: int,
    *,
    is_root: bool = False,
) -> TextPart | OtherPart | Parts:
    """:raises BadTemplate:"""
    fields = _content_fields(octets, part, is_root=is_root)
    subtype = part.subtype.decode("ascii", "replace")
    if part.type == b"multipart":
        parameters = b"".join(
            b';\r\n %b="%b"' % (name, value.replace(b'"', b""))
            for name, value in part.parameters
            if name.lower() != b"boundary"
        )
        parts = tuple(_part(octets, one, names, line) for one in part.parts)
        if not parts:
            raise BadTemplate("a multipart has no parts: its boundary is missing")
        return Parts(subtype, fields, parameters, parts)
    if part.type == b"text":
        text = _text(octets, part)
        environment = _HTML if part.subtype == b"html" else _PLAIN
        line += octets.count(b"\n", 0, part.body)
        compiled = _compiled(environment, text, f"text/{subtype}", names, line)
        return TextPart(subtype, fields, compiled)
    if is_root:
        raise BadTemplate("the template has no text; files are attached by --attach")
    return OtherPart(_crlf(octets[part.start : part.end]))


def _content_fields(octets: bytes, part: mime.Part, *, is_root: bool) -> bytes:
    """The fields of a part but for those that we write; of the root: Content-…"""
    kept = b""
    for line, name, _ in header.scan(octets, part.start, part.body, LIMITS):
        key = name.lower()
        if key in (b"content-type", b"content-transfer-encoding"):
            continue
        if is_root and not key.startswith(b"content-"):
            continue
        if _PLACE.search(line):
            raise BadTemplate("{{ … }} stands in the header of a part")
        if not line.isascii():
            raise BadTemplate("the header of a part is not ASCII")
        kept += _crlf(line)
    return kept


def _text(octets: bytes, part: mime.Part) -> str:
    """:raises BadTemplate:"""
    raw = octets[part.body : part.end]
    named = next(
        (value for name, value in part.parameters if name.lower() == b"charset"), b""
    ).lower()
    if part.encoding in body.ENCODED:
        return charset.decode(body.decode(raw, part.encoding), named or b"utf-8")
    if named not in _CHARSETS:
        raise BadTemplate("a template is a file in UTF-8; say charset=utf-8")
    return raw.decode("utf-8", "replace")


def _write(part: TextPart | OtherPart | Parts, values: Mapping[str, str]) -> bytes:
    if isinstance(part, OtherPart):
        return part.octets
    if isinstance(part, TextPart):
        return compose.text_part(part.text.render(values), part.subtype, part.fields)
    parts = [_write(one, values) for one in part.parts]
    return compose.multipart(part.subtype, parts, part.fields, part.parameters)


def _addresses(name: str, text: str, author: Address, to: Path) -> bytes:
    """:raises BadRow: :raises CannotCompose:"""
    octets = text.encode("utf-8", "replace")
    found = addresslist.flatten(addresslist.parse(octets, LIMITS))
    written = [
        (
            "" if one.name is None else encodedword.decode(one.name),
            _path(one),
        )
        for one in found
    ]
    [(shown, path), *more] = written or [("", NULL_PATH)]
    if more or not path.domain or not addresslist.is_certain(octets):
        raise BadRow(f"{name} is not one address: {text}")
    if name.lower() == "from" and path.address != author:
        raise BadRow(f"From is {path}, and the sender is {author}")
    if name.lower() == "to":
        if path.address != to.address:
            raise BadRow(f"To is {path}, and the row is that of {to}")
        path = to
    return compose.address_field(name, [(shown, str(path))])


def _path(one: addresslist.NamedAddress) -> Path:
    domain = one.domain.decode()
    return Path(one.local_part.decode(), a_labels(fold_domain(domain)) or domain)


def _crlf(octets: bytes) -> bytes:
    return b"\r\n".join(re.split(rb"\r\n|\r|\n", octets))
