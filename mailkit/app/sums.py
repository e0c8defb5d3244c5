"""The metrics of several processes as those of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

_MOMENTS = ("_created",)
"""Endings of names that stand for a moment; the earliest is told."""


def sum_up(texts: Sequence[str]) -> bytes:
    """
    One page of all of them: each number is the sum, as ours are all made to be.

    :param texts: pages in Prometheus' text format.
    """
    registry = CollectorRegistry()
    registry.register(_Summed(texts))
    return generate_latest(registry)


class _Summed(Collector):
    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        summed: dict[str, Metric] = {}
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        for text in self._texts:
            for family in text_string_to_metric_families(text):
                summed.setdefault(
                    family.name,
                    Metric(family.name, family.documentation, family.type),
                )
                known = values.setdefault(family.name, {})
                for sample in family.samples:
                    key = sample.name, tuple(sorted(sample.labels.items()))
                    value = float(sample.value)
                    if key not in known:
                        known[key] = value
                    elif sample.name.endswith(_MOMENTS):
                        known[key] = min(known[key], value)
                    else:
                        known[key] += value
        for name, family in summed.items():
            for (sample_name, labels), value in values[name].items():
                family.add_sample(sample_name, dict(labels), value)
        return summed.values()
