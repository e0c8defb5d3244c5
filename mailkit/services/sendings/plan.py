"""
What a sending would do, found out before anything is done.

Every row is made into a message once, so that nothing stops half way for a reason that
could have been known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import field, frozen

from mailkit.errors import (
    MailkitError,
    NoSuchAddress,
    NoSuchDomain,
    Refused,
    Suspended,
    Unavailable,
)
from mailkit.interfaces.delivery import Routed
from mailkit.model.account import Account
from mailkit.model.address import AccountName
from mailkit.model.sending import Sending, is_sending_name
from mailkit.model.suppression import Suppressed
from mailkit.services.sendings.errors import BadRow, BadSending
from mailkit.services.sendings.house import SendingsHouse
from mailkit.services.sendings.message import Composed, compose_message
from mailkit.services.sendings.order import Order
from mailkit.services.sendings.rows import Row

_SAID: dict[type[MailkitError], str] = {
    NoSuchAddress: "nobody here has that address",
    Suspended: "its account is suspended",
}
"""Those of our own people to whom nothing can be sent."""

Progress = Callable[[int], object]
"""Told how many rows were done since it was told last."""


MOST_KEPT = 32 * 1024 * 1024
"""Octets of messages that are kept from being looked at until they are put."""


@frozen(kw_only=True)
class Plan:
    """What will be done."""

    order: Order = field(repr=False)
    sending: Sending
    account: AccountName | None
    """Whose mail it is, if the sender is an account."""
    is_heard: bool
    """Whether answers to the sender reach anybody."""
    rows: tuple[tuple[Row, Routed], ...] = field(repr=False)
    """Those that are left to be put, and who they lead to."""
    put_before: int
    suppressed: tuple[Suppressed, ...]
    """Those that are left out."""
    begins: float
    """Seconds since 1970."""
    octets: int
    """Of all messages together, nearly."""
    example: bytes = field(repr=False)
    """The first message; empty: there is none."""
    composed: Mapping[int, Composed] = field(repr=False)
    """The first messages, by the lines of their rows; for others there is no room."""

    @property
    def finishes(self) -> float | None:
        """When the last one leaves; ``None``: as soon as it goes."""
        rate = self.order.rate
        if rate is None or not self.rows:
            return None
        return self.begins + (len(self.rows) - 1) / rate.per_second


async def make_plan(
    house: SendingsHouse, order: Order, progress: Progress = lambda count: None
) -> Plan:
    """
    Look at everything; nothing is changed.

    :raises BadSending: with all rows that are wrong.
    :raises Refused: if it cannot be sent at all.
    """
    now = house.clock.seconds()
    if not is_sending_name(order.name):
        raise Refused(
            f"{order.name!r} cannot be the name of a sending: lower-case letters,"
            " digits, - and _, 40 at most"
        )
    account = await _account(house, order)
    order.template.check_columns(order.rows.columns)
    begun = await house.sendings.find(order.name)
    if begun is not None and begun.digest != order.digest:
        raise Refused(
            f"{order.name} was begun with another template, sender or attachments:"
            " give this one another --name"
        )
    sending = begun or Sending(name=order.name, digest=order.digest, begun=now)
    known = await house.sendings.rows(order.name)
    addresses = [row.path.address for row in order.rows.rows]
    listed = await house.suppression.find(addresses)
    left: list[tuple[Row, Routed]] = []
    suppressed: list[Suppressed] = []
    problems: list[str] = []
    composed: dict[int, Composed] = {}
    octets = 0
    for row in order.rows.rows:
        progress(1)
        address = row.path.address
        if known.get(address):
            continue
        if address in listed:
            # One that came back before it was noted that it was put is not left out.
            is_doubtful = address in known
            if not is_doubtful or await house.queued(sending.message(address)) is None:
                suppressed.append(listed[address])
                continue
        try:
            routed = await house.routing.route(row.path, may_send=True)
            if not (routed.local or routed.foreign):
                raise BadRow("mail to it goes nowhere")
            written = compose_message(house, order, sending, row, now)
        except (BadRow, Unavailable, Refused) as error:
            words = _SAID.get(type(error)) or str(error) or type(error).__name__
            problems.append(f"line {row.line}: {row.path}: {words}")
            continue
        octets += len(written.octets)
        if not composed or octets <= MOST_KEPT:
            composed[row.line] = written
        left.append((row, routed))
    if problems:
        raise BadSending(problems)
    return Plan(
        order=order,
        sending=sending,
        account=None if account is None else account.name,
        is_heard=account is not None or await _is_heard(house, order),
        rows=tuple(left),
        put_before=sum(1 for one in addresses if known.get(one)),
        suppressed=tuple(suppressed),
        begins=max(now, await house.sendings.next_time(order.name)),
        octets=octets,
        example=next((one.octets for one in composed.values()), b""),
        composed=composed,
    )


async def _account(house: SendingsHouse, order: Order) -> Account | None:
    """:raises NoSuchDomain: :raises Refused: if nothing can be sent in that name."""
    if await house.directory.domain(order.domain) is None:
        raise NoSuchDomain(f"{order.domain} is not a domain of this server")
    if not order.sender.is_ascii:
        raise Refused(f"{order.sender} is not ASCII: many hosts would not take it")
    name = AccountName(str(order.sender.address))
    account: Account | None = await house.directory.account(name)
    if account is not None and account.is_suspended:
        raise Refused(f"{name} is suspended")
    return account


async def _is_heard(house: SendingsHouse, order: Order) -> bool:
    try:
        await house.routing.route(order.sender, may_send=True)
    except NoSuchAddress:
        return False
    return True
