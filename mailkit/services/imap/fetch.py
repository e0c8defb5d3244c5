"""FETCH and UID FETCH (RFC 9051 §6.4.5)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice

from attrs import define, field, frozen
from twisted.internet.defer import Deferred

from mailkit.errors import StorageBroken
from mailkit.formats.body import UnknownEncoding
from mailkit.interfaces.storage import IContent
from mailkit.model.flags import SEEN, FlagAction, FlagChange
from mailkit.model.mailbox import MessageRecord, Want
from mailkit.model.uidset import NO_UIDS, UIDSet
from mailkit.protocols.imap.events import Fetch
from mailkit.protocols.imap.items import (
    Attribute,
    FetchBinarySize,
    FetchItem,
    FetchSection,
)
from mailkit.protocols.imap.response import Response, no, ok
from mailkit.protocols.imap.write import codes
from mailkit.protocols.imap.write import fetch as write
from mailkit.services.imap.dialogue import Dialogue
from mailkit.services.imap.news import tell_news
from mailkit.services.imap.rows import AHEAD, Rows, not_asked_for
from mailkit.services.imap.sections import Message, Span
from mailkit.services.imap.selected import is_by_number
from mailkit.services.imap.view import Run, batches, before, count

_READ = FlagChange(FlagAction.ADD, frozenset({SEEN}))
_ISSUED = no("Some of them are no more", codes.EXPUNGEISSUED)


async def fetch(talk: Dialogue, command: Fetch) -> Response:
    """
    Send what was asked for of each message that is there, in batches.

    A message that has vanished is left out, and the answer is NO
    [EXPUNGEISSUED]; not so if it went before and was named by its UID or by ``$``.
    """
    runs = talk.here.runs(command.numbers, command.uid)
    if all(write.is_ready(item) for item in command.items):
        is_whole = await Rows.of(talk, command.items, runs).send()
        known: dict[int, int] = {}
        response = ok("Fetched")
    else:
        reading = _Reading.of(talk, command.items)
        is_whole = await reading.send(runs)
        known = reading.known
        response = reading.response
    if not (is_whole and runs and talk.here.is_quiet(talk.house.clock.seconds())):
        await tell_news(
            talk,
            may_expunge=command.uid,
            uid=command.uid,
            is_told=lambda record: record.mod_seq > known.get(record.uid, -1),
        )
    by_number = is_by_number(command.numbers, command.uid)
    return response if is_whole or not by_number else _ISSUED


@frozen
class _Ready:
    """Items in a row that need no octets of the message."""

    template: write.Template


_Step = _Ready | FetchSection | FetchBinarySize
_Coming = Deferred[list[tuple[int, IContent]]]


@define(eq=False)
class _Reading:
    """A FETCH for which messages are read."""

    talk: Dialogue
    steps: tuple[_Step, ...]
    asked: Want
    """What the client asked for of the rows."""
    want: Want
    marks: bool
    r"""Whether what is read becomes ``\Seen``."""
    tells_flags: bool
    """Whether FLAGS was asked for, so that they need not be added."""
    is_plain: bool = field(init=False)
    """Whether nothing but whole messages and what is ready was asked for."""
    known: dict[int, int] = field(factory=dict, init=False)
    """UID to the MODSEQ whose flags were sent."""
    response: Response = field(factory=lambda: ok("Fetched"), init=False)

    def __attrs_post_init__(self) -> None:
        self.is_plain = all(
            isinstance(step, _Ready)
            or (isinstance(step, FetchSection) and step.is_whole)
            for step in self.steps
        )

    @classmethod
    def of(cls, talk: Dialogue, items: tuple[FetchItem, ...]) -> _Reading:
        steps: list[_Step] = []
        ready: list[FetchItem] = []
        asked = Want(0)
        marks = False
        for item in items:
            if isinstance(item, FetchSection) and not item.is_peek:
                marks = not talk.here.is_read_only
            if isinstance(item, Attribute) or write.is_ready(item):
                ready.append(item)
                continue
            if ready:
                steps.append(_Ready(write.template_of(tuple(ready))))
                ready = []
            steps.append(item)
        if ready:
            steps.append(_Ready(write.template_of(tuple(ready))))
        for step in steps:
            if isinstance(step, _Ready):
                asked |= step.template.want
        want = asked | Want.FACTS  # sizes, to know how many to read at once
        if marks:
            want |= Want.FLAGS | Want.MOD_SEQ
        return cls(talk, tuple(steps), asked, want, marks, Attribute.FLAGS in items)

    async def send(self, runs: Sequence[Run]) -> bool:
        """Send all; whether every message was there."""
        talk = self.talk
        view, mailbox = talk.here.view, talk.here.mailbox
        is_whole = True
        # What was said before goes first, so that what follows is one write.
        await talk.peer.flush()
        if count(runs) == 1 and not self.marks:
            return await self._send_one(runs[0][0])
        todo = deque(batches(runs, talk.settings.contents))
        while todo:
            batch = todo.popleft()
            uids = view.uids(batch)
            rows = await mailbox.fetch(uids, self.want, talk.settings.rows_octets)
            if rest := view.numbers_of_uids(rows.rest.ranges):
                todo.appendleft(rest)
                batch = before(batch, rest[0][0])
            is_whole = is_whole and len(rows) == count(batch)
            numbers = view.numbers_in(batch, [row.uid for row in rows])
            by_uid = dict(zip([row.uid for row in rows], numbers, strict=True))
            await self._send_groups(self._groups(rows), by_uid)
        return is_whole

    async def _send_groups(
        self, groups: Iterator[list[MessageRecord]], numbers: dict[int, int]
    ) -> None:
        """One group after the other; the next is read while one is sent."""
        mailbox = self.talk.here.mailbox
        coming: deque[tuple[list[MessageRecord], _Coming]] = deque()
        try:
            while True:
                for group in islice(groups, AHEAD + 1 - len(coming)):
                    reading = mailbox.contents(UIDSet.of([row.uid for row in group]))
                    coming.append((group, Deferred.fromCoroutine(reading)))
                if not coming:
                    return
                group, read = coming.popleft()
                rows = {row.uid: row for row in group}
                await self._send_group(rows, numbers, await read)
                await self.talk.flush()
        finally:
            for _, read in coming:
                read.addErrback(not_asked_for)

    async def _send_one(self, number: int) -> bool:
        """The same for one message, whose size need not be known before."""
        mailbox = self.talk.here.mailbox
        uid = self.talk.here.view.uid_at(number)
        uids = UIDSet(((uid, uid),))
        reading = Deferred.fromCoroutine(mailbox.contents(uids))
        rows: Sequence[MessageRecord] = [_BARE._replace(uid=uid)]
        if self.asked:
            try:
                # One after the other in the lane, with one wait for both.
                rows = await mailbox.fetch(uids, self.asked)
            except BaseException:
                reading.addErrback(not_asked_for)
                raise
        contents = await reading
        if not contents or not rows:
            return False
        await self._send(number, rows[0], contents[0][1], False)
        return True

    def _groups(self, rows: Sequence[MessageRecord]) -> Iterator[list[MessageRecord]]:
        """Rows whose messages may be in memory together."""
        most = self.talk.settings.contents_octets
        group: list[MessageRecord] = []
        octets = 0
        for row in rows:
            octets += row.size
            if group and octets > most:
                yield group
                group, octets = [], row.size
            group.append(row)
        if group:
            yield group

    async def _send_group(
        self,
        rows: dict[int, MessageRecord],
        numbers: dict[int, int],
        contents: list[tuple[int, IContent]],
    ) -> None:
        if len(contents) < len(rows):
            self.response = _ISSUED
        changed = await self._mark(rows, [uid for uid, _ in contents])
        contents = [one for one in contents if one[0] in rows]
        if self.is_plain and not changed:
            told = [rows[uid] for uid, _ in contents]
            if self._send_whole(told, numbers, [content for _, content in contents]):
                return
        for uid, content in contents:
            await self._send(numbers[uid], rows[uid], content, uid in changed)

    def _send_whole(
        self,
        rows: Sequence[MessageRecord],
        numbers: dict[int, int],
        contents: Sequence[IContent],
    ) -> bool:
        """Whole messages that are in memory, at once; not if one is not there."""
        texts = [content.octets for content in contents]
        octets = [text for text in texts if text is not None]
        if len(octets) < len(texts):
            return False
        recent = self.talk.here.view.recent
        columns: list[Sequence[bytes]] = [[write.begin(numbers[r.uid]) for r in rows]]
        for step in self.steps:
            if len(columns) > 1:
                columns.append([b" "] * len(rows))
            match step:
                case _Ready(template):
                    columns.append(template.parts(rows, recent))
                case FetchSection():
                    columns += write.wholes(step.name, octets)
        columns.append([write.END] * len(rows))
        self.talk.say(*chain.from_iterable(zip(*columns, strict=True)))
        return True

    async def _mark(self, rows: dict[int, MessageRecord], uids: list[int]) -> UIDSet:
        r"""
        Make what is read ``\Seen``, and look at the rows of those again.

        Their flags are sent with them, so that the client knows (RFC 9051 §6.4.5).
        """
        if not self.marks:
            return NO_UIDS
        unseen = UIDSet.of(uid for uid in uids if SEEN not in rows[uid].flags)
        if unseen:
            mailbox = self.talk.here.mailbox
            await mailbox.store(unseen, _READ)
            for uid in unseen:
                del rows[uid]
            for row in await mailbox.fetch(unseen, self.want):
                rows[row.uid] = row
                self.known[row.uid] = row.mod_seq
        return unseen

    async def _send(
        self, number: int, row: MessageRecord, content: IContent, is_changed: bool
    ) -> None:
        talk = self.talk
        recent = talk.here.view.recent
        octets = content.octets
        message: Message | None = None  # most are sent as they are
        pieces = [write.begin(number)]
        for index, step in enumerate(self.steps):
            if index:
                pieces.append(b" ")
            match step:
                case _Ready(template):
                    pieces += template.parts([row], recent)
                case FetchBinarySize():
                    message = message or Message(content, talk.house.large)
                    pieces.append(await self._size(message, step))
                case FetchSection() if octets is not None and step.is_whole:
                    pieces += write.whole(step.name, octets)
                case FetchSection():
                    message = message or Message(content, talk.house.large)
                    found = await self._section(message, step)
                    if isinstance(found, Span):
                        is_binary = step.is_binary
                        pieces.append(
                            write.section_head(step.name, found.size, is_binary)
                        )
                        talk.say(*pieces)
                        pieces = []
                        await self._stream(content, found, is_binary)
                    else:
                        pieces.append(write.section(step.name, found, step.is_binary))
        if is_changed and not self.tells_flags:
            pieces.append(b" ")
            pieces += _FLAGS.parts([row], recent)
        pieces.append(write.END)
        talk.say(*pieces)

    async def _section(
        self, message: Message, item: FetchSection
    ) -> bytes | Span | None:
        try:
            return await message.section(item)
        except UnknownEncoding:
            self.response = _UNKNOWN_CTE
            return None

    async def _size(self, message: Message, item: FetchBinarySize) -> bytes:
        try:
            size = await message.binary_size(item.part)
        except UnknownEncoding:
            self.response = _UNKNOWN_CTE
            size = 0
        return write.binary_size(item.name, size)

    async def _stream(self, content: IContent, span: Span, is_binary: bool) -> None:
        """
        A large literal, in pieces, as fast as the client takes them.

        Its size is announced, so what fails here ends the connection. NUL may stand
        in a literal8 only (RFC 3516 §4.3).
        """
        talk = self.talk
        at = span.start
        try:
            while at < span.end:
                await talk.flush()
                piece = await content.read(at, min(talk.settings.piece, span.end - at))
                if not piece:
                    raise StorageBroken("the message is shorter than it was")
                talk.say(piece if is_binary else piece.replace(b"\0", b"?"))
                at += len(piece)
        except StorageBroken:
            talk.machine.bye("")
            raise


_FLAGS = write.template_of((Attribute.FLAGS,))
_UNKNOWN_CTE = no("The encoding of a part is not known", codes.UNKNOWN_CTE)
_BARE = MessageRecord(0, 0, frozenset(), 0, 0, 0, "", "", b"", b"", b"", b"", b"")
