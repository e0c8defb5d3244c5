"""One IMAP client's session: which command goes where (RFC 9051 §6)."""

from __future__ import annotations

from typing import assert_never, cast

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import MailboxGone, Malformed, Refused, Unavailable
from mailkit.interfaces.session import IPeer, ISession
from mailkit.protocols.imap.events import (
    AppendAborted,
    AppendBegins,
    AppendChunk,
    AppendEnds,
    AuthCancelled,
    Authenticate,
    AuthResponse,
    Capability,
    Check,
    Close,
    Copy,
    Create,
    Delete,
    Done,
    Enable,
    Event,
    Examine,
    Expunge,
    Fetch,
    HangUp,
    Id,
    Idle,
    List,
    Login,
    Logout,
    Lsub,
    Move,
    Namespace,
    Noop,
    Rename,
    Search,
    Select,
    StartTLS,
    Status,
    Store,
    Subscribe,
    UidExpunge,
    Unselect,
    Unsubscribe,
)
from mailkit.protocols.imap.response import Condition, Response, bad, ok
from mailkit.protocols.imap.server import IMAPServer
from mailkit.protocols.imap.state import State
from mailkit.protocols.imap.write import codes
from mailkit.services.imap import (
    append,
    authenticate,
    capability,
    copy,
    expunge,
    fetch,
    mailboxes,
    search,
    select,
    status,
    store,
)
from mailkit.services.imap import list as listing
from mailkit.services.imap.answers import answer_for
from mailkit.services.imap.dialogue import Dialogue, IMAPHouse
from mailkit.services.imap.idle import Idling
from mailkit.services.imap.news import tell_news

_Known = (
    Enable
    | Create
    | Delete
    | Rename
    | Subscribe
    | Unsubscribe
    | List
    | Lsub
    | Namespace
    | Status
    | AppendBegins
    | AppendEnds
    | AppendAborted
    | Select
    | Examine
)
"""What a client may ask for once it is known who it is."""

_Selected = Check | Close | Unselect | Expunge | UidExpunge | Search | Copy | Move
"""What it may ask for of the mailbox that it selected, FETCH and STORE apart."""


_OUTCOMES = {
    Condition.OK: "ok",
    Condition.NO: "refused",
    Condition.BAD: "malformed",
}
_LATER = frozenset({b"UNAVAILABLE", b"OVERQUOTA", b"INUSE"})
_NAMES: dict[type, str] = {
    AuthResponse: "authenticate",
    AuthCancelled: "authenticate",
    AppendBegins: "append",
    AppendEnds: "append",
    AppendAborted: "append",
    Done: "idle",
}
"""Events whose command has another name in the metrics."""


@implementer(ISession)
@define(eq=False)
class IMAPSession:
    """
    Hears one event at a time and answers through the machine.

    After each command with a mailbox selected the client is told what happened
    there meanwhile; FETCH, STORE and SEARCH, which name messages by numbers, let no
    number change (RFC 9051 §7.5.1).
    """

    machine: IMAPServer
    peer: IPeer
    house: IMAPHouse
    account: str = field(default="", init=False)
    timeout: float = field(init=False)
    _talk: Dialogue = field(init=False)
    _idling: Idling | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._talk = Dialogue(self.house, self.machine, self.peer)
        self.timeout = self.house.settings.login_time

    @property
    def is_over(self) -> bool:
        return self.machine.state is State.LOGOUT

    @property
    def is_idle(self) -> bool:
        return self._talk.incoming is None

    async def greet(self) -> None:
        names = capability.capabilities(self._talk)
        self.machine.greet(
            ok(f"{self.house.hostname} IMAP ready", codes.capability(names))
        )

    def farewell(self, reason: str) -> None:
        goodbye = self._talk.goodbye
        if goodbye is None:
            self.machine.bye(reason)
        else:
            self.machine.bye(goodbye.text, goodbye.code)

    async def close(self) -> None:
        self._count_complaints()
        if self._idling is not None:
            self._idling.cut()
        append.forget(self._talk)
        if self._talk.registration is not None:
            self._talk.registration.stop()
            self._talk.registration = None

    async def handle(self, event: object) -> None:
        talk = self._talk
        self._count_complaints()
        began = talk.begin_turn()
        try:
            response = await self._act(cast(Event, event))
        except MailboxGone as error:
            response = answer_for(error)
            if talk.selected is not None:
                talk.end_for(error)
        except (Malformed, Refused, Unavailable) as error:
            response = answer_for(error)
        if self.is_over and not isinstance(event, Logout):
            return
        if response is not None:
            self.machine.answer(response)
            self._count(event, response, began)
        if talk.goodbye is not None:
            self.farewell("")

    def _count_complaints(self) -> None:
        self.house.metrics.misunderstood("imap", self.machine.take_complaints())

    def _count(self, event: object, response: Response, began: float) -> None:
        outcome = _OUTCOMES.get(response.condition, "failed")
        if response.code in _LATER:
            outcome = "unavailable"
        took = self.house.clock.seconds() - began
        name = _NAMES.get(type(event), type(event).__name__).lower()
        self.house.metrics.commanded("imap", name, outcome, took)

    async def _act(self, event: Event) -> Response | None:
        talk = self._talk
        match event:
            case AppendChunk(octets):
                assert talk.incoming is not None
                await talk.incoming.write(octets)
                return None
            case Idle():
                self.machine.continue_()
                self._idling = Idling(talk)
                self._idling.start()
                return None
            case Fetch():
                return await fetch.fetch(talk, event)
            case Store():
                return await store.store(talk, event)
            case Logout():
                return authenticate.log_out(talk)
            case HangUp(reason):
                self.machine.bye(reason)
                return None
            case Done(problem):
                response = await self._done(problem)
            case Capability():
                response = capability.capability(talk)
            case Id():
                response = capability.identify(talk)
            case Noop():
                response = ok("Done")
            case (
                StartTLS() | Authenticate() | AuthResponse() | AuthCancelled() | Login()
            ):
                return await self._enter(event)
            case Check() | Close() | Unselect() | Expunge() | UidExpunge():
                response = await self._in_mailbox(event)
            case Search() | Copy() | Move():
                response = await self._in_mailbox(event)
            case _:
                known = await self._known(event)
                if known is None or isinstance(event, Select | Examine):
                    return known
                response = known
        await self._tell_news(event)
        return response

    async def _enter(
        self, event: StartTLS | Authenticate | AuthResponse | AuthCancelled | Login
    ) -> Response | None:
        talk = self._talk
        match event:
            case StartTLS():
                return await authenticate.start_tls(talk)
            case Authenticate():
                response = await authenticate.authenticate(talk, event)
            case AuthResponse(octets):
                response = await authenticate.go_on(talk, octets)
            case AuthCancelled(problem):
                response = authenticate.cancelled(talk, problem)
            case Login():
                response = await authenticate.login(talk, event)
            case _:
                assert_never(event)
        if talk.who is not None:
            self.account = talk.who.name
            self.timeout = self.house.settings.timeout
        return response

    async def _known(self, event: _Known) -> Response | None:
        talk = self._talk
        match event:
            case Enable():
                return capability.enable(talk, event)
            case Create():
                return await mailboxes.create(talk, event)
            case Delete():
                return await mailboxes.delete(talk, event)
            case Rename():
                return await mailboxes.rename(talk, event)
            case Subscribe(name):
                return await mailboxes.subscribe(talk, name, True)
            case Unsubscribe(name):
                return await mailboxes.subscribe(talk, name, False)
            case List():
                return await listing.list_(talk, event)
            case Lsub():
                return await listing.lsub(talk, event)
            case Namespace():
                return await listing.namespace(talk)
            case Status():
                return await status.status(talk, event)
            case AppendBegins():
                return await append.begin(talk, event)
            case AppendEnds():
                return await append.end(talk)
            case AppendAborted(problem):
                return append.abort(talk, problem)
            case Select(name):
                return await select.select(talk, name, is_read_only=False)
            case Examine(name):
                return await select.select(talk, name, is_read_only=True)
            case _:
                assert_never(event)

    async def _in_mailbox(self, event: _Selected) -> Response:
        talk = self._talk
        match event:
            case Check():
                return ok("Checked")
            case Close():
                return await select.close(talk)
            case Unselect():
                return await select.unselect(talk)
            case Expunge() | UidExpunge():
                return await expunge.expunge(talk, event)
            case Search():
                return await search.search(talk, event)
            case Copy():
                return await copy.copy(talk, event)
            case Move():
                return await copy.move(talk, event)
            case _:
                assert_never(event)

    async def _done(self, problem: str) -> Response:
        idling, self._idling = self._idling, None
        if idling is not None:
            await idling.stop()
        return bad(problem) if problem else ok("Idled")

    async def _tell_news(self, event: Event) -> None:
        """After the work: what fails here does not undo it, so it stays answered."""
        talk = self._talk
        if talk.selected is None or talk.goodbye is not None:
            return
        try:
            await tell_news(
                talk,
                may_expunge=not isinstance(event, Search) or event.uid,
                uid=isinstance(event, Search) and event.uid,
            )
        except (Refused, Unavailable) as error:
            if isinstance(error, MailboxGone):
                talk.end_for(error)
            if isinstance(event, Noop | Check):
                raise
