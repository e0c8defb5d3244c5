"""What DNS says of a domain, judged record by record: pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from mailkit.errors import Malformed
from mailkit.interfaces.resolver import Answer, MXRecord
from mailkit.model.inward import may_be_reached
from mailkit.model.tlspolicy import TLSARecord
from mailkit.services.doctor.finding import Finding, good, note, wrong
from mailkit.trust.dkim.keys import PublicKey, read_record
from mailkit.trust.tls.tlsrpt import read_targets

_SPF = re.compile(r"v=spf1( .*)?", re.I)


def publish(name: str, kind: str, value: str) -> str:
    """The next step where a record is missing, or another one."""
    return f"publish: {name}. {kind} {value}"


def judge_mx(domain: str, host: str, answer: Answer[MXRecord]) -> Finding:
    """Whether mail for a domain comes to us (RFC 5321 §5.1)."""
    step = publish(domain, "MX", f"10 {host}.")
    if not answer.exists:
        return wrong("MX", f"DNS knows no {domain}", f"register it, then {step}")
    if not answer.records:
        words = f"there is none: mail goes to the address of {domain} itself, if any"
        return wrong("MX", words, step)
    if any(not record.host for record in answer.records):
        return wrong("MX", f"{domain} says that it takes no mail (null MX)", step)
    hosts = [record.host for record in sorted(answer.records)]
    if host not in hosts:
        return wrong("MX", f"mail goes to {', '.join(hosts)}, not to {host}", step)
    if hosts[0] != host:
        before = ", ".join(hosts[: hosts.index(host)])
        return note("MX", f"{before} comes before {host}", "right for a backup MX only")
    return good("MX", f"mail goes to {', '.join(hosts)}")


def judge_host(
    host: str, answer: Answer[str], ours: Sequence[str] = ()
) -> list[Finding]:
    """
    Whether the host that the MX names can be reached.

    :param ours: ``[nameserver] addresses``.
    """
    subject = "address"
    if not answer.records:
        kind = "A" if not ours or ":" not in ours[0] else "AAAA"
        value = ours[0] if ours else "and the public address of this machine"
        step = publish(host, kind, value)
        return [wrong(subject, f"{host} has no address in DNS", step)]
    if answer.name != host:
        words = f"{host} is an alias of {answer.name}, which an MX may not name"
        step = "publish A and AAAA records instead of the CNAME (RFC 5321 §5.1)"
        return [wrong(subject, words, step)]
    inward = [each for each in answer.records if not may_be_reached(each)]
    if inward:
        words = f"{', '.join(inward)} cannot be reached from outside"
        return [wrong(subject, words, f"publish the public address of {host}")]
    missing = sorted(set(map(_folded, ours)) - set(map(_folded, answer.records)))
    strange = sorted(set(map(_folded, answer.records)) - set(map(_folded, ours)))
    if ours and (missing or strange):
        words = f"DNS says {', '.join(answer.records)}, the config {', '.join(ours)}"
        step = "make [nameserver] addresses and the records of DNS the same"
        return [wrong(subject, words, step)]
    return [good(subject, f"{host} is at {', '.join(answer.records)}")]


def _folded(address: str) -> str:
    return str(ip_address(address))


def judge_spf(
    domain: str, host: str, addresses: Sequence[str], answer: Answer[bytes]
) -> Finding:
    """Whether our mail is said to be ours (RFC 7208)."""
    subject = "SPF"
    step = publish(domain, "TXT", '"v=spf1 mx -all"')
    texts = [text.decode("utf-8", "replace") for text in answer.records]
    found = [text for text in texts if _SPF.fullmatch(text)]
    if not found:
        return wrong(subject, "nobody is said to send for the domain", step)
    if len(found) > 1:
        words = f"there are {len(found)} records, so none of them counts"
        return wrong(subject, words, "keep one of them (RFC 7208 §4.5)")
    [text] = found
    terms = [term.lower() for term in text.split()[1:]]
    if {"all", "+all"} & set(terms):
        words = f'anybody may send for the domain: "{text}"'
        return wrong(subject, words, "end it with -all")
    if not any(_lets(term, domain, host, addresses) for term in terms):
        others = [term for term in terms if _is_elsewhere(term)]
        if others:
            words = f"whether we may send is said by others: {' '.join(others)}"
            return note(subject, words, 'put "mx" in front of them')
        return wrong(subject, f'it does not let us send: "{text}"', step)
    if not {"-all", "~all"} & set(terms) and not _is_elsewhere(terms[-1]):
        return note(subject, f'it forbids nobody to send: "{text}"', "add -all to it")
    return good(subject, text)


def _lets(term: str, domain: str, host: str, addresses: Sequence[str]) -> bool:
    """Whether a term of an SPF record lets our host send (RFC 7208 §5)."""
    name, _, value = term.removeprefix("+").partition(":")
    if name in ("mx", "a"):
        where = value or domain
        return where == domain if name == "mx" else where == host
    if name not in ("ip4", "ip6"):
        return False
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return any(ip_address(each) in network for each in addresses)


def _is_elsewhere(term: str) -> bool:
    return term.startswith(("include:", "redirect=", "exists:", "+include:"))


def judge_dkim(name: str, text: str, answer: Answer[bytes]) -> Finding:
    """
    Whether others can check what we sign (RFC 6376 §3.6).

    :param name: ``SELECTOR._domainkey.DOMAIN``
    :param text: what we publish, or would.
    """
    subject = f"DKIM {name.partition('.')[0]}"
    step = publish(name, "TXT", "as `mailkit domain dns` prints it")
    if not answer.records:
        return wrong(subject, "its key is not in DNS", step)
    if len(answer.records) > 1:
        words = f"there are {len(answer.records)} records where one counts"
        return wrong(subject, words, f"keep ours: {step}")
    try:
        theirs = read_record(answer.records[0].decode("utf-8", "replace"))
    except Malformed as error:
        return wrong(subject, str(error), step)
    if theirs is None:
        return wrong(subject, "its key was withdrawn", step)
    if not _is_same(theirs, read_record(text)):
        return wrong(subject, "another key is in DNS than we sign with", step)
    return good(subject, "its key is in DNS")


def _is_same(theirs: PublicKey, ours: PublicKey | None) -> bool:
    return type(theirs) is type(ours) and theirs == ours


def judge_dmarc(
    domain: str, where: str, answer: Answer[bytes], ours: str = ""
) -> Finding:
    """
    Whether others know what to do with forgeries (RFC 7489).

    :param where: the domain whose policy it is: this one, or one above it.
    :param ours: what we publish, or would.
    """
    subject = "DMARC"
    texts = [text.decode("utf-8", "replace") for text in answer.records]
    found = [text for text in texts if text.replace(" ", "").startswith("v=DMARC1")]
    step = publish(f"_dmarc.{domain}", "TXT", f'"{ours}"')
    if not found:
        return wrong(subject, "there is none: large providers refuse such mail", step)
    if len(found) > 1:
        words = f"there are {len(found)} records, so none of them counts"
        return wrong(subject, words, "keep one of them (RFC 7489 §6.6.3)")
    tags = dict(
        tag.strip().partition("=")[::2] for tag in found[0].split(";") if "=" in tag
    )
    policy = {name.strip(): value.strip() for name, value in tags.items()}.get("p", "")
    if policy not in ("none", "quarantine", "reject"):
        return wrong(subject, f'its policy is "{policy}", which is none', step)
    of = "" if where == domain else f", by {where}"
    if policy == "none":
        words = f"forgeries are let through (p=none){of}"
        return note(subject, words, "once all of your mail is signed: p=quarantine")
    return good(subject, f"p={policy}{of}")


def judge_tlsrpt(domain: str, ours: str, answer: Answer[bytes]) -> Finding:
    """Whether others tell us how TLS to us goes (RFC 8460 §3)."""
    targets = read_targets(answer.records)
    if targets:
        return good("TLS-RPT", f"reports go to {', '.join(targets)}")
    step = publish(f"_smtp._tls.{domain}", "TXT", f'"{ours}"')
    return note("TLS-RPT", "nobody tells us when TLS to us fails", step)


def judge_srv(name: str, value: str, answer: Answer[str]) -> Finding | None:
    """
    Whether a mail program finds a service (RFC 6186); ``None``: as it should be.

    :param value: what we publish: ``0 1 993 mail.example.org.``
    """
    found = [text.lower() for text in answer.records]
    is_off = value.endswith(" .")
    if value in found or (is_off and not found):
        return None
    step = publish(name, "SRV", value)
    if not found:
        words = "mail programs do not find it by themselves"
        return note(f"SRV {name.partition('.')[0]}", words, step)
    words = f"it says {', '.join(found)}"
    return wrong(f"SRV {name.partition('.')[0]}", words, step)


def judge_tlsa(
    name: str, ours: Sequence[TLSARecord], answer: Answer[TLSARecord]
) -> Finding:
    """
    Whether those who check DANE can send to us (RFC 7672).

    :param ours: what stands for our certificate.
    """
    said = [
        f"{one.usage} {one.selector} {one.matching_type} {one.association.hex()}"
        for one in ours
    ]
    step = publish(name, "TLSA", said[0] if said else "as `mailkit domain dns` has it")
    if not answer.records:
        return note("TLSA", "DANE is not offered", f"if the zone is signed, {step}")
    if not set(ours) & set(answer.records):
        words = "no record stands for our certificate: who checks cannot send to us"
        return wrong("TLSA", words, step)
    if not answer.authentic:
        words = "it is there, and is not seen to be signed by DNSSEC: nobody uses it"
        return note("TLSA", words, "put the DS record (`mailkit domain ds`) into the"
                    " parent zone, and ask by a resolver that validates")  # fmt: skip
    return good("TLSA", "it stands for our certificate, signed by DNSSEC")


def judge_reverse(
    address: str, host: str, names: Answer[str], confirmed: Sequence[str]
) -> Finding:
    """
    Whether an address has a name that leads back to it: many refuse mail otherwise.

    :param names: its PTR records.
    :param confirmed: those of the names that lead back.
    """
    subject = f"PTR {address}"
    step = f"ask whoever gave you {address} to name it {host} (reverse DNS)"
    if not names.records:
        return wrong(subject, "it has no name", step)
    if not confirmed:
        words = f"{', '.join(names.records)} does not lead back to it"
        return wrong(subject, words, step)
    if host not in confirmed:
        return note(subject, f"it is called {confirmed[0]}, we say {host}", step)
    return good(subject, f"{host}, and back")


def judge_listing(
    address: str, zone: str, answer: Answer[str], reasons: Sequence[bytes]
) -> Finding:
    """
    Whether an address stands on a DNS blocklist (RFC 5782 §2.1).

    :param answer: of the name that stands for the address.
    :param reasons: TXT records of it.
    """
    subject = f"blocklist {zone}"
    codes = answer.records
    if not codes:
        return good(subject, f"{address} is not on it")
    refusals = [code for code in codes if code.startswith("127.255.255.")]
    if refusals or not all(code.startswith("127.") for code in codes):
        words = f"it does not answer questions that come this way ({codes[0]})"
        step = "ask by a resolver of your own: [dns] servers"
        return note(subject, words, step)
    why = "; ".join(text.decode("utf-8", "replace") for text in reasons)
    words = f"{address} is on it ({', '.join(codes)}){': ' if why else ''}{why}"
    step = "end what it was listed for, then ask for removal on the list's page"
    return wrong(subject, words, step)


def judge_validation(is_authentic: bool) -> Finding:
    """Whether a validating resolver vouches for what we are told (RFC 4035 §3.2.3)."""
    subject = "DNSSEC"
    if is_authentic:
        return good(subject, "answers are validated on this machine")
    words = "answers are not validated: DANE of others is not used"
    step = 'run Unbound on this machine, and set [dns] servers = ["127.0.0.1"]'
    return note(subject, words, step)
