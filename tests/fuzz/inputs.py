"""Dialogues as they are written, and as they are after somebody spoiled them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import evolve, frozen

from tests.transcript import Line, read

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
CORPUS = Path(__file__).with_name("corpus")

Steps = tuple[Line, ...]
"""What clients say and what happens beside it; never what the server answers."""

_ODD = b"\0\r\n \t\"'()[]{}<>@*%\\:;,.-+~\x7f\x80\xc3\xff"
_NUMBERS = (0, 1, 2, 4, 99, 255, 998, 65535, 65536, 2**31, 2**32 - 1, 2**32, 2**63, -1)
_NUMBER = re.compile(rb"\d+")
_WORD = re.compile(rb"[^\s()<>\[\]{}\"]+|[()<>\[\]{}\"]")
_IGNORED = frozenset({"only", "closed", "kept", "count", "stranger"})
_LONGEST = 200_000
"""Octets of one step, so that doubling does not go on for ever."""


def steps_of(text: str) -> Steps:
    """The clients' side of a transcript."""
    return tuple(
        line
        for line in read(text)
        if line.kind == "C"
        or (line.kind == "--" and line.octets.split()[0].decode() not in _IGNORED)
    )


def seeds(service: str) -> list[Steps]:
    """The transcripts of a service, and its corpus."""
    folders = [TRANSCRIPTS / service, CORPUS / service]
    if service in ("submission", "lmtp"):
        folders.append(TRANSCRIPTS / "smtp")
    return [
        steps_of(path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted(folder.glob("*.txt"))
    ]


def corpus(service: str) -> list[Path]:
    """Inputs that were interesting once."""
    return sorted((CORPUS / service).glob("*.txt"))


def written(steps: Steps, why: str) -> str:
    """As a transcript, to be read again by `steps_of`."""
    lines = [f"# {why}"]
    for step in steps:
        if step.kind == "--":
            lines.append(f"-- {step.octets.decode()}")
        else:
            lines.append(f"C{step.connection}= {_escaped(step.octets)}")
    return "\n".join(lines) + "\n"


def _escaped(octets: bytes) -> str:
    plain = {0x0D: "\\r", 0x0A: "\\n", 0x09: "\\t", 0x5C: "\\\\"}
    return "".join(
        plain.get(octet, chr(octet) if 32 <= octet < 127 else f"\\x{octet:02x}")
        for octet in octets
    )


@frozen
class Spoiler:
    """Makes new inputs out of old ones."""

    chance: random.Random
    pool: list[Steps]
    """What new inputs are made of; it may grow."""
    words: tuple[bytes, ...]
    """Whatever somebody said in a seed."""

    @classmethod
    def of(cls, service: str, chance: random.Random) -> Spoiler:
        """Begin with the seeds of a service."""
        pool = seeds(service)
        words = {
            word
            for steps in pool
            for step in steps
            for word in _WORD.findall(step.octets)
        }
        return cls(chance, pool, tuple(sorted(words)))

    def next(self) -> Steps:
        """One more input."""
        chance = self.chance
        steps = list(chance.choice(self.pool))
        for _ in range(min(12, 1 + int(chance.expovariate(0.5)))):
            if chance.random() < 0.25 or not steps:
                self._move(steps)
            else:
                at = chance.randrange(len(steps))
                if steps[at].kind == "C":
                    octets = self._spoil(steps[at].octets)[:_LONGEST]
                    steps[at] = evolve(steps[at], octets=octets)
        return tuple(steps[:200])

    def _move(self, steps: list[Line]) -> None:
        """Steps go, come, change places."""
        chance = self.chance
        at = chance.randrange(len(steps) + 1)
        match chance.randrange(5):
            case 0:
                del steps[at : at + chance.randint(1, 3)]
            case 1:
                steps[at:at] = steps[at : at + chance.randint(1, 4)]
            case 2:
                other = chance.choice(self.pool)
                begin = chance.randrange(len(other) + 1)
                steps[at:at] = other[begin : begin + chance.randint(1, 6)]
            case 3 if len(steps) > 1:
                other_at = chance.randrange(len(steps))
                at %= len(steps)
                steps[at], steps[other_at] = steps[other_at], steps[at]
            case _:
                steps[at : at + 1] = steps[at : at + 1] * chance.choice((3, 30))

    def _spoil(self, octets: bytes) -> bytes:
        """Other octets in the place of some."""
        chance = self.chance
        at = chance.randrange(len(octets) + 1)
        until = min(len(octets), at + int(chance.expovariate(0.2)))
        match chance.randrange(10):
            case 0 if octets:
                at %= len(octets)
                flipped = octets[at] ^ (1 << chance.randrange(8))
                return octets[:at] + bytes((flipped,)) + octets[at + 1 :]
            case 1:
                odd = bytes((chance.choice(_ODD),)) * chance.choice((1, 1, 1, 2, 40))
                return octets[:at] + odd + octets[at:]
            case 2:
                return octets[:at] + octets[until:]
            case 3:
                times = chance.choice((2, 2, 3, 20, 500))
                return octets[:at] + octets[at:until] * times + octets[until:]
            case 4 | 5:
                word = chance.choice(self.words)
                return octets[:at] + word + octets[until if at % 2 else at :]
            case 6 if numbers := list(_NUMBER.finditer(octets)):
                number = chance.choice(numbers)
                value = b"%d" % chance.choice(_NUMBERS)
                return octets[: number.start()] + value + octets[number.end() :]
            case 7 if words := list(_WORD.finditer(octets)):
                word_at = chance.choice(words)
                word = chance.choice(self.words)
                return octets[: word_at.start()] + word + octets[word_at.end() :]
            case 8:
                return octets[:at]
            case _:
                long = chance.choice((b"a", b"(", b"\r\n", b"x ", b"\xc3\xbc"))
                times = chance.choice((10, 100, 1000, 1000, 9000, 70_000))
                return octets[:at] + long * times + octets[at:]


def shrink(steps: Steps, is_bad: Callable[[Steps], bool], tries: int = 400) -> Steps:
    """The same trouble with fewer steps and octets, as far as some tries lead."""
    for smaller in _smaller(steps):
        tries -= 1
        if tries < 0:
            break
        if is_bad(smaller):
            return shrink(smaller, is_bad, tries)
    return steps


def _smaller(steps: Steps) -> Sequence[Steps]:
    found: list[Steps] = []
    size = len(steps) // 2
    while size:
        found += [steps[:at] + steps[at + size :] for at in range(0, len(steps), size)]
        size //= 2
    for at, step in enumerate(steps):
        size = len(step.octets) // 2
        while step.kind == "C" and size >= max(1, len(step.octets) // 16):
            for begin in range(0, len(step.octets), size):
                octets = step.octets[:begin] + step.octets[begin + size :]
                shorter = evolve(step, octets=octets)
                found.append((*steps[:at], shorter, *steps[at + 1 :]))
            size //= 2
    return found
