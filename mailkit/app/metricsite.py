"""``[listen] metrics``: ``/metrics`` for Prometheus, ``/healthz`` for whoever asks."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from twisted.internet.defer import Deferred
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from mailkit.app.sums import sum_up


class _Page(Resource):
    """One page of plain octets."""

    isLeaf = True

    def __init__(self, render: Callable[[Request], bytes | int]) -> None:
        super().__init__()
        self._render = render

    def render_GET(self, request: Request) -> bytes | int:
        request.setHeader("Server", "mailkit")
        return self._render(request)


class _Root(Resource):
    """Above the pages, and instead of every other."""

    def getChild(self, path: bytes, request: Request) -> IResource:
        return notFound()


def make_metric_site(
    registry: CollectorRegistry,
    trouble: Callable[[], str | None],
    others: Callable[[], Deferred[list[str]]] | None = None,
) -> Site:
    """
    A site with the two pages and nothing else.

    :param trouble: why the server should get no new work; ``None``: it should.
    :param others: fires with the pages of other processes, to be summed up with
        this one's; it never fails.
    """

    def metrics(request: Request) -> bytes | int:
        request.setHeader("Content-Type", CONTENT_TYPE_LATEST)
        if others is None:
            return generate_latest(registry)
        gone: list[object] = []
        request.notifyFinish().addErrback(gone.append)

        def answer(texts: list[str]) -> None:
            page = sum_up([generate_latest(registry).decode(), *texts])
            if not gone:
                request.write(page)
                request.finish()

        others().addCallback(answer)
        return NOT_DONE_YET

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
