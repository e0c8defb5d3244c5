"""What is counted: one table of fixed names, one object that counts.

Labels take words from short fixed lists only, never what a peer sent, so that no
peer can make the tables grow. ``docs/reference/metrics.md`` is written from `TABLE`.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from mailkit.collectors import Row, Spread, Tally, Turns

LATENCIES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
"""Upper bounds in seconds of the histograms of elapsed time."""

AGES = (1.0, 5.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0, 432000.0)
"""Upper bounds in seconds of how long a message was here before it left."""

TURNS = (0.0005, 0.001, 0.002, 0.005, 0.010, 0.020, 0.050, 0.1, 0.5)
"""Upper bounds in seconds of CPU of a reactor turn; 20 ms is the promise."""

BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
"""Upper bounds of how many deliveries the clerk took together."""

SIZES = (4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0)
"""Upper bounds in octets of the messages kept."""


CONNECTIONS = Row(
    "mailkit_connections_total",
    "counter",
    ("service",),
    "Connections taken, by name in [listen].",
)
CONNECTIONS_OPEN = Row(
    "mailkit_connections_open", "gauge", ("service",), "Connections open now."
)
CONNECTIONS_REFUSED = Row(
    "mailkit_connections_refused_total",
    "counter",
    ("service", "reason"),
    "Connections closed at once: too many of one peer (peer) or in all (all), "
    "an untrusted or broken PROXY header (proxy).",
)
COMMANDS = Row(
    "mailkit_commands_total",
    "counter",
    ("protocol", "name", "outcome"),
    "Commands answered; outcome is ok, refused, unavailable, malformed or failed.",
)
COMMAND_SECONDS = Row(
    "mailkit_command_seconds",
    "histogram",
    ("protocol", "name"),
    "Seconds from a command being read to its last reply being written.",
    LATENCIES,
)
LOGINS = Row(
    "mailkit_logins_total",
    "counter",
    ("service", "mechanism", "outcome"),
    "Logins tried; outcome is ok, remembered, refused or busy.",
)
DELIVERIES = Row(
    "mailkit_deliveries_total",
    "counter",
    ("protocol", "outcome"),
    "Recipients of messages; outcome is kept, discarded, refused or unavailable.",
)
DELIVERY_SECONDS = Row(
    "mailkit_delivery_seconds",
    "histogram",
    ("protocol",),
    "Seconds from the end of a message to its being kept durably.",
    LATENCIES,
)
DELIVERY_OCTETS = Row(
    "mailkit_delivery_octets",
    "histogram",
    (),
    "Sizes of messages kept, in octets.",
    SIZES,
)
LANE_SECONDS = Row(
    "mailkit_lane_seconds",
    "histogram",
    ("kind",),
    "Seconds that blocking work took, waiting included; "
    "kind is lane, clerk, sync or hash.",
    LATENCIES,
)
LANE_WAITING = Row(
    "mailkit_lane_waiting",
    "gauge",
    ("kind",),
    "Pieces of blocking work asked for and not done yet.",
)
CLERK_BATCH = Row(
    "mailkit_clerk_batch",
    "histogram",
    (),
    "Deliveries that the clerk committed together.",
    BATCHES,
)
REACTOR_TURN = Row(
    "mailkit_reactor_turn_seconds",
    "histogram",
    (),
    "CPU seconds of the reactor's own thread in one turn.",
    TURNS,
)
RELAY_CONNECTIONS = Row(
    "mailkit_relay_connections_total",
    "counter",
    ("protocol", "outcome"),
    "Connections to other hosts (smtp, lmtp): in the clear (clear), under TLS (tls), "
    "under TLS with a certificate that was checked (checked), used again (reused), "
    "not brought as far as a sender (failed).",
)
RELAY_RECIPIENTS = Row(
    "mailkit_relay_recipients_total",
    "counter",
    ("protocol", "outcome"),
    "Recipients asked of other hosts; outcome is sent, relayed, failed or waiting.",
)
RELAY_SECONDS = Row(
    "mailkit_relay_seconds",
    "histogram",
    ("protocol",),
    "Seconds that carrying a message to one host took, connecting included.",
    LATENCIES,
)
QUEUE_ITEMS = Row(
    "mailkit_queue_items",
    "gauge",
    (),
    "Items in the queue, one a message and next hop; looked at every half minute.",
)
QUEUE_OLDEST = Row(
    "mailkit_queue_oldest_seconds",
    "gauge",
    (),
    "Seconds that the oldest of them has been there.",
)
QUEUE_RUNNING = Row(
    "mailkit_queue_running",
    "gauge",
    (),
    "Items that are on their way now.",
)
QUEUE_RECIPIENTS = Row(
    "mailkit_queue_recipients_total",
    "counter",
    ("outcome",),
    "Recipients of attempts; outcome is sent, deferred or bounced.",
)
QUEUE_SECONDS = Row(
    "mailkit_queue_seconds",
    "histogram",
    (),
    "Seconds from the arrival of a message to its being taken by its next hop.",
    AGES,
)
ROUTES = Row(
    "mailkit_routes_total",
    "counter",
    ("kind", "outcome"),
    "Recipients handed to routes; kind is mx, smarthost, lmtp, mailbox, maildir, "
    "redis, http, pipe or error, outcome is taken, deferred or bounced, and "
    "unavailable, once for all, where nobody could be asked.",
)
NOTICES = Row(
    "mailkit_notices_total",
    "counter",
    ("kind", "outcome"),
    "Delivery status notifications for senders, by kind (failed, delayed, delivered, "
    "relayed, expanded); outcome is written, limited (too many to one sender), or "
    "undeliverable (nobody can be told).",
)
REPORTS = Row(
    "mailkit_reports_total",
    "counter",
    ("kind", "outcome"),
    "Reports of others about mail of ours; kind is returned, reported, complained or "
    "other (none that can be read), outcome is known (we sent it) or unknown.",
)
SENDING_LIMITED = Row(
    "mailkit_sending_limited_total",
    "counter",
    ("limit",),
    "Recipients that our people were refused because they sent too much; limit is "
    "hour, day or new (the account is frozen from then on), frozen, domain-hour or "
    "domain-day.",
)
DNS_QUESTIONS = Row(
    "mailkit_dns_questions_total",
    "counter",
    ("kind", "outcome"),
    "Questions to DNS; kind is mx, a, aaaa, txt, tlsa, ptr or other, outcome is "
    "remembered, answered, empty or failed.",
)
DNS_SECONDS = Row(
    "mailkit_dns_seconds",
    "histogram",
    ("kind",),
    "Seconds that questions to DNS took which were not answered from memory.",
    LATENCIES,
)
NAMESERVER_ANSWERS = Row(
    "mailkit_nameserver_answers_total",
    "counter",
    ("transport", "outcome"),
    "Answers of our own name server by udp and tcp; outcome is their rcode (noerror, "
    "nxdomain, refused …), or for what the rate limit held back slipped or dropped.",
)

TABLE = (
    CONNECTIONS,
    CONNECTIONS_OPEN,
    CONNECTIONS_REFUSED,
    COMMANDS,
    COMMAND_SECONDS,
    LOGINS,
    DELIVERIES,
    DELIVERY_SECONDS,
    DELIVERY_OCTETS,
    LANE_SECONDS,
    LANE_WAITING,
    CLERK_BATCH,
    REACTOR_TURN,
    RELAY_CONNECTIONS,
    RELAY_RECIPIENTS,
    RELAY_SECONDS,
    QUEUE_ITEMS,
    QUEUE_OLDEST,
    QUEUE_RUNNING,
    QUEUE_RECIPIENTS,
    QUEUE_SECONDS,
    ROUTES,
    NOTICES,
    SENDING_LIMITED,
    REPORTS,
    DNS_QUESTIONS,
    DNS_SECONDS,
    NAMESERVER_ANSWERS,
)
"""Every metric there is, in the order of the reference page."""


class Metrics:
    """
    Counts for one process; handed to whoever has something to count.

    Two of them never share a number, so each test has its own. Counting takes no
    lock: only the reactor's thread does it, but for `clerk_took`, which only the
    clerk calls.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._connections = self._tally(CONNECTIONS)
        self._open = self._tally(CONNECTIONS_OPEN)
        self._refused = self._tally(CONNECTIONS_REFUSED)
        self._commands = self._tally(COMMANDS)
        self._command_seconds = self._spread(COMMAND_SECONDS)
        self._logins = self._tally(LOGINS)
        self._deliveries = self._tally(DELIVERIES)
        self._delivery_seconds = self._spread(DELIVERY_SECONDS)
        self._delivery_octets = self._spread(DELIVERY_OCTETS)
        self._lane_seconds = self._spread(LANE_SECONDS)
        self._lane_waiting = self._tally(LANE_WAITING)
        self._clerk_batch = self._spread(CLERK_BATCH)
        self._relay_connections = self._tally(RELAY_CONNECTIONS)
        self._relay_recipients = self._tally(RELAY_RECIPIENTS)
        self._relay_seconds = self._spread(RELAY_SECONDS)
        self._queue_items = self._tally(QUEUE_ITEMS)
        self._queue_oldest = self._tally(QUEUE_OLDEST)
        self._queue_running = self._tally(QUEUE_RUNNING)
        self._queue_recipients = self._tally(QUEUE_RECIPIENTS)
        self._queue_seconds = self._spread(QUEUE_SECONDS)
        self._routes = self._tally(ROUTES)
        self._notices = self._tally(NOTICES)
        self._sending_limited = self._tally(SENDING_LIMITED)
        self._reports = self._tally(REPORTS)
        self._dns_questions = self._tally(DNS_QUESTIONS)
        self._dns_seconds = self._spread(DNS_SECONDS)
        self._named = self._tally(NAMESERVER_ANSWERS)
        self.turns = Turns(REACTOR_TURN)
        self.registry.register(self.turns)

    def connected(self, service: str) -> None:
        """A peer came."""
        self._connections.add((service,))
        self._open.add((service,))

    def disconnected(self, service: str) -> None:
        """A peer that was `connected` is gone."""
        self._open.add((service,), -1)

    def turned_away(self, service: str, reason: str) -> None:
        """A peer was closed before its first word; it was never `connected`."""
        self._refused.add((service, reason))

    def commanded(self, protocol: str, name: str, outcome: str, took: float) -> None:
        """
        A command was answered.

        :param name: from the protocol's own table; for anything else ``other``.
        :param took: seconds.
        """
        self._commands.add((protocol, name, outcome))
        self._command_seconds.add((protocol, name), took)

    def misunderstood(self, protocol: str, commands: int) -> None:
        """So many commands were answered that are none, or none for now."""
        if commands:
            self._commands.add((protocol, "other", "malformed"), commands)

    def logged_in(self, service: str, mechanism: str, outcome: str) -> None:
        """A login was tried."""
        self._logins.add((service, mechanism, outcome))

    def delivered(self, protocol: str, outcome: str, recipients: int = 1) -> None:
        """The same became of a message for that many recipients."""
        self._deliveries.add((protocol, outcome), recipients)

    def kept(self, protocol: str, size: int, took: float) -> None:
        """A message of ``size`` octets is durable, ``took`` seconds after its end."""
        self._delivery_seconds.add((protocol,), took)
        self._delivery_octets.add((), size)

    def lane_entered(self, kind: str) -> None:
        """A piece of blocking work was asked for."""
        self._lane_waiting.add((kind,))

    def lane_left(self, kind: str, took: float) -> None:
        """It is done, ``took`` seconds after it `lane_entered`."""
        self._lane_waiting.add((kind,), -1)
        self._lane_seconds.add((kind,), took)

    def clerk_took(self, items: int) -> None:
        """The clerk did that many deliveries in one batch."""
        self._clerk_batch.add((), items)

    def turned(self, seconds: float) -> None:
        """The reactor made a turn that cost so much CPU."""
        self.turns.add(seconds)

    def dialled(self, protocol: str, outcome: str) -> None:
        """A connection to another host was made, or not, or used again."""
        self._relay_connections.add((protocol, outcome))

    def relayed(self, protocol: str, outcome: str, recipients: int = 1) -> None:
        """Another host said the same of that many recipients."""
        self._relay_recipients.add((protocol, outcome), recipients)

    def relayed_in(self, protocol: str, took: float) -> None:
        """One message was carried to one host, in ``took`` seconds."""
        self._relay_seconds.add((protocol,), took)

    def queue_is(self, items: int, oldest: float) -> None:
        """So many items wait, the oldest for so many seconds."""
        self._queue_items.set((), items)
        self._queue_oldest.set((), oldest)

    def set_out(self, change: int) -> None:
        """So many more items are on their way, or fewer."""
        self._queue_running.add((), change)

    def tried(self, outcome: str, recipients: int) -> None:
        """An attempt of an item had the same outcome for that many recipients."""
        self._queue_recipients.add((outcome,), recipients)

    def left(self, took: float) -> None:
        """A next hop took a message ``took`` seconds after it came."""
        self._queue_seconds.add((), took)

    def routed(self, kind: str, outcome: str, recipients: int) -> None:
        """A route of that kind had the same outcome for that many recipients."""
        self._routes.add((kind, outcome), recipients)

    def noticed(self, kind: str, outcome: str) -> None:
        """A sender was told, or could not be."""
        self._notices.add((kind, outcome))

    def limited(self, limit: str) -> None:
        """Somebody of ours sent too much."""
        self._sending_limited.add((limit,))

    def reported(self, kind: str, outcome: str) -> None:
        """Somebody else told about mail of ours."""
        self._reports.add((kind, outcome))

    def resolved(self, kind: str, outcome: str) -> None:
        """A question to DNS has its answer, or will not have one."""
        self._dns_questions.add((kind, outcome))

    def named(self, transport: str, outcome: str) -> None:
        """Our name server answered, or chose not to."""
        self._named.add((transport, outcome))

    def resolved_in(self, kind: str, took: float) -> None:
        """It was with the servers for ``took`` seconds."""
        self._dns_seconds.add((kind,), took)

    def _tally(self, row: Row) -> Tally:
        tally = Tally(row)
        self.registry.register(tally)
        return tally

    def _spread(self, row: Row) -> Spread:
        spread = Spread(row)
        self.registry.register(spread)
        return spread
