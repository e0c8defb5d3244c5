"""The record of what happened, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field
from zope.interface import implementer

from mailkit.interfaces.events import IEvents
from mailkit.model.address import Address
from mailkit.model.event import MailEvent


@implementer(IEvents)
@define(eq=False)
class MemoryEvents:
    """Every step, oldest first, in ``steps``."""

    steps: list[MailEvent] = field(init=False, factory=list)

    def record(self, event: MailEvent) -> None:
        self.steps.append(event)

    async def find(self, what: str) -> Sequence[MailEvent]:
        words = {_folded(what), f"<{what}>"} - {""}
        mine = [step for step in self.steps if not words.isdisjoint(_words(step))]
        transactions = {step.transaction for step in mine} - {""}
        return [
            step
            for step in self.steps
            if step in mine
            or (
                step.transaction in transactions
                and not (step.recipient and step.message_id)
            )
        ]

    async def close(self) -> None:
        """Nothing waits."""


def _words(step: MailEvent) -> set[str]:
    return {
        step.transaction,
        step.message_id,
        _folded(step.sender),
        _folded(step.recipient),
        _folded(step.account),
    }


def _folded(word: str) -> str:
    address = None if word.startswith("<") else Address.parse(word)
    return word if address is None else str(address)
