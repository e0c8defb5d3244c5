"""
What was changed, written down so that it can be changed back exactly.

A message is known by the UID that it had and by its EMAILID, by which it is found when
another action has moved it since (RFC 8474 §5.1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from attrs import asdict, field, frozen

from mailkit.errors import Malformed
from mailkit.model.label import Label
from mailkit.model.mailbox import MailboxName
from mailkit.model.savedsearch import SavedSearch
from mailkit.model.snooze import Snooze, Woken
from mailkit.services.sorting.actions import Action, Done, Kind, Op


@frozen
class Flagged:
    """These had flags set and others cleared, which were not so before."""

    mailbox: MailboxName
    uids: tuple[int, ...]
    email_ids: tuple[str, ...] = field(repr=False)
    set: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()


@frozen
class Moved:
    """These went from one mailbox to another, where they have these UIDs."""

    mailbox: MailboxName
    to: MailboxName
    uids: tuple[int, ...]
    email_ids: tuple[str, ...] = field(repr=False)


@frozen
class PutOff:
    """These were put off; ``before`` holds those that had been so already."""

    email_ids: tuple[str, ...] = field(repr=False)
    before: tuple[Snooze, ...] = ()


@frozen
class Forgotten:
    """It was forgotten that these came back."""

    woken: tuple[Woken, ...]


@frozen
class Renamed:
    """A mailbox had another name, and all below it."""

    old: MailboxName
    new: MailboxName


@frozen
class Removed:
    """An empty mailbox was there."""

    mailbox: MailboxName


@frozen
class Unnamed:
    """A label had a name."""

    label: Label


@frozen
class Silenced:
    """Answers to these were kept out of the inbox from then on, or no more."""

    message_ids: tuple[str, ...] = field(repr=False)
    is_muted: bool


@frozen
class Unsaved:
    """A search was kept."""

    search: SavedSearch


Step = (
    Flagged
    | Moved
    | PutOff
    | Forgotten
    | Renamed
    | Removed
    | Unnamed
    | Silenced
    | Unsaved
)

_KINDS: dict[str, type[Step]] = {
    "flagged": Flagged,
    "moved": Moved,
    "put-off": PutOff,
    "forgotten": Forgotten,
    "renamed": Renamed,
    "removed": Removed,
    "unnamed": Unnamed,
    "silenced": Silenced,
    "unsaved": Unsaved,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_VALUES: dict[str, type[Any]] = {  # Any: what a field is made of, by its name
    "before": Snooze,
    "woken": Woken,
}


@frozen
class Record:
    """One action with its steps, in the order in which they were done."""

    done: Done
    steps: tuple[Step, ...]

    def to_text(self) -> str:
        """For `IPersonal.keep_undo`."""
        done = self.done
        action = None if done.action is None else _action_facts(done.action)
        return json.dumps(
            {
                "action": action,
                "messages": done.messages,
                "conversations": done.conversations,
                "is_whole": done.is_whole,
                "kind": done.kind.value,
                "name": done.name,
                "steps": [[_NAMES[type(one)], asdict(one)] for one in self.steps],
            }
        )

    @classmethod
    def from_text(cls, text: str, token: str) -> Record:
        """:raises Malformed: if another version of the program wrote it."""
        try:
            facts = json.loads(text)
            steps = tuple(_step(name, values) for name, values in facts.pop("steps"))
            action = facts.pop("action")
            if action is not None:
                op = Op(action.pop("op"))
                action = Action(op, action["label"], action["to"], action["until"])
            kind = Kind(facts.pop("kind"))
            return cls(Done(action, token=token, kind=kind, **facts), steps)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Malformed("steps of an action") from error


def _action_facts(action: Action) -> dict[str, object]:
    return {
        "op": action.op.value,
        "label": action.label,
        "to": action.to,
        "until": action.until,
    }


def _step(name: str, values: dict[str, Any]) -> Step:
    # Any: JSON; the constructor of each step knows its own fields.
    made: dict[str, Any] = {}
    for key, value in values.items():
        if key in _VALUES:
            made[key] = tuple(_VALUES[key](**one) for one in value)
        elif key == "label":
            made[key] = Label(**value)
        elif key == "search":
            made[key] = SavedSearch(**value)
        else:
            made[key] = tuple(value) if isinstance(value, list) else value
    return _KINDS[name](**made)


def batches(uids: Sequence[int], most: int) -> list[Sequence[int]]:
    """Pieces of so many."""
    return [uids[start : start + most] for start in range(0, len(uids), most)]
