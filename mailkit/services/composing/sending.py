"""
Sending: into the queue with a hold, back out of it, and what is done when it left.

A draft says itself how far it is: it is SENDING before the queue hears of it, HELD once
it has it, and gone when the hold is over, its own copy kept and the original flagged.
Whatever process finds one half-way, after a stop, brings it to an end.

Where no mail leaves the house there is no queue: a draft is kept back until its hold is
over, and delivered then; mailboxes take it once, however often that is tried.
"""

from __future__ import annotations

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from mailkit.errors import (
    DraftChanged,
    HasLeft,
    MailkitError,
    NoSuchDraft,
    NotAllowed,
    Refused,
    Unavailable,
)
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.conversation import Person
from mailkit.model.draft import Draft, DraftId, DraftState
from mailkit.model.event import Step
from mailkit.model.flags import ANSWERED
from mailkit.model.queueitem import Selection
from mailkit.services.composing.drafts import Drafts
from mailkit.services.composing.errors import (
    CannotSend,
    Lack,
    RecipientsRefused,
)
from mailkit.services.composing.handing import (
    Parcel,
    content_to_send,
    deliver_once,
    everybody_of,
    hand_over,
    path_of,
    try_out,
)
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.placing import Placing
from mailkit.services.composing.scheduled import items_of
from mailkit.services.smtp.replies import reply_for

FORWARDED = "$Forwarded"
"""The keyword of messages that were sent on, as other programs know it."""

CALLED_BACK = "called back by its sender"
"""Why the queue holds what somebody is calling back."""


@define(eq=False)
class Outbox:
    """What is on its way out, for all accounts."""

    log = Logger()

    house: ComposingHouse
    drafts: Drafts
    placing: Placing
    _timers: dict[DraftId, IDelayedCall] = field(factory=dict, init=False)
    _looking: LoopingCall | None = field(default=None, init=False)
    _is_closed: bool = field(default=False, init=False)

    # --- what a process does by itself

    def start(self) -> None:
        """Look now and then for what was left unfinished; by one process of many."""
        self._looking = LoopingCall(self._look)
        self._looking.clock = self.house.clock
        self._looking.start(self.house.settings.looked_after)

    def stop(self) -> None:
        """Begin nothing more; what is held stays so, and is found again."""
        self._is_closed = True
        if self._looking is not None and self._looking.running:
            self._looking.stop()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    async def recover(self) -> None:
        """Bring to an end what was begun and is marked so."""
        for account, id in await self.house.drafts.marked():
            if self._is_closed:
                return
            try:
                await self.settle(account, id)
            except (Refused, Unavailable) as error:
                self.log.warn(
                    "a draft of {account} is looked at again later: {reason}",
                    account=account,
                    reason=repr(error),
                )

    async def settle(self, account: AccountName, id: DraftId) -> None:
        """See how far a draft has come, and finish what can be finished."""
        async with self.drafts.turns.of((account, id)):
            try:
                draft = await self.house.drafts.draft(account, id)
            except NoSuchDraft:
                await self.house.drafts.unmark(id)
                return
            match draft.state:
                case DraftState.WRITING:
                    await self._settle_writing(account, draft)
                case DraftState.SENDING:
                    await self._settle_sending(account, draft)
                case DraftState.HELD:
                    await self._settle_held(account, draft)

    # --- what a person does

    async def send(
        self,
        account: Account,
        id: DraftId,
        undo: float,
        at: float | None = None,
        peer: str = "unix",
    ) -> Draft:
        """
        Put a draft into the queue, which holds it for a while.

        Once is enough: a draft that is in the queue already is answered as it is.

        :param undo: seconds for which it may be called back.
        :param at: when it is to leave, in seconds since 1970; ``None``: then.
        :raises NoSuchDraft: :raises CannotSend: :raises RecipientsRefused:
        :raises Unavailable: with nothing sent; the draft is as it was.
        """
        async with self.drafts.turns.of((account.name, id)):
            draft = await self.drafts.open(account.name, id)
            if draft.state is DraftState.SENDING:
                await self._settle_sending(account.name, draft)
                draft = await self.drafts.open(account.name, id)
            if draft.state is not DraftState.WRITING:
                return draft
            now = self.house.now()
            hold_until = now + undo + self.house.settings.slack
            if at is not None:
                if not now < at <= now + self.house.settings.furthest:
                    raise CannotSend(Lack.TIME)
                hold_until = max(at, hold_until)
            everybody = everybody_of(draft, self.house.settings)
            sending = evolve(
                draft,
                state=DraftState.SENDING,
                changed=now,
                hold_until=hold_until,
                is_later=at is not None,
                transaction="",
                is_kept_back=False,
            )
            letter = await self.house.letter(account.name, sending)
            sender = path_of(letter.sender[1])
            try:
                await self.house.door.check(account, sender, True)
            except NotAllowed as error:
                raise CannotSend(Lack.SENDER, [letter.sender[1]]) from error
            content = await content_to_send(self.house, account.name, sending)
            parcel = Parcel(letter, everybody, content)
            if not self.house.has_queue:
                return await self._keep_back(account, parcel, sending, peer)
            await self.house.drafts.mark(account.name, id)
            await self.drafts.change(account.name, id, lambda one: _as(one, sending))
            try:
                transaction = await hand_over(
                    self.house, account, parcel, hold_until, peer
                )
            except (Refused, Unavailable):
                await self.drafts.change(account.name, id, _written)
                await self.house.drafts.unmark(id)
                raise
            held = await self._held(account.name, id, transaction)
            await self._after(account.name, held)
            return held

    async def unsend(self, account: AccountName, id: DraftId) -> Draft:
        """
        Call a message back; it is a draft again.

        :raises HasLeft: if the hold is over. :raises NoSuchDraft: then, later on
        """
        async with self.drafts.turns.of((account, id)):
            try:
                draft = await self.drafts.open(account, id)
            except NoSuchDraft as error:
                raise HasLeft(id) from error
            if draft.state is DraftState.WRITING:
                return draft
            if draft.is_kept_back:
                return await self._back_to_writing(account, draft)
            if draft.state is DraftState.SENDING:
                raise Unavailable("it is being sent at this moment")
            queue, selection = self.house.queue, Selection(ids=(draft.transaction,))
            if self.house.now() >= draft.hold_until:
                raise HasLeft(id)
            count = await queue.hold(selection, CALLED_BACK)
            if not count or self.house.now() >= draft.hold_until:
                # It was too late when the hold was kept: somebody may have tried it.
                await queue.release(selection, self.house.now())
                raise HasLeft(id)
            return await self._called_back(account, draft)

    async def has_sent(self, account: AccountName, id: DraftId) -> bool:
        """Whether a draft that is not there any more was sent."""
        return await self.placing.has_filed(account, id)

    # --- steps of sending

    async def _held(self, account: AccountName, id: DraftId, transaction: str) -> Draft:
        return await self.drafts.change(
            account,
            id,
            lambda one: evolve(one, state=DraftState.HELD, transaction=transaction),
        )

    async def _after(self, account: AccountName, draft: Draft) -> None:
        """What follows once the queue has it; what fails is done again later."""
        try:
            await self._file(account, draft)
        except (Refused, Unavailable) as error:
            self.log.warn(
                "a message of {account} is sent, and filed later: {reason}",
                account=account,
                reason=repr(error),
            )
        self._wake(account, draft)

    async def _file(self, account: AccountName, draft: Draft) -> None:
        """Out of Drafts; into Sent what leaves at once, the rest when it leaves."""
        if not draft.is_later:
            await self.placing.file_sent(account, draft)
        await self.placing.unplace(account, draft)

    def _wake(self, account: AccountName, draft: Draft) -> None:
        """Finish when the hold is over."""
        old = self._timers.pop(draft.id, None)
        if old is not None and old.active():
            old.cancel()
        wait = max(draft.hold_until - self.house.now(), 0.0)
        if self._is_closed or wait > self.house.settings.looked_after * 10:
            return  # it is found by looking
        self._timers[draft.id] = self.house.clock.callLater(
            wait, self._woken, account, draft.id
        )

    def _woken(self, account: AccountName, id: DraftId) -> None:
        self._timers.pop(id, None)
        settling = Deferred.fromCoroutine(self.settle(account, id))
        settling.addErrback(self._failed)

    def _look(self) -> Deferred[None]:
        looking = Deferred.fromCoroutine(self.recover())
        # A failure that came through would end the looking for good.
        return looking.addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        if failure.check(MailkitError) is None:
            self.log.failure("what was being sent is looked at again later", failure)
            return
        self.log.warn(
            "what was being sent is looked at again later: {reason}",
            reason=repr(failure.value),
        )

    # --- coming to an end

    async def _settle_writing(self, account: AccountName, draft: Draft) -> None:
        """It was being placed, or called back."""
        if draft.transaction:
            await self._drop(account, draft)
        else:
            await self.placing.tidy(account, draft)

    async def _settle_sending(self, account: AccountName, draft: Draft) -> None:
        """Does the queue have it, or did it have it?"""
        if draft.is_kept_back:
            await self._settle_kept_back(account, draft)
            return
        if self.house.now() - draft.changed < self.house.settings.patience:
            return  # somebody is at it
        transaction = await self._transaction(account, draft)
        if transaction:
            held = await self._held(account, draft.id, transaction)
            await self._after(account, held)
            return
        written = await self.drafts.change(account, draft.id, _written)
        await self.placing.tidy(account, written)

    async def _transaction(self, account: AccountName, draft: Draft) -> str:
        for item in await items_of(self.house.queue, account):
            if item.message_id == draft.message_id and item.arrived >= draft.changed:
                return item.message
        for event in await self.house.events.find(draft.message_id):
            if event.step is Step.ACCEPTED and (
                event.account == account and event.when >= draft.changed
            ):
                return event.transaction
        return ""

    async def _settle_held(self, account: AccountName, draft: Draft) -> None:
        if draft.is_kept_back:
            await self._settle_kept_back(account, draft)
            return
        queue, selection = self.house.queue, Selection(ids=(draft.transaction,))
        items = await queue.items(selection)
        if any(item.held == CALLED_BACK for item in items):
            await self._called_back(account, draft)
            return
        if self.house.now() < draft.hold_until:
            await self._file(account, draft)
            self._wake(account, draft)
            return
        try:
            # Of two processes one alone goes on.
            await self.house.drafts.put(
                account, evolve(draft, version=draft.version + 1)
            )
        except DraftChanged:
            return
        await self._finish(account, draft)

    async def _finish(self, account: AccountName, draft: Draft) -> None:
        """It has left."""
        await self.placing.file_sent(account, draft)
        await self.placing.unplace(account, draft)
        purpose = draft.opening.purpose
        if purpose.is_answer or purpose.is_forward:
            flag = ANSWERED if purpose.is_answer else FORWARDED
            await self.placing.flag_original(account, draft.opening.original, flag)
        everybody = everybody_of(draft, self.house.settings)
        met = [Person(typed.name, typed.address) for typed in everybody]
        await self.house.personal.note(account, met, draft.hold_until, True)
        await self.house.drafts.remove(account, draft.id)

    # --- where there is no queue

    async def _keep_back(
        self, account: Account, parcel: Parcel, sending: Draft, peer: str
    ) -> Draft:
        """The draft itself waits; whoever would not get it is told of now."""
        await try_out(self.house, account, parcel, peer)
        await self.house.drafts.mark(account.name, sending.id)
        kept = evolve(
            sending,
            state=DraftState.HELD,
            transaction=self.house.new_id(),
            is_kept_back=True,
            peer=peer,
        )
        held = await self.drafts.change(
            account.name, sending.id, lambda one: _as(one, kept)
        )
        await self._after(account.name, held)
        return held

    async def _back_to_writing(self, account: AccountName, draft: Draft) -> Draft:
        """:raises HasLeft: from the moment on at which it is to leave."""
        if self.house.now() >= draft.hold_until:
            raise HasLeft(draft.id)

        def back(one: Draft) -> Draft:
            if one.state is DraftState.SENDING:  # another process has begun
                raise HasLeft(one.id)
            return evolve(one, state=DraftState.WRITING)

        written = await self.drafts.change(account, draft.id, back)
        return await self._drop(account, written)

    async def _settle_kept_back(self, account: AccountName, draft: Draft) -> None:
        """Deliver it, once its time has come; what fails is tried again later."""
        now, settings = self.house.now(), self.house.settings
        if now < draft.hold_until:
            await self._file(account, draft)
            self._wake(account, draft)
            return
        is_begun = draft.state is DraftState.SENDING
        if is_begun and now < draft.hold_until + settings.patience:
            return  # somebody is at it
        leaving = evolve(draft, state=DraftState.SENDING, version=draft.version + 1)
        try:
            # Of two processes one alone goes on.
            await self.house.drafts.put(account, leaving)
        except DraftChanged:
            return
        if not await self._transaction(account, leaving):
            try:
                await self._leave(account, leaving)
            except Refused as error:
                await self._came_back(account, leaving, error)
                return
            except Unavailable as error:
                if now < draft.hold_until + settings.kept_trying:
                    raise
                await self._came_back(account, leaving, error)
                return
        await self._finish(account, leaving)

    async def _leave(self, account: AccountName, draft: Draft) -> None:
        """:raises Refused: :raises Unavailable: if it has not left."""
        writer = await self.house.directory.account(account)
        if writer is None:
            raise NoSuchDraft(draft.id)  # with all that they wrote
        letter = await self.house.letter(account, draft)
        await self.house.door.check(writer, path_of(letter.sender[1]), True)
        everybody = everybody_of(draft, self.house.settings)
        content = await content_to_send(self.house, account, draft)
        parcel = Parcel(letter, everybody, content)
        await deliver_once(self.house, writer, parcel, draft)

    async def _came_back(
        self, account: AccountName, draft: Draft, error: MailkitError
    ) -> None:
        """It could not be delivered: a draft again, and the person hears why."""
        self.log.warn(
            "what {account} sent is a draft again: {reason}",
            account=account,
            reason=repr(error),
        )
        written = await self.drafts.change(
            account, draft.id, lambda one: evolve(one, state=DraftState.WRITING)
        )
        await self._drop(account, written)
        self.house.came_back(account, draft.id, _why(error))

    async def _called_back(self, account: AccountName, draft: Draft) -> Draft:
        """The queue keeps it still: a draft again first, then out of there."""
        written = await self.drafts.change(
            account, draft.id, lambda one: evolve(one, state=DraftState.WRITING)
        )
        return await self._drop(account, written)

    async def _drop(self, account: AccountName, draft: Draft) -> Draft:
        timer = self._timers.pop(draft.id, None)
        if timer is not None and timer.active():
            timer.cancel()
        await self.house.queue.drop(Selection(ids=(draft.transaction,)))
        await self.placing.unfile_sent(account, draft)
        written = await self.drafts.change(account, draft.id, _written)
        await self.placing.place(account, written)
        return written


def _why(error: MailkitError) -> str:
    """For people, as a server says it."""
    if isinstance(error, RecipientsRefused):
        return "; ".join(
            f"{one.address}: {reply_for(one.error).text}" for one in error.turned
        )
    return reply_for(error).text


def _written(draft: Draft) -> Draft:
    """A draft that can be written on."""
    return evolve(
        draft,
        state=DraftState.WRITING,
        transaction="",
        hold_until=0.0,
        is_later=False,
        is_kept_back=False,
        peer="",
    )


def _as(draft: Draft, sending: Draft) -> Draft:
    return evolve(
        draft,
        state=sending.state,
        changed=sending.changed,
        hold_until=sending.hold_until,
        is_later=sending.is_later,
        transaction=sending.transaction,
        is_kept_back=sending.is_kept_back,
        peer=sending.peer,
    )
