# SPDX-License-Identifier: GPL-2.0-or-later
"""`vnetctl dns`: whom the DNS proxy asks, how these do, and what it has counted."""

import struct

import pytest

from tests.kit import daemon, lab as lab_module, proc
from tests.net.nat_kit import GATEWAY, nat_conf, resolve
from tests.net.test_dns import ask, raw_query, set_resolvers

NAME = lab_module.SERVER_NAME
OUT = lab_module.SERVER_ADDRESS
UPSTREAM = lab_module.OUTSIDE_ADDRESS
DEAD = "198.51.100.77"


@pytest.fixture
def guest(lab, vnetd):
    g = lab.guest("vmnet8")
    g.static("10.181.8.0/24", 10)
    return g


def network(vnetd, name="vmnet8"):
    return next(n for n in vnetd.json("dns")["networks"] if n["network"] == name)


def test_queries_are_counted_and_servers_shown(lab, guest):
    before = network(lab.vnetd)
    assert before["servers"] == [
        {"address": UPSTREAM, "source": "host", "state": "untried", "failed": 0, "retry_ms": 0}]
    assert before["guests"]["queries"] == 0
    for _ in range(3):
        assert resolve(guest, NAME) == [OUT]
    ask(guest, raw_query("host.vmnet"))
    ask(guest, raw_query("a.example.test")[:-5])
    now = network(lab.vnetd)
    g = now["guests"]
    assert now["servers"][0]["state"] == "ok"
    assert g["forwarded"] == g["answers"] == now["asked"]["sent"] >= 1
    assert g["cached"] >= 2 and g["named"] == 1 and g["formerr"] == 1
    assert g["queries"] == g["forwarded"] + g["cached"] + g["named"] + g["formerr"]
    text = lab.vnetd.ctl("dns", "vmnet8").out
    assert f"vmnet8   {UPSTREAM}" in text and " queries " in text and " servfail " not in text


def test_a_silent_server_is_told(lab, guest):
    lab.outside.run("ip", "addr", "add", f"{DEAD}/32", "dev", "lo")
    lab.outside.run("nft", "-f", "-", stdin=f"""
table ip t {{ chain in {{ type filter hook input priority 0; ip daddr {DEAD} udp dport 53 drop; }}; }}
""")
    set_resolvers(lab, DEAD, UPSTREAM)
    assert ask(guest, raw_query("a.example.test"), timeout=5) is not None
    now = network(lab.vnetd)
    assert [(s["address"], s["state"], s["failed"]) for s in now["servers"]] == [
        (DEAD, "failing", 1), (UPSTREAM, "ok", 0)]
    assert now["asked"]["timeouts"] == 1
    for i in range(2):
        assert ask(guest, raw_query(f"b{i}.example.test"), timeout=5) is not None
    now = network(lab.vnetd)
    assert now["servers"][0]["state"] == "silent" and 0 < now["servers"][0]["retry_ms"] <= 30000
    assert now["asked"]["timeouts"] == 3
    assert " silent " in lab.vnetd.ctl("dns").out


def test_over_tcp_it_is_counted_too(lab, guest):
    guest.run("dig", "+tcp", "+tries=1", f"@{GATEWAY}", NAME)
    g = network(lab.vnetd)["guests"]
    assert g["tcp"] == g["queries"] == 1
    assert g["forwarded"] + g["cached"] == 1


def test_what_belongs_to_no_network_is_apart(lab, guest):
    """An answer that is nobody's, since it has another id, and the guest's, whose server says nothing more."""
    def other_id(query, *_):
        body = query.reply([(1, 60, bytes([192, 0, 2, 9]))])
        return struct.pack("!H", query.id ^ 1) + bytes(body)[2:]

    lab.outside.dns.hook = other_id
    assert ask(guest, raw_query("other.example.test"), timeout=0.5) is None
    stray = proc.wait_until("it came", lambda: next(
        (n for n in lab.vnetd.json("dns")["networks"] if n["network"] is None and n["dropped"]["no-id"]), None))
    assert stray["dropped"]["no-id"] == 1 and stray["servers"] == []
    assert network(lab.vnetd)["dropped"]["no-id"] == 0


def test_networks_are_told_apart(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    vnetd.write("vmnet8/nat/nat.conf", nat_conf(dns=f"[dns]\nnameserver1 = {DEAD}\nautodetect = 0\n"))
    vnetd.start()
    one = proc.wait_until("the proxy is there", lambda: vnetd.json("dns", "vmnet8")["networks"])
    assert [n["network"] for n in one] == ["vmnet8"]
    assert [(s["address"], s["source"]) for s in one[0]["servers"]] == [(DEAD, "nat.conf")]
    # A network without a proxy has nothing to show, one that does not exist is an error.
    assert vnetd.json("dns", "vmnet1")["networks"] == []
    refused = vnetd.ctl("dns", "vmnet77", check=False)
    assert refused.rc == 1 and "there is no network vmnet77" in refused.err


def test_strangers_are_told_nothing(vnetd):
    assert vnetd.ctl("dns", user="nobody", check=False).rc == 1
