"""Reports of how TLS went (RFC 8460): who wants them, and what they say."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from attrs import frozen

_RECORD = re.compile(rb"v=TLSRPTv1[ \t]*;[ \t]*(.*)", re.S)
_RUA = re.compile(rb"(?:^|;)[ \t]*rua[ \t]*=[ \t]*([^;]+)")
_MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_MOST_TARGETS = 5
_LONGEST_TARGET = 1000


def read_targets(records: tuple[bytes, ...]) -> list[str]:
    """
    Where the TXT records of ``_smtp._tls.DOMAIN`` ask for reports (RFC 8460 §3).

    :returns: ``mailto:`` and ``https:`` addresses; none unless exactly one record is
        good.
    """
    found = [record for record in records if record.startswith(b"v=TLSRPTv1")]
    if len(found) != 1:
        return []
    fields = _RECORD.fullmatch(found[0])
    rua = None if fields is None else _RUA.search(fields[1])
    if rua is None:
        return []
    try:
        texts = rua[1].decode("ascii").split(",")
    except UnicodeDecodeError:
        return []
    targets = [text.strip() for text in texts]
    return [
        target
        for target in targets
        if target.lower().startswith(("mailto:", "https://"))
        and len(target) <= _LONGEST_TARGET
        and target.isprintable()
    ][:_MOST_TARGETS]


def mailbox_of(target: str) -> str | None:
    """
    The address of a ``mailto:`` target (RFC 8460 §3); ``None`` for others.

    A stranger wrote it, so it is a plain one: ASCII, nothing quoted, no literal.
    """
    scheme, _, rest = target.partition(":")
    if scheme.lower() != "mailto":
        return None
    address = unquote(rest.partition("?")[0].partition("#")[0])
    return address if _MAILBOX.fullmatch(address) else None


@frozen(kw_only=True)
class Failure:
    """Connections that failed alike (RFC 8460 §4.3)."""

    problem: str
    count: int
    host: str
    local_address: str = ""
    address: str = ""
    words: str = ""


@frozen(kw_only=True)
class PolicyResult:
    """How it went under one policy."""

    kind: str
    """``sts``, ``tlsa`` or ``no-policy-found``."""
    lines: Sequence[str] = ()
    hosts: Sequence[str] = ()
    """The mx patterns of the policy."""
    successes: int = 0
    failures: Sequence[Failure] = ()


@frozen(kw_only=True)
class TLSReport:
    """One day of one domain."""

    organization: str
    contact: str
    id: str
    domain: str
    """A-labels."""
    day: str
    """``2026-11-21``, UTC."""
    results: Sequence[PolicyResult]

    @property
    def filename(self) -> str:
        """RFC 8460 §5.1."""
        begin, end = _bounds(self.day)
        stamps = f"{int(begin.timestamp())}!{int(end.timestamp())}"
        return f"{self.organization}!{self.domain}!{stamps}!{self.id}.json.gz"

    def to_json(self) -> bytes:
        """RFC 8460 §4.4."""
        begin, end = _bounds(self.day)
        report = {
            "organization-name": self.organization,
            "date-range": {
                "start-datetime": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
                "end-datetime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            },
            "contact-info": self.contact,
            "report-id": self.id,
            "policies": [self._policy(result) for result in self.results],
        }
        return json.dumps(report, ensure_ascii=False, indent=1).encode()

    def compressed(self) -> bytes:
        """As ``application/tlsrpt+gzip`` (RFC 8460 §5.3)."""
        return gzip.compress(self.to_json(), mtime=0)

    def _policy(self, result: PolicyResult) -> dict[str, object]:
        policy: dict[str, object] = {
            "policy-type": result.kind,
            "policy-domain": self.domain,
        }
        if result.lines:
            policy["policy-string"] = list(result.lines)
        if result.hosts:
            policy["mx-host"] = list(result.hosts)
        told: dict[str, object] = {
            "policy": policy,
            "summary": {
                "total-successful-session-count": result.successes,
                "total-failure-session-count": sum(
                    failure.count for failure in result.failures
                ),
            },
        }
        if result.failures:
            told["failure-details"] = [_failure(one) for one in result.failures]
        return told


def _failure(failure: Failure) -> dict[str, object]:
    told: dict[str, object] = {"result-type": failure.problem}
    if failure.local_address:
        told["sending-mta-ip"] = failure.local_address
    told["receiving-mx-hostname"] = failure.host
    if failure.address:
        told["receiving-ip"] = failure.address
    told["failed-session-count"] = failure.count
    if failure.words:
        told["failure-reason-code"] = failure.words
    return told


def _bounds(day: str) -> tuple[datetime, datetime]:
    begin = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    return begin, begin + timedelta(days=1, seconds=-1)
