"""One MAIL, its RCPTs, the message, and what became of each recipient."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from twisted.internet.defer import CancelledError

from mailkit.errors import Unreachable
from mailkit.model.path import Path
from mailkit.model.queueitem import Fate, QueuedRecipient, QueueItem, Report
from mailkit.model.reply import Reply
from mailkit.net.relay.conversation import Conversation, HungUp
from mailkit.net.relay.fitting import (
    Fitted,
    path_for,
    recipient_parameters,
    sender_parameters,
)
from mailkit.net.relay.link import Link
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.relay.verdicts import BROKEN, is_busy, is_full, is_yes, report
from mailkit.protocols.smtp.client import SMTPClient
from mailkit.protocols.smtp.events import DataBegins, MailFrom, RcptTo, Reset

TOO_LARGE = "5.3.4"
"""Message too big for system (RFC 3463 §3.4)."""


BROKEN_OFF = "broken off: the server stops"


class Stale(Unreachable):
    """A connection that was kept is of no use any more; a new one may be."""


@define(eq=False)
class Transaction:
    """
    Hands one message to one host for as many recipients as it takes at once.

    Whatever was answered counts, whatever happens to the connection afterwards.
    """

    link: Link
    settings: RelaySettings
    item: QueueItem
    fitted: Fitted
    recipients: Sequence[QueuedRecipient]
    is_busy: bool = field(default=False, init=False)
    is_doubtful: bool = field(default=False, init=False)
    is_taken: bool = field(default=False, init=False)
    """The host has taken the message, for whom it has taken."""
    is_cut: bool = field(default=False, init=False)
    """The connection ended before the host had taken anything."""
    is_broken_off: bool = field(default=False, init=False)
    """Whoever awaited `run` was cancelled."""
    _replies: dict[int, Report] = field(factory=dict, init=False)
    _accepted: list[int] = field(factory=list, init=False)
    _put_off: list[int] = field(factory=list, init=False)
    _all_sent: bool = field(default=False, init=False)
    _stage: str = field(default="before its reply to RCPT", init=False)

    @property
    def reports(self) -> list[Report]:
        """One a recipient, those of `again` left out."""
        again = set(self._again)
        return [
            found
            for index, found in sorted(self._replies.items())
            if index not in again
        ]

    @property
    def again(self) -> list[QueuedRecipient]:
        """Those for whom only this transaction was too small."""
        return [self.recipients[index] for index in self._again]

    def is_too_large(self) -> bool:
        """Whether the host said it would not take so much (RFC 1870 §6.2)."""
        said, size = self._machine.extensions.get("SIZE", ""), self.fitted.size
        limit = int(said) if said.isascii() and said.isdigit() else 0
        if not 0 < limit < size:
            return False
        words = f"the host takes {limit} octets at most, the message has {size}"
        for index, each in enumerate(self.recipients):
            self._replies[index] = Report(each.path, Fate.FAILED, TOO_LARGE, words)
        return True

    async def run(self) -> None:
        """
        Do it.

        :raises Stale: :raises Unreachable: if there was no answer to MAIL.
        """
        try:
            if await self._envelope():
                await self._message()
        except HungUp as gone:
            self._give_up(gone)
        except CancelledError:
            self._give_up(HungUp(BROKEN_OFF))
            self.is_cut = self.is_broken_off = True

    # -- within

    @property
    def _again(self) -> list[int]:
        return self._put_off if self.is_taken else []

    @property
    def _talk(self) -> Conversation:
        return self.link.talk

    @property
    def _machine(self) -> SMTPClient:
        return self.link.talk.machine

    @property
    def _taken(self) -> Fate:
        """Who speaks DSN will tell of success itself (RFC 3461 §5.2.2)."""
        return Fate.SENT if self._machine.offers("DSN") else Fate.RELAYED

    async def _envelope(self) -> bool:
        """
        MAIL and RCPT, and DATA behind them where they may go together (RFC 2920 §3.1).

        :returns: whether the host waits for the message.
        """
        talk, machine, fitted = self._talk, self._machine, self.fitted
        is_group = machine.offers("PIPELINING")
        has_reset, self.link.needs_reset = self.link.needs_reset, True
        self.link.messages += 1
        sender = path_for(self.item.envelope.reverse_path, fitted)
        assert sender is not None  # `fit` has seen to it
        if has_reset:
            talk.say(Reset())
            if not is_group:
                await self._first(self.settings.mail)
        talk.say(MailFrom(sender, sender_parameters(fitted, self.item, machine)))
        is_open = True
        if not is_group and not await self._sender():
            return False
        asked = self._paths()
        for index, path in asked:
            said = self.recipients[index].recipient.parameters
            talk.say(RcptTo(path, recipient_parameters(said, fitted, machine)))
            if not is_group:
                self._note(index, await talk.reply(self.settings.rcpt))
        by_data = not machine.offers("CHUNKING")
        if is_group:
            if by_data:
                talk.say(DataBegins())
            if has_reset:
                await self._first(self.settings.mail)
            is_open = await self._sender()
            for index, _ in asked:
                reply = await talk.reply(self.settings.rcpt)
                if is_open:
                    self._note(index, reply)
        elif by_data and self._accepted:
            talk.say(DataBegins())
        if by_data and (is_group or self._accepted):
            return await self._data()
        return bool(self._accepted)

    def _paths(self) -> list[tuple[int, Path]]:
        """Whom to ask for; others are refused here (RFC 6531 §3.2)."""
        found = []
        for index, each in enumerate(self.recipients):
            path = path_for(each.path, self.fitted)
            if path is not None:
                found.append((index, path))
            else:
                words = "the host does not take addresses in UTF-8"
                self._replies[index] = Report(each.path, Fate.FAILED, "5.6.7", words)
        return found

    async def _first(self, wait: float) -> Reply:
        """The reply to the first word of all: here a connection may prove stale."""
        try:
            reply = await self._talk.reply(wait)
        except HungUp as gone:
            words = f"{self._talk.where}: {gone}, before its reply to MAIL"
            kind = Stale if self.link.is_reused else Unreachable
            raise kind(words, BROKEN) from gone
        if reply.code == 421 and self.link.is_reused:
            raise Stale(f"{self._talk.where}: {reply}")
        return reply

    async def _sender(self) -> bool:
        """Whether MAIL was answered well; if not, that is everybody's answer."""
        reply = await self._first(self.settings.mail)
        if not is_yes(reply):
            for index in range(len(self.recipients)):
                self._answer(index, reply)
            self.link.needs_reset = reply.code < 400
            return False
        return True

    def _note(self, index: int, reply: Reply) -> None:
        """What was said to one RCPT."""
        if is_yes(reply):
            self._accepted.append(index)
            return
        if is_full(reply) and self._accepted:
            self._put_off.append(index)
        self._answer(index, reply)

    async def _data(self) -> bool:
        """The reply to DATA."""
        self._stage = "before its reply to DATA"
        reply = await self._talk.reply(self.settings.data)
        if reply.code != 354:
            if is_yes(reply):
                # Whatever it means: the text would be taken for commands.
                self._talk.cut(f"it answered {reply.code} to DATA")
                self._talk.still_there()
            self._answer_all(reply)
            return False
        if self._accepted:
            return True
        # It wants a message for nobody: it gets an empty one (RFC 2920 §3.1).
        self._machine.end_text()
        while self._machine.awaits:
            await self._talk.reply(self.settings.end)
        self.link.needs_reset = False
        return False

    async def _message(self) -> None:
        self._stage = "while the message was sent"
        if self._machine.offers("CHUNKING"):
            refusal = await self._chunks()
            if refusal is not None:
                self._answer_all(refusal)
                return
        else:
            await self._text()
        self._all_sent = True
        self._stage = "before its reply to the message"
        if self.link.key.is_lmtp:
            for index in tuple(self._accepted):
                self._settle(index, await self._talk.reply(self.settings.end))
        else:
            reply = await self._talk.reply(self.settings.end)
            for index in self._accepted:
                self._settle(index, reply)
        self.link.needs_reset = False

    def _settle(self, index: int, reply: Reply) -> None:
        self.is_taken |= is_yes(reply)
        self._answer(index, reply)

    async def _text(self) -> None:
        """The message by DATA (RFC 5321 §4.1.1.4)."""
        machine, size, piece = self._machine, self.fitted.size, self.settings.piece
        for at in range(0, size, piece):
            octets = await self.fitted.read(at, piece)
            self._talk.still_there()
            machine.text(octets)
            if at + piece < size:
                await self._talk.push()
        machine.end_text()

    async def _chunks(self) -> Reply | None:
        """
        The message by BDAT (RFC 3030 §2), some of them ahead of their replies.

        :returns: why the host takes no more of it.
        """
        talk, machine, settings = self._talk, self._machine, self.settings
        size, piece = self.fitted.size, settings.piece
        window = settings.window if machine.offers("PIPELINING") else 1
        waiting = 0
        for at in range(0, max(size, 1), piece):
            octets = await self.fitted.read(at, piece)
            is_last = at + piece >= size
            # The last one, which may make it a message, waits for all before it.
            while waiting >= (1 if is_last else window):
                waiting -= 1
                reply = await talk.reply(settings.block)
                if reply.code != 250:
                    for _ in range(waiting):
                        await talk.reply(settings.block)
                    return reply
            talk.still_there()
            machine.chunk(octets, is_last)
            if not is_last:
                waiting += 1
                await talk.push()
        return None

    def _answer(self, index: int, reply: Reply) -> None:
        self.is_busy |= is_busy(reply)
        path = self.recipients[index].path
        self._replies[index] = report(path, reply, self._taken)

    def _answer_all(self, reply: Reply) -> None:
        for index in self._accepted:
            self._answer(index, reply)

    def _give_up(self, gone: HungUp) -> None:
        """The connection is over: nobody else is answered."""
        self.is_cut = not self.is_taken
        reply = gone.reply
        for index, each in enumerate(self.recipients):
            if index in self._replies:
                continue
            if reply is not None:
                self._answer(index, reply)
                continue
            self.is_doubtful |= self._all_sent
            words = f"{gone}, {self._stage}"
            self._replies[index] = Report(each.path, Fate.WAITING, BROKEN, words)
