"""
Responses go to the socket at once, where Twisted would wait for its next turn.

`ITransport.write` keeps the octets, asks the poll when the socket is writable, and
sends then: a turn of the reactor and two system calls for each response. A socket
that nothing waits for is nearly always writable now.
"""

from __future__ import annotations

from socket import socket

from twisted.internet.interfaces import ITransport


def socket_of(transport: ITransport) -> socket | None:
    """The socket of a plain connection; ``None`` where something is in between."""
    handle = getattr(transport, "getHandle", lambda: None)()
    return handle if isinstance(handle, socket) else None


def send_now(connection: socket, octets: bytes) -> bytes:
    """
    Send as much as the kernel takes; what is left.

    A connection that is broken takes nothing: the transport will find out, and say.
    """
    try:
        sent = connection.send(octets)
    except OSError:
        return octets
    return octets[sent:]
