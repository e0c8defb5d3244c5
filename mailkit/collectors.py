"""Numbers as Prometheus asks for them: counters, gauges and histograms of one row each.

Counting is an entry of a dict, where those of ``prometheus_client`` take a lock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from attrs import frozen
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


@frozen
class Row:
    """One metric as it is published; ``_total`` is part of a counter's name."""

    name: str
    kind: str
    """``counter``, ``gauge`` or ``histogram``."""
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


class Tally(Collector):
    """A counter or a gauge: a number for each set of labels that was counted."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._numbers: dict[tuple[str, ...], float] = {}

    def add(self, labels: tuple[str, ...], by: float = 1) -> None:
        """Count; labels in the order of the row."""
        self._numbers[labels] = self._numbers.get(labels, 0.0) + by

    def set(self, labels: tuple[str, ...], number: float) -> None:
        """Say how many there are; labels in the order of the row."""
        self._numbers[labels] = number

    def collect(self) -> Iterator[Metric]:
        """What prometheus asks each of its collectors."""
        row = self._row
        is_counter = row.kind == "counter"
        kind = CounterMetricFamily if is_counter else GaugeMetricFamily
        family = kind(row.name, row.meaning, labels=row.labels)
        for labels, number in list(self._numbers.items()):
            family.add_metric(labels, number)
        yield family


class Spread(Collector):
    """A histogram for each set of labels that was counted."""

    def __init__(self, row: Row) -> None:
        self._row = row
        self._cells: dict[tuple[str, ...], list[float]] = {}
        if not row.labels:
            self._cells[()] = self._new()

    def _new(self) -> list[float]:
        # One number for each bound, one for what is above them, and the sum.
        return [0.0] * (len(self._row.buckets) + 2)

    def add(self, labels: tuple[str, ...], amount: float) -> None:
        """Count; labels in the order of the row."""
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = self._new()
        cell[bisect_left(self._row.buckets, amount)] += 1
        cell[-1] += amount

    def collect(self) -> Iterator[Metric]:
        """What prometheus asks each of its collectors."""
        row = self._row
        family = HistogramMetricFamily(row.name, row.meaning, labels=row.labels)
        bounds = [*map(floatToGoString, row.buckets), "+Inf"]
        for labels, cell in list(self._cells.items()):
            *counts, total = cell
            buckets = list(zip(bounds, accumulate(counts), strict=True))
            family.add_metric(labels, buckets, total)
        yield family


class Turns(Collector):
    """The turns of the reactor, and the dearest of them."""

    def __init__(self, row: Row) -> None:
        self._spread = Spread(row)
        self.longest = 0.0
        """Seconds of CPU of the dearest turn since the start."""

    def add(self, seconds: float) -> None:
        """Count one turn."""
        self._spread.add((), seconds)
        if seconds > self.longest:
            self.longest = seconds

    def collect(self) -> Iterator[Metric]:
        """What prometheus asks each of its collectors."""
        return self._spread.collect()
