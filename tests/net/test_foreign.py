# SPDX-License-Identifier: GPL-2.0-or-later
"""foreign-rules = allow: rules of ours beside those of Docker, ufw and iptables, and nowhere else."""

import time

import pytest

from tests.kit import daemon, lab as lab_module, proc
from tests.net.nat_kit import resolve, talks
from tests.net.test_firewall import load, static_guest, warnings

OUT = lab_module.SERVER_ADDRESS
ALLOW = "[global]\nforeign-rules = allow\n"


def rules(lab, chain):
    """The rules of a chain of iptables' table as iptables itself lists them."""
    res = lab.host.run("iptables-nft", "-S", chain)
    # iptables could not work with a table that it does not understand.
    assert "incompatible" not in res.out + res.err
    return res.out.splitlines()


def ours(lab):
    """How many rules of ours there are outside our own table."""
    return lab.host.run("nft", "list", "ruleset").out.count('comment "vnetd: ')


@pytest.fixture
def allowed(lab):
    lab.vnetd.write("vnetd.conf", ALLOW)
    lab.vnetd.write("networking", daemon.NETWORKING)
    return lab.vnetd.start()


@pytest.mark.parametrize(
    "name, forward, dns, chains",
    [
        ("docker.rules", True, False, ["DOCKER-USER"]),
        ("iptables.rules", True, True, ["FORWARD", "INPUT"]),
        ("ufw.rules", True, True, ["FORWARD", "INPUT"]),
    ],
)
def test_what_is_dropped_passes_once_it_is_allowed(lab, vnetd, name, forward, dns, chains):
    guest = static_guest(lab)
    load(lab, name)
    proc.wait_until("status complains", lambda: warnings(vnetd))
    assert talks(guest, OUT, 7, timeout=0.5) == (not forward)
    assert bool(resolve(guest, lab_module.SERVER_NAME, timeout=15)) == (not dns)
    assert ours(lab) == 0
    before = {chain: rules(lab, chain) for chain in chains}

    vnetd.write("vnetd.conf", ALLOW)
    vnetd.ctl("reload")
    proc.wait_until("status is content", lambda: warnings(vnetd) == [])
    assert talks(guest, OUT, 7)
    assert resolve(guest, lab_module.SERVER_NAME) == [OUT]
    for chain in chains:
        now = rules(lab, chain)
        assert len(now) > len(before[chain]) and now[1] != before[chain][-1]
        # Theirs are as they were, and in their order.
        assert [row for row in now if row in before[chain]] == before[chain]

    # The word is taken back.
    vnetd.write("vnetd.conf", "")
    vnetd.ctl("reload")
    proc.wait_until("our rules are gone", lambda: ours(lab) == 0)
    assert {chain: rules(lab, chain) for chain in chains} == before
    assert not talks(guest, OUT, 7, timeout=0.5)


def test_rules_are_put_back(lab, allowed):
    guest = static_guest(lab)
    load(lab, "docker.rules")
    proc.wait_until("our rules are there", lambda: ours(lab))
    for way in ("flush", "restart"):
        if way == "flush":
            lab.host.run("iptables-nft", "-F", "DOCKER-USER")
        else:
            lab.host.run("nft", "flush", "table", "ip", "filter")
            load(lab, "docker.rules")
        proc.wait_until("our rules are back", lambda: ours(lab), timeout=5)
        assert talks(guest, OUT, 7)


def test_ufw_itself(lab, vnetd):
    """The program rather than a copy of its rules: named, cured by its own commands or by ours, reloaded."""
    guest = static_guest(lab)
    lab.host.run("ufw", "--force", "enable", timeout=60)
    proc.wait_until("status complains", lambda: warnings(vnetd))
    assert not talks(guest, OUT, 7, timeout=0.5)
    [(text, cure)] = warnings(vnetd)
    assert text.startswith("ufw drops what vmnet8 forwards")
    vnetd.write("vnetd.conf", ALLOW)
    vnetd.ctl("reload")
    proc.wait_until("status is content", lambda: warnings(vnetd) == [])
    assert talks(guest, OUT, 7) and resolve(guest, lab_module.SERVER_NAME) == [OUT]
    # Rules in chains that ufw means to delete would end its reload halfway, and the firewall would be off.
    assert "reloaded" in lab.host.run("ufw", "reload", timeout=60).out
    proc.wait_until("our rules are back", lambda: ours(lab) >= 4)
    proc.wait_until("status is content", lambda: warnings(vnetd) == [])
    assert talks(guest, OUT, 7) and resolve(guest, lab_module.SERVER_NAME) == [OUT]
    # ufw reads its own chains without a word about ours.
    assert "Status: active" in lab.host.run("ufw", "status", "verbose").out
    vnetd.write("vnetd.conf", "")
    vnetd.ctl("reload")
    proc.wait_until("status complains again", lambda: warnings(vnetd))
    proc.wait_until("our rules are gone", lambda: ours(lab) == 0)
    for command in cure.split(" && "):
        lab.host.run(*command.split()[1:], timeout=60)
    proc.wait_until("status is content", lambda: warnings(vnetd) == [])
    assert talks(guest, OUT, 7) and resolve(guest, lab_module.SERVER_NAME) == [OUT]
    lab.host.run("ufw", "--force", "disable", timeout=60)
    proc.time.sleep(1.5)
    assert warnings(vnetd) == []


def test_what_others_say_by_name_is_left_alone(lab, allowed):
    """A chain that drops vmnet8 and lets everybody else pass is somebody's will."""
    lab.host.run("iptables-nft", "-A", "FORWARD", "-i", "vmnet8", "-j", "DROP")
    proc.wait_until("status complains", lambda: warnings(lab.vnetd))
    time.sleep(1)
    assert ours(lab) == 0


def test_rules_that_iptables_saved_are_still_ours(lab, allowed):
    """What netfilter-persistent writes down and loads again goes when it is no longer allowed."""
    load(lab, "iptables.rules")
    proc.wait_until("our rules are there", lambda: ours(lab))
    saved = lab.host.run("iptables-nft-save").out
    lab.host.run("iptables-nft-restore", stdin=saved)
    proc.time.sleep(1.5)
    assert "-A FORWARD -j REJECT" in "\n".join(rules(lab, "FORWARD"))
    assert len(rules(lab, "FORWARD")) == len(set(rules(lab, "FORWARD")))
    lab.vnetd.write("vnetd.conf", "")
    lab.vnetd.ctl("reload")
    proc.wait_until("our rules are gone", lambda: "vnetd" not in lab.host.run("iptables-nft-save").out)


def test_other_tables_are_only_reported(lab, allowed):
    load(lab, "plain.nft")
    proc.wait_until("status complains", lambda: warnings(lab.vnetd))
    time.sleep(1)
    assert ours(lab) == 0
    load(lab, "firewalld.nft")
    proc.wait_until("status names it", lambda: "firewalld" in str(warnings(lab.vnetd)))
    time.sleep(1)
    assert ours(lab) == 0


def test_they_go_with_their_network_and_with_everything(lab, allowed):
    load(lab, "iptables.rules")
    # Two for vmnet8's way out, two for its DNS, one for what vmnet0's and vmnet1's guests send each other.
    proc.wait_until("our rules are there", lambda: ours(lab) == 6)
    allowed.ctl("delete", "vmnet8")
    proc.wait_until("only those of the others are left", lambda: ours(lab) == 2)
    allowed.stop()
    assert ours(lab) == 2
    allowed.teardown()
    assert ours(lab) == 0
    assert "-A FORWARD -j REJECT" in "\n".join(rules(lab, "FORWARD"))


def test_a_new_start_sweeps_what_an_old_one_left(lab, allowed):
    load(lab, "docker.rules")
    proc.wait_until("our rules are there", lambda: ours(lab))
    allowed.stop(sig=9)
    assert ours(lab)
    allowed.write("vnetd.conf", "")
    allowed.start()
    proc.wait_until("our rules are gone", lambda: ours(lab) == 0)
