"""Forms with files, whose octets are on disk before the whole form is here."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mailkit.errors import MailkitError, Malformed, TooLarge
from mailkit.formats.multipartform import (
    FormReader,
    Found,
    PartBegins,
    PartEnds,
    PartOctets,
)
from mailkit.interfaces.storage import ISpool, ISpoolFile
from mailkit.web.fields import Fields
from mailkit.web.multipart import FormFile

_AROUND = 64 * 1024  # octets of boundaries and heads


@define(eq=False)
class _Part:
    begins: PartBegins
    file: ISpoolFile | None
    octets: bytearray = field(factory=bytearray)


@define(eq=False)
class Uploading:
    """
    One form that is coming in.

    :param spool: where its files go.
    :param most_fields: octets of all fields together, in memory.
    :param most_files: octets of all files together.
    """

    _spool: ISpool
    _reader: FormReader
    _most_fields: int
    _most_files: int
    waiting: int = field(default=0, init=False)
    """Octets that are not written yet."""
    _found: list[Found] = field(factory=list, init=False)
    _part: _Part | None = field(default=None, init=False)
    _pairs: list[tuple[str, str]] = field(factory=list, init=False)
    _files: list[FormFile] = field(factory=list, init=False)
    _spooled: list[ISpoolFile] = field(factory=list, init=False)
    _fields_taken: int = field(default=0, init=False)
    _files_taken: int = field(default=0, init=False)
    _is_writing: bool = field(default=False, init=False)
    _waiters: list[Deferred[None]] = field(factory=list, init=False)
    _trouble: MailkitError | None = field(default=None, init=False)
    _is_discarded: bool = field(default=False, init=False)

    @property
    def most(self) -> int:
        """Octets that the whole form may have."""
        return self._most_fields + self._most_files + _AROUND

    @property
    def fields(self) -> Fields:
        """What is no file."""
        return Fields.of(self._pairs)

    @property
    def files(self) -> tuple[FormFile, ...]:
        """In the order in which they came; without those that nobody chose."""
        return tuple(self._files)

    def take(self, octets: bytes) -> None:
        """The next octets; `finish` raises what is wrong with them."""
        if self._trouble is not None or self._is_discarded:
            return
        try:
            self._found.extend(self._reader.feed(octets))
        except Malformed as error:
            self._trouble = error
            return
        self.waiting += len(octets)
        if not self._is_writing:
            self._is_writing = True
            writing = Deferred.fromCoroutine(self._write())
            writing.addErrback(self._failed).addCallback(self._idle)

    async def written(self) -> None:
        """Return when nothing waits; raises nothing."""
        if self._is_writing:
            waiter: Deferred[None] = Deferred()
            self._waiters.append(waiter)
            await waiter

    async def finish(self) -> None:
        """
        No more comes.

        :raises Malformed: :raises TooLarge: :raises StorageFull: :raises StorageBroken:
        """
        await self.written()
        if self._trouble is None:
            self._reader.finish()
        else:
            raise self._trouble

    def discard(self) -> None:
        """Forget everything; once is enough."""
        self._is_discarded = True
        for spooled in self._spooled:
            spooled.discard()
        self._spooled.clear()
        self._found.clear()

    # -- within

    async def _write(self) -> None:
        while self._found and not self._is_discarded:
            found, self._found = self._found, []
            for one in found:
                await self._put(one)
            self.waiting = 0

    async def _put(self, found: Found) -> None:
        if self._is_discarded:
            return
        match found:
            case PartBegins():
                file: ISpoolFile | None = None
                if found.file_name is not None:
                    file = self._spool.begin()
                    self._spooled.append(file)
                self._part = _Part(found, file)
            case PartOctets(octets):
                await self._more(octets)
            case PartEnds():
                await self._end()

    async def _more(self, octets: bytes) -> None:
        assert self._part is not None
        if self._part.file is not None:
            self._files_taken += len(octets)
            if self._files_taken > self._most_files:
                raise TooLarge("the files are too large")
            await self._part.file.write(octets)
            return
        self._fields_taken += len(octets)
        if self._fields_taken > self._most_fields:
            raise TooLarge("the form is too large")
        self._part.octets += octets

    async def _end(self) -> None:
        assert self._part is not None
        part, self._part = self._part, None
        begins = part.begins
        if part.file is None:
            text = part.octets.decode("utf-8", "replace")
            self._pairs.append((begins.name, text))
        elif part.file.size or begins.file_name:
            content = await part.file.finish()
            self._files.append(
                FormFile(
                    begins.name,
                    begins.file_name or "",
                    begins.content_type,
                    part.file.size,
                    content,
                )
            )

    def _failed(self, failure: Failure) -> None:
        failure.trap(MailkitError)
        error = failure.value
        assert isinstance(error, MailkitError)
        self._trouble = error
        self.waiting = 0

    def _idle(self, _: object) -> None:
        self._is_writing = False
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)
