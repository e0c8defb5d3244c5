"""What is to be said of this machine: pure, from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from mailkit.config.units import say_about
from mailkit.services.doctor.finding import Finding, good, note, unknown, wrong

CLOCK_IS_GOOD = 5.0
"""Seconds by which it may be off; a Date field alone is coarse by one."""
CLOCK_IS_USABLE = 60.0
"""Beyond that signatures and certificates are judged wrongly."""
DISK_IS_GOOD = 0.2
"""Free share."""
DISK_IS_USABLE = 0.07
"""Below 0.05 no mail is taken in."""
RENEWED_BEFORE = 21 * 86_400.0
"""Seconds before its end at which a certificate is usually renewed."""
ENDS_SOON = 7 * 86_400.0

DAY = 86_400.0


def judge_clock(ours: float, theirs: float, source: str) -> Finding:
    """:param theirs: the time that ``source`` says; both in seconds since 1970."""
    off = abs(ours - theirs)
    if off <= CLOCK_IS_GOOD:
        return good("clock", f"right, by {source}")
    words = f"{off:.0f} s {'ahead' if ours > theirs else 'behind'}, by {source}"
    step = "let systemd-timesyncd, chrony or ntpd set it"
    if off <= CLOCK_IS_USABLE:
        return note("clock", words, step)
    return wrong("clock", words, step)


def judge_disk(folder: str, free: int, share: float) -> Finding:
    """:param free: octets; :param share: of the disk, from 0 to 1."""
    words = f"{say_about(free)} free ({share:.0%}) for {folder}"
    if share >= DISK_IS_GOOD:
        return good("disk", words)
    step = "make room: at 5 % no mail is taken in"
    if share >= DISK_IS_USABLE:
        return note("disk", words, step)
    return wrong("disk", words, step)


@frozen
class Greeting:
    """What came of a connection to a mail server elsewhere."""

    host: str
    words: str
    """Its greeting, or why there is none."""
    is_reached: bool


def judge_port_25(port: int, tried: Sequence[Greeting]) -> Finding:
    """Whether mail gets out of this network."""
    subject = f"port {port} outward"
    reached = [each for each in tried if each.is_reached]
    if reached:
        return good(subject, f"{reached[0].host} answers: {reached[0].words}")
    if not tried:
        words = "no mail server is known to be tried"
        return unknown(
            subject, words, "see why DNS does not answer, or set [doctor] reach"
        )
    said = "; ".join(f"{each.host}: {each.words}" for each in tried)
    step = (
        f"ask your provider to open port {port}, or send by a smarthost (a [[route]])"
    )
    return wrong(subject, said, step)


@frozen
class Served:
    """The certificate that one of our ports shows."""

    port: str
    """``smtp 25``"""
    names: tuple[str, ...]
    ends: datetime
    trouble: str = ""
    """Why others would not believe it, as OpenSSL says it; empty: they would."""


def judge_served(served: Served, wanted: Sequence[str], now: datetime) -> Finding:
    """
    What a client makes of a certificate.

    :param wanted: names that it has to be good for.
    """
    subject = f"TLS {served.port}"
    left = (served.ends - now).total_seconds()
    if left <= 0:
        words = f"its certificate ended on {served.ends:%Y-%m-%d}"
        return wrong(subject, words, "renew it; the files are taken over by themselves")
    missing = [name for name in wanted if not _is_for(name, served.names)]
    if missing:
        words = f"its certificate is not for {', '.join(missing)}"
        step = "get one with these names: [tls] certificate, key, also"
        return wrong(subject, words, step)
    if served.trouble:
        words = f"its certificate is not believed: {served.trouble}"
        step = "get one of a known authority, with its whole chain: [tls] certificate"
        return wrong(subject, words, step)
    words = f"good for {', '.join(wanted)} until {served.ends:%Y-%m-%d}"
    if left <= ENDS_SOON:
        return wrong(subject, f"its certificate ends in {left / DAY:.0f} days",
                     "renew it: what should do so by itself does not")  # fmt: skip
    if left <= RENEWED_BEFORE:
        return note(subject, words, "see that it is renewed")
    return good(subject, words)


def judge_silent(port: str, words: str) -> Finding:
    """A port of ours that shows no certificate."""
    step = "start the server, or see its log"
    return wrong(f"TLS {port}", words, step)


def _is_for(name: str, theirs: Sequence[str]) -> bool:
    return name in theirs or "*." + name.partition(".")[2] in theirs
