"""What may be set about local delivery."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge

from mailkit.config.units import MB, Octets
from mailkit.formats.received import HOPS


@frozen
class DeliverySettings:
    """What every message that is kept here has to keep to."""

    hops: int = field(default=HOPS, validator=ge(100))
    """Received fields from which on a message goes round in circles (RFC 5321 §6.3)."""

    quota: Octets = field(default=500 * MB, validator=ge(0))
    """Octets of an account that says nothing else; 0 is without limit."""
