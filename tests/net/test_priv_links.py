# SPDX-License-Identifier: GPL-2.0-or-later
"""priv's verbs about links: bridges, addresses, routes, sysctls, ports. The test is the engine."""

import errno
import os
import select
import socket

import pytest

from tests.kit import msg, proc
from tests.kit.relay import close, guest, host, priv  # noqa: F401 - fixtures

GROUP = "30318"  # 0x766e
N = msg.NUMBERS
UPLINK = """
    ip link add up0 type veth peer name up1
    ip link set up0 up; ip link set up1 up
    ip addr add 198.51.100.1/24 dev up0
"""


def sysctl(host, key):
    return host.run("cat", f"/proc/sys/net/{key}").out.strip()


def who_has(guest, address, timeout=0.5):
    """The Ethernet address that answers an ARP request on the guest's eth0, or None."""
    mac = bytes.fromhex(guest.links()["eth0"]["address"].replace(":", ""))
    with guest.enter():
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
    wire.bind(("eth0", 0x0806))
    wire.send(b"\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac
              + socket.inet_aton("10.0.8.128") + bytes(6) + socket.inet_aton(address))
    with wire:
        while select.select([wire], [], [], timeout)[0]:
            frame = wire.recv(2000)
            if frame[20:22] == b"\0\2" and frame[28:32] == socket.inet_aton(address):
                return frame[22:28].hex(":")
    return None


# --- bridges -----------------------------------------------------------------------------------


def test_bridge_as_the_design_wants_it(priv):
    priv.bridge(net=255, mtu=9000, text="custom")
    link = priv.host.links()["vmnet255"]
    data = link["linkinfo"]["info_data"]
    assert link["address"] == "00:50:56:c0:00:ff"
    assert link["ifalias"] == "vnetd:255 custom"
    assert link["mtu"] == 9000
    assert link["group"] == GROUP
    assert "UP" in link["flags"]
    assert (data["stp_state"], data["forward_delay"], data["mcast_snooping"]) == (0, 0, 0)


def test_bridge_set_changes_only_what_differs(priv):
    priv.bridge(text="host-only")
    before = priv.host.links()["vmnet8"]
    with priv.host.enter():
        events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    events.bind((0, 1))  # RTMGRP_LINK
    priv.bridge(text="host-only")
    priv.engine.ask("BRIDGE_SET", net=9, mtu=1500)  # something to see
    seen = b""
    while b"vmnet9" not in seen:
        assert select.select([events], [], [], 5)[0]
        seen += events.recv(65536)
    events.close()
    assert b"vmnet8" not in seen
    priv.engine.ask("BRIDGE_SET", net=8, mtu=1400, text="NAT")
    after = priv.host.links()["vmnet8"]
    assert (after["mtu"], after["ifalias"]) == (1400, "vnetd:8 NAT")
    assert after["ifindex"] == before["ifindex"]


def test_bridge_that_somebody_changed_is_put_right(priv):
    priv.bridge()
    priv.host.sh(
        """
        ip link set vmnet8 type bridge stp_state 1 forward_delay 1500 mcast_snooping 1
        ip link set vmnet8 address 02:00:00:00:00:01 group default down
        """
    )
    priv.bridge()
    test = priv.host.links()["vmnet8"]
    data = test["linkinfo"]["info_data"]
    assert (data["stp_state"], data["forward_delay"], data["mcast_snooping"]) == (0, 0, 0)
    assert (test["address"], test["group"]) == ("00:50:56:c0:00:08", GROUP)
    assert "UP" in test["flags"]


def test_mtu_of_a_bridge_does_not_follow_its_ports(priv):
    priv.bridge(mtu=1500)
    priv.host.sh("ip tuntap add other mode tap; ip link set other mtu 9000 master vmnet8")
    assert priv.host.links()["vmnet8"]["mtu"] == 1500
    priv.host.run("ip", "link", "set", "other", "mtu", "1000")
    assert priv.host.links()["vmnet8"]["mtu"] == 1500


@pytest.mark.parametrize("kind, said", [
    ("ifb", "vmnet8: an interface of this name (ifb) exists and is not vnetd's. Remove it if "
              "nobody needs it: ip link delete vmnet8"),
    ("bridge", "vmnet8: an interface of this name (bridge) exists and is not vnetd's. Remove it if "
               "nobody needs it: ip link delete vmnet8"),
])
def test_foreign_vmnet8_is_refused_and_left_alone(priv, kind, said):
    priv.host.run("ip", "link", "add", "vmnet8", "mtu", "1400", "type", kind)
    before = priv.host.links()["vmnet8"]
    ask = priv.engine.ask
    assert ask("BRIDGE_SET", net=8, mtu=1500, err=errno.EEXIST).text == said
    for name, fields in (
        ("BRIDGE_DEL", {}), ("ADDR_ADD", {"addr": "10.0.8.1"}), ("ADDR_DEL", {"addr": "10.0.8.1"}),
        ("ROUTE_ADD", {"dst": "10.0.8.0", "len": 24}), ("ROUTE_DEL", {"dst": "10.0.8.0", "len": 24}),
        ("NEIGH_SET", {"addr": "10.0.8.5", "mac": "00:0c:29:00:00:01"}),
        ("NEIGH_DEL", {"addr": "10.0.8.5"}),
        ("SYSCTL_SET", {"ifname": "vmnet8"}), ("PORT_ENSLAVE", {"ifname": "lo"}),
    ):
        assert ask(name, net=8, err=errno.EEXIST, **fields).text == said
    priv.tap(err=errno.EEXIST)
    for key in ("linkinfo", "stats64"):
        before.pop(key, None)
    after = priv.host.links()["vmnet8"]
    assert {key: after[key] for key in before} == before
    # The other networks are not affected.
    priv.bridge(net=9)


def test_interface_without_a_kind_may_be_vmwares(priv):
    # Hardware has no kind; the loopback interface is what a test has of it.
    priv.host.sh("ip link set lo down; ip link set lo name vmnet8")
    text = priv.engine.ask("BRIDGE_SET", net=8, mtu=1500, err=errno.EEXIST).text
    assert "vmware-networks --stop" in text


def test_bridge_whose_making_was_cut_short_is_taken_up_again(priv):
    priv.host.run("ip", "link", "add", "vmnet8", "group", GROUP, "type", "bridge")
    priv.bridge()
    assert priv.host.links()["vmnet8"]["ifalias"] == "vnetd:8"


def test_bridge_del_leaves_foreign_ports(priv):
    priv.bridge()
    priv.host.sh("ip tuntap add other mode tap; ip link set other master vmnet8")
    priv.engine.ask("BRIDGE_DEL", net=8)
    links = priv.host.links()
    assert "vmnet8" not in links and "master" not in links["other"]
    assert priv.engine.ask("BRIDGE_DEL", net=8, err=errno.ENODEV).text == (
        "vmnet8: there is no such network")


# --- addresses, routes, sysctls ----------------------------------------------------------------


def test_addresses_are_host_addresses_without_routes(priv):
    priv.bridge()
    for last in (1, 2, 254, 1):  # the same again is no error
        priv.engine.ask("ADDR_ADD", net=8, addr=f"10.0.8.{last}")
    rows = priv.host.ip("-4", "addr", "show", "dev", "vmnet8")[0]["addr_info"]
    assert [(r["local"], r["prefixlen"]) for r in rows] == [
        ("10.0.8.1", 32), ("10.0.8.2", 32), ("10.0.8.254", 32)]
    assert all(r["noprefixroute"] and not r.get("secondary") for r in rows)
    assert priv.host.ip("-4", "route") == []
    priv.engine.ask("ADDR_DEL", net=8, addr="10.0.8.1")
    priv.engine.ask("ADDR_DEL", net=8, addr="10.0.8.1")
    assert priv.host.addresses("vmnet8") == ["10.0.8.2/32", "10.0.8.254/32"]


def test_neighbours_are_permanent_and_only_ours_go(priv):
    priv.network()
    for mac in ("00:0c:29:00:00:01", "00:0c:29:00:00:02", "00:0c:29:00:00:02"):
        priv.engine.ask("NEIGH_SET", net=8, addr="10.0.8.50", mac=mac)
    priv.host.run("ip", "neigh", "add", "10.0.8.51", "lladdr", "00:0c:29:00:00:03", "dev", "vmnet8",
                  "nud", "permanent")
    rows = {r["dst"]: r for r in priv.host.ip("neigh", "show", "dev", "vmnet8")}
    ours = rows["10.0.8.50"]
    assert (ours["lladdr"], ours["state"]) == ("00:0c:29:00:00:02", ["PERMANENT"])
    assert str(ours["protocol"]) == "118"
    for last in (50, 50, 51, 52):  # also what is gone, is others', or never was
        priv.engine.ask("NEIGH_DEL", net=8, addr=f"10.0.8.{last}")
    left = [r["dst"] for r in priv.host.ip("neigh", "show", "dev", "vmnet8")]
    assert left == ["10.0.8.51"]
    assert priv.engine.ask("NEIGH_SET", net=9, addr="10.0.9.5", mac="00:0c:29:00:00:01",
                           err=errno.ENODEV).text == "vmnet9: there is no such network"


def test_route_is_ours_and_survives_the_loss_of_an_address(priv):
    priv.network()
    want = {"dst": "10.0.8.0/24", "dev": "vmnet8", "protocol": "118", "scope": "link",
            "prefsrc": "10.0.8.1"}
    routes = priv.host.ip("-4", "route")
    assert len(routes) == 1 and want.items() <= routes[0].items()
    priv.engine.ask("ADDR_DEL", net=8, addr="10.0.8.254")
    assert len(priv.host.ip("-4", "route")) == 1
    priv.engine.ask("ROUTE_ADD", net=8, dst="10.0.8.0", len=24, src="10.0.8.2")
    assert [r["prefsrc"] for r in priv.host.ip("-4", "route")] == ["10.0.8.2"]
    for _ in range(2):
        priv.engine.ask("ROUTE_DEL", net=8, dst="10.0.8.0", len=24)
    assert priv.host.ip("-4", "route") == []


def test_somebody_elses_route_is_neither_replaced_nor_deleted(priv):
    priv.bridge()
    priv.host.sh(
        """
        ip link add other type ifb
        ip link set other up
        ip route add 10.0.8.0/24 dev other
        """
    )
    reply = priv.engine.ask("ROUTE_ADD", net=8, dst="10.0.8.0", len=24, err=errno.EEXIST)
    assert reply.text == ("vmnet8: the host has a route to 10.0.8.0/24 already (ip route show "
                          "10.0.8.0/24). Choose another subnet for this network")
    priv.engine.ask("ROUTE_DEL", net=8, dst="10.0.8.0", len=24)
    assert [r["dev"] for r in priv.host.ip("-4", "route")] == ["other"]


def test_address_that_the_kernel_refuses_comes_with_its_words(priv):
    priv.bridge()
    priv.engine.ask("ADDR_ADD", net=8, addr="10.0.8.1")
    text = priv.engine.ask("ROUTE_ADD", net=8, dst="10.0.8.0", len=24, src="10.0.8.77",
                           err=errno.EINVAL).text
    assert text == "vmnet8: cannot add the route to 10.0.8.0/24: Invalid prefsrc address"


@pytest.mark.parametrize("profile, want", [
    ("HOST", {"ipv4/conf/vmnet8/arp_ignore": "1", "ipv4/conf/vmnet8/arp_announce": "2",
              "ipv4/conf/vmnet8/rp_filter": "1", "ipv6/conf/vmnet8/accept_ra": "0",
              "ipv6/conf/vmnet8/autoconf": "0", "ipv6/conf/vmnet8/disable_ipv6": "0"}),
    ("SERVICE", {"ipv4/conf/vmnet8/arp_ignore": "1", "ipv6/conf/vmnet8/disable_ipv6": "1"}),
    ("SEGMENT", {"ipv4/conf/vmnet8/arp_ignore": "8", "ipv6/conf/vmnet8/disable_ipv6": "1"}),
])
def test_sysctl_profiles(priv, profile, want):
    priv.bridge(profile="SEGMENT")
    priv.bridge(profile=profile)
    assert {key: sysctl(priv.host, key) for key in want} == want


def test_host_that_has_switched_ipv6_off_keeps_it_off(priv):
    priv.host.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    priv.bridge()
    assert sysctl(priv.host, "ipv6/conf/vmnet8/disable_ipv6") == "1"


def test_sysctls_of_other_interfaces_are_refused(priv):
    priv.bridge()
    priv.host.run("ip", "link", "add", "other", "type", "ifb")
    ask = priv.engine.ask
    port = N["SYSCTL_PROFILE_PORT"]
    assert "not a port of vmnet8" in ask(
        "SYSCTL_SET", net=8, ifname="other", profile=port, err=errno.EPERM).text
    ask("SYSCTL_SET", net=8, ifname="all", profile=0, err=errno.EPERM)
    ask("SYSCTL_SET", net=8, ifname="nothing", profile=port, err=errno.ENODEV)
    priv.host.run("ip", "link", "set", "other", "master", "vmnet8")
    ask("SYSCTL_SET", net=8, ifname="other", profile=port)
    assert sysctl(priv.host, "ipv6/conf/other/disable_ipv6") == "1"


def test_all_three_addresses_answer_a_guest_and_no_other_does(priv, guest):
    priv.network()
    priv.host.sh(UPLINK)
    priv.veth(guest)
    guest.sh("ip addr add 10.0.8.128/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.8.2")
    for last in (1, 2, 254):
        assert guest.ping(f"10.0.8.{last}")
    assert who_has(guest, "10.0.8.2") == "00:50:56:c0:00:08"
    assert who_has(guest, "198.51.100.1") is None


def test_lan_segment_hears_nothing_of_the_host(priv, guest):
    priv.bridge(profile="SEGMENT")
    with guest.enter():
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    priv.host.sh(UPLINK)
    guest.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
    priv.veth(guest)
    guest.sh("ip link set eth0 up; ip addr add 198.51.100.7/24 dev eth0")
    assert who_has(guest, "198.51.100.1") is None
    wire.setblocking(False)
    frames = []
    while select.select([wire], [], [], 1.0)[0]:
        frames.append(wire.recv(2000))
    wire.close()
    own = bytes.fromhex("005056000001")
    assert frames and all(frame[6:12] == own for frame in frames)


def test_ip_forward_is_set_and_its_first_value_recorded(priv):
    priv.host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    for _ in range(2):
        assert priv.engine.ask("IP_FORWARD", others=True).text == "0"
        assert sysctl(priv.host, "ipv4/ip_forward") == "1"
    priv.stop()
    priv.start()
    assert priv.engine.ask("IP_FORWARD", others=False).text == "0"
    assert (priv.run / "ip_forward").read_text() == "0"


def test_ip_forward_waits_for_a_table_that_forwards_for_nobody_else(priv):
    priv.host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    assert priv.engine.ask("IP_FORWARD", others=False).text == "0"
    for others, value in ((True, "0"), (False, "1")):
        assert sysctl(priv.host, "ipv4/ip_forward") == "0"
        priv.natd.tell("NAT_BEGIN", forward_others=others)
        priv.natd.ask("NAT_COMMIT")
        assert sysctl(priv.host, "ipv4/ip_forward") == value
    # It is in force for whoever asks now.
    priv.host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    priv.engine.ask("IP_FORWARD", others=False)
    assert sysctl(priv.host, "ipv4/ip_forward") == "1"


def test_a_router_forwards_at_once(priv):
    priv.host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    assert priv.engine.ask("IP_FORWARD", others=False).text == "1"
    assert sysctl(priv.host, "ipv4/ip_forward") == "1"


# --- ports -------------------------------------------------------------------------------------


def test_tap_lives_as_long_as_its_descriptor(priv):
    priv.bridge(mtu=1400)
    reply = priv.tap(mtu=1400, vnet_hdr=True)
    link = priv.host.links()["vmnet8p1"]
    data = link["linkinfo"]["info_data"]
    assert (link["address"], link["ifalias"], link["group"], link["mtu"], link["master"]) == (
        "fe:00:08:00:00:01", "vnetd:8 port=1", GROUP, 1400, "vmnet8")
    assert "UP" in link["flags"]
    assert (data["type"], data["vnet_hdr"], data["persist"], data.get("pi", False)) == (
        "tap", True, False, False)
    # Never open to everybody, since everybody can name it.
    assert data["user"] == "_vnet"
    assert sysctl(priv.host, "ipv6/conf/vmnet8p1/disable_ipv6") == "1"
    assert link["inet6_addr_gen_mode"] == "none"
    close(reply)
    proc.wait_until("the tap has gone", lambda: "vmnet8p1" not in priv.host.links())


def test_tap_with_queues_and_an_owner(priv):
    priv.bridge()
    reply = priv.tap(queues=3, owner=1234)
    data = priv.host.links()["vmnet8p1"]["linkinfo"]["info_data"]
    assert len(reply.fds) == 3
    assert (data["multi_queue"], data["numqueues"], data["user"]) == (True, 3, 1234)
    assert priv.tap(err=errno.EEXIST).text == "vmnet8p1: an interface of this name exists already"
    close(reply)


def test_static_tap_waits_for_its_owner(priv, stranger):
    priv.bridge()
    uid = int(proc.run(["id", "-u", stranger]).out)
    reply = priv.tap(ifname="fc0", owner=uid, persist=True, vnet_hdr=True)
    assert reply.fds == []
    data = priv.host.links()["fc0"]["linkinfo"]["info_data"]
    assert (data["persist"], data["user"]) == (True, stranger)
    opens = ("import fcntl, struct, sys; f = open('/dev/net/tun', 'r+b', buffering=0);"
             "fcntl.ioctl(f, 0x400454ca, struct.pack('16sH', b'fc0', 0x5002))")
    priv.host.run("/usr/bin/python3", "-c", opens, user=stranger)
    assert priv.host.run("/usr/bin/python3", "-c", opens, user="_vnet", check=False).rc != 0
    priv.stop()
    assert "fc0" in priv.host.links()


def test_tap_that_cannot_be_finished_leaves_nothing(priv):
    priv.bridge()
    text = priv.tap(mtu=65535, err=errno.EINVAL).text
    assert text.startswith("vmnet8p1: cannot set up the interface: ")
    assert "vmnet8p1" not in priv.host.links()
    assert priv.tap(net=9, ifname="vmnet9p1", err=errno.ENODEV).text == (
        "vmnet9: there is no such network")


def test_priv_keeps_no_tap(priv):
    priv.bridge()
    before = len(os.listdir(f"/proc/{priv.pid_of('priv')}/fd"))
    reply = priv.tap(queues=16)
    proc.wait_until("all are handed over", lambda: len(
        os.listdir(f"/proc/{priv.pid_of('priv')}/fd")) == before)
    close(reply)


def test_frame_of_a_tap_reaches_the_bridge(priv):
    priv.network()
    port = priv.tap().fds[0]
    request = bytes.fromhex(
        "ffffffffffff" "525400000001" "0806" "0001080006040001" "525400000001" "0a000880"
        "000000000000" "0a000802")

    def answer():
        # The first may come before the bridge has noticed that it has a carrier now.
        os.write(port, request)
        while select.select([port], [], [], 0.2)[0]:
            frame = os.read(port, 2000)
            if frame[12:14] == b"\x08\x06" and frame[21] == 2:
                return frame
        return None

    frame = proc.wait_until("an ARP reply", answer)
    assert frame[6:12].hex(":") == "00:50:56:c0:00:08"
    assert frame[28:32] == bytes([10, 0, 8, 2])


def test_veth_into_a_namespace(priv, guest):
    priv.bridge(mtu=1400)
    priv.veth(guest, mtu=1400)
    link, peer = priv.host.links()["vmnet8p1"], guest.links()["eth0"]
    assert (link["address"], link["ifalias"], link["group"], link["mtu"], link["master"]) == (
        "fe:00:08:00:00:01", "vnetd:8 port=1", GROUP, 1400, "vmnet8")
    assert "UP" in link["flags"]
    assert sysctl(priv.host, "ipv6/conf/vmnet8p1/disable_ipv6") == "1"
    assert (peer["address"], peer["mtu"]) == ("00:50:56:00:00:01", 1400)
    assert "UP" not in peer["flags"]


def test_veth_whose_guest_has_that_name_already(priv, guest):
    priv.bridge()
    priv.veth(guest)
    assert priv.veth(guest, n=2, err=errno.EEXIST).text == (
        '"eth0" exists already in that namespace')
    assert priv.veth(guest, peer_name="eth1", err=errno.EEXIST).text == (
        "vmnet8p1: an interface of this name exists already")
    assert "vmnet8p2" not in priv.host.links()


def test_veth_into_something_that_is_no_namespace(priv):
    priv.bridge()
    with open("/dev/null", "rb") as null:
        text = priv.engine.ask("VETH_ADD", [null.fileno()], err=errno.EINVAL, net=8,
                               ifname="vmnet8p1", mac="fe:00:08:00:00:01", mtu=1500,
                               peer_name="eth0", peer_mac="00:50:56:00:00:01").text
    assert text.startswith("vmnet8p1: cannot make the link into that namespace")
    assert "vmnet8p1" not in priv.host.links()


def test_port_del_deletes_ours_only(priv, guest):
    priv.bridge()
    priv.veth(guest)
    reply = priv.tap(n=2)
    for ifname in ("vmnet8p1", "vmnet8p2"):
        priv.engine.ask("PORT_DEL", ifname=ifname)
    assert "eth0" not in guest.links() and "vmnet8p2" not in priv.host.links()
    close(reply)
    priv.host.sh("ip tuntap add other mode tap; ip link set other master vmnet8")
    assert priv.engine.ask("PORT_DEL", ifname="other", err=errno.EPERM).text == (
        "other: this interface is not vnetd's")
    assert priv.engine.ask("PORT_DEL", ifname="none", err=errno.ENODEV).text == (
        "none: there is no such interface")
    assert "other" in priv.host.links()


def test_port_comes_back_to_its_network(priv, guest):
    priv.bridge()
    priv.veth(guest)
    priv.host.run("ip", "link", "set", "vmnet8p1", "nomaster")
    for _ in range(2):
        priv.engine.ask("PORT_ENSLAVE", net=8, ifname="vmnet8p1")
    assert priv.host.links()["vmnet8p1"]["master"] == "vmnet8"


@pytest.mark.parametrize("make, err", [
    ("ip tuntap add other mode tap", 0),
    ("ip link add other type veth peer name peer", 0),
    ("ip link add other type ifb", errno.EPERM),
    ("ip link add br0 type bridge; ip tuntap add other mode tap; ip link set other master br0",
     errno.EBUSY),
])
def test_which_foreign_links_become_ports(priv, make, err):
    priv.bridge()
    priv.host.sh(make)
    address = priv.host.links()["other"]["address"]
    priv.engine.ask("PORT_ENSLAVE", net=8, ifname="other", err=err)
    link = priv.host.links()["other"]
    assert (link.get("master") == "vmnet8") == (err == 0)
    # Name, address, alias and life are not ours.
    assert (link["address"], link.get("ifalias"), "UP" in link["flags"]) == (address, None, False)


def test_port_set(priv, guest):
    priv.bridge()
    priv.veth(guest)
    priv.engine.ask("PORT_SET", net=8, ifname="vmnet8p1", mtu=1400, up=False)
    link = priv.host.links()["vmnet8p1"]
    assert link["mtu"] == 1400 and "UP" not in link["flags"]
    priv.engine.ask("PORT_SET", net=8, ifname="vmnet8p1", mtu=0, up=True)
    link = priv.host.links()["vmnet8p1"]
    assert link["mtu"] == 1400 and "UP" in link["flags"]
    priv.host.run("ip", "link", "add", "other", "type", "ifb")
    priv.engine.ask("PORT_SET", net=8, ifname="other", up=True, err=errno.EPERM)
