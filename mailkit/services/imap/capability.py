"""CAPABILITY, ENABLE and ID (RFC 9051 §6.1.1, §6.3.1, RFC 2971)."""

from __future__ import annotations

from mailkit.protocols.imap.events import Enable
from mailkit.protocols.imap.response import Response, ok
from mailkit.protocols.imap.write import capability as write
from mailkit.protocols.imap.write.session import identification
from mailkit.services.imap.dialogue import Dialogue

ENABLED = {"IMAP4REV2": "IMAP4rev2", "UTF8=ACCEPT": "UTF8=ACCEPT"}
"""What ENABLE turns on; all else it passes over (RFC 5161 §3.1)."""


def capabilities(talk: Dialogue) -> tuple[str, ...]:
    """What the client may use now; before the login that depends on TLS (§6.2)."""
    if talk.who is not None:
        return write.after_login()
    authentication, peer = talk.house.authentication, talk.peer
    return write.before_login(
        authentication.mechanisms(peer),
        can_start_tls=peer.can_start_tls,
        may_login=authentication.may_send_password(peer),
    )


def capability(talk: Dialogue) -> Response:
    """Say what the client may use."""
    talk.say(write.capabilities(capabilities(talk)))
    return ok("Told")


def enable(talk: Dialogue, command: Enable) -> Response:
    """Turn on what is known; enabled twice is told once."""
    on = talk.machine.enabled
    new = [name for name in command.capabilities if name in ENABLED and name not in on]
    talk.machine.enable(new)
    talk.say(write.enabled([ENABLED[name] for name in new]))
    return ok("Enabled")


def identify(talk: Dialogue) -> Response:
    """Say who we are, and no more than that (RFC 2971 §4)."""
    talk.say(identification({"name": "mailkit"}))
    return ok("Told")
