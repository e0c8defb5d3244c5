"""Running a coroutine that waits for nothing."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from mailkit.net.startlanes import finish

T = TypeVar("T")


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """
    What a coroutine returns that never has to wait, as over the doubles of this room.

    :raises LocalMisuse: if it waits after all.
    """
    return finish(coroutine)
