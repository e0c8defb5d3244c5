"""The headers of every page: nothing from elsewhere runs, nobody frames us."""

from __future__ import annotations

from twisted.web.server import Request

POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; frame-src 'self'; "
    "img-src 'self' data: blob:; manifest-src 'self'; object-src 'none'; "
    "script-src 'self'; style-src 'self'; worker-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types mailkit"
)
"""Content-Security-Policy of all pages but those that show a message."""

_NOT_USED = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
    "xr-spatial-tracking",
)

HEADERS = {
    "Server": "mailkit",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in _NOT_USED),
    "Cache-Control": "no-store",
}

STRICT_TRANSPORT = "max-age=31536000"
"""Only over TLS (RFC 6797 §7.2)."""


def put_headers(request: Request) -> None:
    """Before a page is made, which may replace some."""
    for name, value in HEADERS.items():
        request.setHeader(name, value)
    if request.isSecure():
        request.setHeader("Strict-Transport-Security", STRICT_TRANSPORT)
