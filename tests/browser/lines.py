"""Lines between a page and its server that lose what goes over them."""

from __future__ import annotations

from playwright.sync_api import Page, Route

_PROXY = "<html><center><h1>502 Bad Gateway</h1></center><hr><p>proxy/1.0</p></html>"


def lose(page: Page, pattern: str, *fates: str, method: str = "POST") -> None:
    """
    What becomes of the next requests of a method; those behind them pass.

    :param fates: ``taken``: the server has it, and its answer is lost; ``gone``: the
        request is; ``proxy``: whoever stands before the server answers.
    """
    left = list(fates)

    def pass_on(route: Route) -> None:
        if not left or route.request.method != method:
            route.continue_()
            return
        fate = left.pop(0)
        if fate == "proxy":
            route.fulfill(status=502, content_type="text/html", body=_PROXY)
            return
        if fate == "taken":
            route.fetch()
        route.abort()

    page.route(pattern, pass_on)
