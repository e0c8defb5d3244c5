"""The story itself: what the two servers go through, and what shows it."""

from __future__ import annotations

import json

from attrs import define

from mailkit.app.demo.clients import (
    Mail,
    check_signatures,
    compose,
    fetch_policy,
    id_of,
    look_up,
    submit,
    wait_for,
)
from mailkit.app.demo.servers import DemoFailed, DemoServer, Pair, wait_until
from mailkit.app.demo.telling import Telling

HELLO = "Hello from the east"
OFF = "Are you asleep?"
WRONG = "To a wrong address"
RETURNED = "not delivered"

HELLO_TEXT = """\
Dear Ben,

this crosses from one mail server to another. Does it reach you?

Anna
"""
REPLY_TEXT = """\
Dear Anna,

it does, signed and under TLS.

Ben
"""

FACTS = ("id", "from", "next hop", "state", "next try", "attempts")
"""Lines of ``queue show`` that matter here."""


@define(eq=False)
class Story:
    """Goes through it step by step; a step that fails raises `DemoFailed`."""

    pair: Pair
    tell: Telling

    def run(self) -> None:
        """All of it; the servers run."""
        hello = self.sends()
        self.checks_signature(hello)
        self.checks_policy(hello)
        self.replies(hello)
        self.retries()
        self.bounces()

    def begins(self) -> None:
        """Who is who."""
        east, west = self.pair.east, self.pair.west
        self.tell.title("Two mail servers on this machine")
        self.tell.says(
            "Each is a process of its own, with its own domain, mailboxes, name server,"
            " keys and certificate. What they know of each other they learn from DNS."
        )
        self.tell.shows(
            f"{one.place.address}  {one.host}, home of {one.person.address}"
            for one in (east, west)
        )

    def sends(self) -> Mail:
        """A message, all the way."""
        east, west, tell = self.pair.east, self.pair.west, self.tell
        tell.step(f"{east.person.name} writes to {west.person.name}")
        tell.says(
            f"Her mail program hands the message to {east.host} by submission, with her"
            " password and under TLS. The answer comes once the message is on disk:"
        )
        said = submit(east, compose(east, west.person.address, HELLO, HELLO_TEXT))
        tell.shows([said])
        tell.says(f"Where does mail for {west.domain} go? DNS says it:")
        [exchanger] = look_up(east, west.domain, "MX") or look_up(
            west, west.domain, "MX"
        )
        tell.shows([f"{west.domain}  MX  {exchanger}"])
        arrived = wait_for(west, HELLO)
        tell.says(f"A moment later it is in {west.person.name}'s INBOX:")
        tell.shows(arrived.fields("Return-Path", "Received", "From", "To", "Subject"))
        tell.says("And the server knows what became of it:")
        self._trace(east, id_of(said))
        return arrived

    def checks_signature(self, mail: Mail) -> None:
        """DKIM, with what arrived and the keys in DNS."""
        east, tell = self.pair.east, self.tell
        tell.step(f"Is it from {east.domain}, and unchanged? (DKIM)")
        tell.says(
            f"{east.host} signed the message twice before it left. Whoever has it can"
            f" check that with the keys that {east.domain} publishes in DNS:"
        )
        tell.shows(check_signatures(mail, east))
        tell.says("Had somebody changed one letter on the way, the check would say so:")
        changed = Mail(mail.octets.replace(b"reach you", b"reech you"))
        try:
            check_signatures(changed, east)
        except DemoFailed as error:
            tell.shows([str(error)])
        else:
            raise DemoFailed("a message that was changed passes for genuine")

    def checks_policy(self, mail: Mail) -> None:
        """MTA-STS: what was demanded, and what was done."""
        east, west, tell = self.pair.east, self.pair.west, self.tell
        tell.step("Could somebody have listened? (MTA-STS)")
        tell.says(f"{west.domain} says in DNS that it has a policy about TLS …")
        name = f"_mta-sts.{west.domain}"
        tell.shows(f"{name}  TXT  {text}" for text in look_up(west, name, "TXT"))
        tell.says(f"… and by HTTPS, under the certificate of mta-sts.{west.domain}:")
        tell.shows(line for line in fetch_policy(west) if line)
        tell.says(
            f"So {east.host} sent the message under TLS alone, after a look at the"
            f" certificate of {west.host}. Its record of the attempt says so:"
        )
        tls = self._sent(east, str(mail.message["Message-ID"]))
        tell.shows([tls.partition(": ")[0]])
        if "mta-sts" not in tls:
            raise DemoFailed("the certificate was not checked as the policy demands")

    def replies(self, hello: Mail) -> None:
        """The other way, in the same thread."""
        east, west, tell = self.pair.east, self.pair.west, self.tell
        tell.step(f"{west.person.name} replies")
        tell.says(
            f"His mail program hands the reply to his own server, {west.host}, which"
            " does all the same in the other direction:"
        )
        message = compose(
            west, east.person.address, f"Re: {HELLO}", REPLY_TEXT, answers=hello
        )
        said = submit(west, message)
        tell.shows([said])
        arrived = wait_for(east, f"Re: {HELLO}")
        tell.says(
            f"{east.person.name}'s mail program shows it below her own message, by"
            " these fields:"
        )
        tell.shows(arrived.fields("From", "Subject", "In-Reply-To", "References"))
        tell.says("It came as hers went: signed, and under TLS that was checked:")
        tell.shows(check_signatures(arrived, west))
        tell.shows([self._sent(west, id_of(said)).partition(": ")[0]])

    def retries(self) -> None:
        """A host that is away, and back again."""
        east, west, tell = self.pair.east, self.pair.west, self.tell
        tell.step(f"{west.host} is switched off, and {east.person.name} writes")
        west.stop()
        message = compose(east, west.person.address, OFF, "Or is your server?\n")
        said = submit(east, message)
        queue_id = id_of(said)
        tell.says(f"{east.host} takes the message all the same:")
        tell.shows([said])
        tell.says("Nobody answers, so it waits in the queue and will be tried again:")
        self._waiting(east, queue_id)
        west.start()
        west.wait()
        tell.says(f"Now {west.host} is back. An administrator need not wait:")
        printed = east.command("queue", "retry", "--all")
        tell.ran("mailkit queue retry --all", printed.splitlines())
        wait_for(west, OFF)
        tell.says(f"And {west.person.name} has it. The whole way, from the record:")
        self._trace(east, queue_id)

    def bounces(self) -> None:
        """Nobody there: the sender is told."""
        east, west, tell = self.pair.east, self.pair.west, self.tell
        wrong = f"nobody@{west.domain}"
        tell.step(f"{east.person.name} mistypes an address")
        said = submit(east, compose(east, wrong, WRONG, "Is this you?\n"))
        tell.says(f"This one is for {wrong}. {east.host} cannot know that by itself:")
        tell.shows([said])
        returned = wait_for(east, RETURNED)
        tell.says(
            f"{west.host} refuses it, for good; so {east.person.name} is told in words,"
            " by a message that her mail program understands, too:"
        )
        tell.shows(returned.fields("From", "Subject"))
        tell.shows(["", *_first_words(returned)])

    def ends(self) -> None:
        """What has been seen."""
        self.tell.title("That was all of it")
        self.tell.says(
            "Accepted, signed, sent under TLS that was checked, answered, kept while a"
            " host was away, and returned where nobody was: by two servers whose"
            " configs have ten lines each."
        )
        self.tell.says("For a server of your own: mailkit init --help")

    def stays(self) -> None:
        """How to reach them, while they run."""
        tell = self.tell
        tell.title("Both servers run on; Ctrl-C ends them and removes their mail")
        for one in (self.pair.east, self.pair.west):
            address, ports = one.place.address, one.place.ports
            tell.shows(
                [
                    f"{one.person.address}  password {one.person.password}",
                    f"  submission {address}:{ports['submission']} (STARTTLS)",
                    f"  imap       {address}:{ports['imap']} (STARTTLS)",
                    f"  smtp       {address}:{ports['smtp']}",
                    f"  https      {address}:{ports['https']}",
                    f"  dns        dig @{address} -p {ports['dns']} {one.domain} MX",
                    f"  look       mailkit --config {one.config} queue list",
                    f"  log        {one.log}",
                ]
            )
        tell.shows([f"their certificates are of {self.pair.authority.path}"])

    # -- evidence

    def _trace(self, server: DemoServer, what: str) -> None:
        """
        The columns that matter here, of a message that was sent.

        It is recorded a moment after the other side has it.
        """
        self._sent(server, what)
        events = self._events(server, what)
        lines = (
            f"{event['when'][11:19]}  {event['step']:<9} {_detail(event)}".rstrip()
            for event in events
        )
        self.tell.ran(f"mailkit trace {what}", lines)

    def _events(self, server: DemoServer, what: str) -> list[dict[str, str]]:
        events: list[dict[str, str]] = json.loads(
            server.command("--json", "trace", what)
        )
        return events

    def _waiting(self, server: DemoServer, what: str) -> None:
        """What `queue show` says, once there was an attempt."""

        def is_put_off() -> bool:
            [item] = json.loads(server.command("--json", "queue", "show", what))
            return bool(item["tried"]) and item["state"] == "waits"

        wait_until(f"{what} is not tried", is_put_off)
        facts = server.command("queue", "show", what).partition("\n\n")[0]
        lines = [line for line in facts.splitlines() if line.startswith(FACTS)]
        [item] = json.loads(server.command("--json", "queue", "show", what))
        tried = [f"tried        {one['words']}" for one in item["tried"]]
        self.tell.ran(f"mailkit queue show {what}", [*lines, *tried])

    def _sent(self, server: DemoServer, what: str) -> str:
        """How it was sent, as the record has it."""
        sent: list[str] = []

        def is_recorded() -> bool:
            try:
                events = self._events(server, what)
            except DemoFailed:  # nothing at all is written down yet
                return False
            for event in events:
                if event["step"] == "sent":
                    sent.append(event["detail"])
            return bool(sent)

        wait_until("there is no record of what was sent", is_recorded)
        return sent[0]


def _detail(event: dict[str, str]) -> str:
    if event["step"] == "accepted":
        return f"{event['detail']} from {event['peer']}, for {event['recipient']}"
    return event["detail"]


def _first_words(mail: Mail) -> list[str]:
    """What a person reads of a notice."""
    for part in mail.message.walk():
        if part.get_content_type() == "text/plain":
            whole = str(part.get_content()).replace("\r\n", "\n")
            return "\n\n".join(whole.split("\n\n")[:3]).splitlines()
    return []
