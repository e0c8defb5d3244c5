"""One message as twisted.mail's IMAP server asks for it."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

from attrs import define
from twisted.mail.interfaces import (
    IMessageIMAP,
    IMessageIMAPFile,
    IMessageIMAPPart,
)
from zope.interface import implementer

from mailkit.formats import header, mime
from mailkit.formats.date import format as format_date
from mailkit.model.mailbox import MessageRecord


@implementer(IMessageIMAPPart)
@define(eq=False)
class Part:
    """A part of a message that is in memory."""

    _octets: bytes
    _part: mime.Part

    def getHeaders(self, negate: bool, *names: str | bytes) -> dict[str, str]:
        """The fields of those names, or of all others; the last of each name wins."""
        wanted = {_text(name).lower() for name in names}
        fields: dict[str, str] = {}
        for _, name, value in header.scan(
            self._octets, self._part.start, self._part.body
        ):
            key = _text(name).lower()
            if (key in wanted) is not negate:
                fields[key] = _text(header.unfold(value)).strip()
        return fields

    def getBodyFile(self) -> BytesIO:
        return BytesIO(self._octets[self._part.body : self._part.end])

    def getSize(self) -> int:
        return self._part.end - self._part.body

    def isMultipart(self) -> bool:
        return self._part.is_multipart

    def getSubPart(self, part: int) -> Part:
        return Part(self._octets, self._part.parts[part])


@implementer(IMessageIMAP, IMessageIMAPFile)
class Message(Part):
    """A whole message, with what the index knows of it."""

    def __init__(self, octets: bytes, record: MessageRecord) -> None:
        super().__init__(octets, mime.scan(octets))
        self._record = record

    def getUID(self) -> int:
        return self._record.uid

    def getFlags(self) -> list[str]:
        return sorted(self._record.flags)

    def getInternalDate(self) -> str:
        """As a Date field has it: twisted.mail turns that into IMAP's form."""
        moment = datetime.fromtimestamp(self._record.internal_date, UTC)
        return format_date(moment).decode("ascii")

    def getSize(self) -> int:
        return self._record.size

    def open(self) -> BytesIO:
        return BytesIO(self._octets)


def _text(octets: str | bytes) -> str:
    return octets if isinstance(octets, str) else octets.decode("utf-8", "replace")
