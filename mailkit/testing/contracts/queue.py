"""What every `IQueueStore` has to do."""

from __future__ import annotations

from mailkit.testing.contracts.queueattempts import AttemptsContract
from mailkit.testing.contracts.queueclaiming import ClaimingContract
from mailkit.testing.contracts.queuecommands import CommandsContract
from mailkit.testing.contracts.queuekeeping import KeepingContract


class QueueContract(
    KeepingContract, ClaimingContract, AttemptsContract, CommandsContract
):
    """What was put waits until somebody is told that it left."""
