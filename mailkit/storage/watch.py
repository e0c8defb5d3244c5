"""Somebody who hears of changes, in the list of those who do."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define
from zope.interface import implementer

from mailkit.interfaces.storage import IWatch


@implementer(IWatch)
@define(eq=False)
class Watch:
    """It is in ``among`` from the beginning until it stops."""

    _among: list[Watch]
    hear: Callable[[], None]

    def __attrs_post_init__(self) -> None:
        self._among.append(self)

    def stop(self) -> None:
        if self in self._among:
            self._among.remove(self)
