"""The whole of ``mailkit.toml``."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailkit.app.settings import Settings
from mailkit.config.reader import Misconfigured, read

EVERYTHING = """\
hostname = "mail.example.org"
data     = "/var/lib/mailkit"
workers  = 1

[listen]
smtp        = ["tcp:25"]
submission  = ["tcp:587"]
submissions = ["tcp:465"]
lmtp        = ["unix:/run/mailkit/lmtp"]
imap        = ["tcp:143"]
imaps       = ["tcp:993"]
pop3        = ["tcp:110"]
pop3s       = ["tcp:995"]
managesieve = ["tcp:4190"]
http        = ["tcp:80"]
https       = ["tcp:443"]
metrics     = ["tcp:9108:interface=127.0.0.1"]

[tls]
certificate = "/etc/mailkit/fullchain.pem"
key         = "/etc/mailkit/privkey.pem"

[[tls.also]]
certificate = "/etc/mailkit/other.pem"
key         = "/etc/mailkit/other.key"

[auth]
plaintext = "tls-or-loopback"

[limits]
message_size = "50 MiB"
text_line    = "64 KiB"

[dns]
servers = []

[relay]
allow = []
port  = 25

[retry]
attempts      = 0
give_up_after = "5 d"
delay_notice  = "4 h"

[web]
origin = ""

[log]
format = "text"
level  = "info"

[process]
user = "mailkit"

[accounts]
quota = "500 MB"
registration = "closed"

[proxy]
trusted = []
never_limit = ["127.0.0.0/8", "::1"]
"""


def reading(text: str) -> Settings:
    return read(Settings, text, Path("/etc/m.toml"), {}, Path("/etc")).settings


def test_all_that_was_promised_is_accepted_and_is_the_default() -> None:
    settings = reading(EVERYTHING)
    assert settings.listen.lmtp == ("unix:/run/mailkit/lmtp",)
    assert settings.tls.also[0].key == Path("/etc/mailkit/other.key")
    plain = reading('hostname = "mail.example.org"')
    for table in ("auth", "limits", "dns", "relay", "retry", "web", "log", "proxy"):
        assert getattr(plain, table) == getattr(settings, table)
    assert (plain.data, plain.accounts) == (settings.data, settings.accounts)
    assert plain.listen.smtp == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('hostname = "mail example"', "m.toml:1: hostname: expects a host name"),
        ('hostname = "-a.example"', "m.toml:1: hostname: expects a host name"),
        (
            'hostname = "a"\n[tls]\nkey = "x"',
            "m.toml:2: tls: certificate and key are given together or not at all",
        ),
        ('hostname = "a"\n[web]\norigin = "a.b"', "m.toml:3: web.origin: expects"),
        ('hostname = "a"\n[relay]\nport = 0', "m.toml:3: relay.port: must be >= 1"),
        (
            'hostname = "a"\n[auth]\nargon2_memory = "1 MiB"',
            "m.toml:3: auth.argon2_memory: must be >= 19922944",
        ),
    ],
)
def test_what_cannot_be(text: str, said: str) -> None:
    with pytest.raises(Misconfigured, match="^/etc/" + said):
        reading(text)
