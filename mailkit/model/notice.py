"""What a sender is told about a recipient (RFC 3464 §2.3.3)."""

from __future__ import annotations

from enum import Enum


class NoticeKind(Enum):
    """The Action field of a delivery status notification (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    """It was not delivered and will not be."""
    DELAYED = "delayed"
    """It was not delivered yet; we go on trying."""
    DELIVERED = "delivered"
    RELAYED = "relayed"
    """A host took it that says nothing of success (RFC 3461 §5.2.3)."""
    EXPANDED = "expanded"
    """A list or an alias for several took it and tells no more of it."""
