"""axe-core, all rules, in a page that allows no script but its own."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,  # which has no annotations
)
from playwright.sync_api import Page


def violations(page: Page) -> list[str]:
    """What is wrong with the page as it is now, a line each; empty: nothing."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
