"""Handing a letter over to where submitted mail goes, as a mail program would."""

from __future__ import annotations

from collections.abc import Sequence

from mailkit.errors import Refused, Unavailable
from mailkit.formats.compose import CannotCompose
from mailkit.formats.letter import Letter
from mailkit.formats.recipients import Typed, parse
from mailkit.interfaces.delivery import Origin
from mailkit.interfaces.storage import IContent
from mailkit.model.account import Account
from mailkit.model.address import AccountName, a_labels, fold_domain
from mailkit.model.draft import Draft
from mailkit.model.envelope import BodyType, Envelope, Recipient, SenderParameters
from mailkit.model.outcome import Failed
from mailkit.model.path import Path
from mailkit.services.composing.errors import (
    CannotSend,
    Lack,
    RecipientsRefused,
    Turned,
)
from mailkit.services.composing.house import ComposingHouse
from mailkit.services.composing.settings import ComposingSettings

_PIECE = 256 * 1024


def everybody_of(draft: Draft, settings: ComposingSettings) -> list[Typed]:
    """
    All recipients, each once.

    :raises CannotSend: if there is nobody, or what is no address.
    """
    writing = draft.writing
    found: dict[str, Typed] = {}
    for text in (writing.to, writing.cc, writing.bcc):
        for typed in parse(text):
            found.setdefault(typed.address, typed)
    bad = [typed.address for typed in found.values() if not typed.is_good]
    if bad:
        raise CannotSend(Lack.NO_ADDRESS, bad)
    if not found:
        raise CannotSend(Lack.NOBODY)
    if len(found) > settings.recipients:
        raise CannotSend(Lack.TOO_MANY)
    return list(found.values())


async def content_to_send(
    house: ComposingHouse, account: AccountName, draft: Draft
) -> IContent:
    """
    The message without what only its sender sees.

    :raises CannotSend: if it cannot be written, or is too large.
    """
    try:
        content = await house.content(account, draft, shows_blind=False)
    except CannotCompose as error:
        raise CannotSend(Lack.CANNOT, [str(error)]) from error
    if content.size > house.settings.message_size:
        raise CannotSend(Lack.TOO_LARGE)
    return content


async def hand_over(
    house: ComposingHouse,
    account: Account,
    letter: Letter,
    everybody: Sequence[Typed],
    content: IContent,
    hold_until: float,
    peer: str,
) -> str:
    """
    Have the message kept for all recipients; the id of the transaction.

    :raises RecipientsRefused: if somebody would not get it: then nobody does.
    :raises Refused: :raises Unavailable: with nothing kept.
    """
    addresses = {path_of(typed.address): typed.address for typed in everybody}
    parameters = SenderParameters(
        size=content.size,
        body=BodyType.EIGHT_BIT if letter.needs_8bit else BodyType.SEVEN_BIT,
        smtputf8=letter.needs_smtputf8 or not all(path.is_ascii for path in addresses),
        hold_until=hold_until,
    )
    origin = Origin(peer, protocol="HTTP", account=account, is_submission=True)
    envelope = Envelope(path_of(letter.sender[1]), parameters)
    transaction = await house.destination.begin(envelope, origin)
    try:
        turned: list[Turned] = []
        for path, address in addresses.items():
            try:
                await house.door.check_recipient(account, path)
                await transaction.add_recipient(Recipient(path))
            except (Refused, Unavailable) as error:
                turned.append(Turned(address, error))
        if turned:
            raise RecipientsRefused(turned)
        at = 0
        while piece := await content.read(at, _PIECE):
            await transaction.write(piece)
            at += len(piece)
        outcomes = await transaction.prepare()
        turned = [
            Turned(addresses[path], outcome.error)
            for path, outcome in outcomes.items()
            if isinstance(outcome, Failed)
        ]
        if turned:
            raise RecipientsRefused(turned)
        return await transaction.commit()
    finally:
        await transaction.abort()


def path_of(address: str) -> Path:
    """An address as an envelope has it; SMTPUTF8 is for local parts that need it."""
    local_part, _, domain = address.rpartition("@")
    if local_part.isascii() and not domain.isascii():
        domain = a_labels(fold_domain(domain)) or domain
    return Path(local_part, domain)
