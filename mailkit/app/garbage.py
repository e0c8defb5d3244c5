"""How often Python looks for cycles of objects that nobody needs any more."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 5_000
"""
Objects made and not given back, before the young ones are looked through.

A look at so many takes up to 6 ms where all of them have to go.
"""

MIDDLE, OLD = 20, 100
"""Looks at one generation before the next older one is looked through too."""


def look_seldom() -> None:
    """
    Make the collector fit for a server, once everything is imported and built.

    What is there by now stays for good, so it is never looked through again; and a
    message is done in some hundred objects that all go by themselves, so Python's
    default of 700 has it look several times a message for nothing: 10 % of the CPU.
    """
    gc.collect()
    gc.freeze()
    begin_seldom()


def begin_seldom() -> None:
    """The same for a command, which is too short to look through what is there."""
    gc.set_threshold(YOUNG, MIDDLE, OLD)


@contextmanager
def loading() -> Iterator[None]:
    """
    Look for nothing while modules are imported within: what they make stays.

    Else what was made before is looked through again and again, which is a quarter of
    the time until a server listens.
    """
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()
