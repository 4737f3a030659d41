# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT by table inet vnetd: what passes, what does not, and what survives."""

import os
import pathlib
import re
import select
import signal
import socket
import time

import pytest

from tests.kit import built, daemon, lab as lab_module, ns, outside, proc
from tests.net.nat_kit import (
    ADAPTER,
    GATEWAY,
    SUBNET,
    echo,
    echoes,
    flows,
    listener,
    table,
    talks,
    try_tcp,
    udp,
    udp_asks,
    udp_talks,
    wait_for_table,
    write_nat_conf,
)

OUT = lab_module.SERVER_ADDRESS
NEAR = lab_module.OUTSIDE_ADDRESS  # the echo server answers UDP from this address only
HOST = lab_module.HOST_ADDRESS

# Further networks, beside those of daemon.NETWORKING.
CUSTOM = """answer VNET_2_HOSTONLY_NETMASK 255.255.255.0
answer VNET_2_HOSTONLY_SUBNET 10.181.2.0
answer VNET_2_NAT yes
answer VNET_2_VIRTUAL_ADAPTER no
answer VNET_5_DHCP yes
answer VNET_5_HOSTONLY_NETMASK 255.255.255.0
answer VNET_5_HOSTONLY_SUBNET 10.181.5.0
answer VNET_5_VIRTUAL_ADAPTER no
"""


def guest_on(lab, n, last, *, gateway=2):
    """A guest with a static address on vmnet n."""
    g = lab.guest(f"vmnet{n}")
    g.run("ip", "addr", "add", f"10.181.{n}.{last}/24", "dev", "eth0")
    g.run("ip", "route", "add", "default", "via", f"10.181.{n}.{gateway}")
    return g


def set_bridge_nf(lab, value):
    lab.host.run("sysctl", "-qw", f"net.bridge.bridge-nf-call-iptables={value}")


@pytest.fixture(params=[0, 1], ids=["bridge-nf-off", "bridge-nf-on"])
def bridge_nf(lab, request):
    """With and without IP rules on bridged frames, as Docker switches them on."""
    set_bridge_nf(lab, request.param)
    return request.param


# --- the way out -----------------------------------------------------------------------------------


def test_guests_go_out_with_the_hosts_address(lab, vnetd):
    guest = guest_on(lab, 8, 10)
    assert guest.ping(OUT)
    assert guest.fetch(lab.url(100_000)) == outside.blob(100_000)
    assert talks(guest, OUT, 7)
    assert udp_talks(guest, NEAR, 7)
    assert {c for c, _ in lab.outside.http.requests} == {HOST}
    assert {(proto, peer) for proto, peer, _ in lab.outside.echo.peers} == {("tcp", HOST), ("udp", HOST)}


def test_the_way_out_follows_the_route_without_a_word(lab, vnetd):
    """A VPN comes up: no interface is named anywhere."""
    guest = guest_on(lab, 8, 10)
    assert guest.ping(OUT)
    ns.veth(lab.host, "tun0", lab.outside, "tun0")
    lab.host.run("ip", "addr", "add", "192.0.2.1/30", "dev", "tun0")
    lab.outside.run("ip", "addr", "add", "192.0.2.2/30", "dev", "tun0")
    lab.host.run("ip", "route", "add", f"{OUT}/32", "via", "192.0.2.2")
    assert talks(guest, OUT, 7)
    assert lab.outside.echo.peers[-1][1] == "192.0.2.1"


def test_udp_timeout_is_this_networks_own(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + CUSTOM)
    write_nat_conf(vnetd, timeout=9)
    vnetd.start()
    short, other = guest_on(lab, 8, 10), guest_on(lab, 2, 10)
    assert udp_talks(short, NEAR, 7) and udp_talks(other, NEAR, 7)
    seconds = {}
    for line in flows(lab.host, "-p", "udp", "--dport", "7"):
        seconds[re.search(r"src=(\S+)", line)[1]] = int(line.split()[2])
    assert seconds["10.181.8.10"] <= 9
    assert 10 < seconds["10.181.2.10"] <= 30


# --- the gateway, the host -------------------------------------------------------------------------


def test_the_gateway_answers_ping_and_refuses_the_rest(lab, vnetd):
    guest = guest_on(lab, 8, 10)
    with echo(lab.host, 5555):
        assert guest.ping(GATEWAY)
        assert isinstance(try_tcp(guest, GATEWAY, 5555), ConnectionRefusedError)
        assert isinstance(try_tcp(guest, GATEWAY, 22), ConnectionRefusedError)
        with udp(guest) as sock:
            sock.connect((GATEWAY, 5555))
            sock.send(b"?")
            with pytest.raises(ConnectionRefusedError):
                sock.recv(100)
        assert talks(guest, ADAPTER, 5555)
        assert talks(guest, HOST, 5555)


def test_without_adapter_the_host_is_not_there(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + CUSTOM)
    vnetd.start()
    nat, closed = guest_on(lab, 2, 10), guest_on(lab, 5, 10, gateway=254)
    with echo(lab.host, 5555):
        assert nat.ping("10.181.2.2")
        assert talks(nat, OUT, 7)
        assert isinstance(try_tcp(nat, "10.181.2.2", 5555), ConnectionRefusedError)
        for address in (HOST, ADAPTER, "10.181.2.254"):
            assert not talks(nat, address, 5555, timeout=0.5), address
            assert not nat.ping(address, wait=1), address
        for address in (HOST, ADAPTER, "10.181.5.254", OUT):
            assert not talks(closed, address, 5555, timeout=0.5), address
            assert not closed.ping(address, wait=1), address
    assert lab.guest("vmnet5").dhcp("udhcpc").ip.startswith("10.181.5.")


def test_loopback_of_the_host_is_out_of_reach(lab, vnetd):
    """route_localnet is on for forwards from 127.0.0.1; guests must not profit."""
    # Clients are answered as soon as the links are there; the table follows.
    localnet = ["sysctl", "-n", "net.ipv4.conf.vmnet8.route_localnet"]
    proc.wait_until("the table is there", lambda: lab.host.run(*localnet).out.strip() == "1")
    guest = guest_on(lab, 8, 10)
    # The guest's own kernel would not send such packets: frames by hand.
    frames = """
from scapy.all import Ether, IP, UDP, Raw, sendp, get_if_hwaddr
host = "00:50:56:c0:00:08"
for src, dst, port in (("10.181.8.10", "127.0.0.1", 6000), ("127.0.0.1", "10.181.8.1", 6001),
                       ("127.0.0.2", "127.0.0.1", 6000), ("10.181.8.10", "10.181.8.1", 6002)):
    sendp(Ether(dst=host) / IP(src=src, dst=dst) / UDP(sport=9, dport=port) / Raw(b"x"), iface="eth0",
          verbose=False)
"""
    with listener(lab.host, "127.0.0.1", 6000) as a, listener(lab.host, "0.0.0.0", 6001) as b:
        with listener(lab.host, "0.0.0.0", 6002) as control:
            guest.run("/usr/bin/python3", "-c", frames)
            proc.wait_until("the ordinary packet has come", lambda: control)
            time.sleep(0.2)
    assert a == [] and b == []


# --- isolation -------------------------------------------------------------------------------------


def test_networks_are_isolated(lab, bridge_nf):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + CUSTOM)
    vnetd.start()
    guests = {n: guest_on(lab, n, 10, gateway=1 if n == 1 else 2 if n in (2, 8) else 254) for n in (1, 2, 5, 8)}
    neighbours = {n: guest_on(lab, n, 11, gateway=2) for n in (1, 5, 8)}
    servers = [outside.Echo(g) for g in guests.values()]
    try:
        for n, g in guests.items():
            for other in guests:
                if other != n:
                    assert not talks(g, f"10.181.{other}.10", 7, timeout=0.4), (n, other)
                    assert not udp_talks(g, f"10.181.{other}.10", 7, timeout=0.4), (n, other)
            assert talks(g, OUT, 7, timeout=0.4) == (n in (2, 8)), n
        # Guests of one network see each other, and the host sees them all.
        for n, g in neighbours.items():
            assert talks(g, f"10.181.{n}.10", 7), n
        for n in (1, 8):
            assert talks(lab.host, f"10.181.{n}.10", 7), n
        assert guests[1].ping("10.181.1.1")
        # From outside nothing comes in, although somebody there knows the way.
        for n in (1, 2, 8):
            lab.outside.run("ip", "route", "add", f"10.181.{n}.0/24", "via", HOST)
            assert not talks(lab.outside, f"10.181.{n}.10", 7, timeout=0.4), n
            assert not lab.outside.ping(f"10.181.{n}.10", wait=1), n
    finally:
        for server in servers:
            server.close()


def test_segments_are_let_alone(lab, bridge_nf):
    """A network without the host: its frames are not ours to drop, even where rules see them."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + "answer VNET_3_DHCP no\nanswer VNET_3_VIRTUAL_ADAPTER no\n")
    vnetd.start()
    a, b = lab.guest("vmnet3"), lab.guest("vmnet3")
    a.run("ip", "addr", "add", "10.3.3.1/24", "dev", "eth0")
    b.run("ip", "addr", "add", "10.3.3.2/24", "dev", "eth0")
    assert a.ping("10.3.3.2")


def is_stopped(pid):
    return re.search(r"^State:\tT", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)


def third_network(lab):
    """A LAN behind another interface of the host: neither ours nor the way out."""
    lan = lab.netns("lan")
    ns.veth(lab.host, "lan0", lan, "eth0")
    lab.host.run("ip", "addr", "add", "192.0.2.1/24", "dev", "lan0")
    lan.run("ip", "addr", "add", "192.0.2.2/24", "dev", "eth0")
    lan.run("ip", "route", "add", "default", "via", "192.0.2.1")
    lab.outside.run("ip", "route", "add", "192.0.2.0/24", "via", HOST)
    return lan


def forwards(lab):
    return lab.host.run("sysctl", "-n", "net.ipv4.ip_forward").out.strip() == "1"


def test_a_laptop_is_no_router_before_its_table_is_in_force(lab):
    lab.host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    lab.vnetd.write("networking", daemon.NETWORKING)
    libraries = str(built.program("tests/net/libstop-after.so"))
    lab.vnetd.start(wait=False, env={"LD_PRELOAD": libraries, "VNET_STOP_ARMED": "1"})
    # As long as the commit takes the host does not forward.
    proc.wait_until("priv is stopped", lambda: is_stopped(lab.vnetd.pid_of("priv")))
    assert not forwards(lab)
    os.kill(lab.vnetd.pid_of("priv"), signal.SIGCONT)
    proc.wait_until("the host forwards", lambda: forwards(lab))
    assert "chain forward" in table(lab.host)


def test_a_laptop_does_not_become_a_router(lab):
    lan = third_network(lab)
    lab.host.run("sysctl", "-qw", "net.ipv4.ip_forward=0")
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    proc.wait_until("the host forwards", lambda: forwards(lab))
    assert not lan.ping(OUT, wait=1) and not lab.outside.ping("192.0.2.2", wait=1)
    assert lan.ping(HOST)
    assert guest_on(lab, 8, 10).ping(OUT)
    # After a restart our own 1 must not be taken for the host's.
    lab.vnetd.restart()
    assert not lan.ping(OUT, wait=1)
    lab.vnetd.write("vnetd.conf", "[global]\nforward-others = yes\n")
    lab.vnetd.ctl("reload")
    assert lan.ping(OUT) and lab.outside.ping("192.0.2.2")


def test_a_router_stays_one(lab):
    lan = third_network(lab)
    lab.host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    assert lan.ping(OUT) and lab.outside.ping("192.0.2.2")
    guest = guest_on(lab, 8, 10)
    assert guest.ping(OUT)
    lan.run("ip", "route", "add", SUBNET, "via", "192.0.2.1")
    assert not lan.ping("10.181.8.10", wait=1)


def test_ipv6_stays_inside_and_others_route_it(lab):
    """Where the host routes IPv6, guests take no part, and its other networks are let alone."""
    lan = third_network(lab)
    lab.host.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    guest = guest_on(lab, 8, 10)
    ends = {"vmnet8": (guest, 8), "up0": (lab.outside, 9), "lan0": (lan, 7)}
    for link, (where, n) in ends.items():
        lab.host.run("ip", "addr", "add", f"fd00:{n}::1/64", "dev", link, "nodad")
        where.run("ip", "addr", "add", f"fd00:{n}::2/64", "dev", "eth0", "nodad")
        where.run("ip", "route", "add", "fd00::/16", "via", f"fd00:{n}::1")
    # Link-local addresses, which neighbours ask from, are being probed at first.
    proc.wait_until("the guest reaches the host", lambda: guest.ping("fd00:8::1", wait=1))
    proc.wait_until("the LAN reaches the outside", lambda: lan.ping("fd00:9::2", wait=1))
    assert lab.outside.ping("fd00:7::2")
    for address in ("fd00:9::2", "fd00:7::2"):
        assert not guest.ping(address, wait=1), address
    assert not lab.outside.ping("fd00:8::2", wait=1)


def test_bridges_of_others_go_on_bridging(lab):
    """ip_forward was 0, and their frames pass the forward hook: they are not routed, though."""
    set_bridge_nf(lab, 1)
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    lab.host.run("ip", "link", "add", "br9", "type", "bridge")
    lab.host.run("ip", "link", "set", "br9", "up")
    ends = []
    for i in (1, 2):
        end = lab.netns(f"end{i}")
        ns.veth(lab.host, f"p{i}", end, "eth0")
        lab.host.run("ip", "link", "set", f"p{i}", "master", "br9")
        end.run("ip", "addr", "add", f"10.9.9.{i}/24", "dev", "eth0")
        ends.append(end)
    assert ends[0].ping("10.9.9.2")


# --- forwards --------------------------------------------------------------------------------------


@pytest.fixture
def served(lab, bridge_nf):
    """vmnet8 with tcp 8080 and udp 8080 forwarded to a guest's echo ports; a second guest."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(vnetd, [(8080, "10.181.8.10", 7)], [(8080, "10.181.8.10", 7)])
    vnetd.start()
    wait_for_table(lab.host, "tcp . 8080 ")
    guest, other = guest_on(lab, 8, 10), guest_on(lab, 8, 11)
    with echo(guest) as server:
        lab.server = server
        yield guest, other


def test_forwards_are_reached_from_everywhere(lab, served, bridge_nf):
    guest, other = served
    hostonly = guest_on(lab, 1, 10, gateway=1)
    places = [
        ("another machine", lab.outside, HOST),
        ("the host, its outer address", lab.host, HOST),
        ("the host, its adapter", lab.host, ADAPTER),
        ("the host, loopback", lab.host, "127.0.0.1"),
        ("a guest, the adapter", other, ADAPTER),
        ("a guest, the outer address", other, HOST),
        ("the guest itself, the outer address", guest, HOST),
        ("the guest itself, the adapter", guest, ADAPTER),
        ("a guest of another network", hostonly, "10.181.1.1"),
    ]
    for what, where, address in places:
        # With bridge-nf on, the bridge would have to send the frame back where it came from.
        if where is guest and bridge_nf:
            continue
        assert talks(where, address, 8080), what
        assert udp_talks(where, address, 8080), what
    # The guest sees who really asks, wherever it can answer directly.
    seen = {peer for _, peer, _ in lab.server.peers}
    assert lab_module.OUTSIDE_ADDRESS in seen and HOST in seen and "10.181.1.10" in seen
    assert not any(peer.startswith("127.") for peer in seen)


def test_who_cannot_be_answered_gets_our_address(lab, served, bridge_nf):
    """By where it comes from; by its address only where bridge-nf hides that."""
    _, other = served
    assert echoes(try_tcp(lab.host, "127.0.0.1", 8080, source="127.0.0.5"))
    assert echoes(try_tcp(other, HOST, 8080))
    assert {peer for _, peer, _ in lab.server.peers} == {ADAPTER}
    # The other guest has a second address, of no subnet of ours, and the host knows where it is.
    other.ip("address", "add", "192.0.2.77/32", "dev", "eth0")
    lab.host.ip("route", "add", "192.0.2.77/32", "dev", "vmnet8")
    assert echoes(try_tcp(other, HOST, 8080, source="192.0.2.77"))
    if not bridge_nf:
        assert {peer for _, peer, _ in lab.server.peers} == {ADAPTER}


def test_forwards_leave_other_traffic_alone(lab, served):
    guest, other = served
    # The port at other machines, and at the gateway address, which serves DNS and ping only.
    with echo(lab.outside, 8080) as there:
        assert talks(guest, lab_module.OUTSIDE_ADDRESS, 8080)
        assert talks(lab.host, lab_module.OUTSIDE_ADDRESS, 8080)
        assert len(there.peers) == 2
    assert isinstance(try_tcp(other, GATEWAY, 8080), ConnectionRefusedError)
    # Services on other loopback addresses than 127.0.0.1 stay where they are. (One that comes later needs the port
    # not to be held.)
    lab.vnetd.write("vnetd.conf", "[global]\nhold-ports = 0\n")
    lab.vnetd.ctl("reload")
    with listener(lab.host, "127.0.0.53", 8080) as got, udp(lab.host) as sock:
        sock.sendto(b"mine", ("127.0.0.53", 8080))
        proc.wait_until("the local service is asked", lambda: got)


def test_a_removed_forward_ends_its_connections_and_no_others(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    both = [(8080, "10.181.8.10", 7), (8081, "10.181.8.10", 7)]
    write_nat_conf(vnetd, both, both)
    vnetd.start()
    wait_for_table(lab.host, "tcp . 8081 ")
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        gone, stays = try_tcp(lab.outside, HOST, 8080), try_tcp(lab.outside, HOST, 8081)
        out = try_tcp(guest, OUT, 7)
        ugone, ustays = udp(lab.outside), udp(lab.outside)
        assert all(echoes(s) for s in (gone, stays, out))
        assert udp_asks(ugone, HOST, 8080) and udp_asks(ustays, HOST, 8081)
        write_nat_conf(vnetd, both[1:], both[1:])
        vnetd.ctl("reload")
        assert not echoes(gone)
        assert not udp_asks(ugone, HOST, 8080)
        assert echoes(stays) and udp_asks(ustays, HOST, 8081) and echoes(out)
        assert isinstance(try_tcp(lab.outside, HOST, 8080), ConnectionRefusedError)
        # Another guest behind the same port: the old one is not asked any more.
        other = guest_on(lab, 8, 11)
        with echo(other) as second:
            moved = [(8081, "10.181.8.11", 7)]
            write_nat_conf(vnetd, moved, moved)
            vnetd.ctl("reload")
            assert not echoes(stays)
            assert udp_asks(ustays, HOST, 8081)
            assert [p[0] for p in second.peers] == ["udp"]
        for sock in (gone, stays, out, ugone, ustays):
            sock.close()


# --- nothing breaks a connection -------------------------------------------------------------------


class Live:
    """Connections that must go on: out of a guest, in through a forward, from the host's loopback."""

    def __init__(self, lab, guest):
        self.socks = {
            "outwards": try_tcp(guest, OUT, 7),
            "forwarded": try_tcp(lab.outside, HOST, 8080),
            "from loopback": try_tcp(lab.host, "127.0.0.1", 8080),
        }
        self.check("at first")

    def check(self, when):
        for what, sock in self.socks.items():
            assert isinstance(sock, socket.socket) and echoes(sock), f"{what} {when}"

    def close(self):
        for sock in self.socks.values():
            sock.close()


@pytest.fixture
def live(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(vnetd, [(8080, "10.181.8.10", 7)])
    vnetd.start()
    wait_for_table(lab.host, "tcp . 8080 ")
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        made = Live(lab, guest)
        yield made
        made.close()


def test_connections_survive_reloads(lab, live):
    for i in range(5):
        write_nat_conf(lab.vnetd, [(8080, "10.181.8.10", 7), (9000 + i, "10.181.8.10", 7)], timeout=20 + i)
        lab.vnetd.ctl("reload")
        wait_for_table(lab.host, f"tcp . {9000 + i} ")
        live.check(f"after reload {i}")


@pytest.mark.parametrize("name", ["vnet-natd", "engine", "vnet-dhcpd"])
def test_connections_survive_the_death_of_a_child(lab, live, name):
    lab.vnetd.kill_and_await(name)
    live.check(f"after kill -9 of {name}")
    # And whoever came back is in charge again.
    write_nat_conf(lab.vnetd, [(8080, "10.181.8.10", 7), (9000, "10.181.8.10", 7)])
    lab.vnetd.ctl("reload")
    wait_for_table(lab.host, "tcp . 9000 ")
    live.check("after a reload")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_connections_survive_the_end_of_vnetd(lab, live, sig):
    if sig == signal.SIGKILL:
        tree = lab.vnetd.pids()
        proc.kill(lab.vnetd.process.pid)
        lab.vnetd.process.wait()
        gone = lambda: not any(proc.alive(pid) for pids in tree.values() for pid in pids)
        proc.wait_until("the children have ended", gone)
    else:
        lab.vnetd.stop()
    assert "chain postrouting" in table(lab.host)
    live.check("without vnetd")
    lab.vnetd.start()
    live.check("after the start")


def test_nobody_else_can_change_an_owned_table(lab, live):
    lab.host.run("nft", "flush", "ruleset")
    live.check("after nft flush ruleset")
    assert lab.host.run("nft", "delete", "table", "inet", "vnetd", check=False).rc != 0
    assert lab.host.run("nft", "flush", "chain", "inet", "vnetd", "forward", check=False).rc != 0
    live.check("after attempts")
    assert "chain postrouting" in table(lab.host)


def test_an_orphaned_table_is_adopted(lab, live):
    """Between the end of priv and its next start anybody can remove the table: then it is made anew."""
    lab.vnetd.stop()
    lab.vnetd.start()
    assert lab.host.run("nft", "delete", "table", "inet", "vnetd", check=False).rc != 0
    lab.vnetd.stop()
    lab.host.run("nft", "delete", "table", "inet", "vnetd")
    lab.vnetd.start()
    wait_for_table(lab.host, "tcp . 8080 ")
    assert talks(lab.outside, HOST, 8080)


# --- a kernel without the table flag persist -------------------------------------------------------


@pytest.fixture
def plain(lab):
    """vnetd as on Linux 6.1: the kernel refuses the table flags."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(vnetd, [(8080, "10.181.8.10", 7)])
    vnetd.start(env={"LD_PRELOAD": str(built.program("tests/net/libold-kernel.so"))})
    wait_for_table(lab.host, "tcp . 8080 ")
    return vnetd


def test_a_plain_table_is_restored(lab, plain):
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        out = try_tcp(guest, OUT, 7)
        assert echoes(out) and talks(lab.outside, HOST, 8080)
        spoil = ["flush ruleset", "delete table inet vnetd", "flush chain inet vnetd postrouting",
                 "delete element inet vnetd nat_nets { vmnet8 }"]
        whole = stable(table(lab.host))
        for command in spoil:
            lab.host.run("nft", *command.split())
            start = time.monotonic()
            proc.wait_until(f"the table is whole after {command}", lambda: stable(table(lab.host)) == whole,
                            step=0.005)
            took = time.monotonic() - start
            assert took < 0.5, command
            print(f"{command}: whole again after {took * 1000:.0f} ms")
            assert echoes(out), command
            assert talks(lab.outside, HOST, 8080), command
        out.close()


def test_a_plain_table_is_restored_that_was_changed_before_its_commit_was_heard_of(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    libraries = [str(built.program(f"tests/net/lib{name}.so")) for name in ("stop-after", "old-kernel")]
    vnetd.start(env={"LD_PRELOAD": " ".join(libraries)})
    wait_for_table(lab.host, "chain postrouting")
    whole = stable(table(lab.host))
    priv = vnetd.pid_of("priv")
    os.kill(priv, signal.SIGURG)
    lab.host.run("nft", "flush", "ruleset")
    proc.wait_until("priv has committed and is stopped", lambda: is_stopped(priv))
    assert stable(table(lab.host)) == whole
    lab.host.run("nft", "flush", "chain", "inet", "vnetd", "postrouting")
    time.sleep(0.3)  # natd hears of it
    os.kill(priv, signal.SIGCONT)
    proc.wait_until("the table is whole", lambda: stable(table(lab.host)) == whole)


def test_a_change_of_a_spoilt_plain_table_repairs_it(lab, plain):
    """A change meets a table that somebody else emptied a moment before."""
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        for i in range(5):
            write_nat_conf(plain, [(8080, "10.181.8.10", 7), (9000 + i, "10.181.8.10", 7)])
            lab.host.run("nft", "flush", "map", "inet", "vnetd", "forwards")
            plain.ctl("reload")
            wait_for_table(lab.host, f"tcp . {9000 + i} ")
            wait_for_table(lab.host, "tcp . 8080 ")
            assert talks(lab.outside, HOST, 8080) and talks(lab.outside, HOST, 9000 + i)


def test_a_plain_table_survives_kills(lab, plain):
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        out, into = try_tcp(guest, OUT, 7), try_tcp(lab.outside, HOST, 8080)
        assert echoes(out) and echoes(into)
        plain.kill_and_await("vnet-natd")
        assert echoes(out) and echoes(into)
        plain.stop()
        assert echoes(out) and echoes(into)
        # The next start is on a newer kernel, so to say: the plain table becomes an owned one.
        plain.start()
        assert echoes(out) and echoes(into)
        proc.wait_until("somebody owns it", lambda: "owner" in table(lab.host))
        assert lab.host.run("nft", "delete", "table", "inet", "vnetd", check=False).rc != 0
        out.close()
        into.close()


def stable(text):
    """A listing whose sets are in a fixed order."""
    return sorted(re.sub(r"[,{}]|elements =", "", text).split())


# --- a table that comes and goes -------------------------------------------------------------------


def test_what_began_before_the_table_is_translated_once_it_is_there(lab, vnetd):
    """Tracked without NAT, as packets are that come while the kernel makes the table's hooks."""
    guest = guest_on(lab, 8, 50)
    wait_for_table(lab.host, "chain postrouting")
    vnetd.stop()
    lab.host.run("nft", "delete", "table", "inet", "vnetd")
    lab.host.run("nft", "add table ip other; add chain ip other f { type filter hook forward priority 0; };"
                 " add rule ip other f ct state new counter")
    with udp(guest, timeout=0.3) as sock:
        assert not udp_asks(sock, NEAR, 7)
        plain = [row for row in flows(lab.host, "-p", "udp") if "src=10.181.8.50" in row]
        assert "UNREPLIED" in plain[0] and "dst=10.181.8.50" in plain[0], plain
        vnetd.start()
        proc.wait_until("it is translated", lambda: udp_asks(sock, NEAR, 7))


def test_teardown_removes_the_table(lab, vnetd):
    wait_for_table(lab.host, "chain postrouting")
    vnetd.teardown()
    assert table(lab.host) == ""


def test_ten_thousand_forwards(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(vnetd, [(20000 + i, "10.181.8.10", 7) for i in range(10000)])
    vnetd.start()
    wait_for_table(lab.host, "tcp . 29999 ")
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        assert talks(lab.outside, HOST, 20000) and talks(lab.host, "127.0.0.1", 29999)
        kept = try_tcp(lab.outside, HOST, 25000)
        write_nat_conf(vnetd, [(25000, "10.181.8.10", 7)])
        vnetd.ctl("reload", timeout=60)
        assert echoes(kept)
        assert isinstance(try_tcp(lab.outside, HOST, 20000), ConnectionRefusedError)
        kept.close()


def test_a_change_of_one_forward_is_one_message(lab):
    """Among ten thousand forwards; what the kernel is told is seen from outside."""
    vnetd = lab.vnetd
    rows = [(20000 + i, "10.181.8.10", 7) for i in range(10000)]
    vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(vnetd, rows)
    vnetd.start()
    wait_for_table(lab.host, "tcp . 29999 ")
    guest, other = guest_on(lab, 8, 10), guest_on(lab, 8, 11)

    def told(new, words):
        """The messages of one reload, element by element."""
        monitor = lab.host.popen("nft", "monitor", text=True)

        def heard():
            for verb in ("add", "delete"):
                lab.host.run("nft", verb, "table", "ip", "probe")
            return select.select([monitor.stdout], [], [], 0.2)[0]

        proc.wait_until("the monitor listens", heard)
        write_nat_conf(vnetd, new)
        vnetd.ctl("reload", timeout=120)
        proc.wait_until("the table is changed", lambda: words in table(lab.host))
        lab.host.run("nft", "add table ip end")
        lines = []
        while not lines or "add table ip end" not in lines[-1]:
            lines.append(monitor.stdout.readline().strip())
            assert lines[-1] or monitor.poll() is None
        lab.host.run("nft", "delete table ip end")
        monitor.terminate()
        return [line for line in lines if line[:1] != "#" and " table ip " not in line]

    with echo(guest), echo(other):
        kept = [try_tcp(lab.outside, HOST, port) for port in (20000, 25001, 29999)]
        gone, moved = try_tcp(lab.outside, HOST, 25000), try_tcp(lab.outside, HOST, 25002)
        assert all(echoes(s) for s in (*kept, gone, moved))
        seen = told(rows + [(40000, "10.181.8.10", 7)], "tcp . 40000 ")
        assert seen == ["create element inet vnetd forwards { tcp . 40000 : 10.181.8.10 . 7 }"]
        assert talks(lab.outside, HOST, 40000)
        del rows[5000]
        rows[5001] = (25002, "10.181.8.11", 7)
        seen = told(rows, "tcp . 25002 : 10.181.8.11 ")
        assert sorted(seen) == [
            "create element inet vnetd forwards { tcp . 25002 : 10.181.8.11 . 7 }",
            "delete element inet vnetd forwards { tcp . 25000 : 10.181.8.10 . 7 }",
            "delete element inet vnetd forwards { tcp . 25002 : 10.181.8.10 . 7 }",
            "delete element inet vnetd forwards { tcp . 40000 : 10.181.8.10 . 7 }",
        ]
        assert all(echoes(s) for s in kept)
        assert not echoes(gone) and not echoes(moved)
        assert isinstance(try_tcp(lab.outside, HOST, 25000), ConnectionRefusedError)
        assert talks(lab.outside, HOST, 25002)
        for sock in (*kept, gone, moved):
            sock.close()


# --- networks that may talk ------------------------------------------------------------------------


def test_a_route_lets_two_networks_talk_and_no_others(lab, bridge_nf):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + CUSTOM)
    vnetd.write("vnetd.conf", "[vmnet8]\nroute = vmnet2\n")
    vnetd.start()
    wait_for_table(lab.host, '"vmnet8" . "vmnet2"')
    guests = {n: guest_on(lab, n, 10, gateway=1 if n == 1 else 2) for n in (1, 2, 8)}
    servers = {n: outside.Echo(g) for n, g in guests.items()}
    try:
        for n, g in guests.items():
            for other in guests:
                meant = {n, other} == {2, 8} or n == other
                if n != other:
                    assert talks(g, f"10.181.{other}.10", 7, timeout=2 if meant else 0.4) == meant, (n, other)
                    assert udp_talks(g, f"10.181.{other}.10", 7, timeout=2 if meant else 0.4) == meant, (n, other)
        # Nobody is translated between them, and the way out stays as it was.
        assert {peer for _, peer, _ in servers[2].peers} == {"10.181.8.10"}
        assert {peer for _, peer, _ in servers[8].peers} == {"10.181.2.10"}
        assert talks(guests[8], OUT, 7) and lab.outside.echo.peers[-1][1] == HOST
        lab.outside.run("ip", "route", "add", "10.181.2.0/24", "via", HOST)
        assert not talks(lab.outside, "10.181.2.10", 7, timeout=0.4)
        # Taken back, while the other network goes on.
        vnetd.write("vnetd.conf", "")
        vnetd.ctl("reload")
        for n, other in ((2, 8), (8, 2)):
            assert not talks(guests[n], f"10.181.{other}.10", 7, timeout=0.4), (n, other)
        assert talks(guests[8], OUT, 7)
    finally:
        for server in servers.values():
            server.close()


# --- forwards and connections by vnetctl -----------------------------------------------------------


def test_vnetctl_adds_and_removes_forwards(lab, vnetd):
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        said = vnetd.ctl("forward", "add", "vmnet8", "tcp", "8080", "10.181.8.10", "7", "the shop's own").out
        assert said.startswith("tcp 8080 -> 10.181.8.10:7 on vmnet8")
        # The answer comes when it is in force.
        stays, kept = try_tcp(guest, OUT, 7), try_tcp(lab.outside, HOST, 8080)
        assert echoes(stays) and echoes(kept)
        [row] = vnetd.json("forward", "list")["forwards"]
        assert (row["port"], row["description"], row["source"]) == (8080, "the shop's own", "networking")
        bad = vnetd.ctl("forward", "add", "vmnet8", "tcp", "81", "10.181.9.10", "7", check=False)
        assert bad.rc == 1 and "10.181.9.10" in bad.err, bad
        bad = vnetd.ctl("forward", "remove", "vmnet8", "udp", "8080", check=False)
        assert bad.rc == 1 and "udp" in bad.err, bad
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", "8080")
        assert not echoes(kept) and echoes(stays)
        assert isinstance(try_tcp(lab.outside, HOST, 8080), ConnectionRefusedError)
        assert vnetd.json("forward", "list")["forwards"] == []
        kept.close()
        stays.close()


def test_connections_are_listed_and_counted(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(vnetd, [(8080, "10.181.8.10", 7)])
    vnetd.start()
    wait_for_table(lab.host, "tcp . 8080 ")
    for key in ("acct", "timestamp"):
        asks = ["sysctl", "-n", f"net.netfilter.nf_conntrack_{key}"]
        proc.wait_until(f"the kernel has {key} on", lambda: lab.host.run(*asks).out.strip() == "1")
    guest = guest_on(lab, 8, 10)
    with echo(guest):
        into, out = try_tcp(lab.outside, HOST, 8080), try_tcp(guest, OUT, 7)
        assert echoes(into, b"x" * 1000) and echoes(out)
        assert udp_talks(guest, NEAR, 7)
        found = vnetd.json("connections", "vmnet8")["connections"]
        [a] = [w for w in found if w["forward"] == 8080]
        assert (a["direction"], a["guest"], a["guest_port"], a["state"]) == ("in", "10.181.8.10", 7, "established")
        assert (a["peer"], a["peer_port"]) == into.getsockname()
        assert a["bytes_in"] > 1000 and a["bytes_out"] > 1000 and a["age_s"] < 60
        [b] = [w for w in found if w["direction"] == "out" and w["protocol"] == "tcp"]
        assert (b["guest"], b["guest_port"]) == out.getsockname()
        assert (b["peer"], b["peer_port"], b["forward"]) == (OUT, 7, None)
        [u] = [w for w in found if w["protocol"] == "udp" and w["peer_port"] == 7]
        assert u["state"] == "answered"
        assert vnetd.json("connections", "vmnet1")["connections"] == []
        [row] = vnetd.json("forward", "list")["forwards"]
        assert row["connections"] == 1 and row["bytes_in"] == a["bytes_in"]
        line = next(x.split() for x in vnetd.ctl("connections").out.splitlines() if " 8080 " in x)
        assert line[:6] == ["tcp", "vmnet8", "10.181.8.10:7", "<-", "%s:%u" % into.getsockname(), "8080"]
        into.close()
        out.close()
