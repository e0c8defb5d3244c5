"""What was looked at, what was found, and what to do next."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class State(Enum):
    """How it is, the best first."""

    GOOD = "ok"
    NOTE = "note"
    """It works; somebody may want it better."""
    UNKNOWN = "unknown"
    """It could not be looked at."""
    WRONG = "wrong"

    @property
    def is_bad(self) -> bool:
        """Whether ``mailkit doctor`` ends with status 1 for it."""
        return self in (State.UNKNOWN, State.WRONG)


@frozen
class Finding:
    """One thing that was looked at."""

    subject: str
    """``MX``, ``DKIM r20261121``, ``port 25`` …"""
    state: State
    words: str
    next_step: str = ""
    """What an administrator does about it; empty: nothing."""


def good(subject: str, words: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, State.GOOD, words)


def note(subject: str, words: str, next_step: str) -> Finding:
    """It could be better."""
    return Finding(subject, State.NOTE, words, next_step)


def unknown(subject: str, words: str, next_step: str) -> Finding:
    """It could not be looked at."""
    return Finding(subject, State.UNKNOWN, words, next_step)


def wrong(subject: str, words: str, next_step: str) -> Finding:
    """It has to be put right."""
    return Finding(subject, State.WRONG, words, next_step)
