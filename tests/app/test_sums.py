"""The metrics of several processes as those of one."""

from __future__ import annotations

from prometheus_client import generate_latest

from mailkit.app.sums import sum_up
from mailkit.metrics import Metrics


def page(*services: str) -> str:
    metrics = Metrics()
    for service in services:
        metrics.connected(service)
    metrics.turned(0.003)
    metrics.kept("smtp", 5000, 0.01)
    return generate_latest(metrics.registry).decode()


def numbers(text: str) -> dict[str, float]:
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if not line.startswith("#") and "_created" not in line
    }


def test_one_page_stays_as_it_is() -> None:
    one = page("smtp", "imap")
    assert numbers(sum_up([one]).decode()) == numbers(one)


def test_counters_gauges_and_histograms_are_added() -> None:
    summed = numbers(sum_up([page("smtp", "smtp"), page("smtp", "imap")]).decode())
    assert summed['mailkit_connections_total{service="smtp"}'] == 3
    assert summed['mailkit_connections_open{service="imap"}'] == 1
    assert summed['mailkit_delivery_octets_bucket{le="16384.0"}'] == 2
    assert summed["mailkit_delivery_octets_sum"] == 10_000
    assert summed["mailkit_reactor_turn_seconds_count"] == 2


def test_a_moment_is_the_earliest() -> None:
    texts = [f"# TYPE a_created gauge\na_created {moment}\n" for moment in (7, 5, 6)]
    assert b"\na_created 5.0\n" in sum_up(texts)


def test_types_and_meanings_are_kept() -> None:
    summed = sum_up([page("smtp"), page("smtp")]).decode()
    assert "# TYPE mailkit_connections_total counter\n" in summed
    assert "# TYPE mailkit_delivery_octets histogram\n" in summed
    assert "# HELP mailkit_connections_open Connections open now.\n" in summed
