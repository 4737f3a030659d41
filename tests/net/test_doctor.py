# SPDX-License-Identifier: GPL-2.0-or-later
"""vnetctl doctor on hosts that have something wrong with them."""

import pytest

from tests.kit import lab as lab_module, proc
from tests.net.nat_kit import resolve, talks, write_nat_conf
from tests.net.test_firewall import load, static_guest, type_cure, warnings

OUT = lab_module.SERVER_ADDRESS
# Rule sets that drop what is forwarded, and how their owner is called.
OWNERS = [
    ("docker.rules", "Docker"),
    ("iptables.rules", "iptables chain FORWARD"),
    ("ufw.rules", "ufw"),
    ("plain.nft", "chain forward of table inet filter"),
    ("firewalld.nft", "firewalld"),
]


def findings(vnetd, **kw):
    """What is wrong: {topic: [finding]}."""
    report = vnetd.json("doctor", check=False, **kw)
    wrong = [f for f in report["findings"] if f["level"] in ("fail", "warn")]
    assert report["wrong"] == len(wrong)
    return {f["topic"]: [g for g in wrong if g["topic"] == f["topic"]] for f in wrong}


def test_a_host_that_is_well(lab, vnetd):
    # Networks are up a moment before their table is in force and the host forwards.
    proc.wait_until("nothing is wrong", lambda: findings(vnetd) == {})
    res = vnetd.ctl("doctor")
    assert res.out.startswith("ok") and "vnetctl doctor -v" in res.out
    lines = vnetd.ctl("doctor", "-v").out.splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert len(lines) == len(vnetd.json("doctor")["findings"]) > 7
    assert vnetd.json("doctor")["wrong"] == 0


@pytest.mark.parametrize("name, owner", OWNERS)
def test_firewalls_are_named(lab, vnetd, name, owner):
    guest = static_guest(lab)
    load(lab, name)
    proc.wait_until("status complains", lambda: warnings(vnetd))
    found = findings(vnetd)
    [finding] = found["firewall"]
    assert owner in finding["text"] and finding["network"] == "vmnet8"
    curable = name != "plain.nft"
    assert any("foreign-rules = allow" in way for way in finding["other"]) == curable
    res = vnetd.ctl("doctor", check=False)
    assert res.rc == 1
    assert res.out.startswith("FAIL  ") and "      cure:  sudo " in res.out
    assert not talks(guest, OUT, 7, timeout=0.5)
    type_cure(lab, finding["cure"])
    proc.wait_until("doctor is content", lambda: "firewall" not in findings(vnetd))
    assert talks(guest, OUT, 7)


@pytest.mark.parametrize("name", ["libvirt.rules", "libvirt.nft"])
def test_libvirts_rules_are_in_nobodys_way(lab, vnetd, name):
    """Of both its backends; a chain of somebody else is still named beside them."""
    guest = static_guest(lab)
    load(lab, name)
    lab.host.run("ip", "link", "add", "virbr0", "type", "bridge")
    proc.time.sleep(1.5)
    assert talks(guest, OUT, 7) and resolve(guest, lab_module.SERVER_NAME) == [OUT]
    assert findings(vnetd) == {}
    load(lab, "plain.nft")
    proc.wait_until("the other one is named", lambda: "firewall" in findings(vnetd))
    [finding] = findings(vnetd)["firewall"]
    assert finding["text"].startswith("chain forward of table inet filter drops")


def test_iptables_legacy_is_seen_by_root(lab, vnetd):
    guest = static_guest(lab)
    legacy = lambda *args: lab.host.run("iptables-legacy", *args)
    assert talks(guest, OUT, 7)
    legacy("-A", "FORWARD", "-i", "eth9", "-j", "ACCEPT")
    legacy("-P", "FORWARD", "DROP")
    legacy("-A", "INPUT", "-i", "vmnet8", "-p", "tcp", "--dport", "22", "-j", "REJECT")
    assert not talks(guest, OUT, 7, timeout=0.5)
    # nft has no word about it, so vnetd has none.
    assert warnings(vnetd) == []
    [finding] = findings(vnetd)["iptables-legacy"]
    assert "chain FORWARD of iptables-legacy" in finding["text"]
    for command in finding["cure"].split(" && "):
        assert command.startswith("sudo iptables-legacy ")
        lab.host.run(*command.split()[1:])
    assert talks(guest, OUT, 7)
    assert "iptables-legacy" not in findings(vnetd)


def test_addresses_in_iptables_legacy_are_followed(lab, vnetd):
    guest = static_guest(lab)
    legacy = lambda *args: lab.host.run("iptables-legacy", *args)
    # A rule of others' addresses, and one of a part of what guests send: nothing is certain.
    legacy("-A", "FORWARD", "-s", "192.168.0.0/16", "-j", "DROP")
    legacy("-A", "FORWARD", "-s", "10.181.8.0/24", "-d", "192.0.2.0/24", "-j", "DROP")
    assert talks(guest, OUT, 7)
    assert "iptables-legacy" not in findings(vnetd)
    for rule in (["-s", "10.0.0.0/8"], ["!", "-s", "192.168.0.0/16"], ["-d", "10.181.8.0/24"],
                 ["-s", "10.0.0.0/8", "!", "-o", "vmnet8"]):
        legacy("-A", "FORWARD", *rule, "-j", "DROP")
        assert not talks(guest, OUT, 7, timeout=0.5), rule
        [finding] = findings(vnetd)["iptables-legacy"]
        assert "chain FORWARD of iptables-legacy drops what guests of vmnet8 send" in finding["text"]
        commands = [command.split()[1:] for command in finding["cure"].split(" && ")]
        for command in commands:
            lab.host.run(*command)
        assert talks(guest, OUT, 7), rule
        assert "iptables-legacy" not in findings(vnetd)
        for command in commands:
            legacy("-D", *command[2:])
        legacy("-D", "FORWARD", *rule, "-j", "DROP")
    # What comes back is let pass by the state of its connection.
    legacy("-I", "FORWARD", "-m", "conntrack", "--ctstate", "ESTABLISHED", "-j", "ACCEPT")
    legacy("-A", "FORWARD", "-s", "10.181.8.0/24", "-j", "ACCEPT")
    legacy("-P", "FORWARD", "DROP")
    assert talks(guest, OUT, 7)
    assert "iptables-legacy" not in findings(vnetd)


def test_a_user_is_told_what_only_root_could_see(lab, vnetd, member, stranger):
    proc.wait_until("the host forwards", lambda: "ip-forward" not in findings(vnetd))
    report = vnetd.json("doctor", user=member, check=False)
    unseen = [f for f in report["findings"] if f["level"] == "unseen"]
    assert [f["topic"] for f in unseen] == ["iptables-legacy"]
    assert unseen[0]["cure"] == "sudo vnetctl doctor"
    assert report["wrong"] == 0
    report = vnetd.json("doctor", user=stranger, check=False)
    assert next(f for f in report["findings"] if f["topic"] == "vnetd")["cure"]


def test_switches_that_others_turned(lab, vnetd):
    proc.wait_until("the host forwards", lambda: "ip-forward" not in findings(vnetd))
    lab.host.run("sysctl", "-w", "net.ipv4.ip_forward=0")
    [finding] = findings(vnetd)["ip-forward"]
    lab.host.run(*finding["cure"].split()[1:])
    assert "ip-forward" not in findings(vnetd)
    lab.host.run("sysctl", "-w", "net.ipv4.conf.vmnet8.forwarding=0")
    [finding] = findings(vnetd)["ip-forward"]
    assert finding["network"] == "vmnet8"
    lab.host.run(*finding["cure"].split()[1:])
    assert "ip-forward" not in findings(vnetd)
    # A second way out, while the first one takes only what would be answered by it.
    lab.host.run("sysctl", "-w", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.up0.rp_filter=1")
    assert "rp-filter" not in findings(vnetd)
    lab.host.run("ip", "link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1")
    lab.host.run("sysctl", "-w", "net.ipv4.conf.vpn0.rp_filter=0")
    lab.host.run("ip", "link", "set", "vpn0", "up")
    lab.host.run("ip", "addr", "add", "192.0.2.1/24", "dev", "vpn0")
    lab.host.run("ip", "route", "add", "default", "via", "192.0.2.2", "metric", "50")
    [finding] = findings(vnetd)["rp-filter"]
    assert "up0" in finding["text"]
    lab.host.run(*finding["cure"].split()[1:])
    assert "rp-filter" not in findings(vnetd)


def test_a_host_without_resolvers(lab, vnetd):
    lab.host.write_file("/etc/resolv.conf", "# nothing\n")
    [finding] = findings(vnetd)["resolver"]
    assert "names no server" in finding["text"]
    lab.host.set_resolvers(lab_module.OUTSIDE_ADDRESS)
    assert "resolver" not in findings(vnetd)


def test_a_service_that_has_a_forwards_port(lab, vnetd):
    """vnetd itself leaves such a forward out, and says why; the doctor passes it on."""
    server = lab.host.popen("/usr/bin/python3", "-m", "http.server", "8080", "--bind", "0.0.0.0")
    proc.wait_until("it listens", lambda: ":8080" in lab.host.run("ss", "-Hltn").out)
    write_nat_conf(vnetd, tcp=[(8080, "10.181.8.128", 80)])
    vnetd.ctl("reload")
    proc.wait_until("the doctor says so", lambda: "networks" in findings(vnetd))
    [finding] = findings(vnetd)["networks"]
    assert finding["network"] == "vmnet8" and "8080" in finding["text"]
    proc.kill_group(server.pid)


def test_without_vnetd(lab):
    res = lab.vnetd.ctl("doctor", check=False)
    assert res.rc == 1
    first, cure = res.out.splitlines()[:2]
    assert first.startswith("FAIL  vnetd does not run")
    assert cure.startswith("      cure:  sudo systemctl start vnetd")
    assert "?     rule sets of nftables were not looked at" in res.out


def test_a_configuration_that_is_broken(lab, vnetd):
    vnetd.write("vnetd.conf", "[global]\nforeign-rules = perhaps\n")
    [finding] = findings(vnetd)["configuration"]
    assert finding["cure"] == "vnetctl check"
