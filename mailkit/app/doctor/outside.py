"""What can be seen of the world from here: mail servers, the time, the disk."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from mailkit.errors import Unavailable

PATIENCE = 15.0
"""Seconds for each host: some let six pass before they greet, to catch spammers."""
LONGEST = 512
"""Octets of a greeting (RFC 5321 §4.5.3.1.5)."""


def greet(address: str, port: int) -> tuple[str, bool]:
    """Connect to a mail server; its first line, or why there is none. Blocks."""
    try:
        with socket.create_connection((address, port), PATIENCE) as connection:
            said = connection.recv(LONGEST).decode("utf-8", "replace")
    except TimeoutError:
        return f"no connection to {address} within {PATIENCE:.0f} s", False
    except OSError as error:
        return f"no connection to {address}: {error.strerror or error}", False
    line = said.partition("\r\n")[0]
    return line or "it hangs up", line.startswith("220")


def time_of(url: str, trust: Path | None = None) -> float:
    """
    What the Date field of a web page says (RFC 9110 §6.6.1), in seconds since 1970.

    :raises Unavailable: if that cannot be had.
    """
    parts = urlsplit(url)
    context = ssl.create_default_context()
    if trust is not None:
        context.load_verify_locations(trust)
    client = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=PATIENCE, context=context
    )
    try:
        client.request("HEAD", parts.path or "/")
        date = client.getresponse().headers["Date"] or ""
        return parsedate_to_datetime(date).timestamp()
    except (OSError, http.client.HTTPException) as error:
        words = getattr(error, "strerror", None) or error
        raise Unavailable(f"{url}: {words}") from error
    except ValueError as error:
        raise Unavailable(f"{url} does not tell the time") from error
    finally:
        client.close()


def free_on(folder: Path) -> tuple[int, float]:
    """Octets and share of the disk that are free for us."""
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    return free, disk.f_bavail / disk.f_blocks if disk.f_blocks else 1.0
