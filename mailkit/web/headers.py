"""The headers of every answer: nothing from elsewhere runs, nobody frames us."""

from __future__ import annotations

from twisted.web.server import Request

from mailkit.web.answers import Kind

POLICY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; frame-src 'self'; "
    "img-src 'self' data: blob:; manifest-src 'self'; object-src 'none'; "
    "script-src 'self'; style-src 'self'; worker-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types mailkit"
)
"""Content-Security-Policy of all pages but those that show a message."""

MESSAGE_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "img-src {o}/part/ {o}/img/ data:; style-src 'unsafe-inline'; "
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
"""
Of a message's own document; ``{o}`` is our origin.

Pictures come from two places of ours alone: with all of ours, a message could make the
browser ask any page with the reader's cookies.
"""

FILE_POLICY = "default-src 'none'; sandbox"
"""Of octets out of a message."""

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

_MESSAGE_HEADERS = {
    "Server": "mailkit",
    "Content-Security-Policy": MESSAGE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_FILE_HEADERS = {
    "Server": "mailkit",
    "Content-Security-Policy": FILE_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

STRICT_TRANSPORT = "max-age=31536000"
"""Only over TLS (RFC 6797 §7.2)."""


def headers_of(kind: Kind, origin: str) -> dict[str, str]:
    """
    What every answer of a kind has.

    :param origin: what our addresses begin with, for a message's own pictures.
    """
    match kind:
        case Kind.PAGE | Kind.STATIC:
            return HEADERS
        case Kind.MESSAGE:
            policy = MESSAGE_POLICY.replace("{o}", origin)
            return {**_MESSAGE_HEADERS, "Content-Security-Policy": policy}
        case Kind.FILE:
            return _FILE_HEADERS


def put_headers(request: Request) -> None:
    """Before a page is made, which may replace some."""
    for name, value in HEADERS.items():
        request.setHeader(name, value)
    if request.isSecure():
        request.setHeader("Strict-Transport-Security", STRICT_TRANSPORT)
