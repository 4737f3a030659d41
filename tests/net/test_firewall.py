# SPDX-License-Identifier: GPL-2.0-or-later
"""Rule sets of others that drop our guests' packets: status says so, and what is typed against it helps."""

import re
from pathlib import Path

import pytest

from tests.kit import lab as lab_module, proc
from tests.net.nat_kit import resolve, talks

OUT = lab_module.SERVER_ADDRESS
RULES = Path(__file__).with_name("rules")


def warnings(vnetd):
    """The warnings of `status` about vmnet8's ways out: [(text, cure)]. test_bridge_nf.py has the others."""
    rows = [(w["text"], w.get("cure", "")) for w in vnetd.json("status")["warnings"]]
    return [row for row in rows if "vmnet8" in row[0] and "frames between guests" not in row[0]]


def load(lab, name):
    if name.endswith(".nft"):
        lab.host.run("nft", "-f", RULES / name)
    else:
        lab.host.run("iptables-nft-restore", "-n", RULES / name)


def static_guest(lab):
    guest = lab.guest("vmnet8")
    guest.static("10.181.8.0/24", 10)
    return guest


def wait_for(vnetd, what, test):
    return proc.wait_until(what, lambda: (found := warnings(vnetd)) is not None and test(found) and [found])[0]


def test_no_alarm_without_cause(lab, vnetd):
    """A firewall that lets everything of ours pass, and libvirt's own networks."""
    lab.host.run("nft", "-f", "-", stdin="""
table inet mine {
	chain input { type filter hook input priority 0; policy accept; tcp dport 25 drop; }
	chain forward { type filter hook forward priority 0; policy accept; iifname "eth9" drop; }
}
table ip libvirt_network {
	chain forward { type filter hook forward priority 0; policy accept; oifname "virbr0" reject; }
}
""")
    assert static_guest(lab).ping(OUT)
    proc.time.sleep(1.5)
    assert warnings(vnetd) == []


@pytest.mark.parametrize(
    "name, owner, forward, dns",
    [
        ("docker.rules", "Docker", True, False),
        ("ufw.rules", "ufw", True, True),
        ("plain.nft", "chain forward of table inet filter", True, True),
        ("firewalld.nft", "firewalld", True, True),
    ],
)
def test_the_culprit_is_named_and_the_cure_helps(lab, vnetd, name, owner, forward, dns):
    guest = static_guest(lab)
    assert talks(guest, OUT, 7)
    load(lab, name)
    found = wait_for(vnetd, "status complains", bool)
    [(text, cure)] = found
    assert owner in text
    assert ("no Internet" in text) == forward
    assert ("DNS" in text) == dns
    line = vnetd.ctl("status").out.splitlines()[1]
    assert line.startswith("!") and owner in line
    # What is said is true.
    assert talks(guest, OUT, 7, timeout=0.5) == (not forward)
    assert bool(resolve(guest, lab_module.SERVER_NAME, timeout=15)) == (not dns)
    # DHCP is not among the complaints: it goes on, whatever these rules say.
    assert lab.guest("vmnet8").dhcp("udhcpc").ip.startswith("10.181.8.")
    # What is typed helps.
    assert cure
    type_cure(lab, cure)
    wait_for(vnetd, "status is content", lambda rows: rows == [])
    assert talks(guest, OUT, 7)
    assert resolve(guest, lab_module.SERVER_NAME) == [OUT]


def type_cure(lab, cure):
    """Does what the commands do; ufw and firewall-cmd are played, as only their rules are there."""
    for command in cure.split(" && "):
        words = command.split()
        assert words.pop(0) == "sudo"
        if words[0] == "ufw":
            chain = "ufw-user-forward" if words[1] == "route" else "ufw-user-input"
            sides = re.findall(r"\b(in|out) on (\S+)", command)
            flags = [word for way, network in sides for word in ("-i" if way == "in" else "-o", network)]
            lab.host.run("iptables-nft", "-A", chain, *flags, "-j", "ACCEPT")
        elif words[0] == "firewall-cmd":
            type_firewall_cmd(lab, command)
        elif words[0] == "iptables":
            lab.host.run("iptables-nft", *words[1:])
        else:
            lab.host.run("nft", *words[1:])


def type_firewall_cmd(lab, command):
    def insert(rule):
        lab.host.run("nft", "insert", "rule", "inet", "firewalld", *rule.split())

    if found := re.search(r"--zone=vnetd --change-interface=(\S+)", command):
        insert(f"filter_INPUT_ZONES iifname {found[1]} goto filter_IN_trusted")
        insert(f"filter_FORWARD_ZONES iifname {found[1]} goto filter_FWD_trusted")
    elif found := re.search(r"--permanent --add-interface=(\S+)", command):
        # To the default zone, which lets its interfaces talk to each other.
        insert(f"filter_FWD_public_allow oifname {found[1]} accept")
    else:
        assert command.split()[-1] in ("--add-forward", "--reload")


def test_a_rule_set_that_is_there_first(lab):
    load(lab, "docker.rules")
    lab.vnetd.start()
    [(text, _)] = wait_for(lab.vnetd, "status complains", bool)
    assert text.startswith("vmnet8: Docker drops") or "Docker drops" in text
    lab.host.run("iptables-nft", "-P", "FORWARD", "ACCEPT")
    wait_for(lab.vnetd, "status is content", lambda rows: rows == [])


def test_host_only_networks_are_not_concerned(lab, vnetd):
    load(lab, "docker.rules")
    wait_for(vnetd, "status complains", bool)
    text = vnetd.ctl("status").out
    assert "vmnet1" not in text.split("NETWORK")[0]


def test_the_way_out_decides(lab, vnetd):
    """firewalld lets interfaces of one zone talk: with the uplink in it, guests pass; with another, not."""
    lab.host.run("bash", "-c", f"sed 's/\"eth0\"/\"up0\"/' {RULES}/firewalld.nft | nft -f -")
    guest = static_guest(lab)
    assert talks(guest, OUT, 7)
    [(text, _)] = wait_for(vnetd, "status complains about DNS", bool)
    assert "DNS" in text and "Internet" not in text
    # A VPN takes the default route; nobody put its interface into a zone.
    lab.host.run("ip", "link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1")
    lab.host.run("ip", "link", "set", "vpn0", "up")
    lab.host.run("ip", "addr", "add", "192.0.2.1/24", "dev", "vpn0")
    lab.host.run("ip", "route", "replace", "default", "via", "192.0.2.2")
    wait_for(vnetd, "status complains about the way out", lambda rows: "Internet" in rows[0][0])


def test_many_changes_cost_little(lab, vnetd):
    """A rule set that changes all the time is not read all the time."""
    natd = vnetd.pid_of("vnet-natd")
    priv = vnetd.pid_of("priv")

    def ticks(pid):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    lab.host.run("nft", "add", "table", "inet", "busy")
    lab.host.run("nft", "add", "set", "inet", "busy", "s", "{ type ipv4_addr; }")
    before = ticks(natd), ticks(priv)
    batch = "".join(
        f"add element inet busy s {{ 10.0.{i // 250}.{i % 250} }}\n" for i in range(2000)
    )
    lab.host.run("nft", "-f", "-", stdin=batch)
    lab.host.sh("for i in {1..200}; do nft add element inet busy s { 10.9.0.$i }; done", timeout=60)
    spent = ticks(natd) - before[0] + ticks(priv) - before[1]
    assert spent < 30, f"{spent} ticks of 10 ms"
