"""`Pump`: order, back-pressure, time, TLS, proxies and peers who leave."""

from __future__ import annotations

import ipaddress

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mailkit.errors import LocalMisuse
from mailkit.interfaces.session import IPeer
from mailkit.net.door import Door, DoorSettings
from mailkit.net.listeners import PumpFactory
from mailkit.net.pump import Pump, PumpSettings, Surroundings
from mailkit.testing.tls import PretendedTLS
from tests.net.doubles import Echo, Line, Lines

STRANGER = IPv4Address("TCP", "192.0.2.7", 40000)


class PumpCase(SynchronousTestCase):
    """A pump over doubles; the tests below read like dialogues."""

    settings = PumpSettings()
    door = DoorSettings()
    tls_first = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.sessions: list[Echo] = []
        self.machines: list[Lines] = []
        self.tls = PretendedTLS()
        self.around = Surroundings(
            "echo",
            self.clock,
            Door(self.door),
            self.settings,
            upgrade=self.tls,
            tls_first=self.tls_first,
        )
        self.factory = PumpFactory(self.build, self.around)

    def build(self, peer: IPeer) -> tuple[Lines, Echo]:
        machine = Lines()
        session = Echo(machine, peer)
        self.machines.append(machine)
        self.sessions.append(session)
        return machine, session

    def connect(self, peer: IPv4Address | UNIXAddress = STRANGER) -> tuple[Pump, Line]:
        pump, line = self.factory.buildProtocol(None), Line(peer)
        pump.makeConnection(line)
        return pump, line

    def take(self, line: Line) -> bytes:
        octets: bytes = line.value()
        line.clear()
        return octets


class OrderTests(PumpCase):
    def test_one_write_for_a_batch(self) -> None:
        """Replies to pipelined commands leave together."""
        pump, line = self.connect()
        self.assertEqual(self.take(line), b"hello\r\n")
        self.assertTrue(line.no_delay)
        writes: list[bytes] = []
        line.write = writes.append  # type: ignore[method-assign]  # counts them
        pump.dataReceived(b"a\r\nb\r\nc\r\n")
        self.assertEqual(writes, [b"a\r\nb\r\nc\r\n"])

    def test_one_at_a_time(self) -> None:
        """Nothing is parsed while something is being handled."""
        pump, _ = self.connect()
        pump.dataReceived(b"wait\r\nb\r\n")
        self.assertEqual(self.sessions[0].said, ["greet", "wait"])
        self.sessions[0].gate.callback(None)
        self.assertEqual(self.sessions[0].said, ["greet", "wait", "waited", "b"])

    def test_quit(self) -> None:
        """After the last reply the connection is closed, and what follows is lost."""
        pump, line = self.connect()
        pump.dataReceived(b"quit\r\nmore\r\n")
        self.assertEqual(self.take(line), b"hello\r\nquit\r\n")
        self.assertTrue(line.disconnecting)
        self.assertEqual(self.sessions[0].said, ["greet", "quit", "close"])
        self.clock.advance(self.settings.close_wait)
        self.assertTrue(line.is_aborted)

    def test_the_machine_ends_it(self) -> None:
        """A machine that has had enough is not waited for."""
        pump, line = self.connect()
        self.machines[0].ends_at = b"enough"
        self.machines[0].on_end = lambda: setattr(self.sessions[0], "is_over", True)
        pump.dataReceived(b"enough\r\n")
        self.assertTrue(line.disconnecting)

    def test_others_get_their_turn(self) -> None:
        """A long pipeline is handled in pieces."""
        pump, _ = self.connect()
        pump.dataReceived(b"a\r\n" * 100)
        self.assertEqual(len(self.sessions[0].said), 65)
        self.clock.advance(0)
        self.assertEqual(len(self.sessions[0].said), 101)


class PressureTests(PumpCase):
    def test_reading_stops(self) -> None:
        """A peer that sends on while we work is not read from without end."""
        pump, line = self.connect()
        pump.dataReceived(b"wait\r\n")
        pump.dataReceived(b"x" * 65_535)
        self.assertEqual(line.producerState, "producing")
        pump.dataReceived(b"\r\n")
        self.assertEqual(line.producerState, "paused")
        self.sessions[0].gate.callback(None)
        self.assertEqual(line.producerState, "producing")

    def test_what_was_held_back(self) -> None:
        """A transport may hand over what it held back while it is told to go on."""
        pump, line = self.connect()
        pump.dataReceived(b"wait\r\n")
        pump.dataReceived(b"x" * self.settings.read_ahead)
        self.assertEqual(line.producerState, "paused")

        def resume() -> None:
            line.producerState = "producing"
            pump.dataReceived(b"\r\nlast\r\n")

        line.resumeProducing = resume  # type: ignore[method-assign]  # as some do
        self.sessions[0].gate.callback(None)
        self.assertEqual(self.sessions[0].said[-1], "last")

    def test_writing_waits(self) -> None:
        """`flush` returns when the peer has taken what was written."""
        pump, line = self.connect()
        line.fill()
        pump.dataReceived(b"flush\r\n")
        self.assertNotIn("flushed", self.sessions[0].said)
        line.drain()
        self.assertIn("flushed", self.sessions[0].said)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_commands_without_reading(self) -> None:
        """Who reads no replies is not read from: they would pile up."""
        pump, line = self.connect()
        pump.dataReceived(b"a\r\n")
        line.fill()
        pump.dataReceived(b"b\r\n")
        self.take(line)
        for _ in range(100):
            pump.dataReceived(b"c\r\n" * 1000)
        self.assertEqual(line.producerState, "paused")
        self.assertEqual(self.sessions[0].said, ["greet", "a", "b"])
        self.assertEqual(self.take(line), b"")
        line.drain()
        for _ in range(10_000):
            self.clock.advance(0)
        self.assertEqual(line.producerState, "producing")
        self.assertEqual(len(self.sessions[0].said), 100_003)

    def test_commands_without_reading_at_all(self) -> None:
        """And is cut off in the end."""
        pump, line = self.connect()
        line.fill()
        pump.dataReceived(b"a\r\n")
        self.clock.advance(self.settings.slow_reader)
        self.assertTrue(line.is_aborted)
        pump.connectionLost()
        self.assertEqual(self.sessions[0].said, ["greet", "a", "close"])

    def test_slow_reader(self) -> None:
        """One that takes nothing for five minutes is cut off, and the work ends."""
        pump, line = self.connect()
        line.fill()
        pump.dataReceived(b"flush\r\n")
        self.clock.advance(self.settings.slow_reader)
        self.assertTrue(line.is_aborted)
        pump.connectionLost()
        self.assertEqual(self.sessions[0].said, ["greet", "flush", "close"])

    def test_flush_after_leaving(self) -> None:
        """Nobody works for nobody."""
        pump, _ = self.connect()
        pump.dataReceived(b"wait\r\nflush\r\n")
        pump.connectionLost()
        self.sessions[0].gate.callback(None)
        self.assertEqual(
            self.sessions[0].said, ["greet", "wait", "waited", "flush", "close"]
        )


class TimeTests(PumpCase):
    def test_silence(self) -> None:
        """Who says nothing for as long as the session allows is told and closed."""
        _, line = self.connect()
        self.clock.advance(59)
        self.assertFalse(line.disconnecting)
        self.clock.advance(1)
        self.assertEqual(self.take(line), b"hello\r\nbye timed out\r\n")
        self.assertTrue(line.disconnecting)

    def test_words_count(self) -> None:
        """Each answer begins the wait anew."""
        pump, line = self.connect()
        for _ in range(10):
            self.clock.advance(50)
            pump.dataReceived(b"a\r\n")
        self.assertFalse(line.disconnecting)
        self.clock.advance(60)
        self.assertTrue(line.disconnecting)

    def test_slow_writer(self) -> None:
        """An octet a second is silence."""
        pump, line = self.connect()
        for _ in range(61):
            self.clock.advance(1)
            pump.dataReceived(b"x")
        self.assertTrue(line.disconnecting)

    def test_large_message(self) -> None:
        """A message that comes steadily is no silence."""
        pump, line = self.connect()
        for _ in range(500):
            self.clock.advance(1)
            pump.dataReceived(b"x" * 100)
        self.assertFalse(line.disconnecting)

    def test_our_own_time(self) -> None:
        """How long we work is not the peer's fault."""
        pump, line = self.connect()
        pump.dataReceived(b"wait\r\n")
        for _ in range(200):
            self.clock.advance(1)
        self.assertFalse(line.disconnecting)
        self.sessions[0].gate.callback(None)
        self.clock.advance(59)
        self.assertFalse(line.disconnecting)

    def test_shorter_patience(self) -> None:
        """A session may become less patient at any event."""
        pump, line = self.connect()
        self.sessions[0].timeout = 10.0
        pump.dataReceived(b"a\r\n")
        self.clock.advance(10)
        self.assertTrue(line.disconnecting)


class LeavingTests(PumpCase):
    def test_while_idle(self) -> None:
        """The wait ends, and the session is closed."""
        pump, _ = self.connect()
        pump.connectionLost()
        self.assertEqual(self.sessions[0].said, ["greet", "close"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.factory.pumps, set())

    def test_while_working(self) -> None:
        """The work is finished before the session is closed."""
        pump, _ = self.connect()
        pump.dataReceived(b"wait\r\n")
        pump.connectionLost()
        self.assertEqual(self.sessions[0].said, ["greet", "wait"])
        self.sessions[0].gate.callback(None)
        self.assertEqual(self.sessions[0].said, ["greet", "wait", "waited", "close"])

    def test_bug(self) -> None:
        """A bug ends this connection with a word, and is logged whole."""
        pump, line = self.connect()
        pump.dataReceived(b"boom\r\n")
        self.assertEqual(self.take(line), b"hello\r\nbye internal error\r\n")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        self.assertEqual(pump.reason, "internal error")

    def test_drain(self) -> None:
        """Shutting down says goodbye between events and waits for what is half done."""
        _, idle = self.connect()
        busy_pump, busy = self.connect()
        busy_pump.dataReceived(b"busy\r\n")
        done = self.factory.drain(self.clock, 10.0)
        self.assertTrue(idle.disconnecting)
        self.assertFalse(busy.disconnecting)
        busy_pump.dataReceived(b"idle\r\n")
        self.assertTrue(busy.value().endswith(b"idle\r\nbye Shutting down\r\n"))
        for pump in list(self.factory.pumps):
            pump.connectionLost()
        self.successResultOf(done)

    def test_drain_waits_no_longer(self) -> None:
        """Who does not end what it began is told too, and cut off if need be."""
        pump, line = self.connect()
        pump.dataReceived(b"busy\r\n")
        done = self.factory.drain(self.clock, 10.0)
        self.take(line)
        self.clock.advance(10)
        self.assertEqual(self.take(line), b"bye Shutting down\r\n")
        self.assertTrue(line.disconnecting)
        self.clock.advance(self.settings.close_wait)
        self.assertTrue(line.is_aborted)
        pump.connectionLost()
        self.successResultOf(done)

    def test_drain_cuts(self) -> None:
        """Work that does not end is left behind."""
        pump, line = self.connect()
        pump.dataReceived(b"wait\r\n")
        done = self.factory.drain(self.clock, 10.0)
        self.clock.advance(10)
        self.assertTrue(line.is_aborted)
        pump.connectionLost()
        self.successResultOf(done)

    def test_interrupt(self) -> None:
        """A session that is to end from outside ends, whatever it has begun."""
        pump, line = self.connect()
        pump.dataReceived(b"busy\r\n")
        self.take(line)
        self.sessions[0].peer.interrupt()
        self.assertEqual(self.take(line), b"bye Disconnected by the server\r\n")
        self.assertTrue(line.disconnecting)

    def test_interrupted_work(self) -> None:
        """But an event at work is finished first."""
        pump, line = self.connect()
        pump.dataReceived(b"wait\r\nb\r\n")
        self.sessions[0].peer.interrupt()
        self.assertFalse(line.disconnecting)
        self.sessions[0].gate.callback(None)
        self.assertTrue(line.disconnecting)
        self.assertNotIn("b", self.sessions[0].said)

    def test_nobody_to_drain(self) -> None:
        self.successResultOf(self.factory.drain(self.clock, 10.0))


class TLSTests(PumpCase):
    def test_upgrade(self) -> None:
        """The word goes out in clear, then TLS begins and the machine forgets."""
        pump, line = self.connect()
        self.take(line)
        peer = self.sessions[0].peer
        self.assertTrue(peer.can_start_tls)
        pump.dataReceived(b"tls\r\ninjected\r\n")
        self.assertEqual(self.take(line), b"begin\r\n")
        self.assertEqual(self.tls.started, [line])
        self.assertTrue(self.machines[0].was_secured)
        self.assertNotIn("injected", self.sessions[0].said)
        self.assertTrue(peer.is_secure)
        self.assertFalse(peer.can_start_tls)
        self.assertEqual(peer.tls, "")

    def test_twice(self) -> None:
        pump, _ = self.connect()
        pump.dataReceived(b"tls\r\n")
        pump.dataReceived(b"tls\r\n")
        self.assertEqual(len(self.flushLoggedErrors(LocalMisuse)), 1)

    def test_from_the_first_octet(self) -> None:
        self.around.tls_first = True
        _, line = self.connect()
        self.assertEqual(self.tls.started, [line])
        self.assertTrue(self.sessions[0].peer.is_secure)


class PeerTests(PumpCase):
    def test_addresses(self) -> None:
        self.connect()
        peer = self.sessions[0].peer
        self.assertEqual((peer.host, peer.port), ("192.0.2.7", 40000))
        self.assertFalse(peer.is_loopback)
        self.assertFalse(peer.is_secure)

    def test_unix(self) -> None:
        """A Unix socket is a place of this machine, and nobody listens in."""
        self.connect(UNIXAddress("/run/x"))
        peer = self.sessions[0].peer
        self.assertEqual(peer.host, "unix")
        self.assertTrue(peer.is_loopback and peer.is_secure)

    def test_words_unasked(self) -> None:
        """IDLE speaks when nobody asked."""
        _, line = self.connect()
        self.take(line)
        self.machines[0].out = b"news\r\n"
        self.sessions[0].peer.speak()
        self.assertEqual(self.take(line), b"news\r\n")


class DoorTests(PumpCase):
    door = DoorSettings(connections=3, connections_per_peer=1)

    def test_one_too_many(self) -> None:
        """The second of one address is told and closed, and then there is room."""
        first, _ = self.connect()
        second, line = self.connect()
        self.assertEqual(
            line.value(), b"bye too many connections from your address\r\n"
        )
        self.assertTrue(line.disconnecting)
        second.connectionLost()
        first.connectionLost()
        _, line = self.connect()
        self.assertEqual(line.value(), b"hello\r\n")

    def test_too_many_in_all(self) -> None:
        for n in range(3):
            self.connect(IPv4Address("TCP", f"192.0.2.{n}", 1))
        _, line = self.connect()
        self.assertEqual(line.value(), b"bye too many connections\r\n")

    def test_never_limited(self) -> None:
        for _ in range(3):
            _, line = self.connect(IPv4Address("TCP", "127.0.0.1", 1))
        self.assertEqual(line.value(), b"hello\r\n")


class ProxyTests(PumpCase):
    door = DoorSettings(trusted_proxies=(ipaddress.ip_network("192.0.2.0/24"),))
    header = b"PROXY TCP4 198.51.100.9 198.51.100.1 555 25\r\n"

    def test_in_pieces(self) -> None:
        """The peer is who the proxy says; the text after the header is the peer's."""
        pump, line = self.connect()
        for octet in self.header[:-1]:
            pump.dataReceived(bytes([octet]))
        self.assertEqual(self.sessions, [])
        pump.dataReceived(self.header[-1:] + b"a\r\n")
        self.assertEqual(line.value(), b"hello\r\na\r\n")
        peer = self.sessions[0].peer
        self.assertEqual(
            (peer.host, peer.port, peer.local_host, peer.local_port),
            ("198.51.100.9", 555, "198.51.100.1", 25),
        )

    def test_unknown(self) -> None:
        """A health check of the proxy is the proxy itself."""
        pump, _ = self.connect()
        pump.dataReceived(b"PROXY UNKNOWN\r\n")
        self.assertEqual(self.sessions[0].peer.host, "192.0.2.7")

    def test_no_header(self) -> None:
        """A trusted proxy that says none is cut off, at once or after a while."""
        pump, line = self.connect()
        pump.dataReceived(b"EHLO x\r\n")
        self.assertTrue(line.is_aborted)
        pump.connectionLost()
        _, line = self.connect()
        self.clock.advance(5)
        self.assertTrue(line.is_aborted)

    def test_others_are_not_believed(self) -> None:
        """From anybody else the header is text, and means nothing."""
        pump, _ = self.connect(IPv4Address("TCP", "203.0.113.5", 1))
        pump.dataReceived(self.header)
        self.assertEqual(self.sessions[0].peer.host, "203.0.113.5")
        self.assertEqual(self.sessions[0].said[1], self.header[:-2].decode())


class DialogueTests(PumpCase):
    settings = PumpSettings(dialogue=True)

    def test_it_is_logged(self) -> None:
        """Braces of the peer do no harm to a log format."""
        pump, line = self.connect()
        pump.dataReceived(b"{x}\r\n")
        self.assertEqual(line.value(), b"hello\r\n{x}\r\n")
