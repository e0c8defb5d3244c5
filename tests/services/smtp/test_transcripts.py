"""Every dialogue goes as written, however the octets arrive."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.model.address import AccountName
from mailkit.model.queueitem import Selection
from mailkit.testing.at_once import at_once
from tests.services.smtp.world import World
from tests.transcript import Feed, cases, name_of, replay, undo_escapes

FOLDER = Path(__file__).parent.parent.parent / "transcripts"


SERVICES = ["smtp", "submission", "lmtp", "smtp_sending", "submission_sending"]
"""Folders of transcripts; in those of ``_sending`` there is a queue."""


@pytest.mark.parametrize("service", SERVICES)
def test_there_are_transcripts(service: str) -> None:
    assert cases(FOLDER / service)


@pytest.mark.parametrize(
    ("script", "feed"),
    [case for name in SERVICES for case in cases(FOLDER / name)],
    ids=name_of,
)
def test_dialogue(script: Path, feed: Feed) -> None:
    world = World()
    service, _, sending = script.parent.name.partition("_")
    if sending:
        world.send_out()

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

    def queued(words: str) -> None:
        """``-- queued RECIPIENT…``: who waits in the queue, in order."""
        assert world.queue is not None
        items = at_once(world.queue.items(Selection()))
        waiting = [str(one.path) for item in items for one in item.recipients]
        assert waiting == words.split()

    marks = {"kept": kept, "queued": queued}
    replay(script, lambda: world.protocol(service), feed, marks)
    assert all(file.is_discarded for file in world.spool.files)
