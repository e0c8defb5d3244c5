"""Responses that go out at once, and what happens when the kernel takes no more."""

from __future__ import annotations

import socket

from mailkit.net.directly import send_now, socket_of
from tests.net.doubles import Line
from tests.net.test_pump import PumpCase


class SocketLine(Line):
    """A transport with a socket of its own."""

    def __init__(self, handle: socket.socket) -> None:
        super().__init__()
        self.handle = handle

    def getHandle(self) -> socket.socket:
        return self.handle


class DirectlyTests(PumpCase):
    def setUp(self) -> None:
        super().setUp()
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setblocking(False)
            self.addCleanup(end.close)

    def test_socket(self) -> None:
        """Only a plain socket is written to past its transport."""
        self.assertIs(socket_of(SocketLine(self.ours)), self.ours)
        self.assertIsNone(socket_of(Line()))

    def test_at_once(self) -> None:
        """The response is there before the reactor turns."""
        pump, line = self.factory.buildProtocol(None), SocketLine(self.ours)
        pump.makeConnection(line)
        self.assertEqual(self.theirs.recv(100), b"hello\r\n")
        pump.dataReceived(b"a\r\nb\r\n")
        self.assertEqual(self.theirs.recv(100), b"a\r\nb\r\n")
        self.assertEqual(line.value(), b"")
        self.assertEqual(pump.octets_out, 13)

    def test_full(self) -> None:
        """What the kernel does not take goes the long way, and all after it too."""
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        pump, line = self.factory.buildProtocol(None), SocketLine(self.ours)
        pump.makeConnection(line)
        long = b"x" * 200_000
        self.machines[0].out = long
        pump.speak()
        self.machines[0].out = b"last"
        pump.speak()
        received = b""
        while len(received) < 7 + len(long) + 4 - len(line.value()):
            received += self.theirs.recv(65_536)
        self.assertTrue(line.value())
        self.assertEqual(received + line.value(), b"hello\r\n" + long + b"last")

    def test_broken(self) -> None:
        """A broken connection is the transport's to notice."""
        self.theirs.close()
        self.assertEqual(send_now(self.ours, b"x"), b"x")

    def test_tls(self) -> None:
        """Once TLS is on, nothing goes past it."""
        pump, line = self.factory.buildProtocol(None), SocketLine(self.ours)
        pump.makeConnection(line)
        pump.dataReceived(b"tls\r\n")
        self.theirs.recv(100)
        pump.dataReceived(b"a\r\n")
        self.assertEqual(line.value(), b"a\r\n")
