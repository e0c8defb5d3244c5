"""Every dialogue goes as written, however the octets arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.model.address import AccountName
from tests.services.smtp.world import World
from tests.transcript import Feed, cases, name_of, replay, undo_escapes

FOLDER = Path(__file__).parent.parent.parent / "transcripts"


@pytest.mark.parametrize("service", ["smtp", "submission", "lmtp"])
def test_there_are_transcripts(service: str) -> None:
    assert cases(FOLDER / service)


@pytest.mark.parametrize(
    ("script", "feed"),
    [case for name in ("smtp", "submission", "lmtp") for case in cases(FOLDER / name)],
    ids=name_of,
)
def test_dialogue(script: Path, feed: Feed) -> None:
    world = World()
    service = script.parent.name

    def kept(words: str) -> None:
        """``-- kept ACCOUNT part|part``: what its last message has, unfolded."""
        account, _, parts = words.partition(" ")
        messages = world.mailbox(AccountName(account))
        if not parts:
            assert messages == []
            return
        message = messages[-1].replace(b"\r\n\t", b" ")
        for part in parts.split("|"):
            octets = undo_escapes(part)
            if octets.endswith(b"$"):
                assert message.endswith(octets[:-1]), message
            else:
                assert octets in message, message

    replay(script, lambda: world.protocol(service), feed, {"kept": kept})
    assert all(file.is_discarded for file in world.spool.files)
