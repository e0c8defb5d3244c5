"""What is written above a message that is taken in (RFC 5321 §4.4)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from mailkit.formats import received
from mailkit.interfaces.delivery import Origin
from mailkit.model.path import Path


def trace_of(
    hostname: str, origin: Origin, at: float, id: str, recipients: Collection[Path]
) -> bytes:
    """
    The field Received.

    :param at: when the message was there, in seconds since 1970.
    :param recipients: all of them; one alone is named.
    """
    version, _, cipher = origin.tls.partition(" ")
    # A client of our own people is not shown to the world.
    is_hidden = origin.is_submission
    has_address = not is_hidden and origin.peer != "unix"
    is_known = has_address or origin.hello  # what was in the queue came from nobody
    return received.write_received(
        received.Arrival(
            by=hostname,
            protocol=origin.protocol,
            at=datetime.fromtimestamp(at, UTC),
            helo=origin.hello if is_known and not is_hidden else None,
            peer_address=origin.peer if has_address else None,
            tls_version=version or None,
            tls_cipher=cipher or None,
            id=id,
            recipient=str(next(iter(recipients))) if len(recipients) == 1 else None,
        )
    )


def head_of(sender: str, delivered_to: str, trace: bytes) -> bytes:
    """
    The head of the copy of one account.

    :param delivered_to: the address that led there; empty: the account's own.
    """
    head = received.write_return_path(sender)
    if delivered_to:
        head += received.write_delivered_to(delivered_to)
    return head + trace
