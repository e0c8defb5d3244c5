"""What may be set about notices to senders."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

from mailkit.config.units import KIB, MIB, Octets


@frozen
class NoticeSettings:
    """How much senders are told of mail that did not arrive."""

    whole: Octets = field(default=64 * KIB, validator=ge(0))
    """Messages of our own people up to this come back whole; of larger ones, and of
    strangers', the header alone (RFC 3461 §4.3)."""

    whole_if_asked: Octets = field(default=1 * MIB, validator=ge(0))
    """The same where the sender asked for the whole message (RET=FULL)."""

    to_one_stranger: int = field(default=50, validator=ge(0))
    """Notices an hour to one sender elsewhere; what is more is not told, as it is an
    answer to forgeries mostly. 0: without limit."""

    to_one_account: int = field(default=1000, validator=ge(0))
    """Notices an hour to one sender of ours; what is more is told later. 0: without
    limit."""
