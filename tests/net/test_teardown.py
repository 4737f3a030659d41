# SPDX-License-Identifier: GPL-2.0-or-later
"""`vnetd --teardown`: nothing of ours is left, everything else is."""

import os
import signal
import socket

import pytest

from tests.kit import ns, proc
from tests.kit.gates import has_qdisc, programs
from tests.kit.relay import host, priv  # noqa: F401 - fixtures

GROUP = "30318"  # 0x766e


def populate(priv):
    """Networks, ports, a NAT table, ip_forward: all that vnetd makes."""
    priv.host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    engine, natd = priv.engine, priv.natd
    for net in (1, 8):
        engine.ask("BRIDGE_SET", net=net, mtu=1500)
        engine.ask("ADDR_ADD", net=net, addr=f"10.0.{net}.1")
        engine.ask("ROUTE_ADD", net=net, dst=f"10.0.{net}.0", len=24, src=f"10.0.{net}.1")
    for ifname, fields in (("vmnet8p1", {"owner": 0xFFFFFFFF}), ("fc0", {"owner": 1, "persist": True})):
        engine.ask("TAP_ADD", net=8, ifname=ifname, mac="fe:00:08:00:00:01", queues=1, mtu=1500,
                   **fields)
    engine.ask("IP_FORWARD")
    natd.tell("NAT_BEGIN")
    natd.tell("NAT_NET", net=8, subnet="10.0.8.0", len=24, gateway="10.0.8.2", nat=True)
    natd.ask("NAT_COMMIT")
    priv.dhcpd.ask("LEASE_DIR", net=8)
    (priv.state / "vmnet8/dhcpd.leases").write_text("leases")


def assert_gone(priv, links=("lo",)):
    assert set(priv.host.links()) == set(links)
    assert "table inet vnetd" not in priv.host.run("nft", "list", "ruleset").out
    assert priv.host.ip("-4", "route") == []
    assert not priv.run.exists()
    assert (priv.state / "vmnet8/dhcpd.leases").read_text() == "leases"


def ip_forward(host):
    return host.run("cat", "/proc/sys/net/ipv4/ip_forward").out.strip()


def test_running_vnetd_is_ended_and_nothing_is_left(priv):
    populate(priv)
    tree = proc.descendants(priv.process.pid)
    priv.teardown()
    assert not any(map(proc.alive, tree))
    assert priv.process.wait(5) == 0
    assert_gone(priv)
    assert ip_forward(priv.host) == "0"


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_after_a_stop_and_after_a_crash(priv, sig):
    populate(priv)
    priv.stop(sig)
    priv.teardown()
    assert_gone(priv, ["lo"])
    assert ip_forward(priv.host) == "0"


def test_without_any_vnetd_and_twice(priv):
    populate(priv)
    priv.stop()
    for _ in range(2):
        priv.teardown()
    assert_gone(priv)


def test_next_start_after_a_teardown(priv):
    populate(priv)
    priv.teardown()
    priv.process.wait(5)
    priv.start()
    priv.engine.ask("BRIDGE_SET", net=8, mtu=1500)


def test_vnetd_that_does_not_end_is_killed(priv):
    populate(priv)
    proc.kill(priv.process.pid, signal.SIGSTOP)
    res = priv.teardown(timeout=30)
    assert "did not end when told to: killing it" in res.err
    assert_gone(priv)


def test_other_peoples_links_and_rules_stay(priv):
    populate(priv)
    priv.host.sh(
        f"""
        ip link add other type veth peer name peer
        ip link set other master vmnet8
        ip link set peer group {GROUP} alias "not ours"
        ip tuntap add vmnetx mode tap
        nft add table ip other
        """
    )
    priv.teardown()
    assert_gone(priv, ["lo", "other", "peer", "vmnetx"])
    assert "master" not in priv.host.links()["other"]
    assert "table ip other" in priv.host.run("nft", "list", "tables").out


@pytest.mark.parametrize("priv, fasten", [("tcx", True), ("tcx", False), ("clsact", False)], indirect=["priv"])
def test_other_peoples_links_lose_our_programs(priv, fasten):
    populate(priv)
    priv.host.sh("ip link add other type veth peer name peer; ip link set other master vmnet8")
    priv.gate("other", rate_in_kbit=1000)
    if fasten:
        priv.engine.ask("GATE_FASTEN", ifindex=priv.host.links()["other"]["ifindex"])
    assert programs(priv.host, "other") == ["gate_in"]
    assert programs(priv.host, "other", "egress") == ["gate_out"]
    priv.stop(signal.SIGKILL)
    priv.teardown()
    assert programs(priv.host, "other") == programs(priv.host, "other", "egress") == []
    assert not has_qdisc(priv.host, "other")


def test_links_whose_group_somebody_changed_go_too(priv):
    populate(priv)
    priv.host.sh("ip link set vmnet1 group default; ip link set fc0 group 5")
    priv.teardown()
    assert_gone(priv)


def test_foreign_vmnet_stays(priv):
    populate(priv)
    priv.host.run("ip", "link", "add", "vmnet5", "type", "bridge")
    priv.teardown()
    assert_gone(priv, ["lo", "vmnet5"])


def test_guests_end_of_a_veth_goes_with_ours(priv):
    guest = ns.Netns(f"{priv.host.name}-g")
    try:
        populate(priv)
        with open(f"/run/netns/{guest.name}", "rb") as namespace:
            priv.engine.ask("VETH_ADD", [namespace.fileno()], net=8, ifname="vmnet8p2",
                            mac="fe:00:08:00:00:02", peer_name="eth0",
                            peer_mac="00:50:56:00:00:02", mtu=1500)
        priv.teardown()
        assert_gone(priv)
        assert "eth0" not in guest.links()
    finally:
        guest.delete()


def test_forwarding_that_was_on_before_us_stays_on(priv):
    priv.host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    priv.engine.ask("IP_FORWARD")
    priv.teardown()
    assert ip_forward(priv.host) == "1"


def test_forwarding_that_others_may_need_stays_on(priv):
    populate(priv)
    priv.host.sh("ip link add docker0 type bridge; ip link set docker0 up")
    res = priv.teardown()
    assert ip_forward(priv.host) == "1"
    assert res.err == ("vnetd: net.ipv4.ip_forward stays 1, since docker0 may need it. If nobody "
                       "does: sysctl -w net.ipv4.ip_forward=0\n")


def test_socket_of_the_service_manager_stays(priv):
    populate(priv)
    priv.stop()
    with priv.host.enter(), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as manager:
        (priv.run / "vnetd.sock").unlink()
        manager.bind(str(priv.run / "vnetd.sock"))
        manager.listen()
        priv.teardown()
        assert os.listdir(priv.run) == ["vnetd.sock"]
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(str(priv.run / "vnetd.sock"))


def test_many_networks_go_in_one_message(priv):
    priv.engine.ask_many(("BRIDGE_SET", {"net": net, "mtu": 1500}) for net in range(60))
    priv.stop()
    log = priv.run.parent / "strace"
    priv.host.run("strace", "-f", "-o", log, "-e", "trace=sendto", "-e", "verbose=none",
                  *priv.argv("--teardown"))
    assert set(priv.host.links()) == {"lo"}
    # One dump, one deletion, and what nf_tables needs.
    assert len(log.read_text().splitlines()) < 20


def test_pid_file_of_nobody_ends_nobody(priv):
    """A pid file whose process is not the one that holds the lock ends nobody."""
    populate(priv)
    priv.stop()
    (priv.run / "vnetd.pid").write_text(f"{os.getpid()}\n")
    priv.teardown()
    assert_gone(priv)
