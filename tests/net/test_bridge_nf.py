# SPDX-License-Identifier: GPL-2.0-or-later
"""bridge-nf-call-iptables = 1 hands frames between guests to the host's rules, which may drop them."""

import pytest

from tests.kit import daemon, lab as lab_module, outside, proc
from tests.net.nat_kit import echo, talks, write_nat_conf
from tests.net.test_doctor import OWNERS, findings
from tests.net.test_firewall import load, type_cure

SEGMENT = "answer VNET_3_DHCP no\nanswer VNET_3_VIRTUAL_ADAPTER no\n"
ALLOW = "[global]\nforeign-rules = allow\n"
HOST = lab_module.HOST_ADDRESS


def switch(lab, value):
    lab.host.run("sysctl", "-qw", f"net.bridge.bridge-nf-call-iptables={value}")


def pair_on(lab, number):
    """Two guests of a network, at .10 and .11, the second with an echo server: (who asks, address)."""
    one, two = lab.guest(f"vmnet{number}"), lab.guest(f"vmnet{number}")
    for n, guest in ((10, one), (11, two)):
        guest.static(f"10.181.{number}.0/24", n)
    lab.servers.append(outside.Echo(two, 7))
    return one, f"10.181.{number}.11"


@pytest.fixture
def bridged(lab):
    """A host-only network and a segment without any address, two guests on each; the switch is on."""
    lab.vnetd.write("networking", daemon.NETWORKING + SEGMENT)
    lab.vnetd.start()
    switch(lab, 1)
    lab.servers = []
    yield {f"vmnet{number}": pair_on(lab, number) for number in (1, 3)}
    for server in lab.servers:
        server.close()


def all_talk(pairs, **kw):
    return {name: talks(one, address, 7, **kw) for name, (one, address) in pairs.items()}


def dropped(lab):
    """What the doctor says about frames between guests: {network: finding}."""
    return {f["network"]: f for f in findings(lab.vnetd).get("bridge-nf", [])}


@pytest.mark.parametrize("name, owner", OWNERS)
def test_the_culprit_is_named_and_the_cure_helps(lab, bridged, name, owner):
    every, none = {"vmnet1": True, "vmnet3": True}, {"vmnet1": False, "vmnet3": False}
    assert all_talk(bridged) == every
    assert dropped(lab) == {}
    load(lab, name)
    if name == "firewalld.nft":  # which has vmnet1 in its zone "trusted"
        none = {"vmnet1": True, "vmnet3": False}
    hit = {net for net, passes in none.items() if not passes}
    proc.wait_until("the doctor names the networks", lambda: set(dropped(lab)) == hit)
    assert all_talk(bridged, timeout=0.5) == none
    status = lab.vnetd.ctl("status").out
    for net, finding in dropped(lab).items():
        assert finding["text"].startswith(f"{owner} drops frames between guests of {net}")
        assert finding["text"] in status
        assert any("bridge-nf-call-iptables=0" in way for way in finding["other"])
        assert any("foreign-rules = allow" in way for way in finding["other"]) == name.endswith(".rules")
    # With the switch off it is no concern of anybody, and nothing has to happen for that to be known.
    switch(lab, 0)
    assert all_talk(bridged) == every
    assert dropped(lab) == {}
    assert "between guests" not in lab.vnetd.ctl("status").out
    # A bridge's own switch will do.
    lab.host.run("ip", "link", "set", "vmnet3", "type", "bridge", "nf_call_iptables", "1")
    assert set(dropped(lab)) == {"vmnet3"}
    assert all_talk(bridged, timeout=0.5) == {"vmnet1": True, "vmnet3": False}
    switch(lab, 1)
    for finding in dropped(lab).values():
        type_cure(lab, finding["cure"])
    proc.wait_until("the doctor is content", lambda: dropped(lab) == {})
    assert all_talk(bridged) == every


@pytest.mark.parametrize("name", ["docker.rules", "iptables.rules", "ufw.rules"])
def test_frames_pass_once_it_is_allowed(lab, bridged, name):
    load(lab, name)
    proc.wait_until("the doctor names both", lambda: len(dropped(lab)) == 2)
    lab.vnetd.write("vnetd.conf", ALLOW)
    lab.vnetd.ctl("reload")
    proc.wait_until("the doctor is content", lambda: dropped(lab) == {})
    assert all_talk(bridged) == {"vmnet1": True, "vmnet3": True}
    lab.vnetd.write("vnetd.conf", "")
    lab.vnetd.ctl("reload")
    proc.wait_until("the doctor complains again", lambda: len(dropped(lab)) == 2)
    assert all_talk(bridged, timeout=0.5) == {"vmnet1": False, "vmnet3": False}


def test_iptables_legacy_drops_frames_too(lab, bridged):
    lab.host.run("iptables-legacy", "-P", "FORWARD", "DROP")
    assert all_talk(bridged, timeout=0.5) == {"vmnet1": False, "vmnet3": False}
    found = dropped(lab)
    assert set(found) == {"vmnet1", "vmnet3"}
    for finding in found.values():
        assert "iptables-legacy" in finding["text"]
        lab.host.run(*finding["cure"].split()[1:])
    assert dropped(lab) == {}
    assert all_talk(bridged) == {"vmnet1": True, "vmnet3": True}


def test_nat_guests_and_hairpin(lab):
    """Plain traffic between guests of a NAT network, to the outside, and by a forward of another guest."""
    lab.vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(lab.vnetd, tcp=[(8080, "10.181.8.11", 7)])
    lab.vnetd.start()
    switch(lab, 1)
    one, two = lab.guest("vmnet8"), lab.guest("vmnet8")
    one.static("10.181.8.0/24", 10)
    two.static("10.181.8.0/24", 11)

    def works(**kw):
        ways = {"plain": ("10.181.8.11", 7), "hairpin": (HOST, 8080), "outside": (lab_module.SERVER_ADDRESS, 7)}
        return {what: talks(one, address, port, **kw) for what, (address, port) in ways.items()}

    with echo(two):
        assert works() == {"plain": True, "hairpin": True, "outside": True}
        load(lab, "iptables.rules")
        proc.wait_until("the doctor names it", lambda: "firewall" in findings(lab.vnetd))
        assert works(timeout=0.5) == {"plain": False, "hairpin": False, "outside": False}
        [finding] = findings(lab.vnetd)["firewall"]
        assert "iptables chain FORWARD" in finding["text"] and finding["network"] == "vmnet8"
        lab.vnetd.write("vnetd.conf", ALLOW)
        lab.vnetd.ctl("reload")
        proc.wait_until("the doctor is content", lambda: "firewall" not in findings(lab.vnetd))
        assert works() == {"plain": True, "hairpin": True, "outside": True}
