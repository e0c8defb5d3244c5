"""
Items and attempts as rows, and back.

What no statement asks for is JSON: an object of those fields of a value that are not
as they are by default. So a field that is new is kept without another schema, and one
that a newer program wrote is no trouble for an older one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

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
Object = dict[str, Any]  # of JSON

ITEM = (
    "item.key, item.id, message.name, item.arrived, item.next_try, item.hold_until,"
    " item.held, item.attempts, item.account, item.rate, item.told, item.recipients,"
    " message.size, message.is_sealed"
)
"""What `item_of` needs, and the hop."""

_COLUMNS = frozenset(
    {
        "id",
        "message",
        "hop",
        "envelope",
        "recipients",
        "arrived",
        "next_try",
        "size",
        "account",
        "attempts",
        "hold_until",
        "held",
        "is_sealed",
        "rate",
        "is_taken_over",
        "claimed_until",
    }
)
"""Fields of an item that are not among what is merely told of it."""


def item_of(row: Row, hop: NextHop) -> QueueItem:
    """The item of a row of `ITEM`."""
    (_, id, name, arrived, next_try, hold_until, held, attempts) = row[:8]
    (account, rate, told, recipients, size, is_sealed) = row[8:14]
    (local_part, domain), said, rest = json.loads(told)
    return QueueItem(
        id=QueueId(id),
        message=name,
        hop=hop,
        envelope=Envelope(
            Path(local_part, domain),
            SenderParameters(**_SENDER.read(said)) if said else _NO_PARAMETERS,
        ),
        recipients=recipients_of(recipients),
        arrived=arrived,
        next_try=next_try,
        size=size,
        account=None if account is None else AccountName(account),
        attempts=attempts,
        hold_until=hold_until,
        held=held,
        is_sealed=bool(is_sealed),
        rate=rate or "",
        **_ITEM.read(rest),
    )


def hop_of(domain: str, route: str) -> NextHop:
    return NextHop(DomainName(domain), route)


def told_of(item: QueueItem) -> str:
    """What never changes of an item and is not looked for."""
    path, parameters = item.envelope.reverse_path, item.envelope.parameters
    said = {} if parameters == _NO_PARAMETERS else _SENDER.write(parameters)
    return _encode([_path(path), said, _ITEM.write(item)])


def text_of(recipients: Sequence[QueuedRecipient]) -> str:
    """Recipients as they stand."""
    return _encode([_recipient_fields(recipient) for recipient in recipients])


def recipients_of(text: str) -> tuple[QueuedRecipient, ...]:
    return tuple([_recipient(*fields) for fields in json.loads(text)])


def fates_of(text: str) -> list[Fate]:
    """What has become of each recipient."""
    return [
        Fate(heard["fate"]) if "fate" in heard else Fate.WAITING
        for *_, heard in json.loads(text)
    ]


def attempt_text(attempt: Attempt) -> str:
    reports = [
        [_path(report.path), _REPORT.write(report)] for report in attempt.reports
    ]
    return _encode([_ATTEMPT.write(attempt), reports])


def attempt_of(text: str) -> Attempt:
    told, reports = json.loads(text)
    return Attempt(
        reports=tuple(
            Report(Path(*path), **_REPORT.read(report)) for path, report in reports
        ),
        **_ATTEMPT.read(told),
    )


def storable(text: str) -> str:
    """SQLite takes no halves of characters."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode()


class _Fields:
    """The fields of one class, but for some, as an object of JSON."""

    def __init__(
        self,
        kind: type[attrs.AttrsInstance],
        without: frozenset[str],
        made: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]],
    ) -> None:
        """:param made: how fields are written and read that JSON does not have."""
        self._fields = [
            (field.name, field.default)
            for field in attrs.fields(kind)
            if field.name not in without
        ]
        self._names = frozenset(name for name, _ in self._fields)
        self._made = made

    def write(self, value: object) -> Object:
        """What is not as it is by default."""
        told: Object = {}
        for name, default in self._fields:
            one = getattr(value, name)
            if one != default:
                told[name] = one
        for name, (write, _) in self._made.items():
            if name in told:
                told[name] = write(told[name])
        return told

    def read(self, told: Object) -> Object:
        """Arguments for the class; what this program does not know is left out."""
        if not self._names.issuperset(told):
            told = {name: told[name] for name in told.keys() & self._names}
        for name, (_, read) in self._made.items():
            if name in told:
                told[name] = read(told[name])
        return told


def _path(path: Path) -> list[str]:
    return [path.local_part, path.domain]


def _recipient_fields(recipient: QueuedRecipient) -> list[object]:
    path, parameters = recipient.path, recipient.recipient.parameters
    said = {} if parameters == _NOTHING_SAID else _RECIPIENT.write(parameters)
    return [path.local_part, path.domain, said, _QUEUED.write(recipient)]


def _recipient(
    local_part: str, domain: str, said: Object, heard: Object
) -> QueuedRecipient:
    parameters = _NOTHING_SAID
    if said:
        parameters = RecipientParameters(**_RECIPIENT.read(said))
    recipient = Recipient(Path(local_part, domain), parameters)
    return QueuedRecipient(recipient, **_QUEUED.read(heard))


_FATE = {"fate": (lambda fate: fate.value, Fate)}
_ITEM = _Fields(QueueItem, _COLUMNS, {})
_SENDER = _Fields(
    SenderParameters, frozenset(), {"body": (lambda body: body.value, BodyType)}
)
_RECIPIENT = _Fields(
    RecipientParameters,
    frozenset(),
    {
        "notify": (
            lambda wishes: sorted(wish.name for wish in wishes),
            lambda names: frozenset(Notify[name] for name in names),
        )
    },
)
_QUEUED = _Fields(QueuedRecipient, frozenset({"recipient"}), _FATE)
_ATTEMPT = _Fields(Attempt, frozenset({"reports"}), {})
_REPORT = _Fields(Report, frozenset({"path"}), _FATE)

_NO_PARAMETERS = SenderParameters()
_NOTHING_SAID = RecipientParameters()
# Only ASCII comes out, halves of characters too.
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
