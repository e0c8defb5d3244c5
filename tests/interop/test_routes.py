"""
Routes to what is really there: Redis, HTTP, a program, a folder, another server.

Whatever is away is waited for, and nothing is lost; strangers reach no more than they
may.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import re
import shlex
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field

from tests.docs.rfcs import ROOT
from tests.interop.server import (
    PASSWORD,
    PATIENCE,
    Server,
    can_connect,
    free_ports,
    need,
    wait_until,
)

ALICE, BOB = "alice@example.test", "bob@example.test"
SECRET = "between you and me"
TEXT = """\
From: =?utf-8?q?J=C3=BCrgen?= <jurgen@elsewhere.test>
To: somebody@example.test
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
Message-ID: <{id}@elsewhere.test>
Date: Sat, 21 Nov 2026 12:00:00 +0000
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: base64

"""
BODY = "Hallo, wie geht’s?\n.\n..dots\n"
ENCODED = base64.b64encode(BODY.encode()).decode()
LETTER = TEXT + ENCODED

PROGRAM = """\
#!{python}
import json, os, sys
octets = sys.stdin.buffer.read()
name = os.environ["RECIPIENT"]
with open(os.path.join({folder!r}, "mode")) as file:
    mode = file.read()
if mode == "later":
    print("come again")
    sys.exit(75)
if mode == "never":
    print("not for me", file=sys.stderr)
    sys.exit(67)
with open(os.path.join({folder!r}, "got-" + name), "ab") as file:
    told = {{key: os.environ[key] for key in sorted(os.environ)}}
    told["argv"] = sys.argv[1:]
    told["octets"] = octets.decode()
    file.write(json.dumps(told).encode() + b"\\n")
"""


@define
class Redis:
    """A ``redis-server`` that can be stopped and started again."""

    folder: Path
    port: int = field(factory=lambda: free_ports(1)[0])
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
             "--dir", str(self.folder), "--appendonly", "yes",
             "--requirepass", "se:cret"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(
            "redis has read its file",
            lambda: can_connect(self.port) and self.ask("ping") == "PONG\n",
        )

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)
            self.process = None

    def ask(self, *words: str) -> str:
        done = subprocess.run(
            ["redis-cli", "-p", str(self.port), "-a", "se:cret", "--no-auth-warning",
             *words],
            capture_output=True, check=True, timeout=PATIENCE,
        )  # fmt: skip
        return done.stdout.decode()

    def rows(self, key: str) -> list[dict[str, Any]]:
        """What is in a list, oldest first."""
        count = int(self.ask("llen", key))
        return [json.loads(self.ask("lindex", key, str(n))) for n in range(count)]


class Hook(http.server.ThreadingHTTPServer):
    """A receiver of hooks that answers as it was told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.status = 200
        self.got: list[tuple[dict[str, str], bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?token=x"


class _Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hook

    def do_POST(self) -> None:
        octets = self.rfile.read(int(self.headers["Content-Length"]))
        # Whoever sees the request may be on the way to the next answer.
        status = self.server.status
        self.server.got.append((dict(self.headers.items()), octets))
        self.send_response(status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@define
class World:
    """A server with routes to everything, and what they lead to."""

    server: Server
    other: Server
    redis: Redis
    hook: Hook
    folder: Path

    def send(
        self,
        id: str,
        *recipients: str,
        sender: str = "jurgen@elsewhere.test",
        text: str = LETTER,
    ) -> None:
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"]) as peer:
            peer.sendmail(sender, recipients, text.replace("{id}", id))

    def takes(self, recipient: str) -> bool:
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"]) as peer:
            peer.ehlo()
            peer.mail("x@elsewhere.test")
            return peer.rcpt(recipient)[0] == 250

    def retry(self) -> None:
        self.server.command("queue", "retry", "--all")

    def waiting(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(
            self.server.command("--json", "queue", "list")
        )
        return rows

    def explain(self, *words: str) -> dict[str, Any]:
        said = self.server.command("--json", "route", "explain", *words)
        told: dict[str, Any] = json.loads(said)
        return told


ROUTES = """
[[route]]
name = "tickets"
to = "redis"
recipient = ["tickets@example.test"]
url = "redis://:se%3Acret@127.0.0.1:{redis}/3"
key = "tickets"
whole = true

[[route]]
name = "archive"
to = "redis"
mode = "also"
recipient = ["alice@example.test"]
url = "redis://:se%3Acret@127.0.0.1:{redis}"
key = "archive"

[[route]]
name = "channel"
to = "redis"
recipient = ["channel@example.test"]
url = "redis://:se%3Acret@127.0.0.1:{redis}"
key = "news"
command = "publish"

[[route]]
name = "hook"
to = "http"
recipient = ["*-hook@example.test"]
url = "{hook}"
secret = "{secret}"
whole = true

[[route]]
name = "raw"
to = "http"
recipient = ["raw@example.test"]
url = "{hook}"
format = "raw"

[[route]]
name = "program"
to = "pipe"
recipient = ["program.test"]
program = ["{folder}/program", "--one", "a b;$(x)"]

[[route]]
name = "folder"
to = "maildir"
recipient = ["*.folder.test"]
folder = "{folder}/Maildir"
metadata = true

[[route]]
name = "box"
to = "mailbox"
recipient = ["box@example.test"]
mailbox = "bob@example.test/Tickets"

[[route]]
name = "nobody"
to = "error"
recipient = ["nobody@example.test"]
code = 553
text = "Gone fishing"

[[route]]
name = "store"
to = "lmtp"
recipient = ["other.test"]
host = "127.0.0.1"
port = {lmtp}

[[route]]
name = "smarthost"
to = "smarthost"
account = ["alice@example.test"]
host = "localhost"
port = {submission}
tls = "encrypt"
username = "carol@other.test"
password_file = "password"

[[route]]
name = "backup"
to = "mx"
recipient = ["backup.test"]

[dns]
servers = ["127.0.0.1:{nobody}"]
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    need("redis-server", "redis-cli")
    folder: Path = tmp_path_factory.mktemp("routes")
    redis, hook = Redis(folder), Hook()
    other, server = Server(folder / "other"), Server(folder / "server")
    with ExitStack() as ends:
        for end in (redis.stop, hook.shutdown, other.stop, server.stop):
            ends.callback(end)
        redis.start()
        other.add("carol@other.test")
        other.command("domain", "add", "example.test")
        other.command("account", "grant", "carol@other.test", ALICE)
        other.command("alias", "add", "@other.test", "carol@other.test")
        other.start()
        (server.folder / "password").write_text(PASSWORD + "\n")
        (folder / "mode").write_text("")
        program = folder / "program"
        program.write_text(PROGRAM.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        server.settings = ROUTES.format(
            redis=redis.port,
            hook=hook.url,
            secret=SECRET,
            folder=folder,
            lmtp=other.ports["lmtp"],
            submission=other.ports["submission"],
            nobody=free_ports(1)[0],
        )
        server.write_config()
        server.add_all(ALICE, BOB)
        server.start()
        yield World(server, other, redis, hook, folder)


def test_redis_that_is_stopped_and_started_loses_nothing(world: World) -> None:
    redis = world.redis
    world.send("r1", "tickets@example.test")
    wait_until("it is pushed", lambda: len(_tickets(redis)) == 1)
    redis.stop()
    world.send("r2", "tickets@example.test", "tickets+7@example.test")
    world.send("r3", ALICE)
    wait_until("alice has hers", lambda: len(world.server.messages(ALICE)) == 1)

    def tried() -> bool:
        return [item["attempts"] > 0 for item in world.waiting()] == [True, True]

    wait_until("it was tried in vain", tried)
    world.server.kill()
    world.server.start()
    redis.start()
    world.retry()
    wait_until("all is pushed", lambda: len(_tickets(redis)) == 2)
    wait_until("the copy is pushed", lambda: len(redis.rows("archive")) == 1)
    wait_until("nothing waits", lambda: not world.waiting())
    first, second = _tickets(redis)
    assert first["message_id"] == "<r1@elsewhere.test>"
    assert first["from"] == "Jürgen <jurgen@elsewhere.test>"
    assert first["to"] == "somebody@example.test"
    assert first["subject"] == "Grüße"
    assert first["body"] == BODY
    assert first["date"] == "2026-11-21T12:00:00+00:00"
    assert first["envelope"] == {
        "from": "jurgen@elsewhere.test",
        "to": ["tickets@example.test"],
    }
    assert ["Message-ID", "<r1@elsewhere.test>"] in first["headers"]
    whole = base64.b64decode(first["whole"])
    assert len(whole) == first["size"]
    assert whole.startswith(b"Received: ")
    assert second["envelope"]["to"] == [
        "tickets@example.test",
        "tickets+7@example.test",
    ]
    [copy] = redis.rows("archive")
    assert copy["message_id"] == "<r3@elsewhere.test>"
    assert "whole" not in copy


def test_published_to_those_who_listen(world: World) -> None:
    world.send("c1", "channel@example.test")
    wait_until("it waits", lambda: [one["attempts"] for one in world.waiting()] == [1])
    [item] = world.waiting()
    shown = world.server.command("queue", "show", item["id"])
    assert "nobody listens to news" in shown
    listener = subprocess.Popen(
        ["redis-cli", "-p", str(world.redis.port), "-a", "se:cret",
         "--no-auth-warning", "subscribe", "news"],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert listener.stdout is not None
        kinds = [listener.stdout.readline().strip() for _ in range(3)]
        assert kinds == [b"subscribe", b"news", b"1"]
        world.retry()
        kinds = [listener.stdout.readline().strip() for _ in range(2)]
        assert kinds == [b"message", b"news"]
        told = json.loads(listener.stdout.readline())
    finally:
        listener.kill()
        listener.communicate()
    assert told["message_id"] == "<c1@elsewhere.test>"
    wait_until("nothing waits", lambda: not world.waiting())


def _tickets(redis: Redis) -> list[dict[str, Any]]:
    count = int(redis.ask("-n", "3", "llen", "tickets"))
    return [
        json.loads(redis.ask("-n", "3", "lindex", "tickets", str(place)))
        for place in range(count)
    ]


def test_a_hook_is_signed_and_asked_again(world: World) -> None:
    hook = world.hook
    hook.status = 503
    world.send("h1", "new-hook@example.test")
    wait_until("it was asked", lambda: len(hook.got) == 1)
    wait_until("it waits", lambda: [one["attempts"] for one in world.waiting()] == [1])
    world.server.kill()
    world.server.start()
    hook.status = 200
    world.retry()
    wait_until("nothing waits", lambda: not world.waiting())
    (first, _), (headers, octets) = hook.got
    assert headers["X-Mailkit-Id"] == first["X-Mailkit-Id"]
    assert headers["Content-Type"] == "application/json"
    t, v1 = headers["X-Mailkit-Signature"].split(",")
    signed = f"{t.removeprefix('t=')}.".encode() + octets
    code = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert v1 == f"v1={code}"
    told = json.loads(octets)
    assert told["message_id"] == "<h1@elsewhere.test>"
    assert len(base64.b64decode(told["whole"])) == told["size"]


def test_a_large_message_goes_by_raw(world: World) -> None:
    hook = world.hook
    hook.got.clear()
    text = TEXT + base64.encodebytes(bytes(3_000_000)).decode()
    world.send("big", "raw@example.test", text=text)
    wait_until("it was asked", lambda: len(hook.got) == 1)
    [(headers, octets)] = hook.got
    assert headers["Content-Type"] == "message/rfc822"
    assert json.loads(headers["X-Mailkit-Envelope"])["to"] == ["raw@example.test"]
    assert octets.endswith(text.partition("\n\n")[2].replace("\n", "\r\n").encode())
    wait_until("nothing waits", lambda: not world.waiting())


def test_a_hook_that_says_never_returns_mail(world: World) -> None:
    world.hook.status = 410
    try:
        world.send("gone", "old-hook@example.test", sender=BOB)
        wait_until("bob is told", lambda: len(world.server.messages(BOB)) == 1)
    finally:
        world.hook.status = 200
    assert b"410 Gone hello" in world.server.messages(BOB)[0]


def test_a_program_is_run_for_each_recipient(world: World) -> None:
    mode = world.folder / "mode"
    mode.write_text("later")
    world.send("p1", "x+1@program.test", "y@program.test")
    wait_until("it waits", lambda: [one["attempts"] for one in world.waiting()] == [1])
    [item] = world.waiting()
    assert "ended with 75: come again" in world.server.command(
        "queue", "show", item["id"]
    )
    mode.write_text("")
    world.retry()
    wait_until("nothing waits", lambda: not world.waiting())
    told = json.loads((world.folder / "got-x+1@program.test").read_text())
    assert told["argv"] == ["--one", "a b;$(x)"]
    assert told["SENDER"] == "jurgen@elsewhere.test"
    assert (told["LOCAL_PART"], told["DETAIL"]) == ("x+1", "1")
    assert told["MESSAGE_ID"] == "<p1@elsewhere.test>"
    assert "\r" not in told["octets"]
    assert told["octets"].endswith(f"Encoding: base64\n\n{ENCODED}\n")
    assert not {"HOME", "MAILKIT_CONFIG", "PYTHONPATH"} & set(told)
    assert (world.folder / "got-y@program.test").exists()


def test_a_folder_gets_messages_and_what_is_known_of_them(world: World) -> None:
    world.send("m1", "x@a.folder.test")
    new = world.folder / "Maildir" / "new"
    wait_until("it is there", lambda: new.is_dir() and any(new.iterdir()))
    [file] = new.iterdir()
    assert file.read_bytes().startswith(
        b"Return-Path: <jurgen@elsewhere.test>\r\nDelivered-To: x@a.folder.test\r\n"
    )
    meta = json.loads((new.parent / "meta" / f"{file.name}.json").read_text())
    assert (meta["message_id"], meta["subject"]) == ("<m1@elsewhere.test>", "Grüße")


def test_a_mailbox_of_ours(world: World) -> None:
    world.send("b1", "box@example.test")
    folder = world.server.maildir(BOB) / ".Tickets"

    def files() -> list[Path]:
        return [*folder.glob("new/*"), *folder.glob("cur/*")]

    wait_until("it is there", lambda: len(files()) == 1)
    [file] = files()
    assert b"Delivered-To: box@example.test\r\n" in file.read_bytes()


def test_another_server_by_lmtp_and_as_smarthost(world: World) -> None:
    world.send("l1", "anybody@other.test")
    carol = "carol@other.test"
    wait_until("it is there", lambda: len(world.other.messages(carol)) == 1)
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as peer:
        peer.login(ALICE, PASSWORD)
        text = f"From: {ALICE}\nTo: x@other.test\nSubject: out\n\nHello\n"
        peer.sendmail(ALICE, [carol], text)
    wait_until("it is there", lambda: len(world.other.messages(carol)) == 2)
    [newest] = [one for one in world.other.messages(carol) if b"Subject: out" in one]
    assert b"DKIM-Signature: " in newest
    assert b"with LMTP" in newest  # the domain says more than the account
    assert world.explain(carol, "--account", ALICE)["rule"] == "store"
    assert world.explain("x@far.test", "--account", ALICE)["rule"] == "smarthost"


def test_a_smarthost_that_wants_a_login_under_tls(world: World) -> None:
    other = world.other
    other.command("domain", "add", "far.test")
    other.command("alias", "add", "@far.test", "carol@other.test")
    other.await_known("x@far.test")
    before = len(other.messages("carol@other.test"))
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as peer:
        peer.login(ALICE, PASSWORD)
        text = f"From: {ALICE}\nTo: x@far.test\nSubject: far\n\nHello\n"
        peer.sendmail(ALICE, ["x@far.test"], text)

    def there() -> bool:
        return len(other.messages("carol@other.test")) == before + 1

    wait_until("it is there", there)
    assert any(b"with ESMTPSA" in one for one in other.messages("carol@other.test"))


STRANGERS = [
    ("x@backup.test", 250),
    ("x@program.test", 250),
    ("x@other.test", 250),
    ("x@a.folder.test", 250),
    ("nobody@example.test", 553),
    ("unknown@example.test", 550),
    ("x@folder.test", 550),
    ("x@far.test", 550),
    ("x@sub.backup.test", 550),
    ("x%far.test@example.test", 550),
]


@pytest.mark.parametrize(("recipient", "code"), STRANGERS)
def test_what_strangers_reach(world: World, recipient: str, code: int) -> None:
    with smtplib.SMTP("127.0.0.1", world.server.ports["smtp"]) as peer:
        peer.ehlo()
        peer.mail("x@elsewhere.test")
        said, words = peer.rcpt(recipient)
    assert said == code
    if code == 553:
        assert words == b"5.7.1 Gone fishing"
    told = world.explain(recipient)
    assert (told["result"] == "taken") is (code == 250)


def test_a_backup_keeps_what_it_cannot_hand_on(world: World) -> None:
    world.send("k1", "x@backup.test")
    wait_until("it waits", lambda: [one["attempts"] for one in world.waiting()] == [1])
    assert "backup.test" in json.dumps(world.waiting())
    world.server.command("queue", "drop", "--all")


def test_routes_made_by_the_command_count_at_once(world: World) -> None:
    command = world.server.command
    said = command(
        "route", "add", "made", "redis", f"url=redis://:se%3Acret@127.0.0.1:{world.redis.port}",
        "key=made", "--recipient", "made@example.test",
    )  # fmt: skip
    place = f"127.0.0.1:{world.redis.port}/0"
    assert said == f"route made leads to Redis list made at {place}\n"

    wait_until("the server knows", lambda: world.takes("made@example.test"))
    world.send("d1", "made@example.test")
    wait_until("it is pushed", lambda: len(world.redis.rows("made")) == 1)
    assert "cret" not in command("route", "list") + command("audit", "made")
    command("route", "remove", "made")
    wait_until("the server knows", lambda: not world.takes("made@example.test"))


def test_the_how_to_does_what_it_says(world: World) -> None:
    page = (ROOT / "docs" / "howto" / "route-into-redis.md").read_text()
    [line] = re.findall(r"^\$ mailkit (route add .*)$", page, re.MULTILINE)
    place = f"redis://:se%3Acret@127.0.0.1:{world.redis.port}/0"
    line = line.replace("redis://127.0.0.1:6379/0", place)
    world.server.command(*shlex.split(line.replace("example.org", "example.test")))
    wait_until(
        "the command knows",
        lambda: world.explain("order-7@example.test")["rule"] == "orders",
    )
    wait_until("the server knows", lambda: world.takes("order-7@example.test"))
    world.send("o1", "order-7@example.test")
    wait_until("it is pushed", lambda: len(world.redis.rows("orders")) == 1)
    [sample] = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert list(json.loads(sample)) == list(world.redis.rows("orders")[0])


def test_a_pattern_is_an_address_to_write_to_and_from(world: World) -> None:
    world.server.command("alias", "add", "*-alice@example.test", ALICE)
    before = len(world.server.messages(ALICE))

    wait_until("the server knows", lambda: world.takes("shop-alice@example.test"))
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as peer:
        peer.login(ALICE, PASSWORD)
        text = f"From: shop-alice@example.test\nTo: {ALICE}\nSubject: me\n\nHello\n"
        peer.sendmail("shop-alice@example.test", ["shop-alice@example.test"], text)
        with pytest.raises(smtplib.SMTPSenderRefused):
            peer.sendmail("shop-bob@example.test", [ALICE], text)
    wait_until("it is there", lambda: len(world.server.messages(ALICE)) == before + 1)


def test_a_receiver_that_never_answers_holds_nobody_up(world: World) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    try:
        world.server.command(
            "route", "add", "silent", "http",
            f"url=http://127.0.0.1:{silent.getsockname()[1]}/", "timeout=1 s",
            "--recipient", "silent@example.test",
        )  # fmt: skip
        wait_until("the server knows", lambda: world.takes("silent@example.test"))
        world.send("s1", "silent@example.test")

        def words() -> str:
            found = world.waiting()
            if not found or not found[0]["attempts"]:
                return ""
            return world.server.command("queue", "show", found[0]["id"])

        wait_until("it was given up", lambda: "no word within 1 s" in words())
    finally:
        silent.close()
        world.server.command("queue", "drop", "--all")


def test_without_a_name_server_mail_at_home_is_delivered(world: World) -> None:
    """None answers at all here."""
    before = len(world.server.messages(ALICE))
    with smtplib.SMTP("127.0.0.1", world.server.ports["submission"]) as peer:
        peer.login(BOB, PASSWORD)
        text = f"From: {BOB}\nSubject: both\n\nHello\n"
        peer.sendmail(BOB, [ALICE, "x@far.test"], text)
    assert len(world.server.messages(ALICE)) == before + 1
    wait_until("it waits", lambda: [one["attempts"] for one in world.waiting()] == [1])
    [item] = world.waiting()
    assert "4.4.3" in world.server.command("queue", "show", item["id"])
    world.server.command("queue", "drop", "--all")
