"""What is counted: one table of fixed names, one object that counts.

Labels take words from short fixed lists only, never what a peer sent, so that no
peer can make the tables grow. ``docs/reference/metrics.md`` is written from `TABLE`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

from attrs import frozen
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

LATENCIES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)
"""Upper bounds in seconds of the histograms of elapsed time."""

TURNS = (0.0005, 0.001, 0.002, 0.005, 0.010, 0.020, 0.050, 0.1, 0.5)
"""Upper bounds in seconds of CPU of a reactor turn; 20 ms is the promise."""

BATCHES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
"""Upper bounds of how many deliveries the clerk took together."""

SIZES = (4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0)
"""Upper bounds in octets of the messages kept."""


@frozen
class Row:
    """One metric as it is published; ``_total`` is part of a counter's name."""

    name: str
    kind: str
    """``counter``, ``gauge`` or ``histogram``."""
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


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
)
"""Every metric there is, in the order of the reference page."""


class Metrics:
    """
    Counts for one process; handed to whoever has something to count.

    Two of them never share a number, so each test has its own. Safe in threads,
    but for `turned`, which only the reactor's thread calls.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self._connections = self._counter(CONNECTIONS)
        self._open = self._gauge(CONNECTIONS_OPEN)
        self._refused = self._counter(CONNECTIONS_REFUSED)
        self._commands = self._counter(COMMANDS)
        self._command_seconds = self._histogram(COMMAND_SECONDS)
        self._logins = self._counter(LOGINS)
        self._deliveries = self._counter(DELIVERIES)
        self._delivery_seconds = self._histogram(DELIVERY_SECONDS)
        self._delivery_octets = self._histogram(DELIVERY_OCTETS)
        self._lane_seconds = self._histogram(LANE_SECONDS)
        self._lane_waiting = self._gauge(LANE_WAITING)
        self._clerk_batch = self._histogram(CLERK_BATCH)
        self.turns = Turns(REACTOR_TURN)
        self.registry.register(self.turns)
        # `labels` costs more than counting does, and what it is asked is fixed.
        self._deliveries_of = cache(self._deliveries.labels)
        self._delivery_seconds_of = cache(self._delivery_seconds.labels)
        self._lane_seconds_of = cache(self._lane_seconds.labels)
        self._lane_waiting_of = cache(self._lane_waiting.labels)
        self._commanded: dict[tuple[str, str, str], tuple[Counter, Histogram]] = {}

    def connected(self, service: str) -> None:
        """A peer came."""
        self._connections.labels(service).inc()
        self._open.labels(service).inc()

    def disconnected(self, service: str) -> None:
        """A peer that was `connected` is gone."""
        self._open.labels(service).dec()

    def turned_away(self, service: str, reason: str) -> None:
        """A peer was closed before its first word; it was never `connected`."""
        self._refused.labels(service, reason).inc()

    def commanded(self, protocol: str, name: str, outcome: str, took: float) -> None:
        """
        A command was answered.

        :param name: from the protocol's own table; for anything else ``other``.
        :param took: seconds.
        """
        key = protocol, name, outcome
        pair = self._commanded.get(key)
        if pair is None:
            pair = self._commanded[key] = (
                self._commands.labels(*key),
                self._command_seconds.labels(protocol, name),
            )
        pair[0].inc()
        pair[1].observe(took)

    def logged_in(self, service: str, mechanism: str, outcome: str) -> None:
        """A login was tried."""
        self._logins.labels(service, mechanism, outcome).inc()

    def delivered(self, protocol: str, outcome: str, recipients: int = 1) -> None:
        """The same became of a message for that many recipients."""
        self._deliveries_of(protocol, outcome).inc(recipients)

    def kept(self, protocol: str, size: int, took: float) -> None:
        """A message of ``size`` octets is durable, ``took`` seconds after its end."""
        self._delivery_seconds_of(protocol).observe(took)
        self._delivery_octets.observe(size)

    def lane_entered(self, kind: str) -> None:
        """A piece of blocking work was asked for."""
        self._lane_waiting_of(kind).inc()

    def lane_left(self, kind: str, took: float) -> None:
        """It is done, ``took`` seconds after it `lane_entered`."""
        self._lane_waiting_of(kind).dec()
        self._lane_seconds_of(kind).observe(took)

    def clerk_took(self, items: int) -> None:
        """The clerk did that many deliveries in one batch."""
        self._clerk_batch.observe(items)

    def turned(self, seconds: float) -> None:
        """The reactor made a turn that cost so much CPU; its own thread calls this."""
        self.turns.add(seconds)

    def _counter(self, row: Row) -> Counter:
        return Counter(row.name, row.meaning, row.labels, registry=self.registry)

    def _gauge(self, row: Row) -> Gauge:
        return Gauge(row.name, row.meaning, row.labels, registry=self.registry)

    def _histogram(self, row: Row) -> Histogram:
        return Histogram(
            row.name,
            row.meaning,
            row.labels,
            registry=self.registry,
            buckets=row.buckets,
        )


class Turns(Collector):
    """A histogram without a lock, for the one place that counts all the time."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._counts = [0] * (len(row.buckets) + 1)
        self._sum = 0.0
        self.longest = 0.0
        """Seconds of CPU of the dearest turn since the start."""

    def add(self, seconds: float) -> None:
        """Count one turn."""
        self._counts[bisect_left(self._row.buckets, seconds)] += 1
        self._sum += seconds
        if seconds > self.longest:
            self.longest = seconds

    def collect(self) -> Iterator[Metric]:
        """What prometheus asks each of its collectors."""
        so_far = 0
        buckets: list[tuple[str, float]] = []
        bounds = [f"{bound:g}" for bound in self._row.buckets]
        for bound, count in zip([*bounds, "+Inf"], self._counts, strict=True):
            so_far += count
            buckets.append((bound, so_far))
        yield HistogramMetricFamily(
            self._row.name, self._row.meaning, buckets=buckets, sum_value=self._sum
        )
