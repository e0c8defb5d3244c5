"""How often Python looks for cycles of objects that nobody needs any more."""

from __future__ import annotations

import atexit
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

LATE = 100_000
"""Objects of a command before it looks at all: twice what most have when they end."""


def look_seldom() -> None:
    """
    Make the collector fit for a server, once everything is imported and built.

    What is there by now stays for good, so it is never looked through again; and a
    message is done in some hundred objects that all go by themselves, so Python's
    default of 700 has it look several times a message for nothing: 10 % of the CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def begin_seldom() -> None:
    """
    Make it fit for a command, before anything is loaded.

    Most are done before there is anything to look for, and what they made goes with the
    process: to look through it once behind the imports and once at the very end is a
    third of a short command's time. One that goes on for long looks all the same.
    """
    gc.set_threshold(LATE, MIDDLE, OLD)
    atexit.register(gc.freeze)


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
