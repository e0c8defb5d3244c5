"""
What a message has to be like, and what is changed about it, by where it came from.

The table of header checks is in `mailkit.formats.validation`; what is done about a
finding differs between a stranger's server and our own people.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Protocol

from attrs import define, field

from mailkit.errors import BadMessage, NeedsSMTPUTF8, NotAllowed
from mailkit.formats import authres, body, date, validation
from mailkit.formats.header import find_end
from mailkit.formats.limits import DEFAULT_LIMITS, Limits
from mailkit.interfaces.delivery import Origin
from mailkit.interfaces.lanes import ILanes
from mailkit.interfaces.storage import IContent
from mailkit.model.account import Account
from mailkit.model.address import Address
from mailkit.model.envelope import Envelope
from mailkit.services.delivery.content import Reheaded, Rewritten, read_whole
from mailkit.services.routing import Routing

RESERVED = (b"x-spam",)
"""Beginnings of lower-case field names that only we may write."""


class Examination(Protocol):
    """One message under the rules of where it came from."""

    def see(self, octets: bytes) -> None:
        """A piece of the message came by."""

    async def examine(self, header: bytes, content: IContent) -> Examined:
        """
        Judge the whole message.

        :raises Refused: with the reason.
        """


class Rules(Protocol):
    """What holds for messages that come in by one way."""

    def begin(self, envelope: Envelope, origin: Origin) -> Examination:
        """Start to look at a message."""


@define(eq=False)
class Examined:
    """A message as it will be kept."""

    header: bytes = field(repr=False)
    """With its last empty line."""
    content: IContent
    """The whole, this header included."""
    notes: tuple[str, ...] = ()
    """Names of the checks that found something and let it pass."""


@define(eq=False)
class Arrival:
    """
    Mail from other servers: a stranger's mistakes are seldom worth a lost letter.

    What a stranger says in our name is taken out (RFC 8601 §5).
    """

    ours: Collection[str]
    """Our authserv-ids, in lower case."""
    reserved: Collection[bytes] = RESERVED
    """Beginnings of lower-case field names that only we may write."""
    limits: Limits = DEFAULT_LIMITS

    def begin(self, envelope: Envelope, origin: Origin) -> Examination:
        return _Arriving(self, envelope)


@define(eq=False)
class Handed:
    """Mail from a server of our own: LMTP. Its word about a message is ours."""

    limits: Limits = DEFAULT_LIMITS

    def begin(self, envelope: Envelope, origin: Origin) -> Examination:
        return _Arriving(Arrival((), (), self.limits), envelope)


@define(eq=False)
class Submitted:
    """
    Mail from our own people, mended as RFC 6409 §8 allows.

    Every mailbox in From (or in the newest Resent-From) has to be the account's.
    Text with lines over 998 octets is written as quoted-printable.
    """

    hostname: str
    routing: Routing
    lanes: ILanes
    now: Callable[[], float]
    new_id: Callable[[], str]
    """Makes the left side of a Message-ID."""
    limits: Limits = DEFAULT_LIMITS

    def begin(self, envelope: Envelope, origin: Origin) -> Examination:
        if origin.account is None:
            raise NotAllowed("nobody is logged in")
        return _Submitting(self, envelope, origin.account)


@define(eq=False)
class _Arriving:
    _rules: Arrival
    _envelope: Envelope

    def see(self, octets: bytes) -> None:
        """Nothing in the body is of interest here."""

    async def examine(self, header: bytes, content: IContent) -> Examined:
        rules = self._rules
        utf8 = self._envelope.parameters.smtputf8
        findings = validation.examine(header, utf8=utf8, limits=rules.limits)
        _refuse(validation.refused_on_arrival(findings))
        notes = tuple(finding.check.name for finding in findings)
        if "from-missing" in notes and validation.is_text_alone(header):
            content = Reheaded(b"\r\n", content, 0)
            header = b"\r\n"
        kept = _without_claims(header, rules.ours, rules.reserved)
        if kept != header:
            content = Reheaded(kept, content, len(header))
            header = kept
        return Examined(header, content, notes)


@define(eq=False)
class _Submitting:
    _rules: Submitted
    _envelope: Envelope
    _account: Account
    _has_long_lines: bool = False
    _line: int = 0

    def see(self, octets: bytes) -> None:
        """Note lines that are too long for others, also across pieces."""
        if self._has_long_lines:
            return
        first = octets.find(b"\n")
        length = self._line + (len(octets) if first < 0 else first)
        # The CR is counted here and not there.
        if length > body.LINE_LENGTH + 1 or body.has_long_lines(octets):
            self._has_long_lines = True
        self._line = length if first < 0 else len(octets) - octets.rfind(b"\n") - 1

    async def examine(self, header: bytes, content: IContent) -> Examined:
        rules = self._rules
        utf8 = self._envelope.parameters.smtputf8
        findings = validation.examine(header, utf8=utf8, limits=rules.limits)
        _refuse(validation.refused_on_submission(findings))
        for author in validation.authors(header, rules.limits):
            local_part = author.local_part.decode("utf-8", "replace")
            domain = author.domain.decode("utf-8", "replace")
            await self._check(Address.of(local_part, domain))
        at = datetime.fromtimestamp(rules.now(), UTC)
        message_id = f"<{rules.new_id()}@{rules.hostname}>".encode()
        # Our own people may be as bad as others, once their password is known.
        kept = _without_claims(header, (rules.hostname.lower(),), RESERVED)
        mended = validation.repair(
            kept, date_text=date.format(at), message_id=message_id
        )
        if mended != header:
            content = Reheaded(mended, content, len(header))
            header = mended
        if self._has_long_lines:
            octets = await read_whole(content)
            account = self._account.name
            octets = await rules.lanes.run(
                account, lambda: body.shorten_lines(octets, rules.limits)
            )
            content = Rewritten(octets)
            header = octets[: find_end(octets)]
        return Examined(header, content)

    async def _check(self, author: Address) -> None:
        if not await self._rules.routing.may_send_as(self._account, author):
            raise NotAllowed(str(author))


def _without_claims(
    header: bytes, ours: Collection[str], reserved: Collection[bytes]
) -> bytes:
    """What only we may say is taken out; seldom is it worth a look."""
    lowered = header.lower()
    if not (
        (ours and authres.FIELD in lowered) or any(name in lowered for name in reserved)
    ):
        return header
    return authres.remove_claims(header, ours, reserved)


def _refuse(finding: validation.Finding | None) -> None:
    if finding is None:
        return
    if finding.check.name == "eight-bit":  # RFC 6531 §3.5
        raise NeedsSMTPUTF8(finding.text)
    raise BadMessage(finding.text)
