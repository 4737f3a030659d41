# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed suite's processes: what they hold, and that a killed one comes back by itself."""

import os

import pytest

from tests.kit import proc

CHILDREN = ["engine", "vnet-dhcpd", "vnet-natd", "vnet-redird"]
FOUR = sum(1 << c for c in (10, 12, 13, 18))  # NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_CHROOT


def caps(pid, *names):
    status = proc.status(pid)
    return [int(status[f"Cap{name}"], 16) for name in names]


@pytest.fixture
def full(vnetd):
    """A vnetd with all processes: the redirector runs only where something is redirected."""
    assert "vnet-redird" not in vnetd.pids()
    vnetd.write(
        "redirect.d/x", "service x\n{\n\ttype = UNLISTED\n\tport = 7001\n\tredirect = 10.0.0.1 80\n}\n"
    )
    vnetd.ctl("reload")
    return vnetd


def test_privileges_of_every_process(full):
    vnetd = full
    everyone = {pid for pids in vnetd.pids().values() for pid in pids}
    assert set(proc.descendants(vnetd.process.pid)) == everyone
    assert len(everyone) == 1 + len(CHILDREN)
    priv = vnetd.pid_of("priv")
    uid = proc.run(["id", "-u", "_vnet"]).out.strip()
    for pid in everyone:
        status = proc.status(pid)
        assert status["Uid"].split() == [uid] * 4
        assert status["Groups"].split() == []
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
        assert caps(pid, "Bnd", "Amb") == [0, 0]
        assert caps(pid, "Prm", "Eff") == ([FOUR, FOUR] if pid == priv else [0, 0])
        if pid != priv:
            assert caps(pid, "Inh") == [0]
            assert os.readlink(f"/proc/{pid}/root") == str(vnetd.run / "empty")
            assert os.listdir(f"/proc/{pid}/root") == []


@pytest.mark.parametrize("child", CHILDREN)
def test_killed_child_comes_back_and_the_networks_stay(full, child):
    vnetd = full
    links = {name: link["ifindex"] for name, link in vnetd.host.links().items()}
    for _ in range(2):
        vnetd.kill_and_await(child)
    assert {name: link["ifindex"] for name, link in vnetd.host.links().items()} == links
    proc.wait_until("every network is well again", lambda: all(
        row["state"] == "ok" for row in vnetd.json("networks")["networks"]
        if row["name"] != "vmnet0"))


def test_killed_priv_ends_everything_but_the_networks(lab, vnetd):
    links = {name: link["ifindex"] for name, link in lab.host.links().items()}
    vnetd.stop(proc.signal.SIGKILL)
    vnetd.start()
    assert {name: link["ifindex"] for name, link in lab.host.links().items()} == links


def test_check_and_effective_configuration(lab, vnetd):
    res = lab.host.run("vnetd", "-n", *vnetd.dirs)
    assert (res.out, res.err) == ("", "")
    res = lab.host.run("vnetd", "-nn", *vnetd.dirs)
    assert "[global]" in res.out
    vnetd.write("vnetd.conf", "[global]\nlog-levle = info\n")
    res = lab.host.run("vnetd", "-n", *vnetd.dirs, check=False)
    assert res.rc == 1
    assert res.err.startswith("vnetd.conf:2:1: ") and "log-level" in res.err
