"""Written dialogues, whole and octet by octet, over the store in memory and on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.address import IPv4Address

from tests.services.imap.world import World
from tests.transcript import Feed, cases, name_of, replay, whole

FOLDER = Path(__file__).parents[2] / "transcripts" / "imap"

STRANGER = IPv4Address("TCP", "192.0.2.1", 54321)
NEIGHBOUR = IPv4Address("TCP", "127.0.0.1", 54321)
"""May log in without TLS; every dialogue but those with ``-- stranger``."""


@pytest.mark.parametrize(("script", "feed"), cases(FOLDER), ids=name_of)
def test_in_memory(script: Path, feed: Feed) -> None:
    play(World(), script, feed)


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
