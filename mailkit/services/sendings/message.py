"""
One message of a sending, whole.

It can be unsubscribed from with one click (RFC 8058), says which list it is of (RFC
2919), and comes back, if it does, to an address that tells which one it was.
"""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import evolve, field, frozen

from mailkit.config.units import DAY
from mailkit.formats import compose, date, validation
from mailkit.formats.unsubscribe import Unsubscription, write_token
from mailkit.interfaces.delivery import Routed
from mailkit.interfaces.tellers import Accepted
from mailkit.model.address import AccountName
from mailkit.model.envelope import (
    BodyType,
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.queueitem import QueueItem
from mailkit.model.sending import Sending, rate_name
from mailkit.services.delivery.onward import Onward
from mailkit.services.sendings.errors import BadRow
from mailkit.services.sendings.house import SendingsHouse
from mailkit.services.sendings.order import Order
from mailkit.services.sendings.rows import Row

UNSUBSCRIBED_WITHIN = 400 * DAY
"""Seconds for which the link works."""

FRESH = 60.0
"""Seconds for which a message that was composed may leave as it is."""


@frozen
class Composed:
    """A row's message, as it was written for a moment."""

    octets: bytes = field(repr=False)
    subject: str
    at: float
    """Seconds since 1970: its Date."""


@frozen
class Message:
    """One message and what the queue keeps of it."""

    octets: bytes
    items: tuple[QueueItem, ...]


def compose_message(
    house: SendingsHouse, order: Order, sending: Sending, row: Row, at: float
) -> Composed:
    """
    Write a row's message.

    :param at: when it will leave, seconds since 1970.
    :raises BadRow: if that makes no message.
    """
    merged = order.template.merge(row.values, order.sender.address, row.path)
    id = sending.message(row.path.address)
    expires = int(at + UNSUBSCRIBED_WITHIN)
    what = Unsubscription(sending.name, str(row.path.address), expires)
    url = f"{house.origin}/u/{write_token(what, house.keys)}"
    lines = [
        compose.plain_field(
            "Date", date.format(datetime.fromtimestamp(at, UTC)).decode()
        ),
        merged.fields,
        compose.plain_field("Message-ID", f"<{id}@{order.host}>"),
        # RFC 2369 §3.2, RFC 8058 §3.1
        compose.plain_field("List-Unsubscribe", f"<{url}>"),
        compose.plain_field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    ]
    if not order.template.has("list-id"):  # RFC 2919 §3
        lines.append(compose.plain_field("List-Id", f"<{sending.name}.{order.host}>"))
    lines.append(compose.plain_field("MIME-Version", "1.0"))
    body = merged.body
    if order.attachments:
        body = compose.multipart("mixed", (body, *order.attachments))
    octets = b"".join((*lines, body))
    if len(octets) > house.most_octets:
        raise BadRow(f"the message would have {len(octets)} octets, which is too much")
    top = b"".join((*lines, b"\r\n"))
    finding = validation.refused_on_submission(
        validation.examine(top, utf8=not top.isascii())
    )
    if finding is not None:
        raise BadRow(finding.text)
    return Composed(octets, merged.subject, at)


def make_message(
    house: SendingsHouse,
    order: Order,
    sending: Sending,
    row: Row,
    routed: Routed,
    account: AccountName | None,
    at: float,
    composed: Composed | None = None,
) -> Message:
    """
    What is put into the queue for a row.

    :param routed: who its address leads to.
    :param account: whose mail it is.
    :param composed: the same message, written before.
    :raises BadRow:
    """
    if composed is None or not 0 <= at - composed.at <= FRESH:
        composed = compose_message(house, order, sending, row, at)
    octets = composed.octets
    id = sending.message(row.path.address)
    is_plain = octets.isascii() and row.path.is_ascii
    parameters = SenderParameters(
        body=BodyType.SEVEN_BIT if octets.isascii() else BodyType.EIGHT_BIT,
        smtputf8=not is_plain,
        ret="HDRS",
        envid=id,
    )
    envelope = Envelope(house.addresses.bulk(id, order.host), parameters)
    recipient = Recipient(
        row.path, RecipientParameters(notify=frozenset((Notify.FAILURE,)))
    )
    onward = Onward(house.outbound, envelope)
    if routed.local:
        onward.wait(recipient)
    for foreign in () if routed.local else routed.foreign:
        onward.add(recipient, foreign)
    now = house.clock.seconds()
    accepted = Accepted(
        transaction=id,
        envelope=envelope,
        arrived=now,
        message_id=f"<{id}@{order.host}>",
        subject=composed.subject,
        account=account,
    )
    rate = rate_name(sending.name, order.rate)
    items = [
        evolve(item, is_ours=True, rate=rate, next_try=max(at, now))
        for item in onward.items(accepted, len(octets))
    ]
    return Message(octets, tuple(items))
