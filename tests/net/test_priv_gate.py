# SPDX-License-Identifier: GPL-2.0-or-later
"""priv's verb GATE_SET: programs, the bridge and frames under each policy, and while it changes. The test
is the engine, guests are veths whose other ends send and receive raw frames."""

import errno
import time

import pytest

from tests.kit import frames, proc, traffic
from tests.kit.frames import BROADCAST, ether
from tests.kit.gates import (  # noqa: F401 - fixtures among them
    A, ANY, B, BOTH_KERNELS, C, D, FORGED, GIVEN, HOST8, LEARN, N, P1, P2, P3, STICKY, STRANGER, drops, entries,
    facts, has_qdisc, is_like, programs, row, rows, seg, two, unfasten,
)
from tests.kit.relay import close, guest, host, priv  # noqa: F401 - fixtures


# --- a port and its gate -----------------------------------------------------------------------


def test_new_port_is_down_and_has_no_gate(priv, guest):
    priv.network()
    taps = priv.tap(1, plug=False)
    priv.veth(guest, 2, plug=False)
    for ifname in ("vmnet8p1", "vmnet8p2"):
        link = priv.host.links()[ifname]
        assert link["master"] == "vmnet8" and "UP" not in link["flags"]
        assert not has_qdisc(priv.host, ifname)
    assert rows(priv) == {}
    close(taps)


@BOTH_KERNELS
def test_bridge_has_a_program_while_somebody_gets_copies(two, priv):
    def on_the_bridge():
        assert programs(priv.host, "vmnet8", "ingress") == []
        return programs(priv.host, "vmnet8", "egress")

    assert on_the_bridge() == []
    for _ in range(2):
        priv.gate("vmnet8p1", flags=FORGED, promisc=True)
        priv.gate("vmnet8p2", flags=FORGED, promisc=True)
        priv.bridge()
        assert on_the_bridge() == ["gate_host"]
        priv.gate("vmnet8p1")
        assert on_the_bridge() == ["gate_host"]
        priv.gate("vmnet8p2")
        assert on_the_bridge() == []
    # One that goes leaves none behind.
    priv.gate("vmnet8p1", flags=FORGED, promisc=True)
    priv.engine.ask("PORT_DEL", ifname="vmnet8p1")
    assert on_the_bridge() == []
    # And one that somebody took away comes back.
    priv.gate("vmnet8p2", flags=FORGED, promisc=True)
    unfasten(priv.host, "vmnet8", "egress")
    priv.host.run("tc", "qdisc", "del", "dev", "vmnet8", "clsact", check=False)
    assert on_the_bridge() == []
    priv.bridge()
    assert on_the_bridge() == ["gate_host"]
    assert set(rows(priv)) == {"vmnet8p2"}  # the bridge is no port


@pytest.mark.parametrize("fields, wanted, sticky", [
    ({"mac_policy": GIVEN, "mac": P1}, {"locked"}, [P1]),
    ({"mac_policy": STICKY}, {"learning"}, []),
    ({"mac_policy": STICKY, "mac": A}, {"locked"}, [A]),
    ({"mac_policy": LEARN, "learn": 2}, {"learning"}, []),
    ({"mac_policy": LEARN, "learn": 2, "mac": A}, {"learning"}, [A]),
    ({"mac_policy": ANY}, {"learning", "flood"}, []),
    # granted
    ({"mac_policy": GIVEN, "mac": P1, "flags": FORGED, "promisc": True}, set(), [P1]),
    ({"mac_policy": ANY, "flags": FORGED, "promisc": True}, set(), []),
])
def test_gate_of_each_policy_can_be_set_again(priv, guest, fields, wanted, sticky):
    priv.network()
    priv.veth(guest, plug=False)
    for _ in range(2):
        priv.gate(**fields)
        assert programs(priv.host, "vmnet8p1") == ["gate_in"]
        assert programs(priv.host, "vmnet8p1", "egress") == []
        is_like(priv.host, "vmnet8p1", wanted, sticky)
    found = row(priv)
    assert (found.net, found.mac_policy, found.promisc) == (
        8, fields["mac_policy"], fields.get("promisc", False))
    assert found.mac == fields.get("mac", "00:00:00:00:00:00")


def test_gate_that_somebody_took_away_comes_back(priv, guest):
    priv.network()
    priv.veth(guest, plug=False)
    priv.gate(mac_policy=GIVEN, mac=P1)
    for script in ("tc qdisc del dev vmnet8p1 ingress",
                   "tc filter del dev vmnet8p1 ingress",
                   "bridge link set dev vmnet8p1 locked off learning on flood on",
                   f"bridge fdb del {P1} dev vmnet8p1 master"):
        priv.host.sh(script)
        priv.gate(mac_policy=GIVEN, mac=P1)
        assert programs(priv.host, "vmnet8p1") == ["gate_in"]
        is_like(priv.host, "vmnet8p1", {"locked"}, [P1])


def test_given_address_passes_and_no_other_does(seg):
    seg.guest(1, plug=False)
    seg.guest(2)
    seg.gate(1, mac_policy=GIVEN, mac=P1)
    assert seg.goes(1, ether(P1, BROADCAST)) == {"host": 1, 2: 1}
    assert seg.goes(1, ether(P1, HOST8)) == {"host": 1}
    for reason, source in (("FORGED", STRANGER), ("FORGED", HOST8), ("SOURCE", BROADCAST)):
        seg.is_dropped(1, ether(source, HOST8), reason)
        seg.is_dropped(1, ether(source, BROADCAST), reason)
    # Nothing that it said is believed, and what is for it comes to it alone.
    assert seg.goes("host", ether(HOST8, P1)) == {1: 1}
    assert seg.goes(2, ether(P2, STRANGER)) == {}


def test_first_address_of_a_sticky_port_is_its_own(two):
    assert two.goes(1, ether(A, BROADCAST), fence=A) == {"host": 1, 2: 1}
    assert row(two.priv).mac == A
    two.is_dropped(1, ether(P1, BROADCAST), "FORGED")
    # Until the engine has told the bridge, that has learned it.
    assert entries(two.host, "vmnet8p1") == {A: ""}
    assert two.goes("host", ether(HOST8, A)) == {1: 1}
    two.priv.gate()
    is_like(two.host, "vmnet8p1", {"locked"}, [A])
    assert two.goes(1, ether(A, HOST8), fence=A) == {"host": 1}
    two.is_dropped(1, ether(P1, HOST8), "FORGED")


def test_port_that_learns_has_so_many_addresses(two):
    two.priv.gate(mac_policy=LEARN, learn=2)
    for mac in (A, B, STRANGER):  # the first one is its own and does not count
        assert two.goes(1, ether(mac, BROADCAST), fence=mac) == {"host": 1, 2: 1}
    assert (row(two.priv).learned, row(two.priv).mac) == (2, A)
    two.is_dropped(1, ether(C, BROADCAST), "FULL")
    two.is_dropped(2, ether(B, BROADCAST), "TAKEN")
    two.is_dropped(1, ether(HOST8, BROADCAST), "TAKEN")
    assert two.goes("host", ether(HOST8, B)) == {1: 1}
    assert two.goes("host", ether(HOST8, C)) == {}  # no flood


def test_own_address_that_was_told_does_not_count_either(two):
    two.priv.gate(mac_policy=LEARN, learn=2, mac=P1)
    for mac in (A, P1, B):
        assert two.goes(1, ether(mac, BROADCAST), fence=mac) == {"host": 1, 2: 1}
    assert (row(two.priv).learned, row(two.priv).mac) == (2, P1)
    two.is_dropped(1, ether(C, BROADCAST), "FULL")
    # Nor does the one that comes after it: there is room for it.
    two.priv.gate(mac_policy=LEARN, learn=2, unpin=True)
    assert two.goes(1, ether(A, BROADCAST), fence=A) == {"host": 1, 2: 1}
    assert two.goes(1, ether(D, BROADCAST), fence=D) == {"host": 1, 2: 1}
    assert (row(two.priv).learned, row(two.priv).mac) == (2, D)
    two.is_dropped(1, ether(C, BROADCAST), "FULL")


def test_fewer_addresses_than_were_learned(two):
    """Those that are in use come back, as many as it may have now."""
    two.priv.gate(mac_policy=LEARN, learn=3)
    for mac in (P1, A, B, C):
        assert two.goes(1, ether(mac, BROADCAST), fence=mac) == {"host": 1, 2: 1}
    two.priv.gate(mac_policy=LEARN, learn=3, flood=5000)
    assert row(two.priv).learned == 3
    two.priv.gate(mac_policy=LEARN, learn=1)
    assert (row(two.priv).learned, row(two.priv).mac) == (0, P1)
    assert two.goes(1, ether(B, BROADCAST), fence=B) == {"host": 1, 2: 1}
    for mac in (A, C):
        two.is_dropped(1, ether(mac, BROADCAST), "FULL")
    for mac in (P1, B):
        assert two.goes(1, ether(mac, BROADCAST), fence=mac) == {"host": 1, 2: 1}
    assert row(two.priv).learned == 1
    # What it has no more is free for others.
    assert two.goes(2, ether(A, BROADCAST), fence=A) == {"host": 1, 1: 1}


def test_forgotten_address_makes_room(two):
    two.priv.gate(mac_policy=LEARN, learn=1)
    for mac in (A, B):
        two.goes(1, ether(mac, BROADCAST), fence=mac)
    ifindex = row(two.priv).ifindex
    forget = lambda mac, index=ifindex: two.priv.engine.ask("GATE_FORGET", ifindex=index, mac=mac)
    forget(A)  # its own one stays
    forget(C)  # nobody's
    forget(HOST8)
    forget(B, index=ifindex + 1000)  # no such gate
    forget(B, index=row(two.priv, "vmnet8p2").ifindex)  # not that one's
    assert (row(two.priv).learned, row(two.priv).mac) == (1, A)
    two.is_dropped(1, ether(C, BROADCAST), "FULL")
    forget(B)
    assert row(two.priv).learned == 0
    assert two.goes(1, ether(C, BROADCAST), fence=C) == {"host": 1, 2: 1}
    assert row(two.priv).learned == 1
    # What was forgotten is free for others.
    assert two.goes(2, ether(B, BROADCAST), fence=B) == {"host": 1, 1: 1}


def test_address_that_the_bridge_forgot_unheard_makes_room(two):
    """As while there is no engine, or when it lost events: the next GATE_SET compares."""
    two.priv.gate(mac_policy=LEARN, learn=2)
    for mac in (A, B, C):
        two.goes(1, ether(mac, BROADCAST), fence=mac)
    two.priv.gate(mac_policy=LEARN, learn=2)
    assert row(two.priv).learned == 2
    for mac in (A, B):
        two.host.run("bridge", "fdb", "del", mac, "dev", "vmnet8p1", "master")
    two.is_dropped(1, ether(D, BROADCAST), "FULL")
    two.priv.gate(mac_policy=LEARN, learn=2)
    # Not its own one, and not the one that is in use.
    assert (row(two.priv).learned, row(two.priv).mac) == (1, A)
    two.is_dropped(2, ether(C, BROADCAST), "TAKEN")
    assert two.goes(2, ether(B, BROADCAST), fence=B) == {"host": 1, 1: 1}
    assert two.goes(1, ether(D, BROADCAST), fence=D) == {"host": 1, 2: 1}
    assert row(two.priv).learned == 2


def test_uplink_may_send_everything(two):
    two.priv.gate(mac_policy=ANY)
    for mac in (A, B, STRANGER, HOST8):
        assert two.goes(1, ether(mac, BROADCAST), fence=mac) == {"host": 1, 2: 1}
    assert two.goes(2, ether(P2, D)) == {1: 1}  # it is told everything, and the others nothing


def test_frames_that_came_while_a_limit_was_low_do_not_count_against_a_high_one(two):
    """128 KiB at 64 kbit/s are worth 16 s, in which a port with 1 Gbit/s would send nothing."""
    two.priv.gate(mac_policy=GIVEN, mac=P1, rate_out_kbit=64, flood=1)
    big = ether(P1, HOST8, payload=bytes(1400))
    with two.guests[1].enter():
        for _ in range(200):
            two.ends[1].send(big)
    for _ in range(40):
        two.ends[1].send(ether(P1, BROADCAST))
    proc.wait_until("both limits are reached", lambda: all(
        drops(two.priv, reason) for reason in ("RATE_OUT", "FLOOD")))
    two.priv.gate(mac_policy=GIVEN, mac=P1, rate_out_kbit=1000000, flood=10000)
    assert two.goes(1, big) == {"host": 1}


# --- whose an address is -----------------------------------------------------------------------


def test_address_of_another_port_and_of_the_host(two, priv):
    priv.gate("vmnet8p1", mac_policy=GIVEN, mac=A)
    for policy in (GIVEN, STICKY):
        taken = priv.gate("vmnet8p2", errno.EADDRINUSE, mac_policy=policy, mac=A)
        assert taken.text == (
            f"vmnet8p2: address {A} belongs to vmnet8p1 in this network already. Give each guest "
            "an address of its own")
        of_host = priv.gate("vmnet8p2", errno.EADDRINUSE, mac_policy=policy, mac=HOST8)
        assert of_host.text == f"vmnet8p2: address {HOST8} is the host's in this network"
    # As it was before.
    assert two.goes(2, ether(B, BROADCAST), fence=B) == {"host": 1, 1: 1}
    two.is_dropped(2, ether(A, BROADCAST), "FORGED")
    # A sticky one cannot take it by a frame either.
    priv.gate("vmnet8p2", unpin=True)
    two.is_dropped(2, ether(A, BROADCAST), "TAKEN")
    two.is_dropped(2, ether(HOST8, BROADCAST), "TAKEN")


def test_stricter_policy_counts_though_its_address_is_taken(two, priv):
    priv.gate("vmnet8p1", mac_policy=GIVEN, mac=A)
    priv.gate("vmnet8p2", mac_policy=GIVEN, mac=B, promisc=True, flags=FORGED)
    assert row(priv, "vmnet8p2").promisc
    priv.gate("vmnet8p2", errno.EADDRINUSE, mac_policy=GIVEN, mac=A)
    assert not row(priv, "vmnet8p2").promisc and row(priv, "vmnet8p2").mac == B
    is_like(two.host, "vmnet8p2", {"locked"}, [B])
    two.is_dropped(2, ether(P1, BROADCAST), "FORGED")
    assert two.goes(2, ether(B, BROADCAST), fence=B) == {"host": 1, 1: 1}


def test_same_address_in_two_networks(priv, guest):
    priv.network(8)
    priv.network(9)
    priv.veth(guest, plug=False)
    priv.veth(guest, ifname="vmnet9p1", net=9, peer_name="eth1", plug=False)
    priv.gate(mac_policy=GIVEN, mac=A)
    priv.gate("vmnet9p1", net=9, mac_policy=GIVEN, mac=A)
    assert {name: found.net for name, found in rows(priv).items()} == {"vmnet8p1": 8, "vmnet9p1": 9}
    assert list(rows(priv, 9)) == ["vmnet9p1"]
    assert rows(priv, 7) == {}


def test_machine_that_comes_back_faster_than_its_end_is_noticed(priv):
    """Its old tap is gone, and the engine has not said GATE_DEL yet."""
    priv.network()
    first = priv.tap(1, plug=False)
    priv.gate("vmnet8p1", mac_policy=GIVEN, mac=A)
    old = row(priv).ifindex
    close(first)
    proc.wait_until("the tap has gone", lambda: "vmnet8p1" not in priv.host.links())
    second = priv.tap(2, plug=False)
    priv.gate("vmnet8p2", mac_policy=GIVEN, mac=A)
    priv.engine.ask("GATE_DEL", ifindex=old)
    # Its end takes nothing from the new one.
    third = priv.tap(3, plug=False)
    assert "belongs to vmnet8p2" in priv.gate(
        "vmnet8p3", errno.EADDRINUSE, mac_policy=GIVEN, mac=A).text
    assert {name: found.mac for name, found in rows(priv).items()} == {
        "vmnet8p2": A, "vmnet8p3": "00:00:00:00:00:00"}
    close(second)
    close(third)


def test_what_a_sticky_port_was_told_counts_until_it_has_an_address(two, priv):
    two.goes(1, ether(A, BROADCAST), fence=A)
    priv.gate(mac=B)  # pinned already
    assert row(priv).mac == A
    is_like(two.host, "vmnet8p1", {"locked"}, [A])
    priv.gate("vmnet8p2", mac=B)
    assert row(priv, "vmnet8p2").mac == B
    assert two.goes(2, ether(B, BROADCAST), fence=B) == {"host": 1, 1: 1}
    two.is_dropped(2, ether(P2, BROADCAST), "FORGED")


def test_unpinned_port_takes_the_next_address(two, priv):
    two.goes(1, ether(A, BROADCAST), fence=A)
    priv.gate()
    is_like(two.host, "vmnet8p1", {"locked"}, [A])
    priv.gate(unpin=True)
    assert row(priv).mac == "00:00:00:00:00:00"
    is_like(two.host, "vmnet8p1", {"learning"})
    assert two.goes(1, ether(B, BROADCAST), fence=B) == {"host": 1, 2: 1}
    assert row(priv).mac == B
    # The old one is free.
    assert two.goes(2, ether(A, BROADCAST), fence=A) == {"host": 1, 1: 1}
    priv.gate(unpin=True, mac=C)
    assert row(priv).mac == C
    is_like(two.host, "vmnet8p1", {"locked"}, [C])


# --- changes -----------------------------------------------------------------------------------


def test_given_address_that_changes(two, priv):
    priv.gate(mac_policy=GIVEN, mac=A)
    assert two.goes(1, ether(A, HOST8), fence=A) == {"host": 1}
    priv.gate(mac_policy=GIVEN, mac=B)
    is_like(two.host, "vmnet8p1", {"locked"}, [B])
    assert two.goes(1, ether(B, HOST8), fence=B) == {"host": 1}
    two.is_dropped(1, ether(A, HOST8), "FORGED")
    priv.gate("vmnet8p2", mac_policy=GIVEN, mac=A)  # free again
    assert two.goes(2, ether(A, B), fence=A) == {1: 1}


def test_sticky_port_that_may_learn_for_a_while(two, priv):
    two.goes(1, ether(A, BROADCAST), fence=A)
    priv.gate()
    priv.gate(mac_policy=LEARN, learn=3)
    is_like(two.host, "vmnet8p1", {"learning"}, [A])
    for mac in (A, B, C):
        assert two.goes(1, ether(mac, HOST8), fence=mac) == {"host": 1}
    assert row(priv).learned == 2  # and its own one
    priv.gate()
    # Only its own one is left, in the map and in the bridge's table.
    assert (row(priv).learned, row(priv).mac) == (0, A)
    assert entries(two.host, "vmnet8p1") == {A: "sticky"}
    is_like(two.host, "vmnet8p1", {"locked"}, [A])
    two.is_dropped(1, ether(B, HOST8), "FORGED")
    assert two.goes(1, ether(A, HOST8), fence=A) == {"host": 1}
    assert two.goes(2, ether(B, BROADCAST), fence=B) == {"host": 1, 1: 1}


def test_promiscuous_mode_is_granted_and_taken_back(two, priv):
    two.guest(3)
    own = {"mac_policy": GIVEN, "mac": P1}
    priv.gate(**own)
    for n, mac in ((2, P2), (3, P3)):
        two.goes(n, ether(mac, BROADCAST))
    assert two.goes(2, ether(P2, P3)) == {3: 1}
    priv.gate(**own, promisc=True, flags=FORGED)
    is_like(two.host, "vmnet8p1", set(), [P1])
    assert row(priv).promisc
    assert two.goes(2, ether(P2, P3)) == {3: 1, 1: 1}
    assert two.goes(2, ether(P2, P1)) == {1: 1}
    assert two.goes("host", ether(HOST8, P3)) == {3: 1, 1: 1}
    assert two.goes(1, ether(STRANGER, P3)) == {3: 1}
    priv.gate(**own)
    is_like(two.host, "vmnet8p1", {"locked"}, [P1])
    assert not row(priv).promisc
    assert two.goes(2, ether(P2, P3)) == {3: 1}
    two.is_dropped(1, ether(STRANGER, P3), "FORGED")


def test_seventeenth_promiscuous_port(priv):
    priv.network()
    taps = [priv.tap(n, plug=False) for n in range(1, 18)]
    for n in range(1, 17):
        priv.gate(f"vmnet8p{n}", promisc=True, flags=FORGED)
    for _ in range(2):
        text = priv.gate("vmnet8p17", errno.ENOSPC, promisc=True, flags=FORGED, unpin=True).text
        assert text == "vmnet8 has 16 promiscuous ports already, which is the most"
    assert sum(found.promisc for found in rows(priv).values()) == 16
    priv.gate("vmnet8p16", promisc=True, flags=FORGED)  # one that is one of them
    priv.gate("vmnet8p3")
    priv.gate("vmnet8p17", promisc=True, flags=FORGED)
    for reply in taps:
        close(reply)


@pytest.mark.parametrize("lent", [True, False])
def test_all_but_promiscuous_mode_is_in_force_without_room_for_it(two, priv, lent):
    """lent: forged sources come with it, and go with it; else they are the port's by configuration."""
    two.goes(1, ether(A, BROADCAST), fence=A)
    taps = [priv.tap(n, plug=False) for n in range(11, 27)]
    for n in range(11, 27):
        priv.gate(f"vmnet8p{n}", promisc=True, flags=FORGED)
    fields = {"promisc": True, "flags": FORGED | N["GATE_DHCP"], "lent": lent, "memo": b"after"}
    priv.gate(err=errno.ENOSPC, **fields)
    found = row(priv)
    assert (found.promisc, found.mac) == (False, A) and found.memo.startswith(b"after")
    two.is_dropped(1, frames.dhcp_offer(A), "DHCP")
    forged = ether(STRANGER, HOST8)
    if lent:
        is_like(two.host, "vmnet8p1", {"locked"}, [A])
        two.is_dropped(1, forged, "FORGED")
    else:
        is_like(two.host, "vmnet8p1", set(), [A])
        assert two.goes(1, forged, fence=A) == {"host": 1}
    priv.gate("vmnet8p11")
    priv.gate(**fields)
    assert row(priv).promisc
    assert two.goes(1, forged, fence=A) == {"host": 1}
    for reply in taps:
        close(reply)


def test_nobody_forges_while_policies_change(two, priv):
    """From address to address, policy to policy: what neither lets pass does not pass in between."""
    heard = {n: frames.Counter(two.guests[n], "eth0") for n in (1, 2)}
    heard["host"] = frames.Counter(two.host, "vmnet8")
    priv.gate(mac_policy=GIVEN, mac=A)
    flood = traffic.Flood(two.guests[1], "eth0", sources=["random", HOST8, P2],
                          targets=[BROADCAST, HOST8, P2, "random"])
    for _ in range(500):
        priv.gate(mac_policy=GIVEN, mac=B)
        priv.gate(mac=A)
        priv.gate(mac=A, rate_in_kbit=900000)
        priv.gate(mac_policy=GIVEN, mac=A, promisc=True)
    sent, _ = flood.stop()
    assert sent > 10000
    assert {name: counter.count() for name, counter in heard.items()} == {1: 0, 2: 0, "host": 0}
    two.ends[1].send(ether(A, BROADCAST))
    proc.wait_until("an honest one is counted", lambda: heard["host"].count() == 1)


def test_own_frames_go_on_while_policies_change(two, priv):
    heard = frames.Counter(two.host, "vmnet8")
    own = {"mac": A}
    priv.gate(mac_policy=GIVEN, **own)
    flood = traffic.Flood(two.guests[1], "eth0", sources=[A], targets=[BROADCAST], rate=5000)
    for _ in range(500):
        priv.gate(**own)
        priv.gate(**own, promisc=True, flags=FORGED)
        priv.gate(mac_policy=LEARN, learn=5, **own)
        priv.gate(mac_policy=ANY)
        priv.gate(mac_policy=GIVEN, **own, rate_in_kbit=900000)
        priv.gate(mac_policy=GIVEN, **own)
    sent, _ = flood.stop()
    assert sent > 1000
    proc.wait_until("all have come", lambda: heard.count() == sent)


def test_port_that_moves_to_another_network_begins_anew(two, priv):
    priv.network(9)
    there = frames.Wire(two.host, "vmnet9")
    two.goes(1, ether(A, BROADCAST), fence=A)
    priv.gate(promisc=True, flags=FORGED)
    priv.gate("vmnet8p2", span="vmnet8p1", mac=B)
    two.host.run("ip", "link", "set", "vmnet8p1", "master", "vmnet9")
    # It is no port of vmnet8 any more, and none of vmnet9 by its word alone.
    text = priv.gate(err=errno.ENODEV).text
    assert text == "vmnet8p1: not a port of vmnet8"
    priv.gate("vmnet8p2", errno.ENODEV, span="vmnet8p1", mac=B)
    two.ends.pop("host").close()
    two.ends["there"] = there
    priv.gate(net=9)
    found = row(priv)
    assert (found.net, found.mac, found.promisc) == (9, "00:00:00:00:00:00", False)
    is_like(two.host, "vmnet8p1", {"learning"})
    # Its address is free there, and another one free here.
    assert "vmnet8p1" not in rows(priv, 8)
    priv.gate("vmnet8p2", mac_policy=GIVEN, mac=A)
    proc.wait_until("the port forwards", lambda: two.forwards(1))
    two.is_dropped(1, ether("00:50:56:c0:00:09", BROADCAST), "TAKEN")
    there.drain()
    two.ends[1].send(ether(A, BROADCAST))
    assert there.until(lambda frame: frame == ether(A, BROADCAST))
    assert row(priv).mac == A


def test_moving_port_under_fire_owns_its_address_where_it_is(two, priv):
    """Its frames come while its policy changes networks: none of them counts in the wrong one."""
    priv.network(9)
    taps = [priv.tap(8, plug=False), priv.tap(9, plug=False, ifname="vmnet9p9", net=9)]
    others = {8: "vmnet8p8", 9: "vmnet9p9"}
    flood = traffic.Flood(two.guests[1], "eth0", sources=[A], targets=[BROADCAST])
    for net, left in 30 * ((9, 8), (8, 9)):
        two.host.run("ip", "link", "set", "vmnet8p1", "master", f"vmnet{net}")
        priv.gate(net=net)
        proc.wait_until("it has its address", lambda: row(priv).mac == A)
        taken = priv.gate(others[net], errno.EADDRINUSE, net=net, mac_policy=GIVEN, mac=A).text
        assert "belongs to vmnet8p1" in taken
        for mac in (A, B):
            priv.gate(others[left], net=left, mac_policy=GIVEN, mac=mac)
    flood.stop()
    for reply in taps:
        close(reply)


def test_link_that_comes_back_up_has_a_gate_before_it_is_a_port(two, priv):
    """PORT_ENSLAVE puts a link that is up onto the bridge, and GATE_SET is another message."""
    guest3 = two.guest(3)
    two.host.run("ip", "link", "set", "vmnet8p3", "nomaster")
    ifindex = two.host.links()["vmnet8p3"]["ifindex"]
    priv.engine.ask("GATE_DEL", ifindex=ifindex)
    assert programs(two.host, "vmnet8p3") == []
    heard = frames.Counter(two.host, "vmnet8")
    flood = traffic.Flood(guest3, "eth0", sources=[A], targets=[BROADCAST], rate=20000)
    priv.engine.ask("PORT_ENSLAVE", net=8, ifname="vmnet8p3")
    proc.wait_until("the port forwards", lambda: two.forwards(3))
    time.sleep(0.1)  # 2000 frames
    assert heard.count() == 0
    assert rows(priv)["vmnet8p3"].memo == b""  # as one that waits
    priv.gate("vmnet8p3")
    proc.wait_until("it speaks", lambda: heard.count() > 100)
    flood.stop()


def test_port_that_lost_its_program_outside_comes_back_with_one(two, priv):
    two.goes(1, ether(A, BROADCAST), fence=A)
    two.host.sh("ip link set vmnet8p1 nomaster; tc qdisc del dev vmnet8p1 ingress")
    priv.engine.ask("PORT_ENSLAVE", net=8, ifname="vmnet8p1")
    assert programs(two.host, "vmnet8p1") == ["gate_in"]
    proc.wait_until("the port forwards", lambda: two.forwards(1))
    assert two.goes(1, ether(A, BROADCAST), fence=A) == {"host": 1, 2: 1}
    two.is_dropped(1, ether(B, BROADCAST), "FORGED")


def test_link_that_cannot_become_a_port_keeps_no_program(priv):
    priv.network()
    # The kernel refuses a port whose packet sockets, or other upper devices, are in the way.
    priv.host.sh("""
        ip link add other type veth peer name peer
        ip link add over link other type macvlan mode passthru
    """)
    text = priv.engine.ask("PORT_ENSLAVE", net=8, ifname="other", err=errno.EBUSY).text
    assert text.startswith("other: cannot become a port of vmnet8: ")
    assert not has_qdisc(priv.host, "other")
