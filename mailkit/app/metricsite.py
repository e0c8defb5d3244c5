"""``[listen] metrics``: ``/metrics`` for Prometheus, ``/healthz`` for whoever asks."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site


class _Page(Resource):
    """One page of plain octets."""

    isLeaf = True

    def __init__(self, render: Callable[[Request], bytes]) -> None:
        super().__init__()
        self._render = render

    def render_GET(self, request: Request) -> bytes:
        request.setHeader("Server", "mailkit")
        return self._render(request)


class _Root(Resource):
    """Above the pages, and instead of every other."""

    def getChild(self, path: bytes, request: Request) -> IResource:
        return notFound()


def make_metric_site(
    registry: CollectorRegistry, trouble: Callable[[], str | None]
) -> Site:
    """
    A site with the two pages and nothing else.

    :param trouble: why the server should get no new work; ``None``: it should.
    """

    def metrics(request: Request) -> bytes:
        request.setHeader("Content-Type", CONTENT_TYPE_LATEST)
        return generate_latest(registry)

    def health(request: Request) -> bytes:
        request.setHeader("Content-Type", "text/plain; charset=utf-8")
        reason = trouble()
        request.setResponseCode(200 if reason is None else 503)
        return f"{reason or 'ok'}\n".encode()

    root = _Root()
    root.putChild(b"metrics", _Page(metrics))
    root.putChild(b"healthz", _Page(health))
    site = Site(root)
    site.displayTracebacks = False
    site.noisy = False
    return site
