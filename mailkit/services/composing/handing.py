"""Handing a letter over to where submitted mail goes, as a mail program would."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from attrs import frozen

from mailkit.errors import Refused, Unavailable
from mailkit.formats.compose import CannotCompose
from mailkit.formats.letter import Letter
from mailkit.formats.recipients import Typed, parse
from mailkit.interfaces.delivery import ITransaction, Origin
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


@frozen
class Parcel:
    """All that is handed over."""

    letter: Letter
    everybody: Sequence[Typed]
    content: IContent


async def hand_over(
    house: ComposingHouse,
    account: Account,
    parcel: Parcel,
    hold_until: float,
    peer: str,
) -> str:
    """
    Have the message kept for all recipients; the id of the transaction.

    :raises RecipientsRefused: if somebody would not get it: then nobody does.
    :raises Refused: :raises Unavailable: with nothing kept.
    """
    origin = Origin(peer, protocol="HTTP", account=account, is_submission=True)
    transaction = await _begun(house, parcel, origin, hold_until)
    try:
        may_write = partial(house.door.check_recipient, account)
        await _prepare(transaction, parcel, may_write)
        return await transaction.commit()
    finally:
        await transaction.abort()


async def try_out(
    house: ComposingHouse, account: Account, parcel: Parcel, peer: str
) -> None:
    """
    See whether all would get it at this moment; nothing is kept.

    :raises RecipientsRefused: :raises Refused: :raises Unavailable:
    """
    origin = Origin(peer, protocol="HTTP", account=account, is_submission=True)
    transaction = await _begun(house, parcel, origin, None)
    try:
        may_write = partial(house.door.check_recipient, account)
        await _prepare(transaction, parcel, may_write)
    finally:
        await transaction.abort()


async def deliver_once(
    house: ComposingHouse, account: Account, parcel: Parcel, draft: Draft
) -> None:
    """
    Hand over what was kept back; however often that is tried, mailboxes take it once.

    :raises RecipientsRefused: if somebody would not get it: then nobody does.
    :raises Refused: :raises Unavailable: with nothing kept, or nobody knows.
    """
    origin = Origin(
        draft.peer,
        protocol="HTTP",
        account=account,
        is_submission=True,
        item=f"{draft.id} {draft.transaction}",
        transaction=draft.transaction,
    )
    transaction = await _begun(house, parcel, origin, None)
    try:
        await _prepare(transaction, parcel, _count_nobody)
        await transaction.commit()
    finally:
        await transaction.abort()


async def _count_nobody(path: Path) -> None:
    """They were counted when it was sent."""


async def _begun(
    house: ComposingHouse, parcel: Parcel, origin: Origin, hold_until: float | None
) -> ITransaction:
    letter = parcel.letter
    paths = [path_of(typed.address) for typed in parcel.everybody]
    parameters = SenderParameters(
        size=parcel.content.size,
        body=BodyType.EIGHT_BIT if letter.needs_8bit else BodyType.SEVEN_BIT,
        smtputf8=letter.needs_smtputf8 or not all(path.is_ascii for path in paths),
        hold_until=hold_until,
    )
    envelope = Envelope(path_of(letter.sender[1]), parameters)
    return await house.destination.begin(envelope, origin)


async def _prepare(
    transaction: ITransaction,
    parcel: Parcel,
    may_write: Callable[[Path], Awaitable[None]],
) -> None:
    """All but the last word. :raises RecipientsRefused:"""
    addresses = {path_of(typed.address): typed.address for typed in parcel.everybody}
    turned: list[Turned] = []
    for path, address in addresses.items():
        try:
            await may_write(path)
            await transaction.add_recipient(Recipient(path))
        except (Refused, Unavailable) as error:
            turned.append(Turned(address, error))
    if turned:
        raise RecipientsRefused(turned)
    at = 0
    while piece := await parcel.content.read(at, _PIECE):
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


def path_of(address: str) -> Path:
    """An address as an envelope has it; SMTPUTF8 is for local parts that need it."""
    local_part, _, domain = address.rpartition("@")
    if local_part.isascii() and not domain.isascii():
        domain = a_labels(fold_domain(domain)) or domain
    return Path(local_part, domain)
