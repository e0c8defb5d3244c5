"""Signed zones: every answer and every absence can be checked (RFC 4035 §3.1)."""

from __future__ import annotations

from pathlib import Path

import dns.dnssec
import dns.exception
import dns.name
import dns.rdatatype
import dns.rrset
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from dns.flags import Flag
from dns.message import Message
from dns.name import Name
from dns.node import Node
from dns.rcode import Rcode
from dns.rdataset import Rdataset
from dns.rdatatype import RdataType
from dns.rrset import RRset

from mailkit.config.units import DAY
from mailkit.errors import BadZone, StorageBroken
from mailkit.model.dnsrecord import DNSRecord
from mailkit.net.nameserver import making
from mailkit.net.nameserver.making import (
    complete,
    digest_of,
    make_zone,
    merge,
    read_records,
    read_zone_file,
)
from mailkit.net.nameserver.server import Way
from mailkit.net.nameserver.signing import keep_key, read_key
from mailkit.testing.at_once import at_once
from mailkit.testing.clock import NEW_YEAR
from tests.net.nameserver.doubles import RECIPE, Served, lines

ORIGIN = dns.name.from_text("example.org")
ZONE = """
$TTL 3600
@           MX    10 mail
mail        A     192.0.2.1
deep.a.b    A     192.0.2.3
www         CNAME mail
yonder      CNAME elsewhere.test.
tree        DNAME elsewhere.test.
*.wild      TXT   "any"
child       NS    ns.child
ns.child    A     192.0.2.99
safe        NS    ns.safe
safe        DS    1 13 2 {digest}
ns.safe     A     192.0.2.98
""".format(digest="ab" * 32)


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path, {"example.org": ZONE}, signs=True)


def check(served: Served, response: Message) -> set[tuple[str, str]]:
    """Validate all that is signed; names and kinds that were."""
    keys = served.ask("example.org", "DNSKEY", proofs=True, way=Way.TCP).answer[0]
    checked: set[tuple[str, str]] = set()
    for section in (response.answer, response.authority):
        for rrset in section:
            if rrset.rdtype != RdataType.RRSIG:
                continue
            covered = rrset[0].type_covered
            [signed] = [
                one
                for one in section
                if one.name == rrset.name and one.rdtype == covered
            ]
            known: dict[Name, Node | Rdataset] = {ORIGIN: keys}
            dns.dnssec.validate(signed, rrset, known, None, served.clock.seconds())
            checked.add((signed.name.to_text(), dns.rdatatype.to_text(covered)))
    return checked


def nsecs(response: Message) -> list[str]:
    return [one.name.to_text() for one in response.authority if one.rdtype == 47]


def test_what_is_there(served: Served) -> None:
    response = served.ask("mail.example.org", "A", proofs=True)
    assert check(served, response) == {("mail.example.org.", "A")}
    response = served.ask("www.example.org", "A", proofs=True)
    assert check(served, response) == {
        ("www.example.org.", "CNAME"),
        ("mail.example.org.", "A"),
    }
    response = served.ask("example.org", "RRSIG", way=Way.TCP)
    assert {one.covers for one in response.answer} >= {RdataType.SOA, RdataType.MX}


def test_nobody_gets_proofs_who_did_not_ask(served: Served) -> None:
    for name, kind in (("mail.example.org", "A"), ("nobody.example.org", "A")):
        response = served.ask(name, kind)
        kinds = {one.rdtype for one in response.answer + response.authority}
        assert not kinds & {RdataType.RRSIG, RdataType.NSEC}
    for name in ("yonder.example.org", "x.tree.example.org"):  # out of our zones
        response = served.ask(name, "A")
        kinds = {one.rdtype for one in response.answer}
        assert kinds <= {RdataType.CNAME, RdataType.DNAME}
        assert kinds
    assert served.ask("safe.example.org", "A").authority[0].rdtype == RdataType.NS
    assert len(served.ask("safe.example.org", "A").authority) == 1
    assert served.ask("example.org", "NSEC").answer
    assert served.ask("example.org", "DNSKEY").answer


def test_what_is_not_there(served: Served) -> None:
    """RFC 4035 §3.1.3.2: that of the name, and that of a wildcard."""
    response = served.ask("nobody.example.org", "A", proofs=True)
    assert response.rcode() == Rcode.NXDOMAIN
    assert nsecs(response) == ["mail.example.org.", "example.org."]
    assert len(check(served, response)) == 3
    soa, *_, nsec, _ = response.authority
    assert (soa.rdtype, soa.ttl) == (RdataType.SOA, 300)
    assert (nsec.rdtype, nsec.ttl) == (RdataType.NSEC, 300)  # RFC 9077 §3


def test_no_such_record(served: Served) -> None:
    """RFC 4035 §3.1.3.1; names without records have no NSEC of their own."""
    response = served.ask("mail.example.org", "TXT", proofs=True)
    assert nsecs(response) == ["mail.example.org."]
    assert any(one.endswith("A RRSIG NSEC") for one in lines(response.authority))
    check(served, response)
    response = served.ask("b.example.org", "A", proofs=True)
    assert nsecs(response) == ["example.org."]
    check(served, response)


def test_wildcards(served: Served) -> None:
    """RFC 4035 §3.1.3.3: the name itself is not there, RFC 4035 §3.1.3.4."""
    response = served.ask("x.y.wild.example.org", "TXT", proofs=True)
    checked = check(served, response)
    assert ("x.y.wild.example.org.", "TXT") in checked
    assert nsecs(response) == ["*.wild.example.org."]
    response = served.ask("x.y.wild.example.org", "A", proofs=True)
    assert nsecs(response) == ["*.wild.example.org."]
    check(served, response)


def test_delegations(served: Served) -> None:
    """RFC 4035 §3.1.4: DS, or the proof that there is none."""
    response = served.ask("a.safe.example.org", "A", proofs=True)
    assert check(served, response) == {("safe.example.org.", "DS")}
    response = served.ask("a.child.example.org", "A", proofs=True)
    assert check(served, response) == {("child.example.org.", "NSEC")}
    assert lines(response.authority)[0].endswith("NS RRSIG NSEC")
    response = served.ask("child.example.org", "DS", proofs=True)
    assert response.flags & Flag.AA
    assert nsecs(response) == ["child.example.org."]
    glue = served.ask("ns.child.example.org", "A", proofs=True)
    assert not glue.answer


def test_any(served: Served) -> None:
    """RFC 8482 §4.2, signed."""
    response = served.ask("mail.example.org", "ANY", proofs=True)
    assert check(served, response) == {("mail.example.org.", "HINFO")}
    response = served.ask("x.wild.example.org", "ANY", proofs=True)
    assert check(served, response) == {("x.wild.example.org.", "HINFO")}


def test_signatures_are_renewed_in_time(served: Served) -> None:
    def ends() -> float:
        response = served.ask("mail.example.org", "A", proofs=True)
        return float(response.answer[1][0].expiration)

    def serial() -> int:
        return int(served.ask("example.org", "SOA").answer[0][0].serial)

    first, number = ends(), serial()
    assert first == NEW_YEAR + 14 * DAY
    served.clock.advance(6.9 * DAY)
    assert ends() == first
    served.clock.advance(0.2 * DAY)
    at_once(served.book.look())
    ends()  # the one before is served while the next is made
    assert ends() == first + 7 * DAY
    assert serial() > number


def test_a_zone_that_others_signed(tmp_path: Path) -> None:
    """It is served as it is; for ANY there is one kind of record (RFC 8482 §4.1)."""
    served = Served(tmp_path, {"example.org": ZONE}, signs=True)
    served.ask("example.org", "SOA")
    zone = served.book._entries[ORIGIN].zone
    assert zone is not None
    text = "\n".join(one.to_text() for one in list(zone.everything())[:-1])
    other = Served(tmp_path / "other", {"example.org": text}, signs=True)
    for name, kind in (("mail.example.org", "A"), ("nobody.example.org", "A")):
        first = served.ask(name, kind, proofs=True, id=1).to_text()
        assert other.ask(name, kind, proofs=True, id=1).to_text() == first
    for name in ("mail.example.org", "x.y.wild.example.org"):
        response = other.ask(name, "ANY", proofs=True)
        assert check(other, response)
        assert response.answer[0].rdtype in (RdataType.A, RdataType.TXT)
    assert not (tmp_path / "other" / "keys").exists()


def test_a_zone_within_another(tmp_path: Path) -> None:
    """The parent of ours has NS and DS of the child of ours (RFC 4035 §2.4)."""
    zones = {"example.org": ZONE, "a.example.org": "@ A 192.0.2.9"}
    served = Served(tmp_path, zones, signs=True)
    response = served.ask("a.example.org", "DS", proofs=True)
    assert ("a.example.org.", "DS") in check(served, response)
    child = dns.name.from_text("a.example.org")
    key = at_once(served.book.key(child))
    assert key is not None
    assert response.answer[0][0] == key.ds
    assert served.ask("a.example.org", "A").answer[0][0].address == "192.0.2.9"
    assert served.ask("mail.example.org", "DS").answer == []


# -- keys


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """Algorithm 13 (RFC 6605 §2)."""
    folder = tmp_path / "keys"
    first = keep_key(folder, ORIGIN)
    second = keep_key(folder, ORIGIN)
    assert first.ds == second.ds
    [file] = list(folder.iterdir())
    assert file.name == "example.org.pem"
    assert file.stat().st_mode & 0o777 == 0o600
    assert (first.public.flags, first.public.algorithm) == (257, 13)
    assert "private" not in repr(first).lower().replace("privatekey", "")


def test_keys_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(StorageBroken, match="no key"):
        read_key(ORIGIN, b"nonsense", "x.pem")
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for other in (
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
    ):
        with pytest.raises(StorageBroken, match="P-256"):
            read_key(ORIGIN, other.private_bytes(*form), "x.pem")
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageBroken, match="file"):
        keep_key(tmp_path / "file", ORIGIN)


# -- making


def read(text: str) -> list[RRset]:
    return read_zone_file(text, ORIGIN)


def test_zone_files_say_which_line_is_wrong() -> None:
    for text, complaint in (
        ("@ A 192.0.2.1\n\n; b\n@ A nonsense\n@ A 1", r"^line 4: .*: @ A nonsense$"),
        ('a TXT "b\nc A 192.0.2.1\n', '^line 1: newline in quoted string: a TXT "b$'),
        ("b A 192.0.2.1\nb TXT (\n a\n", r"^line 2: "),
        ("a A 192.0.2.1\na CNAME b\nb A 192.0.2.1", "^line 2: .*CNAME"),
        ("a BLAH c", "^line 1: unknown rdatatype 'BLAH': a BLAH c$"),
        ("$INCLUDE /etc/passwd\n", "^line 1: .*not allowed"),
        (
            "@ A 192.0.2.1\nmail.other.test. 60 A 192.0.2.2 ; glue\nb A 192.0.2.1",
            r"^line 2: mail\.other\.test\. is outside of the zone: mail\.other",
        ),
        ("b A 192.0.2.1\n$ORIGIN test.\n\na A 192.0.2.1", r"^line 4: a\.test\. is out"),
        ("$GENERATE 1-2 a$.test. A 192.0.2.$", r"^line 1: a1\.test\. is out"),
    ):
        with pytest.raises(BadZone, match=complaint):
            read(text)
    assert read("") == []


def test_a_zone_file_may_begin_anywhere() -> None:
    [one] = read("$ORIGIN test.\n$ORIGIN org.\nwww.example A 192.0.2.1\n")
    assert one.name.to_text() == "www.example.org."
    [one] = read("$ORIGIN .\nWWW.Example.ORG A 192.0.2.1\n")
    assert one.name == dns.name.from_text("www.example.org")


def test_one_line_cannot_stand_for_any_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(making, "MOST_GENERATED", 10)
    ten = "$GENERATE 1-10 {}$ A 192.0.2.$\n"
    assert len(read(ten.format("a") + ten.format("b"))) == 20
    with pytest.raises(BadZone, match="line 2: that stands for more than 10 records"):
        read("b A 192.0.2.1\n$GENERATE 1-4000000000 a$ A 192.0.2.1")


def test_what_contradicts_itself() -> None:
    def make(text: str) -> None:
        make_zone(complete(read(text), ORIGIN, RECIPE, 1), ORIGIN, None, 0.0)

    with pytest.raises(BadZone, match="NSEC3"):
        make("@ NSEC3PARAM 1 0 0 -")
    with pytest.raises(BadZone, match="CNAME"):
        make("a CNAME b\na A 192.0.2.1")
    alias = dns.rrset.from_text("example.org.", 60, "IN", "CNAME", "b.test.")
    with pytest.raises(BadZone, match="alias"):
        make_zone([alias, *complete([], ORIGIN, RECIPE, 1)], ORIGIN, None, 0.0)
    foreign = dns.rrset.from_text("other.test.", 60, "IN", "A", "192.0.2.1")
    with pytest.raises(BadZone, match="not in"):
        make_zone([foreign], ORIGIN, None, 0.0)
    with pytest.raises(BadZone, match="no SOA"):
        make_zone(read("@ A 192.0.2.1"), ORIGIN, None, 0.0)


def test_records_of_the_directory() -> None:
    records = [
        DNSRecord("example.org", "A", "192.0.2.1"),
        DNSRecord("example.org", "A", "192.0.2.2"),
        DNSRecord("example.org", "TXT", '"x"', 60),
    ]
    assert [len(one) for one in read_records(records)] == [2, 1]
    with pytest.raises(BadZone, match=r"example\.org A"):
        read_records([DNSRecord("example.org", "A", "nonsense")])


def test_merging() -> None:
    first = read("@ MX 5 mine\nwww A 192.0.2.1\nalias CNAME www\n")
    then = read(
        "@ MX 10 made\n@ TXT x\nwww CNAME made\nalias A 192.0.2.2\nnew A 192.0.2.3"
    )
    merged = {
        (str(one.name.relativize(ORIGIN)), one.rdtype.name)
        for one in merge(first, then)
    }
    assert merged == {
        ("@", "MX"),
        ("@", "TXT"),
        ("www", "A"),
        ("alias", "CNAME"),
        ("new", "A"),
    }
    assert len(merge(first, then)) == 5


def test_the_digest_knows_contents_only() -> None:
    first = read("@ MX 5 a\n@ MX 6 b\nwww A 192.0.2.1")
    second = read("www A 192.0.2.1\n@ MX 6 b\n@ MX 5 a")
    assert digest_of(first) == digest_of(second)
    assert digest_of(first) != digest_of(read("@ MX 5 a"))
