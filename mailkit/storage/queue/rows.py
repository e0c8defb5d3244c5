"""Items and attempts as rows, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mailkit.model.address import AccountName, DomainName
from mailkit.model.envelope import (
    BodyType,
    Envelope,
    Notify,
    Recipient,
    RecipientParameters,
    SenderParameters,
)
from mailkit.model.path import Path
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Report,
)

Row = tuple[Any, ...]  # what SQLite gives: each query knows its own columns

_REQUIRE_TLS, _IS_OURS = 1, 2

ITEM = (
    "item.key, item.id, message.name, item.arrived, item.next_try, item.hold_until,"
    " item.held, item.attempts, item.account, item.rate, item.told, item.recipients,"
    " message.size, message.is_sealed"
)
"""What `item_of` needs, and the hop."""


def item_of(row: Row, hop: NextHop) -> QueueItem:
    """The item of a row of `ITEM`."""
    (_, id, name, arrived, next_try, hold_until, held, attempts) = row[:8]
    (account, rate, told, recipients, size, is_sealed) = row[8:14]
    message_id, subject, marks, local_part, domain, *said = json.loads(told)
    return QueueItem(
        id=QueueId(id),
        message=name,
        hop=hop,
        envelope=Envelope(Path(local_part, domain), _parameters(said)),
        recipients=recipients_of(recipients),
        arrived=arrived,
        next_try=next_try,
        size=size,
        message_id=message_id,
        subject=subject,
        account=None if account is None else AccountName(account),
        attempts=attempts,
        hold_until=hold_until,
        held=held,
        is_sealed=bool(is_sealed),
        is_ours=bool(marks & _IS_OURS),
        require_tls=bool(marks & _REQUIRE_TLS),
        rate=rate or "",
    )


def hop_of(domain: str, route: str) -> NextHop:
    return NextHop(DomainName(domain), route)


def told_of(item: QueueItem) -> str:
    """What never changes of an item and is not looked for."""
    path, parameters = item.envelope.reverse_path, item.envelope.parameters
    fields: list[object] = [
        item.message_id,
        item.subject,
        _REQUIRE_TLS * item.require_tls | _IS_OURS * item.is_ours,
        path.local_part,
        path.domain,
    ]
    if parameters != _NO_PARAMETERS:
        fields += [
            parameters.size,
            parameters.body.value,
            parameters.smtputf8,
            parameters.ret,
            parameters.envid,
            parameters.auth,
        ]
    return _encode(fields)


def text_of(recipients: Sequence[QueuedRecipient]) -> str:
    """Recipients as they stand."""
    return _encode([_recipient_fields(recipient) for recipient in recipients])


def recipients_of(text: str) -> tuple[QueuedRecipient, ...]:
    return tuple([_recipient(fields) for fields in json.loads(text)])


def fates_of(text: str) -> list[Fate]:
    """What has become of each recipient."""
    return [
        Fate(fields[4]) if len(fields) > _SHORT else Fate.WAITING
        for fields in json.loads(text)
    ]


def attempt_text(attempt: Attempt) -> str:
    return _encode(
        [
            attempt.began,
            attempt.took,
            attempt.host,
            attempt.address,
            attempt.tls,
            attempt.words,
            [
                [
                    report.path.local_part,
                    report.path.domain,
                    report.fate.value,
                    report.status,
                    report.words,
                ]
                for report in attempt.reports
            ],
        ]
    )


def attempt_of(text: str) -> Attempt:
    began, took, host, address, tls, words, reports = json.loads(text)
    return Attempt(
        began=began,
        took=took,
        host=host,
        address=address,
        tls=tls,
        words=words,
        reports=tuple(
            Report(Path(local_part, domain), Fate(fate), status, said)
            for local_part, domain, fate, status, said in reports
        ),
    )


def storable(text: str) -> str:
    """SQLite takes no halves of characters."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


def _recipient_fields(recipient: QueuedRecipient) -> list[object]:
    path, parameters = recipient.path, recipient.recipient.parameters
    notify = parameters.notify
    fields: list[object] = [
        path.local_part,
        path.domain,
        None if notify is None else sorted(wish.name for wish in notify),
        parameters.orcpt,
    ]
    if recipient != QueuedRecipient(recipient.recipient):
        fields += [
            recipient.fate.value,
            recipient.status,
            recipient.words,
            recipient.host,
            recipient.is_delay_told,
        ]
    return fields


_SHORT = 4
"""Fields of a recipient of whom nothing was heard yet."""


def _recipient(fields: list[Any]) -> QueuedRecipient:  # Any: JSON
    local_part, domain, wishes, orcpt = fields[:_SHORT]
    if wishes is None and orcpt is None:
        parameters = _NOTHING_SAID
    else:
        notify = None if wishes is None else frozenset(Notify[wish] for wish in wishes)
        parameters = RecipientParameters(notify, orcpt)
    recipient = Recipient(Path(local_part, domain), parameters)
    if len(fields) == _SHORT:
        return QueuedRecipient(recipient)
    fate, status, words, host, is_delay_told = fields[_SHORT:]
    return QueuedRecipient(recipient, Fate(fate), status, words, host, is_delay_told)


def _parameters(said: list[Any]) -> SenderParameters:  # Any: JSON
    if not said:
        return _NO_PARAMETERS
    size, body, smtputf8, ret, envid, auth = said
    return SenderParameters(size, BodyType(body), smtputf8, ret, envid, auth)


_NO_PARAMETERS = SenderParameters()
_NOTHING_SAID = RecipientParameters()
# Only ASCII comes out, halves of characters too.
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
