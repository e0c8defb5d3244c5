"""What is counted, and how it is published."""

from __future__ import annotations

from prometheus_client import generate_latest

from mailkit.metrics import TABLE, Metrics


def published(metrics: Metrics) -> dict[str, str]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_all_of_the_table_is_published_under_its_name_and_kind() -> None:
    text = generate_latest(Metrics().registry).decode()
    for row in TABLE:
        assert f"# TYPE {row.name} {row.kind}\n" in text
        assert f"# HELP {row.name} {row.meaning}\n" in text


def test_names_are_ours_and_unlike() -> None:
    names = [row.name for row in TABLE]
    assert len(set(names)) == len(names)
    assert all(name.startswith("mailkit_") for name in names)
    assert all(row.name.endswith("_total") == (row.kind == "counter") for row in TABLE)


def test_connections() -> None:
    metrics = Metrics()
    metrics.connected("imap")
    metrics.connected("imap")
    metrics.disconnected("imap")
    metrics.turned_away("imap", "peer")
    numbers = published(metrics)
    assert numbers['mailkit_connections_total{service="imap"}'] == "2.0"
    assert numbers['mailkit_connections_open{service="imap"}'] == "1.0"
    refused = 'mailkit_connections_refused_total{reason="peer",service="imap"}'
    assert numbers[refused] == "1.0"


def test_a_command_is_counted_by_outcome_and_timed_by_name() -> None:
    metrics = Metrics()
    for outcome in ("ok", "ok", "refused"):
        metrics.commanded("smtp", "RCPT", outcome, 0.002)
    numbers = published(metrics)
    labels = 'name="RCPT",outcome="ok",protocol="smtp"'
    assert numbers[f"mailkit_commands_total{{{labels}}}"] == "2.0"
    labels = 'name="RCPT",protocol="smtp"'
    assert numbers[f"mailkit_command_seconds_count{{{labels}}}"] == "3.0"


def test_logins_and_deliveries() -> None:
    metrics = Metrics()
    metrics.logged_in("pop3", "PLAIN", "refused")
    metrics.delivered("lmtp", "kept", 3)
    metrics.kept("lmtp", 5000, 0.004)
    numbers = published(metrics)
    labels = 'mechanism="PLAIN",outcome="refused",service="pop3"'
    assert numbers[f"mailkit_logins_total{{{labels}}}"] == "1.0"
    labels = 'outcome="kept",protocol="lmtp"'
    assert numbers[f"mailkit_deliveries_total{{{labels}}}"] == "3.0"
    assert numbers["mailkit_delivery_octets_sum"] == "5000.0"
    assert numbers['mailkit_delivery_seconds_count{protocol="lmtp"}'] == "1.0"


def test_lanes() -> None:
    metrics = Metrics()
    metrics.lane_entered("sync")
    metrics.lane_entered("sync")
    metrics.lane_left("sync", 0.1)
    metrics.clerk_took(9)
    numbers = published(metrics)
    assert numbers['mailkit_lane_waiting{kind="sync"}'] == "1.0"
    assert numbers['mailkit_lane_seconds_bucket{kind="sync",le="0.1"}'] == "1.0"
    assert numbers['mailkit_clerk_batch_bucket{le="8.0"}'] == "0.0"
    assert numbers['mailkit_clerk_batch_bucket{le="16.0"}'] == "1.0"


def test_turns_are_counted_up_to_their_bound_and_the_longest_is_kept() -> None:
    metrics = Metrics()
    for seconds in (0.0001, 0.020, 0.021, 3.0):
        metrics.turned(seconds)
    numbers = published(metrics)
    assert numbers['mailkit_reactor_turn_seconds_bucket{le="0.0005"}'] == "1.0"
    assert numbers['mailkit_reactor_turn_seconds_bucket{le="0.02"}'] == "2.0"
    assert numbers['mailkit_reactor_turn_seconds_bucket{le="0.05"}'] == "3.0"
    assert numbers['mailkit_reactor_turn_seconds_bucket{le="+Inf"}'] == "4.0"
    assert numbers["mailkit_reactor_turn_seconds_count"] == "4.0"
    assert metrics.turns.longest == 3.0


def test_the_queue() -> None:
    metrics = Metrics()
    metrics.queue_is(7, 90.0)
    metrics.queue_is(5, 60.0)
    metrics.set_out(2)
    metrics.set_out(-1)
    metrics.tried("sent", 3)
    metrics.left(40.0)
    numbers = published(metrics)
    assert numbers["mailkit_queue_items"] == "5.0"
    assert numbers["mailkit_queue_oldest_seconds"] == "60.0"
    assert numbers["mailkit_queue_running"] == "1.0"
    assert numbers['mailkit_queue_recipients_total{outcome="sent"}'] == "3.0"
    assert numbers['mailkit_queue_seconds_bucket{le="30.0"}'] == "0.0"
    assert numbers['mailkit_queue_seconds_bucket{le="60.0"}'] == "1.0"
