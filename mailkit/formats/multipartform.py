"""
Forms with files, octet by octet (``multipart/form-data``, RFC 7578).

`FormReader` is a machine: it is fed what comes, and says what it has found. It holds
no more than one line of a part's head, and what may be the beginning of a boundary.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from urllib.parse import unquote_to_bytes

from attrs import define, field, frozen

from mailkit.errors import Malformed

LONGEST_HEAD = 16 * 1024
"""Octets of the head of one part."""

MOST_PARTS = 2000

_BOUNDARY = re.compile(
    r"multipart/form-data\s*;(?:.*;)?\s*boundary="
    r'(?:"([^"]{1,70})"|([^\s;",]{1,70}))\s*(?:;|$)',
    re.IGNORECASE,
)
_PARAMETER = re.compile(r';\s*([A-Za-z0-9*_-]+)=(?:"([^"]*)"|([^\s;"]*))')


@frozen
class PartBegins:
    """A field, or a file if it has a file name."""

    name: str
    file_name: str | None
    content_type: str
    """In lower case, without parameters."""


@frozen
class PartOctets:
    """More of the part that began last."""

    octets: bytes = field(repr=False)


@frozen
class PartEnds:
    """The part that began last is whole."""


Found = PartBegins | PartOctets | PartEnds


def boundary_of(content_type: str) -> bytes | None:
    """What parts a form of that type; ``None``: it is not one with files."""
    match = _BOUNDARY.match(content_type.strip())
    if match is None:
        return None
    return str(match[1] or match[2]).encode("ascii", "replace")


@define(eq=False)
class FormReader:
    """
    Reads one form.

    :param boundary: of `boundary_of`.
    """

    _boundary: bytes
    _waiting: bytearray = field(factory=lambda: bytearray(b"\r\n"), init=False)
    _state: str = field(default="before", init=False)
    _parts: int = field(default=0, init=False)

    def feed(self, octets: bytes) -> Iterator[Found]:
        """
        What there is in the next octets.

        :raises Malformed: if that is no form; nothing more is to be fed then.
        """
        self._waiting += octets
        while True:
            if self._state in ("before", "body"):
                found = yield from self._body()
            elif self._state == "line":
                found = self._line()
            elif self._state == "head":
                found = yield from self._head()
            else:  # behind the last boundary nothing counts (RFC 2046 §5.1.1)
                self._waiting.clear()
                found = False
            if not found:
                return

    def finish(self) -> None:
        """:raises Malformed: if the form is not whole."""
        if self._state != "after":
            raise Malformed("the form ends too early")

    def _body(self) -> Generator[Found, None, bool]:
        """Up to the next boundary; whether there was one."""
        mark = b"\r\n--" + self._boundary
        at = self._waiting.find(mark)
        if at < 0:
            # What may be the beginning of a boundary is kept.
            sure = len(self._waiting) - len(mark) + 1
            if sure > 0:
                if self._state == "body":
                    yield PartOctets(bytes(self._waiting[:sure]))
                del self._waiting[:sure]
            return False
        if self._state == "body":
            if at:
                yield PartOctets(bytes(self._waiting[:at]))
            yield PartEnds()
        del self._waiting[: at + len(mark)]
        self._state = "line"
        return True

    def _line(self) -> bool:
        """What follows a boundary on its line."""
        if len(self._waiting) < 2:
            return False
        if self._waiting.startswith(b"--"):
            self._state = "after"
            return True
        end = self._waiting.find(b"\r\n")
        if end < 0:
            if len(self._waiting) > LONGEST_HEAD:
                raise Malformed("a boundary has a long line")
            return False
        if self._waiting[:end].strip(b" \t"):
            raise Malformed("something follows a boundary")
        # The line end stays: a part may have no head at all.
        self._state = "head"
        return True

    def _head(self) -> Generator[Found, None, bool]:
        """The head of a part; whether it was whole."""
        end = self._waiting.find(b"\r\n\r\n")
        if end < 0:
            if len(self._waiting) > LONGEST_HEAD:
                raise Malformed("the head of a part is too long")
            return False
        if end > LONGEST_HEAD:
            raise Malformed("the head of a part is too long")
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Malformed("the form has too many parts")
        yield _read_head(bytes(self._waiting[:end]))
        del self._waiting[: end + 4]
        self._state = "body"
        return True


def _read_head(head: bytes) -> PartBegins:
    name, file_name, content_type = "", None, "text/plain"
    for line in head.decode("utf-8", "replace").split("\r\n"):
        key, _, value = line.partition(":")
        key = key.strip().lower()
        if key == "content-disposition":
            name, file_name = _disposition(value)
        elif key == "content-type":
            content_type = value.partition(";")[0].strip().lower()
    return PartBegins(name, file_name, content_type)


def _disposition(value: str) -> tuple[str, str | None]:
    name, file_name = "", None
    for key, quoted, plain in _PARAMETER.findall(value):
        # Browsers write quotation marks and line ends as %22, %0D and %0A.
        text = quoted or plain
        for code, char in (("%22", '"'), ("%0D", "\r"), ("%0A", "\n")):
            text = text.replace(code, char)
        if key.lower() == "name":
            name = text
        elif key.lower() == "filename":
            file_name = re.split(r"[/\\]", text)[-1]
        elif key.lower() == "filename*" and text.lower().startswith("utf-8''"):
            octets = unquote_to_bytes(text[7:])
            file_name = re.split(r"[/\\]", octets.decode("utf-8", "replace"))[-1]
    return name, file_name
