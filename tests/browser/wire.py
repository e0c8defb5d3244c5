"""A wire between browser and server that a test can cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from attrs import define, field

_PIECE = 64 * 1024


@define(eq=False)
class Wire:
    """Listens on a port of loopback and passes on to another, until it is cut."""

    to: int
    port: int = field(init=False)
    _listener: socket.socket = field(init=False)
    _open: set[socket.socket] = field(factory=set)
    _is_cut: bool = False
    _lock: threading.Lock = field(factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Nothing comes through, and nothing is connected."""
        with self._lock:
            self._is_cut = True
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """New connections come through."""
        self._is_cut = False

    def close(self) -> None:
        """For good."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                with self._lock:
                    if self._is_cut:
                        here.close()
                        continue
                    try:
                        there = socket.create_connection(("127.0.0.1", self.to))
                    except ConnectionRefusedError:  # the server begins again
                        here.close()
                        continue
                    self._open |= {here, there}
                for one, other in ((here, there), (there, here)):
                    threading.Thread(
                        target=self._pass, args=(one, other), daemon=True
                    ).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while octets := one.recv(_PIECE):
                other.sendall(octets)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {one, other}
        one.close()
