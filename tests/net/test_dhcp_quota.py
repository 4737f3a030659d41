# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that invents MAC addresses, and its neighbours, who want an address."""

import os
import signal
import socket
import struct

import pytest

from tests.kit import frames, ports, proc

POOL = 126  # addresses of the range: 128 to 253


def message(serial, kind, requested=None, about=None, ciaddr="0.0.0.0", mac=None):
    """A broadcast of client number `serial`, whose MAC nobody has ever had; or of this one, about another."""
    mac = mac or b"\x02\xee" + struct.pack(">I", serial)
    options = bytes([53, 1, kind])
    if requested:
        options += bytes([50, 4]) + socket.inet_aton(requested)
    dhcp = struct.pack(">BBBBIHH4s12x6s10x192x", 1, 1, 6, 0, serial, 0, 0x8000, socket.inet_aton(ciaddr),
                       about or mac)
    dhcp += b"\x63\x82\x53\x63" + options + b"\xff"
    udp = struct.pack(">HHHH", 68, 67, 8 + len(dhcp), 0) + dhcp
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    total = sum(struct.unpack(">10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + ip[12:]
    return b"\xff" * 6 + mac + b"\x08\x00" + ip + udp


def discover(serial):
    return message(serial, 1)


def ask_for(serial, address):
    """The REQUEST of a client that remembers an address: it needs no offer."""
    return message(serial, 3, address)


def invented(vnetd):
    """Leases that the invented clients hold."""
    return [r for r in vnetd.json("leases")["leases"]
            if r["state"] == "active" and r["mac"].startswith("02:ee:")]


def stats(vnetd, net=8):
    found = vnetd.json("leases", f"vmnet{net}", "--stats")["networks"]
    return next(n for n in found if n["network"] == f"vmnet{net}")


@pytest.fixture
def hostile(lab, vnetd):
    """A port by which every address may send, as fast as it likes; a function floods from it."""
    vnetd.write("vnetd.conf", "[port evil]\nmac-policy = any\nbroadcast-limit = 0\n"
                              "dhcp-rate-per-port = unlimited\n")
    vnetd.ctl("reload")
    guest = lab.guest("vmnet8", name="evil", mac="02:ee:ff:ff:ff:ff")
    wire = frames.Wire(guest, "eth0")
    serial = 0

    def flood(addresses=5000, discovers=5000):
        """REQUESTs for every address of the range in turn, then DISCOVERs, a new client each."""
        nonlocal serial
        before = stats(vnetd)["received"]
        for n in range(addresses + discovers):
            serial += 1
            if n < addresses:
                wire.send(ask_for(serial, f"10.181.8.{128 + n % POOL}"))
            else:
                wire.send(discover(serial))
            if n % 500 == 499:
                wire.drain()

        # The ring is finite; what came was counted once the server has nothing left to read.
        def quiet():
            one = stats(vnetd)["received"]
            return one == stats(vnetd)["received"] and one != before

        proc.wait_until("the flood was read", quiet)

    return flood


def test_a_flood_of_invented_clients_leaves_addresses_to_others(lab, vnetd, hostile):
    ports.setting(vnetd, "evil", "dhcp-leases-per-port", "16")
    ports.wait(vnetd, "evil", dhcp_leases_per_port=16, dhcp_rate_per_port=None)
    good = lab.guest("vmnet8", name="good")
    hostile()
    assert len(invented(vnetd)) == 16
    count = stats(vnetd)
    assert count["dropped"]["quota"] > 1000
    assert count["dropped"]["no-address"] == 0
    assert count["received"]["discover"] > 1000
    lease = good.dhcp("udhcpc")
    assert lease.ip.startswith("10.181.8.")
    assert ports.drops(vnetd, "good") == {}
    # Nor does it get more by and by; and whoever has an address keeps it.
    hostile(500, 500)
    assert len(invented(vnetd)) == 16
    assert lab.guest("vmnet8").dhcp("dhclient").ip != lease.ip


def test_by_default_one_port_never_gets_more_than_half(lab, vnetd, hostile):
    ports.wait(vnetd, "evil", dhcp_leases_per_port=POOL // 2)
    hostile(2000, 2000)
    assert len(invented(vnetd)) == POOL // 2
    assert lab.guest("vmnet8").dhcp("udhcpc").ip.startswith("10.181.8.")


def test_unlimited_is_as_it_says(lab, vnetd, hostile):
    vnetd.write("vnetd.conf", vnetd.read("vnetd.conf") +
                "[vmnet8]\ndhcp-leases-per-port = 2\n[port evil]\ndhcp-leases-per-port = unlimited\n")
    vnetd.ctl("reload")
    ports.wait(vnetd, "evil", dhcp_leases_per_port=None)
    hostile(2000, 0)
    assert len(invented(vnetd)) == POOL
    assert stats(vnetd)["dropped"]["quota"] == 0
    lab.guest("vmnet8", name="late").no_dhcp()
    assert stats(vnetd)["dropped"]["no-address"] > 0
    # Fewer from now on: nobody is thrown out, but nobody comes in either.
    ports.setting(vnetd, "evil", "dhcp-leases-per-port", "default")
    ports.wait(vnetd, "evil", dhcp_leases_per_port=2)
    ports.wait(vnetd, "late", dhcp_leases_per_port=2)


def test_a_limit_is_known_again_after_the_server_has_died(lab, vnetd, hostile):
    ports.setting(vnetd, "evil", "dhcp-leases-per-port", "3")
    ports.wait(vnetd, "evil", dhcp_leases_per_port=3)
    hostile(1000, 0)
    assert len(invented(vnetd)) == 3
    vnetd.kill_and_await("vnet-dhcpd")
    proc.wait_until("it serves again", lambda: stats(vnetd)["received"]["discover"] == 0)
    # The leases that it has read are nobody's until their clients ask again.
    hostile(1000, 1000)
    assert len(invented(vnetd)) <= 6
    assert lab.guest("vmnet8").dhcp("udhcpc").ip.startswith("10.181.8.")


def test_messages_beyond_the_rate_are_dropped_and_counted(lab, vnetd):
    vnetd.write("vnetd.conf", "[port evil]\nmac-policy = any\nbroadcast-limit = 0\n")
    vnetd.ctl("reload")
    evil = lab.guest("vmnet8", name="evil", mac="02:ee:ff:ff:ff:ff")
    good = lab.guest("vmnet8", name="good")
    ports.wait(vnetd, "evil", dhcp_rate_per_port=200)
    wire = frames.Wire(evil, "eth0")
    for serial in range(10_000):
        wire.send(discover(serial))
    dropped = ports.drops(vnetd, "evil")
    assert set(dropped) == {"dhcp-rate"}

    # A few hundred at once are no flood, and so few find room in the ring: each was counted once.
    def all_counted():
        return stats(vnetd)["received"]["discover"] + dropped["dhcp-rate"] == 10_000

    proc.wait_until("every message was counted", all_counted)
    assert stats(vnetd)["received"]["discover"] >= 200
    assert good.dhcp("udhcpc").ip.startswith("10.181.8.")
    assert ports.drops(vnetd, "good") == {}
    # The next one of the network: no limit of the rate, and no drops any more.
    vnetd.ctl("set", "vmnet8", "dhcp-rate-per-port", "unlimited")
    ports.wait(vnetd, "evil", dhcp_rate_per_port=None)
    for serial in range(1000):
        wire.send(discover(serial))
    assert ports.drops(vnetd, "evil") == dropped


def test_an_adopted_guest_has_the_same_limits(lab, vnetd):
    lab.guest("vmnet8", how="adopt", label="x")
    ports.wait(vnetd, "veth-x", dhcp_leases_per_port=POOL // 2, dhcp_rate_per_port=200)


def test_no_message_gets_a_mark(lab, vnetd):
    """Rules of the host's, its routing among them, may look at marks."""
    guest = lab.guest("vmnet8", mac="00:0c:29:aa:00:01")
    guest.dhcp("udhcpc")
    lab.host.run("nft", "-f", "-", stdin="""
        table inet marks {
            chain c {
                type filter hook prerouting priority -150
                udp dport 67 counter name every
                udp dport 67 meta mark != 0 counter name marked
            }
            counter every { }
            counter marked { }
        }""")
    with guest.enter(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for to in ("203.0.113.5", "10.181.8.254", "10.181.8.254", "10.181.8.254"):
            sock.sendto(b"to a server", (to, 67))
    listed = lab.host.run("nft", "list", "counters", "table", "inet", "marks").out
    assert [line.split()[1] for line in listed.splitlines() if "packets" in line] == ["4", "0"]


def test_what_was_asked_of_a_dead_server_is_answered_by_the_next(lab, vnetd):
    guest = lab.guest("vmnet8", mac="02:ee:00:00:00:07")
    wire = frames.Wire(guest, "eth0")
    server = vnetd.pid_of("vnet-dhcpd")
    os.kill(server, signal.SIGSTOP)
    wire.send(discover(7))
    proc.kill(server)

    def offered():
        return [f for f in wire.drain() if f[12:14] == b"\x08\x00" and f[34:38] == struct.pack(">HH", 67, 68)]

    assert len(proc.wait_until("an offer comes", offered, 10)) == 1
    assert vnetd.pid_of("vnet-dhcpd") != server


def test_with_ip_guard_nobody_takes_his_neighbours_address(lab, vnetd):
    """The lease is what opens the gate for an address, and whom a message is about anybody can write."""
    vnetd.write("vnetd.conf", "[vmnet8]\nip-guard = yes\n")
    vnetd.ctl("reload")
    victim, evil = lab.guest("vmnet8", name="victim"), lab.guest("vmnet8", name="evil")
    ip = victim.dhcp("udhcpc").ip
    own = evil.dhcp("udhcpc").ip
    ports.wait(vnetd, "victim", ip_guard=True, ip_guard_address=ip)
    ports.wait(vnetd, "evil", ip_guard=True, ip_guard_address=own)
    wire = frames.Wire(evil, "eth0")
    me, him = frames.mac(evil.mac), frames.mac(victim.mac)
    wire.send(message(1, 7, ciaddr=ip, about=him, mac=me))
    wire.send(message(2, 4, ip, about=him, mac=me))
    wire.send(message(3, 3, ip, about=him, mac=me))
    wire.send(message(4, 3, ip, mac=me))
    proc.wait_until("all are counted", lambda: stats(vnetd)["dropped"]["forged"] == 3
                    and stats(vnetd)["received"]["request"] == 4)
    held = {r["mac"]: r["address"] for r in vnetd.json("leases")["leases"] if r["state"] == "active"}
    assert held == {victim.mac: ip, evil.mac: own}
    ports.wait(vnetd, "victim", ip_guard=True, ip_guard_address=ip)
    ports.wait(vnetd, "evil", ip_guard=True, ip_guard_address=own)
    assert victim.ping(vnetd.address(8, 1))
