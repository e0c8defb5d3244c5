"""What every `IResolver` has to do."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from zope.interface.verify import verifyObject

from mailkit.errors import DNSTrouble, LocalMisuse
from mailkit.interfaces.resolver import IResolver, MXRecord
from mailkit.model.tlspolicy import TLSARecord
from mailkit.testing.contracts.messages import coroutine

ZONE = (
    """
example.net.            300 MX    10 mx1.example.net.
example.net.            300 MX    20 MX2.Example.net.
example.net.            300 TXT   "v=spf1 " "-all"
example.net.            300 TXT   "other" "\\255"
mx1.example.net.        300 A     192.0.2.1
mx1.example.net.        300 AAAA  2001:db8::1
mx2.example.net.        300 A     192.0.2.2
_25._tcp.mx1.example.net. 300 TLSA 3 1 1 """
    + "ab" * 32
    + """
_imap._tcp.example.net. 300 SRV   0 1 143 mail.example.net.
www.example.net.         60 CNAME web.example.net.
web.example.net.        300 CNAME mx1.example.net.
gone.example.net.       300 CNAME nobody.example.net.
*.wild.example.net.     300 A     192.0.2.9
null.test.              300 MX    0 .
1.2.0.192.in-addr.arpa. 300 PTR   mx1.example.net.
1."""
    + "0." * 23
    + """8.b.d.0.1.0.0.2.ip6.arpa. 300 PTR mx1.example.net.
"""
)
"""What a provider has to be given before the tests of `ResolverContract`."""

BROKEN = "broken.test"
"""A name for which all that a provider could ask have to fail."""


class ResolverContract:
    """Names are looked up as the interface says."""

    resolver: IResolver
    """Knows `ZONE`, has trouble with `BROKEN`, and vouches for nothing."""

    def tearDown(self) -> Any:  # Any: trial takes a Deferred, its annotation None
        return Deferred.fromCoroutine(self.resolver.close())

    @coroutine
    async def test_it_provides_the_interface(self) -> None:
        verifyObject(IResolver, self.resolver)

    @coroutine
    async def test_mail_exchangers(self) -> None:
        answer = await self.resolver.mx("Example.NET")
        assert set(answer.records) == {
            MXRecord(10, "mx1.example.net"),
            MXRecord(20, "mx2.example.net"),
        }
        assert answer.name == "example.net"
        assert answer.exists
        assert not answer.authentic
        assert 0 < answer.ttl <= 300

    @coroutine
    async def test_a_null_mx_has_no_name(self) -> None:
        answer = await self.resolver.mx("null.test")
        assert answer.records == (MXRecord(0, ""),)

    @coroutine
    async def test_addresses(self) -> None:
        host = "mx1.example.net"
        assert (await self.resolver.ipv4(host)).records == ("192.0.2.1",)
        assert (await self.resolver.ipv6(host)).records == ("2001:db8::1",)
        both = await self.resolver.addresses(host)
        assert both.records == ("2001:db8::1", "192.0.2.1")

    @coroutine
    async def test_one_family_is_enough(self) -> None:
        answer = await self.resolver.addresses("mx2.example.net")
        assert answer.records == ("192.0.2.2",)
        assert answer.exists

    @coroutine
    async def test_strings_of_a_text_are_joined(self) -> None:
        answer = await self.resolver.txt("example.net")
        assert set(answer.records) == {b"v=spf1 -all", b"other\xff"}

    @coroutine
    async def test_certificates(self) -> None:
        answer = await self.resolver.tlsa("_25._tcp.mx1.example.net")
        assert answer.records == (TLSARecord(3, 1, 1, b"\xab" * 32),)

    @coroutine
    async def test_names_of_addresses(self) -> None:
        for address in ("192.0.2.1", "2001:db8::1"):
            answer = await self.resolver.names_of(address)
            assert answer.records == ("mx1.example.net",)
        assert not (await self.resolver.names_of("192.0.2.77")).exists
        assert not (await self.resolver.names_of("no address")).exists

    @coroutine
    async def test_any_kind_as_text(self) -> None:
        answer = await self.resolver.records("_imap._tcp.example.net", "SRV")
        assert answer.records == ("0 1 143 mail.example.net.",)
        for odd in ("NOSUCHKIND", "ANY"):
            try:
                await self.resolver.records("example.net", odd)
            except LocalMisuse:
                continue
            raise AssertionError(odd)

    @coroutine
    async def test_aliases_are_followed(self) -> None:
        answer = await self.resolver.ipv4("www.example.net")
        assert answer.records == ("192.0.2.1",)
        assert answer.name == "mx1.example.net"
        assert answer.ttl <= 60

    @coroutine
    async def test_an_alias_of_nothing(self) -> None:
        answer = await self.resolver.ipv4("gone.example.net")
        assert answer.records == ()
        assert answer.name == "nobody.example.net"
        assert not answer.exists

    @coroutine
    async def test_wildcards(self) -> None:
        """RFC 4592 §2.2: they stand in for any number of labels."""
        answer = await self.resolver.ipv4("any.thing.wild.example.net")
        assert answer.records == ("192.0.2.9",)
        assert answer.name == "any.thing.wild.example.net"

    @coroutine
    async def test_no_record_and_no_name(self) -> None:
        answer = await self.resolver.tlsa("example.net")
        assert (answer.records, answer.exists) == ((), True)
        answer = await self.resolver.tlsa("_tcp.mx1.example.net")
        assert (answer.records, answer.exists) == ((), True)
        answer = await self.resolver.tlsa("nobody.example.net")
        assert (answer.records, answer.exists) == ((), False)

    @coroutine
    async def test_what_cannot_be_a_name_does_not_exist(self) -> None:
        for odd in ("", "a..b", "ü.example.net", "x" * 64 + ".test", "a\x00b", "\\9"):
            answer = await self.resolver.ipv4(odd)
            assert (answer.records, answer.exists) == ((), False), odd

    @coroutine
    async def test_special_names(self) -> None:
        """RFC 6761 §6: never asked about."""
        for odd in ("mail.invalid", "x.onion"):
            assert not (await self.resolver.addresses(odd)).exists
        answer = await self.resolver.addresses("localhost")
        assert answer.records == ("::1", "127.0.0.1")
        assert (await self.resolver.mx("localhost")).records == ()

    @coroutine
    async def test_trouble(self) -> None:
        for ask in (self.resolver.mx, self.resolver.addresses, self.resolver.txt):
            try:
                await ask(BROKEN)
            except DNSTrouble:
                continue
            raise AssertionError(ask)

    @coroutine
    async def test_after_closing_there_is_trouble(self) -> None:
        await self.resolver.close()
        try:
            await self.resolver.mx("example.net")
        except DNSTrouble:
            return
        raise AssertionError("closed")
