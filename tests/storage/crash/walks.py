"""Changes at random, one after the other."""

from __future__ import annotations

from random import Random

from attrs import define, field

from mailkit.model.flags import FlagAction
from mailkit.model.mailbox import INBOX, MailboxName
from tests.storage.crash import scenarios, strangers
from tests.storage.crash.world import State, Step

FLAGS = ("\\Seen", "\\Deleted", "\\Flagged", "\\Answered", "Work", "$Junk")
NEW_NAMES = ("Work", "Work/A", "Work/A/B", "Job", "Entwürfe 2026")


@define(eq=False)
class Walk:
    """The next step, chosen by what there is."""

    choose: Random
    length: int
    with_strangers: bool
    _number: int = field(init=False, default=1000)

    def __call__(self, state: State, done: int) -> Step | None:
        if done == self.length:
            return None
        name = self._mailbox(state)
        uids = self._uids(state, name)
        while True:
            step = self._step(state, name, uids)
            if step is not None:
                return step

    def _step(self, state: State, name: MailboxName, uids: list[int]) -> Step | None:
        choose = self.choose
        other = self._mailbox(state)
        flags = choose.sample(FLAGS, choose.randint(1, 3))
        match choose.randrange(16 if self.with_strangers else 13):
            case 0 | 1:
                return scenarios.deliver(self._next())
            case 2:
                count = choose.randint(1, 3)
                numbers = [self._next() for _ in range(count)]
                return scenarios.append(name, *numbers, flags=tuple(flags))
            case 3 | 4 | 5 if uids:
                action = choose.choice(list(FlagAction))
                return scenarios.store_flags(action, uids, *flags, name=name)
            case 6 if uids:
                return scenarios.copy(uids, other, name)
            case 7 | 8 if uids:
                return scenarios.move(uids, other, name)
            case 9:
                everything = list(state.boxes[name].messages)
                return scenarios.expunge(everything, name) if everything else None
            case 10:
                return self._folders(state)
            case 11 | 12:
                return scenarios.later(6)
            case 13 if uids:
                letters = "".join(sorted(choose.sample("FRST", choose.randint(0, 2))))
                return strangers.flags(uids[0], letters, name)
            case 14:
                return strangers.drop(self._next(), name)
            case 15 if uids:
                octets = state.boxes[name].messages[uids[0]].octets
                return strangers.take(uids[0], octets, name)
        return None

    def _folders(self, state: State) -> Step | None:
        there = [name for name in NEW_NAMES if name in state.boxes]
        free = [name for name in NEW_NAMES if name not in state.boxes]
        match self.choose.randrange(3):
            case 0 if free:
                return scenarios.create(self.choose.choice(free))
            case 1 if there:
                return scenarios.delete(self.choose.choice(there))
            case 2 if there:
                new_name = f"Renamed {self._next()}"
                return scenarios.rename(self.choose.choice(there), new_name)
        return None

    def _mailbox(self, state: State) -> MailboxName:
        full = [name for name, box in sorted(state.boxes.items()) if box.messages]
        if full and self.choose.random() < 0.7:
            return self.choose.choice(full)
        return self.choose.choice([INBOX, *sorted(state.boxes)])

    def _uids(self, state: State, name: MailboxName) -> list[int]:
        there = sorted(state.boxes[name].messages)
        return self.choose.sample(there, min(len(there), self.choose.randint(1, 4)))

    def _next(self) -> int:
        self._number += 1
        return self._number
