"""The story, with servers that do what they should, or not."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest
from attrs import define, field
from rich.console import Console

from mailkit.app.demo import story as module
from mailkit.app.demo.authority import Authority
from mailkit.app.demo.clients import Mail
from mailkit.app.demo.places import Place
from mailkit.app.demo.servers import DemoFailed, DemoServer, Pair, Person
from mailkit.app.demo.story import Story
from mailkit.app.demo.telling import Telling
from tests.app.demo.test_parts import NOW

PORTS = {"smtp": 1, "submission": 2, "imap": 3, "https": 4, "dns": 5}
TLS = "mail.west.test 127.0.0.2:1, TLSv1.3, checked by mta-sts: 250 2.0.0 Ok"
NOTICE = (
    "It was not delivered.\r\n\r\nIt said:\r\n\r\n    550 no\r\n\r\nWe wrote it.\r\n"
)


@define(eq=False)
class World:
    """Stands in for clients, processes and the command."""

    mails: dict[str, bytes] = field(factory=dict)
    events: list[str] = field(factory=list)
    is_fooled: bool = False
    """Signatures hold whatever was changed."""
    sent: str = TLS
    unwritten: int = 1
    """How often the record is asked too soon."""

    def submit(self, server: DemoServer, message: EmailMessage) -> str:
        self.events.append(f"{server.domain}: {message['Subject']}")
        self.mails[str(message["Subject"])] = message.as_bytes()
        return "250 2.0.0 Accepted as 0123"

    def wait_for(self, server: DemoServer, subject: str) -> Mail:
        if subject == module.RETURNED:
            notice = EmailMessage()
            notice["Subject"] = "Not delivered: x"
            notice.set_content(NOTICE)
            notice.add_attachment("machine part")
            return Mail(notice.as_bytes())
        return Mail(self.mails[subject])

    def look_up(self, server: DemoServer, name: str, kind: str) -> list[str]:
        return ["10 mail.west.test."] if kind == "MX" else ["v=STSv1; id=1;"]

    def check_signatures(self, mail: Mail, home: DemoServer) -> list[str]:
        if b"reech" in mail.octets and not self.is_fooled:
            raise DemoFailed("the body is another one")
        return ["rsa-sha256 holds"]

    def fetch_policy(self, server: DemoServer) -> list[str]:
        return ["mode: enforce", ""]

    def command(self, words: Sequence[str]) -> str:
        words = words[2:]  # --config and its file
        if "trace" in words and self.unwritten:
            self.unwritten -= 1
            raise DemoFailed("mailkit trace 0123: nothing is known about 0123")
        if "trace" in words:
            steps = [("accepted", "ESMTPSA"), ("sent", self.sent)]
            return json.dumps(
                [
                    {
                        "when": "2026-11-21 14:00:00Z",
                        "step": step,
                        "peer": "127.0.0.1",
                        "recipient": "ben@west.test",
                        "detail": detail,
                    }
                    for step, detail in steps
                ]
            )
        if words[0] == "--json":
            return json.dumps([{"state": "waits", "tried": [{"words": "refused"}]}])
        if words[1] == "show":
            return "id        0123.1\nsealed    yes\nattempts  1\n\nrecipient  fate\n"
        return "1 item to be tried\n"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    for name in ("submit", "wait_for", "look_up", "check_signatures", "fetch_policy"):
        monkeypatch.setattr(module, name, getattr(world, name))
    for name in ("start", "wait", "stop"):
        monkeypatch.setattr(
            DemoServer,
            name,
            lambda self, name=name: world.events.append(f"{self.domain}: {name}"),
        )
    return world


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def story(world: World, out: io.StringIO, tmp_path: Path) -> Story:
    authority = Authority.make(tmp_path, NOW)
    east, west = (
        DemoServer(
            domain,
            Place(address, PORTS),
            tmp_path / domain,
            Person(name, f"{name.lower()}@{domain}", "secret"),
            authority.path,
            world.command,
        )
        for name, domain, address in (
            ("Anna", "east.test", "127.0.0.1"),
            ("Ben", "west.test", "127.0.0.2"),
        )
    )
    pair = Pair(tmp_path, authority, east, west)
    return Story(pair, Telling(Console(file=out, width=100)))


def test_it_goes_its_way(story: Story, world: World, out: io.StringIO) -> None:
    story.begins()
    story.pair.start()
    story.run()
    story.ends()
    story.stays()
    story.pair.stop()
    assert world.events == [
        "east.test: start",
        "west.test: start",
        "east.test: wait",
        "west.test: wait",
        "east.test: Hello from the east",
        "west.test: Re: Hello from the east",
        "west.test: stop",
        "east.test: Are you asleep?",
        "west.test: start",
        "west.test: wait",
        "east.test: To a wrong address",
        "east.test: stop",
        "west.test: stop",
    ]
    lines = out.getvalue().splitlines()
    for line in (
        "   │ 127.0.0.1  mail.east.test, home of anna@east.test",
        "   │ west.test  MX  10 mail.west.test.",
        "   │ 14:00:00  accepted  ESMTPSA from 127.0.0.1, for ben@west.test",
        "   │ the body is another one",
        "   │ mode: enforce",
        "   │ mail.west.test 127.0.0.2:1, TLSv1.3, checked by mta-sts",
        "   │ id        0123.1",
        "   │ tried        refused",
        "   │     550 no",
        "   │ anna@east.test  password secret",
    ):
        assert line in lines, line
    assert "sealed" not in out.getvalue()
    assert "We wrote it" not in out.getvalue()


def test_a_signature_that_holds_for_anything(story: Story, world: World) -> None:
    world.is_fooled = True
    with pytest.raises(DemoFailed, match="passes for genuine"):
        story.run()


def test_a_certificate_that_nobody_looked_at(story: Story, world: World) -> None:
    world.sent = "mail.west.test 127.0.0.2:1: 250 2.0.0 Ok"
    with pytest.raises(DemoFailed, match="was not checked as the policy demands"):
        story.run()
