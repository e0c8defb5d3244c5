"""The queue on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from attrs import evolve

from mailkit.app.cli import queue as module
from mailkit.app.cli.desk import Desk, Open
from mailkit.interfaces.queue import IQueueStore
from mailkit.model.address import AccountName, DomainName
from mailkit.model.envelope import Envelope, Recipient
from mailkit.model.path import Path
from mailkit.model.queueitem import (
    Attempt,
    Fate,
    NextHop,
    QueuedRecipient,
    QueueId,
    QueueItem,
    Report,
)
from mailkit.storage.content import OctetsContent
from mailkit.storage.state.living import Living
from tests.app.cli.conftest import Shell

NEW_YEAR = 1767225600.0
ALICE = AccountName("alice@example.org")
TWO = NextHop(DomainName("two.example"))


def an_item(
    transaction: str, domain: str = "example.net", *names: str, number: int = 1
) -> QueueItem:
    people = [Path(name, domain) for name in names or ("carol",)]
    return QueueItem(
        id=QueueId(f"{transaction}.{number}"),
        message=transaction,
        hop=NextHop(DomainName(domain)),
        envelope=Envelope(Path("alice", "example.org")),
        recipients=tuple(QueuedRecipient(Recipient(path)) for path in people),
        arrived=NEW_YEAR,
        next_try=NEW_YEAR,
        size=26,
        message_id=f"<{transaction}@example.org>",
        subject="Hello",
        account=ALICE,
    )


@contextmanager
def opened() -> Iterator[tuple[Open, IQueueStore]]:
    with Desk().open() as at:
        yield at, at.foundation.queue


@pytest.fixture
def filled(shell: Shell) -> Shell:
    """Three messages; one of them was tried."""
    with opened() as (at, store):
        for items in (
            [an_item("a", "example.net", "carol", "dave")],
            [an_item("b"), an_item("b", "two.example", number=2)],
            [evolve(an_item("c", "two.example"), account=None, held="looks odd")],
        ):
            at.do(store.put(OctetsContent(b"Subject: hello\r\n\r\nWords.\r\n"), items))
        hop = NextHop(DomainName("example.net"))
        [item] = at.do(store.claim(hop, "me", NEW_YEAR, NEW_YEAR + 60, 1))
        assert item.id == "a.1"
        first, second = item.recipients
        now = (
            evolve(first, fate=Fate.SENT, status="2.0.0", words="Thanks", host="mx"),
            evolve(second, status="4.2.2", words="Mailbox full", host="mx"),
        )
        reports = tuple(
            Report(one.path, one.fate, one.status, one.words) for one in now
        )
        attempt = Attempt(
            began=NEW_YEAR,
            took=1.25,
            host="mx.example.net",
            address="192.0.2.1:25",
            tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
            reports=reports,
        )
        later = 4e9
        assert at.do(store.record("me", item.id, attempt, now, later))
    return shell


def test_an_empty_queue(shell: Shell) -> None:
    assert shell.ok("queue", "list") == "the queue is empty\n"
    assert shell.ok("queue", "list", "--domain", "example.net") == "none\n"
    assert shell.run("--json", "queue", "list").json == []
    assert shell.ok("queue", "hold", "--all") == "0 items held\n"


def test_listing(filled: Shell) -> None:
    lines = filled.ok("queue", "list").splitlines()
    assert lines[0].split() == [
        "id",
        "arrived",
        "from",
        "to",
        "size",
        "tries",
        "next",
        "try",
        "state",
        "reply",
    ]
    assert [line.split()[0] for line in lines[1:]] == ["a.1", "b.1", "b.2", "c.1"]
    assert "dave@example.net" in lines[1]
    assert "waits" in lines[1]
    assert "mx: 4.2.2 Mailbox full" in lines[1]
    assert "due" in lines[2]
    assert "held: looks odd" in lines[4]


def test_what_is_tried(filled: Shell) -> None:
    with opened() as (at, store):
        [item] = at.do(store.claim(TWO, "me", NEW_YEAR, 4e9, 1))
    states = {
        one["id"]: one["state"] for one in filled.run("--json", "queue", "list").json
    }
    assert states[item.id] == "is tried"
    assert states["b.1"] == "due"


def test_the_screen_says_that_it_is_tried(filled: Shell) -> None:
    with opened() as (at, store):
        [item] = at.do(store.claim(TWO, "me", NEW_YEAR, 4e9, 1))
    shown = filled.ok("queue", "show", item.id).splitlines()
    assert "state        is tried" in [line.rstrip() for line in shown]
    assert "next try     now" in [line.rstrip() for line in shown]
    assert shown[-1] == (
        "It is being tried at the moment; what comes of it will stand here."
    )
    facts = filled.run("--json", "queue", "show", item.id).json[0]
    assert facts["state"] == "is tried"
    other = filled.ok("queue", "show", "b.1")
    assert "being tried" not in other
    assert "now" not in other


def test_listing_some(filled: Shell) -> None:
    def ids(*options: str) -> list[str]:
        listed = filled.run("--json", "queue", "list", *options).json
        return [one["id"] for one in listed]

    assert ids() == ["a.1", "b.1", "b.2", "c.1"]
    assert ids("--domain", "Two.Example") == ["b.2", "c.1"]
    assert ids("--account", "alice@example.org") == ["a.1", "b.1", "b.2"]
    assert ids("--held") == ["c.1"]
    assert ids("--limit", "2") == ["a.1", "b.1"]
    assert ids("--limit", "2", "--after", "b.1") == ["b.2", "c.1"]
    for options in ((), ("--json",)):
        said = filled.refused("queue", "list", "--after", "zz.1", *options)
        assert said == "there is no zz.1 in the queue"


def test_listing_page_by_page(filled: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    assert len(filled.run("--json", "queue", "list").json) == 4
    assert len(filled.run("--json", "queue", "list", "--limit", "3").json) == 3
    lines = filled.ok("queue", "list").splitlines()
    assert sum(line.startswith("id ") for line in lines) == 2


def test_showing_every_attempt(filled: Shell) -> None:
    shown = filled.ok("queue", "show", "a.1")
    for words in (
        "<a@example.org>",
        "Hello",
        "alice@example.org",
        "2096-10-02 07:06:40Z",
        "192.0.2.1:25",
        "TLSv1.3 TLS_AES_256_GCM_SHA384",
        "<carol@example.net> sent: 2.0.0 Thanks",
        "<dave@example.net> waiting: 4.2.2 Mailbox full",
    ):
        assert words in shown
    [whole] = filled.run("--json", "queue", "show", "a").json
    assert [one["fate"] for one in whole["recipients"]] == ["sent", "waiting"]
    [tried] = whole["tried"]
    assert (tried["host"], tried["took"]) == ("mx.example.net", 1.25)
    assert tried["reports"][1] == {
        "recipient": "dave@example.net",
        "fate": "waiting",
        "status": "4.2.2",
        "words": "Mailbox full",
    }


def test_showing_all_items_of_a_message(filled: Shell) -> None:
    shown = filled.ok("queue", "show", "b")
    assert "b.1" in shown
    assert "b.2" in shown
    assert filled.refused("queue", "show", "zz") == "the queue knows no zz"


def test_showing_what_has_left(filled: Shell) -> None:
    filled.ok("queue", "drop", "a.1")
    assert "gone" in filled.ok("queue", "show", "a.1")
    [whole] = filled.run("--json", "queue", "show", "a.1").json
    assert whole["state"] == "gone"
    assert len(whole["tried"]) == 1


def test_holding_releasing_trying_dropping(filled: Shell) -> None:
    said = filled.ok("queue", "hold", "a.1", "b", "--reason", "wait for Ann")
    assert said == "3 items held\n"
    assert "held: wait for Ann" in filled.ok("queue", "show", "b.2")
    assert filled.ok("queue", "release", "--domain", "two.example") == (
        "2 items released\n"
    )
    assert filled.ok("queue", "retry", "--all") == (
        "0 items of 4 to be tried;"
        " the rest is due, being tried, held until it is released, or bulk mail\n"
    )
    assert filled.ok("queue", "release", "--all") == (
        "2 items of 4 released; the rest was not held\n"
    )
    done = filled.run("--json", "queue", "drop", "--account", "alice@example.org").json
    assert done == {"items": 3, "of": 3}
    assert filled.ok("queue", "drop", "c.1") == "1 item dropped\n"
    assert filled.ok("queue", "list") == "the queue is empty\n"
    assert "dropped" in filled.ok("trace", "b")
    assert filled.ok("trace", "b.2") == filled.ok("trace", "b")


def test_what_a_killed_server_was_at_may_be_dropped(shell: Shell) -> None:
    with opened() as (at, store):
        run = str(at.settings.data / "run")
        now = at.foundation.reactor.seconds()
        for owner in ("killed", "alive"):
            put = store.put(
                OctetsContent(b"\r\n"), [an_item(owner)], b"", owner, now + 60
            )
            at.do(put)
    killed, alive = Living(run), Living(run)
    killed.begin("killed")
    alive.begin("alive")
    os.close(killed._descriptor)
    assert shell.ok("queue", "drop", "--all") == (
        "1 item of 2 dropped; the rest is being tried\n"
    )
    assert "alive.1" in shell.ok("queue", "list")
    alive.end()


@pytest.mark.parametrize("verb", ["hold", "release", "retry", "drop"])
def test_nothing_is_done_to_all_by_mistake(filled: Shell, verb: str) -> None:
    assert filled.run("queue", verb).status == 2
    assert filled.run("queue", verb, "--all", "a.1").status == 2
    words = "there is no zz.1 in the queue"
    assert filled.refused("queue", verb, "b.1", "zz.1") == words


def test_numbers(filled: Shell) -> None:
    found = filled.run("--json", "queue", "stats", "--days", "10000").json
    assert [(one["domain"], one["accepted"], one["delivered"]) for one in found] == [
        ("example.net", 3, 1),
        ("two.example", 2, 0),
    ]
    assert found[0]["median"] is not None
    assert found[1]["median"] is None
    listed = filled.ok("queue", "stats", "--days", "10000", "--domain", "example.net")
    assert "2026-01-01" in listed
    assert "two.example" not in listed
    assert filled.ok("queue", "stats", "--domain", "x.test") == "no mail in that time\n"
    assert filled.run("--json", "queue", "stats", "--domain", "x.test").json == []
    assert filled.refused("queue", "stats", "--days", "0") == "at least one day"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, None), (1.26, "1.3 s"), (600.0, "10 min"), (7200.0, "2.0 h")],
)
def test_spans(seconds: float | None, words: str | None) -> None:
    assert module._say_span(seconds) == words


def test_long_work_shows_a_bar_on_a_terminal(
    filled: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONG", 1)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    said = filled.run("queue", "hold", "--all")
    assert said.status == 0
    assert "held" in said.error
    assert "4/4" in said.error


def test_a_server_that_sends_nothing(shell: Shell) -> None:
    with (shell.folder / "mailkit.toml").open("a") as file:
        file.write("[relay]\nenabled = false\n")
    words = "this server sends no mail: [relay] enabled is false"
    assert shell.refused("queue", "list") == words
