"""Routes to servers: which hosts are asked, under which TLS, with which password."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import define, evolve, field
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mailkit.errors import DNSTrouble, NeedsTLS, Unreachable
from mailkit.interfaces.queue import Carried, IRelay, IRouteEnd, NextHost
from mailkit.interfaces.storage import IContent
from mailkit.model.queueitem import Fate, QueueItem, Report
from mailkit.model.target import ToLMTP, ToSmarthost
from mailkit.model.tlspolicy import TLSLevel, TLSPolicy
from mailkit.services.routes.byrelay import ByRelay, LMTPHosts, SmarthostHosts
from mailkit.storage.content import OctetsContent
from mailkit.testing.at_once import at_once
from mailkit.testing.dns import DictResolver
from tests.net.relay.world import item

RESOLVER = DictResolver("""
    smart.example. A 192.0.2.1
    smart.example. A 192.0.2.2
    empty.example. TXT nothing
""")
RESOLVER.fail("broken.example")


def is_own(address: str, port: int) -> bool:
    return (address, port) == ("127.0.0.1", 25) or address == "/run/ours"


async def secret(path: str) -> str:
    return f"what is in {path}"


@implementer(IRelay)
@define(eq=False)
class Relay:
    """Reaches some addresses."""

    reached: Sequence[str]
    refuse: Sequence[str] = ()
    asked: list[NextHost] = field(factory=list)

    async def carry(
        self, host: NextHost, item: QueueItem, content: IContent
    ) -> Carried:
        self.asked.append(host)
        if host.address in self.refuse:
            raise NeedsTLS("no")
        if host.address not in self.reached:
            raise Unreachable(f"{host.address} is away")
        path = item.waiting[0].path
        return Carried(reports=(Report(path, Fate.SENT, "2.0.0", "ok"),))

    async def close(self) -> None:
        """Nothing is open."""


def smarthost(relay: Relay, target: ToSmarthost) -> ByRelay:
    return ByRelay(relay, SmarthostHosts(target, RESOLVER, is_own, secret))


def carry(end: ByRelay) -> Carried:
    return at_once(end.carry(item(), OctetsContent(b"")))


def test_the_first_that_is_there_takes_it() -> None:
    relay = Relay(["192.0.2.2"])
    target = ToSmarthost(
        host="smart.example",
        port=587,
        level=TLSLevel.PKIX,
        username="u",
        password_file="/pw",
    )
    end = smarthost(relay, target)
    verifyObject(IRouteEnd, end)
    done = carry(end)
    assert (done.host, done.address) == ("smart.example", "192.0.2.2:587")
    assert [host.address for host in relay.asked] == ["192.0.2.1", "192.0.2.2"]
    policy = relay.asked[0].policy
    assert (policy.level, policy.names, policy.origin) == (
        TLSLevel.PKIX,
        ("smart.example",),
        "route",
    )
    assert relay.asked[0].password == "what is in /pw"
    assert not end.is_final
    at_once(end.close())


UNREACHED = [
    ("smart.example", 25, Unreachable, "192.0.2.2 is away"),
    ("empty.example", 25, Unreachable, "empty.example has no address"),
    ("broken.example", 25, DNSTrouble, ""),
    ("localhost", 25, Unreachable, "localhost:25 is this very server"),
    ("localhost", 26, Unreachable, "::1 is away"),
    ("192.0.2.7", 25, Unreachable, "192.0.2.7 is away"),
]


@pytest.mark.parametrize(("host", "port", "kind", "words"), UNREACHED)
def test_nobody_is_there(
    host: str, port: int, kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as caught:
        carry(smarthost(Relay([]), ToSmarthost(host=host, port=port)))
    assert words in str(caught.value)


@pytest.mark.parametrize("reached", [[], ["192.0.2.2"]])
def test_who_cannot_have_it_is_not_the_last_to_be_asked(reached: list[str]) -> None:
    """As where DNS names hosts: the next one may take what this one does not."""
    relay = Relay(reached, refuse=["192.0.2.1"])
    end = smarthost(relay, ToSmarthost(host="smart.example", port=25))
    if reached:
        assert carry(end).address == "192.0.2.2:25"
    else:
        with pytest.raises(NeedsTLS):
            carry(end)
    assert len(relay.asked) == 2


@pytest.mark.parametrize(
    ("origin", "optional", "level"),
    [
        ("mta-sts", False, TLSLevel.PKIX),
        ("mta-sts", True, TLSLevel.OPPORTUNISTIC),
        ("route", True, TLSLevel.PKIX),
    ],
)
def test_mail_that_minds_no_domains_demands(
    origin: str, optional: bool, level: TLSLevel
) -> None:
    """Nor those of a domain that a route leads to by MX (RFC 8689 §4.2.2)."""
    policy = TLSPolicy(level=TLSLevel.PKIX, names=("a.example",), origin=origin)
    host = NextHost(name="a.example", address="192.0.2.2", port=25, policy=policy)

    async def find(item: QueueItem) -> Sequence[NextHost]:
        return [host]

    relay = Relay(["192.0.2.2"])
    sent = evolve(item(), tls_optional=optional)
    at_once(ByRelay(relay, find).carry(sent, OctetsContent(b"")))
    assert relay.asked[0].policy.level is level


LMTP = [
    (ToLMTP(socket="/run/lmtp"), "/run/lmtp", "/run/lmtp"),
    (ToLMTP(host="192.0.2.9", port=2424), "192.0.2.9", "192.0.2.9:2424"),
]


@pytest.mark.parametrize(("target", "address", "place"), LMTP)
def test_lmtp(target: ToLMTP, address: str, place: str) -> None:
    relay = Relay([address])
    end = ByRelay(relay, LMTPHosts(target, RESOLVER, is_own), is_final=True)
    assert carry(end).address == place
    assert relay.asked[0].is_lmtp


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (ToLMTP(socket="/run/ours"), "/run/ours"),
        (ToLMTP(host="127.0.0.1", port=25), "127.0.0.1:25"),
    ],
)
def test_lmtp_leads_not_to_ourselves(target: ToLMTP, name: str) -> None:
    end = ByRelay(Relay([]), LMTPHosts(target, RESOLVER, is_own), is_final=True)
    with pytest.raises(Unreachable, match=f"{name} is this very server") as caught:
        carry(end)
    assert caught.value.status == "4.4.6"
