"""Where we listen ourselves, mail is not sent (RFC 5321 §5.1)."""

from __future__ import annotations

import pytest

from mailkit.app.ownports import own_ports

PLACES = [
    (["tcp:25"], "127.0.0.1", 25, True),
    (["tcp:25"], "127.0.0.1", 26, False),
    (["tcp:25"], "::ffff:127.0.0.1", 25, True),
    (["tcp:25:interface=127.0.0.2"], "::ffff:127.0.0.2", 25, True),
    (["tcp:25:interface=127.0.0.2"], "mx.example", 25, False),
    (["tcp:25"], "192.0.2.1", 25, False),
    (["tcp:25"], "2001:db8::1", 25, False),
    (["tcp:port=25:interface=0.0.0.0"], "127.0.0.1", 25, True),
    (["tcp:25:interface=127.0.0.1"], "127.0.0.2", 25, False),
    (["tcp:25:interface=127.0.0.2"], "127.0.0.2", 25, True),
    ([r"tcp6:25:interface=2001\:db8\:0\:\:1"], "2001:db8::1", 25, True),
    (["tcp:25:interface=localhost"], "127.0.0.1", 25, False),
    (["unix:/run/smtp", "tcp:0", "tcp:x", "tcp"], "127.0.0.1", 25, False),
    (["unix:/run/lmtp:mode=600"], "/run/../run/lmtp", 0, True),
    (["unix:/run/lmtp"], "/run/other", 0, False),
    (["tcp:25"], "/run/lmtp", 25, False),
    ([], "127.0.0.1", 25, False),
]


@pytest.mark.parametrize(("descriptions", "address", "port", "is_own"), PLACES)
def test_places(descriptions: list[str], address: str, port: int, is_own: bool) -> None:
    assert own_ports(descriptions)(address, port) is is_own
