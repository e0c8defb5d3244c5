"""What a reply means for a recipient."""

from __future__ import annotations

from mailkit.model.path import Path
from mailkit.model.queueitem import Fate, Report
from mailkit.model.reply import Reply
from mailkit.net.relay.conversation import one_line

BROKEN = "4.4.2"
"""Bad connection (RFC 3463 §3.5)."""

OURS = "4.3.0"
"""It is not the host's fault (RFC 3463 §3.4)."""

_STATUSES: dict[int, str] = {
    421: "4.3.2",
    450: "4.2.0",
    451: "4.3.0",
    452: "4.3.1",
    454: "4.7.0",
    455: "4.5.4",
    500: "5.5.2",
    501: "5.5.4",
    502: "5.5.1",
    503: "5.5.1",
    504: "5.5.4",
    521: "5.3.2",
    530: "5.7.0",
    535: "5.7.8",
    551: "5.1.6",
    552: "5.2.2",
    553: "5.1.3",
    555: "5.5.4",
    556: "5.1.10",
}
"""For hosts without ENHANCEDSTATUSCODES. 550 and 554 mean too many things."""


def is_yes(reply: Reply) -> bool:
    """Whether a command was done; 354 and its like say neither yes nor no."""
    return reply.code < 300


def status_of(reply: Reply) -> str:
    """The enhanced status code of a reply, or one that fits (RFC 3463 §2)."""
    if 300 <= reply.code < 400:
        return "4.5.0"
    return reply.status or _STATUSES.get(reply.code) or f"{reply.code // 100}.0.0"


def report(path: Path, reply: Reply, taken: Fate) -> Report:
    """
    What a reply means for one recipient.

    :param taken: its fate if the host said yes.
    """
    if is_yes(reply):
        fate = taken
    else:
        fate = Fate.FAILED if reply.code >= 500 else Fate.WAITING
    return Report(path, fate, status_of(reply), one_line(reply))


def is_busy(reply: Reply) -> bool:
    """Whether a host asks for fewer connections, or for less mail."""
    return (
        reply.code == 421
        or (reply.code == 451 and reply.detail.startswith("7."))
        or (reply.code == 450 and reply.detail == "3.2")
    )


def is_full(reply: Reply) -> bool:
    """Whether there are only too many recipients (RFC 5321 §4.5.3.1.10)."""
    return reply.code in (452, 552) and reply.detail in ("", "5.3")
