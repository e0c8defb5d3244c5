"""Where people find our pages."""

from __future__ import annotations

import re

from mailkit.app.settings import Settings


def https_origin(settings: Settings, host: str) -> str:
    """
    Where a page is under TLS; empty: nowhere.

    :param host: that was asked for, with its port.
    """
    if settings.web.origin.startswith("https://"):
        return settings.web.origin
    if not settings.listen.https or not host:
        return ""
    match = re.match(r"tcp6?:(?:port=)?(\d+)", settings.listen.https[0])
    port = "" if match is None or match[1] == "443" else f":{match[1]}"
    return f"https://{re.sub(r':[0-9]+$', '', host)}{port}"


def page_origin(settings: Settings) -> str:
    """What the addresses of pages begin with that people are given."""
    if settings.web.origin:
        return settings.web.origin
    https = https_origin(settings, settings.hostname)
    is_here = all("127.0.0.1" in one for one in settings.listen.http)
    match = re.match(r"tcp:(?:port=)?(\d+)", (*settings.listen.http, "")[0])
    if is_here and match is not None:
        return f"http://localhost:{match[1]}"
    return https or f"http://{settings.hostname}"
