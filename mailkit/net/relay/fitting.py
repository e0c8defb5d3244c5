"""Making a message fit a host: what is in it, what the host takes, what can be done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import frozen
from zope.interface import implementer

from mailkit.errors import BadMessage, NeedsSMTPUTF8, NeedsTLS, StorageBroken
from mailkit.formats.downgrade import downgrade
from mailkit.formats.header import find_end
from mailkit.interfaces.storage import IContent
from mailkit.model.address import a_labels, fold_domain
from mailkit.model.envelope import (
    BodyType,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import Path
from mailkit.model.queueitem import QueueItem
from mailkit.protocols.smtp.client import SMTPClient
from mailkit.protocols.smtp.parse import write_xtext
from mailkit.protocols.smtp.text import is_text

Encode = Callable[[bytes], Awaitable[bytes]]
"""Makes 7-bit text of a message, as `downgrade` does, and holds up nobody else."""

LONGEST_ENVID = 100
"""Characters of an ENVID, written as xtext (RFC 3461 §4.4)."""

LONGEST_ORCPT = 500
"""The same of an ORCPT (RFC 3461 §4.2)."""


async def encode_at_once(octets: bytes) -> bytes:
    """In the reactor's thread, where there is no other."""
    return downgrade(octets)


@implementer(IContent)
@frozen(eq=False)
class Octets:
    """A message in memory."""

    octets: bytes

    @property
    def size(self) -> int:
        return len(self.octets)

    async def read(self, start: int, count: int) -> bytes:
        return self.octets[start : start + count]


@frozen(eq=False)
class Survey:
    """What a message has in it that not every host takes."""

    content: IContent
    has_8bit: bool
    has_8bit_header: bool
    is_text: bool
    """CR and LF come in pairs only, and there is no NUL (RFC 5321 §2.3.8)."""


@frozen(eq=False)
class Fitted:
    """A message as it goes to one host."""

    content: IContent
    body: BodyType
    smtputf8: bool

    @property
    def size(self) -> int:
        return self.content.size

    async def read(self, at: int, count: int) -> bytes:
        """
        A piece; shorter than ``count`` at the end of the message only.

        :raises StorageBroken:
        """
        octets = self.content.octets
        if octets is not None:
            return octets[at : at + count]
        octets = await self.content.read(at, count)
        if len(octets) != min(count, self.size - at):
            raise StorageBroken("the message is shorter than it was")
        return octets


async def look_at(content: IContent, piece: int) -> Survey:
    """Read a message once, a piece at a time."""
    octets = content.octets
    if octets is None and content.size <= piece:
        octets = await content.read(0, content.size)
        content = Octets(octets)
    if octets is not None:
        is_ascii = octets.isascii()
        is_ascii_header = is_ascii or octets[: find_end(octets)].isascii()
        return Survey(content, not is_ascii, not is_ascii_header, is_text(octets))
    return await _look_piece_by_piece(content, piece)


async def _look_piece_by_piece(content: IContent, piece: int) -> Survey:
    has_8bit = has_8bit_header = False
    in_header, has_pairs = True, True
    tail = b"\r\n"  # so that an empty line may be the first one
    for at in range(0, content.size, piece):
        octets = await content.read(at, piece)
        if in_header:
            # The empty line may lie across two pieces.
            seen = tail + octets
            end = seen.find(b"\r\n\r\n")
            in_header = end < 0
            has_8bit_header |= not (seen if in_header else seen[:end]).isascii()
        has_8bit |= not octets.isascii()
        # A CR at the end of a piece is judged with the next one.
        whole = b"\r" + octets if tail.endswith(b"\r") else octets
        is_last = at + piece >= content.size
        if whole.endswith(b"\r") and not is_last:
            whole = whole[:-1]
        has_pairs = has_pairs and is_text(whole)
        tail = (tail + octets)[-3:]
    return Survey(content, has_8bit, has_8bit_header, has_pairs)


def check_tls(item: QueueItem, machine: SMTPClient, is_checked: bool) -> None:
    """
    Whether REQUIRETLS lets a message go to a host (RFC 8689 §4.2.1).

    A bounce goes on without: nobody could be told.

    :param is_checked: the connection is under TLS with a good certificate.
    :raises NeedsTLS:
    """
    if not item.require_tls or item.envelope.reverse_path.is_null:
        return
    if not is_checked:
        raise NeedsTLS("the message asks for TLS that is checked")
    if not machine.offers("REQUIRETLS"):
        raise NeedsTLS("the host does not offer REQUIRETLS", "5.7.30")


async def fit(
    survey: Survey, item: QueueItem, machine: SMTPClient, encode: Encode
) -> Fitted:
    """
    What a host gets: the message as it is, or its parts encoded anew.

    :raises NeedsSMTPUTF8: :raises BadMessage: if it cannot go there.
    """
    offers_utf8 = machine.offers("SMTPUTF8")
    sender = item.envelope.reverse_path
    needs_utf8 = survey.has_8bit_header or _in_ascii(sender) is None
    if needs_utf8 and not offers_utf8:
        raise NeedsSMTPUTF8("the host does not take addresses and headers in UTF-8")
    smtputf8 = offers_utf8 and (
        needs_utf8
        or item.envelope.parameters.smtputf8
        or not all(each.path.is_ascii for each in item.waiting)
    )
    declared = item.envelope.parameters.body
    content, body = await _body(survey, declared, machine, encode)
    return Fitted(content, body, smtputf8)


async def _body(
    survey: Survey, declared: BodyType, machine: SMTPClient, encode: Encode
) -> tuple[IContent, BodyType]:
    if declared is BodyType.BINARY:
        if machine.offers("BINARYMIME") and machine.offers("CHUNKING"):
            return survey.content, BodyType.BINARY
        return await _encoded(survey.content, encode)  # RFC 3030 §3
    if not survey.is_text:
        raise BadMessage("the message has a bare CR, a bare LF or a NUL octet")
    if not survey.has_8bit:
        return survey.content, BodyType.SEVEN_BIT
    if machine.offers("8BITMIME"):
        return survey.content, BodyType.EIGHT_BIT
    return await _encoded(survey.content, encode)  # RFC 6152 §3


async def _encoded(content: IContent, encode: Encode) -> tuple[IContent, BodyType]:
    """All of it in memory: such hosts are few, and such messages small."""
    octets = content.octets
    if octets is None:
        octets = await content.read(0, content.size)
    octets = await encode(octets)
    if not (is_text(octets) and octets.isascii()):
        raise BadMessage("the message has a bare CR, a bare LF or a NUL octet")
    return Octets(octets), BodyType.SEVEN_BIT


def sender_parameters(
    fitted: Fitted, item: QueueItem, machine: SMTPClient
) -> SenderParameters:
    """What is said with MAIL, as far as the host knows the words."""
    said = item.envelope.parameters
    offers = machine.offers
    has_dsn = offers("DSN")
    return SenderParameters(
        size=fitted.size if offers("SIZE") else None,
        body=fitted.body,
        smtputf8=fitted.smtputf8,
        ret=said.ret if has_dsn else None,
        envid=_fitting(said.envid, LONGEST_ENVID) if has_dsn else None,
        require_tls=item.require_tls and offers("REQUIRETLS"),
    )


def recipient_parameters(
    said: RecipientParameters, fitted: Fitted, machine: SMTPClient
) -> RecipientParameters:
    """What is said with RCPT: NOTIFY and ORCPT to who knows DSN (RFC 3461 §5.2)."""
    if not machine.offers("DSN"):
        return RecipientParameters()
    orcpt = said.orcpt
    if orcpt is not None and not fitted.smtputf8 and not orcpt.isascii():
        # RFC 6533 §3, utf-8-addr-xtext: what is not ASCII by its number.
        orcpt = "".join(c if c.isascii() else f"\\x{{{ord(c):X}}}" for c in orcpt)
    return RecipientParameters(said.notify, _fitting(orcpt, LONGEST_ORCPT))


def _fitting(text: str | None, most: int) -> str | None:
    """
    What the host may read, or nothing.

    UTF-8 that came as it is goes on as xtext, and may be too long then.
    """
    return None if text is None or len(write_xtext(text)) > most else text


def path_for(path: Path, fitted: Fitted) -> Path | None:
    """
    A path as this host can read it: A-labels where it knows no others.

    ``None`` where there is no such form (RFC 6531 §3.2).
    """
    return path if fitted.smtputf8 else _in_ascii(path)


def _in_ascii(path: Path) -> Path | None:
    if path.is_ascii:
        return path
    domain = a_labels(fold_domain(path.domain))
    if domain is None or not path.local_part.isascii():
        return None
    return Path(path.local_part, domain)
