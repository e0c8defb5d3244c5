"""What belongs to one person, in memory."""

from __future__ import annotations

from twisted.trial.unittest import TestCase

from mailkit.interfaces.personal import IPersonal
from mailkit.storage.memory.personal import MemoryPersonal
from mailkit.testing.contracts.personal import PersonalContract


class MemoryPersonalTests(PersonalContract, TestCase):
    """All of it."""

    def make_personal(self) -> IPersonal:
        return MemoryPersonal()
