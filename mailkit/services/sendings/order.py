"""What is to be sent, by whom, and to whom."""

from __future__ import annotations

from attrs import field, frozen

from mailkit.model.address import DomainName, a_labels
from mailkit.model.path import Path
from mailkit.model.sending import Rate
from mailkit.services.sendings.rows import Rows
from mailkit.services.sendings.template import Template


@frozen(kw_only=True)
class Order:
    """One ``mailkit send``."""

    name: str
    sender: Path
    """Who From is."""
    template: Template
    rows: Rows
    attachments: tuple[bytes, ...] = field(default=(), repr=False)
    """Whole parts, the same for all."""
    digest: str
    """Of the template, the sender and the attachments."""
    rate: Rate | None = None
    """``None``: as fast as it goes."""

    @property
    def domain(self) -> DomainName:
        """The sender's, folded."""
        return self.sender.address.domain

    @property
    def host(self) -> str:
        """The same as DNS has it."""
        return a_labels(self.domain) or self.domain
