"""``/metrics`` and ``/healthz``."""

from __future__ import annotations

from twisted.internet.testing import StringTransport
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
