"""
From where a browser asks, by its own word (Fetch Metadata, W3C).

Other sites may link to our pages. They may not send forms, nor show anything of ours
within theirs.
"""

from __future__ import annotations

from collections.abc import Mapping

SAFE = frozenset({"GET", "HEAD"})


def is_welcome(
    method: str,
    headers: Mapping[str, str],
    origin: str,
    dests: frozenset[str],
    links: bool,
) -> bool:
    """
    Whether to look at a request at all.

    :param headers: their names in lower case.
    :param origin: ours.
    :param dests: what the page may be wanted for.
    :param links: whether other sites may lead to it.
    """
    site = headers.get("sec-fetch-site")
    if method not in SAFE:
        if site is not None:
            return site == "same-origin"
        return headers.get("origin") == origin
    if site is None:
        return True  # a browser without the header, or no browser
    dest = headers.get("sec-fetch-dest", "")
    if dest not in dests:
        return False
    if site in ("same-origin", "none"):
        return True
    is_opened = dest == "document" and headers.get("sec-fetch-mode") == "navigate"
    return links and is_opened


def is_opened_by_hand(headers: Mapping[str, str]) -> bool:
    """
    Whether a person looks at the answer now, on our own site.

    Not where the browser fetches beforehand what may be wanted, and not where another
    site has led here.
    """
    if "prefetch" in headers.get("sec-purpose", headers.get("purpose", "")):
        return False
    site = headers.get("sec-fetch-site", "none")
    return site in ("same-origin", "none")
