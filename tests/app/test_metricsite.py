"""``/metrics`` and ``/healthz``."""

from __future__ import annotations

from prometheus_client import generate_latest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Site

from mailkit.app.metricsite import make_metric_site
from mailkit.metrics import Metrics


def asked(site: Site, path: str) -> tuple[str, str]:
    """Head and body of the answer."""
    transport = StringTransport()
    channel = site.buildProtocol(None)
    channel.makeConnection(transport)
    channel.dataReceived(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    head, _, body = transport.value().decode().partition("\r\n\r\n")
    channel.connectionLost(None)
    return head, body


def test_metrics() -> None:
    metrics = Metrics()
    metrics.connected("imap")
    head, body = asked(make_metric_site(metrics.registry, lambda: None), "/metrics")
    assert head.startswith("HTTP/1.0 200 OK")
    assert "Content-Type: text/plain; version=" in head
    assert 'mailkit_connections_total{service="imap"} 1.0' in body


def test_health() -> None:
    troubles: list[str | None] = [None, "shutting down"]
    site = make_metric_site(Metrics().registry, lambda: troubles.pop(0))
    head, body = asked(site, "/healthz")
    assert (head[:15], body) == ("HTTP/1.0 200 OK", "ok\n")
    assert "Server: mailkit\r\n" in head + "\r\n"
    head, body = asked(site, "/healthz")
    assert (head[:12], body) == ("HTTP/1.0 503", "shutting down\n")


def test_nothing_else() -> None:
    head, _ = asked(make_metric_site(Metrics().registry, lambda: None), "/")
    assert head.startswith("HTTP/1.0 404")


def test_metrics_of_several_processes() -> None:
    metrics = Metrics()
    metrics.connected("imap")
    other = generate_latest(metrics.registry).decode()
    coming: Deferred[list[str]] = Deferred()
    site = make_metric_site(metrics.registry, lambda: None, lambda: coming)
    transport = StringTransport()
    channel = site.buildProtocol(None)
    channel.makeConnection(transport)
    channel.dataReceived(b"GET /metrics HTTP/1.0\r\n\r\n")
    assert transport.value() == b""
    coming.callback([other, other])
    assert b'mailkit_connections_total{service="imap"} 3.0' in transport.value()
    assert b"Content-Type: text/plain; version=" in transport.value()


def test_who_asked_for_metrics_may_be_gone() -> None:
    coming: Deferred[list[str]] = Deferred()
    site = make_metric_site(Metrics().registry, lambda: None, lambda: coming)
    transport = StringTransport()
    channel = site.buildProtocol(None)
    channel.makeConnection(transport)
    channel.dataReceived(b"GET /metrics HTTP/1.0\r\n\r\n")
    channel.connectionLost(Failure(ConnectionDone()))
    coming.callback([])
    assert transport.value() == b""
