"""Parts of one message, read no further than they ask for (RFC 9051 §6.4.5)."""

from __future__ import annotations

from attrs import define, field, frozen
from twisted.internet.defer import DeferredSemaphore

from mailkit.errors import StorageBroken
from mailkit.formats import header, mime, section
from mailkit.formats.section import Text
from mailkit.interfaces.storage import IContent
from mailkit.protocols.imap.items import FetchSection, Partial, SectionKind

HEAD = 65_536
"""Octets of a large message that are read to find its header."""

_TEXTS = {
    SectionKind.WHOLE: Text.WHOLE,
    SectionKind.HEADER: Text.HEADER,
    SectionKind.TEXT: Text.TEXT,
    SectionKind.MIME: Text.MIME,
}


@frozen
class Span:
    """Octets that are still in the store."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start


@define(eq=False)
class Message:
    """
    One message while a FETCH is answered.

    A large one is read whole only where its parts have to be found, few at a time
    in the whole server, and what is found of it is then read in pieces.
    """

    _content: IContent
    _large: DeferredSemaphore
    """How many large messages may be in memory at once."""
    _root: mime.Part | None = field(default=None, init=False)
    _body: int | None = field(default=None, init=False)

    async def section(self, item: FetchSection) -> bytes | Span | None:
        """
        Its octets, or where they are; ``None`` if there is no such section.

        :raises UnknownEncoding:
        """
        octets = self._content.octets
        if octets is not None:
            return self._cut(octets, item)
        if not item.part:
            return await self._of_large(item)
        await self._large.acquire()
        try:
            octets = await self._everything()
            found = self._find(octets, item)
            if isinstance(found, Span):
                return cut_span(found, item.partial)
            return cut(found, item.partial)
        finally:
            self._large.release()

    async def binary_size(self, part: tuple[int, ...]) -> int:
        """
        Octets of a part once decoded; 0 if there is no such part.

        :raises UnknownEncoding:
        """
        octets = self._content.octets
        if octets is not None:
            return section.binary_size(octets, self._tree(octets), part) or 0
        if not part:
            return self._content.size
        await self._large.acquire()
        try:
            octets = await self._everything()
            return section.binary_size(octets, self._tree(octets), part) or 0
        finally:
            self._large.release()

    def _cut(self, octets: bytes, item: FetchSection) -> bytes | None:
        if item.part or item.is_binary:
            found = self._find(octets, item)
        else:
            found = _of_message(octets, item)
        if isinstance(found, Span):
            found = octets[found.start : found.end]
        return cut(found, item.partial)

    def _find(self, octets: bytes, item: FetchSection) -> bytes | Span | None:
        root = self._tree(octets)
        if item.is_binary:
            return section.binary(octets, root, item.part)
        match item.kind:
            case SectionKind.HEADER_FIELDS:
                return section.header_fields(octets, root, item.part, names_of(item))
            case SectionKind.HEADER_FIELDS_NOT:
                names = names_of(item)
                return section.header_fields_not(octets, root, item.part, names)
            case _:
                where = section.span(octets, root, item.part, _TEXTS[item.kind])
                return None if where is None else Span(*where)

    async def _of_large(self, item: FetchSection) -> bytes | Span | None:
        """What needs no structure, read no further than its header."""
        size = self._content.size
        if item.kind is SectionKind.WHOLE:
            return cut_span(Span(0, size), item.partial)
        head = await self._head()
        if item.kind is SectionKind.TEXT:
            return cut_span(Span(len(head), size), item.partial)
        return cut(_of_message(head, item), item.partial)

    async def _head(self) -> bytes:
        head = b""
        while len(head) < self._content.size:
            piece = await self._content.read(len(head), max(HEAD, len(head)))
            if not piece:
                raise StorageBroken("the message is shorter than it was")
            head += piece
            end = header.find_end(head)
            if end < len(head) or head.endswith(b"\r\n\r\n"):
                return head[:end]
        return head

    async def _everything(self) -> bytes:
        return await self._content.read(0, self._content.size)

    def _tree(self, octets: bytes) -> mime.Part:
        if self._root is None:
            self._root = mime.scan(octets)
        return self._root


def _of_message(octets: bytes, item: FetchSection) -> bytes | None:
    """What needs no structure, only the end of the header."""
    if item.kind is SectionKind.WHOLE:
        return octets
    end = header.find_end(octets)
    match item.kind:
        case SectionKind.HEADER:
            return octets[:end]
        case SectionKind.TEXT:
            return octets[end:]
        case SectionKind.HEADER_FIELDS:
            return header.select(octets, names_of(item), 0, end)
        case SectionKind.HEADER_FIELDS_NOT:
            return header.leave_out(octets, names_of(item), 0, end)
        case SectionKind.MIME:
            return None


def names_of(item: FetchSection) -> frozenset[bytes]:
    """The fields that a section names, as they are compared."""
    return frozenset(name.lower().encode() for name in item.fields)


def cut(octets: bytes | None, partial: Partial | None) -> bytes | None:
    """``<start.count>`` of octets."""
    if octets is None or partial is None:
        return octets
    return octets[partial.start : partial.start + partial.count]


def cut_span(span: Span, partial: Partial | None) -> Span:
    """``<start.count>`` of a span."""
    if partial is None:
        return span
    start = min(span.start + partial.start, span.end)
    return Span(start, min(start + partial.count, span.end))
