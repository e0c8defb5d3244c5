"""What the way out does beside carrying mail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import attrs
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mailkit.app.assemble import House, open_house
from mailkit.app.find import read_config
from mailkit.app.outbound import LOOKED_AFTER, WayOut, patience_of
from mailkit.app.settings import TimeoutSettings
from mailkit.errors import StorageBroken
from mailkit.metrics import Metrics
from mailkit.net.relay.settings import RelaySettings
from mailkit.net.startlanes import finish
from mailkit.storage.content import OctetsContent
from mailkit.storage.state.living import Living
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import TestClock
from mailkit.testing.contracts.queuecase import NOW, queue_item

DAYS = ["2025-12-31", "2025-12-30"]


@define(eq=False)
class Seldom:
    """Policies and reports in one, which fail as they are told."""

    error: Exception | None = None
    wait: Deferred[None] | None = None
    done: list[str] = field(factory=list)

    async def refresh(self) -> int:
        self.done.append("policies")
        if self.wait is not None:
            await self.wait
        if self.error is not None:
            raise self.error
        return 0

    async def report(self, day: str) -> int:
        self.done.append(day)
        return 0


class EachHour(SynchronousTestCase):
    """Policies are renewed, and a day is reported."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        variables = {
            "MAILKIT_RELAY__ENABLED": "true",
            "MAILKIT_RETRY__GIVE_UP_AFTER": "20 d",
        }
        settings = read_config(None, variables, folder).settings
        settings.data.mkdir()
        self.house: House = open_house(settings, reactor, Metrics())
        self.addCleanup(lambda: finish(self.house.close()))
        assert self.house.way_out is not None
        self.way_out: WayOut = self.house.way_out
        self.clock = TestClock()
        self.seldom = Seldom()
        seldom: Any = self.seldom  # in place of two parts
        self.way_out.reactor = self.way_out.sending.clock = self.clock
        self.way_out.policies = self.way_out.reports = seldom

    def start(self) -> None:
        self.way_out.start(counts_all=True)
        self.addCleanup(lambda: finish(self.way_out.stop()))

    def test_both_are_done(self) -> None:
        self.start()
        self.clock.advance(LOOKED_AFTER)
        assert self.seldom.done == ["policies", *DAYS]

    def claimed(self, owner: str) -> str:
        """The id of an item that somebody claimed when time stood still."""
        item = queue_item(f"of {owner}")
        content = OctetsContent(b"\r\n")
        at_once(self.house.queue.put(content, [item], b"", owner, NOW + 60))
        return item.id

    def due(self) -> int:
        return sum(one.count for one in at_once(self.house.queue.due(NOW, 10)))

    def test_what_a_killed_process_was_at_is_free_at_once(self) -> None:
        run = str(self.way_out.living._folder)
        killed, alive = Living(run), Living(run)
        killed.begin("killed")
        alive.begin("alive")
        self.addCleanup(alive.end)
        for owner in ("killed", "alive", "unknown"):
            self.claimed(owner)
        assert self.due() == 0
        os.close(killed._descriptor)
        at_once(self.way_out._free_claims())
        assert self.due() == 1
        assert alive.dead() == []

    def test_without_locks_claims_end_by_themselves(self) -> None:
        run = Path(self.way_out.living._folder)
        self.patch(self.way_out, "living", Living(str(run / "file")))
        (run / "file").touch()
        self.claimed("killed")
        self.start()
        assert self.due() == 0
        assert self.way_out._sender is not None

    def test_a_bug_while_freeing_stops_no_mail(self) -> None:
        broken: Any = object()
        whole, self.way_out.living = self.way_out.living, broken
        freeing = Deferred.fromCoroutine(self.way_out._free_claims())
        freeing.addErrback(self.way_out._log_not_freed)
        self.way_out.living = whole
        assert self.successResultOf(freeing) is None
        assert len(self.flushLoggedErrors(AttributeError)) == 1

    def test_reports_do_not_wait_for_policies(self) -> None:
        self.seldom.wait = Deferred()
        self.start()
        self.clock.advance(LOOKED_AFTER)
        self.clock.advance(LOOKED_AFTER)
        assert self.seldom.done == ["policies", *DAYS, *DAYS]

    def test_what_fails_does_not_end_it(self) -> None:
        self.seldom.error = StorageBroken("the disk")
        self.start()
        self.clock.advance(LOOKED_AFTER)
        assert self.seldom.done == ["policies", *DAYS]
        self.seldom.error = ZeroDivisionError()
        self.clock.advance(LOOKED_AFTER)
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
        self.seldom.error = None
        self.clock.advance(LOOKED_AFTER)
        assert self.seldom.done[-2:] == DAYS

    def test_signatures_count_for_longer_than_mail_is_tried(self) -> None:
        """And what they are checked with is published for longer still."""
        seal: Any = self.way_out.sending.seal
        lasts = seal.__self__._lasts
        assert lasts > 20 * 86_400
        assert self.house.keys.outlives >= lasts

    def test_leftovers_that_cannot_be_cleared_away_stop_no_mail(self) -> None:
        begun: list[bool] = []

        class Broken:
            async def start(self) -> None:
                raise StorageBroken("the disk")

        class Recording:
            def start(self, counts_all: bool) -> None:
                begun.append(counts_all)

        queue, way_out = self.house.queue, self.way_out
        broken: Any = Broken()
        recording: Any = Recording()
        self.house.queue = broken
        self.house.way_out = recording
        try:
            at_once(self.house._send(recording, True))
        finally:
            self.house.queue, self.house.way_out = queue, way_out
        assert begun == [True]


def test_other_hosts_are_waited_for_as_the_settings_say(tmp_path: Path) -> None:
    names = [field.name for field in attrs.fields(TimeoutSettings)]
    told = [f"{name} = {number}" for number, name in enumerate(names, 1)]
    config = tmp_path / "mailkit.toml"
    config.write_text(
        "\n".join(
            [
                'hostname = "mail.example.org"',
                "[log]",
                'level = "debug"',
                "[relay]",
                "messages = 20",
                "recipients = 30",
                "idle_connections = 40",
                "[relay.timeouts]",
                *told,
            ]
        )
    )
    patience = patience_of(read_config(config, {}, tmp_path).settings)
    waits = [getattr(patience, name) for name in names]
    assert waits == [float(number) for number in range(1, len(names) + 1)]
    assert (patience.messages, patience.recipients) == (20, 30)
    assert patience.idle_connections == 40
    assert patience.dialogue


def test_hosts_are_waited_for_as_the_standard_asks(tmp_path: Path) -> None:
    settings = read_config(None, {}, tmp_path).settings
    assert patience_of(settings) == RelaySettings()
