"""Which addresses strangers' DNS may not lead to (RFC 6890 §2.2)."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailkit.model.inward import is_inward, may_be_reached, plain


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "169.254.169.254",
        "172.31.0.1",
        "192.0.0.8",
        "192.168.1.1",
        "198.19.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::808:808",
        "2002:a00:1::1",
        "fd00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_inward(text: str) -> None:
    assert is_inward(ip_address(text))
    assert not may_be_reached(text)
    assert not may_be_reached(f"{text}%eth0")


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2a00::1"],
)
def test_public(text: str) -> None:
    assert may_be_reached(text)


def test_what_is_allowed_is_allowed_however_it_is_written() -> None:
    allow = (ip_network("127.0.0.0/8"), ip_network("fd00::/16"))
    assert may_be_reached("127.0.0.2", allow)
    assert may_be_reached("::ffff:127.0.0.2", allow)
    assert may_be_reached("fd00::1", allow)
    assert not may_be_reached("10.0.0.1", allow)


@given(st.ip_addresses(v=4))
def test_dressing_up_changes_nothing(address: object) -> None:
    mapped = ip_address(f"::ffff:{address}")
    assert is_inward(mapped) is is_inward(plain(mapped))
