# SPDX-License-Identifier: GPL-2.0-or-later
"""What lib/rtnl.h reports about links, addresses and routes that really exist, and its events."""

import json
import os
import socket
import struct
import subprocess
import threading

import pytest

from tests.kit import built, lab, ns, proc

UP = 3  # BR_STATE_FORWARDING


@pytest.fixture
def space():
    lab.need_root()
    made = ns.Netns(f"vt{os.getpid()}-rtnl")
    yield made
    made.delete()


@pytest.fixture
def dump(space):
    """Rows of one kind ("link", "addr", "route", "fdb") as `rtnl-helper dump` gives them,."""

    def rows(what):
        program = built.program("tests/unit/lib/rtnl-helper")
        out = space.run(program, "dump").out
        return [row for row in map(json.loads, out.splitlines()) if row["what"] == what]

    return rows


class Watcher:
    """A running `rtnl-helper watch`; `.seen` grows by itself."""

    def __init__(self, space, mode):
        self.process = space.popen(
            built.program("tests/unit/lib/rtnl-helper"), mode, stdin=subprocess.PIPE
        )
        self.seen = []
        threading.Thread(target=self._read, daemon=True).start()
        self.wait(lambda row: row["what"] == "watching")

    def _read(self):
        for line in self.process.stdout:
            self.seen.append(json.loads(line))

    def wait(self, match, **kw):
        """The first row that matches, now or soon."""
        return proc.wait_until("event", lambda: next(filter(match, list(self.seen)), None), **kw)

    def tell(self):
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()


@pytest.fixture
def watcher(space):
    return Watcher(space, "watch")


def named(rows, name):
    found = [row for row in rows if row["name"] == name]
    assert len(found) == 1, rows
    return found[0]


def test_kinds_masters_and_port_states(space, dump):
    space.sh(
        """
        ip link add br7 type bridge forward_delay 0
        ip link set br7 address 00:50:56:c0:00:07 mtu 1400 group 42 up
        ip link set br7 alias "vnetd:7 test network"
        ip tuntap add tap7 mode tap user 1000
        ip link set tap7 master br7 up
        ip tuntap add tun7 mode tun
        ip link add ve7 type veth peer name pe7
        ip link set ve7 master br7 up
        ip link set pe7 up
        """
    )
    rows = dump("link")
    bridge, tap, tun, veth = (named(rows, n) for n in ("br7", "tap7", "tun7", "ve7"))
    assert bridge["kind"] == "bridge" and bridge["alias"] == "vnetd:7 test network"
    assert bridge["mac"] == "00:50:56:c0:00:07" and bridge["mtu"] == 1400
    assert bridge["group"] == 42 and bridge["up"] and not bridge["bridge_port"]
    assert bridge["master"] == 0
    assert tap["kind"] == "tun" and tap["tun_owner"] == 1000 and tap["tun_persist"]
    assert tap["master"] == bridge["ifindex"] and tap["bridge_port"] and not tap["lower_up"]
    assert tap["port_state"] != UP  # nobody holds the tap, so it has no carrier
    assert tun["kind"] == "tun" and tun["tun_owner"] == -1 and tun["mac"] == "00:00:00:00:00:00"
    assert veth["kind"] == "veth" and veth["lower_up"] and veth["port_state"] == UP
    assert veth["peer"] == named(rows, "pe7")["ifindex"] and veth["netnsid"] == -1
    assert not veth["tun_persist"] and veth["tun_owner"] == -1
    assert veth["learning"] and veth["flood"] and not veth["locked"]
    assert not named(rows, "pe7")["learning"]
    assert named(rows, "lo")["loopback"]


def test_peer_in_another_namespace(space, dump):
    other = ns.Netns(f"vt{os.getpid()}-other")
    try:
        space.run("ip", "link", "add", "ve8", "type", "veth", "peer", "name", "pe8")
        space.run("ip", "link", "set", "pe8", "netns", other.name)
        row = named(dump("link"), "ve8")
        assert row["netnsid"] >= 0 and row["peer"] > 0
    finally:
        other.delete()


def test_addresses_and_routes(space, dump):
    space.sh(
        """
        ip link add d0 up type veth peer name d1
        ip link set d1 up
        ip addr add 10.7.0.1/24 dev d0
        ip addr add 10.8.0.1 peer 10.8.0.2/32 dev d0
        ip -6 addr add fd00::1/64 dev d0
        ip route add default via 10.7.0.254 metric 77
        ip route add 10.9.0.0/16 nexthop via 10.7.0.2 nexthop via 10.7.0.3
        ip route add 10.10.0.0/16 via 10.7.0.2 table 1000
        ip -6 route add fd01::/64 dev d0
        """
    )
    index = named(dump("link"), "d0")["ifindex"]
    addrs = {row["addr"]: row["proto"] for row in dump("addr")}
    assert addrs == {"127.0.0.1/8": 0, "10.7.0.1/24": 0, "10.8.0.1/32": 0}
    routes = dump("route")
    assert {row["table"] for row in routes} == {254, 255}
    main = {row["dst"]: row for row in routes if row["table"] == 254}
    assert set(main) == {"0.0.0.0/0", "10.7.0.0/24", "10.8.0.2/32", "10.9.0.0/16"}
    default = main["0.0.0.0/0"]
    assert default["gateway"] == "10.7.0.254" and default["metric"] == 77
    assert default["oif"] == index
    assert main["10.7.0.0/24"]["src"] == "10.7.0.1" and main["10.7.0.0/24"]["protocol"] == 2
    ways = {row["gateway"]: row["oif"] for row in routes if row["dst"] == "10.9.0.0/16"}
    assert ways == {"10.7.0.2": index, "10.7.0.3": index}


def add_address(space, index, address, proto):
    """Adds a /32 that says who added it, which Debian 12's ip(8) cannot."""
    attrs = b""
    for kind, value in ((2, socket.inet_aton(address)), (11, bytes([proto]))):
        attrs += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, index) + attrs
    create, acked = 0x600, 0x5
    header = struct.pack("=IHHII", 16 + len(body), 20, create | acked, 1, 0)
    with space.enter(), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(header + body)
        assert struct.unpack_from("=i", sock.recv(4096), 16) == (0,)


def test_who_added_an_address(space, dump, watcher):
    space.run("ip", "link", "add", "br7", "type", "bridge")
    index = named(dump("link"), "br7")["ifindex"]
    add_address(space, index, "10.11.0.1", 201)
    want = {"what": "addr", "ifindex": index, "addr": "10.11.0.1/32", "proto": 201}
    assert want in dump("addr")
    watcher.wait(lambda row: row == want)


def test_forwarding_entries(space, dump):
    space.sh(
        """
        ip link add br7 type bridge
        ip link set br7 address 00:50:56:c0:00:07 up
        ip link add ve7 type veth peer name pe7
        ip link set ve7 address fe:00:00:00:00:07 master br7 up
        ip link set pe7 up
        bridge fdb add 00:0c:29:01:02:03 dev ve7 master static sticky
        """
    )
    links = dump("link")
    bridge, port = named(links, "br7")["ifindex"], named(links, "ve7")["ifindex"]
    rows = dump("fdb")
    assert {row["master"] for row in rows} == {bridge}
    entries = {(row["ifindex"], row["mac"]): row for row in rows if row["vlan"] == 0}
    assert not entries[port, "00:0c:29:01:02:03"]["local"]
    assert entries[port, "fe:00:00:00:00:07"]["local"]
    assert entries[bridge, "00:50:56:c0:00:07"]["local"]


def test_many_links_in_one_dump(space, dump):
    """More than one datagram of the kernel's."""
    space.sh("for i in $(seq 300); do echo link add d$i type bridge; done | ip -batch -")
    names = {row["name"] for row in dump("link")}
    assert {f"d{i}" for i in range(1, 301)} <= names


def test_events_follow_a_link_through_its_life(space, watcher):
    space.run("ip", "link", "add", "br7", "type", "bridge", "forward_delay", "0")
    bridge = watcher.wait(lambda row: row.get("name") == "br7")
    # A change of alias is an event only while the link is up.
    space.sh("ip link add ve7 up type veth peer name pe7; ip link set ve7 alias hello")
    watcher.wait(lambda row: row.get("name") == "ve7" and row["alias"] == "hello")
    space.sh("ip link set br7 up; ip link set pe7 up; ip link set ve7 master br7 up")
    port = watcher.wait(lambda row: row.get("name") == "ve7" and row["port_state"] == UP)
    # However the news came, it is the whole link and not the bridge's few words about it.
    assert port["master"] == bridge["ifindex"] and port["alias"] == "hello"
    assert port["kind"] == "veth" and port["bridge_port"]
    del watcher.seen[:]
    space.run("ip", "link", "set", "ve7", "nomaster")
    watcher.wait(lambda row: row.get("name") == "ve7" and row["master"] == 0)
    assert not [row for row in watcher.seen if row["what"] == "link gone"]
    space.run("ip", "link", "set", "ve7", "down")
    space.run("ip", "link", "set", "ve7", "name", "ve9")
    watcher.wait(lambda row: row.get("name") == "ve9")
    space.run("ip", "link", "del", "ve9")
    gone = watcher.wait(lambda row: row["what"] == "link gone" and row["name"] == "ve9")
    assert gone["ifindex"] == port["ifindex"]


def test_port_state_changes_are_events(space, watcher):
    """The bridge alone speaks of these, in messages of its own family."""
    space.sh(
        """
        ip link add br7 type bridge forward_delay 0
        ip link add ve7 type veth peer name pe7
        ip link set br7 up; ip link set pe7 up; ip link set ve7 master br7 up
        """
    )
    watcher.wait(lambda row: row.get("name") == "ve7" and row["port_state"] == UP)
    del watcher.seen[:]
    space.run("bridge", "link", "set", "dev", "ve7", "state", "0")
    row = watcher.wait(lambda row: row.get("name") == "ve7" and row["port_state"] == 0)
    assert row["kind"] == "veth" and row["master"] > 0


def test_what_a_bridge_does_for_a_port(space, dump, watcher):
    space.sh(
        """
        ip link add br7 type bridge
        ip link add ve7 type veth peer name pe7
        ip link set ve7 master br7
        """
    )
    for key, off in (("locked", False), ("learning", True), ("flood", True)):
        assert named(dump("link"), "ve7")[key] is off
        del watcher.seen[:]
        space.run("bridge", "link", "set", "dev", "ve7", key, "on" if not off else "off")
        watcher.wait(lambda row: row.get("name") == "ve7" and row[key] is not off)
        assert named(dump("link"), "ve7")[key] is not off


def test_addresses_that_a_bridge_forgets_are_events(space, dump, watcher):
    """And what it learns is none, nor are the host's own neighbours: there can be very many."""
    space.sh(
        """
        ip link add br7 up type bridge
        ip link add ve7 up type veth peer name pe7
        ip link set pe7 up
        ip link set ve7 master br7
        bridge fdb add 00:0c:29:01:02:03 dev ve7 master static
        ip addr add 10.7.0.1/24 dev pe7
        ip neigh add 10.7.0.2 lladdr 00:0c:29:01:02:03 dev pe7
        ip neigh del 10.7.0.2 dev pe7
        bridge fdb del 00:0c:29:01:02:03 dev ve7 master
        """
    )
    port = named(dump("link"), "ve7")
    gone = watcher.wait(
        lambda row: row["what"] == "fdb gone" and row["mac"] == "00:0c:29:01:02:03"
    )
    assert gone["ifindex"] == port["ifindex"] and gone["master"] == port["master"]
    told = [row for row in watcher.seen if row.get("mac") == "00:0c:29:01:02:03"]
    assert told == [gone]
    # A tap's holder who gives it a neighbour's address makes the bridge forget the neighbour.
    space.run("bridge", "fdb", "add", "00:0c:29:01:02:04", "dev", "ve7", "master", "static")
    space.run("ip", "link", "add", "ve8", "type", "veth", "peer", "name", "pe8")
    space.run("ip", "link", "set", "ve8", "master", "br7")
    space.run("ip", "link", "set", "ve8", "address", "00:0c:29:01:02:04")
    watcher.wait(
        lambda row: row["what"] == "fdb gone" and row["mac"] == "00:0c:29:01:02:04"
        and row["ifindex"] == port["ifindex"]
    )


def test_neighbours_with_a_protocol_number_are_seen_and_missed(space, dump, watcher):
    space.sh(
        """
        ip link add ve7 up type veth peer name pe7
        ip link set pe7 up
        ip addr add 10.7.0.1/24 dev pe7
        ip neigh add 10.7.0.2 lladdr 00:0c:29:01:02:03 dev pe7 nud permanent protocol 118
        ip neigh add 10.7.0.3 lladdr 00:0c:29:01:02:04 dev pe7 nud permanent
        """
    )
    rows = {row["addr"]: row for row in dump("neigh")}
    assert rows["10.7.0.2"]["mac"] == "00:0c:29:01:02:03"
    assert rows["10.7.0.2"]["proto"] == 118 and rows["10.7.0.2"]["permanent"]
    assert rows["10.7.0.3"]["proto"] == 0
    space.sh("ip neigh del 10.7.0.3 dev pe7; ip neigh flush dev pe7 nud permanent")
    gone = watcher.wait(lambda row: row["what"] == "neigh gone")
    # One that nobody claims is no event: every guest's entry goes some day.
    assert gone["addr"] == "10.7.0.2" and gone["proto"] == 118


def test_filters_that_are_taken_off_a_link_are_events(space, dump, watcher):
    space.sh(
        """
        ip link add ve7 up type veth peer name pe7
        tc qdisc add dev ve7 clsact
        tc filter add dev ve7 ingress protocol all prio 1 bpf bytecode '1,6 0 0 0'
        """
    )
    index = named(dump("link"), "ve7")["ifindex"]

    def gone():
        return [row for row in watcher.seen if row["what"] == "filter gone"]

    space.run("ip", "link", "add", "fence", "type", "bridge")
    watcher.wait(lambda row: row.get("name") == "fence")
    assert gone() == [], "what comes is no event"
    space.run("tc", "filter", "del", "dev", "ve7", "ingress")
    watcher.wait(lambda row: row == {"what": "filter gone", "ifindex": index})
    del watcher.seen[:]
    space.run("tc", "qdisc", "del", "dev", "ve7", "clsact")
    watcher.wait(lambda row: row == {"what": "filter gone", "ifindex": index})


def test_address_and_route_events(space, watcher):
    space.sh("ip link add d0 up type veth peer name d1; ip link set d1 up")
    space.run("ip", "addr", "add", "10.7.0.1/24", "dev", "d0")
    watcher.wait(lambda row: row["what"] == "addr" and row["addr"] == "10.7.0.1/24")
    watcher.wait(lambda row: row["what"] == "route" and row["dst"] == "10.7.0.0/24")
    space.run("ip", "route", "add", "10.9.0.0/16", "via", "10.7.0.2")
    watcher.wait(lambda row: row["what"] == "route" and row["gateway"] == "10.7.0.2")
    space.run("ip", "route", "del", "10.9.0.0/16")
    watcher.wait(lambda row: row["what"] == "route gone" and row["dst"] == "10.9.0.0/16")
    space.run("ip", "addr", "del", "10.7.0.1/24", "dev", "d0")
    watcher.wait(lambda row: row["what"] == "addr gone" and row["addr"] == "10.7.0.1/24")


def test_lost_events_are_told(space):
    watcher = Watcher(space, "sleep")
    space.run("ip", "link", "add", "d0", "type", "bridge")
    space.sh("for i in $(seq 3000); do echo link set d0 mtu $((1000 + i)); done | ip -batch -")
    watcher.tell()
    watcher.wait(lambda row: row["what"] == "overrun")
    # What comes while the rest is still being read may be lost too, and is told so.
    names = ["d0"]

    def later_ones_come():
        names.append(f"after{len(names)}")
        space.run("ip", "link", "set", *names[-2:-1], "name", names[-1])
        return any(row.get("name") in names[1:] for row in list(watcher.seen))

    proc.wait_until("later ones come", later_ones_come)
