"""Addresses and names: on the internet, or in somebody's own network."""

from __future__ import annotations

import pytest

from kie_mcp.kie.addresses import is_local_address, is_local_host

LOCAL = {
    "this machine": ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"],
    "private": ["10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12::1", "fec0::1"],
    "this link": ["169.254.169.254", "fe80::1", "fe80::1%eth0"],
    "a provider's": ["100.64.0.1", "100.127.255.255"],
    "special": ["192.0.2.1", "192.0.0.8", "198.18.0.1", "203.0.113.1", "240.0.0.1", "2001:db8::1", "100::1", "5f00::1"],
    "documentation": ["3fff::1", "3fff:fff:ffff::1"],
    "the machine below this one": ["168.63.129.16", "::ffff:168.63.129.16", "64:ff9b::168.63.129.16"],
    "many": ["224.0.0.1", "239.255.255.250", "255.255.255.255", "ff02::1", "ff0e::1"],
    "IPv4 in IPv6": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::a01:203"],
    "6to4": ["2002:7f00:1::", "2002:0a00:0001::", "2002:a9fe:a9fe::1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1"],
    "Teredo": ["2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "beyond 2000::/3": ["1::1", "400::1", "4000::1", "e000::1"],
}
PUBLIC = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111"]
PUBLIC += ["::ffff:1.1.1.1", "2002:0101:0101::", "64:ff9b::1.1.1.1", "168.63.129.17"]


@pytest.mark.parametrize("address", [address for addresses in LOCAL.values() for address in addresses])
def test_a_local_address_is_recognised(address):
    assert is_local_address(address)
    assert is_local_host(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_recognised(address):
    assert not is_local_address(address)
    assert not is_local_host(address)


def test_a_name_is_no_address():
    with pytest.raises(ValueError, match="does not appear"):
        is_local_address("localhost")


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LocalHost.",
        "a.localhost",
        "a.LOCALHOST.",
        "printer.local",
        "metadata.google.internal",
        "a.home.arpa",
        "metadata",
        "2130706433",
        "0x7f000001",
        "0X7F.1",
        "0177.0.0.1",
        "127.1",
        "10.1",
        "2852039166",
        "127.0.0.1.",
        "",
    ],
)
def test_a_host_that_is_surely_local_is_known_by_how_it_is_written(host):
    assert is_local_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "example.com.",
        "localhost.example",
        "127.0.0.1.nip.io",
        "16843009",
        "1.1.257",
        "a.b",
        "a\0.b",
        "\u00e9.b",
    ],
)
def test_any_other_name_may_lead_anywhere(host):
    assert not is_local_host(host)
