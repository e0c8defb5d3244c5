"""The corpus, and some hundred inputs more, against every server."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.fuzz.inputs import Spoiler, corpus, seeds, steps_of, written
from tests.fuzz.places import PLACES
from tests.fuzz.play import Played, TroubleError, compare, play
from tests.net.relay.world import item
from tests.transcript import name_of

INPUTS = 300
FEWER = {"relay": 100, "lmtp-relay": 100, "dns": 100, "web": 10}
"""Of those that take longer."""


@pytest.mark.parametrize("service", list(PLACES))
def test_seeds(service: str) -> None:
    for steps in seeds(service):
        compare(service, steps, random.Random(1))


@pytest.mark.parametrize(
    ("service", "path"),
    [(service, path) for service in PLACES for path in corpus(service)],
    ids=name_of,
)
def test_corpus(service: str, path: Path) -> None:
    steps = steps_of(path.read_text(encoding="utf-8"))
    for seed in range(5):
        compare(service, steps, random.Random(seed))


@pytest.mark.parametrize("service", list(PLACES))
def test_some_inputs(service: str) -> None:
    spoiler = Spoiler.of(service, random.Random(f"short {service}"))
    for number in range(FEWER.get(service, INPUTS)):
        play(service, spoiler.next(), random.Random(number))


def test_of_two_faults_of_a_message_either_may_be_told() -> None:
    """Too large in the first piece, a bare LF in the last; whole, the bare LF."""
    begin = (
        "EHLO c\\r\\nMAIL FROM:<a@b>\\r\\nRCPT TO:<alice@example.org>\\r\\nDATA\\r\\n"
    )
    text = (("x" * 900 + "\\r\\n") * 90 + "bare\\n\\r\\n") * 2
    steps = steps_of(f"C= {begin}\nC= {text}.\\r\\n\n")
    for seed in range(5):
        compare("smtp", steps, random.Random(seed))


def test_a_trouble_names_what_is_not_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = [b"220 a\r\n250 2.1.0 yes\r\n", b"220 a\r\n550 5.1.1 no\r\n"]

    def played(*words: object) -> Played:
        return Played({"": said.pop(0)})

    monkeypatch.setattr("tests.fuzz.play.play", played)
    with pytest.raises(TroubleError, match=r"b'0 0 yes' is b'0 0 no':"):
        compare("smtp", steps_of("C: NOOP\n"), random.Random(1))


def test_each_recipient_has_one_fate(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = steps_of("C: 220 a\nC: 250 a\nC: 550 no\nC: 221 bye\n")
    play("relay", steps, None)
    other = item("z@sink.test")
    monkeypatch.setattr("tests.fuzz.strangers.item", lambda *to, size: other)
    with pytest.raises(TroubleError, match="told of"):
        play("relay", steps, None)


def test_whoever_waits_for_ever_is_a_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.strangers.LONG", 0.0)
    with pytest.raises(TroubleError, match="waits for ever"):
        play("relay", steps_of("C: 220 a\n"), None)


def test_inputs_can_be_written_and_read() -> None:
    spoiler = Spoiler.of("imap", random.Random(7))
    for _ in range(50):
        steps = spoiler.next()
        again = steps_of(written(steps, "again"))
        assert [(s.kind, s.connection, s.octets) for s in again] == [
            (s.kind, s.connection, s.octets) for s in steps
        ]
