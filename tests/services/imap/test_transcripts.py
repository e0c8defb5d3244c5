"""Written dialogues, whole and octet by octet, over the store in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.address import IPv4Address

from tests.protocols.imap.grammar import read_all
from tests.services.imap.world import World
from tests.transcript import Feed, Wire, cases, name_of, replay, whole

FOLDER = Path(__file__).parents[2] / "transcripts" / "imap"

STRANGER = IPv4Address("TCP", "192.0.2.1", 54321)
NEIGHBOUR = IPv4Address("TCP", "127.0.0.1", 54321)
"""May log in without TLS; every dialogue but those with ``-- stranger``."""


@pytest.mark.parametrize(("script", "feed"), cases(FOLDER), ids=name_of)
def test_in_memory(script: Path, feed: Feed) -> None:
    play(World(), script, feed)


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.txt")), ids=name_of)
def test_grammar(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is said in the dialogues is in the grammar of RFC 9051 §9."""
    said: dict[Wire, bytes] = {}
    value = Wire.value

    def keep(wire: Wire) -> bytes:
        octets: bytes = value(wire)
        said[wire] = said.get(wire, b"") + octets
        return octets

    monkeypatch.setattr(Wire, "value", keep)
    play(World(), script, whole)
    assert all(read_all(octets) for octets in said.values() if octets)


@pytest.mark.parametrize("script", sorted(FOLDER.glob("*.txt")), ids=name_of)
def test_on_disk(script: Path, tmp_path: Path) -> None:
    play(World(data=tmp_path), script, whole)


def play(world: World, script: Path, feed: Feed) -> None:
    text = script.read_text(encoding="utf-8")
    peer = STRANGER if "\n-- stranger\n" in text else NEIGHBOUR
    try:
        replay(script, world.protocol, feed, world.actions, peer)
    finally:
        world.close()
