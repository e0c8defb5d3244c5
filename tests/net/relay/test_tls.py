"""TLS with a host, real on both sides: what each policy makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID
from OpenSSL import SSL
from twisted.internet.address import IPv4Address, UNIXAddress

from mailkit.errors import NeedsTLS, Unreachable
from mailkit.interfaces.queue import NextHost
from mailkit.model.address import DomainName
from mailkit.model.queueitem import NextHop
from mailkit.model.tlspolicy import TLSARecord, TLSLevel, TLSPolicy
from mailkit.net.relay import tls
from mailkit.net.relay.dane import problem_by_dane
from mailkit.net.relay.names import fits, names_of
from mailkit.net.relay.tls import (
    Handshake,
    is_address,
    make_client_context,
    words_of_failure,
)
from mailkit.net.tls import ServerTLS
from tests.net.relay.authority import Certified, certify
from tests.net.relay.sink import HANG, HELLO, Answers
from tests.net.relay.world import SINK, World, commands, item, lmtp, told

OFFER = HELLO.replace("250-PIPELINING", "250-PIPELINING\n250-STARTTLS")
NAME = "mx.sink.test"
SENT = ["a sent 2.0.0 250 2.0.0 Taken"]
SAYS = "mx.sink.test [192.0.2.1]:25: "

LEVEL = TLSLevel
LOOPBACK = IPv4Address("TCP", "127.0.0.1", 25)


@frozen
class Papers:
    """All that a test may show."""

    root: Certified
    middle: Certified
    good: Certified
    others: Certified
    old: Certified
    early: Certified
    star: Certified
    stranger: Certified
    nameless: Certified


@pytest.fixture(scope="module")
def papers() -> Papers:
    root = certify("Root", is_authority=True)
    middle = certify("Middle", by=root, is_authority=True)
    return Papers(
        root,
        middle,
        good=certify("x", NAME, by=middle),
        others=certify("x", "mx.other.test", by=middle),
        old=certify("x", "mx.other.test", by=middle, is_old=True),
        early=certify("x", NAME, by=middle, is_early=True),
        star=certify("x", "*.sink.test", by=middle),
        stranger=certify("x", NAME),
        nameless=certify(NAME, by=middle),
    )


def world(
    tmp_path: Path,
    papers: Papers,
    shown: str = "good",
    answers: Answers | None = None,
    **about: Any,  # of `ScriptedHost`
) -> World:
    leaf: Certified = getattr(papers, shown)
    above = () if shown == "stranger" else (papers.middle, papers.root)
    pair = leaf.write(tmp_path / "shown", *above)
    roots = papers.root.write(tmp_path / "root").certificate
    return World(
        {"EHLO": OFFER, **(answers or {})},
        roots=str(roots).encode(),
        tls=ServerTLS((pair,)),
        **about,
    )


def host(level: TLSLevel, *names: str, is_testing: bool = False) -> NextHost:
    policy = TLSPolicy(
        level=level, names=names or (NAME,), origin="mta-sts", is_testing=is_testing
    )
    return evolve(SINK, policy=policy)


def dane(*records: TLSARecord, names: tuple[str, ...] = (NAME,)) -> NextHost:
    policy = TLSPolicy(level=LEVEL.DANE, names=names, tlsa=records, origin="dane")
    return evolve(SINK, policy=policy)


def result(world: World) -> tuple[str, str]:
    """How the only connection that counts went, as reports tell it."""
    (told,) = world.tls
    assert (told.domain, told.host, told.address) == (
        "sink.test", NAME, "192.0.2.1",
    )  # fmt: skip
    return told.problem, told.words


@pytest.mark.parametrize("level", [LEVEL.OPPORTUNISTIC, LEVEL.ENCRYPT])
def test_any_certificate(tmp_path: Path, papers: Papers, level: TLSLevel) -> None:
    here = world(tmp_path, papers, "stranger")
    carried = here.carry(item(), host=host(level))
    assert told(carried) == SENT
    assert carried.tls.startswith("TLSv1.3 TLS_")
    assert "checked" not in carried.tls
    assert [line.split(" ")[0] for line in commands(here)] == [
        "EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA",
    ]  # fmt: skip
    assert result(here) == ("", "")


def test_the_name_is_asked_for(tmp_path: Path, papers: Papers) -> None:
    asked: list[bytes | None] = []
    here = world(tmp_path, papers)
    creator = here.host.tls
    assert isinstance(creator, ServerTLS)
    creator._default.set_tlsext_servername_callback(
        lambda connection: asked.append(connection.get_servername())
    )
    here.carry(item(), host=host(LEVEL.OPPORTUNISTIC))
    here.carry(item(), host=evolve(SINK, name="192.0.2.1", port=26))
    assert asked == [NAME.encode(), None]


def test_dane_asks_for_the_name_that_has_the_records(
    tmp_path: Path, papers: Papers
) -> None:
    """That may be where an alias led to (RFC 7672 §8.1)."""
    asked: list[bytes | None] = []
    here = world(tmp_path, papers)
    creator = here.host.tls
    assert isinstance(creator, ServerTLS)
    creator._default.set_tlsext_servername_callback(
        lambda connection: asked.append(connection.get_servername())
    )
    record = papers.good.record(3, 1, 1)
    here.carry(item(), host=dane(record, names=("real.sink.test", NAME)))
    assert asked == [b"real.sink.test"]


def test_tls_first(tmp_path: Path, papers: Papers) -> None:
    here = world(tmp_path, papers, tls_first=True)
    first = evolve(host(LEVEL.PKIX), tls_first=True)
    carried = here.carry(item(), host=first)
    assert told(carried) == SENT
    assert carried.tls.endswith(", checked by mta-sts")
    assert commands(here)[0] == "EHLO us.test"


def test_tls_first_fails(tmp_path: Path, papers: Papers) -> None:
    """There is no other way in."""
    here = world(tmp_path, papers)
    first = evolve(host(LEVEL.OPPORTUNISTIC), tls_first=True)
    with pytest.raises(Unreachable, match="TLS failed: "):
        here.carry(item(), host=first)
    assert len(here.host.sinks) == 1


NOT_THERE = "starttls-not-supported"


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"EHLO": HELLO}, "it offers no STARTTLS"),
        ({"STARTTLS": "454 4.7.0 Not now"},
         "it refused STARTTLS: 454 4.7.0 Not now"),
        ({"STARTTLS": "501 No"}, "it refused STARTTLS: 501 No"),
        ({"STARTTLS": "250 Ok"}, "it refused STARTTLS: 250 Ok"),
    ],
)  # fmt: skip
def test_no_tls(tmp_path: Path, papers: Papers, answers: Answers, words: str) -> None:
    for level in (LEVEL.ENCRYPT, LEVEL.PKIX, LEVEL.DANE):
        here = world(tmp_path, papers, answers=answers)
        with pytest.raises(Unreachable) as caught:
            here.carry(item(), host=host(level))
        demand = "its MTA-STS policy demands TLS"
        assert str(caught.value) == f"{SAYS}{words} ({demand})"
        assert caught.value.status == "4.7.5"
        assert result(here) == (NOT_THERE, words)
        here.pass_time(20)
        assert commands(here)[-1] == "QUIT"
    for forgiving in (host(LEVEL.OPPORTUNISTIC), host(LEVEL.PKIX, is_testing=True)):
        here = world(tmp_path, papers, answers=answers)
        carried = here.carry(item(), host=forgiving)
        assert (told(carried), carried.tls) == (SENT, "")
        assert result(here) == (NOT_THERE, words)
        assert len(here.host.sinks) == 1


@pytest.mark.parametrize("fails", ["nonsense", "cut", "hang"])
def test_the_handshake_fails(tmp_path: Path, papers: Papers, fails: str) -> None:
    def start_tls_badly(here: World) -> None:
        sink = here.host.sinks[0]

        def badly() -> None:
            transport = sink.transport
            assert transport is not None
            if fails == "cut":
                transport.loseConnection()
            elif fails == "nonsense":
                transport.write(b"220 I mean it\r\n" * 5)
            sink._is_deaf = True

        sink.start_tls = badly  # type: ignore[method-assign]

    def carried(target: NextHost) -> World:
        here = world(tmp_path, papers, answers={"STARTTLS": HANG})
        found = here.begin(item(), host=target)
        sink = here.host.sinks[0]
        start_tls_badly(here)
        here.host.answers["STARTTLS"] = "220 Begin"
        assert sink.transport is not None
        sink.transport.write(b"220 Begin\r\n")
        here.net.flow()
        sink.start_tls()
        here.net.flow()
        here.pass_time(100)
        here.found = found[0]  # type: ignore[attr-defined]
        return here

    for level in (LEVEL.ENCRYPT, LEVEL.PKIX):
        here = carried(host(level))
        failure = here.found  # type: ignore[attr-defined]
        assert "TLS failed" in str(failure.value)
        assert failure.value.status == "4.7.5"
        assert here.tls[0].problem == "validation-failure"
    for forgiving in (host(LEVEL.OPPORTUNISTIC), host(LEVEL.PKIX, is_testing=True)):
        here = carried(forgiving)
        came = here.found  # type: ignore[attr-defined]
        assert (told(came), came.tls) == (SENT, "")
        assert len(here.host.sinks) == 2
        assert "STARTTLS" not in here.host.sinks[1].heard
        assert result(here)[0] == "validation-failure"


def test_in_the_clear_it_fails_too(tmp_path: Path, papers: Papers) -> None:
    """Once, not for ever."""
    here = world(tmp_path, papers, answers={"STARTTLS": "220 Begin"})
    here.host.later = {**here.host.answers, "greeting": "554 No"}
    here.host.secure_hello = HANG
    with pytest.raises(Unreachable, match="greeted with 554"):
        here.carry(item(), host=host(LEVEL.OPPORTUNISTIC))
    assert len(here.host.sinks) == 2


def test_something_behind_starttls(tmp_path: Path, papers: Papers) -> None:
    """Words that somebody else may have put there (RFC 3207 §6)."""
    here = world(tmp_path, papers, answers={"STARTTLS": HANG})
    found = here.begin(item(), host=host(LEVEL.ENCRYPT))
    here.net.wires[0][1].write(b"220 Begin\r\n250 sink.test\r\n")
    here.net.flow()
    assert "something came behind the reply to STARTTLS" in str(found[0])


PKIX: list[tuple[str, str, tuple[str, ...], str, str]] = [
    ("good", "good", (NAME,), "", ""),
    ("good, other case", "good", ("MX.Sink.Test.",), "", ""),
    ("by pattern", "good", ("*.sink.test",), "", ""),
    ("star", "star", (NAME,), "", ""),
    ("nameless", "nameless", (NAME,), "", ""),
    ("one of two", "good", ("mx2.sink.test", NAME), "", ""),
    ("another's", "others", (NAME,), "certificate-host-mismatch",
     "its certificate is for mx.other.test"),
    ("pattern of another", "good", ("*.other.test",), "certificate-host-mismatch",
     "its certificate is for mx.sink.test"),
    ("old", "old", ("mx.other.test",), "certificate-expired",
     "its certificate has expired"),
    ("early", "early", (NAME,), "certificate-expired",
     "its certificate is not good yet"),
    ("stranger", "stranger", (NAME,), "certificate-not-trusted",
     "its certificate is signed by itself"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "names", "problem", "words"),
    [row[1:] for row in PKIX],
    ids=[row[0] for row in PKIX],
)
def test_pkix(
    tmp_path: Path, papers: Papers,
    shown: str, names: tuple[str, ...], problem: str, words: str,
) -> None:  # fmt: skip
    here = world(tmp_path, papers, shown)
    if problem:
        with pytest.raises(Unreachable) as caught:
            here.carry(item(), host=host(LEVEL.PKIX, *names))
        demand = f"its MTA-STS policy demands one for {', '.join(names)}"
        assert str(caught.value) == f"{SAYS}{words} ({demand})"
        assert "MAIL" not in "".join(commands(here))
        lenient = world(tmp_path, papers, shown)
        carried = lenient.carry(item(), host=host(LEVEL.PKIX, *names, is_testing=True))
        assert told(carried) == SENT
        assert "checked" not in carried.tls
        assert result(lenient) == (problem, words)
    else:
        carried = here.carry(item(), host=host(LEVEL.PKIX, *names))
        assert told(carried) == SENT
        assert carried.tls.endswith(", checked by mta-sts")
    assert result(here) == (problem, words)


MISMATCH = "mx.sink.test is not in the MTA-STS policy of sink.test"


def test_a_host_that_the_policy_does_not_name(tmp_path: Path, papers: Papers) -> None:
    """RFC 8461 §5: nothing goes there, and it is counted."""
    here = world(tmp_path, papers)
    strict = host(LEVEL.PKIX)
    strict = evolve(strict, policy=evolve(strict.policy, mismatch=MISMATCH))
    with pytest.raises(Unreachable) as caught:
        here.carry(item(), host=strict)
    assert (str(caught.value), caught.value.status) == (MISMATCH, "4.7.5")
    assert here.host.sinks == []
    assert result(here) == ("validation-failure", MISMATCH)


@pytest.mark.parametrize(
    ("shown", "problem", "words"),
    [
        ("good", "validation-failure", MISMATCH),
        ("stranger", "certificate-not-trusted", ""),
    ],
)
def test_a_policy_that_is_tried_out_does_not_name_the_host(
    tmp_path: Path, papers: Papers, shown: str, problem: str, words: str
) -> None:
    """RFC 8461 §5: it is counted, and mail goes there all the same."""
    here = world(tmp_path, papers, shown)
    lenient = host(LEVEL.PKIX, is_testing=True)
    lenient = evolve(lenient, policy=evolve(lenient.policy, mismatch=MISMATCH))
    carried = here.carry(item(), host=lenient)
    assert told(carried) == SENT
    assert "checked" not in carried.tls
    found = result(here)
    assert found[0] == problem
    assert words in found[1]


def test_an_authority_that_we_do_not_know(tmp_path: Path, papers: Papers) -> None:
    pair = papers.good.write(tmp_path / "shown", papers.middle)
    other = certify("Other", is_authority=True).write(tmp_path / "root").certificate
    here = World({"EHLO": OFFER}, roots=str(other).encode(), tls=ServerTLS((pair,)))
    with pytest.raises(Unreachable, match="no authority that we know"):
        here.carry(item(), host=host(LEVEL.PKIX))


@pytest.mark.parametrize("matching_type", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("shown", ["good", "old", "stranger"])
def test_dane_end_entity(
    tmp_path: Path, papers: Papers, shown: str, selector: int, matching_type: int
) -> None:
    """Neither names nor dates nor authorities count (RFC 7672 §3.1.1)."""
    here = world(tmp_path, papers, shown)
    record = getattr(papers, shown).record(3, selector, matching_type)
    wrong = papers.others.record(3, selector, matching_type)
    carried = here.carry(item(), host=dane(wrong, record, names=()))
    assert told(carried) == SENT
    assert carried.tls.endswith(", checked by dane")
    other = world(tmp_path, papers, shown)
    with pytest.raises(Unreachable, match="none that DNS stands for"):
        other.carry(item(), host=dane(wrong))
    assert result(other)[0] == "validation-failure"


@pytest.mark.parametrize("matching_type", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("anchor", ["root", "middle"])
def test_dane_trust_anchor(
    tmp_path: Path, papers: Papers, anchor: str, selector: int, matching_type: int
) -> None:
    """The chain has to hold, and the name to fit (RFC 7672 §3.1.2)."""
    record = getattr(papers, anchor).record(2, selector, matching_type)
    carried = world(tmp_path, papers).carry(item(), host=dane(record))
    assert carried.tls.endswith(", checked by dane")
    rows = (
        ("others", (NAME,), "its certificate is for another host"),
        ("old", ("mx.other.test",), "certificate has expired"),
        ("stranger", (NAME,), "its certificate"),
    )
    for shown, names, words in rows:
        here = world(tmp_path, papers, shown)
        with pytest.raises(Unreachable, match=words):
            here.carry(item(), host=dane(record, names=names))


def test_dane_anchor_that_is_not_shown(tmp_path: Path, papers: Papers) -> None:
    """All of it is in DNS (RFC 7671 §5.2.2); what is no certificate is passed over."""
    pair = papers.good.write(tmp_path / "shown", papers.middle)
    nonsense = TLSARecord(2, 0, 0, b"nonsense")
    whole = papers.root.record(2, 0, 0)
    here = World({"EHLO": OFFER}, tls=ServerTLS((pair,)))
    assert told(here.carry(item(), host=dane(nonsense, whole))) == SENT


@pytest.mark.parametrize(
    "record",
    [
        TLSARecord(0, 1, 1, b"x" * 32),
        TLSARecord(1, 1, 1, b"x" * 32),
        TLSARecord(3, 2, 1, b"x" * 32),
        TLSARecord(3, 1, 1, b"x" * 31),
        TLSARecord(3, 1, 2, b"x" * 32),
        TLSARecord(3, 1, 3, b"x" * 32),
        TLSARecord(3, 1, 0, b""),
    ],
)
def test_dane_records_of_no_use(
    tmp_path: Path, papers: Papers, record: TLSARecord
) -> None:
    """TLS then, with any certificate; in the clear never (RFC 7672 §2.2)."""
    carried = world(tmp_path, papers, "stranger").carry(item(), host=dane(record))
    assert told(carried) == SENT
    assert carried.tls
    assert "checked" not in carried.tls
    with pytest.raises(Unreachable):
        world(tmp_path, papers, answers={"EHLO": HELLO}).carry(
            item(), host=dane(record)
        )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("not DER"),
        UnsupportedAlgorithm("a curve"),
        x509.DuplicateExtension("twice", ExtensionOID.SUBJECT_ALTERNATIVE_NAME),
        x509.UnsupportedGeneralNameType("X.400"),
    ],
)
def test_a_certificate_that_cannot_be_read(
    tmp_path: Path, papers: Papers, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(certificate: object) -> tuple[str, ...]:
        raise error

    monkeypatch.setattr(tls, "names_of", unreadable)
    here = world(tmp_path, papers)
    with pytest.raises(Unreachable, match="cannot be read"):
        here.carry(item(), host=host(LEVEL.PKIX))
    assert result(here) == ("validation-failure", "its certificate cannot be read")
    assert told(here.carry(item(), host=host(LEVEL.OPPORTUNISTIC))) == SENT


def test_a_name_that_is_too_long_to_be_asked_for(
    tmp_path: Path, papers: Papers
) -> None:
    here = world(tmp_path, papers)
    longest = evolve(host(LEVEL.OPPORTUNISTIC), name="\\001" * 100 + ".test")
    assert told(here.carry(item(), host=longest)) == SENT
    assert here.tls[0].problem == ""


def test_requiretls(tmp_path: Path, papers: Papers) -> None:
    """RFC 8689 §4.2.1: a certificate that is good, and the word."""
    offer = HELLO.replace("250-PIPELINING", "250-PIPELINING\n250-REQUIRETLS")
    here = world(tmp_path, papers, secure_hello=offer)
    assert told(here.carry(item(require_tls=True), host=host(LEVEL.PKIX))) == SENT
    assert [line for line in commands(here) if line.endswith(" REQUIRETLS")]
    with pytest.raises(NeedsTLS) as caught:
        here.carry(item(require_tls=True), host=host(LEVEL.OPPORTUNISTIC))
    assert caught.value.status == "5.7.10"
    other = world(tmp_path, papers)
    with pytest.raises(NeedsTLS) as caught:
        other.carry(item(require_tls=True), host=host(LEVEL.PKIX))
    assert caught.value.status == "5.7.30"
    # The connection is good for everything else.
    assert told(other.carry(item(), host=host(LEVEL.PKIX))) == SENT
    assert len(other.host.sinks) == 1


def test_what_is_not_reported(tmp_path: Path, papers: Papers) -> None:
    """Routes lead to the administrator's hosts; a report is not reported."""
    here = world(tmp_path, papers)
    by_route = evolve(item(), hop=NextHop(DomainName("sink.test"), "smarthost"))
    here.carry(by_route, host=host(LEVEL.OPPORTUNISTIC))
    here.carry(evolve(item(), is_tls_report=True), host=host(LEVEL.ENCRYPT))
    assert here.tls == []
    here.carry(item(), host=host(LEVEL.PKIX))
    assert len(here.tls) == 1


def test_requiretls_on_this_machine() -> None:
    """What LMTP delivers here goes no further."""
    for address in (LOOPBACK, UNIXAddress("/run/lmtp")):
        here = World(is_lmtp=True, address=address)
        assert told(here.carry(item(require_tls=True), host=lmtp())) == SENT
    with pytest.raises(NeedsTLS):
        World(is_lmtp=True).carry(item(require_tls=True), host=lmtp())


def test_a_unix_socket_needs_no_tls() -> None:
    here = World({"EHLO": OFFER}, address=UNIXAddress("/run/smtp"))
    assert told(here.carry(item(), host=host(LEVEL.ENCRYPT))) == SENT


def test_no_certificate_at_all() -> None:
    """TLS without one is not negotiated; if it were, it would be seen."""
    policy = dane(TLSARecord(3, 1, 1, b"x" * 32)).policy
    assert problem_by_dane(policy, []) == (
        "validation-failure",
        "it showed no certificate",
    )
    for level in (LEVEL.PKIX, LEVEL.DANE):
        policy = evolve(policy, level=level)
        handshake = Handshake(make_client_context(), NAME, policy)
        handshake.clientConnectionForTLS(None)  # type: ignore[arg-type]
        assert handshake.judge().words == "it showed no certificate"


@pytest.mark.parametrize(
    ("ours", "theirs", "is_fit"),
    [
        ("a.test", "a.test", True),
        ("A.TEST.", "a.test", True),
        ("b.a.test", "*.a.test", True),
        ("c.b.a.test", "*.a.test", False),
        ("a.test", "*.a.test", False),
        ("test", "*", False),
        ("a.test", "*.test", False),
        ("*.a.test", "b.a.test", True),
        ("*.a.test", "*.a.test", True),
        ("*.a.test", "c.b.a.test", False),
        ("b.a.test", "b*.a.test", False),
        ("", "*.a.test", False),
    ],
)
def test_names_that_fit(ours: str, theirs: str, is_fit: bool) -> None:
    assert fits(ours, theirs) is is_fit


def test_names_of(papers: Papers) -> None:
    assert names_of(papers.good.certificate) == (NAME,)
    assert names_of(papers.nameless.certificate) == (NAME,)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("192.0.2.1", True),
        ("[192.0.2.1]", True),
        ("2001:db8::1", True),
        ("[IPv6:2001:db8::1]", True),
        ("/run/lmtp", True),
        ("", True),
        ("mx.sink.test", False),
    ],
)
def test_is_address(name: str, is_one: bool) -> None:
    assert is_address(name) is is_one


@pytest.mark.parametrize(
    ("lost", "words"),
    [
        (None, "TLS failed"),
        (ValueError(), "TLS failed"),
        (SSL.Error(), "TLS failed"),
        (SSL.Error([("", "", "")]), "TLS failed"),
        (SSL.Error([("x", "y", "no shared cipher")]), "TLS failed: no shared cipher"),
    ],
)
def test_words_of_failure(lost: BaseException | None, words: str) -> None:
    assert words_of_failure(lost) == words
